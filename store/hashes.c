/* Rows of tiles, packed (hashes.h). The levels stand in one table, the lowest last: it grows with
 * each leaf, always at the table's end, and leaves full pages behind (key_hashes).
 *
 * Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/hashes.h"

#include "base/log.h"
#include "store/key.h"

/* The records that hold count rows. */
static uint64_t records_of(uint64_t rows) {
    return (rows + HASHES_PACKED - 1) / HASHES_PACKED;
}

/* Adds to the record that row `first` belongs to as many as it takes; returns how many. A record
 * has its whole size from the first on: one that grew would split the page that it fills. */
static size_t fill_record(struct db_txn *txn, uint32_t level, uint64_t first,
                          const struct digest *hashes, size_t count) {
    struct digest record[HASHES_PACKED] = {{{0}}};
    struct span known;
    size_t there = first % HASHES_PACKED;
    size_t added = count < HASHES_PACKED - there ? count : HASHES_PACKED - there;
    struct key key = key_hashes(level, first - there);
    if (there != 0 && db_get(txn, DB_HASH, key_span(&key), &known)) {
        ASSERT(known.size == sizeof record);
        memcpy(record, known.data, sizeof record);
    }
    memcpy(record + there, hashes, added * sizeof *record);
    db_put_rising(txn, DB_HASH, key_span(&key), span_of((const char *)record, sizeof record));
    return added;
}

void hashes_append(struct db_txn *txn, uint32_t level, uint64_t first, const struct digest *hashes,
                   size_t count) {
    ASSERT(level < TLOG_TILE_LEVELS);
    while (count > 0 && txn->status == STATUS_OK) {
        size_t added = fill_record(txn, level, first, hashes, count);
        first += added;
        hashes += added;
        count -= added;
    }
}

enum status hashes_read(struct db_txn *txn, uint32_t level, uint64_t first, uint32_t count,
                        struct digest *out) {
    while (count > 0) {
        struct span record;
        uint32_t skipped = (uint32_t)(first % HASHES_PACKED);
        uint32_t wanted = count < HASHES_PACKED - skipped ? count : HASHES_PACKED - skipped;
        struct key key = key_hashes(level, first - skipped);
        if (!db_get(txn, DB_HASH, key_span(&key), &record) ||
            record.size != HASHES_PACKED * sizeof *out)
            return STATUS_INTERNAL;
        memcpy(out, record.data + skipped * sizeof *out, wanted * sizeof *out);
        first += wanted;
        out += wanted;
        count -= wanted;
    }
    return STATUS_OK;
}

static enum status read_rows(void *context, uint32_t level, uint64_t first, uint32_t count,
                             struct digest *out) {
    return hashes_read(context, level, first, count, out);
}

struct tlog_reader hashes_reader(struct db_txn *txn) {
    return (struct tlog_reader){.read = read_rows, .context = txn};
}

uint64_t hashes_records(uint64_t size) {
    uint64_t records = 0;
    for (uint32_t level = 0; level < TLOG_TILE_LEVELS; level++)
        records += records_of(tlog_tile_rows(size, level));
    return records;
}

bool hashes_gap(struct db_txn *txn, uint64_t size, uint32_t *level, uint64_t *row) {
    for (*level = 0; *level < TLOG_TILE_LEVELS; ++*level) {
        uint64_t rows = tlog_tile_rows(size, *level);
        for (*row = 0; *row < rows; *row += HASHES_PACKED) {
            struct span record;
            struct key key = key_hashes(*level, *row);
            if (!db_get(txn, DB_HASH, key_span(&key), &record))
                return true;
        }
    }
    return false;
}
