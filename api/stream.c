/* The pull reader: a cursor, a depth and a flag. What is open is known by the caller's loops, and
 * in skip by a bit for each level. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/stream.h"

#include <endian.h>

#include "base/encode.h"
#include "base/limits.h"

_Static_assert(LIMIT_STREAM_DEPTH < 64, "skip keeps a bit for each level");

/* ---- the cursor */

/* Nothing is read after an error: the text is at its end then. */
static void fail(struct api_json_stream *in, const char *why) {
    if (in->error == NULL) {
        in->error = why;
        in->error_at = (size_t)(in->at - in->start);
    }
    in->at = in->end;
}

static void skip_space(struct api_json_stream *in) {
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

static bool take(struct api_json_stream *in, char c) {
    bool there = in->at < in->end && *in->at == c;
    in->at += there;
    return there;
}

/* ---- strings */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* High bits at the bytes of word that are byte; above the first such there may be more. */
static uint64_t where(uint64_t word, unsigned char byte) {
    word ^= EACH(byte);
    return (word - EACH(1)) & ~word & EACH(0x80);
}

static bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte that ends a string or needs a closer look, or the end. */
static const char *after_plain(const char *at, const char *end) {
    uint64_t word;
    while (end - at >= (ptrdiff_t)sizeof word) {
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t other = ((word - EACH(0x20)) & ~word & EACH(0x80)) | (word & EACH(0x80)) |
                         where(word, '"') | where(word, '\\');
        if (other != 0)
            return at + __builtin_ctzll(other) / 8;
        at += sizeof word;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

/* The code unit of four hex digits, -1 when there are none. */
static int32_t code_unit(const char *at, const char *end) {
    unsigned char bytes[2];
    if (end - at < 4 || decode_hex(span_of(at, 4), bytes, sizeof bytes) != STATUS_OK)
        return -1;
    return bytes[0] << 8 | bytes[1];
}

static char unescaped(char c) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    return found != NULL ? to[found - from] : '\0';
}

/* The size of the escape at a backslash, 0 when it is none; *out is its character. A surrogate must
 * be a high one with a low one after it. */
static size_t escape(const char *at, const char *end, uint32_t *out) {
    if (end - at < 2)
        return 0;
    *out = (unsigned char)unescaped(at[1]);
    if (at[1] != 'u')
        return *out != 0 ? 2 : 0;
    int32_t unit = code_unit(at + 2, end);
    *out = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit >= 0 ? 6 : 0;
    int32_t low = end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? code_unit(at + 8, end) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    *out = 0x10000U + ((uint32_t)(unit & 0x3ff) << 10 | (uint32_t)(low & 0x3ff));
    return 12;
}

/* Steps over a string. False after an error. */
static bool scan_string(struct api_json_stream *in, struct span *raw, bool *escaped) {
    if (!take(in, '"')) {
        fail(in, "a string is expected");
        return false;
    }
    const char *first = in->at;
    *escaped = false;
    for (;;) {
        uint32_t ignored;
        in->at = after_plain(in->at, in->end);
        size_t left = (size_t)(in->end - in->at), size;
        if (left == 0 || (unsigned char)*in->at < 0x20) {
            fail(in, left == 0 ? "a string does not end" : "a string has a control character");
            return false;
        }
        if (*in->at == '"')
            break;
        bool escape_here = *in->at == '\\';
        size = escape_here ? escape(in->at, in->end, &ignored) : encode_utf8_size(in->at, left);
        if (size == 0) {
            fail(in, escape_here ? "a string has a wrong escape" : "a string is not UTF-8");
            return false;
        }
        *escaped |= escape_here;
        in->at += size;
    }
    *raw = span_of(first, (size_t)(in->at - first));
    in->at++;
    return true;
}

static char *put_utf8(char *out, uint32_t c) {
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0x00, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | c >> 6 * more);
    while (more-- > 0)
        *out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return out;
}

/* What was scanned, without its escapes: never longer than with them. */
static struct span decoded(struct arena *arena, struct span raw) {
    char *text = arena_alloc(arena, raw.size), *out = text;
    const char *at = raw.data, *end = at + raw.size;
    while (at < end) {
        uint32_t c = 0;
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        at += escape(at, end, &c);
        out = put_utf8(out, c);
    }
    return span_of(text, (size_t)(out - text));
}

struct span api_stream_string(struct api_json_stream *in) {
    struct span raw;
    bool escaped;
    in->fresh = false;
    if (!scan_string(in, &raw, &escaped))
        return SPAN_NONE;
    return escaped ? decoded(in->arena, raw) : raw;
}

/* ---- numbers */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Steps over digits; the first, and how many. */
static struct span scan_digits(struct api_json_stream *in) {
    const char *first = in->at;
    while (in->at < in->end && is_digit(*in->at))
        in->at++;
    return span_of(first, (size_t)(in->at - first));
}

struct parts {
    bool negative, negative_exponent;
    struct span whole, fraction, exponent; /* digits */
};

/* Steps over a number. */
static struct parts scan_number(struct api_json_stream *in) {
    struct parts n = {.negative = take(in, '-'), .whole = scan_digits(in)};
    if (n.whole.size == 0 || (n.whole.size > 1 && n.whole.data[0] == '0')) {
        fail(in, "a value is expected");
        return n;
    }
    if (take(in, '.')) {
        n.fraction = scan_digits(in);
        if (n.fraction.size == 0)
            fail(in, "a number has no digits after its point");
    }
    if (take(in, 'e') || take(in, 'E')) {
        n.negative_exponent = take(in, '-');
        if (!n.negative_exponent)
            take(in, '+');
        n.exponent = scan_digits(in);
        if (n.exponent.size == 0)
            fail(in, "a number has no digits in its exponent");
    }
    return n;
}

/* Beyond what any text has digits for, it makes no difference how much. */
static int64_t exponent_of(const struct parts *n) {
    int64_t value = 0;
    for (size_t i = 0; i < n->exponent.size && value < INT32_MAX; i++)
        value = value * 10 + (n->exponent.data[i] - '0');
    return n->negative_exponent ? -value : value;
}

/* The number of digits before the point is moved by the exponent; those after it make a fraction.
 */
static struct api_json_number value_of(const struct parts *n) {
    int64_t point = (int64_t)n->whole.size + (n->exponent.size != 0 ? exponent_of(n) : 0);
    int64_t count = (int64_t)(n->whole.size + n->fraction.size);
    uint64_t most = (uint64_t)INT64_MAX + n->negative, value = 0;
    bool rest = false, beyond = false;
    for (int64_t i = 0; i < count || (i < point && value != 0 && !beyond); i++) {
        int64_t after = i - (int64_t)n->whole.size;
        char c = after < 0 ? n->whole.data[i] : i < count ? n->fraction.data[after] : '0';
        unsigned digit = (unsigned)(c - '0');
        if (i >= point)
            rest |= digit != 0;
        else if (value > (most - digit) / 10)
            beyond = true;
        else
            value = value * 10 + digit;
    }
    if (beyond || (n->negative && rest && value == most))
        return (struct api_json_number){n->negative ? INT64_MIN : INT64_MAX, true};
    return (struct api_json_number){(int64_t)(n->negative ? 0 - value - rest : value), rest};
}

struct api_json_number api_stream_number(struct api_json_stream *in) {
    struct parts n = scan_number(in);
    in->fresh = false;
    return in->error == NULL ? value_of(&n) : (struct api_json_number){0, false};
}

/* ---- words */

static void scan_word(struct api_json_stream *in, const char *word) {
    size_t size = strlen(word);
    in->fresh = false;
    if ((size_t)(in->end - in->at) >= size && memcmp(in->at, word, size) == 0)
        in->at += size;
    else
        fail(in, "a value is expected");
}

bool api_stream_truth(struct api_json_stream *in) {
    bool truth = in->at < in->end && *in->at == 't';
    scan_word(in, truth ? "true" : "false");
    return truth && in->error == NULL;
}

/* ---- objects and arrays */

static void enter(struct api_json_stream *in, char open) {
    if (in->depth == LIMIT_STREAM_DEPTH)
        fail(in, "the text nests too deep");
    else if (!take(in, open))
        fail(in, open == '{' ? "an object is expected" : "an array is expected");
    in->depth++;
    in->fresh = true;
}

/* Whether another member or item follows; else the end was. */
static bool another(struct api_json_stream *in, char close) {
    bool first = in->fresh;
    in->fresh = false;
    skip_space(in);
    if (take(in, close)) {
        in->depth--;
        return false;
    }
    if (!first && !take(in, ','))
        fail(in, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
    skip_space(in);
    return in->error == NULL;
}

void api_stream_object(struct api_json_stream *in) {
    enter(in, '{');
}

bool api_stream_member(struct api_json_stream *in, struct span *name) {
    struct span raw;
    bool escaped;
    if (!another(in, '}') || !scan_string(in, &raw, &escaped))
        return false;
    skip_space(in);
    if (!take(in, ':')) {
        fail(in, "':' is expected");
        return false;
    }
    skip_space(in);
    if (name != NULL)
        *name = escaped ? decoded(in->arena, raw) : raw;
    return true;
}

void api_stream_array(struct api_json_stream *in) {
    enter(in, '[');
}

bool api_stream_item(struct api_json_stream *in) {
    return another(in, ']');
}

/* ---- any value */

enum api_json_kind api_stream_kind(struct api_json_stream *in) {
    switch (in->at < in->end ? *in->at : '\0') {
    case '{':
        return API_JSON_OBJECT;
    case '[':
        return API_JSON_ARRAY;
    case '"':
        return API_JSON_STRING;
    case 't':
    case 'f':
        return API_JSON_TRUTH;
    case 'n':
        return API_JSON_NULL;
    case '-':
    case '0' ... '9':
        return API_JSON_NUMBER;
    default:
        fail(in, "a value is expected");
        return API_JSON_NONE;
    }
}

/* Steps over a value, or into it. */
static void scan_value(struct api_json_stream *in, enum api_json_kind kind) {
    struct span ignored;
    bool escaped;
    in->fresh = false;
    if (kind == API_JSON_OBJECT || kind == API_JSON_ARRAY)
        enter(in, kind == API_JSON_OBJECT ? '{' : '[');
    else if (kind == API_JSON_STRING)
        scan_string(in, &ignored, &escaped);
    else if (kind == API_JSON_NUMBER)
        scan_number(in);
    else if (kind == API_JSON_TRUTH)
        api_stream_truth(in);
    else if (kind == API_JSON_NULL)
        scan_word(in, "null");
}

struct span api_stream_skip(struct api_json_stream *in) {
    const char *first = in->at;
    uint32_t depth = in->depth;
    uint64_t arrays = 0; /* bit i: level i is an array */
    do {
        enum api_json_kind kind = api_stream_kind(in);
        scan_value(in, kind);
        if (kind == API_JSON_ARRAY)
            arrays |= UINT64_C(1) << in->depth;
        else if (kind == API_JSON_OBJECT)
            arrays &= ~(UINT64_C(1) << in->depth);
        while (in->error == NULL && in->depth > depth &&
               !((arrays >> in->depth & 1) != 0 ? another(in, ']') : api_stream_member(in, NULL)))
            ;
    } while (in->error == NULL && in->depth > depth);
    return in->error == NULL ? span_of(first, (size_t)(in->at - first)) : SPAN_NONE;
}

/* ---- the text */

void api_stream_begin(struct api_json_stream *in, struct arena *arena, struct span text) {
    *in = (struct api_json_stream){
        .at = text.size != 0 ? text.data : "", .arena = arena, .fresh = true};
    in->start = in->at;
    in->end = in->at + text.size;
    skip_space(in);
}

bool api_stream_end(struct api_json_stream *in) {
    skip_space(in);
    if (in->fresh)
        fail(in, "a value is expected");
    else if (in->at < in->end || in->depth != 0)
        fail(in, "something follows the value");
    return in->error == NULL;
}
