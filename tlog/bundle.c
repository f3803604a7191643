/* Entry bundles. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/bundle.h"

#include "base/log.h"

#define PREFIX 2 /* the size before each entry */

void tlog_bundle_append(struct buffer *bundle, struct span entry) {
    ASSERT(entry.size <= TLOG_ENTRY_SIZE_MAX);
    const char prefix[PREFIX] = {(char)(entry.size >> 8), (char)entry.size};
    buffer_append(bundle, prefix, PREFIX);
    buffer_append_span(bundle, entry);
}

/* Cuts the first entry off the bundle. */
static bool take(struct span *bundle, struct span *entry) {
    const unsigned char *at = (const unsigned char *)bundle->data;
    if (bundle->size < PREFIX)
        return false;
    size_t size = (size_t)at[0] << 8 | at[1];
    if (bundle->size - PREFIX < size)
        return false;
    *entry = span_of(bundle->data + PREFIX, size);
    *bundle = span_of(entry->data + size, bundle->size - PREFIX - size);
    return true;
}

enum status tlog_bundle_read(struct span bundle, uint32_t width, struct span *entries) {
    struct span left = bundle, entry;
    ASSERT(width <= TLOG_TILE_WIDTH);
    for (uint32_t i = 0; i < width; i++)
        if (!take(&left, &entry))
            return STATUS_INVALID_PARAMETER;
    if (left.size != 0)
        return STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < width; i++)
        ASSERT(take(&bundle, &entries[i]));
    return STATUS_OK;
}
