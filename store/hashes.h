/* The rows of the tree's tiles (tlog/tile.h) on disk: row r of level L is the root of the 256^L
 * leaves from r * 256^L on. Private to store/.
 *
 * Packed: 16 rows of one level in a record, which begins at a multiple of 16, so that a tile is 16
 * records. A record for each hash would cost as much again in keys and headers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_HASHES_H
#define STORE_HASHES_H

#include "store/db.h"
#include "tlog/merkle.h"

#define HASHES_PACKED 16

/* Adds count rows to a level that has `first` of them. */
void hashes_append(struct db_txn *txn, uint32_t level, uint64_t first, const struct digest *hashes,
                   size_t count);
/* Rows first to first + count - 1 of a level. STATUS_INTERNAL when one is not there. */
MUST_CHECK enum status hashes_read(struct db_txn *txn, uint32_t level, uint64_t first,
                                   uint32_t count, struct digest *out);
/* As proofs read them. Borrows the transaction. */
struct tlog_reader hashes_reader(struct db_txn *txn);
/* The first row of the first record that is missing of such a tree, lowest level first; false when
 * none is. Reads every record. */
bool hashes_gap(struct db_txn *txn, uint64_t size, uint32_t *level, uint64_t *row);
/* How many records hold the rows of a tree of size leaves. */
uint64_t hashes_records(uint64_t size);

#endif
