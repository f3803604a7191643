/* One line and one count per request. Loops only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_ACCESS_LOG_H
#define SERVICE_ACCESS_LOG_H

#include "service/exchange.h"

/* Upper bounds of the latency histogram in microseconds, COUNTERS_BUCKETS of them. */
extern const int64_t access_log_bounds_us[];

/* Counts the exchange and, when the access log is on, writes its line: method, route template,
 * status (499 when the client left before the answer was whole), bytes, duration, ids, client,
 * loop and protocol. Never path, query, body or token (invariant 10). The request is ending but
 * still readable. */
void access_log_write(const struct exchange *exchange);

#endif
