/* Grows a log's tree from its leaves, and holds every hash that the log publishes against it: tiles
 * of each level byte for byte, the roots of checkpoints that were seen before, the root at the end.
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_TREE_H
#define CLI_AUDIT_TREE_H

#include "cli/audit_source.h"
#include "tlog/tree.h"

/* A checkpoint that was believed before. */
struct audit_mark {
    struct tlog_head head;
    const char *name; /* where it came from */
};
#define AUDIT_MARKS_MAX 2

struct audit_tree {
    struct audit_source *source;
    struct audit_fault *fault;
    struct tlog_tree tree;
    struct tlog_head head; /* what it must become */
    struct audit_mark marks[AUDIT_MARKS_MAX];
    uint32_t mark_count;
    bool resumes; /* from the first mark, once there is a head to aim at */
    struct digest rows[TLOG_TILE_LEVELS][TLOG_TILE_WIDTH]; /* of each level's last tile */
    struct buffer bundle, tile;
};

/* The next entries, which stand in one bundle, as views until the next call. */
struct audit_leaves {
    uint64_t first;
    uint32_t count; /* 0: the head's size is reached */
    struct span entries[TLOG_TILE_WIDTH];
};

/* Each returns false when it has set the fault. */

/* The head to grow to. It must not go back behind a mark, nor say something else at its size. A
 * tree that resumes begins as that of the first mark, which the log must still begin with, instead
 * of the empty one: only what came since is read. */
bool audit_tree_aim(struct audit_tree *tree, const struct tlog_head *head);
bool audit_tree_next(struct audit_tree *tree, struct audit_leaves *leaves);
/* At the head's size: the tiles that are not full, and the root. */
bool audit_tree_end(struct audit_tree *tree);
/* At the head's size: that it began as the tree of the mark, by a proof from its tiles. */
bool audit_tree_began(struct audit_tree *tree, const struct audit_mark *mark);
void audit_tree_release(struct audit_tree *tree);

#endif
