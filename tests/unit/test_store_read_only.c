/* A store opened to read only: sees what was written, checks like a service does, writes nothing,
 * takes no lock. (Beside a running service: tests/e2e/test_consentctl_policy_diff.py, for LMDB must
 * not be opened twice in a process.) */
// SPDX-License-Identifier: Apache-2.0
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "store/db.h"
#include "store/question.h"
#include "tests/unit/support_store.h"
#include "tlog/key.h"

static enum status try_open(struct fixture *f, struct store **out, char why[256]) {
    const struct store_options options = {.directory = f->directory, .clock = &f->clock};
    return store_open_read_only(&options, out, why, 256);
}

static struct store *open_to_read(struct fixture *f) {
    struct store *store = NULL;
    char why[256] = "";
    if (try_open(f, &store, why) != STATUS_OK)
        fail_msg("store_open_read_only: %s", why);
    return store;
}

static void refuses_because(struct fixture *f, const char *cause) {
    struct store *store = NULL;
    char why[256] = "";
    assert_int_equal(try_open(f, &store, why), STATUS_INTERNAL);
    assert_null(store);
    if (strstr(why, cause) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, cause);
}

static void what_was_written_is_read(void **state) {
    struct fixture *f = *state;
    struct store_consent made = create(f, APP, "account-1"), found;
    fixture_close(f);
    struct store *store = open_to_read(f);
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader_open(store, &reader), STATUS_OK);
    assert_int_equal(store_read_begin(reader), STATUS_OK);
    assert_int_equal(store_consent_by_id(reader, &made.id, &found), STATUS_OK);
    assert_int_equal(found.status, CONSENT_ACTIVE);
    assert_int_equal(found.last_entry, made.last_entry);
    store_read_end(reader);
    store_reader_close(reader);
    store_close(store);
}

static void time_is_not_before_the_last_entry(void **state) {
    struct fixture *f = *state;
    create(f, APP, "account-1");
    fixture_close(f);
    int64_t then = f->clock.start_ms;
    f->clock.start_ms -= DAY_MS;
    struct store *store = open_to_read(f);
    assert_int_equal(store_time_ms(store), then);
    f->clock.start_ms = then + DAY_MS;
    assert_int_equal(store_time_ms(store), then + DAY_MS);
    store_close(store);
}

static void the_lock_of_the_directory_is_left_alone(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    snprintf(path, sizeof path, "%s/lock", f->directory);
    int holder = open(path, O_RDWR);
    assert_int_equal(flock(holder, LOCK_EX | LOCK_NB), 0);
    struct store *store = open_to_read(f);
    store_close(store);
    int other = open(path, O_RDWR);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1); /* still the holder's */
    close(other);
    close(holder);
}

static void a_write_transaction_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db = NULL;
    struct db_txn txn;
    char why[256];
    fixture_close(f);
    assert_int_equal(db_open_read_only(f->directory, &db, why, sizeof why), STATUS_OK);
    db_write_begin(db, &txn);
    assert_int_equal(txn.status, STATUS_INTERNAL);
    db_write_abort(&txn);
    db_close(db);
}

/* As decisions see it, under the pack that admitted it and under one that it never met. */
static void a_consent_is_spread_under_any_pack(void **state) {
    struct fixture *f = *state;
    struct store_consent made = create(f, APP, "account-1"), c;
    struct policy_consent seen;
    struct policy_pack *other = NULL;
    struct policy_error error;
    struct span none = SPAN("{\"pack\":\"none\",\"version\":\"1\",\"scheme\":\"https://x.example\","
                            "\"roles\":[],\"purposes\":[],\"permissions\":[],\"licenses\":[]}");
    assert_int_equal(policy_pack_load(none, &other, &error), STATUS_OK);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, made.index, &c), STATUS_OK);
    assert_int_equal(store_consent_spread(f->reader, f->pack, &c, &seen), STATUS_OK);
    assert_ptr_equal(seen.license, policy_pack_license_find(f->pack, SPAN(CONSUMPTION)));
    assert_int_equal(seen.purposes,
                     1U << policy_pack_purpose_find(f->pack, SPAN("estimate-emissions")));
    assert_int_equal(seen.grain_count, 1);
    assert_int_equal(seen.grains[0].permission,
                     policy_pack_permission_find(f->pack, SPAN("electricity.import.halfhourly")));
    assert_int_equal(store_consent_spread(f->reader, other, &c, &seen), STATUS_OK);
    assert_null(seen.license);
    assert_int_equal(seen.purposes, 0);
    assert_int_equal(seen.permissions, 0);
    assert_int_equal(seen.grains[0].permission, -1);
    store_read_end(f->reader);
    policy_pack_free(other);
}

static void what_is_no_store_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128];
    struct stat found;
    fixture_close(f);
    snprintf(path, sizeof path, "%s/data.mdb", f->directory);
    assert_int_equal(unlink(path), 0);
    refuses_because(f, "cannot be opened");
    assert_int_equal(stat(path, &found), -1); /* and none is made */
}

static void another_mac_key_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128], byte;
    fixture_close(f);
    snprintf(path, sizeof path, "%s/keys/mac.key", f->directory);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
    close(fd);
    refuses_because(f, "mac.key is not the key");
}

/* A bit of the last checkpoint's signature; LMDB is opened by nobody else meanwhile. */
static void a_checkpoint_that_nobody_signed_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db = NULL;
    struct db_txn txn;
    struct span note;
    char why[256], copy[1024];
    (void)create(f, APP, "account-1");
    fixture_close(f);
    assert_int_equal(db_open(f->directory, f->map_size, &db, why, sizeof why), STATUS_OK);
    db_write_begin(db, &txn);
    assert_true(db_get(&txn, DB_META, SPAN("checkpoint"), &note));
    assert_true(note.size < sizeof copy);
    memcpy(copy, note.data, note.size);
    char *letter = copy + note.size - 10;
    *letter = *letter == 'A' ? 'B' : 'A';
    db_put(&txn, DB_META, SPAN("checkpoint"), span_of(copy, note.size));
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
    db_close(db);
    refuses_because(f, "no key in keys/ has signed the last checkpoint");
}

static void a_log_key_that_is_gone_or_another_log_s_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128], aside[128];
    fixture_close(f);
    snprintf(path, sizeof path, "%s/keys/log.key", f->directory);
    snprintf(aside, sizeof aside, "%s/keys/aside", f->directory);
    assert_int_equal(rename(path, aside), 0);
    refuses_because(f, "keys/log.key is not a signing key");
    assert_int_equal(tlog_key_create(path, SPAN("example.com/log")), STATUS_OK);
    refuses_because(f, "no key in keys/ has signed the last checkpoint");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tlog_key_create(path, SPAN("example.com/other")), STATUS_OK);
    refuses_because(f, "is not a key of the log");
}

static void an_environment_without_a_log_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db = NULL;
    struct db_txn txn;
    char why[256];
    fixture_close(f);
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", f->directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(db_open(f->directory, f->map_size, &db, why, sizeof why), STATUS_OK);
    db_write_begin(db, &txn);
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
    db_close(db);
    refuses_because(f, "holds no log");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(time_is_not_before_the_last_entry),
        TEST(the_lock_of_the_directory_is_left_alone),
        TEST(a_write_transaction_is_refused),
        TEST(a_consent_is_spread_under_any_pack),
        TEST(what_is_no_store_is_refused),
        TEST(another_mac_key_is_refused),
        TEST(a_checkpoint_that_nobody_signed_is_refused),
        TEST(a_log_key_that_is_gone_or_another_log_s_is_refused),
        TEST(an_environment_without_a_log_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
