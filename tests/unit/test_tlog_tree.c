/* Roots and peaks against the Certificate Transparency leaves and an independent reference up to
 * 70,000 leaves. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_vectors.h"

#include "tlog/tree.h"

/* RFC 6962 section 2.1, for leaves of any size. */
static struct digest hash_of(struct span leaf) {
    const struct span parts[] = {SPAN("\0"), leaf};
    return digest_sha256_parts(parts, 2);
}

static void assert_root(const struct tlog_tree *tree, const char *hex) {
    struct digest root = tlog_tree_root(tree);
    assert_hex(root.bytes, DIGEST_SIZE, hex);
}

static const char *text_at(const json_t *array, size_t index) {
    return json_string_value(json_array_get(array, index));
}

static void the_leaves_of_rfc_6962_give_their_roots(void **state) {
    json_t *vectors = vectors_load("rfc6962-8leaf.json");
    const json_t *leaves = json_object_get(vectors, "leaves_hex");
    const json_t *roots = json_object_get(vectors, "roots");
    struct tlog_tree tree = {0};
    (void)state;
    assert_int_equal(json_array_size(leaves), 8);
    assert_int_equal(json_array_size(roots), 9);
    assert_root(&tree, text_at(roots, 0));
    for (size_t i = 0; i < 8; i++) {
        unsigned char leaf[64];
        const char *hex = text_at(leaves, i);
        assert_int_equal(decode_hex(span_of_text(hex), leaf, strlen(hex) / 2), STATUS_OK);
        struct digest hash = hash_of(span_of((const char *)leaf, strlen(hex) / 2));
        assert_hex(hash.bytes, DIGEST_SIZE, text_at(json_object_get(vectors, "leaf_hashes"), i));
        tlog_tree_append(&tree, &hash);
        assert_root(&tree, text_at(roots, i + 1));
    }
    json_decref(vectors);
}

static void append_entry(struct tlog_tree *tree, const char *zeros) {
    char text[32];
    int size = snprintf(text, sizeof text, "entry-%llu", (unsigned long long)tree->size);
    struct span entry = span_of(text, (size_t)size);
    if (tree->size == 5)
        entry = SPAN("");
    else if (tree->size == 6)
        entry = span_of(zeros, 65535);
    struct digest hash = hash_of(entry);
    tlog_tree_append(tree, &hash);
}

/* tests/vectors/tlog.json says in its comment what the entries are. */
static void seventy_thousand_entries_give_the_roots_of_the_reference(void **state) {
    json_t *vectors = vectors_load("tlog.json");
    const json_t *roots = json_object_get(vectors, "roots_by_size");
    char *zeros = mem_alloc_zeroed(1, 65535);
    struct tlog_tree tree = {0};
    size_t compared = 0;
    (void)state;
    for (;;) {
        char size[32];
        snprintf(size, sizeof size, "%llu", (unsigned long long)tree.size);
        const char *root = json_string_value(json_object_get(roots, size));
        if (root != NULL) {
            assert_root(&tree, root);
            compared++;
        }
        if (tree.size == 70000)
            break;
        append_entry(&tree, zeros);
    }
    assert_int_equal(compared, json_object_size(roots));
    assert_true(compared >= 24);
    mem_free(zeros);
    json_decref(vectors);
}

/* The definition, recursively: the largest power of two below the size goes left. */
static struct digest definition(const struct digest *leaves, size_t size) {
    if (size == 1)
        return leaves[0];
    size_t left = 1;
    while (left * 2 < size)
        left *= 2;
    struct digest a = definition(leaves, left), b = definition(leaves + left, size - left);
    return tlog_node_hash(&a, &b);
}

static void every_size_up_to_300_follows_the_definition(void **state) {
    struct digest leaves[300];
    struct tlog_tree tree = {0};
    (void)state;
    for (size_t size = 1; size <= COUNT(leaves); size++) {
        leaves[size - 1] = hash_of(span_of((const char *)&size, sizeof size));
        tlog_tree_append(&tree, &leaves[size - 1]);
        struct digest expected = definition(leaves, size), root = tlog_tree_root(&tree);
        assert_true(digest_equal(&expected, &root));
    }
}

/* Each peak is the root of the perfect subtree that its bit in the size stands for. */
static void peaks_are_the_perfect_subtrees_largest_first(void **state) {
    struct digest leaves[100];
    struct tlog_tree tree = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++) {
        leaves[i] = hash_of(span_of((const char *)&i, sizeof i));
        tlog_tree_append(&tree, &leaves[i]);
        size_t at = 0;
        uint32_t peak = 0;
        for (size_t width = 64; width != 0; width /= 2) {
            if (((i + 1) & width) == 0)
                continue;
            struct digest expected = definition(leaves + at, width);
            assert_true(digest_equal(&tree.peaks[peak++], &expected));
            at += width;
        }
        assert_int_equal(tree.peak_count, peak);
        assert_true(tree.size == i + 1);
    }
}

/* A tree is its peaks: one that was copied goes on as the original would have (invariant 3). */
static void a_copy_continues_like_the_original(void **state) {
    struct tlog_tree tree = {0};
    (void)state;
    for (uint64_t i = 0; i < 77; i++) {
        struct digest hash = hash_of(span_of((const char *)&i, sizeof i));
        struct tlog_tree copy = {.size = tree.size, .peak_count = tree.peak_count};
        memcpy(copy.peaks, tree.peaks, tree.peak_count * sizeof *tree.peaks);
        tlog_tree_append(&tree, &hash);
        tlog_tree_append(&copy, &hash);
        struct digest a = tlog_tree_root(&tree), b = tlog_tree_root(&copy);
        assert_true(digest_equal(&a, &b));
    }
}

static void the_largest_tree_takes_its_last_leaf(void **state) {
    struct tlog_tree tree = {.size = UINT64_MAX - 1, .peak_count = 63};
    struct digest hash = hash_of(SPAN("last"));
    (void)state;
    tlog_tree_append(&tree, &hash);
    assert_int_equal(tree.peak_count, TLOG_PEAKS_MAX);
    assert_true(tree.size == UINT64_MAX);
}

/* The leaf that ends a subtree of 256^L leaves adds a row to each level up to L. */
static void a_leaf_adds_a_row_to_each_level_whose_subtree_it_ends(void **state) {
    struct digest hash = hash_of(SPAN("last"));
    (void)state;
    for (uint32_t height = 0; height < 64; height++) {
        struct tlog_tree tree = {.size = (UINT64_C(1) << height) - 1, .peak_count = height};
        struct digest rows[TLOG_TILE_LEVELS];
        uint32_t count = tlog_tree_append_rows(&tree, &hash, rows);
        assert_int_equal(count, height / 8 + 1);
        assert_int_equal(count, tlog_tile_filled(tree.size) + 1);
        assert_true(digest_equal(&rows[0], &hash));
        assert_int_equal(tree.peak_count, 1);
        if (height % 8 == 0)
            assert_true(digest_equal(&rows[count - 1], &tree.peaks[0]));
    }
}

static void a_node_is_not_a_leaf_and_sides_count(void **state) {
    struct digest a = hash_of(SPAN("a")), b = hash_of(SPAN("b"));
    char both[2 * DIGEST_SIZE];
    (void)state;
    memcpy(both, a.bytes, DIGEST_SIZE);
    memcpy(both + DIGEST_SIZE, b.bytes, DIGEST_SIZE);
    struct digest ab = tlog_node_hash(&a, &b), ba = tlog_node_hash(&b, &a);
    struct digest leaf = hash_of(span_of(both, sizeof both));
    assert_false(digest_equal(&ab, &ba));
    assert_false(digest_equal(&ab, &leaf));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leaves_of_rfc_6962_give_their_roots),
        cmocka_unit_test(seventy_thousand_entries_give_the_roots_of_the_reference),
        cmocka_unit_test(every_size_up_to_300_follows_the_definition),
        cmocka_unit_test(peaks_are_the_perfect_subtrees_largest_first),
        cmocka_unit_test(a_copy_continues_like_the_original),
        cmocka_unit_test(the_largest_tree_takes_its_last_leaf),
        cmocka_unit_test(a_leaf_adds_a_row_to_each_level_whose_subtree_it_ends),
        cmocka_unit_test(a_node_is_not_a_leaf_and_sides_count),
    };
    return cmocka_run_group_tests_name("tlog/tree", tests, NULL, NULL);
}
