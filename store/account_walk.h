/* The entries of an account in index order, from indexes: those about its consents, and those that
 * asked about it and found none. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ACCOUNT_WALK_H
#define STORE_ACCOUNT_WALK_H

#include "store/consent.h"
#include "store/runs.h"

#define ACCOUNT_WALK_CONSENTS 1000 /* with more, an account is not walked by index */
#define ACCOUNT_WALK_PROVIDERS 16  /* nor with more of those whose consents lost their accounts */

struct account_walk {
    struct runs runs; /* of consents, by creation index, and kinds */
    struct db_cursor cursors[3];
    struct mac16 asked; /* account_key */
    bool live;          /* stands on a number */
    uint64_t number;    /* while live */
};
struct account_sought {
    uint32_t tenant; /* name */
    struct span account;
};
/* Stands on the account's first entry >= from. Every entry that the account may concern is walked
 * over, and some that it does not: the caller looks at each. False when it has too many consents to
 * be walked so; then nothing is to be closed. */
bool account_walk_open(struct store_reader *reader, const struct account_sought *sought,
                       uint64_t from, struct account_walk *out);
void account_walk_next(struct account_walk *walk);
void account_walk_close(struct account_walk *walk);

/* ---- rows of log_by_transaction that it reads; writer thread only */

/* The entry asked about the account, and is about no consent. */
void account_asked_put(struct write *w, const struct mac16 *account, uint64_t entry);
void account_asked_drop(struct write *w, const struct mac16 *account, uint64_t entry);
/* Consents that are erased in part: their rows in by_account are gone, the digest is not. */
void account_erased_put(struct write *w, const struct store_consent *consent);
void account_erased_drop(struct write *w, const struct store_consent *consent);

#endif
