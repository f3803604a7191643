/* Any bytes as JSON: the pull reader, stepping in and skipping alike, accepts exactly what jansson
 * does, gives the same values, and its raw values are JSON again. They may differ only where
 * jansson's own limits are at work: integers beyond int64 and reals beyond double, NUL in a name;
 * where jansson 2.14 overlooks a NUL byte after a number; and in depth, which is bounded at 32 here
 * and at 2,048 there. */
// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdint.h>

#include <jansson.h>

#include "api/stream.h"
#include "base/limits.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct api_json_stream *in, const json_t *want);

/* ---- a value against jansson's; NULL: only walked */

static void compare_text(struct span text, const json_t *want) {
    if (want != NULL)
        ASSERT(json_is_string(want) &&
               span_equal(text, span_of(json_string_value(want), json_string_length(want))));
}

static void compare_number(struct api_json_number n, const json_t *want) {
    if (json_is_integer(want)) {
        ASSERT(n.floor == json_integer_value(want) && !n.fraction);
    } else if (want != NULL) {
        double real = json_real_value(want);
        ASSERT(json_is_real(want));
        if (fabs(real) < 1e15 && fabs(real - round(real)) > 1e-6 * fabs(real))
            ASSERT(n.floor == (int64_t)floor(real) && n.fraction);
        else if (fabs(real) < 9e18) /* what the double rounded */
            ASSERT(fabs((double)n.floor - real) <= 1 + fabs(real) * 1e-6);
        else if (fabs(real) > 1e19)
            ASSERT(n.floor == (real < 0 ? INT64_MIN : INT64_MAX) && n.fraction);
    }
}

static void walk(struct api_json_stream *in, const json_t *want);

/* Of a name that repeats, jansson keeps the last value: that one is compared. */
static void walk_object(struct api_json_stream *in, const json_t *want) {
    struct span name;
    json_t *last = json_object();
    for (api_stream_object(in); api_stream_member(in, &name);) {
        if (want == NULL) {
            walk(in, NULL);
            continue;
        }
        struct span raw = api_stream_skip(in);
        ASSERT(json_object_getn(want, name.data, name.size) != NULL);
        json_object_setn_new_nocheck(last, name.data, name.size,
                                     json_stringn_nocheck(raw.data, raw.size));
    }
    ASSERT(want == NULL || json_object_size(last) == json_object_size(want));
    const char *key;
    json_t *raw;
    json_object_foreach(last, key, raw) {
        struct api_json_stream one;
        struct span text = span_of(json_string_value(raw), json_string_length(raw));
        api_stream_begin(&one, in->arena, text);
        walk(&one, json_object_get(want, key));
        ASSERT(api_stream_end(&one));
    }
    json_decref(last);
}

static void walk(struct api_json_stream *in, const json_t *want) {
    size_t i = 0;
    switch (api_stream_kind(in)) {
    case API_JSON_OBJECT:
        ASSERT(want == NULL || json_is_object(want));
        walk_object(in, want);
        break;
    case API_JSON_ARRAY:
        ASSERT(want == NULL || json_is_array(want));
        for (api_stream_array(in); api_stream_item(in); i++)
            walk(in, want != NULL ? json_array_get(want, i) : NULL);
        ASSERT(want == NULL || in->error != NULL || i == json_array_size(want));
        break;
    case API_JSON_STRING:
        compare_text(api_stream_string(in), want);
        break;
    case API_JSON_NUMBER:
        compare_number(api_stream_number(in), want);
        break;
    case API_JSON_TRUTH: {
        bool truth = api_stream_truth(in);
        ASSERT(want == NULL || (json_is_boolean(want) && truth == json_is_true(want)));
        break;
    }
    case API_JSON_NULL:
    case API_JSON_NONE:
        ASSERT(want == NULL || json_is_null(want));
        api_stream_skip(in);
        break;
    }
}

/* ---- the verdict */

/* What jansson refuses and JSON does not. */
static bool beyond_jansson(const json_error_t *error) {
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_null_character;
}

static bool beyond_us(const struct api_json_stream *in, struct span text) {
    return strcmp(in->error, "the text nests too deep") == 0 ||
           (in->error_at < text.size && text.data[in->error_at] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct api_json_stream in;
    json_error_t error;
    struct span text = span_of((const char *)data, size);
    json_t *want =
        json_loadb(size != 0 ? text.data : "", size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    api_stream_begin(&in, &arena, text);
    struct span raw = api_stream_skip(&in);
    bool accepted = api_stream_end(&in);
    ASSERT(accepted == (in.error == NULL) && (accepted || in.error_at <= size));
    ASSERT(accepted == (want != NULL) ||
           (accepted ? beyond_jansson(&error) : beyond_us(&in, text)));
    size_t error_at = in.error_at;
    api_stream_begin(&in, &arena, text);
    walk(&in, accepted ? want : NULL);
    ASSERT(api_stream_end(&in) == accepted && (accepted || in.error_at == error_at));
    if (accepted) {
        api_stream_begin(&in, &arena, raw);
        ASSERT(span_equal(api_stream_skip(&in), raw) && api_stream_end(&in));
    }
    json_decref(want);
    arena_release(&arena);
    return 0;
}
