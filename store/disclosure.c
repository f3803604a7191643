/* Disclosures: data went, says who sent them. Always logged, judged as of the time they went: a
 * wrong transfer is never hidden by refusing to record it. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/ending.h"
#include "store/granting.h"
#include "store/inquiring.h"
#include "store/row.h"

/* All purposes must be permitted; the consent named is the first's that has one. */
static enum status judge(struct write *w, struct store_change *change, struct store_ruling *out) {
    struct store_disclosure *disclosure = change->disclosure;
    disclosure->denials = 0;
    for (uint32_t i = 0; i < change->inquiry_count; i++) {
        struct store_inquiry *inquiry = &change->inquiries[i];
        enum status status = inquiry_rule(w, change, disclosure->at, inquiry);
        if (status != STATUS_OK)
            return status;
        disclosure->denials |= inquiry->ruling.decision.denials;
        if (i == 0 || (!out->has_consent && inquiry->ruling.has_consent))
            *out = inquiry->ruling;
        else
            out->decision.purposes |= inquiry->ruling.decision.purposes;
    }
    disclosure->permitted = disclosure->denials == 0;
    return STATUS_OK;
}

static void compose(const struct store_change *change, const struct store_consent *about,
                    struct buffer *body, struct record_marks *marks) {
    const struct store_disclosure *disclosure = change->disclosure;
    struct json_out out = json_out_to(body);
    marks->first_at = 0;
    if (about->index != STORE_INDEX_NONE)
        json_out_member_int(&out, "consentVersion", about->version);
    json_out_members(&out, disclosure->body_json);
    json_out_member_time(&out, "at", disclosure->at);
    json_out_member_bool(&out, "permitted", disclosure->permitted);
    inquiry_put_reasons(&out, disclosure->denials);
    marks->first_size = (uint16_t)body->size;
    inquiry_put_policy(&out, change->pack);
    if (change->has_key) {
        json_out_key(&out, "idempotency");
        json_out_object_begin(&out);
        json_out_key(&out, "key");
        json_out_base64url(&out, change->key.bytes, sizeof change->key.bytes);
        json_out_key(&out, "fingerprint");
        json_out_base64url(&out, change->fingerprint.bytes, sizeof change->fingerprint.bytes);
        json_out_object_end(&out);
    }
}

static uint64_t append(struct write *w, struct store_change *change,
                       const struct store_consent *about) {
    struct buffer body = {0}, personal = {0};
    struct entry entry = {
        .code =
            change->disclosure->permitted ? STORE_DISCLOSURE_PERMITTED : STORE_DISCLOSURE_VIOLATION,
        .actor = inquiry_actor(w, change, about),
        .consent = about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = inquiry_first_reason(w, change->disclosure->denials)},
    };
    compose(change, about, &body, &entry.marks);
    entry.body = buffer_span(&body);
    if (change->disclosure->personal_json.size != 0) {
        struct json_out out = json_out_to(&personal);
        json_out_object_begin(&out);
        entry.personal_marks = (struct record_marks){
            .first_at = 1, .first_size = (uint16_t)change->disclosure->personal_json.size};
        json_out_members(&out, change->disclosure->personal_json);
        json_out_object_end(&out);
        entry.personal = buffer_span(&personal);
    }
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    buffer_release(&personal);
    return index;
}

/* The transaction counts once; the last use that a consent allows ends it. */
static void count_use(struct write *w, const struct store_change *change, uint64_t consent,
                      uint64_t entry) {
    struct store_consent c;
    struct span known;
    unsigned char row[USE_ROW_SIZE];
    if (consent_load(&w->txn, consent, &c) != STATUS_OK || c.max_uses == 0)
        return;
    struct mac16 mac = transaction_mac(w->store, change->tenant, change->disclosure->transaction);
    struct key key = key_use(consent, &mac);
    if (db_get(&w->txn, DB_USE, key_span(&key), &known))
        return;
    c.tail = arena_copy(&w->scratch, c.tail);
    use_row_encode(&(struct use_row){.entry = entry, .at = change->disclosure->at}, row);
    db_put(&w->txn, DB_USE, key_span(&key), span_of((const char *)row, sizeof row));
    c.uses++;
    consent_save(w, &c);
    consent_judge(&c, w->now);
    if (c.status != CONSENT_ACTIVE || c.uses < c.max_uses)
        return;
    struct ending ending = {
        .state = CONSENT_FULFILLED,
        .reason = SPAN("fulfilled"),
        .by = CONSENT_BY_SYSTEM,
        .actor = {.role = STORE_BY_SYSTEM},
        .status_at = w->now,
    };
    (void)ending_write(w, &c, &ending);
    ending_cascade(w, &c);
}

static void index_transaction(struct write *w, const struct store_change *change, uint64_t entry) {
    struct mac16 mac = transaction_mac(w->store, change->tenant, change->disclosure->transaction);
    struct key key = key_16_number(mac.bytes, entry);
    db_put(&w->txn, DB_LOG_BY_TRANSACTION, key_span(&key), SPAN(""));
}

enum status change_disclose(struct write *w, struct store_change *change) {
    enum status status;
    struct store_ruling ruling = {.has_consent = false};
    if (idempotency_recall(w, change, &status))
        return status;
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    status = judge(w, change, &ruling);
    if (status != STATUS_OK)
        return status;
    struct store_consent about = inquiry_subject(w, change, &ruling);
    change->done.log_index = append(w, change, &about);
    change->done.consent = about.index;
    index_transaction(w, change, change->done.log_index);
    if (about.index != STORE_INDEX_NONE)
        count_use(w, change, about.index, change->done.log_index);
    idempotency_remember(w, change);
    return w->txn.status;
}
