/* A grant narrows what was requested, a renewal starts from what was granted: the stored terms as
 * JSON, and the rule of narrowing (spec: consent.md; invariant 6). Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/terms.h"
#include "base/json_out.h"
#include "base/timestamp.h"

void api_terms_parties(struct store_reader *reader, const struct store_consent *consent,
                       struct json_out *out) {
    json_out_member(out, "provider", store_name(reader, STORE_NAME_MEMBER, consent->provider));
    json_out_member(out, "client", store_name(reader, STORE_NAME_MEMBER, consent->client));
    json_out_member(out, "license", store_name(reader, STORE_NAME_LICENSE, consent->license));
}

enum status api_terms_stored(struct store_reader *reader, const struct store_consent *consent,
                             json_t **out) {
    struct store_terms terms;
    enum status status = store_consent_terms(reader, consent, &terms);
    if (status != STATUS_OK)
        return status;
    struct buffer text = {0};
    struct json_out all = json_out_to(&text);
    json_out_object_begin(&all);
    api_terms_parties(reader, consent, &all);
    json_out_members(&all, terms.terms);
    json_out_members(&all, terms.account);
    json_out_object_end(&all);
    json_t *object = json_loadb(text.data, text.size, 0, NULL);
    buffer_release(&text);
    if (object == NULL)
        return STATUS_INTERNAL;
    json_object_del(object, "policy");
    json_object_del(object, "licenseDigest");
    *out = object;
    return STATUS_OK;
}

static bool contains(const json_t *list, const json_t *value) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), value))
            return true;
    return false;
}

static bool subset(const json_t *asked, const json_t *granted) {
    for (size_t i = 0; i < json_array_size(granted); i++)
        if (!contains(asked, json_array_get(granted, i)))
            return false;
    return true;
}

static int64_t time_of(const json_t *value) {
    int64_t time_ms = 0;
    struct span text = span_of(json_string_value(value), json_string_length(value));
    (void)!timestamp_parse(text, &time_ms);
    return time_ms;
}

/* Whether a granularity is as coarse as the one asked for, or coarser. */
static bool coarse_enough(const json_t *asked, const json_t *granted) {
    struct duration a, b;
    if (asked == NULL)
        return true;
    if (granted == NULL)
        return false;
    if (duration_parse(span_of_text(json_string_value(asked)), &a) != STATUS_OK ||
        duration_parse(span_of_text(json_string_value(granted)), &b) != STATUS_OK)
        return false;
    return b.months != a.months ? b.months > a.months : b.seconds >= a.seconds;
}

static const json_t *permission_of(const json_t *list, const json_t *code) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *permission = json_array_get(list, i);
        if (json_equal(json_object_get(permission, "code"), code))
            return permission;
    }
    return NULL;
}

static bool permission_narrower(const json_t *asked, const json_t *granted) {
    const json_t *from = json_object_get(asked, "resources");
    const json_t *to = json_object_get(granted, "resources");
    if (from != NULL && (to == NULL || !subset(from, to)))
        return false;
    return coarse_enough(json_object_get(asked, "maxGranularity"),
                         json_object_get(granted, "maxGranularity"));
}

static bool permissions_narrower(const json_t *asked, const json_t *granted) {
    for (size_t i = 0; i < json_array_size(granted); i++) {
        const json_t *permission = json_array_get(granted, i);
        const json_t *from = permission_of(asked, json_object_get(permission, "code"));
        if (from == NULL || !permission_narrower(from, permission))
            return false;
    }
    return true;
}

/* Whether one time of keeping is within the other, whatever the calendar. */
static bool no_longer(const json_t *asked, const json_t *granted) {
    struct duration a, b;
    return duration_parse(span_of_text(json_string_value(asked)), &a) == STATUS_OK &&
           duration_parse(span_of_text(json_string_value(granted)), &b) == STATUS_OK &&
           b.months <= a.months && b.seconds <= a.seconds;
}

/* Times may be written otherwise than they were stored. */
static bool same_as_stored(const char *name, const json_t *asked, const json_t *granted) {
    struct buffer text = {0};
    struct json_out out = json_out_to(&text);
    api_json_write(&out, name, granted);
    json_t *stored = json_loadb(text.data, text.size, JSON_DECODE_ANY, NULL);
    bool same = json_equal(asked, stored);
    json_decref(stored);
    buffer_release(&text);
    return same;
}

static bool narrower(const char *name, const json_t *asked, const json_t *granted) {
    if (strcmp(name, "purposes") == 0 || strcmp(name, "onwardRecipients") == 0)
        return subset(asked, granted);
    if (strcmp(name, "permissions") == 0)
        return permissions_narrower(asked, granted);
    if (strcmp(name, "expires") == 0 || strcmp(name, "dataTo") == 0)
        return time_of(granted) <= time_of(asked);
    if (strcmp(name, "dataFrom") == 0)
        return time_of(granted) >= time_of(asked);
    if (strcmp(name, "maxUses") == 0)
        return json_integer_value(granted) <= json_integer_value(asked);
    if (strcmp(name, "dataLife") == 0)
        return no_longer(asked, granted);
    if (strcmp(name, "principal") == 0) /* what was not known may be said now */
        return strcmp(json_string_value(json_object_get(asked, "type")), "unknown") == 0;
    return same_as_stored(name, asked, granted);
}

/* Where no recipient was asked for there is none: naming one is widening. */
static bool names_recipients(const char *name, const json_t *value) {
    return strcmp(name, "onwardRecipients") == 0 && json_array_size(value) != 0;
}

void api_terms_narrow(struct api_json *in, const json_t *asked, const json_t *granted) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)granted, name, value) {
        const json_t *before = json_object_get(asked, name);
        bool allowed = before != NULL ? json_equal(before, value) || narrower(name, before, value)
                                      : !names_recipients(name, value);
        if (!allowed)
            api_json_fail(in, name, "would widen or change what was requested");
    }
}
