/* Names as a reader shows them: the first numbers of each kind are kept, the others are looked up,
 * and nobody sees which. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_store.h"

#include "store/internal.h"

static const enum store_name_kind kinds[] = {STORE_NAME_MEMBER, STORE_NAME_LICENSE,
                                             STORE_NAME_REASON};
#define KINDS (sizeof kinds / sizeof *kinds)

static void text_of(enum store_name_kind kind, uint32_t number, char out[32]) {
    snprintf(out, 32, "name %d %u", (int)kind, number);
}

/* Names with numbers around the last one that is kept, put into the closed store. */
static void put_names(struct fixture *f) {
    struct db *db;
    struct db_txn txn;
    char why[256] = "", text[32];
    fixture_close(f);
    assert_int_equal(db_open(f->directory, f->map_size, &db, why, sizeof why), STATUS_OK);
    db_write_begin(db, &txn);
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (uint32_t n = NAMES_KEPT - 3; n < NAMES_KEPT + 3; n++) {
            struct key key = key_name_of(kinds[kind], n);
            text_of(kinds[kind], n, text);
            db_insert(&txn, DB_NAME, key_span(&key), span_of_text(text));
        }
    }
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
    db_close(db);
    fixture_open(f, false);
}

static void a_name_has_its_text_each_time_kept_or_not(void **state) {
    struct fixture *f = *state;
    char text[32];
    put_names(f);
    for (int snapshot = 0; snapshot < 3; snapshot++) {
        assert_int_equal(store_read_begin(f->reader), STATUS_OK);
        for (size_t kind = 0; kind < KINDS; kind++) {
            for (uint32_t n = NAMES_KEPT - 3; n < NAMES_KEPT + 3; n++) {
                text_of(kinds[kind], n, text);
                assert_true(span_is(store_name(f->reader, kinds[kind], n), text));
            }
        }
        store_read_end(f->reader);
    }
}

static void a_name_that_is_not_there_is_found_once_it_is(void **state) {
    struct fixture *f = *state;
    const uint32_t number = NAMES_KEPT - 1;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_false(span_present(store_name(f->reader, STORE_NAME_MEMBER, number)));
    assert_false(span_present(store_name(f->reader, STORE_NAME_MEMBER, STORE_NAME_NONE)));
    store_read_end(f->reader);
    struct db_txn txn;
    struct key key = key_name_of(STORE_NAME_MEMBER, number);
    db_write_begin(f->store->db, &txn);
    db_insert(&txn, DB_NAME, key_span(&key), SPAN("late"));
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(span_is(store_name(f->reader, STORE_NAME_MEMBER, number), "late"));
    store_read_end(f->reader);
}

/* What could not be read is not taken for a name that is not there. */
static void a_name_that_could_not_be_read_is_read_again(void **state) {
    struct fixture *f = *state;
    put_names(f);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    db_fault_set(1, EIO, false);
    assert_false(span_present(store_name(f->reader, STORE_NAME_MEMBER, NAMES_KEPT - 1)));
    assert_true(db_fault_hit());
    db_fault_set(0, 0, false);
    store_read_end(f->reader);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(span_present(store_name(f->reader, STORE_NAME_MEMBER, NAMES_KEPT - 1)));
    store_read_end(f->reader);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_name_has_its_text_each_time_kept_or_not),
        TEST(a_name_that_is_not_there_is_found_once_it_is),
        TEST(a_name_that_could_not_be_read_is_read_again),
    };
    return cmocka_run_group_tests_name("store/names", tests, NULL, NULL);
}
