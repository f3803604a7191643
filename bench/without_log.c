/* The log's hashing and signing, replaced by nothing: what a service would do that keeps its
 * entries in a table and proves nothing. Only `make bench` links it, beside the product's own
 * objects, to say what the proofs cost (ld --wrap); a store that it writes does not open again. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/key.h"
#include "tlog/leaf.h"
#include "tlog/tree.h"

struct digest __wrap_tlog_commitment(const unsigned char salt[TLOG_SALT_SIZE], struct span payload);
struct digest __wrap_tlog_leaf_hash(const unsigned char leaf[TLOG_LEAF_SIZE]);
uint32_t __wrap_tlog_tree_append_rows(struct tlog_tree *tree, const struct digest *leaf_hash,
                                      struct digest rows[TLOG_TILE_LEVELS]);
struct digest __wrap_tlog_tree_root(const struct tlog_tree *tree);
void __wrap_tlog_key_sign(const struct tlog_key *key, struct span message,
                          unsigned char signature[TLOG_SIGNATURE_SIZE]);

static const struct digest nothing;

struct digest __wrap_tlog_commitment(const unsigned char salt[TLOG_SALT_SIZE],
                                     struct span payload) {
    (void)salt;
    (void)payload;
    return nothing;
}

struct digest __wrap_tlog_leaf_hash(const unsigned char leaf[TLOG_LEAF_SIZE]) {
    (void)leaf;
    return nothing;
}

/* No rows: none are stored. */
uint32_t __wrap_tlog_tree_append_rows(struct tlog_tree *tree, const struct digest *leaf_hash,
                                      struct digest rows[TLOG_TILE_LEVELS]) {
    (void)leaf_hash;
    (void)rows;
    tree->size++;
    return 0;
}

struct digest __wrap_tlog_tree_root(const struct tlog_tree *tree) {
    (void)tree;
    return nothing;
}

void __wrap_tlog_key_sign(const struct tlog_key *key, struct span message,
                          unsigned char signature[TLOG_SIGNATURE_SIZE]) {
    (void)key;
    (void)message;
    memset(signature, 0, TLOG_SIGNATURE_SIZE);
}
