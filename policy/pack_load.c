/* Loading a pack: identity, roles, purposes, permissions, settings and reasons. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "policy/pack_private.h"

#define REQUEST_TIMEOUT_DEFAULT_S INT64_C(2592000) /* 30 days */
#define LEEWAY_DEFAULT_S 60

/* Calls read(r, element, pack, i) for each element of a member, with the path set. */
typedef void read_element(struct reader *r, const json_t *value, struct policy_pack *pack,
                          uint32_t i);

static void read_each(struct reader *r, const json_t *array, const char *name,
                      struct policy_pack *pack, read_element *read) {
    size_t outer = reader_enter(r, name);
    for (size_t i = 0; i < json_array_size(array) && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read(r, json_array_get(array, i), pack, (uint32_t)i);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

/* Size of a member that must be an array of 1 to max elements. */
static uint32_t size_of(struct reader *r, const json_t *root, const char *name, bool required,
                        uint32_t max) {
    const json_t *array = reader_array(r, root, name, required);
    size_t size = json_array_size(array);
    if (size > max || (required && size == 0 && !r->failed)) {
        size_t mark = reader_enter(r, name);
        reader_fail(r, "must have %s %u elements", size > max ? "at most" : "1 to", max);
        reader_leave(r, mark);
    }
    return r->failed ? 0 : (uint32_t)size;
}

static void read_role(struct reader *r, const json_t *value, struct policy_pack *pack, uint32_t i) {
    static const char *const known[] = {"code", "urls", NULL};
    struct policy_role role = {.urls = NULL};
    if (!reader_object(r, value, known))
        return;
    role.code = reader_code(r, value, "code");
    role.urls = reader_strings(r, value, "urls", 16, &role.url_count);
    if (!r->failed && role.url_count == 0)
        reader_fail(r, "needs at least one URL in \"urls\"");
    if (pack_role_find(pack, role.code) >= 0)
        reader_fail(r, "has a code that another role has");
    pack->roles[i] = role;
    pack->role_count = i + 1;
}

/* The codes of a list as bits of what `find` knows. */
static uint64_t role_bits(struct reader *r, const json_t *object, const struct policy_pack *pack) {
    uint32_t count;
    uint64_t bits = 0;
    const struct span *codes = reader_strings(r, object, "roles", PACK_ROLES_MAX, &count);
    size_t outer = reader_enter(r, "roles");
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        int role = pack_role_find(pack, codes[i]);
        if (role < 0)
            reader_fail(r, "is no role of this pack");
        else
            bits |= 1ULL << role;
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    return bits;
}

static void read_purpose(struct reader *r, const json_t *value, struct policy_pack *pack,
                         uint32_t i) {
    static const char *const known[] = {"code", "title", "text", "roles", "limits", NULL};
    uint32_t limits;
    if (!reader_object(r, value, known))
        return;
    struct policy_purpose purpose = {
        .code = reader_code(r, value, "code"),
        .title = reader_string(r, value, "title", true, 256),
        .text = reader_string(r, value, "text", false, PACK_TEXT_MAX),
    };
    (void)reader_strings(r, value, "limits", 16, &limits);
    purpose.roles = role_bits(r, value, pack);
    if (policy_pack_purpose_find(pack, purpose.code) >= 0)
        reader_fail(r, "has a code that another purpose has");
    pack->purposes[i] = purpose;
    pack->purpose_count = i + 1;
}

static void read_permission(struct reader *r, const json_t *value, struct policy_pack *pack,
                            uint32_t i) {
    static const char *const known[] = {"code",        "title",  "text", "granularity",
                                        "sensitivity", "denied", NULL};
    if (!reader_object(r, value, known))
        return;
    struct policy_permission permission = {
        .code = reader_code(r, value, "code"),
        .title = reader_string(r, value, "title", true, 256),
        .denied = reader_bool(r, value, "denied", false),
    };
    permission.has_granularity = reader_duration(r, value, "granularity", &permission.finest);
    (void)reader_string(r, value, "text", false, PACK_TEXT_MAX);
    (void)reader_string(r, value, "sensitivity", false, 64);
    if (policy_pack_permission_find(pack, permission.code) >= 0)
        reader_fail(r, "has a code that another permission has");
    pack->permissions[i] = permission;
    pack->permission_count = i + 1;
}

static void read_reason(struct reader *r, const json_t *value, struct policy_pack *pack,
                        uint32_t i) {
    static const char *const known[] = {"code", "state", NULL};
    enum consent_state state = CONSENT_TERMINATED;
    bool by_caller;
    if (!reader_object(r, value, known))
        return;
    struct span code = reader_code(r, value, "code");
    struct span name = reader_string(r, value, "state", true, 32);
    bool known_state = lifecycle_state_parse(name, &state) == STATUS_OK;
    if (!r->failed && (!known_state || (state != CONSENT_REFUSED && state != CONSENT_REVOKED &&
                                        state != CONSENT_TERMINATED)))
        reader_fail(r, "must lead to refused, revoked or terminated");
    if (!r->failed && policy_pack_reason(pack, code, &state, &by_caller))
        reader_fail(r, "has a code that another reason has");
    pack->reasons[i] = (struct pack_reason){code, state};
    pack->reason_count = i + 1;
}

static void read_settings(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const char *const known[] = {"purposeMustBeStated", "record", "requestTimeout",
                                        "retention",           "leeway", NULL};
    static const char *const retention_known[] = {"keepAfterEnd", "eraseAfter", NULL};
    const json_t *settings = json_object_get(root, "settings");
    struct duration unused;
    pack->request_timeout = (struct duration){0, REQUEST_TIMEOUT_DEFAULT_S};
    pack->leeway = (struct duration){0, LEEWAY_DEFAULT_S};
    if (settings == NULL || r->failed)
        return;
    size_t outer = reader_enter(r, "settings");
    if (reader_object(r, settings, known)) {
        (void)reader_bool(r, settings, "purposeMustBeStated", false);
        struct span record = reader_string(r, settings, "record", false, 16);
        if (span_present(record) && !span_is(record, "none") && !span_is(record, "denials") &&
            !span_is(record, "all"))
            reader_fail(r, "\"record\" must be none, denials or all");
        (void)reader_duration(r, settings, "requestTimeout", &pack->request_timeout);
        (void)reader_duration(r, settings, "leeway", &pack->leeway);
        const json_t *retention = json_object_get(settings, "retention");
        size_t mark = reader_enter(r, "retention");
        if (retention != NULL && reader_object(r, retention, retention_known)) {
            (void)reader_duration(r, retention, "keepAfterEnd", &unused);
            (void)reader_duration(r, retention, "eraseAfter", &unused);
        }
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

static void read_parts(struct reader *r, const json_t *root, struct policy_pack *pack) {
    uint32_t roles = size_of(r, root, "roles", true, PACK_ROLES_MAX);
    uint32_t purposes = size_of(r, root, "purposes", true, LIMIT_SET);
    uint32_t permissions = size_of(r, root, "permissions", true, LIMIT_SET);
    uint32_t reasons = size_of(r, root, "reasons", false, 64);
    pack->roles = arena_array(r->arena, roles, sizeof *pack->roles);
    pack->purposes = arena_array(r->arena, purposes, sizeof *pack->purposes);
    pack->permissions = arena_array(r->arena, permissions, sizeof *pack->permissions);
    pack->reasons = arena_array(r->arena, reasons, sizeof *pack->reasons);
    read_each(r, json_object_get(root, "roles"), "roles", pack, read_role);
    read_each(r, json_object_get(root, "purposes"), "purposes", pack, read_purpose);
    read_each(r, json_object_get(root, "permissions"), "permissions", pack, read_permission);
    read_each(r, json_object_get(root, "reasons"), "reasons", pack, read_reason);
    pack_read_licenses(r, root, pack);
    read_settings(r, root, pack);
    pack_read_rules(r, root, pack);
}

static void read_root(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const char *const known[] = {
        "pack",     "version",  "scheme",  "territory", "roles",         "purposes", "permissions",
        "licenses", "settings", "reasons", "rules",     "resourceTypes", NULL};
    uint32_t count;
    if (!reader_object(r, root, known))
        return;
    pack->name = reader_code(r, root, "pack");
    pack->version = reader_code(r, root, "version");
    pack->scheme = reader_string(r, root, "scheme", true, LIMIT_URL);
    (void)reader_strings(r, root, "territory", 64, &count);
    read_parts(r, root, pack);
}

enum status policy_pack_load(struct span json, struct policy_pack **out,
                             struct policy_error *error) {
    json_error_t why;
    struct arena arena = {0};
    *error = (struct policy_error){.pointer = ""};
    if (json.size > LIMIT_PACK) {
        snprintf(error->detail, sizeof error->detail, "a pack has at most %d bytes", LIMIT_PACK);
        return STATUS_INVALID_BODY;
    }
    json_t *root = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        snprintf(error->detail, sizeof error->detail, "line %d: %s", why.line, why.text);
        return STATUS_INVALID_BODY;
    }
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
