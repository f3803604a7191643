/* The pull reader: what is JSON and what is not, with the byte that is wrong; exact values; and
 * that one error ends it all. Every text is given in memory of its exact size. */
// SPDX-License-Identifier: Apache-2.0
#include "support_base.h"

#include "api/stream.h"
#include "base/limits.h"

struct reading {
    struct arena arena;
    struct api_json_stream in;
    char *text;
};

static struct api_json_stream *begin(struct reading *r, struct span text) {
    *r = (struct reading){.text = malloc(text.size != 0 ? text.size : 1)};
    memcpy(r->text, text.data, text.size);
    api_stream_begin(&r->in, &r->arena, span_of(r->text, text.size));
    return &r->in;
}

static void end(struct reading *r) {
    arena_release(&r->arena);
    free(r->text);
}

/* ---- the grammar */

struct refused {
    struct span text;
    size_t at;
    const char *why;
};

#define NO_VALUE "a value is expected"
#define NO_END "a string does not end"
#define NO_UTF8 "a string is not UTF-8"
#define NO_ESCAPE "a string has a wrong escape"
#define FOLLOWS "something follows the value"
static const struct refused refused[] = {
    {SPAN(""), 0, NO_VALUE},
    {SPAN(" \n"), 2, NO_VALUE},
    {SPAN("\xef\xbb\xbf{}"), 0, NO_VALUE}, /* a byte order mark */
    {SPAN("'a'"), 0, NO_VALUE},
    {SPAN("True"), 0, NO_VALUE},
    {SPAN("tru"), 0, NO_VALUE},
    {SPAN("nulL"), 0, NO_VALUE},
    {SPAN("nulll"), 4, FOLLOWS},
    {SPAN("{}{}"), 2, FOLLOWS},
    {SPAN("1 2"), 2, FOLLOWS},
    {SPAN("1\0"), 1, FOLLOWS},
    {SPAN("\f1"), 0, NO_VALUE},
    {SPAN("NaN"), 0, NO_VALUE},
    {SPAN("+1"), 0, NO_VALUE},
    {SPAN("-"), 1, NO_VALUE},
    {SPAN("01"), 2, NO_VALUE},
    {SPAN(".5"), 0, NO_VALUE},
    {SPAN("-a"), 1, NO_VALUE},
    {SPAN("0x1"), 1, FOLLOWS},
    {SPAN("1."), 2, "a number has no digits after its point"},
    {SPAN("1.e3"), 2, "a number has no digits after its point"},
    {SPAN("1e"), 2, "a number has no digits in its exponent"},
    {SPAN("1e+"), 3, "a number has no digits in its exponent"},
    {SPAN("\"abc"), 4, NO_END},
    {SPAN("\"abc\\\""), 6, NO_END},
    {SPAN("\"abcdefgh\\"), 9, NO_ESCAPE},
    {SPAN("\"\\x\""), 1, NO_ESCAPE},
    {SPAN("\"\\\0\""), 1, NO_ESCAPE},
    {SPAN("\"\\u12g4\""), 1, NO_ESCAPE},
    {SPAN("\"\\u12"), 1, NO_ESCAPE},
    {SPAN("\"\\ud800\""), 1, NO_ESCAPE},
    {SPAN("\"\\udc00\""), 1, NO_ESCAPE},
    {SPAN("\"\\udc00\\ud800\""), 1, NO_ESCAPE},
    {SPAN("\"\\udc00\\udc00\""), 1, NO_ESCAPE},
    {SPAN("\"\\ud800\\ud800\""), 1, NO_ESCAPE},
    {SPAN("\"\\ud800abcdef\""), 1, NO_ESCAPE},
    {SPAN("\"\\ud800\\udc0"), 1, NO_ESCAPE},
    {SPAN("\"a\nb\""), 2, "a string has a control character"},
    {SPAN("\"abcdefghij\0\""), 11, "a string has a control character"},
    {SPAN("\"abcdefg\x1f\""), 8, "a string has a control character"},
    {SPAN("\"\x80\""), 1, NO_UTF8},
    {SPAN("\"abcdefghijk\xc0\xaf\""), 12, NO_UTF8},
    {SPAN("\"\xe0\x80\xaf\""), 1, NO_UTF8},
    {SPAN("\"\xed\xa0\x80\""), 1, NO_UTF8},
    {SPAN("\"\xf4\x90\x80\x80\""), 1, NO_UTF8},
    {SPAN("\"\xe2\x82\""), 1, NO_UTF8},
    {SPAN("\"\xe2\x82"), 1, NO_UTF8},
    {SPAN("[1,]"), 3, NO_VALUE},
    {SPAN("[,1]"), 1, NO_VALUE},
    {SPAN("[1,,2]"), 3, NO_VALUE},
    {SPAN("["), 1, NO_VALUE},
    {SPAN("]"), 0, NO_VALUE},
    {SPAN("[1"), 2, "',' or ']' is expected"},
    {SPAN("[1 2]"), 3, "',' or ']' is expected"},
    {SPAN("[1}"), 2, "',' or ']' is expected"},
    {SPAN("[{\"a\":[]]]"), 8, "',' or '}' is expected"},
    {SPAN("{\"a\":1]"), 6, "',' or '}' is expected"},
    {SPAN("{\"a\":1 \"b\":2}"), 7, "',' or '}' is expected"},
    {SPAN("{\"a\":1,}"), 7, "a string is expected"},
    {SPAN("{1:1}"), 1, "a string is expected"},
    {SPAN("{a:1}"), 1, "a string is expected"},
    {SPAN("{"), 1, "a string is expected"},
    {SPAN("{/**/}"), 1, "a string is expected"},
    {SPAN("{\"a\" 1}"), 5, "':' is expected"},
    {SPAN("{\"a\"}"), 4, "':' is expected"},
    {SPAN("{\"a\":}"), 5, NO_VALUE},
    {SPAN("[{\"a\":[1,{\"b\":tru}]}]"), 14, NO_VALUE},
};

static void what_is_no_json_is_refused_at_its_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct reading r;
        struct api_json_stream *in = begin(&r, refused[i].text);
        api_stream_skip(in);
        if (api_stream_end(in) || in->error_at != refused[i].at ||
            strcmp(in->error, refused[i].why) != 0)
            fail_msg("%zu, \"%.*s\": %s at %zu", i, SPAN_ARG(refused[i].text), in->error,
                     in->error_at);
        end(&r);
    }
}

static void what_is_json_is_skipped_as_it_stands(void **state) {
    (void)state;
    static const char *const accepted[] = {
        "0",
        "-0.0e-0",
        "1E+2",
        "123456789012345678901234567890",
        "0e9999999999999",
        "true",
        "false",
        "null",
        "\"\"",
        "\"\x7f\"",
        "\"\\u0000\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\ud83d\\ude00 \\uDBFF\\uDFFF\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        "[[],{}]",
        "[ 1 ,\t2\r\n]",
        "{ \"a\" : 1 , \"a\" : { \"b\" : [ { } ] } }",
        "[{\"a\":[{\"b\":[1,{\"c\":[]}]},2]},[[],{}],\"x\"]",
    };
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct reading r;
        struct buffer text = {0};
        buffer_append_format(&text, " \r\n\t%s\t ", accepted[i]);
        struct api_json_stream *in = begin(&r, buffer_span(&text));
        assert_span(api_stream_skip(in), accepted[i]);
        if (!api_stream_end(in))
            fail_msg("%s: %s at %zu", accepted[i], in->error, in->error_at);
        end(&r);
        buffer_release(&text);
    }
}

static void nesting_ends_at_32(void **state) {
    (void)state;
    static const char open[][6] = {"[", "{\"a\":"}, close[][2] = {"]", "}"};
    for (unsigned objects = 0; objects < 2; objects++) {
        for (unsigned depth = LIMIT_STREAM_DEPTH; depth <= LIMIT_STREAM_DEPTH + 1; depth++) {
            struct reading r;
            struct buffer text = {0};
            for (unsigned i = 0; i < depth; i++)
                buffer_append_text(&text, open[objects]);
            buffer_append_text(&text, "1");
            for (unsigned i = 0; i < depth; i++)
                buffer_append_text(&text, close[objects]);
            struct api_json_stream *in = begin(&r, buffer_span(&text));
            api_stream_skip(in);
            assert_int_equal(api_stream_end(in), depth == LIMIT_STREAM_DEPTH);
            if (depth > LIMIT_STREAM_DEPTH) {
                assert_string_equal(in->error, "the text nests too deep");
                assert_int_equal(in->error_at, LIMIT_STREAM_DEPTH * strlen(open[objects]));
            }
            end(&r);
            buffer_release(&text);
        }
    }
}

/* ---- values */

struct number {
    const char *text;
    int64_t floor;
    bool fraction;
};

static void a_number_is_its_floor_and_whether_more(void **state) {
    (void)state;
    static const struct number numbers[] = {
        {"0", 0, false},
        {"-0", 0, false},
        {"-0.0", 0, false},
        {"42", 42, false},
        {"-42", -42, false},
        {"1.5", 1, true},
        {"-1.5", -2, true},
        {"-0.5", -1, true},
        {"2.000", 2, false},
        {"1e3", 1000, false},
        {"1.5e1", 15, false},
        {"1.25E+1", 12, true},
        {"1250e-2", 12, true},
        {"1200e-2", 12, false},
        {"-1250e-2", -13, true},
        {"0.001e3", 1, false},
        {"0.0019e3", 1, true},
        {"1e-5", 0, true},
        {"-1e-5", -1, true},
        {"0e99999999999999999999", 0, false},
        {"0.000e-99999999999999999999", 0, false},
        {"1e-99999999999999999999", 0, true},
        {"9223372036854775807", INT64_MAX, false},
        {"9223372036854775807.5", INT64_MAX, true},
        {"9223372036854775808", INT64_MAX, true},
        {"92233720368547758070", INT64_MAX, true},
        {"922337203685477580.7e1", INT64_MAX, false},
        {"1e99999999999999999999", INT64_MAX, true},
        {"123456789012345678901234567890e-20", 1234567890, true},
        {"-9223372036854775808", INT64_MIN, false},
        {"-9223372036854775807.5", INT64_MIN, true},
        {"-9223372036854775808.5", INT64_MIN, true},
        {"-9223372036854775809", INT64_MIN, true},
        {"-1e400", INT64_MIN, true},
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct reading r;
        struct api_json_stream *in = begin(&r, span_of_text(numbers[i].text));
        assert_int_equal(api_stream_kind(in), API_JSON_NUMBER);
        struct api_json_number n = api_stream_number(in);
        if (!api_stream_end(in) || n.floor != numbers[i].floor || n.fraction != numbers[i].fraction)
            fail_msg("%s: %ld %d", numbers[i].text, (long)n.floor, n.fraction);
        end(&r);
    }
}

struct string {
    const char *text;
    struct span value;
    bool borrowed;
};

static void a_string_is_borrowed_unless_it_has_escapes(void **state) {
    (void)state;
    static const struct string strings[] = {
        {"\"\"", SPAN(""), true},
        {"\"a\"", SPAN("a"), true},
        {"\"seven..\"", SPAN("seven.."), true},
        {"\"eight...\"", SPAN("eight..."), true},
        {"\"sixteen and more \xc3\xa9 after\"", SPAN("sixteen and more \xc3\xa9 after"), true},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", SPAN("\"\\/\b\f\n\r\t"), false},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", SPAN("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         false},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\udbff\\udfff\"",
         SPAN("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf"), false},
        {"\"before \\u0000 after \xc3\xa9\"", SPAN("before \0 after \xc3\xa9"), false},
    };
    for (size_t i = 0; i < COUNT(strings); i++) {
        struct reading r;
        struct api_json_stream *in = begin(&r, span_of_text(strings[i].text));
        struct span value = api_stream_string(in);
        assert_true(api_stream_end(in));
        if (!span_equal(value, strings[i].value))
            fail_msg("%s is \"%.*s\"", strings[i].text, SPAN_ARG(value));
        assert_int_equal(value.data == r.text + 1, strings[i].borrowed);
        end(&r);
    }
}

static void members_and_items_come_in_order(void **state) {
    (void)state;
    struct reading r;
    struct span name;
    struct api_json_stream *in =
        begin(&r, SPAN(" { \"n\\u0061me\" : \"x\" , \"list\":[true, false ,[] , 7,null], "
                       "\"skipped\":{\"a\":[1]}, \"list\":{} } "));
    assert_int_equal(api_stream_kind(in), API_JSON_OBJECT);
    api_stream_object(in);
    assert_true(api_stream_member(in, &name));
    assert_span(name, "name");
    assert_int_equal(api_stream_kind(in), API_JSON_STRING);
    assert_span(api_stream_string(in), "x");
    assert_true(api_stream_member(in, &name));
    assert_span(name, "list");
    assert_int_equal(api_stream_kind(in), API_JSON_ARRAY);
    api_stream_array(in);
    assert_true(api_stream_item(in));
    assert_int_equal(api_stream_kind(in), API_JSON_TRUTH);
    assert_true(api_stream_truth(in));
    assert_true(api_stream_item(in));
    assert_false(api_stream_truth(in));
    assert_true(api_stream_item(in));
    api_stream_array(in);
    assert_false(api_stream_item(in));
    assert_true(api_stream_item(in));
    assert_int_equal(api_stream_number(in).floor, 7);
    assert_true(api_stream_item(in));
    assert_int_equal(api_stream_kind(in), API_JSON_NULL);
    assert_span(api_stream_skip(in), "null");
    assert_false(api_stream_item(in));
    assert_true(api_stream_member(in, NULL));
    assert_span(api_stream_skip(in), "{\"a\":[1]}");
    assert_true(api_stream_member(in, &name));
    assert_span(name, "list");
    api_stream_object(in);
    assert_false(api_stream_member(in, &name));
    assert_false(api_stream_member(in, &name));
    assert_true(api_stream_end(in));
    end(&r);
}

/* ---- errors */

static void a_value_read_as_another_kind_is_an_error(void **state) {
    (void)state;
    static const char *const values[] = {"{}", "[]", "\"a\"", "1", "true", "null"};
    static const char *const whys[] = {"an object is expected", "an array is expected",
                                       "a string is expected", NO_VALUE, NO_VALUE};
    for (size_t v = 0; v < COUNT(values); v++) {
        for (size_t as = 0; as < COUNT(whys); as++) {
            struct reading r;
            struct api_json_stream *in = begin(&r, span_of_text(values[v]));
            if (as == 0)
                api_stream_object(in), assert_false(api_stream_member(in, NULL));
            else if (as == 1)
                api_stream_array(in), assert_false(api_stream_item(in));
            else if (as == 2)
                assert_int_equal(span_present(api_stream_string(in)), v == 2);
            else if (as == 3)
                assert_int_equal(api_stream_number(in).floor, v == 3);
            else
                assert_int_equal(api_stream_truth(in), v == 4);
            assert_int_equal(api_stream_end(in), as == v);
            if (as != v)
                assert_string_equal(in->error, whys[as]);
            end(&r);
        }
    }
}

static void after_an_error_there_is_nothing(void **state) {
    (void)state;
    struct reading r;
    struct span name;
    struct api_json_stream *in = begin(&r, SPAN("{\"a\":x,\"b\":[1,2]}"));
    api_stream_object(in);
    assert_true(api_stream_member(in, &name));
    assert_int_equal(api_stream_kind(in), API_JSON_NONE);
    assert_false(span_present(api_stream_skip(in)));
    assert_false(api_stream_member(in, &name));
    assert_false(api_stream_item(in));
    assert_false(span_present(api_stream_string(in)));
    assert_int_equal(api_stream_number(in).floor, 0);
    assert_false(api_stream_truth(in));
    assert_int_equal(api_stream_kind(in), API_JSON_NONE);
    assert_false(api_stream_end(in));
    assert_string_equal(in->error, NO_VALUE); /* the first */
    assert_int_equal(in->error_at, 5);
    end(&r);
}

static void a_value_that_was_not_read_is_an_error(void **state) {
    (void)state;
    struct reading r;
    struct api_json_stream *in = begin(&r, SPAN("[1,2]"));
    assert_false(api_stream_end(in));
    end(&r);
    in = begin(&r, SPAN("[1,2]"));
    api_stream_array(in);
    assert_true(api_stream_item(in));
    assert_false(api_stream_item(in)); /* the 1 stands where the comma should */
    assert_false(api_stream_end(in));
    end(&r);
    in = begin(&r, SPAN("[]"));
    api_stream_array(in);
    assert_false(api_stream_end(in)); /* not left */
    end(&r);
    in = begin(&r, SPAN("["));
    api_stream_array(in);
    assert_false(api_stream_end(in));
    end(&r);
    in = begin(&r, SPAN("[1"));
    api_stream_array(in);
    assert_true(api_stream_item(in));
    assert_int_equal(api_stream_number(in).floor, 1);
    assert_false(api_stream_end(in));
    end(&r);
    in = begin(&r, SPAN(" "));
    assert_false(api_stream_end(in));
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_refused_at_its_byte),
        cmocka_unit_test(what_is_json_is_skipped_as_it_stands),
        cmocka_unit_test(nesting_ends_at_32),
        cmocka_unit_test(a_number_is_its_floor_and_whether_more),
        cmocka_unit_test(a_string_is_borrowed_unless_it_has_escapes),
        cmocka_unit_test(members_and_items_come_in_order),
        cmocka_unit_test(a_value_read_as_another_kind_is_an_error),
        cmocka_unit_test(after_an_error_there_is_nothing),
        cmocka_unit_test(a_value_that_was_not_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
