/* The JSON writer, character by character; strings as Python's json.dumps writes them. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include "base/json_out.h"

static int begin(void **state) {
    static struct buffer buffer;
    *state = &buffer;
    return 0;
}

static int release(void **state) {
    buffer_release(*state);
    return 0;
}

static void assert_string_as(struct buffer *buffer, struct span text, const char *json) {
    buffer_clear(buffer);
    struct json_out out = json_out_to(buffer);
    json_out_string(&out, text);
    assert_span(buffer_span(buffer), json);
}

/* json.dumps(chr(c), ensure_ascii=False) for c = 0 … 31 */
static const char *const control[32] = {
    "\"\\u0000\"", "\"\\u0001\"", "\"\\u0002\"", "\"\\u0003\"", "\"\\u0004\"", "\"\\u0005\"",
    "\"\\u0006\"", "\"\\u0007\"", "\"\\b\"",     "\"\\t\"",     "\"\\n\"",     "\"\\u000b\"",
    "\"\\f\"",     "\"\\r\"",     "\"\\u000e\"", "\"\\u000f\"", "\"\\u0010\"", "\"\\u0011\"",
    "\"\\u0012\"", "\"\\u0013\"", "\"\\u0014\"", "\"\\u0015\"", "\"\\u0016\"", "\"\\u0017\"",
    "\"\\u0018\"", "\"\\u0019\"", "\"\\u001a\"", "\"\\u001b\"", "\"\\u001c\"", "\"\\u001d\"",
    "\"\\u001e\"", "\"\\u001f\"",
};

static void control_characters_are_escaped_as_python_does(void **state) {
    for (unsigned c = 0; c < 32; c++) {
        const char text = (char)c;
        assert_string_as(*state, span_of(&text, 1), control[c]);
    }
}

static void no_other_character_but_quote_and_backslash_is_escaped(void **state) {
    for (unsigned c = 32; c < 128; c++) {
        const char text = (char)c;
        const char plain[] = {'"', text, '"', '\0'}, escaped[] = {'"', '\\', text, '"', '\0'};
        assert_string_as(*state, span_of(&text, 1), c == '"' || c == '\\' ? escaped : plain);
    }
}

/* Expected: Python's json.dumps(text, ensure_ascii=False). */
static void mixed_texts_are_written_as_python_does(void **state) {
    static const struct {
        struct span text;
        const char *json;
    } rows[] = {
        {SPAN("say \"hi\"\\\x0a"), "\"say \\\"hi\\\"\\\\\\n\""},
        {SPAN("a/b"), "\"a/b\""},
        {SPAN("<&>\x7f"), "\"<&>\x7f\""},
        {SPAN("Gr\xc3\xbc\xc3\x9f"
              "e \xe2\x82\xac \xf0\x9f\x98\x80"),
         "\"Gr\xc3\xbc\xc3\x9f"
         "e \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {SPAN("\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf"), "\"\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\""},
        {SPAN("a\x00"
              "b\x1f"
              "c"),
         "\"a\\u0000b\\u001fc\""},
        {SPAN("\\u0041"), "\"\\\\u0041\""},
        {SPAN("\x09\x09tab"), "\"\\t\\ttab\""},
        {SPAN("it's"), "\"it's\""},
        {SPAN("\x1f\"\x1f"), "\"\\u001f\\\"\\u001f\""},
        {SPAN("line\x0d\x0aline"), "\"line\\r\\nline\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_as(*state, rows[i].text, rows[i].json);
    assert_string_as(*state, SPAN_NONE, "\"\"");
}

/* Long runs go by words: one other byte at each place of a text of several. */
static void a_byte_is_written_alike_wherever_it_stands(void **state) {
    struct buffer *buffer = *state;
    for (size_t at = 0; at < 19; at++) {
        for (unsigned c = 0; c < 256; c++) {
            struct buffer alone = {0}, expected = {0};
            char text[19];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            assert_string_as(&alone, span_of(text + at, 1),
                             c < 32      ? control[c]
                             : c == '"'  ? "\"\\\"\""
                             : c == '\\' ? "\"\\\\\""
                                         : (char[]){'"', (char)c, '"', 0});
            buffer_append_text(&expected, "\"");
            buffer_append(&expected, text, at);
            buffer_append(&expected, alone.data + 1, alone.size - 2);
            buffer_append(&expected, text + at + 1, sizeof text - at - 1);
            buffer_append(&expected, "\"", 2);
            assert_string_as(buffer, span_of(text, sizeof text), expected.data);
            buffer_release(&expected);
            buffer_release(&alone);
        }
    }
}

static void long_texts_are_written_whole(void **state) {
    struct buffer *buffer = *state;
    char *text = mem_alloc(100001);
    for (size_t i = 0; i < 100000; i++)
        text[i] = i % 1000 == 999 ? '\n' : 'a';
    buffer_clear(buffer);
    struct json_out out = json_out_to(buffer);
    json_out_string(&out, span_of(text, 100000));
    assert_int_equal(buffer->size, 100000 + 100 + 2);
    assert_memory_equal(buffer->data + 999, "a\\na", 4);
    mem_free(text);
}

static void commas_stand_between_and_nowhere_else(void **state) {
    struct buffer *buffer = *state;
    buffer_clear(buffer);
    struct json_out out = json_out_to(buffer);
    json_out_object_begin(&out);
    json_out_key(&out, "empty");
    json_out_object_begin(&out);
    json_out_object_end(&out);
    json_out_key(&out, "list");
    json_out_array_begin(&out);
    json_out_int(&out, 1);
    json_out_array_begin(&out);
    json_out_array_end(&out);
    json_out_object_begin(&out);
    json_out_member(&out, "a", SPAN("b"));
    json_out_object_end(&out);
    json_out_null(&out);
    json_out_bool(&out, true);
    json_out_array_end(&out);
    json_out_member_bool(&out, "last", false);
    json_out_object_end(&out);
    assert_span(buffer_span(buffer),
                "{\"empty\":{},\"list\":[1,[],{\"a\":\"b\"},null,true],\"last\":false}");
}

static void every_kind_of_value_has_its_form(void **state) {
    static const unsigned char bytes[] = {0xfb, 0xff, 0xbf, 0x00};
    struct buffer *buffer = *state;
    struct uuid id = {{0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3, 0x98, 0xc4, 0xdc, 0x0c, 0x0c,
                       0x07, 0x39, 0x8f}};
    buffer_clear(buffer);
    struct json_out out = json_out_to(buffer);
    json_out_array_begin(&out);
    json_out_int(&out, INT64_MIN);
    json_out_int(&out, INT64_MAX);
    json_out_int(&out, 0);
    json_out_time(&out, INT64_C(1711927800000));
    json_out_uuid(&out, &id);
    json_out_base64url(&out, bytes, 4);
    json_out_base64url(&out, bytes, 0);
    json_out_hex(&out, bytes, 4);
    json_out_hex(&out, bytes, 0);
    json_out_raw(&out, SPAN("{\"as\" : 1}"));
    json_out_array_end(&out);
    assert_span(buffer_span(buffer),
                "[-9223372036854775808,9223372036854775807,0,\"2024-03-31T23:30:00.000Z\","
                "\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"-_-_AA\",\"\",\"fbffbf00\",\"\","
                "{\"as\" : 1}]");
}

static void members_are_joined_and_absent_ones_left_out(void **state) {
    struct buffer *buffer = *state;
    struct uuid id = {{0}};
    buffer_clear(buffer);
    struct json_out out = json_out_to(buffer);
    json_out_object_begin(&out);
    json_out_member_optional(&out, "absent", SPAN_NONE);
    json_out_members(&out, SPAN_NONE);
    json_out_members(&out, SPAN("\"a\":1,\"b\":2"));
    json_out_members(&out, SPAN(""));
    json_out_member_optional(&out, "empty", SPAN(""));
    json_out_member_int(&out, "n", -1);
    json_out_member_time(&out, "t", 0);
    json_out_member_uuid(&out, "id", &id);
    json_out_object_end(&out);
    assert_span(buffer_span(buffer),
                "{\"a\":1,\"b\":2,\"empty\":\"\",\"n\":-1,\"t\":\"1970-01-01T00:00:00.000Z\","
                "\"id\":\"00000000-0000-0000-0000-000000000000\"}");
}

/* base64url and hex write into reserved room: at each fill of the buffer they stay inside. */
static void encoded_values_fit_at_every_fill_of_the_buffer(void **state) {
    unsigned char bytes[64];
    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    for (size_t filled = 1; filled < 520; filled++) {
        for (int hex = 0; hex < 2; hex++) {
            struct buffer buffer = {0};
            memset(buffer_reserve(&buffer, filled), ' ', filled);
            buffer.size = filled;
            struct json_out out = json_out_to(&buffer);
            if (hex)
                json_out_hex(&out, bytes, 64);
            else
                json_out_base64url(&out, bytes, 64);
            assert_int_equal(buffer.size, filled + (hex ? 130 : 88));
            assert_int_equal(buffer.data[buffer.size - 1], '"');
            buffer_release(&buffer);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_are_escaped_as_python_does),
        cmocka_unit_test(no_other_character_but_quote_and_backslash_is_escaped),
        cmocka_unit_test(mixed_texts_are_written_as_python_does),
        cmocka_unit_test(a_byte_is_written_alike_wherever_it_stands),
        cmocka_unit_test(long_texts_are_written_whole),
        cmocka_unit_test(commas_stand_between_and_nowhere_else),
        cmocka_unit_test(every_kind_of_value_has_its_form),
        cmocka_unit_test(members_are_joined_and_absent_ones_left_out),
        cmocka_unit_test(encoded_values_fit_at_every_fill_of_the_buffer),
    };
    return cmocka_run_group_tests_name("base/json_out", tests, begin, release);
}
