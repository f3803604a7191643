/* Entry bundles: the entries of a tile of level 0, each behind its size as u16 big-endian (C2SP
 * tlog-tiles, "Log entries"). Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_BUNDLE_H
#define TLOG_BUNDLE_H

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/tile.h"

#define TLOG_ENTRY_SIZE_MAX 65535

/* Appends an entry of at most TLOG_ENTRY_SIZE_MAX bytes to the bundle. */
void tlog_bundle_append(struct buffer *bundle, struct span entry);
/* The width entries that make the whole bundle, as views into it; STATUS_INVALID_PARAMETER when
 * there are fewer, or anything more. width is at most TLOG_TILE_WIDTH. */
MUST_CHECK enum status tlog_bundle_read(struct span bundle, uint32_t width, struct span *entries);

#endif
