/* Small rows: blocks and uses, with their keys. Private to store/; FORMAT.md shows each byte. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include "store/db.h"
#include "store/key.h"

/* block: tenant and client names, the entry that set it -> until when, the entry that lifted it */
struct block_row {
    uint64_t set;
    int64_t until;   /* INT64_MAX: until lifted */
    uint64_t lifted; /* STORE_INDEX_NONE while it stands */
};
#define BLOCK_ROW_SIZE 17
struct key key_block(uint32_t tenant, uint32_t client, uint64_t set);
void block_row_encode(const struct block_row *row, unsigned char out[BLOCK_ROW_SIZE]);
MUST_CHECK enum status block_row_decode(struct span key, struct span value, struct block_row *out);
/* The last one set before entry `before`. */
bool block_last(struct db_txn *txn, uint32_t tenant, uint32_t client, uint64_t before,
                struct block_row *out);
/* Right after an entry, at a time. */
bool block_row_holds(const struct block_row *row, uint64_t log_index, int64_t now);

/* use: creation index, MAC16 of the transaction -> the first disclosure's entry and time */
struct use_row {
    uint64_t entry;
    int64_t at;
};
#define USE_ROW_SIZE 17
struct key key_use(uint64_t consent, const struct mac16 *transaction);
void use_row_encode(const struct use_row *row, unsigned char out[USE_ROW_SIZE]);
MUST_CHECK enum status use_row_decode(struct span value, struct use_row *out);

#endif
