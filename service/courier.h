/* The courier: one thread for all that the service asks of others over HTTP, off every path of a
 * request. It runs its jobs one after another, each when it is due, and holds no snapshot while it
 * waits for others.
 *
 * A job that waits for somebody who hangs holds up the others, for FETCH_MS a batch at most: jobs
 * send what they have at a time, and come back later to those that failed. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_COURIER_H
#define SERVICE_COURIER_H

#include "service/fetch.h"
#include "store/change.h"
#include "store/store.h"

#define COURIER_JOBS_MAX 4

struct courier_job {
    /* Does what is due, or all there is when an operator hurries; returns when it is due again, in
     * microseconds of CLOCK_MONOTONIC. On the courier's thread; returns early on courier_stopping.
     */
    int64_t (*run)(void *context, bool hurried);
    void *context; /* borrowed until courier_stop */
    bool awaited;  /* the start waits for its first turn */
};

struct courier;
/* lane is the courier's for changes; store is borrowed. */
struct courier *courier_new(struct store *store, unsigned lane);
/* Before the start. */
void courier_add(struct courier *courier, struct courier_job job);
/* Starts the thread; returns when each job that is awaited has run once. The others go after. */
void courier_start(struct courier *courier);
/* Ends the thread, whatever it waits for, and frees the courier. The store must still be open. NULL
 * is right. */
void courier_stop(struct courier *courier);

/* The writer has answered a change of the courier's lane. Any thread. */
void courier_answered(struct courier *courier);
/* Runs all jobs at once, due or not. Any thread. */
void courier_hurry(struct courier *courier);
/* Asks the jobs anew whether they are due. Any thread; never blocks. */
void courier_wake(struct courier *courier);

/* ---- for jobs, on the courier's thread */

/* As fetcher_run, until the courier is to stop. */
void courier_fetch(struct courier *courier, struct fetch *const *fetches, unsigned count);
/* Waits for the writer: true once the change is on disk; change->done says what came of it. False
 * also when the queue did not take it. The caller frees the change. */
bool courier_write(struct courier *courier, struct store_change *change);
bool courier_stopping(const struct courier *courier);

#endif
