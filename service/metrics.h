/* The process in numbers, as Prometheus text (exposition format 0.0.4). */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include "base/mem.h"

/* Appends all metrics; context is the struct service. Runs on any loop. No label carries anything
 * of a request but its route's template, method and status class (invariant 10). */
void metrics_write(void *context, struct buffer *out);

#endif
