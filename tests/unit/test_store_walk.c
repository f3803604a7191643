/* Packed indexes, and runs walked as one, against a plain list of what was put in: every name, from
 * every number. */
// SPDX-License-Identifier: Apache-2.0
#include "store/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/support_base.h"

#define NAMES 5
#define NUMBERS 400

struct given {
    uint64_t numbers[NUMBERS];
    uint32_t notes[NUMBERS];
    size_t count;
};
struct packed {
    char directory[32];
    struct db *db;
    struct given given[NAMES];
};

static int setup(void **state) {
    struct packed *b = mem_alloc_zeroed(1, sizeof *b);
    char why[256];
    memcpy(b->directory, "/tmp/consentd-walk-XXXXXX", 26);
    assert_non_null(mkdtemp(b->directory));
    assert_int_equal(db_open(b->directory, 1 << 24, &b->db, why, sizeof why), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state) {
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    struct packed *b = *state;
    db_close(b->db);
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", b->directory, files[i]);
        unlink(path);
    }
    rmdir(b->directory);
    mem_free(b);
    return 0;
}

/* Numbers go to the names in turns of changing length; name 3 stays empty, 4 gets few. */
static uint32_t name_of(uint64_t number) {
    static const uint32_t turns[] = {0, 1, 2, 0, 0, 1, 2, 2, 1, 0, 1};
    return number % 97 == 13 ? 4 : turns[(number / 3) % 11];
}

static void fill(struct packed *b, enum db_table table, size_t note_size) {
    struct db_txn txn;
    db_write_begin(b->db, &txn);
    for (uint64_t number = 7; number < 7 + NUMBERS; number++) {
        uint32_t name = name_of(number);
        unsigned char note[4];
        struct given *given = &b->given[name];
        given->numbers[given->count] = number;
        given->notes[given->count++] = (uint32_t)number * 3;
        key_put_u32(note, (uint32_t)number * 3);
        walk_append(&txn, table, name, number, span_of((const char *)note, note_size));
    }
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
}

static void assert_walk(struct db_txn *txn, enum db_table table, uint32_t name,
                        const struct given *given, uint64_t from) {
    struct walk walk;
    size_t i = 0;
    while (i < given->count && given->numbers[i] < from)
        i++;
    for (walk_open(txn, table, key_name(name), from, &walk); walk.live; walk_next(&walk), i++) {
        assert_in_range(i, 0, given->count - 1);
        assert_int_equal(walk.number, given->numbers[i]);
        if (walk.note.size != 0)
            assert_int_equal(key_get_u32(walk.note.data), given->notes[i]);
    }
    walk_close(&walk);
    assert_int_equal(i, given->count);
}

static void check(struct packed *b, enum db_table table) {
    struct db_txn txn;
    assert_int_equal(db_read_open(b->db, &txn), STATUS_OK);
    for (uint32_t name = 0; name < NAMES; name++) {
        for (uint64_t from = 0; from <= 7 + NUMBERS + 1; from++) {
            assert_int_equal(db_read_renew(&txn), STATUS_OK);
            assert_walk(&txn, table, name, &b->given[name], from);
            db_read_reset(&txn);
        }
        assert_int_equal(db_read_renew(&txn), STATUS_OK);
        assert_walk(&txn, table, name, &b->given[name], UINT64_MAX);
        db_read_reset(&txn);
    }
    db_read_close(&txn);
}

static uint64_t rows_of(struct packed *b, enum db_table table) {
    struct db_txn txn;
    assert_int_equal(db_read_open(b->db, &txn), STATUS_OK);
    assert_int_equal(db_read_renew(&txn), STATUS_OK);
    uint64_t rows = db_count(&txn, table);
    db_read_reset(&txn);
    db_read_close(&txn);
    return rows;
}

/* 32 numbers a row, but for each name's last. */
static uint64_t rows_expected(const struct packed *b) {
    uint64_t rows = 0;
    for (size_t i = 0; i < NAMES; i++)
        rows += (b->given[i].count + 31) / 32;
    return rows;
}

static void packed_numbers_are_found_from_every_number(void **state) {
    struct packed *b = *state;
    fill(b, DB_LOG_BY_CLIENT, 0);
    assert_true(b->given[0].count > 3 * 32 && b->given[3].count == 0 && b->given[4].count > 2);
    check(b, DB_LOG_BY_CLIENT);
    assert_int_equal(rows_of(b, DB_LOG_BY_CLIENT), rows_expected(b));
}

static void a_row_takes_32_numbers(void **state) {
    struct packed *b = *state;
    struct db_txn txn;
    db_write_begin(b->db, &txn);
    for (uint64_t number = 1; number <= 33; number++) {
        walk_append(&txn, DB_LOG_BY_TENANT, 0, number, SPAN(""));
        assert_int_equal(db_count(&txn, DB_LOG_BY_TENANT), number <= 32 ? 1 : 2);
    }
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
}

static void packed_numbers_keep_their_notes(void **state) {
    struct packed *b = *state;
    fill(b, DB_BY_TENANT, 4);
    check(b, DB_BY_TENANT);
    assert_int_equal(rows_of(b, DB_BY_TENANT), rows_expected(b));
}

static void the_head_row_of_an_arrangement_is_no_number(void **state) {
    struct packed *b = *state;
    const unsigned char id[16] = {1};
    struct db_txn txn;
    struct walk walk;
    db_write_begin(b->db, &txn);
    for (uint64_t number = 3; number < 5; number++) {
        struct key key = key_16_number(id, number);
        db_put(&txn, DB_BY_ARRANGEMENT, key_span(&key), SPAN(""));
    }
    struct key head = key_16_number(id, UINT64_MAX);
    db_put(&txn, DB_BY_ARRANGEMENT, key_span(&head), SPAN("8 bytes."));
    walk_open(&txn, DB_BY_ARRANGEMENT, key_16(id), 4, &walk);
    assert_true(walk.live);
    assert_int_equal(walk.number, 4);
    walk_next(&walk);
    assert_false(walk.live);
    walk_close(&walk);
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
}

/* ---- many runs as one */

#define ACCOUNTS 3
#define RUNS 40

static struct mac16 account_of(uint64_t number) {
    struct mac16 account;
    memset(account.bytes, 0x41 + (int)(number % ACCOUNTS), sizeof account.bytes);
    return account;
}

/* Some clients come once, some often; the highest number there is is one of them. */
static uint32_t client_of(uint64_t number) {
    uint64_t scattered = number * UINT64_C(2654435761) >> 7;
    return scattered % 11 == 0 ? (uint32_t)number : (uint32_t)(scattered % RUNS) - 1;
}

static bool is_listed(uint64_t number) {
    return number % 5 != 2;
}

static void fill_accounts(struct packed *b) {
    struct db_txn txn;
    db_write_begin(b->db, &txn);
    for (uint64_t number = 0; number < NUMBERS; number++) {
        struct mac16 account = account_of(number);
        struct key key = key_account_consent(&account, client_of(number), number);
        if (is_listed(number))
            db_put(&txn, DB_BY_ACCOUNT, key_span(&key), SPAN(""));
    }
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
}

/* What a plain list has of an account, of one client or of all. */
static void assert_account(struct db_txn *txn, uint64_t which, const uint32_t *client,
                           uint64_t from) {
    struct walk walk;
    struct mac16 account = account_of(which);
    struct key prefix = client != NULL ? key_account(&account, *client) : key_16(account.bytes);
    walk_open(txn, DB_BY_ACCOUNT, prefix, from, &walk);
    for (uint64_t number = from; number < NUMBERS; number++) {
        if (!is_listed(number) || number % ACCOUNTS != which ||
            (client != NULL && client_of(number) != *client))
            continue;
        assert_true(walk.live);
        assert_int_equal(walk.number, number);
        if (client == NULL)
            assert_int_equal(key_get_u32(walk.note.data), client_of(number));
        walk_next(&walk);
    }
    assert_false(walk.live);
    walk_close(&walk);
}

static void an_account_is_walked_in_the_order_of_its_consents(void **state) {
    struct packed *b = *state;
    struct db_txn txn;
    const uint32_t highest = UINT32_MAX;
    fill_accounts(b);
    assert_int_equal(db_read_open(b->db, &txn), STATUS_OK);
    for (uint64_t from = 0; from <= NUMBERS; from++) {
        assert_int_equal(db_read_renew(&txn), STATUS_OK);
        for (uint64_t which = 0; which < ACCOUNTS; which++) {
            assert_account(&txn, which, NULL, from);
            assert_account(&txn, which, &highest, from);
            for (uint32_t client = 0; client < RUNS; client += 3)
                assert_account(&txn, which, &client, from);
        }
        db_read_reset(&txn);
    }
    db_read_close(&txn);
}

static void an_account_without_rows_is_walked_at_once(void **state) {
    struct packed *b = *state;
    struct db_txn txn;
    struct walk walk;
    struct mac16 none = {{0}}, last = {{0}};
    memset(last.bytes, 0xff, sizeof last.bytes);
    fill_accounts(b);
    assert_int_equal(db_read_open(b->db, &txn), STATUS_OK);
    assert_int_equal(db_read_renew(&txn), STATUS_OK);
    walk_open(&txn, DB_BY_ACCOUNT, key_16(none.bytes), 0, &walk);
    assert_false(walk.live);
    walk_close(&walk);
    walk_open(&txn, DB_BY_ACCOUNT, key_16(last.bytes), 0, &walk);
    assert_false(walk.live);
    walk_close(&walk);
    db_read_reset(&txn);
    db_read_close(&txn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packed_numbers_are_found_from_every_number, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_row_takes_32_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(packed_numbers_keep_their_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(an_account_is_walked_in_the_order_of_its_consents, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_account_without_rows_is_walked_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_head_row_of_an_arrangement_is_no_number, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
