/* Snapshot readers: one consent, its past, its stored JSON, its appended facts. A reader belongs to
 * one thread; nothing it returned outlives store_read_end (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "store/read.h"

#include "base/log.h"
#include "store/consent.h"

enum status store_reader_open(struct store *store, struct store_reader **out) {
    struct store_reader *reader = mem_alloc_zeroed(1, sizeof *reader);
    reader->store = store;
    enum status status = db_read_open(store->db, &reader->txn);
    if (status != STATUS_OK) {
        mem_free(reader);
        return status;
    }
    *out = reader;
    return STATUS_OK;
}

void store_reader_close(struct store_reader *reader) {
    if (reader == NULL)
        return;
    ASSERT(!reader->open);
    db_read_close(&reader->txn);
    names_kept_release(&reader->names);
    mem_free(reader);
}

enum status store_read_begin(struct store_reader *reader) {
    ASSERT(!reader->open); /* invariant 5: the last one ended before the loop went on */
    enum status status = db_read_renew(&reader->txn);
    if (status != STATUS_OK)
        return status;
    /* After the snapshot: it never shows an entry later than its own time. */
    reader->now = store_time_ms(reader->store);
    reader->open = true;
    return STATUS_OK;
}

void store_read_end(struct store_reader *reader) {
    ASSERT(reader->open);
    reader->open = false;
    db_read_reset(&reader->txn);
}

uint32_t store_name_find(struct store_reader *reader, enum store_name_kind kind, struct span name) {
    return name_find(&reader->txn, kind, name);
}

enum status store_consent_by_index(struct store_reader *reader, uint64_t index,
                                   struct store_consent *out) {
    ASSERT(reader->open);
    struct store_consent c;
    enum status status = consent_load(&reader->txn, index, &c);
    if (status != STATUS_OK)
        return status;
    consent_judge(&c, reader->now);
    *out = c;
    return STATUS_OK;
}

/* An id that is nobody's costs what another's costs, whose consent is read before it is refused:
 * the time of an answer says as little as its text (invariant 9). */
static void read_another(struct store_reader *reader, const struct uuid *id) {
    struct store_consent c;
    uint64_t any;
    uint64_t count = db_count(&reader->txn, DB_CONSENT);
    memcpy(&any, id->bytes + sizeof id->bytes - sizeof any, sizeof any);
    if (count != 0 && consent_load(&reader->txn, any % count, &c) == STATUS_OK)
        consent_judge(&c, reader->now);
}

enum status store_consent_by_id(struct store_reader *reader, const struct uuid *id,
                                struct store_consent *out) {
    ASSERT(reader->open);
    struct store_consent c;
    enum status status = consent_find(&reader->txn, id, &c);
    if (status == STATUS_NOT_FOUND) {
        read_another(reader, id);
        return reader->txn.status != STATUS_OK ? reader->txn.status : STATUS_NOT_FOUND;
    }
    if (status != STATUS_OK)
        return status;
    consent_judge(&c, reader->now);
    *out = c;
    return STATUS_OK;
}

bool store_consent_has_onward(struct store_reader *reader, const struct store_consent *consent,
                              struct span url) {
    ASSERT(reader->open);
    struct record_tail tail;
    if (record_tail_decode(consent->tail, &tail) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < tail.onward_count; i++)
        if (span_equal(store_name(reader, STORE_NAME_MEMBER, tail.onward[i]), url))
            return true;
    return false;
}

static bool payload_get(struct store_reader *reader, enum db_table table, uint64_t index,
                        struct record_payload *out) {
    struct span value;
    struct key key = key_number(index);
    return db_get(&reader->txn, table, key_span(&key), &value) &&
           record_payload_decode(value, out) == STATUS_OK;
}

enum status store_consent_terms(struct store_reader *reader, const struct store_consent *consent,
                                struct store_terms *out) {
    ASSERT(reader->open);
    struct store_terms terms = {.terms = SPAN_NONE};
    struct record_payload payload;
    uint64_t index = consent->granted_entry != STORE_INDEX_NONE ? consent->granted_entry
                                                                : consent->created_entry;
    if (consent->erased == STORE_ERASED_WHOLE || !payload_get(reader, DB_PAYLOAD, index, &payload))
        return reader->txn.status != STATUS_OK ? reader->txn.status : STATUS_ERASED;
    terms.terms = payload.first;
    terms.grant = payload.second;
    if (payload_get(reader, DB_PERSONAL, index, &payload)) {
        terms.account = payload.first;
        terms.grant_private = payload.second;
    }
    if (consent->status_entry != index &&
        payload_get(reader, DB_PERSONAL, consent->status_entry, &payload))
        terms.reason_text = payload.first;
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = terms;
    return STATUS_OK;
}

static void add_fact(struct store_reader *reader, uint64_t index, const struct record_step *step,
                     struct store_facts *facts) {
    struct record_payload payload;
    if (step->code == STORE_CONSENT_TOKEN_ADDED)
        facts->tokens[facts->token_count++] = step->token;
    if (step->code == STORE_CONSENT_PROOF_ADDED &&
        payload_get(reader, DB_PERSONAL, index, &payload))
        facts->proofs[facts->proof_count++] = payload.first;
    if (step->code == STORE_CONSENT_STEP_ADDED && payload_get(reader, DB_PAYLOAD, index, &payload))
        facts->steps[facts->step_count++] = payload.first;
}

enum status store_consent_facts(struct store_reader *reader, const struct store_consent *consent,
                                struct arena *arena, struct store_facts *out) {
    ASSERT(reader->open);
    struct db_cursor cursor;
    struct key from = key_two_numbers(consent->index, 0);
    struct store_facts facts = {
        .tokens = arena_array(arena, consent->token_count + 1, sizeof *facts.tokens),
        .proofs = arena_array(arena, consent->proof_count + 1, sizeof *facts.proofs),
        .steps = arena_array(arena, consent->step_count + 1, sizeof *facts.steps)};
    uint32_t left = consent->token_count + consent->proof_count + consent->step_count;
    db_cursor_open(&reader->txn, DB_LOG_BY_CONSENT, &cursor);
    for (bool on = db_cursor_seek(&cursor, key_span(&from));
         on && key_get_u64(cursor.key.data) == consent->index &&
         key_last_number(cursor.key) <= consent->last_entry &&
         facts.token_count + facts.proof_count + facts.step_count < left;
         on = db_cursor_next(&cursor)) {
        struct record_step step;
        if (record_step_decode(cursor.value, &step) == STATUS_OK)
            add_fact(reader, key_last_number(cursor.key), &step, &facts);
    }
    db_cursor_close(&cursor);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = facts;
    return STATUS_OK;
}

enum status store_pack_bytes(struct store_reader *reader, const struct digest *digest,
                             struct span *out) {
    ASSERT(reader->open);
    struct span key = span_of((const char *)digest->bytes, sizeof digest->bytes);
    struct span bytes;
    if (!db_get(&reader->txn, DB_PACK, key, &bytes))
        return reader->txn.status != STATUS_OK ? reader->txn.status : STATUS_NOT_FOUND;
    *out = bytes;
    return STATUS_OK;
}
