/* Composing what is stored of a consent: members in a fixed order, compact, times with
 * milliseconds; the personal ones apart. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/terms.h"
#include "base/json_out.h"
#include "base/timestamp.h"

static struct span text_of(const json_t *value) {
    return span_of(json_string_value(value), json_string_length(value));
}

static bool names_a_time(const char *key) {
    static const char *const names[] = {"at",     "expires",  "shownAt",          "issuedAt",
                                        "dataTo", "dataFrom", "dataAvailableFrom"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

/* The body was read before: what names a time is one, and nesting is bounded. */
static void write_string(struct json_out *out, const char *key, const json_t *value) {
    int64_t time_ms;
    if (names_a_time(key) && timestamp_parse(text_of(value), &time_ms) == STATUS_OK)
        json_out_time(out, time_ms);
    else
        json_out_string(out, text_of(value));
}

/* plain: no member is a time, whatever its name */
static void write_object(struct json_out *out, const json_t *value, bool plain) {
    const char *name;
    json_t *member;
    json_out_object_begin(out);
    json_object_foreach((json_t *)(uintptr_t)value, name, member) {
        /* names of substitutions are the caller's, so they are escaped like any string */
        json_out_string(out, span_of_text(name));
        buffer_append_text(out->to, ":");
        out->comma = false;
        api_json_write(out, plain ? "" : name, member);
    }
    json_out_object_end(out);
}

void api_json_write(struct json_out *out, const char *key, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(out, value, strcmp(key, "substitutions") == 0);
        break;
    case JSON_ARRAY:
        json_out_array_begin(out);
        for (size_t i = 0; i < json_array_size(value); i++)
            api_json_write(out, "", json_array_get(value, i));
        json_out_array_end(out);
        break;
    case JSON_STRING:
        write_string(out, key, value);
        break;
    case JSON_INTEGER:
        json_out_int(out, json_integer_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_out_bool(out, json_is_true(value));
        break;
    case JSON_REAL: /* refused by every reader */
    case JSON_NULL:
        json_out_null(out);
        break;
    }
}

static void copy_member(struct json_out *out, const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (value == NULL || (json_is_array(value) && json_array_size(value) == 0))
        return;
    json_out_key(out, name);
    api_json_write(out, name, value);
}

static struct span keep(struct arena *arena, struct buffer *text) {
    struct span kept = arena_copy(arena, buffer_span(text));
    buffer_release(text);
    return span_present(kept) ? kept : SPAN("");
}

static void write_codes(struct json_out *out, const struct policy_admission *ask) {
    json_out_key(out, "purposes");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < ask->purpose_count; i++)
        json_out_string(out, ask->purposes[i]);
    json_out_array_end(out);
}

static void write_permissions(struct json_out *out, const json_t *body,
                              const struct policy_admission *ask) {
    if (json_object_get(body, "permissions") != NULL) {
        copy_member(out, body, "permissions");
        return;
    }
    json_out_key(out, "permissions");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < ask->permission_count; i++) {
        json_out_object_begin(out);
        json_out_member(out, "code", ask->permissions[i].code);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static struct span default_issuer(const struct api_terms *terms) {
    const struct api_settings *settings = terms->settings;
    for (uint32_t i = 0; i < settings->tenant_count; i++)
        if (span_equal(settings->tenants[i].tenant, terms->viewer->tenant))
            return settings->tenants[i].oauth_issuer;
    return settings->oauth_issuer;
}

static void write_policy(struct json_out *out, const struct api_terms *terms,
                         const struct policy_admission *ask) {
    const struct policy_license *license = policy_pack_license_find(terms->pack, ask->license);
    json_out_key(out, "policy");
    json_out_object_begin(out);
    json_out_member(out, "pack", policy_pack_name(terms->pack));
    json_out_member(out, "version", policy_pack_version(terms->pack));
    json_out_key(out, "digest");
    json_out_hex(out, policy_pack_digest(terms->pack)->bytes, DIGEST_SIZE);
    json_out_object_end(out);
    if (license != NULL && license->has_text_digest) {
        json_out_key(out, "licenseDigest");
        json_out_hex(out, license->text_digest.bytes, DIGEST_SIZE);
    }
}

static void write_principal(struct json_out *out, const json_t *body) {
    if (json_object_get(body, "principal") != NULL) {
        copy_member(out, body, "principal");
        return;
    }
    json_out_key(out, "principal");
    json_out_object_begin(out);
    json_out_member(out, "type", SPAN("unknown"));
    json_out_object_end(out);
}

/* Provider, client and licence stand in the header and in each entry: api_terms_parties. */
static struct span compose_terms(struct arena *arena, const json_t *body,
                                 const struct api_terms *terms, const struct store_draft *draft) {
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    copy_member(&out, body, "externalId");
    if (json_object_get(body, "oauthIssuer") != NULL)
        copy_member(&out, body, "oauthIssuer");
    else
        json_out_member_optional(&out, "oauthIssuer", default_issuer(terms));
    copy_member(&out, body, "clientMember");
    copy_member(&out, body, "clientRoles");
    copy_member(&out, body, "onwardRecipients");
    write_codes(&out, &draft->ask);
    write_permissions(&out, body, &draft->ask);
    write_principal(&out, body);
    copy_member(&out, body, "dataFrom");
    copy_member(&out, body, "dataTo");
    copy_member(&out, body, "dataAvailableFrom");
    copy_member(&out, body, "maxUses");
    copy_member(&out, body, "dataLife");
    /* while only requested, an expiry that nobody named is not a term yet */
    if (draft->ask.expires != INT64_MAX &&
        (draft->ask.granted || json_object_get(body, "expires") != NULL))
        json_out_member_time(&out, "expires", draft->ask.expires);
    copy_member(&out, body, "dependsOn");
    copy_member(&out, body, "request");
    write_policy(&out, terms, &draft->ask);
    return keep(arena, &text);
}

void api_grant_write(struct arena *arena, const json_t *body, struct store_draft *draft) {
    static const char *const open[] = {"at", "method", "notice", "appVersion"};
    static const char *const personal[] = {"by", "ip", "userAgent", "proofs"};
    const json_t *grant = json_object_get(body, "grant");
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        copy_member(&out, grant, open[i]);
    draft->grant_json = keep(arena, &text);
    out = json_out_to(&text);
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        copy_member(&out, grant, personal[i]);
    draft->grant_private_json = keep(arena, &text);
}

void api_terms_write(struct arena *arena, const json_t *body, const struct api_terms *terms,
                     struct store_draft *draft) {
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    draft->terms_json = compose_terms(arena, body, terms, draft);
    if (span_present(draft->account))
        json_out_member(&out, "account", draft->account);
    draft->account_json = keep(arena, &text);
    draft->grant_json = draft->grant_private_json = SPAN("");
    if (draft->ask.granted)
        api_grant_write(arena, body, draft);
}
