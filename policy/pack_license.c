/* Loading the licences of a pack, and the references between them. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "base/limits.h"
#include "policy/pack_private.h"

typedef int find_code(const struct policy_pack *pack, struct span code);

static uint64_t read_bits(struct reader *r, const json_t *object, const char *name,
                          const struct policy_pack *pack, find_code *find) {
    uint32_t count;
    uint64_t bits = 0;
    const struct span *codes = reader_strings(r, object, name, LIMIT_SET, &count);
    size_t outer = reader_enter(r, name);
    if (!r->failed && count == 0)
        reader_fail(r, "must name at least one");
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        int found = find(pack, codes[i]);
        if (found < 0)
            reader_fail(r, "is not defined in this pack");
        else
            bits |= 1ULL << found;
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    return bits;
}

static uint32_t read_role(struct reader *r, const json_t *object, const char *name,
                          const struct policy_pack *pack) {
    struct span code = reader_code(r, object, name);
    int role = pack_role_find(pack, code);
    if (!r->failed && role < 0) {
        size_t mark = reader_enter(r, name);
        reader_fail(r, "is no role of this pack");
        reader_leave(r, mark);
    }
    return role < 0 ? 0 : (uint32_t)role;
}

static void refuse_denied(struct reader *r, const struct policy_pack *pack, uint64_t permissions) {
    for (uint32_t i = 0; i < pack->permission_count; i++)
        if ((permissions >> i & 1U) != 0 && pack->permissions[i].denied)
            reader_fail(r, "opens the permission \"%.*s\", which the pack denies",
                        SPAN_ARG(pack->permissions[i].code));
}

static void read_onward(struct reader *r, const json_t *value, struct policy_license *license) {
    static const char *const known[] = {"min", "max", NULL};
    const json_t *onward = json_object_get(value, "onwardRecipients");
    if (onward == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "onwardRecipients");
    if (reader_object(r, onward, known)) {
        license->onward_min = reader_count(r, onward, "min", 0, LIMIT_ONWARD);
        license->onward_max = reader_count(r, onward, "max", LIMIT_ONWARD, LIMIT_ONWARD);
        if (license->onward_min > license->onward_max)
            reader_fail(r, "has a min above its max");
    }
    reader_leave(r, mark);
}

static void read_texts(struct reader *r, const json_t *value, struct policy_license *license) {
    static const char *const known[] = {"language", "text", NULL};
    const json_t *array = reader_array(r, value, "texts", false);
    size_t size = json_array_size(array);
    struct policy_text *texts = arena_array(r->arena, size, sizeof *texts);
    size_t outer = reader_enter(r, "texts");
    for (size_t i = 0; i < size && !r->failed; i++) {
        const json_t *item = json_array_get(array, i);
        size_t mark = reader_enter_index(r, i);
        if (reader_object(r, item, known)) {
            texts[i].language = reader_code(r, item, "language");
            texts[i].text = reader_string(r, item, "text", true, PACK_TEXT_MAX);
        }
        for (size_t j = 0; j < i && !r->failed; j++)
            if (span_equal(texts[i].language, texts[j].language))
                reader_fail(r, "has a language that another text has");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    license->texts = texts;
    license->text_count = (uint32_t)size;
}

static void read_text_digest(struct reader *r, const json_t *value,
                             struct policy_license *license) {
    struct span text = reader_string(r, value, "textDigest", false, 64);
    if (!span_present(text))
        return;
    license->has_text_digest = true;
    if (decode_hex(text, license->text_digest.bytes, DIGEST_SIZE) != STATUS_OK)
        reader_fail(r, "\"textDigest\" must be 64 hex digits");
}

static void read_dates(struct reader *r, const json_t *value, struct policy_license *license) {
    license->available_from = reader_time(r, value, "availableFrom", INT64_MIN);
    license->deprecated_after = reader_time(r, value, "deprecatedAfter", INT64_MAX);
    license->prohibited_after = reader_time(r, value, "prohibitedAfter", INT64_MAX);
    if (license->deprecated_after < license->available_from ||
        license->prohibited_after < license->deprecated_after)
        reader_fail(r, "must be available before it is deprecated, and that before prohibited");
}

static void read_license(struct reader *r, const json_t *value, struct policy_pack *pack) {
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
                                        "textDigest",
                                        "texts",
                                        NULL};
    struct policy_license *license = &pack->licenses[pack->license_count];
    if (!reader_object(r, value, known))
        return;
    license->url = reader_string(r, value, "url", true, LIMIT_URL);
    license->title = reader_string(r, value, "title", true, 256);
    license->from_role = read_role(r, value, "from", pack);
    license->to_role = read_role(r, value, "to", pack);
    license->purposes = read_bits(r, value, "purposes", pack, policy_pack_purpose_find);
    license->permissions = read_bits(r, value, "permissions", pack, policy_pack_permission_find);
    refuse_denied(r, pack, license->permissions);
    license->has_term = reader_duration(r, value, "term", &license->term);
    license->has_look_back = reader_duration(r, value, "lookBack", &license->look_back);
    license->whole_months = reader_bool(r, value, "wholeMonths", false);
    license->depends_on =
        reader_strings(r, value, "dependsOn", PACK_LICENSES_MAX, &license->depends_on_count);
    license->replaced_by = reader_string(r, value, "replacedBy", false, LIMIT_URL);
    read_onward(r, value, license);
    read_dates(r, value, license);
    read_text_digest(r, value, license);
    read_texts(r, value, license);
    if (!r->failed && policy_pack_license_find(pack, license->url) != NULL)
        reader_fail(r, "has a URL that another licence has");
    pack->license_count++;
}

static int license_index(const struct policy_pack *pack, struct span url) {
    const struct policy_license *found = policy_pack_license_find(pack, url);
    return found != NULL ? (int)(found - pack->licenses) : -1;
}

static void check_references(struct reader *r, const struct policy_pack *pack, uint32_t at) {
    const struct policy_license *license = &pack->licenses[at];
    if (span_present(license->replaced_by) && license_index(pack, license->replaced_by) < 0) {
        size_t mark = reader_enter(r, "replacedBy");
        reader_fail(r, "is no licence of this pack");
        reader_leave(r, mark);
    }
    size_t outer = reader_enter(r, "dependsOn");
    for (uint32_t i = 0; i < license->depends_on_count; i++) {
        size_t mark = reader_enter_index(r, i);
        if (license_index(pack, license->depends_on[i]) < 0)
            reader_fail(r, "is no licence of this pack");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

/* Takes away, again and again, the licences all of whose dependencies are gone; what is left stands
 * in a circle. */
static void check_circles(struct reader *r, const struct policy_pack *pack) {
    bool gone[PACK_LICENSES_MAX] = {false};
    uint32_t left = pack->license_count;
    for (bool moved = true; moved && left > 0;) {
        moved = false;
        for (uint32_t i = 0; i < pack->license_count; i++) {
            const struct policy_license *license = &pack->licenses[i];
            bool free = !gone[i];
            for (uint32_t j = 0; free && j < license->depends_on_count; j++)
                free = gone[license_index(pack, license->depends_on[j])];
            if (free) {
                gone[i] = moved = true;
                left--;
            }
        }
    }
    for (uint32_t i = 0; left > 0 && i < pack->license_count; i++) {
        if (gone[i])
            continue;
        size_t mark = reader_enter_index(r, i);
        size_t inner = reader_enter(r, "dependsOn");
        reader_fail(r, "depends on itself in a circle");
        reader_leave(r, inner);
        reader_leave(r, mark);
    }
}

void pack_read_licenses(struct reader *r, const json_t *root, struct policy_pack *pack) {
    const json_t *array = reader_array(r, root, "licenses", false);
    size_t size = json_array_size(array);
    size_t outer = reader_enter(r, "licenses");
    if (size > PACK_LICENSES_MAX)
        reader_fail(r, "must have at most %d elements", PACK_LICENSES_MAX);
    pack->licenses = arena_array(r->arena, r->failed ? 0 : size, sizeof *pack->licenses);
    for (size_t i = 0; i < size && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read_license(r, json_array_get(array, i), pack);
        reader_leave(r, mark);
    }
    for (uint32_t i = 0; i < pack->license_count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        check_references(r, pack, i);
        reader_leave(r, mark);
    }
    if (!r->failed)
        check_circles(r, pack);
    reader_leave(r, outer);
}
