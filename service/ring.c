/* The byte ring: the producer owns `written`, the consumer `taken`; release and acquire on these
 * two order the bytes between them. */
// SPDX-License-Identifier: Apache-2.0
#include "service/ring.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

void ring_init(struct ring *ring, size_t capacity) {
    ASSERT(capacity != 0 && (capacity & (capacity - 1)) == 0);
    ring->bytes = mem_alloc(capacity);
    ring->capacity = capacity;
    atomic_init(&ring->written, 0);
    atomic_init(&ring->taken, 0);
}

void ring_release(struct ring *ring) {
    mem_free(ring->bytes);
    ring->bytes = NULL;
}

bool ring_put(struct ring *ring, const void *data, size_t size) {
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    if (size > ring->capacity - (size_t)(written - taken))
        return false;
    size_t at = (size_t)written & (ring->capacity - 1);
    size_t first = size < ring->capacity - at ? size : ring->capacity - at;
    memcpy(ring->bytes + at, data, first);
    memcpy(ring->bytes, (const char *)data + first, size - first);
    atomic_store_explicit(&ring->written, written + size, memory_order_release);
    return true;
}

int ring_peek(const struct ring *ring, struct iovec parts[2]) {
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    size_t size = (size_t)(written - taken);
    size_t at = (size_t)taken & (ring->capacity - 1);
    size_t first = size < ring->capacity - at ? size : ring->capacity - at;
    parts[0] = (struct iovec){ring->bytes + at, first};
    parts[1] = (struct iovec){ring->bytes, size - first};
    return size == 0 ? 0 : size == first ? 1 : 2;
}

void ring_take(struct ring *ring, size_t size) {
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    atomic_store_explicit(&ring->taken, taken + size, memory_order_release);
}
