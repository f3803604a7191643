/* Stores that were tampered with while they were closed, through the store's own door to LMDB, and
 * how they are refused. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_DAMAGE_H
#define TESTS_UNIT_SUPPORT_DAMAGE_H

#include "store/db.h"
#include "store/key.h"
#include "tests/unit/support_store.h"

static void damage_begin(struct fixture *f, struct db **db, struct db_txn *txn) {
    char why[256];
    fixture_close(f);
    assert_int_equal(db_open(f->directory, f->map_size, db, why, sizeof why), STATUS_OK);
    db_write_begin(*db, txn);
}

static void damage_end(struct db *db, struct db_txn *txn) {
    assert_int_equal(db_write_commit(txn), STATUS_OK);
    db_close(db);
}

static void refuses_because(struct fixture *f, const char *cause) {
    char why[256] = "";
    assert_int_equal(fixture_try_open(f, false, why), STATUS_INTERNAL);
    f->store = NULL;
    if (strstr(why, cause) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, cause);
}

/* Turns a bit of a row's value; `at` counts from its end when negative. */
static void damage_bit(struct fixture *f, enum db_table table, struct span key, int at) {
    struct db *db;
    struct db_txn txn;
    struct span value;
    char copy[8192];
    damage_begin(f, &db, &txn);
    assert_true(db_get(&txn, table, key, &value));
    assert_true(value.size <= sizeof copy);
    memcpy(copy, value.data, value.size);
    copy[at < 0 ? (int)value.size + at : at] ^= 1;
    db_put(&txn, table, key, span_of(copy, value.size));
    damage_end(db, &txn);
}

#endif
