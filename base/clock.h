/* Wall-clock time in Unix milliseconds, injectable for development and tests. Thread-safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

struct clock {
    bool injected;
    int64_t start_ms;  /* injected: the time shown when the clock was initialised */
    int64_t origin_ms; /* CLOCK_BOOTTIME at that moment */
    double rate;       /* injected milliseconds per real one; 0 stands still */
    int64_t offset_ms; /* real clock: CLOCK_REALTIME - CLOCK_BOOTTIME when last confirmed */
};

/* The system's clock. */
void clock_init(struct clock *clock);
/* "START" or "STARTxRATE", START as RFC 3339 (2024-03-31T23:30Z), RATE a decimal; without a rate
 * the clock runs at 1. STATUS_INVALID_PARAMETER when the text is neither. */
MUST_CHECK enum status clock_init_injected(struct clock *clock, struct span text);
/* Milliseconds since 1970-01-01T00:00:00Z; an injected clock stops at the end of year 9999. */
int64_t clock_now_ms(const struct clock *clock);
/* How far the wall clock has stepped against CLOCK_BOOTTIME since init or the last confirmation,
 * in milliseconds; 0 for an injected clock (invariant 7). */
int64_t clock_step_ms(const struct clock *clock);
/* Accepts the present wall clock as right. */
void clock_confirm(struct clock *clock);

#endif
