/* The rows of store/row.h, byte by byte. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "store/row.h"

#include "store/record.h"

static void key_add(struct key *key, const void *data, size_t size) {
    memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

struct key key_block(uint32_t tenant, uint32_t client, uint64_t set) {
    struct key key = {.size = 16};
    key_put_u32(key.bytes, tenant);
    key_put_u32(key.bytes + 4, client);
    key_put_u64(key.bytes + 8, set);
    return key;
}

void block_row_encode(const struct block_row *row, unsigned char out[BLOCK_ROW_SIZE]) {
    out[0] = RECORD_VERSION;
    key_put_u64(out + 1, (uint64_t)row->until);
    key_put_u64(out + 9, row->lifted);
}

enum status block_row_decode(struct span key, struct span value, struct block_row *out) {
    if (value.size != BLOCK_ROW_SIZE || value.data[0] != RECORD_VERSION)
        return STATUS_INTERNAL;
    *out = (struct block_row){
        .set = key_last_number(key),
        .until = (int64_t)key_get_u64(value.data + 1),
        .lifted = key_get_u64(value.data + 9),
    };
    return STATUS_OK;
}

struct key key_use(uint64_t consent, const struct mac16 *transaction) {
    struct key key = key_number(consent);
    key_add(&key, transaction->bytes, sizeof transaction->bytes);
    return key;
}

void use_row_encode(const struct use_row *row, unsigned char out[USE_ROW_SIZE]) {
    out[0] = RECORD_VERSION;
    key_put_u64(out + 1, row->entry);
    key_put_u64(out + 9, (uint64_t)row->at);
}

enum status use_row_decode(struct span value, struct use_row *out) {
    if (value.size != USE_ROW_SIZE || value.data[0] != RECORD_VERSION)
        return STATUS_INTERNAL;
    *out = (struct use_row){.entry = key_get_u64(value.data + 1),
                            .at = (int64_t)key_get_u64(value.data + 9)};
    return STATUS_OK;
}
