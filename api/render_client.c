/* The client's view of a consent: a whitelist, so that a member added to the terms one day stays
 * hidden until somebody decides otherwise. By spec no `by`, `ip`, `userAgent`, `proofs` or digest
 * passes, nor the tenant's own `externalId`, the pushed `request` or the digests of external
 * tokens; the account is a pairwise id.
 *
 * Runs on a loop inside a store_read; parses with jansson, the fast path is render.c's. */
// SPDX-License-Identifier: Apache-2.0
#include "api/render_client.h"

#include <jansson.h>

#include "api/json_value.h"
#include "api/recipient.h"
#include "base/encode.h"
#include "base/log.h"

static const char *const TERMS_MEMBERS[] = {
    "oauthIssuer", "clientMember", "clientRoles",       "onwardRecipients", "purposes", "dataFrom",
    "dataTo",      "dataLife",     "dataAvailableFrom", "maxUses",          "expires",  NULL};
static const char *const GRANT_MEMBERS[] = {"at", "method", "appVersion", NULL};
static const char *const NOTICE_MEMBERS[] = {"url", "language", "substitutions", "shownAt", NULL};
static const char *const PERMISSION_MEMBERS[] = {"code", "resources", "maxGranularity", NULL};
static const char *const PRINCIPAL_MEMBERS[] = {"type", NULL};
static const char *const EXTERNAL_MEMBERS[] = {"oauthIssuer", "expires", NULL};
static const char *const POLICY_MEMBERS[] = {"pack", "version", NULL};

static void write_listed(struct json_out *out, const json_t *object, const char *const *names) {
    for (; *names != NULL; names++) {
        const json_t *value = json_object_get(object, *names);
        if (value != NULL) {
            json_out_key(out, *names);
            api_json_value_write(value, out);
        }
    }
}

/* A member that is an object, reduced to the listed members of its own; nothing when absent. */
static void write_reduced(struct json_out *out, const char *name, const json_t *object,
                          const char *const *names) {
    if (!json_is_object(object)) {
        return;
    }
    json_out_key(out, name);
    json_out_object_begin(out);
    write_listed(out, object, names);
    json_out_object_end(out);
}

static void write_permissions(struct json_out *out, const json_t *permissions) {
    size_t i;
    const json_t *permission;
    if (!json_is_array(permissions)) {
        return;
    }
    json_out_key(out, "permissions");
    json_out_array_begin(out);
    json_array_foreach(permissions, i, permission) {
        json_out_object_begin(out);
        write_listed(out, permission, PERMISSION_MEMBERS);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_dependency(struct json_out *out, const json_t *member) {
    const json_t *arrangement = json_object_get(member, "arrangementId");
    json_out_object_begin(out);
    if (json_is_string(arrangement)) {
        json_out_key(out, "arrangementId");
        api_json_value_write(arrangement, out);
    }
    write_reduced(out, "external", json_object_get(member, "external"), EXTERNAL_MEMBERS);
    json_out_object_end(out);
}

static void write_dependencies(struct json_out *out, const json_t *groups) {
    size_t i, k;
    const json_t *group, *member;
    if (!json_is_array(groups)) {
        return;
    }
    json_out_key(out, "dependsOn");
    json_out_array_begin(out);
    json_array_foreach(groups, i, group) {
        json_out_array_begin(out);
        json_array_foreach(group, k, member) {
            write_dependency(out, member);
        }
        json_out_array_end(out);
    }
    json_out_array_end(out);
}

static void write_grant(struct json_out *out, struct span members) {
    if (members.size == 0) {
        return;
    }
    json_t *grant = api_json_value_members(members);
    json_out_key(out, "grant");
    json_out_object_begin(out);
    write_listed(out, grant, GRANT_MEMBERS);
    write_reduced(out, "notice", json_object_get(grant, "notice"), NOTICE_MEMBERS);
    json_out_object_end(out);
    json_decref(grant);
}

struct span api_render_client_provider_account(const struct store_terms *terms,
                                               struct arena *arena) {
    if (terms->account.size == 0) {
        return SPAN_NONE;
    }
    json_t *object = api_json_value_members(terms->account);
    const json_t *account = json_object_get(object, "account");
    struct span text =
        arena_copy(arena, span_of(json_string_value(account), json_string_length(account)));
    json_decref(object);
    return text;
}

bool api_render_client_account(const struct api_client_view *view,
                               char out[API_PAIRWISE_SIZE + 1]) {
    if (view->terms->account.size == 0) {
        return false;
    }
    json_t *object = api_json_value_members(view->terms->account);
    const json_t *account = json_object_get(object, "account");
    ASSERT(json_is_string(account));
    struct span text = span_of(json_string_value(account), json_string_length(account));
    struct span parts[] = {SPAN("pairwise"), view->tenant, view->provider, text, view->client};
    struct mac16 mac = store_mac16(view->store, parts, sizeof parts / sizeof parts[0]);
    json_decref(object);
    size_t written = encode_base64url(mac.bytes, sizeof mac.bytes, out);
    ASSERT(written == API_PAIRWISE_SIZE);
    out[written] = '\0';
    return true;
}

void api_render_client_terms(const struct api_client_view *view, struct json_out *out) {
    char pairwise[API_PAIRWISE_SIZE + 1];
    json_t *terms = api_json_value_members(view->terms->terms);
    if (view->pack != NULL) {
        api_recipient_reduce(view->pack, view->license, view->client, terms);
    }
    write_listed(out, terms, TERMS_MEMBERS);
    write_reduced(out, "principal", json_object_get(terms, "principal"), PRINCIPAL_MEMBERS);
    write_permissions(out, json_object_get(terms, "permissions"));
    write_dependencies(out, json_object_get(terms, "dependsOn"));
    write_reduced(out, "policy", json_object_get(terms, "policy"), POLICY_MEMBERS);
    json_decref(terms);
    if (api_render_client_account(view, pairwise)) {
        json_out_member(out, "account", span_of(pairwise, API_PAIRWISE_SIZE));
    }
    write_grant(out, view->terms->grant);
}
