/* Proofs over the Merkle tree. A proof is what a walk from the root leaves aside: each step halves
 * the range of leaves as RFC 6962 section 2.1 does, the larger power of two left, and goes on in
 * one half. The prover hashes the halves left aside; the verifier knows from the same walk on which
 * side each stands. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/merkle.h"

#include "base/log.h"

struct range { /* leaves begin to end - 1, at least one */
    uint64_t begin, end;
};

struct walk {
    struct range at; /* where it ended */
    uint32_t count;
    struct range aside[TLOG_PATH_MAX]; /* from the root's side to the leaf's */
};

enum goal { TO_LEAF, TO_END_OF_PREFIX };

/* Walks towards a leaf: until it stands alone, or until it is the last of its range. */
static void walk(struct walk *w, uint64_t size, uint64_t leaf, enum goal goal) {
    w->count = 0;
    w->at = (struct range){0, size};
    ASSERT(leaf < size && size <= TLOG_SIZE_MAX);
    while (goal == TO_LEAF ? w->at.end - w->at.begin > 1 : w->at.end != leaf + 1) {
        uint64_t last = w->at.end - w->at.begin - 1;
        uint64_t middle = w->at.begin + (UINT64_C(1) << (63 - __builtin_clzll(last)));
        struct range left = {w->at.begin, middle}, right = {middle, w->at.end};
        w->at = leaf < middle ? left : right;
        w->aside[w->count++] = leaf < middle ? right : left;
    }
}

/* ---- computing */

/* The root of 2^height leaves, the index-th such subtree, when it is a peak of the tree. */
static const struct digest *find_peak(const struct tlog_tree *tree, uint32_t height,
                                      uint64_t index) {
    uint64_t subtrees = tree->size >> height;
    if ((subtrees & 1) == 0 || index != subtrees - 1)
        return NULL;
    return &tree->peaks[__builtin_popcountll(subtrees) - 1];
}

/* The same of any subtree: rows of its tile, hashed in pairs. */
static enum status read_node(const struct tlog_reader *reader, uint32_t height, uint64_t index,
                             struct digest *out) {
    struct digest rows[TLOG_TILE_WIDTH / 2];
    uint32_t count = UINT32_C(1) << height % 8;
    const struct digest *peak =
        reader->tree != NULL ? find_peak(reader->tree, height, index) : NULL;
    if (peak != NULL) {
        *out = *peak;
        return STATUS_OK;
    }
    enum status status = reader->read(reader->context, height / 8, index * count, count, rows);
    if (status != STATUS_OK)
        return status;
    for (; count > 1; count /= 2)
        for (uint32_t i = 0; i < count / 2; i++)
            rows[i] = tlog_node_hash(&rows[2 * i], &rows[2 * i + 1]);
    *out = rows[0];
    return STATUS_OK;
}

/* The leaves of a range as a tree of their own. */
static enum status read_tree(const struct tlog_reader *reader, struct range range,
                             struct tlog_tree *out) {
    uint64_t size = range.end - range.begin;
    out->size = size;
    out->peak_count = 0;
    for (uint32_t height = 64; height-- > 0;) {
        if ((size >> height & 1) == 0)
            continue;
        enum status status =
            read_node(reader, height, range.begin >> height, &out->peaks[out->peak_count++]);
        if (status != STATUS_OK)
            return status;
        range.begin += UINT64_C(1) << height;
    }
    return STATUS_OK;
}

static enum status read_root(const struct tlog_reader *reader, struct range range,
                             struct digest *out) {
    struct tlog_tree tree;
    enum status status = read_tree(reader, range, &tree);
    if (status == STATUS_OK)
        *out = tlog_tree_root(&tree);
    return status;
}

/* The ranges' roots, the last one first. */
static enum status read_path(const struct tlog_reader *reader, const struct range *ranges,
                             uint32_t count, struct tlog_path *out) {
    struct tlog_path path = {.count = 0};
    while (count-- > 0) {
        enum status status = read_root(reader, ranges[count], &path.hashes[path.count++]);
        if (status != STATUS_OK)
            return status;
    }
    *out = path;
    return STATUS_OK;
}

enum status tlog_tree_read(const struct tlog_reader *reader, uint64_t size, struct tlog_tree *out) {
    struct tlog_tree tree = {0};
    if (size > TLOG_SIZE_MAX)
        return STATUS_INVALID_PARAMETER;
    enum status status = read_tree(reader, (struct range){0, size}, &tree);
    if (status == STATUS_OK)
        *out = tree;
    return status;
}

enum status tlog_inclusion_prove(const struct tlog_reader *reader, uint64_t index, uint64_t size,
                                 struct tlog_path *out) {
    struct walk w;
    if (index >= size || size > TLOG_SIZE_MAX)
        return STATUS_INVALID_PARAMETER;
    walk(&w, size, index, TO_LEAF);
    return read_path(reader, w.aside, w.count, out);
}

enum status tlog_consistency_prove(const struct tlog_reader *reader, uint64_t old_size,
                                   uint64_t size, struct tlog_path *out) {
    struct walk w = {.count = 0};
    if (old_size > size || size > TLOG_SIZE_MAX)
        return STATUS_INVALID_PARAMETER;
    if (old_size != 0)
        walk(&w, size, old_size - 1, TO_END_OF_PREFIX);
    if (w.at.begin != 0) /* else its root is the old one, which all know */
        w.aside[w.count++] = w.at;
    return read_path(reader, w.aside, w.count, out);
}

/* ---- verifying */

bool tlog_inclusion_verify(const struct tlog_path *path, uint64_t index,
                           const struct digest *leaf_hash, const struct tlog_head *head) {
    struct walk w;
    struct digest hash = *leaf_hash;
    if (index >= head->size || head->size > TLOG_SIZE_MAX)
        return false;
    walk(&w, head->size, index, TO_LEAF);
    if (path->count != w.count)
        return false;
    for (uint32_t i = 0; i < path->count; i++) {
        const struct digest *aside = &path->hashes[i];
        bool left = w.aside[w.count - 1 - i].begin < index;
        hash = left ? tlog_node_hash(aside, &hash) : tlog_node_hash(&hash, aside);
    }
    return digest_equal(&hash, &head->root);
}

static bool empty_begins(const struct tlog_path *path, const struct tlog_head *old,
                         const struct tlog_head *head) {
    const struct digest root = tlog_tree_root(&(struct tlog_tree){.size = 0});
    return path->count == 0 && digest_equal(&old->root, &root) &&
           (head->size != 0 || digest_equal(&head->root, &root));
}

bool tlog_consistency_verify(const struct tlog_path *path, const struct tlog_head *old,
                             const struct tlog_head *head) {
    struct walk w;
    if (old->size > head->size || head->size > TLOG_SIZE_MAX)
        return false;
    if (old->size == 0)
        return empty_begins(path, old, head);
    walk(&w, head->size, old->size - 1, TO_END_OF_PREFIX);
    uint32_t first = w.at.begin != 0 ? 1 : 0; /* the range where the walk ended comes first */
    if (path->count != w.count + first)
        return false;
    struct digest then = first != 0 ? path->hashes[0] : old->root, now = then;
    for (uint32_t i = 0; i < w.count; i++) {
        const struct digest *aside = &path->hashes[first + i];
        if (w.aside[w.count - 1 - i].begin >= old->size) {
            now = tlog_node_hash(&now, aside);
        } else {
            then = tlog_node_hash(aside, &then);
            now = tlog_node_hash(aside, &now);
        }
    }
    return digest_equal(&then, &old->root) && digest_equal(&now, &head->root);
}
