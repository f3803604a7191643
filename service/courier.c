/* Rounds of the courier: the published checkpoint is taken out of a snapshot with a proof for each
 * witness, all are asked at a time, their answers judged, and what they signed is kept by the
 * writer. Who knows another size than we thought is asked a second time. */
// SPDX-License-Identifier: Apache-2.0
#include "service/courier.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include "base/log.h"
#include "service/service.h"
#include "store/cosigned.h"
#include "store/log.h"
#include "tlog/submission.h"

#define LOG_EVERY_US (INT64_C(3600) * 1000000) /* entries delivery.cosigned of one witness */
#define PATH "/add-checkpoint"

/* A witness as the courier knows it. */
struct peer {
    const struct config_witness *witness;
    char url[LIMIT_URL + sizeof PATH];
    uint64_t known_size; /* what it cosigned last, as far as we know */
    struct buffer body;
    struct fetch fetch;
    struct reply reply;
    enum reply_kind said; /* in the round before */
    bool asking;          /* in this pass */
    int64_t logged_us;    /* the last entry, monotonic; 0: none */
    _Atomic(uint64_t) replies[REPLY_KINDS], size, time;
};

struct courier {
    struct store *store;
    struct store_reader *reader;
    struct fetcher *fetcher;
    unsigned lane;
    int interval_ms;
    struct peer *peers;
    unsigned peer_count;
    pthread_t thread;
    sem_t answered, first_round;
    _Atomic(bool) stop, rolled_back;
    /* of a round */
    struct buffer bytes; /* of the checkpoint */
    struct tlog_checkpoint checkpoint;
    uint64_t settled_size; /* the log behind our last entries: nobody else's came since */
};

/* ---- asking */

/* False when the store cannot be read. */
static bool take_checkpoint(struct courier *courier) {
    buffer_clear(&courier->bytes);
    if (store_read_begin(courier->reader) != STATUS_OK)
        return false;
    buffer_append_span(&courier->bytes, store_log_checkpoint(courier->reader));
    store_read_end(courier->reader);
    return tlog_checkpoint_parse(buffer_span(&courier->bytes), &courier->checkpoint) == STATUS_OK;
}

/* The request to a witness, with the proof from the size that it knows. */
static bool write_request(struct courier *courier, struct peer *peer) {
    struct tlog_path path;
    buffer_clear(&peer->body);
    if (peer->known_size > courier->checkpoint.head.size ||
        store_read_begin(courier->reader) != STATUS_OK)
        return false;
    struct tlog_reader rows = store_log_rows(courier->reader);
    enum status status =
        tlog_consistency_prove(&rows, peer->known_size, courier->checkpoint.head.size, &path);
    store_read_end(courier->reader);
    if (status != STATUS_OK)
        return false;
    tlog_submission_put(&peer->body, peer->known_size, &path, courier->checkpoint.bytes);
    peer->fetch.body = buffer_span(&peer->body);
    return true;
}

/* Asks those that are marked, and judges what they say. */
static void ask(struct courier *courier) {
    struct fetch *fetches[CONFIG_WITNESSES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        peer->asking = peer->asking && write_request(courier, peer);
        if (peer->asking)
            fetches[count++] = &peer->fetch;
    }
    fetcher_run(courier->fetcher, fetches, count, &courier->stop);
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->asking)
            peer->reply =
                reply_judge(&peer->fetch, courier->checkpoint.note.text, &peer->witness->key);
    }
}

/* Only what was published can have been cosigned, and that is in the store for good. */
static void stop_if_ahead(struct courier *courier, const struct peer *peer) {
    struct store_stats stats;
    store_stats_get(courier->store, &stats);
    if (peer->reply.kind != REPLY_OTHER_SIZE || peer->reply.size <= stats.entries ||
        atomic_exchange(&courier->rolled_back, true))
        return;
    log_event(LOG_ERROR, "courier.rolled_back", LOG_SPAN("witness", peer->witness->key.name),
              LOG_INT("size", peer->reply.size), LOG_INT("entries", stats.entries),
              LOG_TEXT("why", "the witness has cosigned more of the log than there is: an old copy "
                              "was put back. Nothing is written any more"));
    store_fail(courier->store);
}

/* Marks those that named a size from which the log can go on. */
static void prepare_second(struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        bool other = peer->asking && peer->reply.kind == REPLY_OTHER_SIZE &&
                     peer->reply.size != peer->known_size;
        stop_if_ahead(courier, peer);
        peer->asking = other;
        if (other)
            peer->known_size = peer->reply.size;
    }
}

/* ---- keeping */

static bool is_due(const struct courier *courier, const struct peer *peer, int64_t now_us) {
    return courier->checkpoint.head.size != courier->settled_size &&
           (peer->logged_us == 0 || now_us - peer->logged_us >= LOG_EVERY_US);
}

/* NULL when nobody has cosigned. */
static struct store_change *cosigned_change(const struct courier *courier, int64_t now_us) {
    struct store_change *change = store_change_new();
    struct store_cosigned *cosigned = arena_array(&change->arena, 1, sizeof *cosigned);
    struct store_cosignature *items =
        arena_array(&change->arena, courier->peer_count, sizeof *items);
    for (unsigned i = 0; i < courier->peer_count; i++) {
        const struct peer *peer = &courier->peers[i];
        if (peer->reply.kind == REPLY_COSIGNED)
            items[cosigned->count++] = (struct store_cosignature){
                arena_copy(&change->arena, peer->witness->vkey),
                arena_copy(&change->arena, peer->reply.line), is_due(courier, peer, now_us)};
    }
    cosigned->items = items;
    cosigned->size = courier->checkpoint.head.size;
    cosigned->checkpoint = arena_copy(&change->arena, courier->checkpoint.bytes);
    change->op = STORE_COSIGN;
    change->cosigned = cosigned;
    if (cosigned->count != 0)
        return change;
    store_change_free(change);
    return NULL;
}

/* True once it is on disk. */
static bool write_change(struct courier *courier, struct store_change *change) {
    if (store_submit(courier->store, courier->lane, change) != STATUS_OK) {
        store_change_free(change);
        return false;
    }
    while (sem_wait(&courier->answered) != 0)
        ASSERT(errno == EINTR);
    ASSERT(store_take(courier->store, courier->lane) == change);
    bool written = change->done.status == STATUS_OK;
    if (written && change->done.log_index != STORE_INDEX_NONE)
        courier->settled_size = change->done.log_index + 1;
    store_change_free(change);
    return written;
}

static void keep(struct courier *courier) {
    int64_t now_us = service_now_us();
    struct store_change *change = cosigned_change(courier, now_us);
    if (change == NULL)
        return;
    uint64_t size = courier->checkpoint.head.size;
    bool due[CONFIG_WITNESSES_MAX];
    for (unsigned i = 0; i < courier->peer_count; i++)
        due[i] = is_due(courier, &courier->peers[i], now_us);
    if (!write_change(courier, change))
        return;
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->reply.kind != REPLY_COSIGNED)
            continue;
        atomic_store(&peer->size, size);
        atomic_store(&peer->time, (uint64_t)(store_time_ms(courier->store) / 1000));
        if (due[i])
            peer->logged_us = now_us;
    }
}

/* ---- rounds */

/* Once when it changes, not in every round. */
static void report(struct peer *peer) {
    enum reply_kind kind = peer->reply.kind;
    atomic_fetch_add(&peer->replies[kind], 1);
    if (kind == peer->said)
        return;
    peer->said = kind;
    if (kind == REPLY_COSIGNED)
        log_event(LOG_INFO, "courier.cosigned", LOG_SPAN("witness", peer->witness->key.name),
                  LOG_INT("size", peer->known_size));
    else
        log_event(kind == REPLY_UNREACHABLE ? LOG_WARN : LOG_ERROR, "courier.not_cosigned",
                  LOG_SPAN("witness", peer->witness->key.name),
                  LOG_TEXT("cause", reply_kind_name(kind)), LOG_INT("status", peer->fetch.status),
                  LOG_TEXT("why", kind == REPLY_UNREACHABLE ? peer->fetch.failure : ""));
}

static void run_round(struct courier *courier) {
    if (!store_ready(courier->store) || !take_checkpoint(courier))
        return;
    for (unsigned i = 0; i < courier->peer_count; i++)
        courier->peers[i].asking = true;
    ask(courier);
    prepare_second(courier);
    if (!atomic_load(&courier->rolled_back))
        ask(courier);
    if (atomic_load(&courier->stop) || atomic_load(&courier->rolled_back))
        return;
    keep(courier);
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->reply.kind == REPLY_COSIGNED)
            peer->known_size = courier->checkpoint.head.size;
        report(peer);
    }
}

static void *run(void *context) {
    struct courier *courier = context;
    pthread_setname_np(pthread_self(), "courier");
    run_round(courier);
    sem_post(&courier->first_round);
    while (!atomic_load(&courier->stop)) {
        fetcher_wait(courier->fetcher, courier->interval_ms);
        if (!atomic_load(&courier->stop))
            run_round(courier);
    }
    return NULL;
}

/* ---- life */

static void release(struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++) {
        buffer_release(&courier->peers[i].body);
        buffer_release(&courier->peers[i].fetch.answer);
    }
    store_reader_close(courier->reader);
    fetcher_close(courier->fetcher);
    buffer_release(&courier->bytes);
    sem_destroy(&courier->answered);
    sem_destroy(&courier->first_round);
    mem_free(courier->peers);
    mem_free(courier);
}

/* What each is known to have cosigned: what we kept. */
static enum status recall(struct courier *courier) {
    enum status status = store_reader_open(courier->store, &courier->reader);
    if (status == STATUS_OK)
        status = store_read_begin(courier->reader);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < courier->peer_count; i++)
        courier->peers[i].known_size =
            store_cosigned_by(courier->reader, courier->peers[i].witness->vkey);
    store_read_end(courier->reader);
    return STATUS_OK;
}

enum status courier_start(struct store *store, const struct config *config, unsigned lane,
                          _Atomic(struct courier *) *out) {
    struct courier *courier = mem_alloc_zeroed(1, sizeof *courier);
    courier->store = store;
    courier->lane = lane;
    courier->interval_ms = (int)config->witness_seconds * 1000;
    courier->peer_count = config->witness_count;
    courier->peers = mem_alloc_zeroed(courier->peer_count, sizeof *courier->peers);
    courier->fetcher = fetcher_open();
    sem_init(&courier->answered, 0, 0);
    sem_init(&courier->first_round, 0, 0);
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        peer->witness = &config->witnesses[i];
        snprintf(peer->url, sizeof peer->url, "%s" PATH, peer->witness->url.data);
        peer->fetch.url = peer->url;
        peer->said = REPLY_KINDS;
    }
    enum status status = recall(courier);
    if (status != STATUS_OK) {
        release(courier);
        return status;
    }
    atomic_store(out, courier);
    int code = pthread_create(&courier->thread, NULL, run, courier);
    ASSERT(code == 0);
    while (sem_wait(&courier->first_round) != 0)
        ASSERT(errno == EINTR);
    return atomic_load(&courier->rolled_back) ? STATUS_INTERNAL : STATUS_OK;
}

void courier_stop(struct courier *courier) {
    if (courier == NULL)
        return;
    atomic_store(&courier->stop, true);
    fetcher_wake(courier->fetcher);
    ASSERT(pthread_join(courier->thread, NULL) == 0);
    release(courier);
}

void courier_answered(struct courier *courier) {
    sem_post(&courier->answered);
}

void courier_hurry(struct courier *courier) {
    fetcher_wake(courier->fetcher);
}

bool courier_stats_get(const struct courier *courier, unsigned index, struct courier_stats *out) {
    if (index >= courier->peer_count)
        return false;
    const struct peer *peer = &courier->peers[index];
    out->witness = peer->witness->key.name;
    for (unsigned i = 0; i < REPLY_KINDS; i++)
        out->replies[i] = atomic_load(&peer->replies[i]);
    out->size = atomic_load(&peer->size);
    out->time = atomic_load(&peer->time);
    return true;
}
