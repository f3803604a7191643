/* Uses of a consent: permitted transfers to its client, by distinct transaction, so that asking
 * again while one is under way uses nothing up. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/consent.h"
#include "store/decider.h"
#include "store/row.h"

bool use_find(const struct vantage *from, const struct store_consent *consent) {
    struct span known, tenant = name_text(from->txn, STORE_NAME_MEMBER, consent->tenant);
    struct mac16 mac = transaction_mac(from->store, tenant, from->transaction);
    struct key key = key_use(consent->index, &mac);
    return db_get(from->txn, DB_USE, key_span(&key), &known);
}

/* The header counts; in the past the rows do: at most as many as the consent allows. */
uint32_t use_count(const struct vantage *from, const struct store_consent *consent) {
    struct db_cursor cursor;
    struct key key = key_number(consent->index);
    uint32_t count = 0;
    if (span_present(from->transaction))
        return consent->uses - (use_find(from, consent) ? 1 : 0);
    if (!from->past)
        return consent->uses;
    db_cursor_open(from->txn, DB_USE, &cursor);
    for (bool on = db_cursor_seek(&cursor, key_span(&key));
         on && memcmp(cursor.key.data, key.bytes, key.size) == 0; on = db_cursor_next(&cursor)) {
        struct use_row row;
        if (use_row_decode(cursor.value, &row) == STATUS_OK && row.entry <= from->log_index)
            count++;
    }
    db_cursor_close(&cursor);
    return count;
}
