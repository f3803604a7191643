/* What others in the scheme said of tokens that this store does not know (yet): a client revoked
 * one before its digest was registered, or another member's message withdrew one of its own store.
 * Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "store/internal.h"

/* The client's revocation of a token of that digest, made while it was unknown: the entry. */
bool pending_revocation(struct db_txn *txn, const struct digest *token, uint32_t client,
                        uint64_t *entry);
/* Remembers it for that client alone, whose oldest of more than LIMIT_PENDING is forgotten. */
void pending_revoke(struct write *w, const struct digest *token, uint32_t client, uint64_t entry);
/* It was applied. */
void pending_forget(struct write *w, const struct digest *token, uint32_t client);

/* Whether a message has withdrawn the token of another store by entry log_index; *entry, when
 * asked for, is the first such message. */
bool external_withdrawn(struct db_txn *txn, const struct digest *token, uint64_t log_index,
                        uint64_t *entry);
/* The first message about a token stands: for good while consents depend on the token, else as one
 * of the sender's LIMIT_PENDING. */
void external_withdraw(struct write *w, const struct digest *token, uint32_t sender,
                       uint64_t entry);
/* The first consent from index `from` on that depends, or did, on that token; false when none. */
bool external_dependant(struct db_txn *txn, const struct digest *token, uint64_t from,
                        uint64_t *consent);

#endif
