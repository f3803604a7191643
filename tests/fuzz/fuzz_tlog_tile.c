/* Any bytes as the path of a tile: what is taken is the one path of that tile. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span path = span_of((const char *)data, size);
    struct tlog_tile tile;
    char own[TLOG_TILE_PATH_MAX];
    if (tlog_tile_parse(path, &tile) != STATUS_OK)
        return 0;
    ASSERT(tile.width >= 1 && tile.width <= TLOG_TILE_WIDTH && tile.level <= 63);
    ASSERT(span_equal(path, span_of(own, tlog_tile_path(&tile, own))));
    ASSERT(!tlog_tile_in_tree(&tile, 0));
    uint32_t most = tlog_tile_width(UINT64_MAX, tile.level, tile.index);
    ASSERT(tlog_tile_in_tree(&tile, UINT64_MAX) == (tile.width <= most));
    return 0;
}
