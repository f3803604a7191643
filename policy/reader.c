/* Strict reading of a pack's JSON. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/reader.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/timestamp.h"

void reader_fail(struct reader *r, const char *format, ...) {
    va_list args;
    if (r->failed)
        return;
    r->failed = true;
    snprintf(r->error->pointer, sizeof r->error->pointer, "%s", r->path);
    va_start(args, format);
    vsnprintf(r->error->detail, sizeof r->error->detail, format, args);
    va_end(args);
}

size_t reader_enter(struct reader *r, const char *name) {
    size_t mark = strlen(r->path);
    snprintf(r->path + mark, sizeof r->path - mark, "/%s", name);
    return mark;
}

size_t reader_enter_index(struct reader *r, size_t index) {
    size_t mark = strlen(r->path);
    snprintf(r->path + mark, sizeof r->path - mark, "/%zu", index);
    return mark;
}

void reader_leave(struct reader *r, size_t mark) {
    r->path[mark] = '\0';
}

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
        if (!is_known(name, known)) {
            size_t mark = reader_enter(r, name);
            reader_fail(r, "is not a member that packs have here");
            reader_leave(r, mark);
            return false;
        }
    }
    return !r->failed;
}

/* The member, or NULL with an error when it is required. */
static const json_t *member(struct reader *r, const json_t *object, const char *name,
                            bool required) {
    const json_t *value = json_object_get(object, name);
    if (value == NULL && required)
        reader_fail(r, "needs the member \"%s\"", name);
    return r->failed ? NULL : value;
}

static void wrong(struct reader *r, const char *name, const char *what) {
    size_t mark = reader_enter(r, name);
    reader_fail(r, "%s", what);
    reader_leave(r, mark);
}

const json_t *reader_array(struct reader *r, const json_t *object, const char *name,
                           bool required) {
    const json_t *value = member(r, object, name, required);
    if (value != NULL && !json_is_array(value)) {
        wrong(r, name, "must be an array");
        return NULL;
    }
    return value;
}

static struct span text_of(struct reader *r, const json_t *value) {
    return arena_copy(r->arena, span_of(json_string_value(value), json_string_length(value)));
}

struct span reader_string(struct reader *r, const json_t *object, const char *name, bool required,
                          size_t max) {
    const json_t *value = member(r, object, name, required);
    if (value == NULL)
        return SPAN_NONE;
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > max) {
        size_t mark = reader_enter(r, name);
        reader_fail(r, "must be a string of 1 to %zu bytes", max);
        reader_leave(r, mark);
        return SPAN_NONE;
    }
    return text_of(r, value);
}

static bool is_code(struct span text) {
    if (text.size == 0 || text.size > 64)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

struct span reader_code(struct reader *r, const json_t *object, const char *name) {
    struct span code = reader_string(r, object, name, true, 64);
    if (span_present(code) && !is_code(code))
        wrong(r, name, "must consist of letters, digits, '.', '-' and '_'");
    return code;
}

bool reader_bool(struct reader *r, const json_t *object, const char *name, bool otherwise) {
    const json_t *value = member(r, object, name, false);
    if (value == NULL)
        return otherwise;
    if (!json_is_boolean(value))
        wrong(r, name, "must be true or false");
    return json_is_true(value);
}

uint32_t reader_count(struct reader *r, const json_t *object, const char *name, uint32_t otherwise,
                      uint32_t max) {
    const json_t *value = member(r, object, name, false);
    if (value == NULL)
        return otherwise;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > max) {
        size_t mark = reader_enter(r, name);
        reader_fail(r, "must be an integer from 0 to %u", max);
        reader_leave(r, mark);
        return otherwise;
    }
    return (uint32_t)json_integer_value(value);
}

int64_t reader_time(struct reader *r, const json_t *object, const char *name, int64_t otherwise) {
    int64_t time_ms = otherwise;
    struct span text = reader_string(r, object, name, false, 32);
    if (!span_present(text))
        return otherwise;
    if (text.size == 10)
        text = arena_format(r->arena, "%.*sT00:00:00Z", SPAN_ARG(text));
    if (timestamp_parse(text, &time_ms) != STATUS_OK)
        wrong(r, name, "must be a date or an RFC 3339 time in UTC");
    return time_ms;
}

bool reader_duration(struct reader *r, const json_t *object, const char *name,
                     struct duration *out) {
    struct span text = reader_string(r, object, name, false, 16);
    if (!span_present(text))
        return false;
    if (duration_parse(text, out) != STATUS_OK)
        wrong(r, name, "must be an ISO 8601 duration with one unit");
    return true;
}

static bool stands_before(const struct span *list, size_t count, struct span text) {
    for (size_t i = 0; i < count; i++)
        if (span_equal(list[i], text))
            return true;
    return false;
}

const struct span *reader_strings(struct reader *r, const json_t *object, const char *name,
                                  size_t max, uint32_t *count) {
    const json_t *array = reader_array(r, object, name, false);
    size_t size = json_array_size(array);
    struct span *list = arena_array(r->arena, size, sizeof *list);
    *count = 0;
    size_t outer = reader_enter(r, name);
    if (size > max)
        reader_fail(r, "must have at most %zu elements", max);
    for (size_t i = 0; i < size && !r->failed; i++) {
        const json_t *value = json_array_get(array, i);
        size_t mark = reader_enter_index(r, i);
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            json_string_length(value) > LIMIT_URL)
            reader_fail(r, "must be a string of 1 to %d bytes", LIMIT_URL);
        else
            list[i] = text_of(r, value);
        if (!r->failed && stands_before(list, i, list[i]))
            reader_fail(r, "stands twice in the list");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    *count = (uint32_t)size;
    return list;
}
