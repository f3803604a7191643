/* Strict reading of a pack's JSON. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/reader.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/timestamp.h"

#define MONTHS_MAX 1200                          /* 100 years */
#define SECONDS_MAX (INT64_C(36525) * 24 * 3600) /* 100 years */

/* ---- where we are, and the first error */

/* Cuts text that did not fit before the character that was cut through; "~1" of a pointer is one.
 */
static void cut_whole(char *text, size_t capacity, size_t wanted) {
    if (wanted < capacity)
        return;
    size_t size = capacity - 1;
    while (size > 0 && ((unsigned char)text[size - 1] & 0xC0U) == 0x80)
        size--;
    if (size > 0 && ((unsigned char)text[size - 1] & 0xC0U) == 0xC0)
        size--;
    else
        size = capacity - 1; /* the last character is ASCII */
    if (size > 0 && text[size - 1] == '~')
        size--;
    text[size] = '\0';
}

static void fail_with(struct reader *r, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void fail_with(struct reader *r, const char *format, va_list args) {
    if (r->failed)
        return;
    r->failed = true;
    struct policy_error *error = r->error;
    int size = snprintf(error->pointer, sizeof error->pointer, "%s", r->path);
    cut_whole(error->pointer, sizeof error->pointer, (size_t)size);
    size = vsnprintf(error->detail, sizeof error->detail, format, args);
    cut_whole(error->detail, sizeof error->detail, (size_t)size);
}

void reader_fail(struct reader *r, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_with(r, format, args);
    va_end(args);
}

void reader_fail_member(struct reader *r, const char *name, const char *format, ...) {
    va_list args;
    size_t mark = reader_enter(r, name);
    va_start(args, format);
    fail_with(r, format, args);
    va_end(args);
    reader_leave(r, mark);
}

static void put(struct reader *r, char c) {
    if (r->path_size + 1 < sizeof r->path)
        r->path[r->path_size++] = c;
    r->path[r->path_size] = '\0';
}

size_t reader_enter(struct reader *r, const char *name) {
    size_t mark = r->path_size;
    put(r, '/');
    for (; *name != '\0'; name++) { /* RFC 6901, section 3 */
        if (*name == '~' || *name == '/')
            put(r, '~');
        put(r, *name == '~' ? '0' : *name == '/' ? '1' : *name);
    }
    return mark;
}

size_t reader_enter_index(struct reader *r, size_t index) {
    char text[24];
    snprintf(text, sizeof text, "%zu", index);
    return reader_enter(r, text);
}

void reader_leave(struct reader *r, size_t mark) {
    r->path_size = mark;
    r->path[mark] = '\0';
}

/* ---- objects and members */

static bool is_known(const char *name, const char *const *known) {
    for (; *known != NULL; known++)
        if (strcmp(name, *known) == 0)
            return true;
    return false;
}

bool reader_object(struct reader *r, const json_t *value, const char *const *known) {
    const char *name;
    json_t *member;
    if (!json_is_object(value)) {
        reader_fail(r, "must be an object");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, member) {
        if (!is_known(name, known))
            reader_fail_member(r, name, "is not a member that a pack has here");
    }
    return !r->failed;
}

static const json_t *member_of(struct reader *r, const json_t *object, const char *name,
                               bool required) {
    const json_t *value = json_object_get(object, name);
    if (value == NULL && required)
        reader_fail_member(r, name, "is required");
    return r->failed ? NULL : value;
}

const json_t *reader_array(struct reader *r, const json_t *object, const char *name,
                           struct reader_bounds bounds) {
    const json_t *value = member_of(r, object, name, bounds.required);
    if (value == NULL)
        return NULL;
    if (!json_is_array(value))
        reader_fail_member(r, name, "must be an array");
    else if (json_array_size(value) > bounds.max || json_array_size(value) < bounds.min)
        reader_fail_member(r, name, "must have %zu to %zu elements", bounds.min, bounds.max);
    return r->failed ? NULL : value;
}

static struct span text_of(struct reader *r, const json_t *value) {
    return arena_copy(r->arena, span_of(json_string_value(value), json_string_length(value)));
}

struct span reader_string(struct reader *r, const json_t *object, const char *name,
                          struct reader_bounds bounds) {
    const json_t *value = member_of(r, object, name, bounds.required);
    if (value == NULL)
        return SPAN_NONE;
    if (!json_is_string(value) || json_string_length(value) < bounds.min ||
        json_string_length(value) > bounds.max) {
        reader_fail_member(r, name, "must be a string of %zu to %zu bytes", bounds.min, bounds.max);
        return SPAN_NONE;
    }
    return text_of(r, value);
}

bool reader_bool(struct reader *r, const json_t *object, const char *name, bool otherwise) {
    const json_t *value = member_of(r, object, name, false);
    if (value == NULL)
        return otherwise;
    if (!json_is_boolean(value))
        reader_fail_member(r, name, "must be true or false");
    return json_is_true(value);
}

uint32_t reader_count(struct reader *r, const json_t *object, const char *name, uint32_t otherwise,
                      uint32_t max) {
    const json_t *value = member_of(r, object, name, false);
    if (value == NULL)
        return otherwise;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > max) {
        reader_fail_member(r, name, "must be an integer from 0 to %u", max);
        return otherwise;
    }
    return (uint32_t)json_integer_value(value);
}

/* ---- codes and URLs */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_code(struct span text) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return text.size > 0 && text.size <= READER_CODE_MAX;
}

/* A scheme, a colon and something after it. What a licence URL may not contain is also what an
 * OAuth scope may not: blanks, controls, quotes, backslashes. */
static bool is_url(struct span text) {
    const char *colon = text.size != 0 ? memchr(text.data, ':', text.size) : NULL;
    if (colon == NULL || colon == text.data || colon + 1 == text.data + text.size)
        return false;
    for (const char *c = text.data; c < colon; c++)
        if (!is_letter(*c) && (c == text.data || !strchr("0123456789+.-", *c)))
            return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"\\<>", text.data[i]))
            return false;
    return text.size <= LIMIT_URL;
}

#define CODE_RULE "must be 1 to 64 letters, digits, '.', '-' and '_'"
#define URL_RULE "must be an absolute URL of at most 256 bytes"
_Static_assert(READER_CODE_MAX == 64 && LIMIT_URL == 256, "the rules say so");

static struct span checked(struct reader *r, const json_t *object, const char *name, bool required,
                           bool url) {
    const json_t *value = member_of(r, object, name, required);
    if (value == NULL)
        return SPAN_NONE;
    struct span text = text_of(r, value);
    if (!(url ? is_url(text) : is_code(text)))
        reader_fail_member(r, name, "%s", url ? URL_RULE : CODE_RULE);
    return text;
}

struct span reader_code(struct reader *r, const json_t *object, const char *name) {
    return checked(r, object, name, true, false);
}

struct span reader_url(struct reader *r, const json_t *object, const char *name, bool required) {
    return checked(r, object, name, required, true);
}

static bool stands_before(const struct span *list, size_t count, struct span text) {
    for (size_t i = 0; i < count; i++)
        if (span_equal(list[i], text))
            return true;
    return false;
}

static const struct span *read_list(struct reader *r, const json_t *array, const char *name,
                                    bool url, uint32_t *count) {
    size_t size = json_array_size(array);
    struct span *list = arena_array(r->arena, size, sizeof *list);
    size_t outer = reader_enter(r, name);
    for (size_t i = 0; i < size && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        list[i] = text_of(r, json_array_get(array, i));
        if (!(url ? is_url(list[i]) : is_code(list[i])))
            reader_fail(r, "%s", url ? URL_RULE : CODE_RULE);
        else if (stands_before(list, i, list[i]))
            reader_fail(r, "stands twice in the list");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    *count = r->failed ? 0 : (uint32_t)size;
    return list;
}

const struct span *reader_codes(struct reader *r, const json_t *object, const char *name,
                                struct reader_bounds bounds, uint32_t *count) {
    return read_list(r, reader_array(r, object, name, bounds), name, false, count);
}

const struct span *reader_urls(struct reader *r, const json_t *object, const char *name,
                               struct reader_bounds bounds, uint32_t *count) {
    return read_list(r, reader_array(r, object, name, bounds), name, true, count);
}

/* ---- times and durations */

static int64_t read_time(struct reader *r, const json_t *object, const char *name,
                         int64_t otherwise, const char *time_of_day) {
    int64_t time_ms = otherwise;
    const json_t *value = member_of(r, object, name, false);
    if (value == NULL)
        return otherwise;
    struct span text = text_of(r, value);
    if (text.size == 10)
        text = arena_format(r->arena, "%.*s%s", SPAN_ARG(text), time_of_day);
    if (!span_present(text) || timestamp_parse(text, &time_ms) != STATUS_OK)
        reader_fail_member(r, name, "must be a date or an RFC 3339 time in UTC");
    return time_ms;
}

int64_t reader_time(struct reader *r, const json_t *object, const char *name, int64_t otherwise) {
    return read_time(r, object, name, otherwise, "T00:00:00.000Z");
}

int64_t reader_time_after(struct reader *r, const json_t *object, const char *name,
                          int64_t otherwise) {
    return read_time(r, object, name, otherwise, "T23:59:59.999Z");
}

bool reader_duration(struct reader *r, const json_t *object, const char *name, bool zero_allowed,
                     struct duration *out) {
    struct duration duration;
    const json_t *value = member_of(r, object, name, false);
    if (value == NULL)
        return false;
    struct span text = text_of(r, value);
    if (!span_present(text) || duration_parse(text, &duration) != STATUS_OK)
        reader_fail_member(r, name, "must be an ISO 8601 duration with one unit");
    else if (duration.months > MONTHS_MAX || duration.seconds > SECONDS_MAX)
        reader_fail_member(r, name, "must be at most 100 years");
    else if (!zero_allowed && duration.months == 0 && duration.seconds == 0)
        reader_fail_member(r, name, "must be longer than nothing");
    else
        *out = duration;
    return !r->failed;
}
