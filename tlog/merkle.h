/* Proofs over the Merkle tree (RFC 6962 sections 2.1.1 and 2.1.2; verified as RFC 9162 sections
 * 2.1.3.2 and 2.1.4.2 have it), computed from the rows of its tiles at the present or any earlier
 * size. Pure: rows come from a reader that the caller brings. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_MERKLE_H
#define TLOG_MERKLE_H

#include <stdint.h>

#include "base/digest.h"
#include "base/status.h"
#include "tlog/tree.h"

#define TLOG_SIZE_MAX ((uint64_t)INT64_MAX) /* leaves; other software counts them in an int64 */
#define TLOG_PATH_MAX 64 /* hashes of a proof in a tree of TLOG_SIZE_MAX leaves */

/* The hashes of a proof, from the leaf's side to the root's. */
struct tlog_path {
    uint32_t count;
    struct digest hashes[TLOG_PATH_MAX];
};

/* What a checkpoint says of a tree. */
struct tlog_head {
    uint64_t size;
    struct digest root;
};

/* Gives the rows first to first + count - 1 of a level of tiles (tile.h), count from 1 to 256. They
 * stand in one tile, and in every tree of the size that is asked about. */
struct tlog_reader {
    enum status (*read)(void *context, uint32_t level, uint64_t first, uint32_t count,
                        struct digest *out);
    void *context;
    /* The log's tree at any size, borrowed, or NULL: its peaks are not computed again. Best is the
     * tree as it was before the leaf in question, whose path they then are, but for what came
     * later. */
    const struct tlog_tree *tree;
};

/* Each computes from rows alone, inner nodes of a tile anew. STATUS_INVALID_PARAMETER when size is
 * above TLOG_SIZE_MAX or the question makes no sense; else what the reader answered. */

/* The tree as it was at size: its root is tlog_tree_root's, and it can be appended to. */
MUST_CHECK enum status tlog_tree_read(const struct tlog_reader *reader, uint64_t size,
                                      struct tlog_tree *out);
/* That leaf index stands in the tree of size leaves; index < size. */
MUST_CHECK enum status tlog_inclusion_prove(const struct tlog_reader *reader, uint64_t index,
                                            uint64_t size, struct tlog_path *out);
/* That the tree of size leaves began as that of old_size; old_size <= size. Empty when old_size is
 * 0 or size. */
MUST_CHECK enum status tlog_consistency_prove(const struct tlog_reader *reader, uint64_t old_size,
                                              uint64_t size, struct tlog_path *out);

/* True when path proves that the leaf with this hash is number index of the tree. */
MUST_CHECK bool tlog_inclusion_verify(const struct tlog_path *path, uint64_t index,
                                      const struct digest *leaf_hash, const struct tlog_head *head);
/* True when path proves that the tree `head` began as the tree `old`. The empty tree begins every
 * other without proof, and has but one root (C2SP tlog-witness, "add-checkpoint"). */
MUST_CHECK bool tlog_consistency_verify(const struct tlog_path *path, const struct tlog_head *old,
                                        const struct tlog_head *head);

#endif
