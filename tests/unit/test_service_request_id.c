/* Which name a request goes by. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/request_id.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00-" TRACE "-00f067aa0ba902b7-01"

static void a_harmless_id_is_taken_over(void **state) {
    (void)state;
    char longest[REQUEST_ID_SIZE_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(request_id_valid(SPAN("a")));
    assert_true(request_id_valid(SPAN("!~")));
    assert_true(request_id_valid(span_of(longest, REQUEST_ID_SIZE_MAX)));
    assert_false(request_id_valid(span_of(longest, REQUEST_ID_SIZE_MAX + 1)));
}

static void an_id_that_could_break_a_line_is_not(void **state) {
    (void)state;
    assert_false(request_id_valid(SPAN("")));
    assert_false(request_id_valid(SPAN("a b")));
    assert_false(request_id_valid(SPAN("a\n")));
    assert_false(request_id_valid(SPAN("a\0b")));
    assert_false(request_id_valid(SPAN("\x7f")));
    assert_false(request_id_valid(SPAN("\xc3\xa9")));
}

static void a_traceparent_gives_its_trace_id(void **state) {
    (void)state;
    assert_true(span_is(request_id_trace(SPAN(PARENT)), TRACE));
    assert_true(span_is(request_id_trace(SPAN("01-" TRACE "-00f067aa0ba902b7-00-more")), TRACE));
    assert_true(span_is(request_id_trace(SPAN("cc-" TRACE "-00f067aa0ba902b7-00")), TRACE));
}

static void a_traceparent_that_is_not_valid_gives_none(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "00",
        "00-" TRACE "-00f067aa0ba902b7",
        "00-" TRACE "-00f067aa0ba902b7-0",
        "00-" TRACE "-00f067aa0ba902b7-01-more",
        "01-" TRACE "-00f067aa0ba902b7-01more",
        "ff-" TRACE "-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00_" TRACE "-00f067aa0ba902b7-01",
        "0x-" TRACE "-00f067aa0ba902b7-01",
        "00-" TRACE "-00f067aa0ba902bg-01",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(span_present(request_id_trace(span_of_text(rows[i]))));
}

static void the_callers_id_comes_before_the_trace_and_both_before_chance(void **state) {
    (void)state;
    struct arena arena = {0};
    assert_true(span_is(request_id_choose(SPAN("mine"), SPAN(TRACE), &arena), "mine"));
    assert_true(span_is(request_id_choose(SPAN("not mine"), SPAN(TRACE), &arena), TRACE));
    assert_true(span_is(request_id_choose(SPAN_NONE, SPAN(TRACE), &arena), TRACE));
    struct span made = request_id_choose(SPAN_NONE, SPAN_NONE, &arena);
    struct span other = request_id_choose(SPAN_NONE, SPAN_NONE, &arena);
    assert_int_equal(made.size, 32);
    assert_true(request_id_valid(made));
    assert_false(span_equal(made, other));
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_harmless_id_is_taken_over),
        cmocka_unit_test(an_id_that_could_break_a_line_is_not),
        cmocka_unit_test(a_traceparent_gives_its_trace_id),
        cmocka_unit_test(a_traceparent_that_is_not_valid_gives_none),
        cmocka_unit_test(the_callers_id_comes_before_the_trace_and_both_before_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
