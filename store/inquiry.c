/* Recorded decisions: judged and logged in one transaction, so that what is recorded is what holds
 * at that place of the log, and asking again as of it gives the same (invariants 4 and 11). Writer
 * thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "base/log.h"
#include "store/account_walk.h"
#include "store/granting.h"
#include "store/inquiring.h"

/* The pack's purposes as this store numbers them, for the log's filter columns. */
static uint64_t numbers_of(const struct decider *d, uint64_t purposes) {
    uint64_t numbers = 0;
    for (unsigned n = 0; n < LIMIT_SET; n++)
        if (d->purposes[n] >= 0 && (purposes >> d->purposes[n] & 1U) != 0)
            numbers |= UINT64_C(1) << n;
    return numbers;
}

struct store_consent inquiry_subject(struct write *w, const struct store_change *change,
                                     const struct store_ruling *ruling) {
    struct store_consent about = {
        .index = STORE_INDEX_NONE,
        .provider = STORE_NAME_NONE,
        .license = STORE_NAME_NONE,
        .client = STORE_NAME_NONE,
    };
    if (ruling->has_consent)
        about = ruling->consent;
    else if (change->inquiry_count != 0) /* never interned: callers could fill the store with it */
        about.client = name_find(&w->txn, STORE_NAME_MEMBER, change->inquiries[0].question.client);
    if (!ruling->has_consent)
        about.provider = about.tenant = name_intern(w, STORE_NAME_MEMBER, change->tenant);
    about.purposes = numbers_of(&w->decider, ruling->decision.purposes);
    return about;
}

struct actor inquiry_actor(struct write *w, const struct store_change *change,
                           const struct store_consent *about) {
    struct span tenant = name_text(&w->txn, STORE_NAME_MEMBER, about->tenant);
    return (struct actor){change->actor,
                          span_equal(tenant, change->tenant) ? STORE_BY_TENANT : STORE_BY_CLIENT};
}

void inquiry_put_reasons(struct json_out *out, uint32_t denials) {
    json_out_key(out, "reasons");
    json_out_array_begin(out);
    for (unsigned d = 0; d < DENIAL_COUNT; d++)
        if ((denials >> d & 1U) != 0)
            json_out_string(out, span_of_text(policy_denial_code(d)));
    json_out_array_end(out);
}

uint32_t inquiry_first_reason(struct write *w, uint32_t denials) {
    if (denials == 0)
        return STORE_NAME_NONE;
    const char *code = policy_denial_code((enum policy_denial)__builtin_ctz(denials));
    return name_intern(w, STORE_NAME_REASON, span_of_text(code));
}

void inquiry_put_policy(struct json_out *out, const struct policy_pack *pack) {
    json_out_key(out, "policyDigest");
    json_out_hex(out, policy_pack_digest(pack)->bytes, DIGEST_SIZE);
}

static void put_purposes(struct json_out *out, const struct policy_pack *pack,
                         const struct store_inquiry *inquiry) {
    uint64_t left = inquiry->ruling.decision.purposes;
    json_out_member_bool(out, "purposeStated", inquiry->question.ask.has_purpose);
    if (inquiry->question.ask.has_purpose || !inquiry->ruling.decision.permitted)
        return;
    json_out_key(out, "purposes");
    json_out_array_begin(out);
    for (; left != 0; left &= left - 1)
        json_out_string(out, policy_pack_purpose(pack, (uint32_t)__builtin_ctzll(left))->code);
    json_out_array_end(out);
}

static void record(struct write *w, struct store_change *change, struct store_inquiry *inquiry) {
    const struct policy_decision *decision = &inquiry->ruling.decision;
    struct store_consent about = inquiry_subject(w, change, &inquiry->ruling);
    struct buffer body = {0}, personal = {0};
    struct json_out out = json_out_to(&body);
    json_out_key(&out, "request");
    json_out_object_begin(&out);
    json_out_members(&out, inquiry->request_json);
    json_out_object_end(&out);
    json_out_member_bool(&out, "decision", decision->permitted);
    inquiry_put_reasons(&out, decision->denials);
    put_purposes(&out, change->pack, inquiry);
    if (inquiry->ruling.has_consent)
        json_out_member_int(&out, "consentVersion", about.version);
    inquiry_put_policy(&out, change->pack);
    json_out_member_int(&out, "position", (int64_t)w->state.tree.size);
    if (inquiry->personal_json.size != 0) {
        struct json_out own = json_out_to(&personal);
        json_out_object_begin(&own);
        json_out_members(&own, inquiry->personal_json);
        json_out_object_end(&own);
    }
    struct entry entry = {
        .code = decision->permitted ? STORE_DECISION_PERMITTED : STORE_DECISION_DENIED,
        .actor = inquiry_actor(w, change, &about),
        .consent = &about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = inquiry_first_reason(w, decision->denials)},
        .body = buffer_span(&body),
        .personal = buffer_span(&personal),
    };
    inquiry->log_index = entry_append(w, &entry);
    inquiry->recorded = true;
    if (inquiry->question.about == STORE_ABOUT_ACCOUNT && about.index == STORE_INDEX_NONE)
        account_asked_put(w, &inquiry->question.account, inquiry->log_index);
    entry_id(w, inquiry->log_index, inquiry->id);
    buffer_release(&body);
    buffer_release(&personal);
}

static bool must_record(const struct store_inquiry *inquiry) {
    return inquiry->recording == STORE_RECORD_YES ||
           (inquiry->recording == STORE_RECORD_DENIAL && !inquiry->ruling.decision.permitted);
}

static bool ends_batch(enum store_batch_end end, bool permitted) {
    return permitted ? end == STORE_BATCH_TO_PERMIT : end == STORE_BATCH_TO_DENIAL;
}

struct vantage inquiry_vantage(struct write *w, const struct store_disclosure *disclosure) {
    struct vantage here = {
        .store = w->store, .txn = &w->txn, .decider = &w->decider, .now = w->now};
    if (disclosure != NULL)
        here.transaction = disclosure->transaction;
    if (disclosure != NULL && disclosure->at < w->now) {
        uint64_t position = entry_at_time(&w->txn, disclosure->at + 1);
        here.now = disclosure->at;
        here.past = true;
        here.log_index = position > 0 ? position - 1 : 0;
    }
    return here;
}

enum status change_decide(struct write *w, struct store_change *change) {
    for (uint32_t i = 0; i < change->inquiry_count; i++) {
        struct store_inquiry *inquiry = &change->inquiries[i];
        inquiry->answered = inquiry->recorded = false;
        inquiry->log_index = STORE_INDEX_NONE;
    }
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    for (uint32_t i = 0; i < change->inquiry_count && w->txn.status == STATUS_OK; i++) {
        struct store_inquiry *inquiry = &change->inquiries[i];
        const struct vantage here = inquiry_vantage(w, NULL);
        enum status status =
            decider_rule(&here, change->pack, &inquiry->question, &inquiry->ruling);
        if (status != STATUS_OK)
            return status;
        inquiry->answered = true;
        if (must_record(inquiry))
            record(w, change, inquiry);
        if (ends_batch(change->batch_end, inquiry->ruling.decision.permitted))
            break;
    }
    return w->txn.status;
}
