/* A list of what was replaced, each with the epoch that it ended. A loop that is told to pass notes
 * the newest epoch of then, between two requests: it has seen every pointer published before. */
// SPDX-License-Identifier: Apache-2.0
#include "service/retired.h"

#include "base/log.h"
#include "base/mem.h"
#include "service/loop.h"

struct retired_item {
    struct retired_item *next;
    uint64_t epoch;
    void *what;
    void (*release)(void *what);
};

void retired_init(struct retired *retired) {
    *retired = (struct retired){.readers = RETIRED_NO_READERS};
    int code = pthread_mutex_init(&retired->lock, NULL);
    ASSERT(code == 0);
}

static void free_up_to(struct retired *retired, uint64_t epoch) {
    struct retired_item **at = &retired->items;
    while (*at != NULL) {
        struct retired_item *item = *at;
        if (item->epoch > epoch) {
            at = &item->next;
            continue;
        }
        *at = item->next;
        item->release(item->what);
        atomic_fetch_sub(&retired->count, 1);
        mem_free(item);
    }
}

void retired_release(struct retired *retired) {
    free_up_to(retired, UINT64_MAX);
    pthread_mutex_destroy(&retired->lock);
}

static void tell_loops(struct service *service) {
    for (unsigned i = 0; i < service->loop_count; i++)
        loop_tell(&service->loops[i], LOOP_PASS);
}

void retired_add(struct service *service, void *what, void (*release)(void *what)) {
    struct retired *retired = &service->retired;
    struct retired_item *item = mem_alloc_zeroed(1, sizeof *item);
    pthread_mutex_lock(&retired->lock);
    *item = (struct retired_item){retired->items, ++retired->epoch, what, release};
    retired->items = item;
    atomic_fetch_add(&retired->count, 1);
    atomic_store(&service->epoch, retired->epoch);
    if (retired->readers == RETIRED_READERS_RUN)
        tell_loops(service);
    pthread_mutex_unlock(&retired->lock);
}

void retired_collect(struct service *service) {
    struct retired *retired = &service->retired;
    pthread_mutex_lock(&retired->lock);
    uint64_t passed = retired->readers == RETIRED_UNKNOWN ? 0 : retired->epoch;
    for (unsigned i = 0; i < service->loop_count && passed != 0; i++) {
        uint64_t loop = atomic_load(&service->loops[i].passed);
        if (retired->readers == RETIRED_READERS_RUN && loop < passed)
            passed = loop;
    }
    free_up_to(retired, passed);
    pthread_mutex_unlock(&retired->lock);
}

void retired_set_readers(struct service *service, enum retired_readers readers) {
    struct retired *retired = &service->retired;
    pthread_mutex_lock(&retired->lock);
    retired->readers = readers;
    if (readers == RETIRED_READERS_RUN && retired->items != NULL)
        tell_loops(service);
    pthread_mutex_unlock(&retired->lock);
}
