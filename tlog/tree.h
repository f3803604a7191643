/* The Merkle tree as its peaks: what is needed to append a leaf and to know the root (RFC 6962
 * section 2.1; the compact range [0, size)). Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_TREE_H
#define TLOG_TREE_H

#include <stdint.h>

#include "base/digest.h"
#include "tlog/tile.h"

#define TLOG_PEAKS_MAX 64

struct tlog_tree {
    uint64_t size;                       /* leaves */
    uint32_t peak_count;                 /* bits set in size */
    struct digest peaks[TLOG_PEAKS_MAX]; /* roots of the perfect subtrees, largest first */
};

/* SHA-256(0x01 || left || right). */
struct digest tlog_node_hash(const struct digest *left, const struct digest *right);
/* Zero-initialised is the empty tree. */
void tlog_tree_append(struct tlog_tree *tree, const struct digest *leaf_hash);
/* The same, and gives the rows that the leaf adds to the levels of tiles (tile.h): rows[L], for
 * each L below the answer, is the last row of level L in the tree as it is now. */
uint32_t tlog_tree_append_rows(struct tlog_tree *tree, const struct digest *leaf_hash,
                               struct digest rows[TLOG_TILE_LEVELS]);
/* The root; of the empty tree SHA-256(""). */
struct digest tlog_tree_root(const struct tlog_tree *tree);

#endif
