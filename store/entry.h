/* Appending to the log. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include "store/inquiry.h"
#include "store/internal.h"

struct actor {
    struct span client_id; /* absent for the system */
    enum store_role role;
};
struct entry {
    enum store_event_code code;
    struct actor actor;
    const struct store_consent *consent; /* NULL: about no tenant. Of entries that change none, its
                                            id may be nil: then they are about the tenant */
    uint64_t previous;                   /* entry of the same consent before, or STORE_INDEX_NONE */
    struct record_step step;             /* of the consent; code is filled in */
    struct span body;                    /* members of the body object */
    struct record_marks marks;           /* into body */
    struct span personal;                /* a JSON object, or empty */
    struct record_marks personal_marks;
};
/* Appends and indexes the entry; returns its log index. */
uint64_t entry_append(struct write *w, const struct entry *entry);
/* How callers name the entry that was appended last, at this index. */
void entry_id(const struct write *w, uint64_t index, char out[STORE_ENTRY_ID_MAX]);

/* The tenant's last entry: its number among the tenant's (0: it has none) and log index. */
struct tenant_row {
    uint64_t seq, index;
};
struct tenant_row tenant_load(struct db_txn *txn, uint32_t tenant);

#endif
