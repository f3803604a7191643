/* The injected clock exactly; of the real one what does not depend on how fast the machine is. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <time.h>

#include "base/clock.h"
#include "base/timestamp.h"

#define START_MS INT64_C(1711927800000) /* 2024-03-31T23:30:00Z */

static int64_t boot_ms(void) {
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void at_rate_zero_time_stands_still(void **state) {
    struct clock clock;
    (void)state;
    assert_int_equal(clock_init_injected(&clock, SPAN("2024-03-31T23:30Zx0")), STATUS_OK);
    assert_true(clock_now_ms(&clock) == START_MS);
    clock.origin_ms -= 86400000; /* as if a day had passed */
    assert_true(clock_now_ms(&clock) == START_MS);
}

/* What an injected clock shows after `passed` ms lies between what it would show for the
 * CLOCK_BOOTTIME read before and after, however long the machine pauses in between. */
static void assert_runs_at(const char *text, int64_t passed_ms, double rate) {
    struct clock clock;
    assert_int_equal(clock_init_injected(&clock, span_of_text(text)), STATUS_OK);
    clock.origin_ms -= passed_ms;
    int64_t before = boot_ms() - clock.origin_ms;
    int64_t now = clock_now_ms(&clock);
    int64_t after = boot_ms() - clock.origin_ms;
    assert_true(before >= passed_ms);
    assert_true(now >= START_MS + (int64_t)((double)before * rate));
    assert_true(now <= START_MS + (int64_t)((double)after * rate));
}

static void without_a_rate_time_runs_at_one(void **state) {
    (void)state;
    assert_runs_at("2024-03-31T23:30:00.000Z", 5000, 1);
    assert_runs_at("2024-03-31T23:30Zx1", 5000, 1);
}

static void a_rate_multiplies_what_passes(void **state) {
    (void)state;
    assert_runs_at("2024-03-31T23:30Zx3600", 5000, 3600);
    assert_runs_at("2024-03-31T23:30Zx0.5", 86400000, 0.5);
    assert_runs_at("2024-03-31T23:30Zx.25", 86400000, 0.25);
    assert_runs_at("2024-03-31T23:30Zx2.", 86400000, 2);
}

static void an_injected_clock_stops_at_the_end_of_the_calendar(void **state) {
    struct clock clock;
    char text[TIMESTAMP_SIZE + 1];
    (void)state;
    assert_int_equal(clock_init_injected(&clock, SPAN("2024-03-31T23:30Zx9999999999999999")),
                     STATUS_OK);
    clock.origin_ms -= 86400000;
    assert_true(clock_now_ms(&clock) == TIMESTAMP_MAX);
    timestamp_format(clock_now_ms(&clock), text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void what_is_not_a_start_and_a_rate_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "x1",
        "now",
        "2024-03-31T23:30",
        "2024-02-30T00:00Z",
        "2024-03-31T23:30Zx",
        "2024-03-31T23:30Zx-1",
        "2024-03-31T23:30Zx1x1",
        "2024-03-31T23:30Zx1e3",
        "2024-03-31T23:30Zxnan",
        "2024-03-31T23:30Zxinf",
        "2024-03-31T23:30Zx0x10",
        "2024-03-31T23:30Zx.",
        "2024-03-31T23:30Zx1.2.3",
        "2024-03-31T23:30Zx 1",
        "2024-03-31T23:30Zx12345678901234567",
        "2024-03-31T23:30Z 1",
    };
    const struct clock untouched = {.injected = true, .start_ms = 1, .origin_ms = 2, .rate = 3};
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct clock clock = untouched;
        if (clock_init_injected(&clock, span_of_text(bad[i])) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(clock.start_ms == 1 && clock.origin_ms == 2 && clock.injected);
    }
}

static void the_real_clock_is_the_systems(void **state) {
    struct clock clock;
    struct timespec before, after;
    (void)state;
    clock_init(&clock);
    clock_gettime(CLOCK_REALTIME, &before);
    int64_t now = clock_now_ms(&clock);
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(now >= before.tv_sec * INT64_C(1000) + before.tv_nsec / 1000000);
    assert_true(now <= after.tv_sec * INT64_C(1000) + after.tv_nsec / 1000000);
}

/* Invariant 7: a step beyond 60 s is what the writer looks for. */
static void a_step_of_the_wall_clock_is_seen_until_it_is_confirmed(void **state) {
    struct clock clock;
    (void)state;
    clock_init(&clock);
    assert_true(llabs(clock_step_ms(&clock)) < 60000);
    clock.offset_ms -= INT64_C(365) * 86400000; /* the wall clock is a year ahead of then */
    assert_true(clock_step_ms(&clock) > INT64_C(364) * 86400000);
    clock_confirm(&clock);
    assert_true(llabs(clock_step_ms(&clock)) < 60000);
    clock.offset_ms += 3600000;
    assert_true(clock_step_ms(&clock) < -60000);
}

static void an_injected_clock_never_steps(void **state) {
    struct clock clock;
    (void)state;
    assert_int_equal(clock_init_injected(&clock, SPAN("2024-03-31T23:30Zx100000")), STATUS_OK);
    clock.origin_ms -= 86400000;
    assert_true(clock_step_ms(&clock) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_rate_zero_time_stands_still),
        cmocka_unit_test(without_a_rate_time_runs_at_one),
        cmocka_unit_test(a_rate_multiplies_what_passes),
        cmocka_unit_test(an_injected_clock_stops_at_the_end_of_the_calendar),
        cmocka_unit_test(what_is_not_a_start_and_a_rate_is_refused),
        cmocka_unit_test(the_real_clock_is_the_systems),
        cmocka_unit_test(a_step_of_the_wall_clock_is_seen_until_it_is_confirmed),
        cmocka_unit_test(an_injected_clock_never_steps),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
