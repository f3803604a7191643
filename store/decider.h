/* Judging questions inside any transaction, now or as of an entry of the log. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_DECIDER_H
#define STORE_DECIDER_H

#include "store/question.h"
#include "store/record.h"

struct db_txn;
struct names_kept;

/* Working memory of one thread: how the pack's codes are numbered in this store, and one consent
 * spread out. Too large for a stack. */
struct decider {
    struct digest pack; /* what the numbers below are of */
    const struct policy_pack *numbered;
    int8_t purposes[LIMIT_SET], permissions[LIMIT_SET]; /* by number: position in the pack, or -1 */
    uint32_t licenses[LIMIT_LICENSES];                  /* by position: number */
    struct record_tail tail;
    struct policy_grain grains[LIMIT_SET];
    struct span onward_urls[LIMIT_ONWARD];
};

/* Where one looks from. */
struct vantage {
    struct store *store;
    struct db_txn *txn;
    struct decider *decider;
    struct names_kept *names; /* a reader's, or NULL */
    int64_t now;
    bool past; /* as of the moment right after entry log_index */
    uint64_t log_index;
    struct span transaction; /* of a disclosure that is judged, or absent: see use_count */
};
MUST_CHECK enum status decider_rule(const struct vantage *from, const struct policy_pack *pack,
                                    const struct store_question *question,
                                    struct store_ruling *out);

/* ---- block.c: a tenant's stop-list */
/* Whether the client is blocked; both are numbers of names. */
bool block_holds(const struct vantage *from, uint32_t tenant, uint32_t client);
/* ---- use.c: disclosures that used a consent, each transaction once */
/* For a transaction: the other ones recorded so far, whenever they happened. So no more than
 * maxUses are ever permitted, in whichever order they are recorded, and parts of one transfer do
 * not exclude each other. */
uint32_t use_count(const struct vantage *from, const struct store_consent *consent);
/* The row of a transaction under a consent; false when it has none. */
bool use_find(const struct vantage *from, const struct store_consent *consent);

#endif
