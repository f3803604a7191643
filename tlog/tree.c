/* Appending to the Merkle tree, and its root. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/tree.h"

#include "base/log.h"

struct digest tlog_node_hash(const struct digest *left, const struct digest *right) {
    const struct span parts[] = {span_of("\1", 1), span_of((const char *)left->bytes, DIGEST_SIZE),
                                 span_of((const char *)right->bytes, DIGEST_SIZE)};
    return digest_sha256_parts(parts, 3);
}

uint32_t tlog_tree_append_rows(struct tlog_tree *tree, const struct digest *leaf_hash,
                               struct digest rows[TLOG_TILE_LEVELS]) {
    struct digest hash = *leaf_hash;
    uint32_t height = 0;
    rows[0] = hash;
    /* Each low set bit of size is a perfect subtree as large as the one that `hash` is now. */
    for (uint64_t bits = tree->size; (bits & 1) != 0; bits >>= 1) {
        hash = tlog_node_hash(&tree->peaks[--tree->peak_count], &hash);
        if (++height % 8 == 0) /* a full tile below is a row above */
            rows[height / 8] = hash;
    }
    ASSERT(tree->peak_count < TLOG_PEAKS_MAX);
    tree->peaks[tree->peak_count++] = hash;
    tree->size++;
    return height / 8 + 1;
}

void tlog_tree_append(struct tlog_tree *tree, const struct digest *leaf_hash) {
    struct digest rows[TLOG_TILE_LEVELS];
    tlog_tree_append_rows(tree, leaf_hash, rows);
}

struct digest tlog_tree_root(const struct tlog_tree *tree) {
    if (tree->peak_count == 0)
        return digest_sha256(SPAN(""));
    struct digest root = tree->peaks[tree->peak_count - 1];
    for (uint32_t i = tree->peak_count - 1; i > 0; i--)
        root = tlog_node_hash(&tree->peaks[i - 1], &root);
    return root;
}
