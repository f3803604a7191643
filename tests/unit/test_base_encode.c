/* base64, base64url and hex with the vectors of RFC 4648, and what a strict reader refuses; UTF-8
 * over every code point and the classic forms that are none. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

static const struct {
    const char *plain, *base64, *base64url;
} rfc4648[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/", "-_-_"},
};

static void the_vectors_of_rfc_4648_are_written(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rfc4648); i++) {
        char out[16];
        size_t size = strlen(rfc4648[i].plain);
        assert_span(span_of(out, encode_base64(rfc4648[i].plain, size, out)), rfc4648[i].base64);
        assert_int_equal(strlen(rfc4648[i].base64), ENCODE_BASE64_SIZE(size));
        assert_span(span_of(out, encode_base64url(rfc4648[i].plain, size, out)),
                    rfc4648[i].base64url);
        assert_int_equal(strlen(rfc4648[i].base64url), ENCODE_BASE64URL_SIZE(size));
    }
}

static void base64url_is_read_back(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rfc4648); i++) {
        char out[8];
        size_t size = 99;
        assert_int_equal(decode_base64url(span_of_text(rfc4648[i].base64url), out,
                                          strlen(rfc4648[i].plain), &size),
                         STATUS_OK);
        assert_span(span_of(out, size), rfc4648[i].plain);
    }
}

static void base64_is_read_back_with_its_padding(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rfc4648); i++) {
        char out[8];
        size_t size = 99;
        struct span text = span_of_text(rfc4648[i].base64);
        assert_int_equal(decode_base64(text, out, strlen(rfc4648[i].plain), &size), STATUS_OK);
        assert_span(span_of(out, size), rfc4648[i].plain);
        assert_true(encode_base64_valid(text));
    }
}

static void what_is_no_base64_is_refused(void **state) {
    static const char *const bad[] = {
        "A",      "AAAAA", "Zg",   "Zg=",    "Zm8",      "Zg===", "Zm9v=", "Zm9v====",
        "====",   "Z===",  "=Zg=", "Zg==Zg", "Zg==Zg==", "Zh==",  "Zm9=",  "Zm 8=",
        "Zm9v\n", "-_-_",  "Zm9.", "    ",   "Zm9\x80",  " Zg==", "Zg= ",
    };
    char out[8] = "kept";
    size_t size = 42;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (decode_base64(span_of_text(bad[i]), out, sizeof out, &size) !=
                STATUS_INVALID_PARAMETER ||
            encode_base64_valid(span_of_text(bad[i])))
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(decode_base64(SPAN("Zm9vYg=="), out, 3, &size), STATUS_INVALID_PARAMETER);
    assert_string_equal(out, "kept");
    assert_int_equal(size, 42);
}

static void every_byte_survives_base64url(void **state) {
    unsigned char all[256], back[256];
    char text[ENCODE_BASE64URL_SIZE(256)];
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    for (size_t size = 0; size <= 256; size++) {
        size_t written = encode_base64url(all, size, text), read = 0;
        assert_int_equal(written, ENCODE_BASE64URL_SIZE(size));
        assert_int_equal(decode_base64url(span_of(text, written), back, size, &read), STATUS_OK);
        assert_int_equal(read, size);
        assert_memory_equal(back, all, size);
    }
}

static void what_is_no_base64url_is_refused(void **state) {
    static const char *const bad[] = {
        "A",      "AAAAA", "Zg==", "Zg=",  "Zm8=", "Zm9v=",   "Zm9v ", " Zm9v",      "Zm 9v",
        "Zm9v\n", "Zm9+",  "Zm9/", "Zm9.", "Zm9%", "Zm9\x80", "====",  "Z\xc3\xa9v",
    };
    char out[8] = "kept";
    size_t size = 42;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (decode_base64url(span_of_text(bad[i]), out, sizeof out, &size) !=
            STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(decode_base64url(SPAN("Zm9\0"), out, sizeof out, &size),
                     STATUS_INVALID_PARAMETER);
    assert_string_equal(out, "kept");
    assert_int_equal(size, 42);
}

/* Of the texts with one or two last bytes, exactly one a value is canonical: the rest would give
 * two names to the same bytes. */
static void bits_that_no_byte_uses_must_be_zero(void **state) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned taken_2 = 0, taken_3 = 0;
    (void)state;
    for (size_t last = 0; last < 64; last++) {
        const char two[] = {'Z', alphabet[last]}, three[] = {'Z', 'm', alphabet[last]};
        unsigned char out[2];
        size_t size;
        bool ok = decode_base64url(span_of(two, 2), out, 2, &size) == STATUS_OK;
        assert_int_equal(ok, last % 16 == 0);
        taken_2 += ok;
        ok = decode_base64url(span_of(three, 3), out, 2, &size) == STATUS_OK;
        assert_int_equal(ok, last % 4 == 0);
        taken_3 += ok;
    }
    assert_int_equal(taken_2, 4);
    assert_int_equal(taken_3, 16);
}

static void what_does_not_fit_is_refused(void **state) {
    unsigned char *out = mem_alloc_zeroed(1, 5);
    size_t size = 42;
    (void)state;
    assert_int_equal(decode_base64url(SPAN("Zm9vYmFy"), out, 5, &size), STATUS_INVALID_PARAMETER);
    assert_int_equal(size, 42);
    assert_int_equal(out[0], 0);
    assert_int_equal(decode_base64url(SPAN("Zm9vYmE"), out, 5, &size), STATUS_OK);
    assert_int_equal(size, 5);
    mem_free(out);
}

static void hex_is_written_lower_and_read_in_either_case(void **state) {
    unsigned char out[4] = {0};
    char text[8];
    (void)state;
    assert_int_equal(decode_hex(SPAN("00fFaB9c"), out, 4), STATUS_OK);
    assert_span(span_of(text, encode_hex(out, 4, text)), "00ffab9c");
    assert_int_equal(decode_hex(SPAN(""), out, 0), STATUS_OK);
}

static void what_is_no_hex_of_that_size_is_refused(void **state) {
    static const char *const bad[] = {"",           "0",        "00ffab9",    "00ffab9c0",
                                      "00ffab9c00", "0x00ffab", "00ffab9g",   "00ffab9G",
                                      "00ffab9/",   "00ffab9:", "00ffab9@",   "00ffab9`",
                                      " 0ffab9c",   "-0ffab9c", "00ffab9\xc3"};
    unsigned char out[4] = {1, 2, 3, 4};
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (decode_hex(span_of_text(bad[i]), out, 4) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_hex(out, 4, "01020304");
}

static void a_number_is_read_as_it_is_written(void **state) {
    static const uint64_t numbers[] = {0, 1, 9, 10, 1234067, UINT64_MAX - 1, UINT64_MAX};
    char text[ENCODE_DECIMAL_SIZE];
    uint64_t number = 5;
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        size_t size = encode_decimal(numbers[i], text);
        assert_int_equal(decode_decimal(span_of(text, size), &number), STATUS_OK);
        assert_true(number == numbers[i]);
    }
}

static void what_is_no_number_is_refused(void **state) {
    static const char *const bad[] = {"",
                                      "00",
                                      "01",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.",
                                      "0x1",
                                      "1e3",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "100000000000000000000",
                                      "1/",
                                      "1:"};
    uint64_t number = 5;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (decode_decimal(span_of_text(bad[i]), &number) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_true(number == 5);
}

/* UTF-8 of a code point by its definition, RFC 3629 section 3. */
static size_t utf8_put(uint32_t c, char out[4]) {
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(heads[size] | c);
    return size;
}

static void every_code_point_but_nul_and_surrogates_is_valid(void **state) {
    (void)state;
    for (uint32_t c = 0; c < 0x200000; c++) {
        char text[4];
        size_t size = utf8_put(c, text);
        bool valid = c != 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (encode_utf8_valid(span_of(text, size)) != valid)
            fail_msg("U+%04X", c);
    }
}

/* All pairs of bytes: valid exactly when two letters or one code point give them. */
static void a_pair_of_bytes_is_valid_as_two_letters_or_one_code_point(void **state) {
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const char text[] = {(char)a, (char)b};
            bool ascii = a >= 1 && a < 0x80 && b >= 1 && b < 0x80;
            bool two = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
            if (encode_utf8_valid(span_of(text, 2)) != (ascii || two))
                fail_msg("%02x %02x", a, b);
        }
    }
}

static void malformed_sequences_are_invalid(void **state) {
    static const struct span bad[] = {
        SPAN("\x80"),
        SPAN("\xbf"),
        SPAN("\xfe"),
        SPAN("\xff"),
        /* overlong forms of '/', NUL, U+07FF, U+FFFF */
        SPAN("\xc0\xaf"),
        SPAN("\xe0\x80\xaf"),
        SPAN("\xf0\x80\x80\xaf"),
        SPAN("\xc0\x80"),
        SPAN("\xc1\xbf"),
        SPAN("\xe0\x9f\xbf"),
        SPAN("\xf0\x8f\xbf\xbf"),
        /* surrogates, alone and as a pair (CESU-8) */
        SPAN("\xed\xa0\x80"),
        SPAN("\xed\xbf\xbf"),
        SPAN("\xed\xa0\xbd\xed\xb8\x80"),
        /* beyond U+10FFFF, five and six bytes */
        SPAN("\xf4\x90\x80\x80"),
        SPAN("\xf5\x80\x80\x80"),
        SPAN("\xf8\x88\x80\x80\x80"),
        SPAN("\xfc\x84\x80\x80\x80\x80"),
        /* cut short, at the end and in the middle */
        SPAN("\xc3"),
        SPAN("\xe2\x82"),
        SPAN("\xf0\x9f\x98"),
        SPAN("a\xc3"),
        SPAN("\xe2\x82z"),
        SPAN("\xf0\x9f\x98z"),
        SPAN("\xc3\xc3\xa9"),
        /* Latin-1, NUL inside */
        SPAN("caf\xe9"),
        SPAN("a\0b"),
        SPAN("\0"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *exact = mem_alloc(bad[i].size); /* ASan sees a read beyond it */
        memcpy(exact, bad[i].data, bad[i].size);
        if (encode_utf8_valid(span_of(exact, bad[i].size)))
            fail_msg("case %zu was taken", i);
        mem_free(exact);
    }
    assert_true(encode_utf8_valid(SPAN("")));
    assert_true(encode_utf8_valid(SPAN_NONE));
    assert_true(encode_utf8_valid(SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")));
}

/* Long runs go by words: one other byte at each place of a text of several. */
static void a_byte_that_is_no_letter_is_seen_wherever_it_stands(void **state) {
    (void)state;
    for (size_t at = 0; at < 19; at++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[19];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            if (encode_utf8_valid(span_of(text, sizeof text)) != (c >= 1 && c < 0x80))
                fail_msg("%02x at %zu", c, at);
        }
    }
}

static void decimals_are_written_as_printf_does(void **state) {
    char out[ENCODE_DECIMAL_SIZE], expected[32];
    uint64_t value = UINT64_MAX;
    (void)state;
    for (int i = 0; i < 65; i++, value >>= 1) {
        int size = snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
        assert_int_equal(encode_decimal(value, out), size);
        assert_memory_equal(out, expected, (size_t)size);
    }
    for (uint64_t power = 1; power < UINT64_C(10000000000000000000); power *= 10) {
        int size = snprintf(expected, sizeof expected, "%llu", (unsigned long long)power);
        assert_int_equal(encode_decimal(power, out), size);
        assert_memory_equal(out, expected, (size_t)size);
        assert_int_equal(encode_decimal(power - 1, out), power == 1 ? 1 : size - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_are_written),
        cmocka_unit_test(base64url_is_read_back),
        cmocka_unit_test(base64_is_read_back_with_its_padding),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(every_byte_survives_base64url),
        cmocka_unit_test(what_is_no_base64url_is_refused),
        cmocka_unit_test(bits_that_no_byte_uses_must_be_zero),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(hex_is_written_lower_and_read_in_either_case),
        cmocka_unit_test(what_is_no_hex_of_that_size_is_refused),
        cmocka_unit_test(a_number_is_read_as_it_is_written),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(every_code_point_but_nul_and_surrogates_is_valid),
        cmocka_unit_test(a_pair_of_bytes_is_valid_as_two_letters_or_one_code_point),
        cmocka_unit_test(malformed_sequences_are_invalid),
        cmocka_unit_test(decimals_are_written_as_printf_does),
        cmocka_unit_test(a_byte_that_is_no_letter_is_seen_wherever_it_stands),
    };
    return cmocka_run_group_tests_name("base/encode", tests, NULL, NULL);
}
