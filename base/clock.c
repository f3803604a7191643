/* The wall clock, real or injected. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/timestamp.h"

static int64_t read_ms(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_init(struct clock *clock) {
    *clock = (struct clock){.injected = false};
    clock_confirm(clock);
}

static bool rate_parse(struct span text, double *out) {
    size_t points = 0;
    if (text.size == 0 || text.size > 16)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        points += text.data[i] == '.';
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.')
            return false;
    }
    char *copy = mem_copy_text(text);
    *out = strtod(copy, NULL);
    mem_free(copy);
    return points <= 1 && points < text.size;
}

enum status clock_init_injected(struct clock *clock, struct span text) {
    struct clock made = {.injected = true, .rate = 1};
    const char *x = text.size != 0 ? memchr(text.data, 'x', text.size) : NULL;
    struct span start = text;
    if (x != NULL) {
        start.size = (size_t)(x - text.data);
        if (!rate_parse(span_of(x + 1, text.size - start.size - 1), &made.rate))
            return STATUS_INVALID_PARAMETER;
    }
    if (timestamp_parse(start, &made.start_ms) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    made.origin_ms = read_ms(CLOCK_BOOTTIME);
    *clock = made;
    return STATUS_OK;
}

int64_t clock_now_ms(const struct clock *clock) {
    if (!clock->injected)
        return read_ms(CLOCK_REALTIME);
    double passed = (double)(read_ms(CLOCK_BOOTTIME) - clock->origin_ms) * clock->rate;
    if (passed >= (double)(TIMESTAMP_MAX - clock->start_ms))
        return TIMESTAMP_MAX;
    return clock->start_ms + (int64_t)passed;
}

int64_t clock_step_ms(const struct clock *clock) {
    if (clock->injected)
        return 0;
    return read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME) - clock->offset_ms;
}

void clock_confirm(struct clock *clock) {
    clock->offset_ms = read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME);
}
