/* Reading the terms of a consent, strictly (spec: consent.md, The record). Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/terms.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/timestamp.h"

#define MAX_USES UINT32_MAX

static enum store_principal read_principal(struct api_json *in, const json_t *body) {
    static const char *const known[] = {"type", NULL};
    static const char *const types[] = {"unknown", "company", "soleTrader", "individual"};
    const json_t *principal = api_json_member_object(in, body, "principal", false);
    if (principal == NULL)
        return STORE_UNKNOWN;
    size_t mark = api_json_enter(in, "principal");
    struct span type = SPAN_NONE;
    if (api_json_object(in, principal, known))
        type = api_json_string(in, principal, "type", 32, true);
    enum store_principal found = STORE_UNKNOWN;
    bool is_type = !span_present(type);
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        if (span_is(type, types[i])) {
            found = i;
            is_type = true;
        }
    }
    if (!is_type)
        api_json_fail(in, "type", "must be company, soleTrader, individual or unknown");
    api_json_leave(in, mark);
    return found;
}

/* Every purpose of a licence, by default. */
static void default_purposes(struct arena *arena, const struct api_terms *terms,
                             const struct policy_license *license, struct policy_admission *ask) {
    struct span *codes = arena_array(arena, LIMIT_SET, sizeof *codes);
    for (uint32_t i = 0; i < policy_pack_purpose_count(terms->pack); i++)
        if ((license->purposes >> i & 1U) != 0)
            codes[ask->purpose_count++] = policy_pack_purpose(terms->pack, i)->code;
    ask->purposes = codes;
}

static void default_permissions(struct arena *arena, const struct api_terms *terms,
                                const struct policy_license *license,
                                struct policy_admission *ask) {
    struct policy_permission_ask *asks = arena_array(arena, LIMIT_SET, sizeof *asks);
    for (uint32_t i = 0; i < policy_pack_permission_count(terms->pack); i++)
        if ((license->permissions >> i & 1U) != 0)
            asks[ask->permission_count++].code = policy_pack_permission(terms->pack, i)->code;
    ask->permissions = asks;
}

static void read_permission(struct api_json *in, const json_t *value,
                            struct policy_permission_ask *out) {
    static const char *const known[] = {"code", "resources", "maxGranularity", NULL};
    if (!api_json_object(in, value, known))
        return;
    out->code = api_json_string(in, value, "code", 64, true);
    out->resources = api_json_strings(in, value, "resources",
                                      (struct api_bounds){LIMIT_RESOURCES, LIMIT_RESOURCE},
                                      &out->resource_count);
    struct span granularity = api_json_string(in, value, "maxGranularity", 16, false);
    out->has_granularity = span_present(granularity);
    if (out->has_granularity && duration_parse(granularity, &out->granularity) != STATUS_OK)
        api_json_fail(in, "maxGranularity", "must be an ISO 8601 duration with one unit");
}

static void read_permissions(struct api_json *in, const json_t *body,
                             struct policy_admission *ask) {
    const json_t *array = api_json_array(in, body, "permissions", LIMIT_SET, false);
    size_t count = json_array_size(array);
    struct policy_permission_ask *asks = arena_array(in->arena, count, sizeof *asks);
    uint32_t resources = 0;
    size_t outer = api_json_enter(in, "permissions");
    for (size_t i = 0; i < count; i++) {
        size_t mark = api_json_enter_index(in, i);
        read_permission(in, json_array_get(array, i), &asks[i]);
        resources += asks[i].resource_count;
        for (size_t j = 0; j < i; j++)
            if (span_present(asks[i].code) && span_equal(asks[i].code, asks[j].code))
                api_json_fail(in, "code", "stands in the list twice");
        api_json_leave(in, mark);
    }
    if (resources > LIMIT_RESOURCES)
        api_json_fail(in, NULL, "name more than %d resources in all", LIMIT_RESOURCES);
    api_json_leave(in, outer);
    ask->permissions = asks;
    ask->permission_count = (uint32_t)count;
}

static void read_member(struct api_json *in, const json_t *value, struct store_member *out) {
    static const char *const known[] = {"arrangementId", "external", NULL};
    static const char *const external_known[] = {"oauthIssuer", "tokenDigest", "expires", NULL};
    if (!api_json_object(in, value, known))
        return;
    const json_t *external = api_json_member_object(in, value, "external", false);
    struct span id = api_json_string(in, value, "arrangementId", UUID_TEXT_SIZE, false);
    if (json_object_get(value, "external") == NULL) {
        if (!span_present(id) && json_object_get(value, "arrangementId") == NULL)
            api_json_fail(in, NULL, "must have arrangementId or external");
        else if (span_present(id) && uuid_from_text(id, &out->arrangement) != STATUS_OK)
            api_json_fail(in, "arrangementId", "must be a UUID");
        return;
    }
    if (json_object_get(value, "arrangementId") != NULL)
        api_json_fail(in, NULL, "must have arrangementId or external, not both");
    if (external == NULL)
        return;
    out->external = true;
    size_t mark = api_json_enter(in, "external");
    (void)api_json_object(in, external, external_known);
    (void)api_json_url(in, external, "oauthIssuer", true);
    (void)api_json_digest(in, external, "tokenDigest", true, &out->token_digest);
    out->expires = api_json_time(in, external, "expires", INT64_MIN);
    if (json_object_get(external, "expires") == NULL)
        api_json_fail(in, "expires", "is required");
    api_json_leave(in, mark);
}

static void read_group(struct api_json *in, const json_t *value, struct store_group *out) {
    if (!json_is_array(value) || json_array_size(value) == 0 ||
        json_array_size(value) > LIMIT_GROUP_MEMBERS) {
        api_json_fail(in, NULL, "must be an array of 1 to %d elements", LIMIT_GROUP_MEMBERS);
        return;
    }
    size_t count = json_array_size(value);
    struct store_member *members = arena_array(in->arena, count, sizeof *members);
    for (size_t i = 0; i < count; i++) {
        size_t mark = api_json_enter_index(in, i);
        read_member(in, json_array_get(value, i), &members[i]);
        api_json_leave(in, mark);
    }
    *out = (struct store_group){members, (uint32_t)count};
}

static void read_depends_on(struct api_json *in, const json_t *body, struct store_draft *draft) {
    const json_t *array = api_json_array(in, body, "dependsOn", LIMIT_GROUPS, false);
    size_t count = json_array_size(array);
    struct store_group *groups = arena_array(in->arena, count, sizeof *groups);
    size_t outer = api_json_enter(in, "dependsOn");
    for (size_t i = 0; i < count; i++) {
        size_t mark = api_json_enter_index(in, i);
        read_group(in, json_array_get(array, i), &groups[i]);
        api_json_leave(in, mark);
    }
    api_json_leave(in, outer);
    draft->groups = groups;
    draft->group_count = (uint32_t)count;
}

/* The pushed authorisation request that started it. */
static void read_request(struct api_json *in, const json_t *body) {
    static const char *const known[] = {"at", "digest", "redirectUri", "certificate", NULL};
    static const char *const certificate_known[] = {"sha256", "member", "roles", NULL};
    const json_t *request = api_json_member_object(in, body, "request", false);
    struct digest digest;
    uint32_t count;
    if (request == NULL)
        return;
    size_t mark = api_json_enter(in, "request");
    (void)api_json_object(in, request, known);
    if (json_object_get(request, "at") == NULL)
        api_json_fail(in, "at", "is required");
    (void)api_json_time(in, request, "at", INT64_MIN);
    (void)api_json_digest(in, request, "digest", true, &digest);
    (void)api_json_url(in, request, "redirectUri", false);
    const json_t *certificate = api_json_member_object(in, request, "certificate", false);
    if (certificate != NULL) {
        size_t inner = api_json_enter(in, "certificate");
        (void)api_json_object(in, certificate, certificate_known);
        (void)api_json_digest(in, certificate, "sha256", true, &digest);
        (void)api_json_url(in, certificate, "member", false);
        (void)api_json_urls(in, certificate, "roles", LIMIT_ROLES, &count);
        api_json_leave(in, inner);
    }
    api_json_leave(in, mark);
}

static void read_recipients(struct api_json *in, const json_t *body, struct policy_admission *ask) {
    const json_t *onward = json_object_get(body, "onwardRecipients");
    if (json_is_array(onward) && json_array_size(onward) == 0)
        return; /* none, said out loud */
    ask->onward = api_json_urls(in, body, "onwardRecipients", LIMIT_ONWARD, &ask->onward_count);
}

/* Roles as presented by the certificate may be stated by the tenant; a caller's own come from its
 * token. */
static void read_roles(struct api_json *in, const json_t *body, const struct api_terms *terms,
                       struct policy_admission *ask) {
    const struct api_viewer *viewer = terms->viewer;
    ask->client_roles =
        api_json_urls(in, body, "clientRoles", LIMIT_ROLES, &ask->client_role_count);
    ask->client_roles_known = viewer->roles_known && ask->client_role_count != 0;
    /* copied: the call may be gone before the writer looks */
    ask->tenant_roles = api_viewer_copy_list(in->arena, viewer->roles, viewer->role_count);
    ask->tenant_role_count = viewer->role_count;
    ask->tenant_roles_known = viewer->roles_known;
}

/* The tenant itself need not have a URL for a name. */
static struct span read_provider(struct api_json *in, const json_t *body, struct span tenant) {
    const char *name = json_string_value(json_object_get(body, "provider"));
    if (json_object_get(body, "provider") == NULL || span_is(tenant, name != NULL ? name : ""))
        return arena_copy(in->arena, tenant);
    return api_json_url(in, body, "provider", false);
}

static void read_parties(struct api_json *in, const json_t *body, const struct api_terms *terms,
                         struct store_draft *draft) {
    draft->external_id = api_json_string(in, body, "externalId", LIMIT_EXTERNAL_ID, false);
    draft->provider = read_provider(in, body, terms->viewer->tenant);
    (void)api_json_url(in, body, "oauthIssuer", false);
    draft->client = api_json_url(in, body, "client", true);
    (void)api_json_url(in, body, "clientMember", false);
    draft->account = api_json_string(in, body, "account", LIMIT_ACCOUNT, draft->ask.granted);
    draft->principal = read_principal(in, body);
    read_recipients(in, body, &draft->ask);
    read_roles(in, body, terms, &draft->ask);
}

static void read_limits(struct api_json *in, const json_t *body, struct store_draft *draft) {
    struct duration life;
    draft->ask.data_from = api_json_time(in, body, "dataFrom", INT64_MIN);
    draft->ask.data_to = api_json_time(in, body, "dataTo", INT64_MIN);
    draft->data_available_from = api_json_time(in, body, "dataAvailableFrom", INT64_MIN);
    draft->max_uses =
        (uint32_t)api_json_int(in, body, "maxUses", (struct api_range){1, MAX_USES, 0});
    draft->ask.expires = api_json_time(in, body, "expires", INT64_MIN);
    struct span text = api_json_string(in, body, "dataLife", 16, false);
    if (span_present(text) && duration_parse(text, &life) != STATUS_OK)
        api_json_fail(in, "dataLife", "must be an ISO 8601 duration with one unit");
}

/* What the licence gives when the caller says nothing. */
static void fill_from_license(struct api_json *in, const json_t *body,
                              const struct api_terms *terms, struct store_draft *draft) {
    struct policy_admission *ask = &draft->ask;
    const struct policy_license *license = policy_pack_license_find(terms->pack, ask->license);
    if (license == NULL) {
        if (ask->expires == INT64_MIN)
            ask->expires = INT64_MAX; /* the policy refuses it for the licence */
        return;
    }
    if (json_object_get(body, "purposes") == NULL)
        default_purposes(in->arena, terms, license, ask);
    if (json_object_get(body, "permissions") == NULL)
        default_permissions(in->arena, terms, license, ask);
    /* what is only requested lasts from its grant on, so its end is not known yet */
    if (ask->expires == INT64_MIN)
        ask->expires = ask->granted ? policy_default_expiry(license, ask->granted_at) : INT64_MAX;
}

void api_terms_read(struct api_json *in, const json_t *body, const struct api_terms *terms,
                    struct store_draft *draft) {
    static const char *const known[] = {
        "externalId",  "provider",         "oauthIssuer", "client",    "clientMember",
        "clientRoles", "onwardRecipients", "license",     "purposes",  "permissions",
        "account",     "principal",        "dataFrom",    "dataTo",    "dataAvailableFrom",
        "maxUses",     "dataLife",         "expires",     "dependsOn", "request",
        "grant",       "tokens",           NULL};
    struct policy_admission *ask = &draft->ask;
    if (!api_json_object(in, body, known))
        return;
    ask->granted = json_object_get(body, "grant") != NULL;
    ask->granted_at = terms->now;
    ask->notice.shown_at = INT64_MIN;
    ask->license = api_json_url(in, body, "license", true);
    read_parties(in, body, terms, draft);
    ask->purposes = api_json_strings(in, body, "purposes", (struct api_bounds){LIMIT_SET, 64},
                                     &ask->purpose_count);
    read_permissions(in, body, ask);
    read_limits(in, body, draft);
    read_depends_on(in, body, draft);
    read_request(in, body);
    if (ask->granted)
        api_grant_read(in, body, draft);
    else if (json_object_get(body, "tokens") != NULL)
        api_json_fail(in, "tokens", "come with a grant");
    draft->tokens = api_tokens_read(in, body, false, &draft->token_count);
    if (api_json_failed(in))
        return;
    fill_from_license(in, body, terms, draft);
    api_terms_write(in->arena, body, terms, draft);
    if (draft->terms_json.size + draft->grant_json.size > LIMIT_TERMS)
        api_json_fail(in, NULL, "the terms are longer than %d bytes of JSON", LIMIT_TERMS);
    if (draft->grant_private_json.size + draft->account_json.size > LIMIT_PERSONAL)
        api_json_fail(in, NULL, "account, by, ip, userAgent and proofs are longer than %d bytes",
                      LIMIT_PERSONAL);
}
