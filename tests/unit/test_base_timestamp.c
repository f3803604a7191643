/* Times, held against the C library's calendar for every day of four centuries; calendar
 * arithmetic and durations as tables. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <time.h>

#include "base/timestamp.h"

#define DAY_MS INT64_C(86400000)

static int64_t ms_of(const char *text) {
    int64_t ms = -1;
    if (timestamp_parse(span_of_text(text), &ms) != STATUS_OK)
        fail_msg("\"%s\" was refused", text);
    return ms;
}

static void assert_time(int64_t ms, const char *text) {
    char got[TIMESTAMP_SIZE + 1];
    timestamp_format(ms, got);
    assert_string_equal(got, text);
}

static void times_with_and_without_seconds_are_read(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00Z", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"2000-02-29T12:00Z", INT64_C(951825600000)},
        {"2024-03-31T23:30Z", INT64_C(1711927800000)},
        {"2024-03-31T23:30:59Z", INT64_C(1711927859000)},
        {"2024-07-01T12:34Z", INT64_C(1719837240000)},
        {"2024-07-01T12:34:00.5Z", INT64_C(1719837240500)},
        {"2024-07-01T12:34:00.05Z", INT64_C(1719837240050)},
        {"2024-07-01T12:34:00.1239999999999999999999Z", INT64_C(1719837240123)},
        {"2400-02-29T00:00Z", INT64_C(13574563200000)},
        {"9999-12-31T23:59:59.999Z", TIMESTAMP_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(ms_of(rows[i].text) == rows[i].ms);
}

static void what_is_no_time_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "2024",
        "2024-03-31",
        "2024-03-31T23Z",
        "2024-03-31T23:30",
        "2024-03-31t23:30z",
        "2024-03-31T23:30z",
        "2024-03-31 23:30Z",
        "2024-03-31T23:30+00:00",
        "2024-03-31T23:30-01:00",
        "2024-03-31T23:30:Z",
        "2024-03-31T23:30:00.Z",
        "2024-03-31T23:30:00,5Z",
        "2024-03-31T23:30:00.5",
        "2024-03-31T23:30.5Z",
        "2024-03-31T23:30:0Z",
        "2024-3-31T23:30Z",
        "24-03-31T23:30Z",
        "+2024-03-31T23:30Z",
        "02024-03-31T23:30Z",
        "2024-03-31T23:30ZZ",
        " 2024-03-31T23:30Z",
        "2024-03-31T23:30Z ",
        "2024-03-31T23:30Z\n",
        /* no such month, day, hour, minute or second */
        "2024-00-10T00:00Z",
        "2024-13-10T00:00Z",
        "2024-01-00T00:00Z",
        "2024-01-32T00:00Z",
        "2024-04-31T00:00Z",
        "2024-06-31T00:00Z",
        "2024-09-31T00:00Z",
        "2024-11-31T00:00Z",
        "2024-02-30T00:00Z",
        "2023-02-29T00:00Z",
        "2100-02-29T00:00Z",
        "2200-02-29T00:00Z",
        "2024-03-31T24:00Z",
        "2024-03-31T23:60Z",
        "2016-12-31T23:59:60Z",
        /* no such year here */
        "0000-01-01T00:00Z",
        "1969-12-31T23:59:59Z",
        "10000-01-01T00:00Z",
        /* digits of another alphabet, signs */
        "2024-0\xd9\xa3-31T23:30Z",
        "2024--3-31T23:30Z",
        "2024-+3-31T23:30Z",
        "2024-03-31T-1:30Z",
    };
    int64_t ms = 42;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (timestamp_parse(span_of_text(bad[i]), &ms) != STATUS_INVALID_PARAMETER || ms != 42)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(timestamp_parse(SPAN("2024-03-31\0"
                                          "23:30Z"),
                                     &ms),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(timestamp_parse(SPAN_NONE, &ms), STATUS_INVALID_PARAMETER);
}

/* A cut anywhere but before the Z's own forms leaves no time, and never reads past the end. */
static void no_part_of_a_time_is_a_time(void **state) {
    static const char whole[] = "2024-03-31T23:30:59.123Z";
    (void)state;
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        char *exact = mem_alloc(size); /* ASan sees a read beyond it */
        int64_t ms;
        memcpy(exact, whole, size);
        assert_int_equal(timestamp_parse(span_of(exact, size), &ms), STATUS_INVALID_PARAMETER);
        mem_free(exact);
    }
}

/* 400 years are one period of the calendar; the last days of year 9999 are looked at besides. */
static void every_day_is_what_the_c_library_says(void **state) {
    (void)state;
    for (int64_t day = 0; day < 146097 + 1; day++) {
        time_t t = (time_t)(day * 86400 + 86399);
        struct tm tm;
        char expected[128], got[TIMESTAMP_SIZE + 1];
        int64_t back = -1;
        assert_non_null(gmtime_r(&t, &tm));
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT23:59:59.999Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        timestamp_format(day * DAY_MS + DAY_MS - 1, got);
        if (strcmp(got, expected) != 0)
            fail_msg("%s is not %s", got, expected);
        if (timestamp_parse(span_of_text(got), &back) != STATUS_OK ||
            back != day * DAY_MS + DAY_MS - 1)
            fail_msg("%s was not read back", got);
    }
    assert_time(TIMESTAMP_MAX, "9999-12-31T23:59:59.999Z");
    assert_time(TIMESTAMP_MAX - DAY_MS * 306, "9999-02-28T23:59:59.999Z");
    assert_time(0, "1970-01-01T00:00:00.000Z");
}

static void adding_months_keeps_the_day_or_takes_the_months_last(void **state) {
    static const struct {
        const char *from;
        int months;
        const char *to;
    } rows[] = {
        {"2024-01-15T10:20:30.456Z", 1, "2024-02-15T10:20:30.456Z"},
        {"2024-01-31T00:00Z", 1, "2024-02-29T00:00:00.000Z"},
        {"2023-01-31T00:00Z", 1, "2023-02-28T00:00:00.000Z"},
        {"2023-12-31T00:00Z", 2, "2024-02-29T00:00:00.000Z"},
        {"2024-02-29T00:00Z", 12, "2025-02-28T00:00:00.000Z"},
        {"2024-02-29T00:00Z", 48, "2028-02-29T00:00:00.000Z"},
        {"2024-03-31T23:30Z", 12, "2025-03-31T23:30:00.000Z"},
        {"2024-03-31T23:30Z", 3, "2024-06-30T23:30:00.000Z"},
        {"2024-11-30T00:00Z", 1, "2024-12-30T00:00:00.000Z"},
        {"2024-12-31T00:00Z", 1, "2025-01-31T00:00:00.000Z"},
        {"2024-03-31T00:00Z", -1, "2024-02-29T00:00:00.000Z"},
        {"2024-01-31T00:00Z", -1, "2023-12-31T00:00:00.000Z"},
        {"2024-01-31T00:00Z", -12, "2023-01-31T00:00:00.000Z"},
        {"2096-02-29T00:00Z", 48, "2100-02-28T00:00:00.000Z"},
        {"2024-05-05T05:05Z", 0, "2024-05-05T05:05:00.000Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_time(timestamp_add_months(ms_of(rows[i].from), rows[i].months), rows[i].to);
}

static void a_month_starts_at_its_first_millisecond(void **state) {
    (void)state;
    assert_time(timestamp_month_start(ms_of("2024-03-31T23:59:59.999Z")),
                "2024-03-01T00:00:00.000Z");
    assert_time(timestamp_month_start(ms_of("2024-03-01T00:00Z")), "2024-03-01T00:00:00.000Z");
    assert_time(timestamp_month_start(ms_of("2024-02-29T00:00Z")), "2024-02-01T00:00:00.000Z");
    assert_time(timestamp_month_start(ms_of("1970-01-31T00:00Z")), "1970-01-01T00:00:00.000Z");
}

static void durations_have_one_designator(void **state) {
    static const struct {
        const char *text;
        struct duration duration;
    } rows[] = {
        {"P1Y", {12, 0}},        {"P25M", {25, 0}},     {"P2W", {0, 1209600}},
        {"P90D", {0, 7776000}},  {"PT24H", {0, 86400}}, {"PT30M", {0, 1800}},
        {"PT5S", {0, 5}},        {"PT0S", {0, 0}},      {"P0D", {0, 0}},
        {"P9999Y", {119988, 0}}, {"P0001M", {1, 0}},    {"P9999W", {0, INT64_C(6047395200)}},
    };
    static const char *const bad[] = {
        "",    "P",   "1Y",    "PY",   "P1",   "PT",      "PT1",   "P1Y6M",   "P1DT1H",
        "P1H", "P1S", "PT1D",  "PT1Y", "PT1W", "P10000D", "P-1D",  "-P1D",    "+P1D",
        "p1y", "P1y", "P1.5Y", "P 1Y", "P1Y ", "PTT1H",   "PT1HM", "P00001D", "P1YY",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct duration got = {-1, -1};
        if (duration_parse(span_of_text(rows[i].text), &got) != STATUS_OK)
            fail_msg("\"%s\" was refused", rows[i].text);
        assert_int_equal(got.months, rows[i].duration.months);
        assert_true(got.seconds == rows[i].duration.seconds);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct duration got = {-1, -1};
        if (duration_parse(span_of_text(bad[i]), &got) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(got.months == -1 && got.seconds == -1);
    }
    struct duration got;
    assert_int_equal(duration_parse(SPAN_NONE, &got), STATUS_INVALID_PARAMETER);
    assert_int_equal(duration_parse(SPAN("P1\0"), &got), STATUS_INVALID_PARAMETER);
}

static void a_duration_is_added_by_the_calendar(void **state) {
    (void)state;
    assert_time(timestamp_add(ms_of("2024-02-29T01:02:03.004Z"), (struct duration){12, 0}),
                "2025-02-28T01:02:03.004Z");
    assert_time(timestamp_add(ms_of("2024-02-28T23:59:59.999Z"), (struct duration){0, 1}),
                "2024-02-29T00:00:00.999Z");
    assert_time(timestamp_add(ms_of("2024-03-31T23:30Z"), (struct duration){0, 0}),
                "2024-03-31T23:30:00.000Z");
}

static void no_duration_leads_beyond_the_calendar(void **state) {
    (void)state;
    assert_true(timestamp_add(ms_of("2024-01-01T00:00Z"), (struct duration){119988, 0}) ==
                TIMESTAMP_MAX);
    assert_true(timestamp_add(TIMESTAMP_MAX, (struct duration){0, 1}) == TIMESTAMP_MAX);
    assert_true(timestamp_add(TIMESTAMP_MAX - 1000, (struct duration){0, 1}) == TIMESTAMP_MAX);
    assert_true(timestamp_add(TIMESTAMP_MAX - 1001, (struct duration){0, 1}) == TIMESTAMP_MAX - 1);
}

static void format_too_late(void) {
    char text[TIMESTAMP_SIZE + 1];
    timestamp_format(TIMESTAMP_MAX + 1, text);
}

static void format_too_early(void) {
    char text[TIMESTAMP_SIZE + 1];
    timestamp_format(-1, text);
}

static void a_time_outside_the_calendar_is_never_written(void **state) {
    (void)state;
    assert_aborts(format_too_late, "base/timestamp.c");
    assert_aborts(format_too_early, "base/timestamp.c");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_with_and_without_seconds_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(no_part_of_a_time_is_a_time),
        cmocka_unit_test(every_day_is_what_the_c_library_says),
        cmocka_unit_test(adding_months_keeps_the_day_or_takes_the_months_last),
        cmocka_unit_test(a_month_starts_at_its_first_millisecond),
        cmocka_unit_test(durations_have_one_designator),
        cmocka_unit_test(a_duration_is_added_by_the_calendar),
        cmocka_unit_test(no_duration_leads_beyond_the_calendar),
        cmocka_unit_test(a_time_outside_the_calendar_is_never_written),
    };
    return cmocka_run_group_tests_name("base/timestamp", tests, NULL, NULL);
}
