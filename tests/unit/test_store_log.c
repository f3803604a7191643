/* The log's tree on disk: what was written is what proofs and the checkpoint say, at every size
 * (invariant 3). */
// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"
#include "tests/unit/support_store.h"
#include "tlog/checkpoint.h"
#include "tlog/leaf.h"

#define ENTRIES_MAX 800

/* So many entries in one change. */
static void append(struct fixture *f, const struct uuid *id, uint32_t count, unsigned start) {
    struct store_change *change = new_change(f, STORE_TOKENS, TENANT);
    struct store_token *tokens = arena_array(&change->arena, count, sizeof *tokens);
    for (uint32_t i = 0; i < count; i++) {
        unsigned number = start + i;
        tokens[i] = (struct store_token){
            .digest = digest_sha256(span_of((const char *)&number, sizeof number)),
            .issued_at = store_time_ms(f->store),
            .expires = store_time_ms(f->store) + DAY_MS};
    }
    change->id = *id;
    change->tokens = tokens;
    change->token_count = count;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

static struct tlog_key *key_of(struct fixture *f) {
    char path[128];
    struct tlog_key *key;
    snprintf(path, sizeof path, "%s/keys/log.key", f->directory);
    assert_int_equal(tlog_key_load(path, &key), STATUS_OK);
    return key;
}

/* The head that the last checkpoint signs. */
static struct tlog_head head_of(struct fixture *f) {
    struct tlog_checkpoint checkpoint;
    struct tlog_key *key = key_of(f);
    assert_int_equal(tlog_checkpoint_parse(store_log_checkpoint(f->reader), &checkpoint),
                     STATUS_OK);
    const struct tlog_trust trust = {
        .origin = SPAN("example.com/log"), .keys = tlog_key_public(key), .key_count = 1};
    assert_int_equal(tlog_checkpoint_verify(&checkpoint, &trust), STATUS_OK);
    tlog_key_free(key);
    return checkpoint.head;
}

static void leaf_hashes(struct fixture *f, uint64_t size, struct digest out[ENTRIES_MAX]) {
    unsigned char leaves[ENTRIES_MAX * STORE_LEAF_SIZE];
    assert_int_equal(store_log_leaves(f->reader, 0, (uint32_t)size, leaves), STATUS_OK);
    for (uint64_t i = 0; i < size; i++)
        out[i] = tlog_leaf_hash(leaves + i * STORE_LEAF_SIZE);
}

/* From the leaves alone. */
static struct tlog_head head_at(const struct digest *hashes, uint64_t size) {
    struct tlog_tree tree = {0};
    for (uint64_t i = 0; i < size; i++)
        tlog_tree_append(&tree, &hashes[i]);
    return (struct tlog_head){size, tlog_tree_root(&tree)};
}

static void each_commit_signs_the_tree_of_its_leaves(void **state) {
    struct fixture *f = *state;
    struct digest hashes[ENTRIES_MAX];
    struct store_consent c = create(f, APP, "acc-1");
    unsigned start = 0;
    for (uint32_t n = 1; n < 200; n += n / 3 + 1) {
        append(f, &c.id, n, start);
        start += n;
        assert_int_equal(store_read_begin(f->reader), STATUS_OK);
        uint64_t size = store_log_size(f->reader);
        assert_int_equal(size, start + 3); /* genesis, the pack, the consent */
        leaf_hashes(f, size, hashes);
        struct tlog_head head = head_of(f), expected = head_at(hashes, size);
        assert_int_equal(head.size, size);
        assert_memory_equal(&head.root, &expected.root, sizeof head.root);
        store_read_end(f->reader);
    }
}

static void a_refused_change_signs_nothing_new(void **state) {
    struct fixture *f = *state;
    struct buffer before = {0};
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    buffer_append_span(&before, store_log_checkpoint(f->reader));
    store_read_end(f->reader);
    c.id.bytes[15] ^= 1;
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_NOT_FOUND);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(span_equal(store_log_checkpoint(f->reader), buffer_span(&before)));
    store_read_end(f->reader);
    buffer_release(&before);
}

static void every_entry_is_proven_at_every_size_after_a_restart_too(void **state) {
    struct fixture *f = *state;
    struct digest hashes[ENTRIES_MAX];
    struct tlog_path path;
    struct store_consent c = create(f, APP, "acc-1");
    append(f, &c.id, 300, 0);
    fixture_close(f);
    fixture_open(f, false);
    append(f, &c.id, 250, 300);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    struct tlog_reader rows = store_log_rows(f->reader);
    struct tlog_head head = head_of(f);
    leaf_hashes(f, head.size, hashes);
    for (uint64_t i = 0; i < head.size; i++) {
        struct tlog_head then = head_at(hashes, i + 1);
        assert_int_equal(tlog_inclusion_prove(&rows, i, head.size, &path), STATUS_OK);
        assert_true(tlog_inclusion_verify(&path, i, &hashes[i], &head));
        assert_int_equal(tlog_inclusion_prove(&rows, i / 2, i + 1, &path), STATUS_OK);
        assert_true(tlog_inclusion_verify(&path, i / 2, &hashes[i / 2], &then));
        assert_int_equal(tlog_consistency_prove(&rows, i + 1, head.size, &path), STATUS_OK);
        assert_true(tlog_consistency_verify(&path, &then, &head));
    }
    store_read_end(f->reader);
}

static void leaves_beyond_the_log_are_not_there(void **state) {
    struct fixture *f = *state;
    unsigned char leaves[3 * STORE_LEAF_SIZE];
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_log_leaves(f->reader, 0, 2, leaves), STATUS_OK);
    assert_int_equal(store_log_leaves(f->reader, 0, 3, leaves), STATUS_INTERNAL);
    assert_int_equal(store_log_leaves(f->reader, 2, 1, leaves), STATUS_INTERNAL);
    store_read_end(f->reader);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_commit_signs_the_tree_of_its_leaves),
        TEST(a_refused_change_signs_nothing_new),
        TEST(every_entry_is_proven_at_every_size_after_a_restart_too),
        TEST(leaves_beyond_the_log_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
