/* Consent headers inside any transaction: find, judge by the clock, follow an arrangement, save. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"

enum status consent_load(struct db_txn *txn, uint64_t index, struct store_consent *out) {
    struct span value;
    struct key key = key_number(index);
    if (!db_get(txn, DB_CONSENT, key_span(&key), &value))
        return txn->status != STATUS_OK ? txn->status : STATUS_NOT_FOUND;
    return record_consent_decode(index, value, out);
}

enum status consent_find(struct db_txn *txn, const struct uuid *id, struct store_consent *out) {
    struct span value;
    struct key key = key_uuid(id);
    if (!db_get(txn, DB_BY_ID, key_span(&key), &value))
        return txn->status != STATUS_OK ? txn->status : STATUS_NOT_FOUND;
    return consent_load(txn, key_get_u64(value.data), out);
}

/* What a consent permits, and for whom. */
static bool same_terms(const struct store_consent *a, const struct store_consent *b) {
    return a->tenant == b->tenant && a->provider == b->provider && a->client == b->client &&
           a->license == b->license && a->purposes == b->purposes &&
           a->permissions == b->permissions && a->principal == b->principal &&
           memcmp(a->account.bytes, b->account.bytes, MAC16_SIZE) == 0 &&
           a->granted_at == b->granted_at && a->granted_entry == b->granted_entry &&
           a->expires == b->expires && a->data_from == b->data_from && a->data_to == b->data_to &&
           a->data_available_from == b->data_available_from && a->max_uses == b->max_uses &&
           span_equal(a->tail, b->tail);
}

void consent_save(struct write *w, const struct store_consent *consent) {
    struct span stored;
    struct store_consent was;
    struct key key = key_number(consent->index);
    ASSERT(w->state.tree.size > w->store->state.tree.size); /* invariant 2: the log tells of it */
    if (db_get(&w->txn, DB_CONSENT, key_span(&key), &stored) &&
        record_consent_decode(consent->index, stored, &was) == STATUS_OK &&
        was.granted_entry != STORE_INDEX_NONE && was.erased == consent->erased)
        ASSERT(same_terms(&was, consent)); /* invariant 6 */
    buffer_clear(&w->record);
    record_consent_encode(consent, &w->record);
    if (consent->index + 1 == w->state.next_consent)
        db_put_rising(&w->txn, DB_CONSENT, key_span(&key), buffer_span(&w->record));
    else
        db_put(&w->txn, DB_CONSENT, key_span(&key), buffer_span(&w->record));
}

void consent_judge(struct store_consent *c, int64_t now) {
    c->status = c->recorded;
    if (c->recorded == CONSENT_ACTIVE && c->expires <= now) {
        c->status = CONSENT_EXPIRED;
        c->status_at = c->expires;
    } else if (c->recorded == CONSENT_REQUESTED && c->answer_due <= now) {
        c->status = CONSENT_TIMED_OUT;
        c->status_at = c->answer_due;
    }
}

bool store_consent_had_ended(const struct store_consent *consent, uint64_t entry, int64_t at) {
    struct store_consent c = *consent;
    consent_judge(&c, at);
    bool by_clock = c.status == CONSENT_EXPIRED || c.status == CONSENT_TIMED_OUT;
    return lifecycle_is_final(c.status) && c.status_at <= at &&
           (by_clock || c.status_entry < entry);
}

/* The row of by_arrangement that names the head. */
#define HEAD_ROW UINT64_MAX

static void put_arrangement_row(struct write *w, const struct uuid *arrangement, uint64_t number,
                                struct span value) {
    struct key key = key_16_number(arrangement->bytes, number);
    db_put(&w->txn, DB_BY_ARRANGEMENT, key_span(&key), value);
}

static void set_head(struct write *w, const struct uuid *arrangement, uint64_t consent) {
    unsigned char value[8];
    key_put_u64(value, consent);
    put_arrangement_row(w, arrangement, HEAD_ROW, span_of((const char *)value, sizeof value));
}

void consent_join(struct write *w, const struct store_consent *consent) {
    if (uuid_equal(&consent->id, &consent->arrangement))
        return;
    /* the first consent had no row while it was alone; a later one puts its again, to no effect */
    put_arrangement_row(w, &consent->arrangement, consent->supersedes, SPAN(""));
    put_arrangement_row(w, &consent->arrangement, consent->index, SPAN(""));
    set_head(w, &consent->arrangement, consent->index);
}

void consent_leave(struct write *w, const struct store_consent *consent) {
    put_arrangement_row(w, &consent->arrangement, consent->index, SPAN(""));
    set_head(w, &consent->arrangement, consent->superseded_by);
}

/* One step from an arrangement to its head: by its row or, while it has but one consent, by that
 * consent's id, which is the arrangement's. */
static enum status head_of(struct db_txn *txn, const struct uuid *arrangement,
                           struct store_consent *out) {
    struct span value;
    struct key key = key_16_number(arrangement->bytes, HEAD_ROW);
    if (db_get(txn, DB_BY_ARRANGEMENT, key_span(&key), &value))
        return consent_load(txn, key_get_u64(value.data), out);
    return consent_find(txn, arrangement, out);
}

enum status consent_head_now(struct db_txn *txn, const struct uuid *arrangement, int64_t now,
                             struct store_consent *out) {
    struct uuid at = *arrangement;
    for (;;) {
        struct store_consent c;
        enum status status = head_of(txn, &at, &c);
        if (status != STATUS_OK)
            return status;
        if (uuid_equal(&c.arrangement, &at)) {
            consent_judge(&c, now);
            *out = c;
            return STATUS_OK;
        }
        /* Taken over by an earlier arrangement: this ends, each step goes to an earlier one. */
        at = c.arrangement;
    }
}

enum status consent_head(struct write *w, const struct uuid *arrangement,
                         struct store_consent *out) {
    enum status status = consent_head_now(&w->txn, arrangement, w->now, out);
    if (status == STATUS_OK) /* a view, which the next put may move: heads are used across puts */
        out->tail = arena_copy(&w->scratch, out->tail);
    return status;
}

struct mac16 account_mac(const struct store *store, struct span tenant, struct span provider,
                         struct span account) {
    const struct span parts[] = {SPAN("account"), tenant, provider, account};
    return store_mac16(store, parts, 4);
}

struct mac16 account_key(const struct store *store, struct span tenant, struct span account) {
    const struct span parts[] = {SPAN("account-key"), tenant, account};
    return store_mac16(store, parts, 3);
}

struct mac16 resource_mac(const struct store *store, struct span tenant, struct span resource) {
    const struct span parts[] = {SPAN("resource"), tenant, resource};
    return store_mac16(store, parts, 3);
}

struct mac16 transaction_mac(const struct store *store, struct span tenant,
                             struct span transaction) {
    const struct span parts[] = {SPAN("transaction"), tenant, transaction};
    return store_mac16(store, parts, 3);
}

struct mac16 step_mac(const struct store *store, struct span tenant, struct span step) {
    const struct span parts[] = {SPAN("step"), tenant, step};
    return store_mac16(store, parts, 3);
}
