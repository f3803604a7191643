/* What the files of store/ share: the store itself, the state that each commit carries forward, and
 * one write transaction. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/db.h"
#include "store/decider.h"
#include "store/event.h"
#include "store/key.h"
#include "store/names.h"
#include "store/record.h"
#include "tlog/key.h"
#include "tlog/tree.h"

#define FORMAT_VERSION 1
#define CLOCK_STEP_MAX_MS 60000 /* invariant 7 */
/* A step cannot be seen over a restart. A clock that is wrong by years expires everything for good;
 * a store that is in use is not idle for a month. */
#define CLOCK_GAP_MAX_MS INT64_C(2678400000) /* 31 days */

/* Carried from commit to commit in meta: "state". */
struct state {
    uint64_t next_consent;
    uint64_t next_job;
    int64_t last_time;        /* of the last entry, Unix ms */
    uint32_t idempotency_day; /* days before it have been dropped */
    struct digest pack;       /* last activated; zero before the first */
    struct tlog_tree tree;    /* its size is the next log index */
    uint32_t next_name[STORE_NAME_REASON + 1];
};

#define LOG_KEYS_MAX 2
struct log_keys {
    struct tlog_key *keys[LOG_KEYS_MAX];
    struct tlog_key *heads[LOG_KEYS_MAX]; /* the same, named <origin>/heads */
    unsigned count;
};

struct answers {
    pthread_mutex_t lock;
    struct store_change *first, **last;
};

struct store {
    struct store_options options;
    struct db *db;
    int lock_file;
    unsigned char mac_key[MAC_KEY_SIZE];
    struct log_keys log_keys; /* none where the store is open to read only */
    char entry_prefix[13];    /* of this start's entry ids */
    uint64_t entry_counter;
    pthread_t writer;
    bool writer_started; /* not where the store is open to read only */

    /* writer thread only */
    pthread_t writing;
    bool writer_runs; /* from its first step on */
    struct state state;
    struct uuid last_id; /* of a consent, made by this process */
    struct guard {       /* guard.c */
        uint64_t size;   /* of the checkpoint in the file; 0: not written by this process */
        uint64_t renewed_us;
        bool failed;
    } guard;
    struct retention { /* of the pack in force; erase_ended.c */
        bool erases;
        struct duration erase_after;
        uint64_t swept_us; /* when something went while callers wrote */
    } retention;

    /* under queue_lock */
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled, activation_done;
    struct store_change *queue, **queue_last;
    uint64_t queue_count;
    bool closing;
    const struct policy_pack *activating; /* wanted, NULL when done */
    enum status activation;

    struct answers answers[LIMIT_LANES];

    /* published by the writer after each commit */
    _Atomic(int64_t) last_time;
    _Atomic(uint64_t) entries, consents, queued, commits, changes, refused, commit_us;
    _Atomic(bool) failed, full, stepped;
};

/* One write transaction under way. */
struct write {
    struct store *store;
    struct db_txn txn;
    struct state state; /* becomes the store's when the commit succeeds */
    int64_t now;        /* service time of this transaction */
    struct arena scratch;
    struct buffer payload, personal, record; /* reused */
    struct buffer leaf_hashes;               /* of this transaction's entries, put at its commit */
    uint64_t entry_counter;
    uint64_t fed;      /* whose consents it changed, as feeds name them */
    uint32_t cascaded; /* entries that cascades wrote: beyond LIMIT_BULK they become jobs */
    bool queued;       /* a message was put into the outbox */
    bool dirty;        /* rows changed that the state does not show */
    bool room_only_for_endings;
    struct record_tail tail, other_tail; /* too large for the stack */
    struct decider decider;
};

/* ---- store.c: the parts of opening */
struct store *store_make(const struct store_options *options);
void store_unmake(struct store *store); /* closes what is open */
/* Keeps a second consentd, import, rebuild or scrub out; the kernel drops it with the process. */
MUST_CHECK enum status store_lock(struct store *store, char *why, size_t why_size);
/* Reads the keys of an environment that holds a store, and checks it. */
MUST_CHECK enum status store_check_existing(struct store *store, char *why, size_t why_size);

/* ---- state.c: meta rows and the checks at start */
void state_save(struct db_txn *txn, const struct state *state, const struct digest *root);
/* Loads and checks what can be checked without reading the whole log. */
MUST_CHECK enum status state_check(struct store *store, char *why, size_t why_size);
/* Writes identity, state and the genesis entry into an empty environment. */
MUST_CHECK enum status state_create(struct store *store, char *why, size_t why_size);
/* True when the environment holds a store. */
bool state_exists(struct store *store);

/* ---- activation.c: another pack comes into force */
/* Numbers what it names and writes its entry. STATUS_NOT_ADMISSIBLE: more than 64 purposes or
 * permissions over all packs. */
MUST_CHECK enum status activation_write(struct write *w, const struct policy_pack *pack);

/* ---- writer.c */
void *writer_main(void *store);
/* Begins a transaction with a copy of the state; ends it and publishes. */
void write_begin(struct store *store, struct write *w);
MUST_CHECK enum status write_commit(struct write *w);
void write_abort(struct write *w);

struct store_reader {
    struct store *store;
    struct db_txn txn;
    int64_t now; /* service time of the snapshot */
    bool open;
    struct names_kept names;
    struct decider decider;
};

#endif
