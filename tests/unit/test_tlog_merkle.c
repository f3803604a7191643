/* Proofs: equal to the definition of RFC 6962 for every pair of sizes up to 300 and to an
 * independent reference up to 70,000; no proof that was changed in any hash verifies. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_merkle.h"

static void memory_fill(struct memory_log *log, struct definition *d) {
    for (uint64_t i = 0; i < DEFINED_MAX; i++) {
        char entry[32];
        int size = snprintf(entry, sizeof entry, "leaf %d", (int)i);
        d->leaves[i] = tlog_entry_hash(span_of(entry, (size_t)size));
        memory_append(log, span_of(entry, (size_t)size));
    }
}

static struct tlog_head defined_head(struct definition *d, uint64_t size) {
    return (struct tlog_head){size, size != 0 ? defined_root(d, 0, size) : digest_sha256(SPAN(""))};
}

/* verify must fail for path with a bit of any hash turned, a hash too few and one too many. */
static void assert_fragile(struct tlog_path *path,
                           bool (*verify)(const struct tlog_path *path, const void *claim),
                           const void *claim) {
    assert_true(verify(path, claim));
    for (uint32_t i = 0; i < path->count; i++) {
        unsigned char *byte = &path->hashes[i].bytes[(i * 7 + path->count) % DIGEST_SIZE];
        *byte ^= 0x10;
        assert_false(verify(path, claim));
        *byte ^= 0x10;
    }
    if (path->count != 0) {
        path->count--;
        assert_false(verify(path, claim));
        path->count++;
    }
    path->hashes[path->count] = path->hashes[0];
    path->count++;
    assert_false(verify(path, claim));
    path->count--;
}

struct inclusion {
    uint64_t index;
    struct digest leaf;
    struct tlog_head head;
};

static bool inclusion_holds(const struct tlog_path *path, const void *claim) {
    const struct inclusion *c = claim;
    return tlog_inclusion_verify(path, c->index, &c->leaf, &c->head);
}

static void every_leaf_of_every_size_up_to_300_is_proved_and_no_changed_proof_holds(void **state) {
    struct definition *d = mem_alloc_zeroed(1, sizeof *d);
    struct memory_log log = {0};
    (void)state;
    memory_fill(&log, d);
    for (uint64_t size = 1; size <= DEFINED_MAX; size++) {
        struct tlog_reader reader = memory_reader(&log, size);
        struct inclusion claim = {.head = defined_head(d, size)};
        for (uint64_t i = 0; i < size; i++) {
            struct tlog_path path, want = {0};
            assert_int_equal(tlog_inclusion_prove(&reader, i, size, &path), STATUS_OK);
            defined_path(d, i, 0, size, &want);
            assert_same_path(&path, &want);
            claim.index = i;
            claim.leaf = d->leaves[i];
            assert_fragile(&path, inclusion_holds, &claim);
            claim.leaf.bytes[i % DIGEST_SIZE] ^= 1;
            assert_false(inclusion_holds(&path, &claim));
            claim.leaf.bytes[i % DIGEST_SIZE] ^= 1;
            claim.index = i ^ 1;
            assert_false(inclusion_holds(&path, &claim));
            claim.index = i + size;
            assert_false(inclusion_holds(&path, &claim));
        }
    }
    memory_release(&log);
    mem_free(d);
}

struct consistency {
    struct tlog_head old, head;
};

static bool consistency_holds(const struct tlog_path *path, const void *claim) {
    const struct consistency *c = claim;
    return tlog_consistency_verify(path, &c->old, &c->head);
}

static void every_two_sizes_up_to_300_are_proved_and_no_changed_proof_holds(void **state) {
    struct definition *d = mem_alloc_zeroed(1, sizeof *d);
    struct memory_log log = {0};
    (void)state;
    memory_fill(&log, d);
    for (uint64_t size = 0; size <= DEFINED_MAX; size++) {
        struct tlog_reader reader = memory_reader(&log, size);
        for (uint64_t old = 0; old <= size; old++) {
            struct consistency claim = {defined_head(d, old), defined_head(d, size)};
            struct tlog_path path, want = {0};
            assert_int_equal(tlog_consistency_prove(&reader, old, size, &path), STATUS_OK);
            if (old != 0)
                defined_subproof(d, old, &want, (uint64_t[]){0, size}, true);
            assert_same_path(&path, &want);
            assert_fragile(&path, consistency_holds, &claim);
            claim.old.root.bytes[old % DIGEST_SIZE] ^= 1;
            assert_false(consistency_holds(&path, &claim));
            claim.old.root.bytes[old % DIGEST_SIZE] ^= 1;
            claim.head.root.bytes[size % DIGEST_SIZE] ^= 1;
            /* of what follows the empty tree, the empty tree proves nothing */
            assert_int_equal(consistency_holds(&path, &claim), old == 0 && size != 0);
            claim = (struct consistency){claim.head, claim.old};
            assert_false(consistency_holds(&path, &claim));
        }
    }
    memory_release(&log);
    mem_free(d);
}

static void a_tree_at_an_earlier_size_is_the_tree_that_was(void **state) {
    struct tlog_tree *then = mem_alloc_zeroed(DEFINED_MAX + 1, sizeof *then);
    struct memory_log log = {0};
    (void)state;
    for (uint64_t i = 0; i < DEFINED_MAX; i++) {
        memory_append(&log, span_of((const char *)&i, sizeof i));
        then[i + 1] = log.tree;
    }
    for (uint64_t size = 0; size <= DEFINED_MAX; size++) {
        struct tlog_reader reader = memory_reader(&log, size);
        struct tlog_tree tree;
        assert_int_equal(tlog_tree_read(&reader, size, &tree), STATUS_OK);
        assert_true(tree.size == size && tree.peak_count == then[size].peak_count);
        assert_memory_equal(tree.peaks, then[size].peaks, tree.peak_count * sizeof *tree.peaks);
    }
    memory_release(&log);
    mem_free(then);
}

/* ---- a tree whose peaks are known */

/* Fails when *context reads have gone well. */
static enum status failing_read(void *context, uint32_t level, uint64_t first, uint32_t count,
                                struct digest *out) {
    unsigned *left = context;
    (void)level, (void)first;
    memset(out, 0, count * sizeof *out);
    return (*left)-- == 0 ? STATUS_BUSY : STATUS_OK;
}

/* Whatever the size of the tree beside the rows, the proofs are the same. */
static void known_peaks_change_no_proof(void **state) {
    struct tlog_tree *then = mem_alloc_zeroed(DEFINED_MAX + 1, sizeof *then);
    struct memory_log log = {0};
    (void)state;
    for (uint64_t i = 0; i < DEFINED_MAX; i++) {
        memory_append(&log, span_of((const char *)&i, sizeof i));
        then[i + 1] = log.tree;
    }
    for (uint64_t known = 0; known <= DEFINED_MAX; known++)
        for (uint64_t size = 1; size <= DEFINED_MAX; size += 7) {
            const struct tlog_reader plain = memory_reader(&log, size);
            const struct tlog_reader helped = {plain.read, plain.context, &then[known]};
            uint64_t index = (known * 31 + size) % size;
            struct tlog_path path, want;
            assert_int_equal(tlog_inclusion_prove(&plain, index, size, &want), STATUS_OK);
            assert_int_equal(tlog_inclusion_prove(&helped, index, size, &path), STATUS_OK);
            assert_same_path(&path, &want);
            assert_int_equal(tlog_consistency_prove(&plain, index, size, &want), STATUS_OK);
            assert_int_equal(tlog_consistency_prove(&helped, index, size, &path), STATUS_OK);
            assert_same_path(&path, &want);
        }
    memory_release(&log);
    mem_free(then);
}

/* The last leaf's path are the peaks before it: nothing has to be read, however large the tree. */
static void the_last_leaf_is_proved_without_a_read(void **state) {
    struct memory_log log = {0};
    (void)state;
    for (uint64_t i = 0; i < DEFINED_MAX; i++) {
        unsigned left = 0;
        const struct tlog_tree before = log.tree;
        const struct tlog_reader reader = {failing_read, &left, &before};
        struct digest leaf = tlog_entry_hash(span_of((const char *)&i, sizeof i));
        memory_append(&log, span_of((const char *)&i, sizeof i));
        const struct tlog_head head = {i + 1, tlog_tree_root(&log.tree)};
        struct tlog_path path;
        assert_int_equal(tlog_inclusion_prove(&reader, i, i + 1, &path), STATUS_OK);
        assert_true(tlog_inclusion_verify(&path, i, &leaf, &head));
    }
    memory_release(&log);
}

/* ---- questions that make no sense, readers that fail */

static void what_makes_no_sense_is_refused_without_reading(void **state) {
    unsigned left = 0;
    const struct tlog_reader reader = {failing_read, &left, NULL};
    struct tlog_path path = {.count = 42};
    struct tlog_tree tree = {.size = 42};
    (void)state;
#define REFUSED(call) assert_int_equal((call), STATUS_INVALID_PARAMETER)
    REFUSED(tlog_inclusion_prove(&reader, 0, 0, &path));
    REFUSED(tlog_inclusion_prove(&reader, 7, 7, &path));
    REFUSED(tlog_inclusion_prove(&reader, UINT64_MAX, 7, &path));
    REFUSED(tlog_inclusion_prove(&reader, 0, UINT64_C(1) << 63, &path));
    REFUSED(tlog_inclusion_prove(&reader, 0, UINT64_MAX, &path));
    REFUSED(tlog_consistency_prove(&reader, 8, 7, &path));
    REFUSED(tlog_consistency_prove(&reader, UINT64_MAX, UINT64_MAX, &path));
    REFUSED(tlog_consistency_prove(&reader, 1, UINT64_C(1) << 63, &path));
    REFUSED(tlog_tree_read(&reader, UINT64_C(1) << 63, &tree));
    assert_int_equal(path.count, 42);
    assert_true(tree.size == 42);
    assert_int_equal(left, 0);
}

/* Whichever read fails, its status comes back and the output is as it was. */
static void a_reader_that_fails_is_heard(void **state) {
    (void)state;
    for (unsigned fails = 0;; fails++) {
        unsigned left = fails;
        const struct tlog_reader reader = {failing_read, &left, NULL};
        struct tlog_path path = {.count = 42};
        struct tlog_tree tree = {.size = 42};
        enum status inclusion = tlog_inclusion_prove(&reader, 1000, 70001, &path);
        assert_int_equal(path.count, inclusion == STATUS_OK ? 17 : 42);
        left = fails;
        path.count = 42;
        enum status consistency = tlog_consistency_prove(&reader, 1001, 70001, &path);
        assert_int_equal(path.count, consistency == STATUS_OK ? 18 : 42);
        left = fails;
        enum status read = tlog_tree_read(&reader, 70001, &tree);
        assert_int_equal(tree.size, read == STATUS_OK ? 70001 : 42);
        if (inclusion == STATUS_OK && consistency == STATUS_OK && read == STATUS_OK) {
            assert_true(fails > 17);
            return;
        }
        assert_true(inclusion == STATUS_OK || inclusion == STATUS_BUSY);
        assert_true(consistency == STATUS_OK || consistency == STATUS_BUSY);
        assert_true(read == STATUS_OK || read == STATUS_BUSY);
    }
}

/* A tree of any size whose leaves are all alike, so that a level has one hash. */
static enum status alike_read(void *context, uint32_t level, uint64_t first, uint32_t count,
                              struct digest *out) {
    const uint64_t *size = context;
    struct digest hash = tlog_entry_hash(SPAN("alike"));
    assert_true(first + count <= tlog_tile_rows(*size, level));
    for (uint32_t height = 0; height < 8 * level; height++)
        hash = tlog_node_hash(&hash, &hash);
    for (uint32_t i = 0; i < count; i++)
        out[i] = hash;
    return STATUS_OK;
}

static void the_largest_tree_has_proofs_that_fit(void **state) {
    uint64_t size = TLOG_SIZE_MAX;
    const struct tlog_reader reader = {alike_read, &size, NULL};
    const struct digest leaf = tlog_entry_hash(SPAN("alike"));
    struct tlog_path path;
    struct tlog_tree tree;
    (void)state;
    assert_int_equal(tlog_tree_read(&reader, size, &tree), STATUS_OK);
    struct tlog_head head = {size, tlog_tree_root(&tree)};
    assert_int_equal(tlog_inclusion_prove(&reader, 0, size, &path), STATUS_OK);
    assert_int_equal(path.count, 63);
    assert_true(tlog_inclusion_verify(&path, 0, &leaf, &head));
    assert_int_equal(tlog_inclusion_prove(&reader, size - 1, size, &path), STATUS_OK);
    assert_int_equal(path.count, 62);
    assert_true(tlog_inclusion_verify(&path, size - 1, &leaf, &head));
    /* an odd size in the fullest half: 63 steps, and the leaf where they end */
    uint64_t old_size = (UINT64_C(1) << 62) - 1;
    assert_int_equal(tlog_consistency_prove(&reader, old_size, size, &path), STATUS_OK);
    assert_int_equal(path.count, TLOG_PATH_MAX);
    assert_int_equal(tlog_tree_read(&reader, old_size, &tree), STATUS_OK);
    struct tlog_head old = {old_size, tlog_tree_root(&tree)};
    assert_true(tlog_consistency_verify(&path, &old, &head));
    path.hashes[0].bytes[0] ^= 1;
    assert_false(tlog_consistency_verify(&path, &old, &head));
}

static void sizes_beyond_the_largest_verify_nothing(void **state) {
    struct tlog_path path = {0};
    struct digest root = digest_sha256(SPAN("root"));
    struct tlog_head head = {UINT64_C(1) << 63, root}, most = {UINT64_MAX, root};
    (void)state;
    assert_false(tlog_inclusion_verify(&path, 0, &root, &head));
    assert_false(tlog_inclusion_verify(&path, UINT64_MAX - 1, &root, &most));
    assert_false(tlog_inclusion_verify(&path, 0, &root, &(struct tlog_head){0, root}));
    assert_false(tlog_consistency_verify(&path, &head, &head));
    assert_false(tlog_consistency_verify(&path, &most, &most));
}

/* ---- vectors of our own */

static void assert_vectors(const json_t *vectors, struct memory_log *log) {
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(vectors, "inclusion"), i, row) {
        uint64_t index = number_at(row, "index"), size = number_at(row, "size");
        struct tlog_reader reader = memory_reader(log, size);
        struct tlog_path path, want = path_of_hex(json_object_get(row, "proof"));
        struct tlog_tree tree;
        struct digest leaf;
        assert_int_equal(tlog_inclusion_prove(&reader, index, size, &path), STATUS_OK);
        assert_same_path(&path, &want);
        assert_int_equal(tlog_tree_read(&reader, size, &tree), STATUS_OK);
        assert_int_equal(memory_read(log, 0, index, 1, &leaf), STATUS_OK);
        struct inclusion claim = {index, leaf, {size, tlog_tree_root(&tree)}};
        assert_fragile(&path, inclusion_holds, &claim);
    }
    assert_true(i >= 15);
    json_array_foreach(json_object_get(vectors, "consistency"), i, row) {
        uint64_t old = number_at(row, "size1"), size = number_at(row, "size2");
        struct tlog_reader reader = memory_reader(log, size);
        struct tlog_path path, want = path_of_hex(json_object_get(row, "proof"));
        struct tlog_tree before, after;
        assert_int_equal(tlog_consistency_prove(&reader, old, size, &path), STATUS_OK);
        assert_same_path(&path, &want);
        assert_int_equal(tlog_tree_read(&reader, old, &before), STATUS_OK);
        assert_int_equal(tlog_tree_read(&reader, size, &after), STATUS_OK);
        struct consistency claim = {{old, tlog_tree_root(&before)}, {size, tlog_tree_root(&after)}};
        assert_fragile(&path, consistency_holds, &claim);
    }
    assert_true(i >= 15);
}

static void the_leaves_of_rfc_6962_have_their_proofs(void **state) {
    json_t *vectors = vectors_load("rfc6962-8leaf.json");
    struct memory_log log = {0};
    size_t i;
    const json_t *leaf;
    (void)state;
    json_array_foreach(json_object_get(vectors, "leaves_hex"), i, leaf) {
        char bytes[64];
        struct span hex = span_of_text(json_string_value(leaf));
        assert_int_equal(decode_hex(hex, bytes, hex.size / 2), STATUS_OK);
        memory_append(&log, span_of(bytes, hex.size / 2));
    }
    assert_int_equal(i, 8);
    assert_int_equal(json_array_size(json_object_get(vectors, "inclusion")), 36);
    assert_int_equal(json_array_size(json_object_get(vectors, "consistency")), 36);
    assert_vectors(vectors, &log);
    memory_release(&log);
    json_decref(vectors);
}

static void seventy_thousand_entries_have_the_proofs_and_roots_of_the_reference(void **state) {
    json_t *vectors = vectors_load("tlog.json"), *root;
    char *zeros = mem_alloc_zeroed(1, 65535), text[32];
    struct memory_log log = {0};
    const char *size;
    (void)state;
    while (log.tree.size < 70000)
        memory_append(&log, vector_entry(log.tree.size, zeros, text));
    assert_vectors(vectors, &log);
    json_object_foreach(json_object_get(vectors, "roots_by_size"), size, root) {
        uint64_t number = strtoull(size, NULL, 10);
        struct tlog_reader reader = memory_reader(&log, number);
        struct tlog_tree tree;
        assert_int_equal(tlog_tree_read(&reader, number, &tree), STATUS_OK);
        struct digest got = tlog_tree_root(&tree);
        assert_hex(got.bytes, DIGEST_SIZE, json_string_value(root));
    }
    memory_release(&log);
    mem_free(zeros);
    json_decref(vectors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_leaf_of_every_size_up_to_300_is_proved_and_no_changed_proof_holds),
        cmocka_unit_test(every_two_sizes_up_to_300_are_proved_and_no_changed_proof_holds),
        cmocka_unit_test(a_tree_at_an_earlier_size_is_the_tree_that_was),
        cmocka_unit_test(known_peaks_change_no_proof),
        cmocka_unit_test(the_last_leaf_is_proved_without_a_read),
        cmocka_unit_test(what_makes_no_sense_is_refused_without_reading),
        cmocka_unit_test(a_reader_that_fails_is_heard),
        cmocka_unit_test(the_largest_tree_has_proofs_that_fit),
        cmocka_unit_test(sizes_beyond_the_largest_verify_nothing),
        cmocka_unit_test(the_leaves_of_rfc_6962_have_their_proofs),
        cmocka_unit_test(seventy_thousand_entries_have_the_proofs_and_roots_of_the_reference),
    };
    return cmocka_run_group_tests_name("tlog/merkle", tests, NULL, NULL);
}
