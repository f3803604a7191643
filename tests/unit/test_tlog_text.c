/* Lines, numbers and hashes: one text for one value, and what cannot be read is left where it was.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_merkle.h"

#include "tlog/text.h"

#define HASH "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"

static void a_line_ends_in_its_newline(void **state) {
    struct span left = SPAN("one\n\nthree"), line;
    (void)state;
    assert_int_equal(tlog_text_line(&left, &line), STATUS_OK);
    assert_span(line, "one");
    assert_int_equal(tlog_text_line(&left, &line), STATUS_OK);
    assert_span(line, "");
    assert_int_equal(tlog_text_line(&left, &line), STATUS_INVALID_PARAMETER);
    assert_span(left, "three");
    assert_span(line, "");
    left = SPAN_NONE;
    assert_int_equal(tlog_text_line(&left, &line), STATUS_INVALID_PARAMETER);
}

static void a_number_is_decimal_below_two_to_the_63rd(void **state) {
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"n 0\n", 0}, {"n 9\n", 9}, {"n 10\n", 10}, {"n 9223372036854775807\n", INT64_MAX}};
    static const char *const bad[] = {"n \n",
                                      "n 00\n",
                                      "n 01\n",
                                      "n 1",
                                      "n1\n",
                                      "1\n",
                                      "n -1\n",
                                      "n +1\n",
                                      "n  1\n",
                                      "n 1 \n",
                                      "n 1a\n",
                                      "n /\n",
                                      "n :\n",
                                      "n 9223372036854775808\n",
                                      "n 9223372036854775810\n",
                                      "n 18446744073709551616\n",
                                      "n 99999999999999999999\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct span left = span_of_text(good[i].text);
        struct buffer written = {0};
        uint64_t value = 42;
        assert_int_equal(tlog_text_number(&left, SPAN("n "), &value), STATUS_OK);
        assert_true(value == good[i].value && left.size == 0);
        tlog_text_put_number(&written, SPAN("n "), value);
        assert_span(buffer_span(&written), good[i].text);
        buffer_release(&written);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct span left = span_of_text(bad[i]);
        uint64_t value = 42;
        if (tlog_text_number(&left, SPAN("n "), &value) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(value == 42);
        assert_span(left, bad[i]);
    }
}

static void a_hash_is_32_bytes_in_one_line(void **state) {
    static const char *const bad[] = {
        "\n",     "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=", " " HASH, "AAAA" HASH,
        "AAAA\n", "jQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"};
    struct span left = SPAN(HASH "rest");
    struct digest hash = {{0}}, kept = {{42}};
    struct buffer written = {0};
    (void)state;
    assert_int_equal(tlog_text_hash(&left, &hash), STATUS_OK);
    assert_hex(hash.bytes, DIGEST_SIZE,
               "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_span(left, "rest");
    tlog_text_put_hash(&written, &hash);
    assert_span(buffer_span(&written), HASH);
    buffer_release(&written);
    for (size_t i = 0; i < COUNT(bad); i++) {
        left = span_of_text(bad[i]);
        hash = kept;
        assert_int_equal(tlog_text_hash(&left, &hash), STATUS_INVALID_PARAMETER);
        assert_span(left, bad[i]);
        assert_true(digest_equal(&hash, &kept));
    }
}

static void a_path_ends_in_an_empty_line(void **state) {
    static const char *const bad[] = {"", HASH, HASH HASH "x\n\n", HASH HASH HASH "\n", "x\n\n"};
    struct span left = SPAN(HASH HASH "\nrest");
    struct tlog_path path;
    struct buffer written = {0};
    (void)state;
    assert_int_equal(tlog_text_path(&left, 2, &path), STATUS_OK);
    assert_int_equal(path.count, 2);
    assert_span(left, "rest");
    tlog_text_put_path(&written, &path);
    assert_span(buffer_span(&written), HASH HASH "\n");
    buffer_release(&written);
    left = SPAN("\n");
    assert_int_equal(tlog_text_path(&left, 0, &path), STATUS_OK);
    assert_int_equal(path.count, 0);
    path.count = 42;
    for (size_t i = 0; i < COUNT(bad); i++) {
        left = span_of_text(bad[i]);
        assert_int_equal(tlog_text_path(&left, 2, &path), STATUS_INVALID_PARAMETER);
        assert_span(left, bad[i]);
        assert_int_equal(path.count, 42);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_in_its_newline),
        cmocka_unit_test(a_number_is_decimal_below_two_to_the_63rd),
        cmocka_unit_test(a_hash_is_32_bytes_in_one_line),
        cmocka_unit_test(a_path_ends_in_an_empty_line),
    };
    return cmocka_run_group_tests_name("tlog/text", tests, NULL, NULL);
}
