/* Strict JSON: what is refused before a tree is built, what each reader takes and what it says of
 * the rest, each limit one under and one over. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/json_in.h"
#include "base/limits.h"

struct reading {
    struct arena arena;
    struct api_json in;
    const char *why;
    enum status status;
};

static enum status begin(struct reading *r, const char *body, size_t size) {
    char *exact = malloc(size != 0 ? size : 1);
    *r = (struct reading){.why = NULL};
    memcpy(exact, body, size);
    r->status = api_json_begin(&r->in, &r->arena, span_of(exact, size), &r->why);
    free(exact); /* what is read later is the tree's */
    return r->status;
}

static void end(struct reading *r) {
    api_json_end(&r->in);
    arena_release(&r->arena);
}

static void assert_malformed(const char *body, size_t size, const char *why) {
    struct reading r;
    if (begin(&r, body, size) != STATUS_MALFORMED_JSON) {
        fail_msg("accepted: %.*s", (int)size, body);
    }
    if (why != NULL) {
        assert_string_equal(r.why, why);
    } else {
        assert_int_equal(strncmp(r.why, "line ", 5), 0); /* the place, and nothing of the text */
    }
    end(&r);
}

#define MALFORMED(literal, why) assert_malformed(literal, sizeof literal - 1, why)

static void what_is_no_json_is_malformed(void **state) {
    (void)state;
    MALFORMED("", NULL);
    MALFORMED("{", NULL);
    MALFORMED("{}{}", NULL);
    MALFORMED("{} x", NULL);
    MALFORMED("{'a':1}", NULL);
    MALFORMED("{\"a\":1,}", NULL);
    MALFORMED("{\"a\":01}", NULL);
    MALFORMED("{\"a\":NaN}", NULL);
    MALFORMED("\xef\xbb\xbf{}", NULL);
    MALFORMED("{\"a\":99999999999999999999}", NULL);
}

static void text_that_is_no_utf8_is_malformed(void **state) {
    (void)state;
    MALFORMED("{\"a\":\"\xff\"}", NULL);
    MALFORMED("{\"a\":\"\xc0\x80\"}", NULL);
    MALFORMED("{\"a\":\"\xed\xa0\x80\"}", NULL);
    MALFORMED("{\"a\":\"\\ud800\"}", NULL);
}

static void a_nul_is_malformed_wherever_it_stands(void **state) {
    (void)state;
    MALFORMED("{}\0", NULL);
    MALFORMED("{\"a\":\"\0\"}", NULL);
    MALFORMED("{\"a\":\"\\u0000\"}", NULL);
    MALFORMED("{\"\\u0000\":1}", NULL);
}

static void the_same_member_twice_is_malformed(void **state) {
    (void)state;
    MALFORMED("{\"a\":1,\"a\":1}", "an object has the same member twice");
    MALFORMED("{\"b\":{\"a\":1,\"\\u0061\":2}}", "an object has the same member twice");
}

static void sixteen_levels_are_read_and_seventeen_are_not(void **state) {
    struct reading r;
    (void)state;
    const char deep[] = "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]";
    assert_int_equal(begin(&r, deep + 1, sizeof deep - 3), STATUS_OK);
    end(&r);
    assert_malformed(deep, sizeof deep - 1, "the body nests deeper than 16");
    /* brackets in strings nest nothing, an escaped quote ends none */
    const char quoted[] = "[\"\\\"[[[[[[[[[[[[[[[[[\\\\\"]";
    assert_int_equal(begin(&r, quoted, sizeof quoted - 1), STATUS_OK);
    end(&r);
    /* side by side is not deeper */
    const char wide[] = "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]";
    assert_int_equal(begin(&r, wide, sizeof wide - 1), STATUS_OK);
    end(&r);
}

/* ---- readers */

static void assert_error(const struct reading *r, uint32_t i, const char *pointer,
                         const char *detail) {
    assert_true(i < r->in.errors.count);
    assert_string_equal(r->in.errors.items[i].pointer.data, pointer);
    assert_string_equal(r->in.errors.items[i].detail.data, detail);
}

static void parse(struct reading *r, const char *body) {
    if (begin(r, body, strlen(body)) != STATUS_OK) {
        fail_msg("%s: %s", r->why, body);
    }
}

static void every_unknown_member_is_named_with_its_pointer(void **state) {
    static const char *const known[] = {"a", NULL};
    struct reading r;
    parse(&r, "{\"x/y~z\":1,\"a\":2,\"é\":3,\"\":4}");
    (void)state;
    assert_true(api_json_object(&r.in, r.in.root, known));
    assert_true(r.in.unknown_member);
    assert_false(r.in.other_error);
    assert_int_equal(r.in.errors.count, 3);
    assert_error(&r, 0, "/x~1y~0z", "is not a member of this object");
    assert_error(&r, 1, "/é", "is not a member of this object");
    assert_error(&r, 2, "/", "is not a member of this object");
    end(&r);
}

static void a_long_name_is_cut_at_no_byte_of_a_character(void **state) {
    static const char *const known[] = {NULL};
    char body[400] = "{\"a";
    struct reading r;
    (void)state;
    size_t size = strlen(body);
    for (int i = 0; i < 120; i++, size += 2)
        memcpy(body + size, "é", 2);
    memcpy(body + size, "\":1}", 5);
    parse(&r, body);
    assert_true(api_json_object(&r.in, r.in.root, known));
    assert_int_equal(r.in.errors.count, 1);
    assert_string_equal(r.in.errors.items[0].pointer.data, "/?");
    assert_string_equal(r.in.path, "");
    end(&r);
}

static void at_most_sixteen_errors_are_told(void **state) {
    struct buffer body = {0};
    static const char *const known[] = {NULL};
    struct reading r;
    (void)state;
    buffer_append_text(&body, "{");
    for (int i = 0; i < 17; i++) {
        buffer_append_format(&body, "%s\"m%d\":1", i != 0 ? "," : "", i);
    }
    buffer_append(&body, "}", 2);
    parse(&r, body.data);
    assert_true(api_json_object(&r.in, r.in.root, known));
    assert_int_equal(r.in.errors.count, API_ERRORS_MAX);
    assert_error(&r, 15, "/m15", "is not a member of this object");
    end(&r);
    buffer_release(&body);
}

static void a_text_has_one_byte_or_as_many_as_it_may(void **state) {
    struct reading r;
    parse(&r, "{\"none\":\"\",\"four\":\"aéb\",\"five\":\"aéé\",\"no\":7,"
              "\"null\":null}");
    (void)state;
    assert_true(span_is(api_json_string(&r.in, r.in.root, "four", 4, true), "aéb"));
    assert_int_equal(r.in.errors.count, 0);
    assert_false(span_present(api_json_string(&r.in, r.in.root, "five", 4, true)));
    assert_false(span_present(api_json_string(&r.in, r.in.root, "none", 4, false)));
    assert_false(span_present(api_json_string(&r.in, r.in.root, "no", 4, false)));
    assert_false(span_present(api_json_string(&r.in, r.in.root, "null", 4, false)));
    assert_false(span_present(api_json_string(&r.in, r.in.root, "absent", 4, false)));
    assert_false(span_present(api_json_string(&r.in, r.in.root, "absent", 4, true)));
    assert_int_equal(r.in.errors.count, 5);
    assert_error(&r, 0, "/five", "must be a string of 1 to 4 bytes");
    assert_error(&r, 1, "/none", "must be a string of 1 to 4 bytes");
    assert_error(&r, 4, "/absent", "is required");
    end(&r);
}

static bool is_a_url(const char *text) {
    struct reading r;
    parse(&r, "{}");
    json_object_set_new(r.in.root, "u", json_string(text));
    bool good = span_present(api_json_url(&r.in, r.in.root, "u", true));
    assert_int_equal(good, !api_json_failed(&r.in));
    /* in a list the same rule holds */
    uint32_t count;
    struct reading list;
    parse(&list, "{\"u\":[\"a:b\"]}");
    json_array_append_new(json_object_get(list.in.root, "u"), json_string(text));
    (void)api_json_urls(&list.in, list.in.root, "u", 4, &count);
    assert_int_equal(good, !api_json_failed(&list.in));
    if (!good) {
        assert_string_equal(list.in.errors.items[0].pointer.data, "/u/1");
    }
    end(&list);
    end(&r);
    return good;
}

static void a_url_is_absolute_and_visible_ascii(void **state) {
    static const char *const bad[] = {"x",     ":x",    "a:",       "1a:b",  "-:b",   "a b:c",
                                      "a:b c", "a:é",   "a:\x7f",   "a:\n",  "a:<b>", "a:\"b\"",
                                      "/a:b",  "a:b|c", "//host/a", "a:{b}", "a:b\\c"};
    (void)state;
    assert_true(is_a_url("https://directory.example/app/1?x=y#z"));
    assert_true(is_a_url("urn:a"));
    assert_true(is_a_url("a+1.-:b"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (is_a_url(bad[i])) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void a_url_has_at_most_256_bytes(void **state) {
    char url[LIMIT_URL + 2] = "https://";
    (void)state;
    memset(url + 8, 'u', sizeof url - 9);
    url[LIMIT_URL + 1] = '\0';
    assert_false(is_a_url(url));
    url[LIMIT_URL] = '\0';
    assert_true(is_a_url(url));
}

static void a_list_is_bounded_and_names_nothing_twice(void **state) {
    struct reading r;
    parse(&r, "{\"two\":[\"a\",\"b\"],\"three\":[\"a\",\"b\",\"c\"],\"none\":[],"
              "\"twice\":[\"a\",\"a\"],\"odd\":[1,\"\",\"abc\",\"ok\"],"
              "\"text\":\"a\"}");
    struct api_bounds two = {2, 2}, four = {4, 2};
    uint32_t count;
    (void)state;
    const struct span *list = api_json_strings(&r.in, r.in.root, "two", two, &count);
    assert_int_equal(count, 2);
    assert_true(span_is(list[0], "a") && span_is(list[1], "b"));
    (void)api_json_strings(&r.in, r.in.root, "absent", two, &count);
    assert_int_equal(count, 0);
    assert_int_equal(r.in.errors.count, 0);
    (void)api_json_strings(&r.in, r.in.root, "three", two, &count);
    assert_int_equal(count, 0);
    (void)api_json_strings(&r.in, r.in.root, "none", two, &count);
    (void)api_json_strings(&r.in, r.in.root, "text", two, &count);
    (void)api_json_strings(&r.in, r.in.root, "twice", two, &count);
    (void)api_json_strings(&r.in, r.in.root, "odd", four, &count);
    assert_int_equal(count, 1);
    assert_int_equal(r.in.errors.count, 7);
    assert_error(&r, 0, "/three", "must be an array of 1 to 2 elements");
    assert_error(&r, 1, "/none", "must be an array of 1 to 2 elements");
    assert_error(&r, 2, "/text", "must be an array of 1 to 2 elements");
    assert_error(&r, 3, "/twice/1", "stands in the list twice");
    assert_error(&r, 4, "/odd/0", "must be a string of 1 to 2 bytes");
    assert_error(&r, 5, "/odd/1", "must be a string of 1 to 2 bytes");
    assert_error(&r, 6, "/odd/2", "must be a string of 1 to 2 bytes");
    end(&r);
}

static void an_integer_is_no_real_and_within_its_range(void **state) {
    struct reading r;
    parse(&r, "{\"least\":1,\"most\":5,\"under\":0,\"over\":6,\"real\":2.0,"
              "\"text\":\"2\",\"exponent\":1e0}");
    struct api_range range = {1, 5, 9};
    (void)state;
    assert_int_equal(api_json_int(&r.in, r.in.root, "least", range), 1);
    assert_int_equal(api_json_int(&r.in, r.in.root, "most", range), 5);
    assert_int_equal(api_json_int(&r.in, r.in.root, "absent", range), 9);
    assert_int_equal(r.in.errors.count, 0);
    static const char *const bad[] = {"under", "over", "real", "text", "exponent"};
    for (uint32_t i = 0; i < 5; i++) {
        char pointer[16];
        assert_int_equal(api_json_int(&r.in, r.in.root, bad[i], range), 9);
        snprintf(pointer, sizeof pointer, "/%s", bad[i]);
        assert_error(&r, i, pointer, "must be an integer from 1 to 5");
    }
    end(&r);
}

static void a_time_is_utc_with_z(void **state) {
    struct reading r;
    parse(&r, "{\"good\":\"1970-01-01T00:00Z\",\"offset\":"
              "\"1970-01-01T00:00+00:00\",\"number\":0}");
    (void)state;
    assert_int_equal(api_json_time(&r.in, r.in.root, "good", 7), 0);
    assert_int_equal(api_json_time(&r.in, r.in.root, "absent", 7), 7);
    assert_int_equal(r.in.errors.count, 0);
    assert_int_equal(api_json_time(&r.in, r.in.root, "offset", 7), 7);
    assert_int_equal(api_json_time(&r.in, r.in.root, "number", 7), 7);
    assert_int_equal(r.in.errors.count, 2);
    assert_error(&r, 1, "/number", "must be an RFC 3339 time in UTC, with Z");
    end(&r);
}

static void a_digest_is_43_characters_of_base64url(void **state) {
    struct reading r;
    parse(&r, "{\"good\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
              "\"short\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
              "\"long\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
              "\"padded\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
              "\"bits\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\","
              "\"standard\":\"++++++++++++++++++++++++++++++++++++++++++A\"}");
    struct digest digest;
    (void)state;
    memset(&digest, 0xee, sizeof digest);
    assert_true(api_json_digest(&r.in, r.in.root, "good", true, &digest));
    assert_int_equal(digest.bytes[0], 0);
    assert_int_equal(r.in.errors.count, 0);
    static const char *const bad[] = {"short", "long", "padded", "bits", "standard"};
    for (uint32_t i = 0; i < 5; i++) {
        assert_false(api_json_digest(&r.in, r.in.root, bad[i], true, &digest));
        assert_int_equal(r.in.errors.count, i + 1);
    }
    assert_false(api_json_digest(&r.in, r.in.root, "absent", false, &digest));
    assert_int_equal(r.in.errors.count, 5);
    end(&r);
}

static void a_pointer_leads_through_objects_and_arrays(void **state) {
    struct reading r;
    parse(&r, "{}");
    (void)state;
    size_t outer = api_json_enter(&r.in, "a");
    size_t inner = api_json_enter_index(&r.in, 12);
    api_json_fail(&r.in, "b", "must be %s", "c");
    api_json_leave(&r.in, inner);
    api_json_fail(&r.in, NULL, "here");
    api_json_leave(&r.in, outer);
    api_json_fail(&r.in, NULL, "the whole");
    assert_error(&r, 0, "/a/12/b", "must be c");
    assert_error(&r, 1, "/a", "here");
    assert_error(&r, 2, "", "the whole");
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_malformed),
        cmocka_unit_test(text_that_is_no_utf8_is_malformed),
        cmocka_unit_test(a_nul_is_malformed_wherever_it_stands),
        cmocka_unit_test(the_same_member_twice_is_malformed),
        cmocka_unit_test(sixteen_levels_are_read_and_seventeen_are_not),
        cmocka_unit_test(every_unknown_member_is_named_with_its_pointer),
        cmocka_unit_test(a_long_name_is_cut_at_no_byte_of_a_character),
        cmocka_unit_test(at_most_sixteen_errors_are_told),
        cmocka_unit_test(a_text_has_one_byte_or_as_many_as_it_may),
        cmocka_unit_test(a_url_is_absolute_and_visible_ascii),
        cmocka_unit_test(a_url_has_at_most_256_bytes),
        cmocka_unit_test(a_list_is_bounded_and_names_nothing_twice),
        cmocka_unit_test(an_integer_is_no_real_and_within_its_range),
        cmocka_unit_test(a_time_is_utc_with_z),
        cmocka_unit_test(a_digest_is_43_characters_of_base64url),
        cmocka_unit_test(a_pointer_leads_through_objects_and_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
