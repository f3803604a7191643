/* Any bytes as an entry bundle, the first of them how many entries it should have: what is taken is
 * exactly what those entries are written as. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "tlog/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span entries[TLOG_TILE_WIDTH];
    struct buffer written = {0};
    if (size == 0)
        return 0;
    struct span bundle = span_of((const char *)data + 1, size - 1);
    uint32_t width = data[0] + 1u;
    if (tlog_bundle_read(bundle, width, entries) == STATUS_OK) {
        for (uint32_t i = 0; i < width; i++)
            tlog_bundle_append(&written, entries[i]);
        ASSERT(span_equal(buffer_span(&written), bundle));
        ASSERT(tlog_bundle_read(bundle, width - 1, entries) != STATUS_OK);
    }
    buffer_release(&written);
    return 0;
}
