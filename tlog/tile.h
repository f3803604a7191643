/* Tiles: which hashes and entries a log publishes together, and under which path (C2SP
 * tlog-tiles, "Merkle Tree" and "Log entries"). Row r of level L is the root of the 256^L leaves
 * from r * 256^L on; tile n of a level is its rows from 256 * n on. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_TILE_H
#define TLOG_TILE_H

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

#define TLOG_TILE_WIDTH 256
#define TLOG_TILE_LEVELS 8 /* that have rows in a tree of fewer than 2^64 leaves */
#define TLOG_TILE_PATH_MAX 48

struct tlog_tile {
    bool entries;   /* a bundle of entries, at level 0 */
    uint32_t level; /* 0 to 63 */
    uint64_t index;
    uint32_t width; /* 1 to 256, which is full */
};

/* Writes what follows "tile/": <L>/<N>[.p/<W>] or entries/<N>[.p/<W>], with a NUL. Returns its
 * size without the NUL. */
size_t tlog_tile_path(const struct tlog_tile *tile, char out[TLOG_TILE_PATH_MAX]);
/* Reads exactly what tlog_tile_path writes: each tile has one path. STATUS_INVALID_PARAMETER for
 * everything else. Whether a tree has the tile is tlog_tile_in_tree's to say. */
MUST_CHECK enum status tlog_tile_parse(struct span path, struct tlog_tile *out);

/* How many rows a level has in a tree of size leaves; 0 from level 8 on. */
uint64_t tlog_tile_rows(uint64_t size, uint32_t level);
/* How wide tile index of a level is in a tree of size leaves; 0 when it has none. */
uint32_t tlog_tile_width(uint64_t size, uint32_t level, uint64_t index);
/* True when a tree of size leaves has all rows of the tile. Partial tiles of smaller trees count:
 * their rows never change (invariant 3). */
bool tlog_tile_in_tree(const struct tlog_tile *tile, uint64_t size);
/* How many tiles became full by the append that made the tree size leaves: the last one of level 0
 * and of as many levels above as the answer says. 0 for the empty tree. */
uint32_t tlog_tile_filled(uint64_t size);

#endif
