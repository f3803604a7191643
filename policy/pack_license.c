/* Loading the licences of a pack, one by one; what links them is in pack_links.c. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "policy/pack_private.h"

static uint32_t read_role(struct reader *r, const json_t *object, const char *name,
                          const struct policy_pack *pack) {
    struct span code = reader_code(r, object, name);
    int role = pack_role_find(pack, code);
    if (!r->failed && role < 0)
        reader_fail_member(r, name, "is no role of this pack");
    return role < 0 ? 0 : (uint32_t)role;
}

/* ---- purposes, permissions, onward recipients */

/* Bit i of `bits` stands at a position of the list in JSON: the path of the error is there. */
static void fail_at_code(struct reader *r, const json_t *value, const char *name, struct span code,
                         const char *why) {
    const json_t *list = json_object_get(value, name);
    size_t outer = reader_enter(r, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!span_equal(span_of(json_string_value(item), json_string_length(item)), code))
            continue;
        size_t mark = reader_enter_index(r, i);
        reader_fail(r, "%s", why);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

static void read_sets(struct reader *r, const json_t *value, const struct policy_pack *pack,
                      struct policy_license *license) {
    static const struct pack_codes purposes = {"purposes", policy_pack_purpose_find, "purpose",
                                               true};
    static const struct pack_codes permissions = {"permissions", policy_pack_permission_find,
                                                  "permission", true};
    license->purposes = pack_read_bits(r, value, pack, &purposes);
    license->permissions = pack_read_bits(r, value, pack, &permissions);
    for (uint32_t i = 0; i < pack->permission_count; i++)
        if ((license->permissions >> i & 1U) != 0 && pack->permissions[i].denied)
            fail_at_code(r, value, "permissions", pack->permissions[i].code,
                         "is a permission that the pack denies");
}

static void read_onward(struct reader *r, const json_t *value, const struct policy_pack *pack,
                        struct policy_license *license) {
    static const char *const known[] = {"min", "max", "role", "permissions", NULL};
    static const struct pack_codes permissions = {"permissions", policy_pack_permission_find,
                                                  "permission", true};
    const json_t *onward = json_object_get(value, "onwardRecipients");
    if (onward == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "onwardRecipients");
    if (reader_object(r, onward, known)) {
        license->onward_max = reader_count(r, onward, "max", LIMIT_ONWARD, LIMIT_ONWARD);
        license->onward_min = reader_count(r, onward, "min", 0, license->onward_max);
        license->onward_role = read_role(r, onward, "role", pack);
        license->onward_permissions = pack_read_bits(r, onward, pack, &permissions);
        for (uint32_t i = 0; i < pack->permission_count; i++)
            if ((license->onward_permissions & ~license->permissions) >> i & 1U)
                fail_at_code(r, onward, "permissions", pack->permissions[i].code,
                             "is no permission of this licence");
        if (!r->failed && license->onward_max == 0)
            reader_fail_member(r, "max", "must allow one, or onwardRecipients be left out");
    }
    reader_leave(r, mark);
}

/* A purpose that nobody under the licence may act for would never be permitted. */
static void check_purposes(struct reader *r, const json_t *value, const struct policy_pack *pack,
                           const struct policy_license *license) {
    uint64_t roles = UINT64_C(1) << license->to_role;
    if (license->onward_max != 0)
        roles |= UINT64_C(1) << license->onward_role;
    for (uint32_t i = 0; i < pack->purpose_count && !r->failed; i++)
        if ((license->purposes >> i & 1U) != 0 && (pack->purposes[i].roles & roles) == 0)
            fail_at_code(r, value, "purposes", pack->purposes[i].code,
                         "is open neither to the client's role nor to that of onward recipients");
}

/* ---- limits and dates */

static void read_limits(struct reader *r, const json_t *value, struct policy_license *license) {
    license->has_term = reader_duration(r, value, "term", false, &license->term);
    license->has_look_back = reader_duration(r, value, "lookBack", true, &license->look_back);
    if (license->look_back.seconds != 0)
        reader_fail_member(r, "lookBack", "must be in months or years");
    license->whole_months = reader_bool(r, value, "wholeMonths", false);
    license->depends_on = reader_urls(
        r, value, "dependsOn", READER_OPTIONAL(0, PACK_DEPENDS_ON_MAX), &license->depends_on_count);
}

static void read_dates(struct reader *r, const json_t *value, struct policy_license *license) {
    license->available_from = reader_time(r, value, "availableFrom", INT64_MIN);
    license->deprecated_after = reader_time_after(r, value, "deprecatedAfter", INT64_MAX);
    license->prohibited_after = reader_time_after(r, value, "prohibitedAfter", INT64_MAX);
    license->replaced_by = reader_url(r, value, "replacedBy", false);
    if (license->deprecated_after < license->available_from)
        reader_fail_member(r, "deprecatedAfter", "lies before availableFrom");
    if (license->prohibited_after < license->available_from)
        reader_fail_member(r, "prohibitedAfter", "lies before availableFrom");
    if (license->deprecated_after != INT64_MAX &&
        license->prohibited_after < license->deprecated_after)
        reader_fail_member(r, "prohibitedAfter", "lies before deprecatedAfter");
}

static void read_provenance(struct reader *r, const json_t *value, struct policy_license *license) {
    static const char *const known[] = {"licenses", "processes", NULL};
    const json_t *provenance = json_object_get(value, "provenance");
    if (provenance == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "provenance");
    if (reader_object(r, provenance, known)) {
        license->step_licenses =
            reader_urls(r, provenance, "licenses", READER_OPTIONAL(0, PACK_STEP_URLS_MAX),
                        &license->step_license_count);
        license->step_processes =
            reader_urls(r, provenance, "processes", READER_OPTIONAL(0, PACK_STEP_URLS_MAX),
                        &license->step_process_count);
    }
    reader_leave(r, mark);
}

static void read_license(struct reader *r, const json_t *value, struct policy_pack *pack,
                         uint32_t i) {
    static const char *const known[] = {"url",
                                        "title",
                                        "from",
                                        "to",
                                        "purposes",
                                        "permissions",
                                        "term",
                                        "lookBack",
                                        "wholeMonths",
                                        "dependsOn",
                                        "availableFrom",
                                        "deprecatedAfter",
                                        "prohibitedAfter",
                                        "replacedBy",
                                        "onwardRecipients",
                                        "provenance",
                                        "textDigest",
                                        "texts",
                                        NULL};
    struct policy_license *license = &pack->licenses[i];
    if (!reader_object(r, value, known))
        return;
    license->url = reader_url(r, value, "url", true);
    license->title = reader_string(r, value, "title", READER_REQUIRED(1, PACK_TITLE_MAX));
    license->from_role = read_role(r, value, "from", pack);
    license->to_role = read_role(r, value, "to", pack);
    read_sets(r, value, pack, license);
    read_onward(r, value, pack, license);
    check_purposes(r, value, pack, license);
    read_limits(r, value, license);
    read_dates(r, value, license);
    read_provenance(r, value, license);
    pack_read_texts(r, value, license);
    if (!r->failed && policy_pack_license_find(pack, license->url) != NULL)
        reader_fail_member(r, "url", "is the URL of another licence");
    pack->license_count = i + 1;
}

void pack_read_licenses(struct reader *r, const json_t *root, struct policy_pack *pack) {
    const json_t *array = reader_array(r, root, "licenses", READER_REQUIRED(0, LIMIT_LICENSES));
    pack->licenses = arena_array(r->arena, json_array_size(array), sizeof *pack->licenses);
    pack_read_each(r, array, "licenses", pack, read_license);
    size_t mark = reader_enter(r, "licenses");
    if (!r->failed)
        pack_check_links(r, pack);
    reader_leave(r, mark);
}
