/* The log's signing keys: one follows another, both signing for a while, and the log says so; a
 * stranger's key does not open the store. */
// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"
#include "tests/unit/support_damage.h"
#include "tlog/checkpoint.h"

static void path_of(struct fixture *f, const char *name, char out[128]) {
    snprintf(out, 128, "%s/keys/%s", f->directory, name);
}

/* Makes a key of the log in a file; its verifier key goes to vkey. */
static void make_key(struct fixture *f, const char *name, char vkey[128]) {
    char path[128];
    struct tlog_key *key;
    path_of(f, name, path);
    assert_int_equal(tlog_key_create(path, SPAN("example.com/log")), STATUS_OK);
    assert_int_equal(tlog_key_load(path, &key), STATUS_OK);
    tlog_key_vkey(key, vkey, 128);
    tlog_key_free(key);
}

static void load_vkey(struct fixture *f, const char *name, char vkey[128]) {
    char path[128];
    struct tlog_key *key;
    path_of(f, name, path);
    assert_int_equal(tlog_key_load(path, &key), STATUS_OK);
    tlog_key_vkey(key, vkey, 128);
    tlog_key_free(key);
}

static void move_key(struct fixture *f, const char *from, const char *to) {
    char old[128], new[128];
    path_of(f, from, old);
    path_of(f, to, new);
    assert_int_equal(rename(old, new), 0);
}

/* The last checkpoint has exactly these signatures. */
static void assert_signed_by(struct fixture *f, const char *first, const char *second) {
    struct tlog_checkpoint checkpoint;
    const char *const texts[] = {first, second};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(tlog_checkpoint_parse(store_log_checkpoint(f->reader), &checkpoint),
                     STATUS_OK);
    assert_int_equal(checkpoint.note.count, second != NULL ? 2 : 1);
    for (unsigned i = 0; i < 2 && texts[i] != NULL; i++) {
        struct tlog_vkey key;
        assert_int_equal(tlog_vkey_parse(span_of_text(texts[i]), &key), STATUS_OK);
        const struct tlog_trust trust = {
            .origin = SPAN("example.com/log"), .keys = &key, .key_count = 1};
        assert_int_equal(tlog_checkpoint_verify(&checkpoint, &trust), STATUS_OK);
    }
    store_read_end(f->reader);
}

/* An entry is of this kind and names this key. */
static void assert_entry(struct fixture *f, uint64_t index, enum store_event_code code,
                         const char *vkey) {
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, index, &event), STATUS_OK);
    assert_int_equal(event.code, code);
    assert_int_equal(event.leaf.data[1], 5);
    assert_non_null(memmem(event.payload.data, event.payload.size, vkey, strlen(vkey)));
    store_read_end(f->reader);
}

static uint64_t size_of(struct fixture *f) {
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    uint64_t size = store_log_size(f->reader);
    store_read_end(f->reader);
    return size;
}

static void a_key_is_followed_by_another(void **state) {
    struct fixture *f = *state;
    char first[128], second[128];
    load_vkey(f, "log.key", first);
    assert_signed_by(f, first, NULL);
    fixture_close(f);
    make_key(f, "log.next.key", second);
    fixture_open(f, false);
    assert_int_equal(size_of(f), 3);
    assert_entry(f, 2, STORE_KEY_ADDED, second);
    assert_signed_by(f, first, second);
    fixture_close(f);
    fixture_open(f, false); /* nothing has changed */
    assert_int_equal(size_of(f), 3);
    fixture_close(f);
    move_key(f, "log.next.key", "log.key");
    fixture_open(f, false);
    assert_int_equal(size_of(f), 4);
    assert_entry(f, 3, STORE_KEY_RETIRED, first);
    assert_signed_by(f, second, NULL);
}

static void a_key_that_never_signed_is_refused(void **state) {
    struct fixture *f = *state;
    char vkey[128];
    fixture_close(f);
    make_key(f, "other.key", vkey);
    move_key(f, "other.key", "log.key");
    refuses_because(f, "no key in keys/ has signed the last checkpoint");
}

static void a_key_of_another_log_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    path_of(f, "log.next.key", path);
    assert_int_equal(tlog_key_create(path, SPAN("other.example/log")), STATUS_OK);
    refuses_because(f, "is not a key of the log");
}

static void a_witness_key_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    path_of(f, "log.next.key", path);
    assert_int_equal(tlog_key_create_cosigner(path, SPAN("example.com/log")), STATUS_OK);
    refuses_because(f, "is not a key of the log");
}

static void a_missing_key_is_refused(void **state) {
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    path_of(f, "log.key", path);
    assert_int_equal(unlink(path), 0);
    refuses_because(f, "is not a signing key");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_followed_by_another),    TEST(a_key_that_never_signed_is_refused),
        TEST(a_key_of_another_log_is_refused), TEST(a_witness_key_is_refused),
        TEST(a_missing_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
