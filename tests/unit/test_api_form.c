/* Forms as OAuth endpoints take them: every field once, with a value, within its bounds. */
// SPDX-License-Identifier: Apache-2.0
#include "api/form.h"

#include "tests/unit/support_base.h"

#define MAX 8

struct read {
    struct arena arena;
    struct span one, other;
    const char *why;
    bool taken;
};

static struct read read_form(const char *body, size_t size) {
    struct read r = {.one = SPAN("untouched"), .other = SPAN("untouched")};
    const struct api_form_field fields[] = {
        {"one", MAX, true, &r.one}, {"other", MAX, false, &r.other}, {NULL, 0, false, NULL}};
    r.taken = api_form_read(&r.arena, span_of(body, size), fields, &r.why);
    return r;
}

static void takes(const char *body, const char *one, const char *other) {
    struct read r = read_form(body, strlen(body));
    assert_true(r.taken && r.why == NULL);
    assert_true(span_is(r.one, one));
    assert_int_equal(span_present(r.other), other != NULL);
    if (other != NULL)
        assert_true(span_is(r.other, other));
    arena_release(&r.arena);
}

static void refuses_bytes(const char *body, size_t size, const char *why) {
    struct read r = read_form(body, size);
    assert_false(r.taken);
    assert_non_null(strstr(r.why, why));
    assert_true(span_is(r.one, "untouched") && span_is(r.other, "untouched"));
    arena_release(&r.arena);
}

static void refuses(const char *body, const char *why) {
    refuses_bytes(body, strlen(body), why);
}

static void fields_come_in_any_order_and_percent_encoded(void **state) {
    (void)state;
    takes("one=a", "a", NULL);
    takes("one=a&other=b", "a", "b");
    takes("other=b&one=a", "a", "b");
    takes("o%6Ee=%61%2B%2f", "a+/", NULL);
    takes("one=a+b", "a b", NULL);
    takes("one=a=b", "a=b", NULL);
    takes("one=12345678", "12345678", NULL);
    takes("one=%7E%20", "~ ", NULL);
}

static void what_is_no_such_form_is_refused(void **state) {
    (void)state;
    refuses("", "lacks a field");
    refuses("other=b", "lacks a field");
    refuses("one=a&one=a", "twice");
    refuses("one=a&one=", "twice");
    refuses("one=a&third=b", "does not know");
    refuses("ONE=a", "does not know");
    refuses("one=", "without a value");
    refuses("one=123456789", "too long");
    refuses("one=%0A", "other characters");
    refuses("one=%7F", "other characters");
    refuses("one=%C3%A9", "other characters");
    refuses("one", "name=value");
    refuses("=a", "name=value");
    refuses("&one=a", "name=value");
    refuses("one=a&&other=b", "name=value");
    refuses("one=%", "name=value");
    refuses("one=%4", "name=value");
    refuses("one=%4g", "name=value");
    refuses("one=%00", "name=value");
    refuses("one=%C3", "name=value");
    refuses_bytes("one=a\0b", 7, "name=value");
    refuses("{\"one\":\"a\"}", "name=value");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_any_order_and_percent_encoded),
        cmocka_unit_test(what_is_no_such_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
