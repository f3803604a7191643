/* The metrics' text: sums over loops, valid exposition format. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "service/access_log.h"
#include "service/loop.h"
#include "service/metrics.h"
#include "store/store.h"

struct scene {
    char directory[64];
    struct service service;
    struct loop loops[2];
    struct buffer text;
};

static void wake(void *context, unsigned loop) {
    (void)context;
    (void)loop;
}

static void failed(void *context) {
    (void)context;
}

static int setup(void **state) {
    struct scene *scene = mem_alloc_zeroed(1, sizeof *scene);
    char why[256];
    snprintf(scene->directory, sizeof scene->directory, "/tmp/consentd-test-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    clock_init(&scene->service.clock);
    struct store_options options = {.directory = scene->directory,
                                    .origin = "example.com/log",
                                    .create = true,
                                    .map_size = 1 << 28,
                                    .loops = 1,
                                    .clock = &scene->service.clock,
                                    .wake = wake,
                                    .failed = failed};
    log_set_level(LOG_ERROR);
    assert_int_equal(store_open(&options, &scene->service.store, why, sizeof why), STATUS_OK);
    scene->service.loops = scene->loops;
    scene->service.loop_count = 2;
    scene->service.api.version = "1.2.3";
    scene->service.started_ms = service_now_us() / 1000;
    scene->service.logger = logger_start(2, STDERR_FILENO);
    *state = scene;
    return 0;
}

static int teardown(void **state) {
    static const char *const files[] = {"data.mdb",     "lock.mdb", "lock", "keys/mac.key",
                                        "keys/log.key", "keys",     ""};
    struct scene *scene = *state;
    logger_stop(scene->service.logger);
    store_close(scene->service.store);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", scene->directory, files[i]);
        remove(path);
    }
    buffer_release(&scene->text);
    mem_free(scene);
    return 0;
}

static const char *text_of(struct scene *scene) {
    buffer_clear(&scene->text);
    metrics_write(&scene->service, &scene->text);
    buffer_append(&scene->text, "", 1);
    return scene->text.data;
}

static void expect(struct scene *scene, const char *line) {
    if (strstr(text_of(scene), line) == NULL)
        fail_msg("no line: %s", line);
}

static void counters_are_summed_over_loops(void **state) {
    struct scene *scene = *state;
    counter_add(&scene->loops[0].counters.dropped, 2);
    counter_add(&scene->loops[1].counters.dropped, 3);
    counter_add(&scene->loops[1].counters.vanished, 7);
    counter_set(&scene->loops[0].counters.auth_cached, 11);
    atomic_store(&scene->service.in_flight, 5);
    expect(scene, "\nconsentd_dropped_answers_total 5\n");
    expect(scene, "\nconsentd_vanished_requests_total 7\n");
    expect(scene, "\nconsentd_tokens_cached_total 11\n");
    expect(scene, "\nconsentd_in_flight 5\n");
    expect(scene, "\nconsentd_build_info{version=\"1.2.3\"} 1\n");
    expect(scene, "\nconsentd_log_entries 1\n"); /* log.created */
    expect(scene, "\nconsentd_store_bytes_max 268435456\n");
}

static void requests_stand_under_route_method_and_class(void **state) {
    struct scene *scene = *state;
    const char *method;
    const struct api_route *route = api_route_at(0, &method);
    char line[256];
    assert_non_null(route);
    counter_add(&scene->loops[0].counters.requests[api_route_number(route)][1], 4);
    counter_add(&scene->loops[1].counters.requests[COUNTERS_NO_ROUTE][3], 6);
    snprintf(line, sizeof line,
             "\nconsentd_requests_total{method=\"%s\",route=\"%s\",status=\"2xx\"} 4\n", method,
             api_route_template(route));
    expect(scene, line);
    expect(scene, "\nconsentd_requests_total{method=\"\",route=\"(none)\",status=\"4xx\"} 6\n");
}

static void every_route_has_a_row_of_counters(void **state) {
    (void)state;
    const char *method;
    const struct api_route *route;
    unsigned number = 0;
    for (; (route = api_route_at(number, &method)) != NULL; number++)
        assert_int_equal(api_route_number(route), number);
    assert_in_range(number, 1, COUNTERS_ROUTES);
}

static void the_histogram_is_cumulative(void **state) {
    struct scene *scene = *state;
    counter_add(&scene->loops[0].counters.latency[0], 1);
    counter_add(&scene->loops[1].counters.latency[2], 2);
    counter_add(&scene->loops[1].counters.latency[COUNTERS_BUCKETS], 4);
    counter_add(&scene->loops[0].counters.latency_sum_us, 1500000);
    expect(scene, "\nconsentd_request_duration_seconds_bucket{le=\"5e-05\"} 1\n");
    expect(scene, "\nconsentd_request_duration_seconds_bucket{le=\"0.0001\"} 1\n");
    expect(scene, "\nconsentd_request_duration_seconds_bucket{le=\"0.00025\"} 3\n");
    expect(scene, "\nconsentd_request_duration_seconds_bucket{le=\"1\"} 3\n");
    expect(scene, "\nconsentd_request_duration_seconds_bucket{le=\"+Inf\"} 7\n");
    expect(scene, "\nconsentd_request_duration_seconds_sum 1.500000\n");
    expect(scene, "\nconsentd_request_duration_seconds_count 7\n");
}

/* Every sample stands under a TYPE of its own name, and no metric has two. */
static void every_sample_has_one_type(void **state) {
    struct scene *scene = *state;
    counter_add(&scene->loops[0].counters.requests[COUNTERS_NO_ROUTE][3], 1);
    char *text = mem_copy_text(span_of_text(text_of(scene))), *save = NULL;
    char type[128] = "", heading[160], seen[8192] = "\n";
    unsigned samples = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (sscanf(line, "# TYPE %127s", type) == 1) {
            snprintf(heading, sizeof heading, "\n%s\n", type);
            assert_null(strstr(seen, heading));
            assert_true(strlen(seen) + strlen(heading) < sizeof seen);
            memcpy(seen + strlen(seen), heading + 1, strlen(heading));
        } else if (line[0] != '#') {
            assert_int_equal(strncmp(line, type, strlen(type)), 0);
            samples++;
        }
    }
    assert_true(samples > 30);
    mem_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_are_summed_over_loops, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_stand_under_route_method_and_class, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(every_route_has_a_row_of_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(the_histogram_is_cumulative, setup, teardown),
        cmocka_unit_test_setup_teardown(every_sample_has_one_type, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
