/* Indexes whose rows end in a rising number (a consent's or an entry's), read in that order. Some
 * are packed: many numbers of one name in a row. Those of all clients of an account are many runs,
 * read as one (fan.h). Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/db.h"
#include "store/fan.h"
#include "store/key.h"

struct walk {
    struct db_cursor cursor;
    struct key prefix;
    bool packed, fanned;
    size_t at;             /* packed: of the number in the row's value */
    struct runs fan;       /* fanned: what is left of each run */
    unsigned char name[4]; /* fanned: of the run that it is on; a note is a view of it */

    bool live;        /* stands on a number */
    uint64_t number;  /* while live */
    struct span note; /* view: what the index says of it */
};
/* Stands on the first number >= from under the prefix. Packed tables take a name as prefix;
 * by_account an account, with its clients as notes, or an account and one client (key_account). */
void walk_open(struct db_txn *txn, enum db_table table, struct key prefix, uint64_t from,
               struct walk *out);
void walk_next(struct walk *walk);
void walk_close(struct walk *walk);

/* Adds a number to a packed index, greater than all that the name has there. */
void walk_append(struct db_txn *txn, enum db_table table, uint32_t name, uint64_t number,
                 struct span note);

#endif
