/* The byte ring and the logger that drains one per loop. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "service/logger.h"
#include "service/ring.h"

static void take_all(struct ring *ring, struct buffer *out) {
    struct iovec parts[2];
    size_t size = 0;
    int count = ring_peek(ring, parts);
    for (int i = 0; i < count; i++) {
        buffer_append(out, parts[i].iov_base, parts[i].iov_len);
        size += parts[i].iov_len;
    }
    ring_take(ring, size);
}

static void what_is_put_comes_out_in_order_also_around_the_end(void **state) {
    (void)state;
    struct ring ring;
    struct buffer in = {0}, out = {0};
    ring_init(&ring, 16);
    for (int i = 0; i < 100; i++) {
        char piece[8];
        size_t size = (size_t)snprintf(piece, sizeof piece, "<%d>", i);
        assert_true(ring_put(&ring, piece, size));
        buffer_append(&in, piece, size);
        if (i % 3 == 2)
            take_all(&ring, &out);
    }
    take_all(&ring, &out);
    assert_true(span_equal(buffer_span(&in), buffer_span(&out)));
    buffer_release(&in);
    buffer_release(&out);
    ring_release(&ring);
}

static void a_piece_that_does_not_fit_is_not_begun(void **state) {
    (void)state;
    struct ring ring;
    struct buffer out = {0};
    ring_init(&ring, 16);
    assert_true(ring_put(&ring, "0123456789", 10));
    assert_false(ring_put(&ring, "abcdefg", 7));
    assert_true(ring_put(&ring, "abcdef", 6));
    assert_false(ring_put(&ring, "x", 1));
    take_all(&ring, &out);
    assert_true(span_is(buffer_span(&out), "0123456789abcdef"));
    assert_true(ring_put(&ring, "x", 1));
    buffer_release(&out);
    ring_release(&ring);
}

struct speaker {
    struct logger *logger;
    unsigned loop;
};

static void *speak(void *context) {
    struct speaker *speaker = context;
    if (speaker->loop < 2)
        logger_attach(speaker->logger, speaker->loop);
    for (int i = 0; i < 1000; i++)
        log_event(LOG_ERROR, "line", LOG_INT("speaker", speaker->loop), LOG_INT("i", i));
    return NULL;
}

/* Three threads, one of them without a ring of its own: every line arrives whole, once, and each
 * thread's in its order. */
static void lines_of_all_threads_arrive_whole_and_in_order(void **state) {
    (void)state;
    FILE *file = tmpfile();
    struct logger *logger = logger_start(2, fileno(file));
    struct speaker speakers[3];
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++) {
        speakers[i] = (struct speaker){logger, i};
        assert_int_equal(pthread_create(&threads[i], NULL, speak, &speakers[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(logger_dropped(logger), 0);
    logger_stop(logger);
    rewind(file);
    int next[3] = {0}, speaker, i;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, "\"speaker\"");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "\"speaker\":%d,\"i\":%d}\n", &speaker, &i), 2);
        assert_true(speaker >= 0 && speaker < 3);
        assert_int_equal(i, next[speaker]++);
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(next[k], 1000);
    fclose(file);
}

/* Nobody reads the pipe: the writers go on, and what does not fit is counted. */
static void a_reader_that_stands_still_costs_lines_and_nothing_else(void **state) {
    (void)state;
    int ends[2];
    char filler[4096] = {0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], filler, sizeof filler) > 0)
        continue;
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    struct logger *logger = logger_start(1, ends[1]);
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 2000; i++)
        log_event(LOG_ERROR, "line", LOG_TEXT("text", text));
    /* 2,000 lines of more than 1,000 bytes against a ring of 1 MiB. */
    assert_in_range(logger_dropped(logger), 900, 1500);
    /* From now on writing fails instead of waiting. */
    close(ends[0]);
    logger_stop(logger);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_comes_out_in_order_also_around_the_end),
        cmocka_unit_test(a_piece_that_does_not_fit_is_not_begun),
        cmocka_unit_test(lines_of_all_threads_arrive_whole_and_in_order),
        cmocka_unit_test(a_reader_that_stands_still_costs_lines_and_nothing_else),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
