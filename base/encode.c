/* base64url, base64, hex and decimal, strict; UTF-8 validity. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode64(const void *data, size_t size, char *out, const char *alphabet) {
    const unsigned char *in = data;
    char *at = out;
    for (; size >= 3; size -= 3, in += 3) {
        *at++ = alphabet[in[0] >> 2];
        *at++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *at++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *at++ = alphabet[in[2] & 63];
    }
    if (size == 0)
        return (size_t)(at - out);
    unsigned second = size == 2 ? in[1] : 0;
    *at++ = alphabet[in[0] >> 2];
    *at++ = alphabet[(in[0] & 3) << 4 | second >> 4];
    if (size == 2)
        *at++ = alphabet[(second & 15) << 2];
    return (size_t)(at - out);
}

size_t encode_base64url(const void *data, size_t size, char *out) {
    return encode64(data, size, out, base64url);
}

size_t encode_base64(const void *data, size_t size, char *out) {
    size_t written = encode64(data, size, out, base64);
    while (written % 4 != 0)
        out[written++] = '=';
    return written;
}

size_t encode_hex(const void *data, size_t size, char *out) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    return size * 2;
}

size_t encode_decimal(uint64_t value, char out[ENCODE_DECIMAL_SIZE]) {
    char digits[ENCODE_DECIMAL_SIZE];
    char *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    size_t size = (size_t)(digits + sizeof digits - at);
    memcpy(out, at, size);
    return size;
}

enum status decode_decimal(struct span text, uint64_t *out) {
    uint64_t number = 0;
    if (text.size == 0 || text.size > ENCODE_DECIMAL_SIZE || (text.size > 1 && text.data[0] == '0'))
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (text.data[i] < '0' || text.data[i] > '9' || number > (UINT64_MAX - digit) / 10)
            return STATUS_INVALID_PARAMETER;
        number = number * 10 + digit;
    }
    *out = number;
    return STATUS_OK;
}

/* One more than the value of a digit, 0 for what is none: a log that is verified has four of these
 * texts an entry. */
#define COMMON                                                                                     \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,            \
    ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,            \
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,            \
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51,            \
    ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,            \
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
static const unsigned char digits64[256] = {COMMON, ['+'] = 63, ['/'] = 64};
static const unsigned char digits64url[256] = {COMMON, ['-'] = 63, ['_'] = 64};

/* Digits without padding, the unused bits of the last one zero. */
static bool valid64(struct span text, const unsigned char digits[256]) {
    const unsigned char *from = (const unsigned char *)text.data;
    bool wrong = text.size % 4 == 1;
    for (size_t i = 0; i < text.size; i++)
        wrong |= digits[from[i]] == 0;
    unsigned unused = text.size % 4 == 2 ? 15 : text.size % 4 == 3 ? 3 : 0;
    return !wrong && (unused == 0 || ((digits[from[text.size - 1]] - 1U) & unused) == 0);
}

static enum status decode64(struct span text, const unsigned char digits[256], void *out,
                            size_t capacity, size_t *out_size) {
    const unsigned char *from = (const unsigned char *)text.data;
    size_t size = text.size / 4 * 3 + (text.size % 4 != 0 ? text.size % 4 - 1 : 0);
    if (size > capacity || !valid64(text, digits))
        return STATUS_INVALID_PARAMETER;
    unsigned char *at = out;
    for (size_t left = text.size; left > 0;) {
        size_t count = left < 4 ? left : 4;
        uint32_t bits = 0;
        for (size_t i = 0; i < 4; i++)
            bits = bits << 6 | (i < count ? digits[from[i]] - 1U : 0);
        for (size_t i = 0; i + 1 < count; i++)
            *at++ = (unsigned char)(bits >> (16 - 8 * i));
        from += count;
        left -= count;
    }
    *out_size = size;
    return STATUS_OK;
}

enum status decode_base64url(struct span text, void *out, size_t capacity, size_t *out_size) {
    return decode64(text, digits64url, out, capacity, out_size);
}

/* What stands before the padding of a text whose size is a multiple of four. */
static struct span unpadded(struct span text) {
    if (text.size != 0 && text.data[text.size - 1] == '=')
        text.size -= text.data[text.size - 2] == '=' ? 2 : 1;
    return text;
}

bool encode_base64_valid(struct span text) {
    return text.size % 4 == 0 && valid64(unpadded(text), digits64);
}

enum status decode_base64(struct span text, void *out, size_t capacity, size_t *out_size) {
    if (text.size % 4 != 0)
        return STATUS_INVALID_PARAMETER;
    return decode64(unpadded(text), digits64, out, capacity, out_size);
}

/* One more than the value of a digit, 0 for what is none: ids are read all the time. */
static const unsigned char digits16[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

enum status decode_hex(struct span text, void *out, size_t size) {
    const unsigned char *from = (const unsigned char *)text.data;
    unsigned char *at = out;
    bool wrong = text.size != 2 * size;
    for (size_t i = 0; i < text.size && !wrong; i++)
        wrong = digits16[from[i]] == 0;
    if (wrong)
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)((digits16[from[2 * i]] - 1) << 4 | (digits16[from[2 * i + 1]] - 1));
    return STATUS_OK;
}

size_t encode_utf8_size(const char *text, size_t left) {
    const unsigned char *at = (const unsigned char *)text;
    unsigned char c = at[0];
    if (c >= 0x01 && c <= 0x7f)
        return 1;
    size_t size = c >= 0xc2 && c <= 0xdf   ? 2
                  : c >= 0xe0 && c <= 0xef ? 3
                  : c >= 0xf0 && c <= 0xf4 ? 4
                                           : 0;
    if (size == 0 || left < size)
        return 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return size;
}

/* Eight bytes of 0x01 to 0x7f: most of what is ever looked at. */
static bool eight_of_ascii(const char *at) {
    uint64_t word, low = UINT64_C(0x0101010101010101), high = low << 7;
    memcpy(&word, at, sizeof word);
    return (((word - low) | word) & high) == 0;
}

bool encode_utf8_valid(struct span text) {
    const char *at = text.data;
    for (size_t left = text.size; left > 0;) {
        size_t size = left >= 8 && eight_of_ascii(at) ? 8 : encode_utf8_size(at, left);
        if (size == 0)
            return false;
        at += size;
        left -= size;
    }
    return true;
}
