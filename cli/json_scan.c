/* Scanning JSON without parsing it; see json_scan.h. Each step cuts what it read off the front of
 * `left`. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/json_scan.h"

#include <endian.h>

#include "base/encode.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

static void cut(struct span *left, size_t size) {
    *left = span_of(left->data + size, left->size - size);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct span *left) {
    while (left->size != 0 && is_space(left->data[0]))
        cut(left, 1);
}

static bool take(struct span *left, char c) {
    skip_space(left);
    if (left->size == 0 || left->data[0] != c)
        return false;
    cut(left, 1);
    return true;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- values */

static bool skip_escape(struct span *left) {
    unsigned char pair[2];
    if (left->size < 2 || memchr("\"\\/bfnrtu", left->data[1], 9) == NULL)
        return false;
    if (left->data[1] != 'u') {
        cut(left, 2);
        return true;
    }
    if (left->size < 6 || decode_hex(span_of(left->data + 2, 4), pair, 2) != STATUS_OK)
        return false;
    cut(left, 6);
    return true;
}

/* Where bytes of w that are zero have their highest bit set; bytes behind them may, too. */
static uint64_t zeros(uint64_t w) {
    return (w - ONES) & ~w & HIGHS;
}

/* How many of eight bytes of a string stand for themselves, from the first on. Of the marks only
 * the first is sure, which is all that is looked at. */
static size_t plain_of_eight(const char *at) {
    uint64_t w;
    memcpy(&w, at, sizeof w);
    w = le64toh(w);
    uint64_t marks =
        (zeros(w ^ ONES * '"') | zeros(w ^ ONES * '\\') | ((w - ONES * ' ') & ~w) | w) & HIGHS;
    return marks != 0 ? (size_t)__builtin_ctzll(marks) / 8 : 8;
}

static bool skip_string(struct span *left) {
    if (left->size == 0 || left->data[0] != '"')
        return false;
    cut(left, 1);
    for (;;) {
        for (size_t plain = 8; left->size >= 8 && plain == 8;) {
            plain = plain_of_eight(left->data);
            cut(left, plain);
        }
        if (left->size == 0 || left->data[0] == '"')
            break;
        if (left->data[0] == '\\') {
            if (!skip_escape(left))
                return false;
            continue;
        }
        size_t size = encode_utf8_size(left->data, left->size);
        if (size == 0 || (unsigned char)left->data[0] < ' ')
            return false;
        cut(left, size);
    }
    if (left->size == 0)
        return false;
    cut(left, 1);
    return true;
}

static bool skip_digits(struct span *left) {
    size_t size = 0;
    while (size < left->size && is_digit(left->data[size]))
        size++;
    cut(left, size);
    return size != 0;
}

static bool take_one_of(struct span *left, const char *set) {
    if (left->size == 0 || strchr(set, left->data[0]) == NULL || left->data[0] == '\0')
        return false;
    cut(left, 1);
    return true;
}

static bool skip_number(struct span *left) {
    (void)take_one_of(left, "-");
    if (!take_one_of(left, "0") && !skip_digits(left))
        return false;
    if (take_one_of(left, ".") && !skip_digits(left))
        return false;
    if (take_one_of(left, "eE")) {
        (void)take_one_of(left, "+-");
        return skip_digits(left);
    }
    return true;
}

static bool skip_word(struct span *left) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (span_starts(*left, span_of_text(words[i]))) {
            cut(left, strlen(words[i]));
            return true;
        }
    }
    return false;
}

static bool skip_value(struct span *left, unsigned depth);

/* Behind the opening bracket, up to and with the closing one. */
static bool skip_items(struct span *left, char close, unsigned depth) {
    if (take(left, close))
        return true;
    do {
        skip_space(left);
        if (close == '}' && !(skip_string(left) && take(left, ':')))
            return false;
        if (!skip_value(left, depth))
            return false;
    } while (take(left, ','));
    return take(left, close);
}

static bool skip_value(struct span *left, unsigned depth) {
    skip_space(left);
    if (left->size == 0 || depth == 0)
        return false;
    char first = left->data[0];
    if (first == '{' || first == '[') {
        cut(left, 1);
        return skip_items(left, first == '{' ? '}' : ']', depth - 1);
    }
    if (first == '"')
        return skip_string(left);
    return first == '-' || is_digit(first) ? skip_number(left) : skip_word(left);
}

/* A value with what it is. */
static bool cut_value(struct span *left, struct span *value) {
    skip_space(left);
    struct span from = *left;
    if (!skip_value(left, JSON_SCAN_DEPTH))
        return false;
    *value = span_of(from.data, from.size - left->size);
    return true;
}

/* ---- objects and arrays */

static bool keep(const struct json_wanted *wanted, size_t count, struct span name,
                 struct span value) {
    for (size_t i = 0; i < count; i++) {
        if (name.size == 0 || name.data[0] != wanted[i].name[0] || !span_is(name, wanted[i].name))
            continue;
        if (span_present(*wanted[i].value))
            return false;
        *wanted[i].value = value;
    }
    return true;
}

bool json_scan_object(struct span text, const struct json_wanted *wanted, size_t count) {
    struct span left = text, name, value;
    for (size_t i = 0; i < count; i++)
        *wanted[i].value = SPAN_NONE;
    if (!take(&left, '{'))
        return false;
    if (!take(&left, '}')) {
        do {
            skip_space(&left);
            struct span from = left;
            if (!skip_string(&left))
                return false;
            name = span_of(from.data + 1, from.size - left.size - 2);
            if (!take(&left, ':') || !cut_value(&left, &value) || !keep(wanted, count, name, value))
                return false;
        } while (take(&left, ','));
        if (!take(&left, '}'))
            return false;
    }
    skip_space(&left);
    return left.size == 0;
}

bool json_scan_element(struct span *left, struct span *value) {
    struct span at = *left;
    bool first = take(&at, '[');
    if (take(&at, ']')) { /* after a value, or of an empty array */
        skip_space(&at);
        if (at.size == 0)
            *left = at;
        return false;
    }
    if ((!first && !take(&at, ',')) || !cut_value(&at, value))
        return false;
    *left = at;
    return true;
}

bool json_scan_text(struct span value, struct span *out) {
    if (value.size < 2 || value.data[0] != '"')
        return false;
    *out = span_of(value.data + 1, value.size - 2);
    return true;
}

bool json_scan_number(struct span value, uint64_t *out) {
    return decode_decimal(value, out) == STATUS_OK;
}
