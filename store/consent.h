/* Consent headers inside any transaction: reading, judging, writing. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_CONSENT_H
#define STORE_CONSENT_H

#include "store/internal.h"

MUST_CHECK enum status consent_load(struct db_txn *txn, uint64_t index, struct store_consent *out);
MUST_CHECK enum status consent_find(struct db_txn *txn, const struct uuid *id,
                                    struct store_consent *out);
void consent_save(struct write *w, const struct store_consent *consent);
/* Sets consent->status from the recorded state and the time (invariant 7). */
void consent_judge(struct store_consent *consent, int64_t now);
/* The consent that an arrangement is now: the last granted (or still requested) one in it, or in
 * the arrangement that took it over. Judged by the clock; its tail is a copy in w->scratch. */
MUST_CHECK enum status consent_head(struct write *w, const struct uuid *arrangement,
                                    struct store_consent *out);
/* The same in any transaction, at a time; its tail is a view. */
MUST_CHECK enum status consent_head_now(struct db_txn *txn, const struct uuid *arrangement,
                                        int64_t now, struct store_consent *out);
/* ---- past.c */
/* Rewinds *consent to what it was right after entry log_index. STATUS_NOT_FOUND before its first.
 */
MUST_CHECK enum status consent_rewind(struct db_txn *txn, uint64_t log_index,
                                      struct store_consent *consent);
/* The head of an arrangement as of an entry, rewound but not judged by a clock. */
MUST_CHECK enum status consent_head_then(struct db_txn *txn, const struct uuid *arrangement,
                                         uint64_t log_index, struct store_consent *out);
/* The first entry at or after a time: times never go back (invariant 7). */
uint64_t entry_at_time(struct db_txn *txn, int64_t time_ms);
/* Enters a consent that is not its arrangement's first, with its supersedes set, as the head. */
void consent_join(struct write *w, const struct store_consent *consent);
/* The arrangement of a consent that was superseded by one of another arrangement is, from now on,
 * what that one's is. */
void consent_leave(struct write *w, const struct store_consent *consent);
struct mac16 account_mac(const struct store *store, struct span tenant, struct span provider,
                         struct span account);
struct mac16 account_key(const struct store *store, struct span tenant, struct span account);
struct mac16 resource_mac(const struct store *store, struct span tenant, struct span resource);
struct mac16 transaction_mac(const struct store *store, struct span tenant,
                             struct span transaction);
struct mac16 step_mac(const struct store *store, struct span tenant, struct span step);

#endif
