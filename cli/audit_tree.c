/* Recomputing a log's tree; see audit_tree.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_tree.h"

#include "base/encode.h"
#include "tlog/bundle.h"
#include "tlog/leaf.h"

/* ---- marks */

static bool check_marks(struct audit_tree *t) {
    for (uint32_t i = 0; i < t->mark_count; i++) {
        const struct audit_mark *mark = &t->marks[i];
        struct digest root;
        if (mark->head.size != t->tree.size)
            continue;
        root = tlog_tree_root(&t->tree);
        if (!digest_equal(&root, &mark->head.root))
            return audit_bad(t->fault,
                             "fork: the log of %llu entries is not the one that %s has signed for",
                             (unsigned long long)mark->head.size, mark->name);
    }
    return true;
}

/* ---- tiles */

static void name_tile(const struct tlog_tile *tile, char out[8 + TLOG_TILE_PATH_MAX]) {
    memcpy(out, "tile/", 6);
    tlog_tile_path(tile, out + 5);
}

static bool differs(struct audit_tree *t, const struct tlog_tile *tile, uint32_t row) {
    char name[8 + TLOG_TILE_PATH_MAX];
    uint64_t leaves = UINT64_C(1) << (8 * tile->level);
    uint64_t first = (tile->index * TLOG_TILE_WIDTH + row) * leaves;
    name_tile(tile, name);
    if (tile->level == 0)
        return audit_bad_entry(t->fault, first, "its leaf is not the one in %s", name);
    return audit_bad(t->fault, "%s: row %u is not the hash of entries %llu to %llu", name, row,
                     (unsigned long long)first, (unsigned long long)(first + leaves - 1));
}

/* Holds the published tile against our rows of it. */
static bool check_tile(struct audit_tree *t, const struct tlog_tile *tile,
                       const struct digest *rows) {
    char name[8 + TLOG_TILE_PATH_MAX];
    if (!audit_source_tile(t->source, tile, &t->tile, t->fault))
        return false;
    name_tile(tile, name);
    size_t size = tile->width * sizeof *rows;
    if (t->tile.size != size)
        return audit_bad(t->fault, "%s: it has %zu bytes and not %zu", name, t->tile.size, size);
    if (memcmp(t->tile.data, rows, size) == 0)
        return true;
    uint32_t row = 0;
    while (memcmp(t->tile.data + row * sizeof *rows, &rows[row], sizeof *rows) == 0)
        row++;
    return differs(t, tile, row);
}

static bool check_filled(struct audit_tree *t) {
    uint32_t filled = tlog_tile_filled(t->tree.size);
    for (uint32_t level = 1; level < filled; level++) {
        const struct tlog_tile tile = {false, level,
                                       tlog_tile_rows(t->tree.size, level) / TLOG_TILE_WIDTH - 1,
                                       TLOG_TILE_WIDTH};
        if (!check_tile(t, &tile, t->rows[level]))
            return false;
    }
    return true;
}

static bool check_partial(struct audit_tree *t) {
    for (uint32_t level = 1; level < TLOG_TILE_LEVELS; level++) {
        uint64_t rows = tlog_tile_rows(t->tree.size, level);
        const struct tlog_tile tile = {false, level, rows / TLOG_TILE_WIDTH,
                                       (uint32_t)(rows % TLOG_TILE_WIDTH)};
        if (tile.width != 0 && !check_tile(t, &tile, t->rows[level]))
            return false;
    }
    return true;
}

bool audit_tree_end(struct audit_tree *t) {
    char ours[ENCODE_BASE64_SIZE(DIGEST_SIZE)], theirs[ENCODE_BASE64_SIZE(DIGEST_SIZE)];
    if (!check_partial(t))
        return false;
    struct digest root = tlog_tree_root(&t->tree);
    if (digest_equal(&root, &t->head.root))
        return true;
    size_t size = encode_base64(root.bytes, DIGEST_SIZE, ours);
    encode_base64(t->head.root.bytes, DIGEST_SIZE, theirs);
    return audit_bad(t->fault, "checkpoint: its root is %.*s, that of the entries is %.*s",
                     (int)size, theirs, (int)size, ours);
}

/* ---- leaves */

static bool append(struct audit_tree *t, const struct digest *hash) {
    struct digest rows[TLOG_TILE_LEVELS];
    uint32_t levels = tlog_tree_append_rows(&t->tree, hash, rows);
    for (uint32_t level = 0; level < levels; level++)
        t->rows[level][(tlog_tile_rows(t->tree.size, level) - 1) % TLOG_TILE_WIDTH] = rows[level];
    return check_filled(t) && check_marks(t);
}

/* A bundle that was not full when it was read before begins with what it had then. */
static bool check_known(struct audit_tree *t, const struct digest *hashes, uint64_t first,
                        uint32_t known) {
    for (uint32_t i = 0; i < known; i++)
        if (!digest_equal(&hashes[i], &t->rows[0][i]))
            return audit_bad_entry(t->fault, first + i, "its leaf is not the one that it was");
    return true;
}

static bool read_bundle(struct audit_tree *t, const struct tlog_tile *tile, struct span *entries) {
    char name[8 + TLOG_TILE_PATH_MAX];
    if (!audit_source_tile(t->source, tile, &t->bundle, t->fault))
        return false;
    if (tlog_bundle_read(buffer_span(&t->bundle), tile->width, entries) == STATUS_OK)
        return true;
    name_tile(tile, name);
    return audit_bad(t->fault, "%s: it is no bundle of %u entries", name, tile->width);
}

bool audit_tree_next(struct audit_tree *t, struct audit_leaves *leaves) {
    struct span entries[TLOG_TILE_WIDTH];
    struct digest hashes[TLOG_TILE_WIDTH];
    struct tlog_tile tile = {.entries = true, .index = t->tree.size / TLOG_TILE_WIDTH};
    uint32_t known = (uint32_t)(t->tree.size % TLOG_TILE_WIDTH);
    leaves->first = t->tree.size;
    leaves->count = 0;
    if (t->tree.size == t->head.size)
        return true;
    tile.width = tlog_tile_width(t->head.size, 0, tile.index);
    if (!read_bundle(t, &tile, entries))
        return false;
    for (uint32_t i = 0; i < tile.width; i++)
        hashes[i] = tlog_entry_hash(entries[i]);
    tile.entries = false;
    if (!check_known(t, hashes, tile.index * TLOG_TILE_WIDTH, known) ||
        !check_tile(t, &tile, hashes))
        return false;
    for (uint32_t i = known; i < tile.width; i++) {
        leaves->entries[leaves->count++] = entries[i];
        if (!append(t, &hashes[i]))
            return false;
    }
    return true;
}

/* ---- going on from a tree */

static enum status read_rows(void *context, uint32_t level, uint64_t first, uint32_t count,
                             struct digest *out) {
    struct audit_tree *t = context;
    struct tlog_tile tile = {false, level, first / TLOG_TILE_WIDTH, 0};
    tile.width = tlog_tile_width(t->tree.size, level, tile.index);
    if (!audit_source_tile(t->source, &tile, &t->tile, t->fault))
        return STATUS_INTERNAL;
    if (t->tile.size != tile.width * sizeof *out) {
        char name[8 + TLOG_TILE_PATH_MAX];
        name_tile(&tile, name);
        (void)audit_bad(t->fault, "%s: it has %zu bytes", name, t->tile.size);
        return STATUS_INTERNAL;
    }
    memcpy(out, t->tile.data + first % TLOG_TILE_WIDTH * sizeof *out, count * sizeof *out);
    return STATUS_OK;
}

static bool resume(struct audit_tree *t, const struct audit_mark *mark) {
    const struct tlog_reader reader = {.read = read_rows, .context = t};
    struct tlog_tree tree = {0};
    t->tree.size = mark->head.size; /* whose tiles are read */
    if (tlog_tree_read(&reader, mark->head.size, &tree) != STATUS_OK)
        return false;
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS; level++) {
        uint64_t rows = tlog_tile_rows(mark->head.size, level);
        uint32_t width = (uint32_t)(rows % TLOG_TILE_WIDTH);
        if (width != 0 && read_rows(t, level, rows - width, width, t->rows[level]) != STATUS_OK)
            return false;
    }
    t->tree = tree;
    return true;
}

bool audit_tree_began(struct audit_tree *t, const struct audit_mark *mark) {
    const struct tlog_reader reader = {.read = read_rows, .context = t};
    struct tlog_path path;
    if (mark->head.size > t->head.size)
        return audit_bad(t->fault, "rollback: the log has %llu entries, and %llu in %s",
                         (unsigned long long)t->head.size, (unsigned long long)mark->head.size,
                         mark->name);
    if (tlog_consistency_prove(&reader, mark->head.size, t->head.size, &path) != STATUS_OK)
        return false;
    return tlog_consistency_verify(&path, &mark->head, &t->head) ||
           audit_bad(t->fault, "fork: the log did not begin with the %llu entries of %s",
                     (unsigned long long)mark->head.size, mark->name);
}

/* Against what was read by now. */
static bool check_head(struct audit_tree *t, const struct tlog_head *head) {
    struct digest root = tlog_tree_root(&t->tree);
    if (head->size < t->tree.size)
        return audit_bad(t->fault, "rollback: the log has %llu entries, and had %llu before",
                         (unsigned long long)head->size, (unsigned long long)t->tree.size);
    return t->tree.size == 0 || head->size != t->tree.size || digest_equal(&root, &head->root) ||
           audit_bad(t->fault, "fork: two checkpoints of %llu entries",
                     (unsigned long long)head->size);
}

bool audit_tree_aim(struct audit_tree *t, const struct tlog_head *head) {
    for (uint32_t i = 0; i < t->mark_count; i++) {
        const struct audit_mark *mark = &t->marks[i];
        if (head->size < mark->head.size)
            return audit_bad(t->fault, "rollback: the log has %llu entries, and had %llu in %s",
                             (unsigned long long)head->size, (unsigned long long)mark->head.size,
                             mark->name);
        if (head->size == mark->head.size && !digest_equal(&head->root, &mark->head.root))
            return audit_bad(t->fault, "fork: two checkpoints of %llu entries, the other in %s",
                             (unsigned long long)head->size, mark->name);
    }
    if (!check_head(t, head))
        return false;
    t->head = *head;
    if (t->resumes && !resume(t, &t->marks[0]))
        return false;
    t->resumes = false;
    return check_marks(t);
}

void audit_tree_release(struct audit_tree *t) {
    buffer_release(&t->bundle);
    buffer_release(&t->tile);
}
