/* The logger thread and its rings: one per loop, and one behind a lock for all other threads. */
// SPDX-License-Identifier: Apache-2.0
#include "service/logger.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/ring.h"

#define RING_SIZE (1u << 20) /* about 3,000 lines: what a loop logs in 20 ms at its fastest */

#define GATHER_NS 5000000

struct logger {
    struct ring rings[LIMIT_LOOPS + 1]; /* the last: other threads */
    unsigned loops;
    int fd;
    pthread_mutex_t shared_lock; /* of the last ring's producers */
    pthread_t thread;
    sem_t waiting;
    _Atomic(bool) asleep; /* the thread waits, or is about to */
    _Atomic(bool) stopping;
    _Atomic(uint64_t) dropped;
};

static __thread struct ring *own_ring;

static void wake(struct logger *logger) {
    if (atomic_exchange(&logger->asleep, false))
        sem_post(&logger->waiting);
}

static void sink(void *context, const char *line, size_t size) {
    struct logger *logger = context;
    bool put;
    if (own_ring != NULL) {
        put = ring_put(own_ring, line, size);
    } else {
        pthread_mutex_lock(&logger->shared_lock);
        put = ring_put(&logger->rings[logger->loops], line, size);
        pthread_mutex_unlock(&logger->shared_lock);
    }
    if (!put)
        atomic_fetch_add(&logger->dropped, 1);
    wake(logger);
}

/* Whole lines only: what was published when we looked. A reader that is gone loses them. */
static bool drain_ring(struct logger *logger, struct ring *ring) {
    struct iovec parts[2];
    int count = ring_peek(ring, parts);
    size_t left = 0;
    for (int i = 0; i < count; i++)
        left += parts[i].iov_len;
    bool any = left != 0;
    while (left != 0) {
        ssize_t wrote = writev(logger->fd, parts, count);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            wrote = (ssize_t)left;
        ring_take(ring, (size_t)wrote);
        left -= (size_t)wrote;
        size_t skip = (size_t)wrote;
        for (int i = 0; i < count; i++) {
            size_t part = skip < parts[i].iov_len ? skip : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            skip -= part;
        }
    }
    return any;
}

static bool drain_all(struct logger *logger) {
    bool any = false;
    for (unsigned i = 0; i <= logger->loops; i++)
        any |= drain_ring(logger, &logger->rings[i]);
    return any;
}

static void *run(void *context) {
    struct logger *logger = context;
    pthread_setname_np(pthread_self(), "logger");
    for (;;) {
        if (drain_all(logger)) {
            /* Under load one wake-up serves many lines, and no loop pays for it. */
            if (!atomic_load(&logger->stopping))
                nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
            continue;
        }
        if (atomic_load(&logger->stopping))
            return NULL;
        /* Announce the sleep, then look once more: a line put in between finds asleep set. */
        atomic_store(&logger->asleep, true);
        if (drain_all(logger) || atomic_load(&logger->stopping)) {
            if (!atomic_exchange(&logger->asleep, false))
                while (sem_wait(&logger->waiting) != 0) /* somebody has posted already */
                    continue;
            continue;
        }
        while (sem_wait(&logger->waiting) != 0)
            continue;
    }
}

struct logger *logger_start(unsigned loops, int fd) {
    ASSERT(loops <= LIMIT_LOOPS);
    struct logger *logger = mem_alloc_zeroed(1, sizeof *logger);
    logger->loops = loops;
    logger->fd = fd;
    for (unsigned i = 0; i <= loops; i++)
        ring_init(&logger->rings[i], RING_SIZE);
    pthread_mutex_init(&logger->shared_lock, NULL);
    sem_init(&logger->waiting, 0, 0);
    int code = pthread_create(&logger->thread, NULL, run, logger);
    ASSERT(code == 0);
    log_set_sink(sink, logger);
    return logger;
}

void logger_attach(struct logger *logger, unsigned loop) {
    ASSERT(loop < logger->loops);
    own_ring = &logger->rings[loop];
}

uint64_t logger_dropped(const struct logger *logger) {
    return atomic_load(&logger->dropped);
}

void logger_stop(struct logger *logger) {
    log_set_sink(NULL, NULL);
    atomic_store(&logger->stopping, true);
    wake(logger);
    pthread_join(logger->thread, NULL);
    for (unsigned i = 0; i <= logger->loops; i++)
        ring_release(&logger->rings[i]);
    pthread_mutex_destroy(&logger->shared_lock);
    sem_destroy(&logger->waiting);
    mem_free(logger);
}
