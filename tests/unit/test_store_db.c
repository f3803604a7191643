/* What LMDB 0.9.24 does not do by itself, done at its door: names on disk, and a status that stays
 * (invariant 1). fsync is ours here, and notes what it was asked for. */
// SPDX-License-Identifier: Apache-2.0
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store/db.h"
#include "store/key.h"
#include "tests/unit/support_store.h"

#define SYNCED_MAX 64
static ino_t synced[SYNCED_MAX];
static unsigned synced_count;

/* In place of the C library's; LMDB's own, which syncs the data, is another (fdatasync). */
int fsync(int fd) {
    struct stat now;
    assert_int_equal(fstat(fd, &now), 0);
    assert_true(synced_count < SYNCED_MAX);
    synced[synced_count++] = now.st_ino;
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *directory, const char *name) {
    char path[128];
    struct stat now;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(stat(path, &now), 0);
    for (unsigned i = 0; i < synced_count; i++)
        if (synced[i] == now.st_ino)
            return true;
    return false;
}

static int setup(void **state) {
    synced_count = 0;
    return fixture_setup(state);
}

static void a_new_store_is_on_disk_by_its_names_and_keys(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {".", "..", "keys", "keys/mac.key", "keys/log.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!was_synced(f->directory, names[i]))
            fail_msg("%s is not on disk", names[i]);
}

static void every_start_puts_the_names_on_disk(void **state) {
    struct fixture *f = *state;
    fixture_close(f);
    synced_count = 0;
    fixture_open(f, false);
    assert_true(was_synced(f->directory, ".") && was_synced(f->directory, ".."));
}

static struct db *open_alone(struct fixture *f) {
    struct db *db = NULL;
    char why[256];
    fixture_close(f);
    assert_int_equal(db_open(f->directory, f->map_size, &db, why, sizeof why), STATUS_OK);
    return db;
}

/* A put after a failed put would be MDB_BAD_TXN: the first cause is kept, the rest does nothing. */
static void after_a_failed_call_the_others_do_nothing(void **state) {
    struct db *db = open_alone(*state);
    struct db_txn txn;
    struct span found;
    db_write_begin(db, &txn);
    uint64_t leaves = db_count(&txn, DB_LEAF);
    db_fault_set(1, MDB_MAP_FULL, false);
    db_put(&txn, DB_META, SPAN("a"), SPAN("1"));
    assert_true(db_fault_hit());
    assert_int_equal(txn.status, STATUS_STORAGE_FULL);
    db_put(&txn, DB_META, SPAN("b"), SPAN("2"));
    struct key key = key_number(leaves);
    db_append(&txn, DB_LEAF, key_span(&key), SPAN("3"));
    assert_false(db_get(&txn, DB_META, SPAN("state"), &found));
    assert_int_equal(txn.status, STATUS_STORAGE_FULL);
    assert_int_equal(db_write_commit(&txn), STATUS_STORAGE_FULL);
    assert_int_equal(db_read_open(db, &txn), STATUS_OK);
    assert_int_equal(db_read_renew(&txn), STATUS_OK);
    assert_false(db_get(&txn, DB_META, SPAN("a"), &found));
    assert_false(db_get(&txn, DB_META, SPAN("b"), &found));
    assert_int_equal(db_count(&txn, DB_LEAF), leaves);
    db_read_close(&txn);
    db_close(db);
}

/* Invariant 3: an entry that is there cannot be put again, nor one before it. */
static void the_log_takes_no_entry_but_behind_the_last(void **state) {
    struct db *db = open_alone(*state);
    struct db_txn txn;
    for (uint64_t index = 0; index < 2; index++) {
        struct key key = key_number(index);
        db_write_begin(db, &txn);
        assert_int_equal(db_count(&txn, DB_LEAF), 2);
        db_append(&txn, DB_LEAF, key_span(&key), SPAN("another"));
        assert_int_equal(txn.status, STATUS_INTERNAL);
        assert_int_equal(db_write_commit(&txn), STATUS_INTERNAL);
    }
    db_close(db);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_is_on_disk_by_its_names_and_keys),
        TEST(every_start_puts_the_names_on_disk),
        TEST(after_a_failed_call_the_others_do_nothing),
        TEST(the_log_takes_no_entry_but_behind_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
