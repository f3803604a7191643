/* The published checkpoint is taken out of a snapshot with a proof for each witness, all are asked
 * at a time, their answers judged, and what they signed is kept by the writer. Who knows another
 * size than we thought is asked a second time. */
// SPDX-License-Identifier: Apache-2.0
#include "service/rounds.h"

#include <stdio.h>

#include "base/log.h"
#include "service/service.h"
#include "store/cosigned.h"
#include "store/log.h"
#include "tlog/submission.h"

#define LOG_EVERY_MS (INT64_C(3600) * 1000) /* entries delivery.cosigned of one witness */
#define PATH "/add-checkpoint"

/* A witness as we know it. */
struct peer {
    const struct config_witness *witness;
    char url[LIMIT_URL + sizeof PATH];
    uint64_t known_size; /* what it cosigned last, as far as we know */
    struct buffer body;
    struct fetch fetch;
    struct reply reply;
    enum reply_kind said; /* in the round before */
    bool asking;          /* in this pass */
    int64_t logged_ms;    /* the last entry, in service time; 0: none since the start */
    _Atomic(uint64_t) replies[REPLY_KINDS], size, time;
};

struct rounds {
    struct store *store;
    struct store_reader *reader;
    struct courier *courier;
    int64_t interval_us, due_us;
    struct peer *peers;
    unsigned peer_count;
    _Atomic(bool) rolled_back;
    /* of a round */
    struct buffer bytes; /* of the checkpoint */
    struct tlog_checkpoint checkpoint;
    uint64_t settled_size; /* the log behind our last entries: nobody else's came since */
};

/* ---- asking */

/* False when the store cannot be read. */
static bool take_checkpoint(struct rounds *rounds) {
    buffer_clear(&rounds->bytes);
    if (store_read_begin(rounds->reader) != STATUS_OK)
        return false;
    buffer_append_span(&rounds->bytes, store_log_checkpoint(rounds->reader));
    store_read_end(rounds->reader);
    return tlog_checkpoint_parse(buffer_span(&rounds->bytes), &rounds->checkpoint) == STATUS_OK;
}

/* The request to a witness, with the proof from the size that it knows. */
static bool write_request(struct rounds *rounds, struct peer *peer) {
    struct tlog_path path;
    buffer_clear(&peer->body);
    if (peer->known_size > rounds->checkpoint.head.size ||
        store_read_begin(rounds->reader) != STATUS_OK)
        return false;
    struct tlog_reader rows = store_log_rows(rounds->reader);
    enum status status =
        tlog_consistency_prove(&rows, peer->known_size, rounds->checkpoint.head.size, &path);
    store_read_end(rounds->reader);
    if (status != STATUS_OK)
        return false;
    tlog_submission_put(&peer->body, peer->known_size, &path, rounds->checkpoint.bytes);
    peer->fetch.body = buffer_span(&peer->body);
    return true;
}

/* Asks those that are marked, and judges what they say. */
static void ask(struct rounds *rounds) {
    struct fetch *fetches[CONFIG_WITNESSES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        peer->asking = peer->asking && write_request(rounds, peer);
        if (peer->asking)
            fetches[count++] = &peer->fetch;
    }
    courier_fetch(rounds->courier, fetches, count);
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        if (peer->asking)
            peer->reply =
                reply_judge(&peer->fetch, rounds->checkpoint.note.text, &peer->witness->key);
    }
}

/* Only what was published can have been cosigned, and that is in the store for good. */
static void stop_if_ahead(struct rounds *rounds, const struct peer *peer) {
    struct store_stats stats;
    store_stats_get(rounds->store, &stats);
    if (peer->reply.kind != REPLY_OTHER_SIZE || peer->reply.size <= stats.entries ||
        atomic_exchange(&rounds->rolled_back, true))
        return;
    log_event(LOG_ERROR, "courier.rolled_back", LOG_SPAN("witness", peer->witness->key.name),
              LOG_INT("size", peer->reply.size), LOG_INT("entries", stats.entries),
              LOG_TEXT("why", "the witness has cosigned more of the log than there is: an old copy "
                              "was put back. Nothing is written any more"));
    store_fail(rounds->store);
}

/* Marks those that named a size from which the log can go on. */
static void prepare_second(struct rounds *rounds) {
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        bool other = peer->asking && peer->reply.kind == REPLY_OTHER_SIZE &&
                     peer->reply.size != peer->known_size;
        stop_if_ahead(rounds, peer);
        peer->asking = other;
        if (other)
            peer->known_size = peer->reply.size;
    }
}

/* ---- keeping */

static bool is_due(const struct rounds *rounds, const struct peer *peer, int64_t now_ms) {
    return rounds->checkpoint.head.size != rounds->settled_size &&
           (peer->logged_ms == 0 || now_ms - peer->logged_ms >= LOG_EVERY_MS);
}

/* NULL when nobody has cosigned. */
static struct store_change *cosigned_change(const struct rounds *rounds, int64_t now_ms) {
    struct store_change *change = store_change_new();
    struct store_cosigned *cosigned = arena_array(&change->arena, 1, sizeof *cosigned);
    struct store_cosignature *items =
        arena_array(&change->arena, rounds->peer_count, sizeof *items);
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        const struct peer *peer = &rounds->peers[i];
        if (peer->reply.kind == REPLY_COSIGNED)
            items[cosigned->count++] = (struct store_cosignature){
                arena_copy(&change->arena, peer->witness->vkey),
                arena_copy(&change->arena, peer->reply.line), is_due(rounds, peer, now_ms)};
    }
    cosigned->items = items;
    cosigned->size = rounds->checkpoint.head.size;
    cosigned->checkpoint = arena_copy(&change->arena, rounds->checkpoint.bytes);
    change->op = STORE_COSIGN;
    change->cosigned = cosigned;
    if (cosigned->count != 0)
        return change;
    store_change_free(change);
    return NULL;
}

static void keep(struct rounds *rounds) {
    int64_t now_ms = store_time_ms(rounds->store);
    struct store_change *change = cosigned_change(rounds, now_ms);
    if (change == NULL)
        return;
    uint64_t size = rounds->checkpoint.head.size;
    bool due[CONFIG_WITNESSES_MAX];
    for (unsigned i = 0; i < rounds->peer_count; i++)
        due[i] = is_due(rounds, &rounds->peers[i], now_ms);
    bool written = courier_write(rounds->courier, change);
    if (written && change->done.log_index != STORE_INDEX_NONE)
        rounds->settled_size = change->done.log_index + 1;
    store_change_free(change);
    if (!written)
        return;
    now_ms = store_time_ms(rounds->store); /* not before the entries */
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        if (peer->reply.kind != REPLY_COSIGNED)
            continue;
        atomic_store(&peer->size, size);
        atomic_store(&peer->time, (uint64_t)(now_ms / 1000));
        if (due[i])
            peer->logged_ms = now_ms;
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

static void run_round(struct rounds *rounds) {
    if (!store_ready(rounds->store) || !take_checkpoint(rounds))
        return;
    for (unsigned i = 0; i < rounds->peer_count; i++)
        rounds->peers[i].asking = true;
    ask(rounds);
    prepare_second(rounds);
    if (!atomic_load(&rounds->rolled_back))
        ask(rounds);
    if (courier_stopping(rounds->courier) || atomic_load(&rounds->rolled_back))
        return;
    keep(rounds);
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        if (peer->reply.kind == REPLY_COSIGNED)
            peer->known_size = rounds->checkpoint.head.size;
        report(peer);
    }
}

static int64_t run(void *context, bool hurried) {
    struct rounds *rounds = context;
    if (hurried || service_now_us() >= rounds->due_us) {
        run_round(rounds);
        rounds->due_us = service_now_us() + rounds->interval_us;
    }
    return rounds->due_us;
}

/* ---- life */

/* What each is known to have cosigned: what we kept. */
static enum status recall(struct rounds *rounds) {
    enum status status = store_reader_open(rounds->store, &rounds->reader);
    if (status == STATUS_OK)
        status = store_read_begin(rounds->reader);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < rounds->peer_count; i++)
        rounds->peers[i].known_size =
            store_cosigned_by(rounds->reader, rounds->peers[i].witness->vkey);
    store_read_end(rounds->reader);
    return STATUS_OK;
}

enum status rounds_open(struct store *store, const struct config *config, struct courier *courier,
                        struct rounds **out) {
    static const char *const headers[] = {"Content-Type: text/plain; charset=utf-8", NULL};
    struct rounds *rounds = mem_alloc_zeroed(1, sizeof *rounds);
    rounds->store = store;
    rounds->courier = courier;
    rounds->interval_us = (int64_t)config->witness_seconds * 1000000;
    rounds->peer_count = config->witness_count;
    rounds->peers = mem_alloc_zeroed(rounds->peer_count, sizeof *rounds->peers);
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        struct peer *peer = &rounds->peers[i];
        peer->witness = &config->witnesses[i];
        snprintf(peer->url, sizeof peer->url, "%s" PATH, peer->witness->url.data);
        peer->fetch.url = peer->url;
        peer->fetch.headers = headers;
        peer->fetch.ca_file = peer->witness->ca_file;
        peer->said = REPLY_KINDS;
    }
    enum status status = recall(rounds);
    if (status != STATUS_OK) {
        rounds_close(rounds);
        return status;
    }
    courier_add(courier, (struct courier_job){run, rounds, .awaited = true});
    *out = rounds;
    return STATUS_OK;
}

void rounds_close(struct rounds *rounds) {
    if (rounds == NULL)
        return;
    for (unsigned i = 0; i < rounds->peer_count; i++) {
        buffer_release(&rounds->peers[i].body);
        buffer_release(&rounds->peers[i].fetch.answer);
    }
    store_reader_close(rounds->reader);
    buffer_release(&rounds->bytes);
    mem_free(rounds->peers);
    mem_free(rounds);
}

bool rounds_rolled_back(const struct rounds *rounds) {
    return atomic_load(&rounds->rolled_back);
}

bool rounds_stats_get(const struct rounds *rounds, unsigned index, struct rounds_stats *out) {
    if (index >= rounds->peer_count)
        return false;
    const struct peer *peer = &rounds->peers[index];
    out->witness = peer->witness->key.name;
    for (unsigned i = 0; i < REPLY_KINDS; i++)
        out->replies[i] = atomic_load(&peer->replies[i]);
    out->size = atomic_load(&peer->size);
    out->time = atomic_load(&peer->time);
    return true;
}
