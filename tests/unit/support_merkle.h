/* A log in memory, read as a store reads its own, and Merkle trees by their definition: RFC 6962
 * section 2.1 word for word, against which the arithmetic of tlog/ is held. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_MERKLE_H
#define TESTS_UNIT_SUPPORT_MERKLE_H

#include "tests/unit/support_vectors.h"

#include "tlog/leaf.h"
#include "tlog/merkle.h"

/* ---- a log in memory */

struct memory_log {
    struct tlog_tree tree;
    struct buffer rows[TLOG_TILE_LEVELS];
    uint64_t asked; /* the size asked about: no row beyond it may be read */
};

UNUSED static uint64_t memory_rows(const struct memory_log *log, uint32_t level) {
    return log->rows[level].size / DIGEST_SIZE;
}

UNUSED static void memory_append(struct memory_log *log, struct span entry) {
    struct digest hash = tlog_entry_hash(entry), rows[TLOG_TILE_LEVELS];
    uint32_t count = tlog_tree_append_rows(&log->tree, &hash, rows);
    for (uint32_t level = 0; level < count; level++)
        buffer_append(&log->rows[level], &rows[level], sizeof *rows);
    log->asked = log->tree.size;
}

UNUSED static enum status memory_read(void *context, uint32_t level, uint64_t first, uint32_t count,
                                      struct digest *out) {
    const struct memory_log *log = context;
    assert_true(count >= 1 && level < TLOG_TILE_LEVELS);
    assert_true(first / TLOG_TILE_WIDTH == (first + count - 1) / TLOG_TILE_WIDTH);
    assert_true(first + count <= tlog_tile_rows(log->asked, level));
    memcpy(out, log->rows[level].data + first * DIGEST_SIZE, count * DIGEST_SIZE);
    return STATUS_OK;
}

UNUSED static struct tlog_reader memory_reader(struct memory_log *log, uint64_t asked) {
    log->asked = asked;
    return (struct tlog_reader){memory_read, log, NULL};
}

UNUSED static void memory_release(struct memory_log *log) {
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS; level++)
        buffer_release(&log->rows[level]);
}

/* Entry i of tests/vectors/tlog.json, as its comment says; zeros are 65,535. */
UNUSED static struct span vector_entry(uint64_t i, const char *zeros, char text[32]) {
    if (i == 5)
        return SPAN("");
    if (i == 6)
        return span_of(zeros, 65535);
    return span_of(text, (size_t)snprintf(text, 32, "entry-%llu", (unsigned long long)i));
}

/* ---- the definition: MTH, PATH and SUBPROOF over leaf hashes */

#define DEFINED_MAX 300

struct definition {
    struct digest leaves[DEFINED_MAX];
    bool known[DEFINED_MAX][DEFINED_MAX + 1];
    struct digest roots[DEFINED_MAX][DEFINED_MAX + 1]; /* of D[begin:end], once known */
};

UNUSED static uint64_t defined_split(uint64_t n) {
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

UNUSED static struct digest defined_root(struct definition *d, uint64_t begin, uint64_t end) {
    if (end - begin == 1)
        return d->leaves[begin];
    if (!d->known[begin][end]) {
        uint64_t middle = begin + defined_split(end - begin);
        struct digest a = defined_root(d, begin, middle), b = defined_root(d, middle, end);
        const struct span parts[] = {SPAN("\1"), span_of((char *)a.bytes, DIGEST_SIZE),
                                     span_of((char *)b.bytes, DIGEST_SIZE)};
        d->roots[begin][end] = digest_sha256_parts(parts, 3);
        d->known[begin][end] = true;
    }
    return d->roots[begin][end];
}

/* PATH(m, D[begin:end]), m counted from 0. */
UNUSED static void defined_path(struct definition *d, uint64_t m, uint64_t begin, uint64_t end,
                                struct tlog_path *out) {
    if (end - begin == 1)
        return;
    uint64_t middle = begin + defined_split(end - begin);
    if (m < middle) {
        defined_path(d, m, begin, middle, out);
        out->hashes[out->count++] = defined_root(d, middle, end);
    } else {
        defined_path(d, m, middle, end, out);
        out->hashes[out->count++] = defined_root(d, begin, middle);
    }
}

/* SUBPROOF(m, D[begin:end], whole), m counted from 0. */
UNUSED static void defined_subproof(struct definition *d, uint64_t m, struct tlog_path *out,
                                    const uint64_t at[2], bool whole) {
    if (m == at[1]) {
        if (!whole)
            out->hashes[out->count++] = defined_root(d, at[0], at[1]);
        return;
    }
    uint64_t middle = at[0] + defined_split(at[1] - at[0]);
    if (m <= middle) {
        defined_subproof(d, m, out, (uint64_t[]){at[0], middle}, whole);
        out->hashes[out->count++] = defined_root(d, middle, at[1]);
    } else {
        defined_subproof(d, m, out, (uint64_t[]){middle, at[1]}, false);
        out->hashes[out->count++] = defined_root(d, at[0], middle);
    }
}

/* ---- vectors */

UNUSED static struct digest digest_of_hex(const char *hex) {
    struct digest out;
    assert_int_equal(decode_hex(span_of_text(hex), out.bytes, DIGEST_SIZE), STATUS_OK);
    return out;
}

UNUSED static uint64_t number_at(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

UNUSED static const char *string_at(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

UNUSED static struct tlog_path path_of_hex(const json_t *hashes) {
    struct tlog_path path = {.count = (uint32_t)json_array_size(hashes)};
    assert_true(json_is_array(hashes) && path.count <= TLOG_PATH_MAX);
    for (uint32_t i = 0; i < path.count; i++)
        path.hashes[i] = digest_of_hex(json_string_value(json_array_get(hashes, i)));
    return path;
}

UNUSED static void assert_same_path(const struct tlog_path *path, const struct tlog_path *want) {
    assert_int_equal(path->count, want->count);
    assert_memory_equal(path->hashes, want->hashes, path->count * sizeof *path->hashes);
}

#endif
