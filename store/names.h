/* Names: strings that records carry as small numbers, append-only. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "store/db.h"
#include "store/read.h"

struct write;

/* The number of name, made when new. STORE_NAME_NONE for an absent name or a full set. */
uint32_t name_intern(struct write *w, enum store_name_kind kind, struct span name);
uint32_t name_find(struct db_txn *txn, enum store_name_kind kind, struct span name);
/* View. */
struct span name_text(struct db_txn *txn, enum store_name_kind kind, uint32_t number);

/* A committed name never changes and its number is small: a reader keeps the texts it has seen,
 * since showing one consent takes six of them. */
#define MEMBERS_KEPT 256
#define NAMES_KEPT 1024 /* of each kind; the others are looked up each time */
struct names_kept {
    struct span texts[STORE_NAME_REASON + 1][NAMES_KEPT];
    struct member_kept { /* the other way, for members: a decision looks for three */
        struct span text;
        uint32_t number;
    } members[MEMBERS_KEPT];
};
void names_kept_release(struct names_kept *kept);
/* name_find for members; kept may be NULL: a writer's transaction may yet be undone. */
uint32_t name_find_member(struct names_kept *kept, struct db_txn *txn, struct span name);

#endif
