/* The store: consents and the append-only log in one LMDB environment. One writer thread, any
 * number of snapshot readers. Nothing outside this folder knows LMDB.
 *
 * Invariants 1-7 (ARCHITECTURE.md) live here. Threads: open, close, activate and confirm from the
 * main thread; submit and take from loops; one reader per loop (store/read.h). */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/uuid.h"
#include "policy/pack.h"

struct store;
struct store_change;

struct store_options {
    const char *directory; /* holds data.mdb, lock, keys/ */
    const char *origin;    /* the log's name, e.g. "consent.example.com/log"; fixed at creation */
    const char *guard;     /* a file outside the directory that keeps the last checkpoint, so that
                              an old copy of the directory is refused; NULL: none */
    bool create;           /* make a new log when there is none; without it that is an error */
    bool clock_confirmed;  /* the clock is right, however far ahead of the last entry it is */
    uint64_t map_size;     /* bytes of address space; 0: 1 TiB */
    unsigned loops;        /* who takes answers: loops and courier, <= LIMIT_LANES */
    const struct clock *clock;
    /* Called by the writer thread when answers wait for `loop`; must not block. */
    void (*wake)(void *context, unsigned loop);
    /* Called by the writer thread once, when a commit failed in a way that leaves its outcome
     * unknown: the process must stop. */
    void (*failed)(void *context);
    /* Called by the writer thread after a commit that changed consents, with the bits of their
     * tenants and clients (store/feed.h); must not block. */
    void (*committed)(void *context, uint64_t fed);
    /* Called by the writer thread after a commit that put a message into the outbox
     * (store/outbox.h); must not block. */
    void (*queued)(void *context);
    /* Called by the writer thread when a pack is in force: durable, and what it judges all that
     * follows by. */
    void (*activated)(void *context, const struct policy_pack *pack);
    void *context;
};

/* Opens, checks and starts the writer. Every refusal is logged with its cause; `why` (of size
 * why_size) gets one sentence. Caller closes with store_close. */
MUST_CHECK enum status store_open(const struct store_options *options, struct store **out,
                                  char *why, size_t why_size);
/* Opens a store to read only, with the same checks, also while a service has it open: takes no lock
 * and starts no writer. Only readers may be used on it. Tools; never twice in a process. `clock`
 * and `directory` of the options are read. */
MUST_CHECK enum status store_open_read_only(const struct store_options *options, struct store **out,
                                            char *why, size_t why_size);
/* Writes what is queued, stops the writer, closes the environment. All readers must be closed. */
void store_close(struct store *store);

/* Makes `pack` the one that judges from now on, with a policy.activated entry when its digest
 * differs from the last one's. Blocks until it is durable; the pack must then outlive the store. On
 * failure the one before stays: STATUS_NOT_ADMISSIBLE when all packs together have more purposes or
 * permissions than a set holds, STATUS_STORAGE_FULL, STATUS_BUSY when the store takes no changes.
 */
MUST_CHECK enum status store_pack_activate(struct store *store, const struct policy_pack *pack);
/* An operator accepts the present wall clock after a step (invariant 7). */
void store_clock_confirm(struct store *store);

/* Hands change to the writer, which owns it until it appears in store_take(loop). STATUS_BUSY when
 * the queue is full, the store is closing, failed or the clock has stepped: then the caller still
 * owns it. */
MUST_CHECK enum status store_submit(struct store *store, unsigned loop,
                                    struct store_change *change);
/* The store can no longer be trusted to be the log, whoever found that out: it takes no more
 * changes, and `failed` is called unless it was before. Any thread. */
void store_fail(struct store *store);
/* The answered changes of this loop as a list linked by ->next, oldest first; NULL when none. The
 * caller owns them and frees each with store_change_free. */
struct store_change *store_take(struct store *store, unsigned loop);

/* Service time: max(clock, time of the last entry), Unix ms (invariant 7). Any thread. */
int64_t store_time_ms(const struct store *store);
/* The keyed digest under the store's MAC key (DESIGN: MAC16). Any thread. */
struct mac16 store_mac16(const struct store *store, const struct span *parts, size_t count);
/* The secret part of Evidence URLs: base64url(arrangement || its MAC16), 43 characters and a NUL.
 */
#define STORE_EVIDENCE_SIZE 43
void store_evidence_id(const struct store *store, const struct uuid *arrangement,
                       char out[STORE_EVIDENCE_SIZE + 1]);
/* Whether this is such a text of this store's, and then whose. The MAC is compared in constant
 * time. */
bool store_evidence_open(const struct store *store, struct span text, struct uuid *arrangement);

struct store_stats {
    uint64_t entries; /* of the log */
    uint64_t consents;
    uint64_t queued;    /* changes waiting now */
    uint64_t commits;   /* since start */
    uint64_t changes;   /* answered since start */
    uint64_t refused;   /* of those, not OK */
    uint64_t commit_us; /* time spent in commits since start */
    uint64_t map_used;  /* bytes up to the last page used */
    uint64_t map_size;
    bool clock_stepped;    /* nothing is written until store_clock_confirm */
    int64_t clock_step_ms; /* how far it is from what was confirmed; 0 when it has not stepped */
    bool failed;           /* outcome unknown: stop */
    bool full;             /* new consents are refused for space */
};
/* Any thread. */
void store_stats_get(const struct store *store, struct store_stats *out);
/* Whether the writer takes changes: not failed, not closing, clock in order. Any thread. */
bool store_ready(const struct store *store);

#endif
