/* Consents as they were after some entry of the log: headers are rewound by the steps in
 * log_by_consent, without reading payloads. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"
#include "store/pending.h"

static void replay_step(struct store_consent *c, uint64_t index, const struct record_step *step) {
    c->version++;
    c->last_entry = index;
    c->token_count += step->code == STORE_CONSENT_TOKEN_ADDED;
    c->proof_count += step->code == STORE_CONSENT_PROOF_ADDED;
    c->step_count += step->code == STORE_CONSENT_STEP_ADDED;
    if (step->code == STORE_CONSENT_GRANTED)
        c->granted_entry = index;
    enum consent_state state = store_event_state(step->code);
    if (state == 0)
        return;
    c->recorded = state;
    c->status_entry = index;
    c->status_at = step->status_at;
    c->reason = step->reason;
    c->by = step->by;
}

/* An expired consent that is renewed has a successor without an entry of its own. */
static void forget_successor(struct store_consent *c, uint64_t log_index) {
    if (c->superseded_by != STORE_INDEX_NONE && c->superseded_by_entry > log_index)
        c->superseded_by = c->superseded_by_entry = STORE_INDEX_NONE;
}

/* What a consent was after its first entry, which has no step; but for its successor, which it has
 * if it had one by then. */
static void begin_again(struct store_consent *c, uint64_t log_index) {
    bool granted = c->granted_entry == c->created_entry;
    c->version = 1;
    c->token_count = c->proof_count = c->step_count = 0;
    c->recorded = granted ? CONSENT_ACTIVE : CONSENT_REQUESTED;
    c->status_at = c->created_at;
    c->reason = STORE_NAME_NONE;
    c->by = CONSENT_BY_NONE;
    c->status_entry = c->last_entry = c->created_entry;
    if (!granted)
        c->granted_entry = STORE_INDEX_NONE;
    forget_successor(c, log_index);
}

/* What a request asked for, before its grant set what it lacked and narrowed the rest. */
static enum status recall_request(struct db_txn *txn, struct store_consent *c) {
    struct span value;
    struct key key = key_number(c->index);
    if (!db_get(txn, DB_REQUEST, key_span(&key), &value))
        return txn->status != STATUS_OK ? txn->status : STATUS_INTERNAL;
    return record_consent_decode(c->index, value, c);
}

enum status consent_rewind(struct db_txn *txn, uint64_t log_index, struct store_consent *consent) {
    struct store_consent c = *consent;
    enum status status = STATUS_OK;
    if (c.created_entry > log_index)
        return STATUS_NOT_FOUND; /* it did not exist yet */
    if (c.granted_entry != STORE_INDEX_NONE && c.granted_entry > log_index)
        status = recall_request(txn, &c);
    if (status != STATUS_OK)
        return status;
    c.status = c.recorded;
    if (c.last_entry <= log_index) {
        forget_successor(&c, log_index);
        *consent = c;
        return STATUS_OK;
    }
    struct db_cursor cursor;
    struct key from = key_two_numbers(c.index, 0);
    begin_again(&c, log_index);
    db_cursor_open(txn, DB_LOG_BY_CONSENT, &cursor);
    for (bool on = db_cursor_seek(&cursor, key_span(&from));
         on && key_get_u64(cursor.key.data) == c.index && key_last_number(cursor.key) <= log_index;
         on = db_cursor_next(&cursor)) {
        struct record_step step;
        if (record_step_decode(cursor.value, &step) == STATUS_OK)
            replay_step(&c, key_last_number(cursor.key), &step);
    }
    db_cursor_close(&cursor);
    if (txn->status != STATUS_OK)
        return txn->status;
    c.status = c.recorded;
    *consent = c;
    return STATUS_OK;
}

enum status store_consent_as_of(struct store_reader *reader, uint64_t log_index,
                                struct store_consent *consent) {
    ASSERT(reader->open);
    return consent_rewind(&reader->txn, log_index, consent);
}

enum status consent_head_then(struct db_txn *txn, const struct uuid *arrangement,
                              uint64_t log_index, struct store_consent *out) {
    struct store_consent c;
    enum status status = consent_find(txn, arrangement, &c); /* its first consent has its id */
    if (status == STATUS_OK)
        status = consent_rewind(txn, log_index, &c);
    while (status == STATUS_OK && c.superseded_by != STORE_INDEX_NONE) {
        status = consent_load(txn, c.superseded_by, &c);
        if (status == STATUS_OK)
            status = consent_rewind(txn, log_index, &c);
    }
    if (status == STATUS_OK)
        *out = c;
    return status;
}

static void add_link(struct db_txn *txn, const struct store_member *member, uint64_t log_index,
                     uint64_t entries[STORE_LINKS_MAX], uint32_t *count) {
    struct store_consent head;
    uint64_t withdrawal;
    if (member->external && external_withdrawn(txn, &member->token_digest, log_index, &withdrawal))
        entries[(*count)++] = withdrawal;
    if (!member->external &&
        consent_head_then(txn, &member->arrangement, log_index, &head) == STATUS_OK)
        entries[(*count)++] = head.status_entry;
}

enum status store_links_at(struct store_reader *reader, const struct store_consent *consent,
                           const struct store_moment *moment, uint64_t entries[STORE_LINKS_MAX],
                           uint32_t *count) {
    struct record_tail *tail = &reader->decider.tail;
    ASSERT(reader->open && moment->position > 0);
    enum status status = record_tail_decode(consent->tail, tail);
    if (status != STATUS_OK)
        return status;
    *count = 0;
    for (uint32_t i = 0; i < tail->group_count; i++)
        for (uint32_t m = 0; m < tail->groups[i].member_count; m++)
            add_link(&reader->txn, &tail->groups[i].members[m], moment->position - 1, entries,
                     count);
    return reader->txn.status;
}

uint64_t entry_at_time(struct db_txn *txn, int64_t time_ms) {
    uint64_t low = 0, high = db_count(txn, DB_LEAF);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct span value;
        struct store_event event;
        struct key key = key_number(middle);
        if (!db_get(txn, DB_LEAF, key_span(&key), &value) ||
            record_leaf_decode(middle, value, &event) != STATUS_OK)
            return low;
        if (event.at < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status store_moment_at(struct store_reader *reader, int64_t time_ms,
                            struct store_moment *out) {
    ASSERT(reader->open);
    uint64_t position = entry_at_time(&reader->txn, time_ms + 1);
    if (reader->txn.status == STATUS_OK)
        *out = (struct store_moment){.position = position, .time = time_ms};
    return reader->txn.status;
}

enum status store_consent_at(struct store_reader *reader, const struct store_moment *moment,
                             struct store_consent *consent) {
    ASSERT(reader->open);
    struct store_consent c = *consent;
    enum status status = moment->position > 0
                             ? consent_rewind(&reader->txn, moment->position - 1, &c)
                             : STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    consent_judge(&c, moment->time);
    *consent = c;
    return STATUS_OK;
}

enum status store_policy_at(struct store_reader *reader, uint64_t position, struct digest *digest,
                            uint64_t *entry) {
    ASSERT(reader->open);
    struct db_cursor cursor;
    struct key key = key_number(position);
    db_cursor_open(&reader->txn, DB_POLICY, &cursor);
    bool found = db_cursor_before(&cursor, key_span(&key)) && cursor.value.size == DIGEST_SIZE;
    if (found) {
        memcpy(digest->bytes, cursor.value.data, DIGEST_SIZE);
        *entry = key_last_number(cursor.key);
    }
    db_cursor_close(&cursor);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status store_granted_between(struct store_reader *reader, int64_t first, int64_t last,
                                  struct arena *arena, struct store_grants *out) {
    ASSERT(reader->open);
    struct store_grants found = {.consents = arena_array(arena, LIMIT_WALK, sizeof(uint64_t))};
    struct db_cursor cursor;
    struct key from = key_two_numbers(key_time(first), 0);
    db_cursor_open(&reader->txn, DB_BY_GRANTED, &cursor);
    for (bool on = db_cursor_seek(&cursor, key_span(&from));
         on && key_time_of(key_get_u64(cursor.key.data)) <= last && !found.more;
         on = db_cursor_next(&cursor)) {
        found.more = found.count == LIMIT_WALK;
        if (!found.more)
            found.consents[found.count++] = key_last_number(cursor.key);
    }
    db_cursor_close(&cursor);
    if (reader->txn.status == STATUS_OK)
        *out = found;
    return reader->txn.status;
}
