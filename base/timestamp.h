/* RFC 3339 timestamps in UTC: read with or without seconds and with any fraction, written with
 * milliseconds. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

#define TIMESTAMP_SIZE 24                      /* 2024-03-31T23:30:00.000Z */
#define TIMESTAMP_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Unix milliseconds of text, years 1970..9999, `Z` only, fractions beyond milliseconds truncated.
 * STATUS_INVALID_PARAMETER for anything else (no such day, leap second, offset, lower case). */
MUST_CHECK enum status timestamp_parse(struct span text, int64_t *out_ms);
/* Writes exactly TIMESTAMP_SIZE bytes and a NUL. time_ms must be within 1970..9999. */
void timestamp_format(int64_t time_ms, char out[TIMESTAMP_SIZE + 1]);
/* Calendar arithmetic in UTC: adds months, keeping the day or taking the month's last. */
int64_t timestamp_add_months(int64_t time_ms, int months);
/* The first millisecond of the month of time_ms. */
int64_t timestamp_month_start(int64_t time_ms);
/* An ISO 8601 duration with one designator: PnY PnM PnW PnD PTnH PTnM PTnS (n up to 9999).
 * Months and seconds are kept apart because a month has no fixed length. */
struct duration {
    int months;
    int64_t seconds;
};
MUST_CHECK enum status duration_parse(struct span text, struct duration *out);
/* Never beyond TIMESTAMP_MAX: what no calendar can write is as good as never. */
int64_t timestamp_add(int64_t time_ms, struct duration duration);

#endif
