/* A cursor is one AES block: the next creation index and the first half of the identity of query
 * and viewer, under a key derived from the store's. A block that was not sealed here opens to
 * noise, whose identity fits with probability 2^-64. Pure but for the key. */
// SPDX-License-Identifier: Apache-2.0
#include "api/cursor.h"

#include "base/encode.h"
#include "base/log.h"

#define BLOCK 16
#define HALF 8

static struct mac16 key_of(const struct store *store) {
    struct span label = SPAN("cursor");
    return store_mac16(store, &label, 1);
}

void api_cursor_seal(const struct store *store, const struct digest *of, uint64_t next,
                     char out[API_CURSOR_SIZE + 1]) {
    unsigned char block[BLOCK], sealed[BLOCK];
    struct mac16 key = key_of(store);
    for (int i = 0; i < HALF; i++) {
        block[i] = (unsigned char)(next >> (8 * i));
    }
    memcpy(block + HALF, of->bytes, HALF);
    digest_seal_block(key.bytes, block, sealed);
    size_t written = encode_base64url(sealed, sizeof sealed, out);
    ASSERT(written == API_CURSOR_SIZE);
    out[written] = '\0';
}

enum status api_cursor_open(const struct store *store, const struct digest *of, struct span text,
                            uint64_t *next) {
    unsigned char block[BLOCK], sealed[BLOCK];
    size_t size;
    uint64_t opened = 0;
    if (decode_base64url(text, sealed, sizeof sealed, &size) != STATUS_OK || size != BLOCK) {
        return STATUS_INVALID_PARAMETER;
    }
    struct mac16 key = key_of(store);
    digest_unseal_block(key.bytes, sealed, block);
    if (memcmp(block + HALF, of->bytes, HALF) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    for (int i = 0; i < HALF; i++) {
        opened |= (uint64_t)block[i] << (8 * i);
    }
    *next = opened;
    return STATUS_OK;
}
