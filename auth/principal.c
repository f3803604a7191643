/* From checked claims to a principal: who calls, for which member, with which scopes, roles and
 * tenants. Names that end in keys of the store are bounded and printable here, once.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/claims.h"

#include "auth/name.h"
#include "auth/refuse.h"

static struct span text_of(const json_t *value) {
    return span_of(json_string_value(value), json_string_length(value));
}

/* Ory Hydra puts what its operator adds under ext. */
static const json_t *find(const json_t *payload, const char *name) {
    const json_t *claim = json_object_get(payload, name);
    return claim != NULL ? claim : json_object_get(json_object_get(payload, "ext"), name);
}

static bool is_name(const json_t *value) {
    return json_is_string(value) && auth_name_valid(text_of(value));
}

static const json_t *client_claim(const json_t *payload, struct span configured) {
    static const char *const usual[] = {"client_id", "azp"};
    if (span_present(configured)) {
        return find(payload, configured.data);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        const json_t *claim = json_object_get(payload, usual[i]);
        if (claim != NULL) {
            return claim;
        }
    }
    return json_object_get(json_object_get(payload, "ext"), "client_id");
}

static enum status read_who(const json_t *payload, const struct auth_keys_issuer *issuer,
                            struct auth_principal *out, const char **why) {
    const json_t *client = client_claim(payload, issuer->client_claim);
    if (!is_name(client)) {
        return auth_refuse(why, "The token names no client, or one that is not 1 to 256 printable "
                                "characters.");
    }
    out->client_id = text_of(client);
    const json_t *member =
        find(payload, span_present(issuer->member_claim) ? issuer->member_claim.data : "member");
    if (member != NULL && !is_name(member)) {
        return auth_refuse(why, "The token's member is not 1 to 256 printable characters.");
    }
    out->member = member != NULL ? text_of(member) : SPAN_NONE;
    out->tenant = member != NULL ? out->member : out->client_id;
    return STATUS_OK;
}

/* Names separated by spaces (RFC 6749 section 3.3); those that are not ours mean nothing here. */
static unsigned parse_scopes(struct span text) {
    unsigned scopes = 0;
    size_t start = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i == text.size || text.data[i] == ' ') {
            scopes |= auth_scope_parse(span_of(text.data + start, i - start));
            start = i + 1;
        }
    }
    return scopes;
}

static enum status read_scopes(const json_t *payload, struct auth_principal *out,
                               const char **why) {
    const json_t *scope = json_object_get(payload, "scope");
    const json_t *list = json_object_get(payload, "scp");
    const json_t *element;
    size_t i;
    if (scope != NULL) {
        out->scopes = json_is_string(scope) ? parse_scopes(text_of(scope)) : 0;
        return json_is_string(scope) ? STATUS_OK
                                     : auth_refuse(why, "The token's scope is not a string.");
    }
    if (list != NULL && !json_is_array(list)) {
        return auth_refuse(why, "The token's scp is not an array of strings.");
    }
    json_array_foreach(list, i, element) {
        if (!json_is_string(element)) {
            return auth_refuse(why, "The token's scp is not an array of strings.");
        }
        out->scopes |= auth_scope_parse(text_of(element));
    }
    return STATUS_OK;
}

/* A claim of names, or a single name; false when it is anything else or has more than max. */
static bool read_names(const json_t *claim, struct span *names, uint32_t max, uint32_t *out_count) {
    const json_t *element;
    size_t i;
    uint32_t count = 0;
    if (is_name(claim)) {
        names[0] = text_of(claim);
        *out_count = 1;
        return true;
    }
    if (!json_is_array(claim) || json_array_size(claim) > max) {
        return false;
    }
    json_array_foreach(claim, i, element) {
        if (!is_name(element)) {
            return false;
        }
        names[count++] = text_of(element);
    }
    *out_count = count;
    return true;
}

static enum status read_lists(const json_t *payload, const struct auth_keys_issuer *issuer,
                              struct auth_principal_room *room, struct auth_principal *out,
                              const char **why) {
    out->roles_known = span_present(issuer->roles_claim);
    const json_t *roles = out->roles_known ? find(payload, issuer->roles_claim.data) : NULL;
    if (roles != NULL && !read_names(roles, room->roles, LIMIT_ROLES, &out->role_count)) {
        return auth_refuse(why, "The token's roles are not an array of at most 16 names.");
    }
    const json_t *providers = find(payload, "providers");
    if (providers != NULL &&
        !read_names(providers, room->providers, LIMIT_PROVIDERS, &out->provider_count)) {
        return auth_refuse(why, "The token's providers are not an array of at most 256 names.");
    }
    for (uint32_t i = 0; i < out->provider_count; i++) {
        out->all_providers = out->all_providers || span_is(room->providers[i], "*");
    }
    out->roles = room->roles;
    out->providers = room->providers;
    return STATUS_OK;
}

/* RFC 9396: at most one consent, because one request is about one consent. */
static enum status read_consent_id(const json_t *payload, struct auth_principal *out,
                                   const char **why) {
    const json_t *details = json_object_get(payload, "authorization_details");
    const json_t *detail;
    size_t i;
    if (details != NULL && !json_is_array(details)) {
        return auth_refuse(why, "The token's authorization_details are not an array.");
    }
    json_array_foreach(details, i, detail) {
        struct uuid id;
        const json_t *type = json_object_get(detail, "type");
        const json_t *text = json_object_get(detail, "consent_id");
        if (!json_is_string(type) || !span_is(text_of(type), "consent") || text == NULL) {
            continue;
        }
        if (!json_is_string(text) || uuid_from_text(text_of(text), &id) != STATUS_OK) {
            return auth_refuse(why, "The token's consent_id is not a UUID.");
        }
        if (out->has_consent_id && !uuid_equal(&id, &out->consent_id)) {
            return auth_refuse(why, "The token's authorization_details name two consents.");
        }
        out->has_consent_id = true;
        out->consent_id = id;
    }
    return STATUS_OK;
}

enum status auth_principal_read(const json_t *payload, const struct auth_keys_issuer *issuer,
                                struct auth_principal_room *room, struct auth_principal *out,
                                const char **why) {
    struct auth_principal principal = {0};
    enum status status = read_who(payload, issuer, &principal, why);
    if (status == STATUS_OK) {
        status = read_scopes(payload, &principal, why);
    }
    if (status == STATUS_OK) {
        status = read_lists(payload, issuer, room, &principal, why);
    }
    if (status == STATUS_OK) {
        status = read_consent_id(payload, &principal, why);
    }
    if (status == STATUS_OK) {
        *out = principal;
    }
    return status;
}
