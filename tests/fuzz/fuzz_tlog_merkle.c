/* Any path against the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2, which are written here
 * as they stand there: both say the same of the roots that they compute from it, and no other root
 * is taken. Input: a byte for the kind, one for how many bits the numbers have, two
 * numbers of 8 bytes, the hash to start from, and the path. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "tlog/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Section 2.1.3.2: the root that the path leads to; false where it cannot. */
static bool follow(const struct tlog_path *path, uint64_t index, uint64_t size,
                   const struct digest *leaf, struct digest *root) {
    uint64_t fn = index, sn = size - 1;
    if (index >= size)
        return false;
    *root = *leaf;
    for (uint32_t i = 0; i < path->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            *root = tlog_node_hash(&path->hashes[i], root);
            for (; (fn & 1) == 0 && fn != 0; sn >>= 1)
                fn >>= 1;
        } else {
            *root = tlog_node_hash(root, &path->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

/* Section 2.1.4.2, for 0 < first < second: the two roots that the path leads to. */
static bool follow_two(const struct tlog_path *path, struct tlog_head *first,
                       struct tlog_head *second) {
    struct digest hashes[TLOG_PATH_MAX + 1];
    uint64_t fn = first->size - 1, sn = second->size - 1;
    uint32_t count = 0;
    if (path->count == 0)
        return false;
    if ((first->size & fn) == 0)
        hashes[count++] = first->root;
    memcpy(hashes + count, path->hashes, path->count * sizeof *hashes);
    count += path->count;
    for (; (fn & 1) != 0; sn >>= 1)
        fn >>= 1;
    first->root = second->root = hashes[0];
    for (uint32_t i = 1; i < count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            first->root = tlog_node_hash(&hashes[i], &first->root);
            second->root = tlog_node_hash(&hashes[i], &second->root);
            for (; (fn & 1) == 0 && fn != 0; sn >>= 1)
                fn >>= 1;
        } else {
            second->root = tlog_node_hash(&second->root, &hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

static void check_inclusion(const struct tlog_path *path, uint64_t index, uint64_t size,
                            const struct digest *leaf) {
    struct tlog_head head = {size, {{0}}};
    bool leads = follow(path, index, size, leaf, &head.root);
    ASSERT(tlog_inclusion_verify(path, index, leaf, &head) == leads);
    head.root.bytes[index % DIGEST_SIZE] ^= 1;
    ASSERT(!tlog_inclusion_verify(path, index, leaf, &head));
}

static void check_consistency(const struct tlog_path *path, uint64_t first, uint64_t second,
                              const struct digest *root) {
    struct tlog_head old = {first, *root}, head = {second, *root};
    if (first == 0 || first >= second) {
        const struct digest empty = tlog_tree_root(&(struct tlog_tree){.size = 0});
        bool same = first == second && first != 0 && path->count == 0;
        ASSERT(tlog_consistency_verify(path, &old, &head) == same);
        old.root = empty;
        bool grew = first == 0 && path->count == 0 && second != 0;
        ASSERT(tlog_consistency_verify(path, &old, &head) == grew);
        return;
    }
    bool leads = follow_two(path, &old, &head);
    ASSERT(tlog_consistency_verify(path, &old, &head) == leads);
    head.root.bytes[first % DIGEST_SIZE] ^= 1;
    ASSERT(!tlog_consistency_verify(path, &old, &head));
    head.root.bytes[first % DIGEST_SIZE] ^= 1;
    old.root.bytes[second % DIGEST_SIZE] ^= 1;
    ASSERT(!tlog_consistency_verify(path, &old, &head));
}

static uint64_t take_number(const uint8_t *data, unsigned bits) {
    uint64_t value;
    memcpy(&value, data, sizeof value);
    return value & (TLOG_SIZE_MAX >> (63 - bits));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tlog_path path = {.count = 0};
    struct digest start;
    const size_t head = 2 + 2 * sizeof(uint64_t);
    if (size < head + DIGEST_SIZE)
        return 0;
    unsigned bits = data[1] % 64;
    uint64_t a = take_number(data + 2, bits), b = take_number(data + 2 + sizeof a, bits);
    memcpy(start.bytes, data + head, DIGEST_SIZE);
    size_t left = (size - head - DIGEST_SIZE) / DIGEST_SIZE;
    path.count = (uint32_t)(left < TLOG_PATH_MAX ? left : TLOG_PATH_MAX);
    memcpy(path.hashes, data + head + DIGEST_SIZE, path.count * DIGEST_SIZE);
    if (data[0] % 2 == 0)
        check_inclusion(&path, a, b, &start);
    else
        check_consistency(&path, a, b, &start);
    return 0;
}
