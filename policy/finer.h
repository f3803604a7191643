/* Durations that a month makes inexact: a month has 28 to 31 days, a year 365 or 366. Private to
 * policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_FINER_H
#define POLICY_FINER_H

#include "base/timestamp.h"

#include <stdbool.h>

static inline int64_t duration_shortest(struct duration d) {
    return (d.months / 12 * INT64_C(365) + d.months % 12 * INT64_C(28)) * 86400 + d.seconds;
}

static inline int64_t duration_longest(struct duration d) {
    return (d.months / 12 * INT64_C(366) + d.months % 12 * INT64_C(31)) * 86400 + d.seconds;
}

/* Whether some a is shorter than some b. */
static inline bool duration_finer(struct duration a, struct duration b) {
    if (a.seconds == 0 && b.seconds == 0)
        return a.months < b.months;
    return duration_shortest(a) < duration_longest(b);
}

#endif
