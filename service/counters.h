/* What a loop counts. Only the loop writes; whoever renders metrics reads, relaxed: a sum over
 * loops need not be of one instant. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_COUNTERS_H
#define SERVICE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "service/tls_peer.h"

#define COUNTERS_ROUTES 64 /* more than the surface has; a test of the metrics holds it */
#define COUNTERS_NO_ROUTE COUNTERS_ROUTES
#define COUNTERS_CLASSES 5 /* 1xx to 5xx */
#define COUNTERS_BUCKETS 14

struct counters {
    _Atomic(uint64_t) requests[COUNTERS_ROUTES + 1][COUNTERS_CLASSES];
    _Atomic(uint64_t) latency[COUNTERS_BUCKETS + 1]; /* the last: above all bounds */
    _Atomic(uint64_t) latency_sum_us;
    _Atomic(uint64_t) bytes_sent;
    _Atomic(uint64_t) connections; /* accepted */
    _Atomic(uint64_t) turned_away; /* connections beyond the bound */
    _Atomic(uint64_t) handshakes;  /* done */
    _Atomic(uint64_t) handshakes_failed[TLS_FAILURE_COUNT];
    _Atomic(uint64_t) vanished;     /* requests whose client left before the answer */
    _Atomic(uint64_t) dropped;      /* answers of the writer whose request had vanished */
    _Atomic(uint64_t) busy;         /* requests refused by the in-flight bounds */
    _Atomic(uint64_t) reset_closed; /* connections closed for resetting too much */
    _Atomic(uint64_t) overdue;   /* connections closed because a request took too long to arrive */
    _Atomic(uint64_t) transport; /* requests that the HTTP library refused */
    _Atomic(uint64_t) auth_verified, auth_cached, auth_refused, auth_limited;
};

static inline void counter_add(_Atomic(uint64_t) *at, uint64_t amount) {
    uint64_t now = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, now + amount, memory_order_relaxed);
}

static inline void counter_set(_Atomic(uint64_t) *at, uint64_t value) {
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static inline uint64_t counter_get(const _Atomic(uint64_t) *at) {
    return atomic_load_explicit(at, memory_order_relaxed);
}

#endif
