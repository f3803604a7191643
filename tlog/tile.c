/* Paths and coordinates of tiles. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile.h"

#include <stdio.h>

#include "base/log.h"

#define LEVEL_MAX 63
#define GROUP 1000    /* three digits of an index */
#define GROUPS_MAX 7  /* of an index below 2^64 */
#define LEVEL_SHIFT 8 /* log2 of the width */

/* The index in groups of three digits; all but the last have an x before them. */
static size_t put_index(uint64_t index, char *out) {
    uint32_t groups[GROUPS_MAX];
    size_t count = 0, size = 0;
    do {
        groups[count++] = (uint32_t)(index % GROUP);
        index /= GROUP;
    } while (index != 0);
    while (count-- > 0)
        size += (size_t)snprintf(out + size, 6, count > 0 ? "x%03u/" : "%03u", groups[count]);
    return size;
}

size_t tlog_tile_path(const struct tlog_tile *tile, char out[TLOG_TILE_PATH_MAX]) {
    ASSERT(tile->level <= LEVEL_MAX && (!tile->entries || tile->level == 0));
    ASSERT(tile->width >= 1 && tile->width <= TLOG_TILE_WIDTH);
    size_t size = (size_t)(tile->entries ? snprintf(out, 9, "entries/")
                                         : snprintf(out, 4, "%u/", tile->level));
    size += put_index(tile->index, out + size);
    if (tile->width < TLOG_TILE_WIDTH)
        size += (size_t)snprintf(out + size, 7, ".p/%u", tile->width);
    return size;
}

/* Digits from the start of text, cut off it; fails without one and beyond 2^64. */
static bool take_number(struct span *text, uint64_t *number) {
    size_t size = 0;
    for (; size < text->size && text->data[size] >= '0' && text->data[size] <= '9'; size++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, text->data[size] - '0', number))
            return false;
    *text = span_of(text->data + size, text->size - size);
    return size != 0;
}

static bool take(struct span *text, struct span expected) {
    if (!span_starts(*text, expected))
        return false;
    *text = span_of(text->data + expected.size, text->size - expected.size);
    return true;
}

/* The groups of an index read as one number; how many digits each has is not looked at. */
static bool take_index(struct span *text, uint64_t *index) {
    for (bool more = true; more;) {
        uint64_t group = 0;
        more = take(text, SPAN("x"));
        if (!take_number(text, &group) || (more && !take(text, SPAN("/"))) ||
            __builtin_mul_overflow(*index, GROUP, index) ||
            __builtin_add_overflow(*index, group, index))
            return false;
    }
    return true;
}

/* Reads the parts leniently and takes the path only when the tile's own path is the same. */
enum status tlog_tile_parse(struct span path, struct tlog_tile *out) {
    struct span text = path;
    uint64_t level = 0, index = 0, width = 0;
    char own[TLOG_TILE_PATH_MAX];
    bool entries = take(&text, SPAN("entries"));
    if ((!entries && !take_number(&text, &level)) || level > LEVEL_MAX || !take(&text, SPAN("/")) ||
        !take_index(&text, &index))
        return STATUS_INVALID_PARAMETER;
    if (!take(&text, SPAN(".p/")))
        width = TLOG_TILE_WIDTH;
    else if (!take_number(&text, &width) || width < 1 || width >= TLOG_TILE_WIDTH)
        return STATUS_INVALID_PARAMETER;
    struct tlog_tile tile = {entries, (uint32_t)level, index, (uint32_t)width};
    if (!span_equal(path, span_of(own, tlog_tile_path(&tile, own))))
        return STATUS_INVALID_PARAMETER;
    *out = tile;
    return STATUS_OK;
}

uint64_t tlog_tile_rows(uint64_t size, uint32_t level) {
    return level < TLOG_TILE_LEVELS ? size >> (LEVEL_SHIFT * level) : 0;
}

uint32_t tlog_tile_width(uint64_t size, uint32_t level, uint64_t index) {
    uint64_t rows = tlog_tile_rows(size, level), tiles = rows / TLOG_TILE_WIDTH;
    if (index == tiles)
        return (uint32_t)(rows % TLOG_TILE_WIDTH);
    return index < tiles ? TLOG_TILE_WIDTH : 0;
}

bool tlog_tile_in_tree(const struct tlog_tile *tile, uint64_t size) {
    return tile->width <= tlog_tile_width(size, tile->level, tile->index);
}

uint32_t tlog_tile_filled(uint64_t size) {
    return size != 0 ? (uint32_t)__builtin_ctzll(size) / LEVEL_SHIFT : 0;
}
