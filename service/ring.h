/* A ring of bytes between one producer and one consumer, without locks. Only whole pieces are
 * published, so that a consumer never sees half a line. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_RING_H
#define SERVICE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
    char *bytes;
    size_t capacity; /* a power of two */
    /* Positions only grow; the difference is what waits. Each on a line of its own: the two sides
     * run on different cores. */
    _Alignas(64) _Atomic(uint64_t) written; /* producer's */
    _Alignas(64) _Atomic(uint64_t) taken;   /* consumer's */
};

/* capacity: a power of two. Release with ring_release. */
void ring_init(struct ring *ring, size_t capacity);
void ring_release(struct ring *ring);
/* False, and nothing written, when there is no room for all of it. Producer only. */
bool ring_put(struct ring *ring, const void *data, size_t size);
/* What waits, in at most two parts; the number of parts, 0 when empty. Consumer only. */
int ring_peek(const struct ring *ring, struct iovec parts[2]);
/* Gives size bytes back to the producer. Consumer only. */
void ring_take(struct ring *ring, size_t size);

#endif
