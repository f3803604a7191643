/* Strict reading of JSON bodies. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/json_in.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/timestamp.h"

#define DIGEST_TEXT_SIZE 43

/* Depth, before a tree is built: brackets outside strings. */
static const char *scan(struct span body) {
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.size; i++) {
        char c = body.data[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > LIMIT_JSON_DEPTH)
                return "the body nests deeper than 16";
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return NULL;
}

enum status api_json_begin(struct api_json *in, struct arena *arena, struct span body,
                           const char **why) {
    json_error_t error;
    *in = (struct api_json){.arena = arena};
    *why = scan(body);
    if (*why != NULL)
        return STATUS_MALFORMED_JSON;
    in->root = json_loadb(body.size != 0 ? body.data : "", body.size,
                          JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (in->root != NULL)
        return STATUS_OK;
    /* jansson's text may quote the body: only the place is told */
    *why = json_error_code(&error) == json_error_duplicate_key
               ? "an object has the same member twice"
               : arena_format(arena, "line %d, column %d", error.line, error.column).data;
    return STATUS_MALFORMED_JSON;
}

void api_json_end(struct api_json *in) {
    json_decref(in->root);
    in->root = NULL;
}

bool api_json_failed(const struct api_json *in) {
    return in->unknown_member || in->other_error;
}

enum api_outcome api_json_refuse(struct api_json *in, struct api_call *call) {
    enum status status = in->other_error ? STATUS_INVALID_BODY : STATUS_UNKNOWN_MEMBER;
    api_json_end(in);
    return api_problem_errors(call, status, NULL, &in->errors);
}

/* Appends "/name" with '~' and '/' escaped (RFC 6901 section 3). */
size_t api_json_enter(struct api_json *in, const char *name) {
    size_t mark = strlen(in->path), at = mark;
    if (at + 1 < sizeof in->path)
        in->path[at++] = '/';
    for (; *name != '\0' && at + 3 < sizeof in->path; name++) {
        bool special = *name == '~' || *name == '/';
        in->path[at++] = special ? '~' : *name;
        if (special)
            in->path[at++] = *name == '~' ? '0' : '1';
    }
    in->path[at] = '\0';
    if (!encode_utf8_valid(span_of(in->path + mark, at - mark)))
        snprintf(in->path + mark, sizeof in->path - mark, "/?");
    return mark;
}

size_t api_json_enter_index(struct api_json *in, size_t index) {
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    return api_json_enter(in, name);
}

void api_json_leave(struct api_json *in, size_t mark) {
    in->path[mark] = '\0';
}

static void record(struct api_json *in, const char *detail) {
    if (in->errors.count == API_ERRORS_MAX)
        return;
    in->errors.items[in->errors.count++] = (struct api_error){
        arena_copy(in->arena, span_of_text(in->path)), arena_copy(in->arena, span_of_text(detail))};
}

void api_json_fail(struct api_json *in, const char *name, const char *format, ...) {
    char detail[160];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    size_t mark = strlen(in->path);
    if (name != NULL)
        mark = api_json_enter(in, name);
    in->other_error = true;
    record(in, detail);
    api_json_leave(in, mark);
}

static bool is_known(const char *name, const char *const *known) {
    for (; *known != NULL; known++)
        if (strcmp(name, *known) == 0)
            return true;
    return false;
}

bool api_json_object(struct api_json *in, const json_t *value, const char *const *known) {
    const char *name;
    json_t *member;
    if (!json_is_object(value)) {
        api_json_fail(in, NULL, "must be an object");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, member) {
        if (is_known(name, known))
            continue;
        size_t mark = api_json_enter(in, name);
        in->unknown_member = true;
        record(in, "is not a member of this object");
        api_json_leave(in, mark);
    }
    return true;
}

static const json_t *get(struct api_json *in, const json_t *object, const char *name,
                         bool required) {
    const json_t *value = json_object_get(object, name);
    if (value == NULL && required)
        api_json_fail(in, name, "is required");
    return value;
}

static struct span text_of(const json_t *value) {
    return span_of(json_string_value(value), json_string_length(value));
}

struct span api_json_string(struct api_json *in, const json_t *object, const char *name, size_t max,
                            bool required) {
    const json_t *value = get(in, object, name, required);
    if (value == NULL)
        return SPAN_NONE;
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > max) {
        api_json_fail(in, name, "must be a string of 1 to %zu bytes", max);
        return SPAN_NONE;
    }
    return arena_copy(in->arena, text_of(value));
}

/* scheme ":" and something, in visible ASCII without quotes, brackets or backslash (RFC 3986). */
bool api_json_is_url(struct span text) {
    const char *colon = memchr(text.data, ':', text.size);
    if (colon == NULL || colon == text.data || colon + 1 == text.data + text.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c < 0x21 || c > 0x7e || strchr("\"<>\\^`{|}", c) != NULL)
            return false;
    }
    for (const char *at = text.data; at < colon; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        bool other = (*at >= '0' && *at <= '9') || *at == '+' || *at == '-' || *at == '.';
        if (!letter && (at == text.data || !other))
            return false;
    }
    return true;
}

struct span api_json_url(struct api_json *in, const json_t *object, const char *name,
                         bool required) {
    struct span url = api_json_string(in, object, name, LIMIT_URL, required);
    if (span_present(url) && !api_json_is_url(url)) {
        api_json_fail(in, name, "must be an absolute URL");
        return SPAN_NONE;
    }
    return url;
}

const json_t *api_json_member_object(struct api_json *in, const json_t *object, const char *name,
                                     bool required) {
    const json_t *value = get(in, object, name, required);
    if (value != NULL && !json_is_object(value)) {
        api_json_fail(in, name, "must be an object");
        return NULL;
    }
    return value;
}

const json_t *api_json_array(struct api_json *in, const json_t *object, const char *name,
                             size_t max, bool required) {
    const json_t *value = get(in, object, name, required);
    if (value == NULL)
        return NULL;
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > max) {
        api_json_fail(in, name, "must be an array of 1 to %zu elements", max);
        return NULL;
    }
    return value;
}

const struct span *api_json_strings(struct api_json *in, const json_t *object, const char *name,
                                    struct api_bounds max, uint32_t *count) {
    const json_t *array = api_json_array(in, object, name, max.count, false);
    size_t size = json_array_size(array);
    struct span *list = arena_array(in->arena, size, sizeof *list);
    size_t outer = api_json_enter(in, name);
    *count = 0;
    for (size_t i = 0; i < size; i++) {
        const json_t *value = json_array_get(array, i);
        size_t mark = api_json_enter_index(in, i);
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            json_string_length(value) > max.size)
            api_json_fail(in, NULL, "must be a string of 1 to %zu bytes", max.size);
        else
            list[(*count)++] = arena_copy(in->arena, text_of(value));
        for (uint32_t j = 0; j + 1 < *count; j++)
            if (span_equal(list[j], list[*count - 1])) {
                api_json_fail(in, NULL, "stands in the list twice");
                (*count)--;
                break;
            }
        api_json_leave(in, mark);
    }
    api_json_leave(in, outer);
    return list;
}

const struct span *api_json_urls(struct api_json *in, const json_t *object, const char *name,
                                 size_t max, uint32_t *count) {
    const struct span *list =
        api_json_strings(in, object, name, (struct api_bounds){max, LIMIT_URL}, count);
    /* without an error every element is in the list, at its own index */
    bool all = *count == json_array_size(json_object_get(object, name));
    size_t outer = api_json_enter(in, name);
    for (uint32_t i = 0; all && i < *count; i++) {
        size_t mark = api_json_enter_index(in, i);
        if (!api_json_is_url(list[i]))
            api_json_fail(in, NULL, "must be an absolute URL");
        api_json_leave(in, mark);
    }
    api_json_leave(in, outer);
    return list;
}

int64_t api_json_time(struct api_json *in, const json_t *object, const char *name,
                      int64_t otherwise) {
    const json_t *value = json_object_get(object, name);
    int64_t time_ms;
    if (value == NULL)
        return otherwise;
    if (!json_is_string(value) || timestamp_parse(text_of(value), &time_ms) != STATUS_OK) {
        api_json_fail(in, name, "must be an RFC 3339 time in UTC, with Z");
        return otherwise;
    }
    return time_ms;
}

int64_t api_json_int(struct api_json *in, const json_t *object, const char *name,
                     struct api_range range) {
    const json_t *value = json_object_get(object, name);
    if (value == NULL)
        return range.otherwise;
    if (!json_is_integer(value) || json_integer_value(value) < range.least ||
        json_integer_value(value) > range.most) {
        api_json_fail(in, name, "must be an integer from %lld to %lld", (long long)range.least,
                      (long long)range.most);
        return range.otherwise;
    }
    return json_integer_value(value);
}

bool api_json_digest(struct api_json *in, const json_t *object, const char *name, bool required,
                     struct digest *out) {
    size_t size;
    struct span text = api_json_string(in, object, name, DIGEST_TEXT_SIZE, required);
    if (!span_present(text))
        return false;
    if (decode_base64url(text, out->bytes, DIGEST_SIZE, &size) != STATUS_OK ||
        size != DIGEST_SIZE) {
        api_json_fail(in, name, "must be a SHA-256 digest as 43 characters of base64url");
        return false;
    }
    return true;
}
