/* Start-up distrusts itself: whatever does not fit, the store does not open, and says why.
 * Invariants 1 and 3. Damage is done to the environment through the store's own door to LMDB. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/support_damage.h"

static void a_missing_log_is_not_made_without_being_asked(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    snprintf(path, sizeof path, "%s/data.mdb", f->directory);
    assert_int_equal(unlink(path), 0);
    refuses_because(f, "--create");
}

static void a_second_process_is_kept_out(void **state) {
    struct fixture *f = *state;
    char why[256] = "";
    struct store *first = f->store;
    assert_int_equal(fixture_try_open(f, false, why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "held by another process"));
    f->store = first;
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

static void a_mac_key_of_another_size_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    snprintf(path, sizeof path, "%s/keys/mac.key", f->directory);
    assert_int_equal(truncate(path, 31), 0);
    refuses_because(f, "exactly 32 bytes");
}

static void another_origin_is_refused(void **state) {
    struct fixture *f = *state;
    struct store_options options = {.directory = f->directory,
                                    .origin = "other.example/log",
                                    .map_size = f->map_size,
                                    .loops = 1,
                                    .clock = &f->clock};
    char why[256] = "";
    fixture_close(f);
    assert_int_equal(store_open(&options, &f->store, why, sizeof why), STATUS_INTERNAL);
    f->store = NULL;
    assert_non_null(strstr(why, "example.com/log"));
}

static void a_missing_last_entry_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db;
    struct db_txn txn;
    (void)create(f, APP, "acc-1");
    damage_begin(f, &db, &txn);
    struct key key = key_number(2);
    db_delete(&txn, DB_LEAF, key_span(&key));
    damage_end(db, &txn);
    refuses_because(f, "leaves");
}

static void a_changed_last_leaf_is_refused(void **state) {
    struct fixture *f = *state;
    (void)create(f, APP, "acc-1");
    struct key key = key_number(2);
    damage_bit(f, DB_LEAF, key_span(&key), 10);
    refuses_because(f, "not the one under the root");
}

static void a_changed_last_payload_is_refused(void **state) {
    struct fixture *f = *state;
    (void)create(f, APP, "acc-1");
    struct key key = key_number(2);
    damage_bit(f, DB_PAYLOAD, key_span(&key), -3);
    refuses_because(f, "does not open its commitment");
}

static void a_lost_consent_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db;
    struct db_txn txn;
    struct store_consent c = create(f, APP, "acc-1");
    damage_begin(f, &db, &txn);
    struct key key = key_uuid(&c.id);
    db_delete(&txn, DB_BY_ID, key_span(&key));
    damage_end(db, &txn);
    refuses_because(f, "counts of consents");
}

static void a_changed_peak_is_refused(void **state) {
    struct fixture *f = *state;
    damage_bit(f, DB_META, SPAN("state"), -1);
    refuses_because(f, "does not follow from its peaks");
}

static void a_changed_hash_is_refused(void **state) {
    struct fixture *f = *state;
    (void)create(f, APP, "acc-1");
    struct key key = key_hashes(0, 0);
    damage_bit(f, DB_HASH, key_span(&key), 0);
    refuses_because(f, "do not make its root");
}

static void missing_hashes_are_refused(void **state) {
    struct fixture *f = *state;
    struct db *db;
    struct db_txn txn;
    damage_begin(f, &db, &txn);
    struct key key = key_hashes(0, 0);
    db_delete(&txn, DB_HASH, key_span(&key));
    damage_end(db, &txn);
    refuses_because(f, "hashes of the log's tree are missing");
}

static void a_changed_checkpoint_is_refused(void **state) {
    struct fixture *f = *state;
    damage_bit(f, DB_META, SPAN("checkpoint"), 0); /* of its origin */
    refuses_because(f, "no key in keys/ has signed");
}

static void a_missing_checkpoint_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db;
    struct db_txn txn;
    damage_begin(f, &db, &txn);
    db_delete(&txn, DB_META, SPAN("checkpoint"));
    damage_end(db, &txn);
    refuses_because(f, "has no checkpoint");
}

/* Signed by the right key, but an earlier one. */
static void an_old_checkpoint_is_refused(void **state) {
    struct fixture *f = *state;
    struct db *db;
    struct db_txn txn;
    struct span value;
    struct buffer old = {0};
    damage_begin(f, &db, &txn);
    assert_true(db_get(&txn, DB_META, SPAN("checkpoint"), &value));
    buffer_append_span(&old, value);
    damage_end(db, &txn);
    fixture_open(f, false);
    (void)create(f, APP, "acc-1");
    damage_begin(f, &db, &txn);
    db_put(&txn, DB_META, SPAN("checkpoint"), buffer_span(&old));
    damage_end(db, &txn);
    buffer_release(&old);
    refuses_because(f, "not that of the log");
}

static void another_format_is_refused(void **state) {
    struct fixture *f = *state;
    damage_bit(f, DB_META, SPAN("state"), 0);
    refuses_because(f, "format 1");
}

/* The system's clock, and a store whose last entry is so many milliseconds old. */
static enum status open_after(struct fixture *f, int64_t age_ms, bool confirmed, char why[256]) {
    static struct clock now;
    struct store_options options = {.directory = f->directory,
                                    .origin = "example.com/log",
                                    .clock_confirmed = confirmed,
                                    .map_size = f->map_size,
                                    .loops = 1,
                                    .clock = &now};
    clock_init(&now);
    f->clock.start_ms = clock_now_ms(&now) - age_ms;
    (void)create(f, APP, "acc-1");
    fixture_close(f);
    enum status status = store_open(&options, &f->store, why, 256);
    if (status != STATUS_OK)
        f->store = NULL;
    else
        assert_int_equal(store_reader_open(f->store, &f->reader), STATUS_OK);
    return status;
}

static void a_clock_far_ahead_of_the_log_is_refused(void **state) {
    char why[256] = "";
    assert_int_equal(open_after(*state, 31 * DAY_MS, false, why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "31 days ahead of the last entry"));
    assert_non_null(strstr(why, "--confirm-clock"));
}

static void a_clock_not_so_far_ahead_is_right(void **state) {
    char why[256] = "";
    assert_int_equal(open_after(*state, 31 * DAY_MS - 60000, false, why), STATUS_OK);
}

static void a_clock_far_ahead_can_be_confirmed(void **state) {
    char why[256] = "";
    assert_int_equal(open_after(*state, 400 * DAY_MS, true, why), STATUS_OK);
}

static void keys_and_data_are_the_owners_alone(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"data.mdb", "lock", "keys/mac.key", "keys/log.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        struct stat stat_now;
        snprintf(path, sizeof path, "%s/%s", f->directory, names[i]);
        assert_int_equal(stat(path, &stat_now), 0);
        assert_int_equal(stat_now.st_mode & 077, 0);
    }
}

#if defined(__SANITIZE_ADDRESS__) && defined(STORE_CHECK_VIEWS)
#define REACHED 42
/* Invariant 5 is only as good as its guard: a view used after its snapshot must be seen. */
static void a_view_that_escaped_is_caught(void **state) {
    struct fixture *f = *state;
    struct store_consent c;
    struct store_terms terms;
    struct store_consent made = create(f, APP, "acc-1");
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, made.index, &c), STATUS_OK);
    assert_int_equal(store_consent_terms(f->reader, &c, &terms), STATUS_OK);
    store_read_end(f->reader);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        volatile const char *escaped = terms.terms.data;
        (void)escaped[0];
        _exit(REACHED); /* only when nobody looks */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == REACHED);
}
#endif

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_log_is_not_made_without_being_asked),
        TEST(a_second_process_is_kept_out),
        TEST(another_mac_key_is_refused),
        TEST(a_mac_key_of_another_size_is_refused),
        TEST(another_origin_is_refused),
        TEST(a_missing_last_entry_is_refused),
        TEST(a_changed_last_leaf_is_refused),
        TEST(a_changed_last_payload_is_refused),
        TEST(a_lost_consent_is_refused),
        TEST(a_changed_peak_is_refused),
        TEST(a_changed_hash_is_refused),
        TEST(missing_hashes_are_refused),
        TEST(a_changed_checkpoint_is_refused),
        TEST(a_missing_checkpoint_is_refused),
        TEST(an_old_checkpoint_is_refused),
        TEST(another_format_is_refused),
        TEST(a_clock_far_ahead_of_the_log_is_refused),
        TEST(a_clock_not_so_far_ahead_is_right),
        TEST(a_clock_far_ahead_can_be_confirmed),
        TEST(keys_and_data_are_the_owners_alone),
#if defined(__SANITIZE_ADDRESS__) && defined(STORE_CHECK_VIEWS)
        TEST(a_view_that_escaped_is_caught),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
