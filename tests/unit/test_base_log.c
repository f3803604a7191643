/* Log lines are one JSON object each, whatever stands in them; assertions say where and abort. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <ctype.h>

#include "base/log.h"

static struct buffer lines;

static void collect(void *context, const char *line, size_t size) {
    buffer_append(context, line, size);
}

static int begin(void **state) {
    (void)state;
    buffer_clear(&lines);
    log_set_sink(collect, &lines);
    log_set_level(LOG_INFO);
    return 0;
}

static int end(void **state) {
    (void)state;
    log_set_sink(NULL, NULL);
    buffer_release(&lines);
    return 0;
}

/* The line after its time, which must have the form of one. */
static struct span after_time(struct span line) {
    static const char form[] = "{\"time\":\"dddd-dd-ddTdd:dd:dd.dddZ\"";
    assert_true(line.size > sizeof form - 1);
    for (size_t i = 0; i < sizeof form - 1; i++)
        assert_true(form[i] == 'd' ? isdigit((unsigned char)line.data[i])
                                   : line.data[i] == form[i]);
    return span_of(line.data + sizeof form - 1, line.size - (sizeof form - 1));
}

static void an_event_is_one_line_of_json(void **state) {
    (void)state;
    log_event(LOG_INFO, "store.opened", LOG_INT("entries", 12), LOG_TEXT("directory", "var/dev"),
              LOG_SPAN("name", SPAN("abc")), LOG_INT("least", INT64_MIN));
    assert_span(after_time(buffer_span(&lines)),
                ",\"level\":\"info\",\"event\":\"store.opened\",\"entries\":12,\"directory\":"
                "\"var/dev\",\"name\":\"abc\",\"least\":-9223372036854775808}\n");
}

static void no_value_breaks_the_line(void **state) {
    (void)state;
    log_event(LOG_ERROR, "e", LOG_TEXT("t", "a\"b\\c\nd\re\x01\x7f\xc3\xa9"));
    assert_span(
        after_time(buffer_span(&lines)),
        ",\"level\":\"error\",\"event\":\"e\",\"t\":\"a\\\"b\\\\c\\nd\\re\\u0001\x7f\xc3\xa9"
        "\"}\n");
}

static void bytes_that_are_no_utf_8_are_question_marks(void **state) {
    (void)state;
    log_event(LOG_WARN, "e", LOG_TEXT("t", "caf\xe9\n"), LOG_SPAN("n", SPAN("a\0b")),
              LOG_SPAN("empty", SPAN("")));
    assert_span(
        after_time(buffer_span(&lines)),
        ",\"level\":\"warn\",\"event\":\"e\",\"t\":\"caf?\\n\",\"n\":\"a?b\",\"empty\":\"\"}"
        "\n");
}

static void an_absent_text_is_a_number_field(void **state) {
    (void)state;
    log_event(LOG_INFO, "e", LOG_TEXT("t", NULL));
    assert_span(after_time(buffer_span(&lines)), ",\"level\":\"info\",\"event\":\"e\",\"t\":0}\n");
}

static void what_is_below_the_level_is_not_written(void **state) {
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    (void)state;
    for (size_t least = 0; least < COUNT(levels); least++) {
        log_set_level(levels[least]);
        for (size_t i = 0; i < COUNT(levels); i++) {
            buffer_clear(&lines);
            log_event(levels[i], "e", LOG_INT("n", 1));
            assert_int_equal(lines.size != 0, i >= least);
        }
    }
}

static void log_to_stderr(void) {
    log_set_sink(NULL, NULL);
    log_event(LOG_INFO, "to.stderr", LOG_INT("n", 1));
    abort();
}

static void without_a_sink_lines_go_to_stderr(void **state) {
    (void)state;
    assert_aborts(log_to_stderr, "\"event\":\"to.stderr\",\"n\":1}\n");
    assert_int_equal(lines.size, 0);
}

static void fail_an_assertion(void) {
    const char *text = "a\\";
    ASSERT(strcmp(text, "a\"") == 0);
}

static void a_failed_assertion_says_where_and_aborts(void **state) {
    (void)state;
    assert_aborts(fail_an_assertion,
                  "{\"level\":\"error\",\"event\":\"assertion\",\"file\":\"tests/unit/"
                  "test_base_log.c\",\"line\":");
    assert_aborts(fail_an_assertion, "\"condition\":\"strcmp(text, 'a''') == 0\"}\n");
}

static void fail_a_long_assertion(void) {
    char condition[2000], file[2000];
    memset(condition, 'c', sizeof condition - 1);
    memset(file, 'f', sizeof file - 1);
    condition[sizeof condition - 1] = file[sizeof file - 1] = '\0';
    log_abort(condition, file, 1);
}

static void a_condition_of_any_length_fits_the_line(void **state) {
    (void)state;
    assert_aborts(fail_a_long_assertion, "cccc\"}\n");
}

static void a_true_assertion_is_nothing(void **state) {
    int evaluated = 0;
    (void)state;
    ASSERT(++evaluated == 1);
    assert_int_equal(evaluated, 1);
    assert_int_equal(lines.size, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_one_line_of_json),
        TEST(no_value_breaks_the_line),
        TEST(bytes_that_are_no_utf_8_are_question_marks),
        TEST(an_absent_text_is_a_number_field),
        TEST(what_is_below_the_level_is_not_written),
        TEST(without_a_sink_lines_go_to_stderr),
        TEST(a_failed_assertion_says_where_and_aborts),
        TEST(a_condition_of_any_length_fits_the_line),
        TEST(a_true_assertion_is_nothing),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
