/* What the log says of itself: each commit signs the tree it makes (C2SP tlog-checkpoint) in its
 * own transaction, so that nobody sees a checkpoint that was not kept. Private to store/.
 *
 * The log has one signing key, or two while one follows the other: keys/log.key, keys/log.next.key.
 * Each signs every checkpoint. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "store/internal.h"

/* Reads the store's keys, which must have the name of its origin, and those of its heads. */
MUST_CHECK enum status log_keys_load(struct store *store, struct span origin, char *why,
                                     size_t why_size);
/* Makes the first one where it is missing. */
MUST_CHECK enum status log_keys_create(const struct store *store, char *why, size_t why_size);
void log_keys_release(struct log_keys *keys);

/* The genesis entry names the first key: it needs no entry of its own. */
void checkpoint_genesis(struct write *w);
/* Puts the checkpoint of the tree that this transaction makes. */
void checkpoint_put(struct write *w, const struct digest *root);
/* The last one: a view; absent in a store that has none. */
struct span checkpoint_get(struct db_txn *txn);
/* The verifier keys in force, each with a newline: a view. */
struct span checkpoint_keys(struct db_txn *txn);
/* What is wrong with the last checkpoint of a store with this tree, or NULL: one of the store's
 * keys must have signed it, and it must be the tree's. */
const char *checkpoint_fault(const struct store *store, const struct tlog_tree *tree,
                             struct span note);
/* At start, before the writer: an entry for each key that came or went (key.added,
 * key.retired). Main thread. */
MUST_CHECK enum status checkpoint_settle_keys(struct store *store, char *why, size_t why_size);

/* How far a tenant's numbers go: seq entries in a log of size, as a note of the key named
 * <origin>/heads, so that it cannot be taken for a checkpoint. Any thread. */
struct tenant_head {
    uint64_t size;
    struct span tenant;
    uint64_t seq;
};
void checkpoint_sign_head(const struct log_keys *keys, const struct tenant_head *head,
                          struct buffer *out);

#endif
