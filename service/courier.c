/* The courier's thread: its jobs in turn, and sleep until the next is due. */
// SPDX-License-Identifier: Apache-2.0
#include "service/courier.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "base/log.h"
#include "service/service.h"

#define SLEEP_MAX_US (INT64_C(600) * 1000000) /* a wake ends it; so would a clock that jumps */

struct courier {
    struct store *store;
    unsigned lane;
    struct fetcher *fetcher;
    struct courier_job jobs[COURIER_JOBS_MAX];
    unsigned job_count;
    pthread_t thread;
    bool started;
    sem_t answered, first_turn;
    _Atomic(bool) stop, hurried;
};

/* When the first of the jobs is due again. Who has begun is not hurried at the first turn. */
static int64_t run_jobs(struct courier *courier, bool hurried, bool first) {
    int64_t due_us = service_now_us() + SLEEP_MAX_US;
    for (unsigned i = 0; i < courier->job_count && !courier_stopping(courier); i++) {
        const struct courier_job *job = &courier->jobs[i];
        int64_t job_us = job->run(job->context, hurried && !(first && job->awaited));
        due_us = job_us < due_us ? job_us : due_us;
    }
    return due_us;
}

/* The start waits for some jobs: not for those that a stranger who hangs could hold up. */
static int64_t begin(struct courier *courier) {
    for (unsigned i = 0; i < courier->job_count && !courier_stopping(courier); i++)
        if (courier->jobs[i].awaited)
            (void)courier->jobs[i].run(courier->jobs[i].context, true);
    sem_post(&courier->first_turn);
    return run_jobs(courier, true, true);
}

static void *run(void *context) {
    struct courier *courier = context;
    pthread_setname_np(pthread_self(), "courier");
    int64_t due_us = begin(courier);
    while (!courier_stopping(courier)) {
        int64_t left_us = due_us - service_now_us();
        if (left_us > 0)
            fetcher_wait(courier->fetcher, (int)((left_us + 999) / 1000));
        due_us = run_jobs(courier, atomic_exchange(&courier->hurried, false), false);
    }
    return NULL;
}

struct courier *courier_new(struct store *store, unsigned lane) {
    struct courier *courier = mem_alloc_zeroed(1, sizeof *courier);
    courier->store = store;
    courier->lane = lane;
    courier->fetcher = fetcher_open();
    sem_init(&courier->answered, 0, 0);
    sem_init(&courier->first_turn, 0, 0);
    return courier;
}

void courier_add(struct courier *courier, struct courier_job job) {
    ASSERT(!courier->started && courier->job_count < COURIER_JOBS_MAX);
    courier->jobs[courier->job_count++] = job;
}

void courier_start(struct courier *courier) {
    int code = pthread_create(&courier->thread, NULL, run, courier);
    ASSERT(code == 0);
    courier->started = true;
    while (sem_wait(&courier->first_turn) != 0)
        ASSERT(errno == EINTR);
}

void courier_stop(struct courier *courier) {
    if (courier == NULL)
        return;
    atomic_store(&courier->stop, true);
    fetcher_wake(courier->fetcher);
    if (courier->started)
        ASSERT(pthread_join(courier->thread, NULL) == 0);
    fetcher_close(courier->fetcher);
    sem_destroy(&courier->answered);
    sem_destroy(&courier->first_turn);
    mem_free(courier);
}

void courier_answered(struct courier *courier) {
    sem_post(&courier->answered);
}

void courier_hurry(struct courier *courier) {
    atomic_store(&courier->hurried, true);
    fetcher_wake(courier->fetcher);
}

void courier_wake(struct courier *courier) {
    fetcher_wake(courier->fetcher);
}

void courier_fetch(struct courier *courier, struct fetch *const *fetches, unsigned count) {
    fetcher_run(courier->fetcher, fetches, count, &courier->stop);
}

bool courier_write(struct courier *courier, struct store_change *change) {
    if (store_submit(courier->store, courier->lane, change) != STATUS_OK)
        return false;
    while (sem_wait(&courier->answered) != 0)
        ASSERT(errno == EINTR);
    ASSERT(store_take(courier->store, courier->lane) == change);
    return change->done.status == STATUS_OK;
}

bool courier_stopping(const struct courier *courier) {
    return atomic_load(&courier->stop);
}
