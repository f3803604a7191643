/* Loading a pack: identity, roles, purposes, permissions and reasons. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/limits.h"
#include "policy/pack_private.h"

void pack_read_each(struct reader *r, const json_t *array, const char *name,
                    struct policy_pack *pack, pack_read_element *read) {
    size_t outer = reader_enter(r, name);
    for (size_t i = 0; i < json_array_size(array) && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read(r, json_array_get(array, i), pack, (uint32_t)i);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

uint64_t pack_read_bits(struct reader *r, const json_t *object, const struct policy_pack *pack,
                        const struct pack_codes *codes) {
    uint32_t count;
    uint64_t bits = 0;
    struct reader_bounds bounds = {codes->required, codes->required, LIMIT_SET};
    const struct span *list = reader_codes(r, object, codes->name, bounds, &count);
    size_t outer = reader_enter(r, codes->name);
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        int found = codes->find(pack, list[i]);
        if (found < 0)
            reader_fail(r, "is no %s of this pack", codes->missing);
        else
            bits |= UINT64_C(1) << found;
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    return r->failed ? 0 : bits;
}

/* ---- roles */

/* A URL that two roles have would give its bearer both. */
static void check_urls(struct reader *r, const struct policy_pack *pack,
                       const struct policy_role *role) {
    size_t outer = reader_enter(r, "urls");
    for (uint32_t u = 0; u < role->url_count; u++) {
        size_t mark = reader_enter_index(r, u);
        for (uint32_t i = 0; i < pack->role_count; i++)
            for (uint32_t j = 0; j < pack->roles[i].url_count; j++)
                if (span_equal(pack->roles[i].urls[j], role->urls[u]))
                    reader_fail(r, "stands in another role too");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

static void read_role(struct reader *r, const json_t *value, struct policy_pack *pack, uint32_t i) {
    static const char *const known[] = {"code", "urls", NULL};
    struct policy_role role = {.urls = NULL};
    if (!reader_object(r, value, known))
        return;
    role.code = reader_code(r, value, "code");
    role.urls =
        reader_urls(r, value, "urls", READER_REQUIRED(1, PACK_ROLE_URLS_MAX), &role.url_count);
    if (!r->failed && pack_role_find(pack, role.code) >= 0)
        reader_fail_member(r, "code", "is the code of another role");
    if (!r->failed)
        check_urls(r, pack, &role);
    pack->roles[i] = role;
    pack->role_count = i + 1;
}

/* ---- purposes and permissions */

static void read_limits(struct reader *r, const json_t *purpose, struct policy_limits *out) {
    static const char *const known[] = {"lookBack", "granularity", "every", "oncePer", NULL};
    const json_t *limits = json_object_get(purpose, "limits");
    if (limits == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "limits");
    if (reader_object(r, limits, known)) {
        out->has_look_back = reader_duration(r, limits, "lookBack", false, &out->look_back);
        out->has_granularity = reader_duration(r, limits, "granularity", false, &out->granularity);
        out->has_every = reader_duration(r, limits, "every", false, &out->every);
        if (json_object_get(limits, "oncePer") != NULL)
            out->once_per = reader_code(r, limits, "oncePer");
    }
    reader_leave(r, mark);
}

static void read_purpose(struct reader *r, const json_t *value, struct policy_pack *pack,
                         uint32_t i) {
    static const char *const known[] = {"code", "title", "text", "roles", "limits", NULL};
    static const struct pack_codes roles = {"roles", pack_role_find, "role", true};
    if (!reader_object(r, value, known))
        return;
    struct policy_purpose purpose = {
        .code = reader_code(r, value, "code"),
        .title = reader_string(r, value, "title", READER_REQUIRED(1, PACK_TITLE_MAX)),
        .text = reader_string(r, value, "text", READER_OPTIONAL(1, PACK_TEXT_MAX)),
        .roles = pack_read_bits(r, value, pack, &roles),
    };
    read_limits(r, value, &purpose.limits);
    if (!r->failed && policy_pack_purpose_find(pack, purpose.code) >= 0)
        reader_fail_member(r, "code", "is the code of another purpose");
    pack->purposes[i] = purpose;
    pack->purpose_count = i + 1;
}

static void read_permission(struct reader *r, const json_t *value, struct policy_pack *pack,
                            uint32_t i) {
    static const char *const known[] = {"code",        "title",       "text",
                                        "granularity", "denied",      "sensitivity",
                                        "onlyWith",    "wholeMonths", NULL};
    if (!reader_object(r, value, known))
        return;
    struct policy_permission permission = {
        .code = reader_code(r, value, "code"),
        .title = reader_string(r, value, "title", READER_REQUIRED(1, PACK_TITLE_MAX)),
        .text = reader_string(r, value, "text", READER_OPTIONAL(1, PACK_TEXT_MAX)),
        .sensitivity = reader_string(r, value, "sensitivity", READER_OPTIONAL(1, READER_CODE_MAX)),
        .denied = reader_bool(r, value, "denied", false),
        .whole_months = reader_bool(r, value, "wholeMonths", false),
        .finest_text = reader_string(r, value, "granularity", READER_OPTIONAL(1, READER_CODE_MAX)),
    };
    permission.has_granularity =
        reader_duration(r, value, "granularity", false, &permission.finest);
    if (!r->failed && policy_pack_permission_find(pack, permission.code) >= 0)
        reader_fail_member(r, "code", "is the code of another permission");
    pack->permissions[i] = permission;
    pack->permission_count = i + 1;
}

/* onlyWith names permissions that may stand further down, so it is read in a second turn. */
static void read_only_with(struct reader *r, const json_t *value, struct policy_pack *pack,
                           uint32_t i) {
    static const struct pack_codes codes = {"onlyWith", policy_pack_permission_find, "permission",
                                            true};
    if (json_object_get(value, "onlyWith") == NULL)
        return;
    uint64_t others = pack_read_bits(r, value, pack, &codes);
    if (!r->failed && (others >> i & 1U) != 0)
        reader_fail_member(r, "onlyWith", "names the permission itself");
    pack->permissions[i].only_with = others;
}

/* ---- reasons */

static void read_reason(struct reader *r, const json_t *value, struct policy_pack *pack,
                        uint32_t i) {
    static const char *const known[] = {"code", "state", NULL};
    enum consent_state state = CONSENT_TERMINATED, other;
    bool by_caller;
    if (!reader_object(r, value, known))
        return;
    struct span code = reader_code(r, value, "code");
    struct span name = reader_string(r, value, "state", READER_REQUIRED(1, 32));
    if (!r->failed &&
        (lifecycle_state_parse(name, &state) != STATUS_OK ||
         (state != CONSENT_REFUSED && state != CONSENT_REVOKED && state != CONSENT_TERMINATED)))
        reader_fail_member(r, "state", "must be refused, revoked or terminated");
    if (!r->failed && policy_pack_reason(pack, code, &other, &by_caller))
        reader_fail_member(r, "code", "is the code of another reason");
    pack->reasons[i] = (struct pack_reason){code, state};
    pack->reason_count = i + 1;
}

/* ---- the whole */

static void read_parts(struct reader *r, const json_t *root, struct policy_pack *pack) {
    const json_t *roles = reader_array(r, root, "roles", READER_REQUIRED(0, PACK_ROLES_MAX));
    const json_t *purposes = reader_array(r, root, "purposes", READER_REQUIRED(0, LIMIT_SET));
    const json_t *permissions = reader_array(r, root, "permissions", READER_REQUIRED(0, LIMIT_SET));
    const json_t *reasons = reader_array(r, root, "reasons", READER_OPTIONAL(0, PACK_REASONS_MAX));
    if (r->failed)
        return;
    pack->roles = arena_array(r->arena, json_array_size(roles), sizeof *pack->roles);
    pack->purposes = arena_array(r->arena, json_array_size(purposes), sizeof *pack->purposes);
    pack->permissions =
        arena_array(r->arena, json_array_size(permissions), sizeof *pack->permissions);
    pack->reasons = arena_array(r->arena, json_array_size(reasons), sizeof *pack->reasons);
    pack_read_each(r, roles, "roles", pack, read_role);
    pack_read_each(r, purposes, "purposes", pack, read_purpose);
    pack_read_each(r, permissions, "permissions", pack, read_permission);
    pack_read_each(r, permissions, "permissions", pack, read_only_with);
    pack_read_licenses(r, root, pack);
    pack_read_settings(r, root, pack);
    pack_read_each(r, reasons, "reasons", pack, read_reason);
    pack_read_rules(r, root, pack);
    pack_read_resource_types(r, root, pack);
    pack_read_directory(r, root, pack);
}

static void read_root(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const char *const known[] = {
        "pack",     "version",  "scheme",  "territory", "roles",         "purposes",  "permissions",
        "licenses", "settings", "reasons", "rules",     "resourceTypes", "directory", NULL};
    if (!reader_object(r, root, known))
        return;
    pack->name = reader_code(r, root, "pack");
    pack->version = reader_code(r, root, "version");
    pack->scheme = reader_url(r, root, "scheme", true);
    pack->territory = reader_codes(r, root, "territory", READER_OPTIONAL(1, PACK_TERRITORY_MAX),
                                   &pack->territory_count);
    read_parts(r, root, pack);
}

static json_t *parse(struct span json, struct policy_error *error) {
    json_error_t why;
    *error = (struct policy_error){.pointer = ""};
    if (json.size == 0 || json.size > LIMIT_PACK) {
        snprintf(error->detail, sizeof error->detail, "must have 1 to %d bytes", LIMIT_PACK);
        return NULL;
    }
    json_t *root = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, &why);
    if (root != NULL)
        return root;
    snprintf(error->detail, sizeof error->detail, "is not JSON: line %d, column %d: %s", why.line,
             why.column, why.text);
    /* jansson 2.14 quotes what stands there, cut through characters, with line breaks: see the
     * corpus file `cut_character` */
    for (char *c = error->detail; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return NULL;
}

enum status policy_pack_load(struct span json, struct policy_pack **out,
                             struct policy_error *error) {
    struct arena arena = {0};
    json_t *root = parse(json, error);
    if (root == NULL)
        return STATUS_INVALID_BODY;
    struct policy_pack *pack = arena_array(&arena, 1, sizeof *pack);
    struct reader r = {.arena = &arena, .error = error};
    pack->bytes = arena_copy(&arena, json);
    pack->digest = digest_sha256(json);
    read_root(&r, root, pack);
    json_decref(root);
    if (r.failed) {
        arena_release(&arena);
        return STATUS_INVALID_BODY;
    }
    pack->arena = arena;
    *out = pack;
    return STATUS_OK;
}
