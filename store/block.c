/* A tenant's stop-list: clients that it blocks, every decision at once, until it lifts that. What
 * was blocked once stays readable: decisions are asked again as of their time. Threads: as the
 * transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"
#include "store/decider.h"
#include "store/row.h"

bool block_last(struct db_txn *txn, uint32_t tenant, uint32_t client, uint64_t before,
                struct block_row *out) {
    struct key key = key_block(tenant, client, before);
    struct db_cursor cursor;
    db_cursor_open(txn, DB_BLOCK, &cursor);
    bool found = db_cursor_before(&cursor, key_span(&key)) &&
                 memcmp(cursor.key.data, key.bytes, key.size - 8) == 0 &&
                 block_row_decode(cursor.key, cursor.value, out) == STATUS_OK;
    db_cursor_close(&cursor);
    return found;
}

bool block_row_holds(const struct block_row *row, uint64_t log_index, int64_t now) {
    return (row->lifted == STORE_INDEX_NONE || row->lifted > log_index) && row->until > now;
}

enum status store_block_at(struct store_reader *reader, struct span tenant, struct span client,
                           const struct store_moment *moment, uint64_t *entry) {
    struct block_row row;
    uint32_t whose = name_find(&reader->txn, STORE_NAME_MEMBER, tenant);
    uint32_t whom = name_find(&reader->txn, STORE_NAME_MEMBER, client);
    ASSERT(reader->open && moment->position > 0);
    bool held = whose != STORE_NAME_NONE && whom != STORE_NAME_NONE &&
                block_last(&reader->txn, whose, whom, moment->position, &row) &&
                block_row_holds(&row, moment->position - 1, moment->time);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    if (!held)
        return STATUS_NOT_FOUND;
    *entry = row.set;
    return STATUS_OK;
}

bool block_holds(const struct vantage *from, uint32_t tenant, uint32_t client) {
    struct block_row row;
    uint64_t log_index = from->past ? from->log_index : STORE_INDEX_NONE - 1;
    if (tenant == STORE_NAME_NONE || client == STORE_NAME_NONE ||
        db_count(from->txn, DB_BLOCK) == 0)
        return false;
    return block_last(from->txn, tenant, client, log_index + 1, &row) &&
           block_row_holds(&row, log_index, from->now);
}
