/* Idempotency keys: the same request twice is one change (invariant 2 for callers that lost the
 * answer). Kept by whole days. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/granting.h"

#define IDEMPOTENCY_SIZE (1 + MAC16_SIZE + 8)
#define DAY_MS 86400000

static bool recall(struct write *w, uint32_t day, struct store_change *change, struct span *value) {
    struct key key = key_idempotency(day, &change->key);
    return db_get(&w->txn, DB_IDEMPOTENCY, key_span(&key), value) &&
           value->size == IDEMPOTENCY_SIZE;
}

/* Of an entry whose payload or personal part is gone, or whose consent's is about to go, nothing
 * can be said again. */
static bool is_erased(struct write *w, const struct store_event *event) {
    struct span value;
    struct store_consent c;
    struct key key = key_number(event->index);
    if (event->consent != STORE_INDEX_NONE &&
        consent_load(&w->txn, event->consent, &c) == STATUS_OK && c.erased != STORE_KEPT)
        return true;
    static const char personal[] = "\"personal\":\"";
    return !db_get(&w->txn, DB_PAYLOAD, key_span(&key), &value) ||
           (memmem(value.data, value.size, personal, sizeof personal - 1) != NULL &&
            !db_get(&w->txn, DB_PERSONAL, key_span(&key), &value));
}

/* The first answer: the entry, and the consent that it is about. */
static enum status recall_entry(struct write *w, uint64_t index, struct store_change *change) {
    struct span value;
    struct store_event event;
    struct key key = key_number(index);
    if (!db_get(&w->txn, DB_LEAF, key_span(&key), &value) ||
        record_leaf_decode(index, value, &event) != STATUS_OK)
        return w->txn.status != STATUS_OK ? w->txn.status : STATUS_INTERNAL;
    if (is_erased(w, &event))
        return STATUS_ERASED;
    change->done.log_index = index;
    change->done.consent = event.consent;
    change->replayed = true;
    return STATUS_OK;
}

bool idempotency_recall(struct write *w, struct store_change *change, enum status *status) {
    struct span value;
    uint32_t today = (uint32_t)(w->now / DAY_MS);
    if (!change->has_key ||
        (!recall(w, today, change, &value) && !recall(w, today - 1, change, &value)))
        return false;
    if (memcmp(value.data + 1, change->fingerprint.bytes, MAC16_SIZE) != 0) {
        *status = STATUS_IDEMPOTENCY_MISMATCH;
        return true;
    }
    *status = recall_entry(w, key_get_u64(value.data + 1 + MAC16_SIZE), change);
    return true;
}

void idempotency_remember(struct write *w, const struct store_change *change) {
    unsigned char value[IDEMPOTENCY_SIZE] = {RECORD_VERSION};
    if (!change->has_key)
        return;
    memcpy(value + 1, change->fingerprint.bytes, MAC16_SIZE);
    key_put_u64(value + 1 + MAC16_SIZE, change->done.log_index);
    struct key key = key_idempotency((uint32_t)(w->now / DAY_MS), &change->key);
    db_insert(&w->txn, DB_IDEMPOTENCY, key_span(&key), span_of((const char *)value, sizeof value));
}

void idempotency_sweep(struct write *w, uint32_t limit) {
    /* Today's and yesterday's keys are looked at: what is older answers nobody. */
    uint32_t keep = (uint32_t)(w->now / DAY_MS) - 1;
    struct db_cursor cursor;
    if (w->state.idempotency_day >= keep)
        return;
    db_cursor_open(&w->txn, DB_IDEMPOTENCY, &cursor);
    bool on = db_cursor_seek(&cursor, SPAN("\0"));
    while (on && limit > 0 && key_get_u32(cursor.key.data) < keep) {
        on = db_cursor_delete(&cursor);
        w->dirty = true;
        limit--;
    }
    if (limit > 0 && w->txn.status == STATUS_OK)
        w->state.idempotency_day = keep;
    db_cursor_close(&cursor);
}
