/* Disclosures: data went, says who sent them. Always logged, judged as of the time they went: a
 * wrong transfer is never hidden by refusing to record it. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/account_walk.h"
#include "store/ending.h"
#include "store/granting.h"
#include "store/inquiring.h"
#include "store/row.h"

/* Who records it, and what was decided. */
struct disclosing {
    struct store_change *change;
    const struct store_disclosure *disclosure;
    const struct store_inquiry *inquiry;
    struct vantage from;
    struct store_consent about;
};

static bool is_callers(struct write *w, const struct store_change *change,
                       const struct store_consent *c) {
    return span_equal(name_text(&w->txn, STORE_NAME_MEMBER, c->tenant), change->tenant) ||
           span_equal(name_text(&w->txn, STORE_NAME_MEMBER, c->client), change->actor);
}

/* A consent that was not there yet when the data went is named all the same: that it is sought for
 * is how such a transfer is found. */
static void find_subject(struct write *w, struct disclosing *d) {
    const struct store_question *question = &d->inquiry->question;
    struct store_consent c;
    d->about = inquiry_subject(w, d->change, &d->inquiry->ruling);
    if (d->inquiry->ruling.has_consent || question->about != STORE_ABOUT_CONSENT ||
        consent_find(&w->txn, &question->consent, &c) != STATUS_OK || !is_callers(w, d->change, &c))
        return;
    c.purposes = d->about.purposes;
    d->about = c;
}

static void put_idempotency(struct json_out *out, const struct store_change *change) {
    json_out_key(out, "idempotency");
    json_out_object_begin(out);
    json_out_key(out, "key");
    json_out_base64url(out, change->key.bytes, sizeof change->key.bytes);
    json_out_key(out, "fingerprint");
    json_out_base64url(out, change->fingerprint.bytes, sizeof change->fingerprint.bytes);
    json_out_object_end(out);
}

static void compose(const struct disclosing *d, struct buffer *body, struct record_marks *marks) {
    const struct store_ruling *ruling = &d->inquiry->ruling;
    struct json_out out = json_out_to(body);
    json_out_members(&out, d->disclosure->body_json);
    if (ruling->has_consent)
        json_out_member_int(&out, "consentVersion", ruling->consent.version);
    inquiry_put_reasons(&out, ruling->decision.denials);
    marks->first_size = (uint16_t)body->size;
    marks->second_at = (uint16_t)(body->size + 1);
    marks->second_size = (uint16_t)d->disclosure->asked_json.size;
    json_out_members(&out, d->disclosure->asked_json);
    ASSERT(body->size <= UINT16_MAX);
    if (d->inquiry->question.about == STORE_ABOUT_ACCOUNT) {
        json_out_key(&out, "accountKey");
        json_out_base64url(&out, d->inquiry->question.account.bytes, MAC16_SIZE);
    }
    inquiry_put_policy(&out, d->disclosure->pack);
    if (d->change->has_key)
        put_idempotency(&out, d->change);
}

static void compose_personal(const struct disclosing *d, struct buffer *personal,
                             struct record_marks *marks) {
    struct json_out out = json_out_to(personal);
    if (d->disclosure->personal_json.size == 0)
        return;
    json_out_object_begin(&out);
    *marks = (struct record_marks){.first_at = 1,
                                   .first_size = (uint16_t)d->disclosure->personal_json.size};
    json_out_members(&out, d->disclosure->personal_json);
    json_out_object_end(&out);
}

static uint64_t append(struct write *w, const struct disclosing *d) {
    struct buffer body = {0}, personal = {0};
    const struct policy_decision *decision = &d->inquiry->ruling.decision;
    struct entry entry = {
        .code = decision->permitted ? STORE_DISCLOSURE_PERMITTED : STORE_DISCLOSURE_VIOLATION,
        .actor = inquiry_actor(w, d->change, &d->about),
        .consent = &d->about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = inquiry_first_reason(w, decision->denials)},
    };
    compose(d, &body, &entry.marks);
    compose_personal(d, &personal, &entry.personal_marks);
    entry.body = buffer_span(&body);
    entry.personal = buffer_span(&personal);
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    buffer_release(&personal);
    return index;
}

/* ---- what follows from it */

static void put_index(struct write *w, const struct mac16 *mac, uint64_t entry) {
    struct key key = key_16_number(mac->bytes, entry);
    db_put(&w->txn, DB_LOG_BY_TRANSACTION, key_span(&key), SPAN(""));
}

static void index_names(struct write *w, const struct disclosing *d, uint64_t entry) {
    struct span tenant = name_text(&w->txn, STORE_NAME_MEMBER, d->about.tenant);
    struct mac16 mac = transaction_mac(w->store, tenant, d->disclosure->transaction);
    const struct store_question *question = &d->inquiry->question;
    put_index(w, &mac, entry);
    if (question->about == STORE_ABOUT_ACCOUNT && d->about.index == STORE_INDEX_NONE)
        account_asked_put(w, &question->account, entry);
    if (!span_present(d->disclosure->step))
        return;
    mac = step_mac(w->store, tenant, d->disclosure->step);
    put_index(w, &mac, entry);
}

static void put_use(struct write *w, const struct disclosing *d, uint64_t entry) {
    unsigned char row[USE_ROW_SIZE];
    struct span tenant = name_text(&w->txn, STORE_NAME_MEMBER, d->about.tenant);
    struct mac16 mac = transaction_mac(w->store, tenant, d->disclosure->transaction);
    struct key key = key_use(d->about.index, &mac);
    use_row_encode(&(struct use_row){.entry = entry, .at = d->disclosure->at}, row);
    db_put(&w->txn, DB_USE, key_span(&key), span_of((const char *)row, sizeof row));
}

/* The last use that a consent allows ends it. */
static void fulfil(struct write *w, struct store_consent *c) {
    struct ending ending = {
        .state = CONSENT_FULFILLED,
        .reason = SPAN("fulfilled"),
        .by = CONSENT_BY_SYSTEM,
        .actor = {.role = STORE_BY_SYSTEM},
        .status_at = w->now,
    };
    (void)ending_write(w, c, &ending);
    ending_cascade(w, c);
}

/* A use is what the consent allows: a permitted transfer to its client, each transaction once. */
static void count_use(struct write *w, const struct disclosing *d, uint64_t entry) {
    struct store_consent c;
    if (!d->inquiry->ruling.decision.permitted || d->inquiry->question.ask.has_onward ||
        consent_load(&w->txn, d->about.index, &c) != STATUS_OK || c.max_uses == 0 ||
        use_find(&d->from, &c))
        return;
    c.tail = arena_copy(&w->scratch, c.tail);
    put_use(w, d, entry);
    c.uses++;
    consent_save(w, &c);
    consent_judge(&c, w->now);
    if (c.status == CONSENT_ACTIVE && c.uses >= c.max_uses)
        fulfil(w, &c);
}

enum status change_disclose(struct write *w, struct store_change *change) {
    enum status status;
    ASSERT(change->inquiry_count == 1);
    struct store_inquiry *inquiry = &change->inquiries[0];
    if (idempotency_recall(w, change, &status))
        return status;
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    struct disclosing d = {.change = change,
                           .disclosure = change->disclosure,
                           .inquiry = inquiry,
                           .from = inquiry_vantage(w, change->disclosure)};
    status = decider_rule(&d.from, d.disclosure->pack, &inquiry->question, &inquiry->ruling);
    if (status != STATUS_OK)
        return status;
    find_subject(w, &d);
    change->done.log_index = append(w, &d);
    change->done.consent = d.about.index;
    index_names(w, &d, change->done.log_index);
    count_use(w, &d, change->done.log_index);
    idempotency_remember(w, change);
    return w->txn.status;
}
