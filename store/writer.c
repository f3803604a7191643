/* The one writer (invariant 4): takes what waits, runs it in one transaction, answers after the
 * commit is on disk (invariant 1). Writer thread, but for write_* at start. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/log.h"
#include "store/checkpoint.h"
#include "store/erasing.h"
#include "store/granting.h"
#include "store/guard.h"
#include "store/hashes.h"
#include "store/operation.h"

#define SWEEP_MAX 256 /* consents that the clock ends in one transaction */
#define IDLE_MS 1000  /* how often an idle writer looks for what the clock ended */
#define REAP_EVERY_MS 60000
#define RETENTION_EVERY_US 1000000
#define RESERVE_MAX 67108864 /* bytes kept for endings, or an eighth of a smaller map */
#define FREE_LIST_EVERY 64   /* commits between two walks of the free list */

void write_begin(struct store *store, struct write *w) {
    ASSERT(!store->writer_runs || pthread_equal(pthread_self(), store->writing)); /* invariant 4 */
    memset(w, 0, offsetof(struct write, tail));
    w->store = store;
    w->state = store->state;
    w->now = store_time_ms(store);
    w->entry_counter = store->entry_counter;
    w->room_only_for_endings = atomic_load(&store->full);
    db_write_begin(store->db, &w->txn);
}

static void write_release(struct write *w) {
    arena_release(&w->scratch);
    buffer_release(&w->payload);
    buffer_release(&w->personal);
    buffer_release(&w->record);
    buffer_release(&w->leaf_hashes);
}

static void publish(struct store *store) {
    atomic_store(&store->last_time, store->state.last_time);
    atomic_store(&store->entries, store->state.tree.size);
    atomic_store(&store->consents, store->state.next_consent);
}

static bool changed(const struct write *w) {
    return w->dirty || memcmp(&w->state, &w->store->state, sizeof w->state) != 0;
}

static uint64_t monotonic_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void put_leaf_hashes(struct write *w) {
    hashes_append(&w->txn, 0, w->store->state.tree.size,
                  (const struct digest *)(const void *)w->leaf_hashes.data,
                  w->leaf_hashes.size / sizeof(struct digest));
}

enum status write_commit(struct write *w) {
    enum status status = w->txn.status;
    if (status == STATUS_OK && !changed(w)) {
        write_abort(w);
        return STATUS_OK; /* every change was refused or replayed: nothing to make durable */
    }
    ASSERT(w->state.tree.size >= w->store->state.tree.size); /* invariant 3 */
    struct digest root = tlog_tree_root(&w->state.tree);
    put_leaf_hashes(w);
    state_save(&w->txn, &w->state, &root);
    if (w->state.tree.size != w->store->state.tree.size)
        checkpoint_put(w, &root);
    uint64_t start = monotonic_us();
    status = db_write_commit(&w->txn);
    if (status == STATUS_OK) {
        w->store->state = w->state;
        w->store->entry_counter = w->entry_counter;
        atomic_fetch_add(&w->store->commits, 1);
        atomic_fetch_add(&w->store->commit_us, monotonic_us() - start);
        publish(w->store);
        if (w->fed != 0 && w->store->options.committed != NULL)
            w->store->options.committed(w->store->options.context, w->fed);
        if (w->queued && w->store->options.queued != NULL)
            w->store->options.queued(w->store->options.context);
    }
    write_release(w);
    return status;
}

void write_abort(struct write *w) {
    db_write_abort(&w->txn);
    write_release(w);
}

/* ---- changes */

/* A change may run again after its batch was aborted: it starts without the first run's results.
 * What was read under a pack that has been replaced since is not judged at all: its entry would
 * stand behind the activation of a pack that never saw it. */
static void apply(struct write *w, struct store_change *change) {
    change->done = (struct store_done){.status = STATUS_BUSY, .log_index = STORE_INDEX_NONE};
    change->replayed = change->more = false;
    change->reasons = NULL;
    change->results = NULL;
    change->result_count = 0;
    change->detail[0] = '\0';
    change->outdated = operation_is_judged(change) &&
                       !digest_equal(policy_pack_digest(change->pack), &w->state.pack);
    if (!change->outdated)
        change->done.status = operation_run(w, change);
}

static void fail_all(struct store_change *changes, enum status status) {
    for (struct store_change *c = changes; c != NULL; c = c->next)
        c->done.status = status;
}

static void stop_serving(struct store *store, enum status status) {
    log_event(LOG_ERROR, "store.stopped", LOG_TEXT("status", status_name(status)));
    store_fail(store);
}

/* Anything but "no space" is the world broken: the outcome of a commit is then unknown, and after a
 * failed call nothing was stored, but the next one cannot be trusted. */
static enum status broken(struct store *store, enum status status) {
    stop_serving(store, status);
    return status == STATUS_OUTCOME_UNKNOWN ? status : STATUS_INTERNAL;
}

/* Begins a transaction whose time can be trusted; BUSY without one when the wall clock has stepped.
 * The transaction has its time first: a step that it could contain is seen. */
static enum status begin_in_time(struct store *store, struct write *w) {
    write_begin(store, w);
    int64_t step = clock_step_ms(store->options.clock);
    bool stepped = step > CLOCK_STEP_MAX_MS || step < -CLOCK_STEP_MAX_MS;
    if (stepped && !atomic_exchange(&store->stepped, true))
        log_event(LOG_ERROR, "store.clock_stepped", LOG_INT("step_ms", step));
    if (!atomic_load(&store->stepped))
        return STATUS_OK;
    write_abort(w);
    return STATUS_BUSY;
}

/* Nobody waits for it: while callers do, some goes once a second. */
static void sweep_retention_beside_changes(struct write *w) {
    struct retention *retention = &w->store->retention;
    uint64_t now_us = monotonic_us();
    if (now_us - retention->swept_us >= RETENTION_EVERY_US && retention_sweep(w))
        retention->swept_us = now_us;
}

/* One transaction for all of `changes`; returns the transaction's fate. */
static enum status run_together(struct store *store, struct write *w,
                                struct store_change *changes) {
    if (begin_in_time(store, w) != STATUS_OK)
        return STATUS_BUSY;
    (void)ending_sweep(w, SWEEP_MAX);
    (void)erasure_sweep(w);
    sweep_retention_beside_changes(w);
    idempotency_sweep(w, SWEEP_MAX * 8);
    for (struct store_change *c = changes; c != NULL && w->txn.status == STATUS_OK; c = c->next)
        apply(w, c);
    if (w->txn.status != STATUS_OK) {
        enum status status = w->txn.status;
        write_abort(w);
        return status;
    }
    return write_commit(w);
}

/* The batch did not fit: creates are told so, endings get the room that is left, one by one. */
static void run_endings_alone(struct store *store, struct write *w, struct store_change *changes) {
    for (struct store_change *c = changes; c != NULL; c = c->next) {
        c->done.status = STATUS_STORAGE_FULL;
        if (!operation_is_ending(c) || atomic_load(&store->failed))
            continue;
        enum status status = begin_in_time(store, w);
        if (status != STATUS_OK) {
            c->done.status = status;
            continue;
        }
        apply(w, c);
        status = w->txn.status;
        if (status == STATUS_OK)
            status = write_commit(w);
        else
            write_abort(w);
        if (status == STATUS_STORAGE_FULL)
            c->done.status = status;
        else if (status != STATUS_OK)
            c->done.status = broken(store, status);
    }
}

static void run_batch(struct store *store, struct write *w, struct store_change *changes) {
    enum status status = run_together(store, w, changes);
    if (status == STATUS_STORAGE_FULL) {
        atomic_store(&store->full, true);
        run_endings_alone(store, w, changes);
    } else if (status == STATUS_BUSY) {
        fail_all(changes, status);
    } else if (status != STATUS_OK) {
        fail_all(changes, broken(store, status));
    }
}

/* ---- room */

static void note_room(struct store *store, uint64_t left, uint64_t reserve) {
    bool full = left < reserve;
    if (atomic_exchange(&store->full, full) != full)
        log_event(LOG_WARN, full ? "store.full" : "store.room", LOG_INT("bytes_left", left),
                  LOG_INT("reserve", reserve));
}

/* New consents are refused early, while endings still find pages. me_last_pgno never falls, so the
 * free list counts as room; it is walked only when the rest runs low. */
static void measure_room(struct store *store, struct write *w) {
    struct db_room room;
    struct statvfs disk;
    db_room_get(store->db, &room);
    uint64_t reserve = room.size / 8 < RESERVE_MAX ? room.size / 8 : RESERVE_MAX;
    uint64_t left = room.size - room.used;
    if (statvfs(store->options.directory, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < left)
        left = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (left >= reserve) {
        note_room(store, left, reserve);
        return;
    }
    if (atomic_load(&store->full) && atomic_load(&store->commits) % FREE_LIST_EVERY != 0)
        return;
    write_begin(store, w);
    left += db_free_bytes(&w->txn);
    write_abort(w);
    note_room(store, left, reserve);
}

/* ---- policy */

static void retain_by(struct store *store, const struct policy_pack *pack) {
    const struct policy_settings *settings = policy_pack_settings(pack);
    store->retention.erases = settings->has_erase_after;
    store->retention.erase_after = settings->erase_after;
}

static enum status activate(struct store *store, struct write *w, const struct policy_pack *pack) {
    if (!store_ready(store))
        return STATUS_BUSY;
    if (digest_equal(policy_pack_digest(pack), &store->state.pack)) {
        retain_by(store, pack);
        return STATUS_OK;
    }
    if (begin_in_time(store, w) != STATUS_OK)
        return STATUS_BUSY;
    if (activation_write(w, pack) == STATUS_NOT_ADMISSIBLE) {
        write_abort(w);
        return STATUS_NOT_ADMISSIBLE;
    }
    enum status status = write_commit(w);
    if (status != STATUS_OK && status != STATUS_STORAGE_FULL)
        status = broken(store, status);
    if (status != STATUS_OK)
        return status;
    retain_by(store, pack);
    log_event(LOG_INFO, "store.policy_activated", LOG_SPAN("pack", policy_pack_name(pack)),
              LOG_SPAN("version", policy_pack_version(pack)),
              LOG_INT("index", store->state.tree.size - 1));
    return STATUS_OK;
}

/* ---- the thread */

static void answer(struct store *store, struct store_change *changes) {
    bool woken[LIMIT_LANES] = {false};
    while (changes != NULL) {
        struct store_change *change = changes;
        struct answers *answers = &store->answers[change->loop];
        changes = change->next;
        change->next = NULL;
        atomic_fetch_add(&store->changes, 1);
        if (change->done.status != STATUS_OK)
            atomic_fetch_add(&store->refused, 1);
        woken[change->loop] = true;
        pthread_mutex_lock(&answers->lock);
        *answers->last = change;
        answers->last = &change->next;
        pthread_mutex_unlock(&answers->lock);
    }
    for (unsigned i = 0; i < store->options.loops; i++)
        if (woken[i] && store->options.wake != NULL)
            store->options.wake(store->options.context, i);
}

static void wait_a_while(struct store *store) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_MS / 1000;
    (void)pthread_cond_timedwait(&store->queue_filled, &store->queue_lock, &until);
}

struct work {
    struct store_change *changes;
    const struct policy_pack *pack;
    bool closing;
};

static struct work take(struct store *store, bool busy) {
    struct work work = {.changes = NULL};
    pthread_mutex_lock(&store->queue_lock);
    if (store->queue == NULL && !store->closing && store->activating == NULL && !busy)
        wait_a_while(store);
    struct store_change **end = &store->queue;
    uint32_t weight = 0;
    for (unsigned n = 0; n < LIMIT_BATCH && *end != NULL; n++) {
        weight += operation_weight(*end);
        if (n > 0 && weight > LIMIT_BATCH_ENTRIES)
            break;
        end = &(*end)->next;
        store->queue_count--;
    }
    work.changes = end != &store->queue ? store->queue : NULL;
    store->queue = *end;
    *end = NULL;
    if (store->queue == NULL)
        store->queue_last = &store->queue;
    work.pack = store->activating;
    work.closing = store->closing && store->queue == NULL;
    atomic_store(&store->queued, store->queue_count);
    pthread_mutex_unlock(&store->queue_lock);
    return work;
}

static void housekeeping(struct store *store, uint64_t *reaped_us) {
    guard_renew(store, monotonic_us(), false);
    if (monotonic_us() - *reaped_us < (uint64_t)REAP_EVERY_MS * 1000)
        return;
    *reaped_us = monotonic_us();
    db_reap_readers(store->db);
}

/* What the clock has ended while nobody wrote. Returns whether there is more to do at once. */
static bool sweep(struct store *store, struct write *w) {
    if (atomic_load(&store->failed) || begin_in_time(store, w) != STATUS_OK)
        return false;
    bool more = ending_sweep(w, SWEEP_MAX);
    more |= erasure_sweep(w);
    more |= retention_sweep(w);
    idempotency_sweep(w, SWEEP_MAX * 8);
    enum status status = write_commit(w);
    if (status == STATUS_STORAGE_FULL)
        return false;
    if (status != STATUS_OK)
        (void)broken(store, status);
    return more && status == STATUS_OK;
}

/* Loops learn of the pack before the changes behind it are judged. */
static void finish_activation(struct store *store, const struct policy_pack *pack,
                              enum status status) {
    if (status == STATUS_OK && store->options.activated != NULL)
        store->options.activated(store->options.context, pack);
    pthread_mutex_lock(&store->queue_lock);
    store->activation = status;
    store->activating = NULL;
    pthread_cond_broadcast(&store->activation_done);
    pthread_mutex_unlock(&store->queue_lock);
}

void *writer_main(void *argument) {
    struct store *store = argument;
    struct write *w = mem_alloc_zeroed(1, sizeof *w);
    uint64_t reaped_us = monotonic_us();
    bool more = false;
    store->writing = pthread_self();
    store->writer_runs = true;
    for (;;) {
        struct work work = take(store, more);
        housekeeping(store, &reaped_us);
        if (work.pack != NULL)
            finish_activation(store, work.pack, activate(store, w, work.pack));
        if (work.changes != NULL && !atomic_load(&store->failed)) {
            run_batch(store, w, work.changes);
        } else if (work.changes != NULL) {
            fail_all(work.changes, STATUS_BUSY);
        } else if (!work.closing && work.pack == NULL) { /* its caller has been answered */
            more = sweep(store, w);
        }
        ASSERT(w->txn.handle == NULL); /* invariant 1: what is answered is on disk, or undone */
        answer(store, work.changes);
        if (!atomic_load(&store->failed))
            measure_room(store, w);
        if (work.closing)
            break;
    }
    if (!atomic_load(&store->failed))
        guard_renew(store, monotonic_us(), true);
    mem_free(w);
    return NULL;
}
