/* One decision as an object (AuthZEN Authorization API 1.0, section 5.5; the hint that consent may
 * be asked for has the shape of the Access Request and Approval Profile, draft 1). Runs on a loop.
 */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_answer.h"

#include "api/access_binding.h"

#define REQUESTABLE_MS 600000 /* how long the hint holds: ten minutes to ask a person */

void api_access_answer_reasons(const struct policy_pack *pack, const struct store_ruling *ruling,
                               struct json_out *out) {
    json_out_key(out, "reasons");
    json_out_array_begin(out);
    for (unsigned d = 0; d < DENIAL_COUNT; d++) {
        struct policy_explanation words;
        if ((ruling->decision.denials >> d & 1U) == 0)
            continue;
        policy_decision_explain(pack, ruling->license, &ruling->decision, d, &words);
        json_out_object_begin(out);
        json_out_member(out, "code", span_of_text(policy_denial_code(d)));
        json_out_member(out, "clause", span_of_text(words.clause));
        json_out_member(out, "detail", span_of_text(words.detail));
        json_out_member(out, "change", span_of_text(words.remedy));
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* One sentence for the operator of the data API: codes and details, nothing personal. */
static void put_reason_admin(const struct api_access_answer *a, struct json_out *out) {
    const struct policy_decision *decision = &a->ruling->decision;
    struct buffer text = {0};
    for (unsigned d = 0; d < DENIAL_COUNT; d++) {
        struct policy_explanation words;
        if ((decision->denials >> d & 1U) == 0)
            continue;
        policy_decision_explain(a->pack, a->ruling->license, decision, d, &words);
        buffer_append_text(&text, text.size != 0 ? "; " : "");
        buffer_append_text(&text, policy_denial_code(d));
        buffer_append_text(&text, ": ");
        buffer_append_text(&text, words.detail);
    }
    json_out_key(out, "reason_admin");
    json_out_object_begin(out);
    json_out_member(out, "en", buffer_span(&text));
    json_out_object_end(out);
    buffer_release(&text);
}

static void put_codes(const char *key, uint64_t set, const struct policy_pack *pack,
                      struct span code(const struct policy_pack *, uint32_t),
                      struct json_out *out) {
    json_out_key(out, key);
    json_out_array_begin(out);
    for (uint64_t left = set; left != 0; left &= left - 1)
        json_out_string(out, code(pack, (uint32_t)__builtin_ctzll(left)));
    json_out_array_end(out);
}

static struct span purpose_code(const struct policy_pack *pack, uint32_t index) {
    return policy_pack_purpose(pack, index)->code;
}

static struct span permission_code(const struct policy_pack *pack, uint32_t index) {
    return policy_pack_permission(pack, index)->code;
}

void api_access_answer_open(const struct policy_pack *pack, const struct policy_request *ask,
                            const struct store_ruling *ruling, struct json_out *out) {
    const struct policy_decision *decision = &ruling->decision;
    if (!decision->permitted || !ruling->has_consent)
        return;
    if (!ask->has_purpose) {
        json_out_member_bool(out, "purposeStated", false);
        put_codes("purposes", decision->purposes, pack, purpose_code, out);
    }
    if (!ask->has_permissions)
        put_codes("permissions", decision->permissions, pack, permission_code, out);
}

static void put_consent(const struct api_access_answer *a, struct json_out *out) {
    const struct store_consent *c = &a->ruling->consent;
    if (!a->ruling->has_consent || (!a->ruling->decision.permitted && !a->explain))
        return;
    json_out_key(out, "consent");
    json_out_object_begin(out);
    json_out_member_uuid(out, "consentId", &c->id);
    json_out_member_int(out, "version", c->version);
    json_out_member(out, "status", span_of_text(lifecycle_state_name(c->status)));
    json_out_member_int(out, "logIndex", (int64_t)c->last_entry);
    json_out_object_end(out);
}

/* Nobody was asked yet, and may be: where, for which licence, and bound to this denial. Only when
 * nothing else denies: a consent would change nothing about that. */
static void put_access_request(const struct api_access_answer *a, struct json_out *out) {
    char token[API_BINDING_SIZE + 1];
    const struct policy_license *license = NULL;
    if (a->ruling->decision.denials == 1U << DENIAL_CONSENT_NOT_FOUND)
        license = api_access_requestable(a->pack, a->question, a->now);
    if (license == NULL)
        return;
    const struct api_binding binding = {a->store, a->pack, a->question, license};
    api_access_binding_seal(&binding, a->now + REQUESTABLE_MS, token);
    if (a->decision_id != NULL)
        json_out_member(out, "evaluation_id", span_of_text(a->decision_id));
    json_out_member_time(out, "evaluated_at", a->now);
    json_out_member(out, "reason", SPAN("consentNotFound"));
    json_out_key(out, "access_request");
    json_out_object_begin(out);
    struct buffer url = {0};
    buffer_append_span(&url, a->public_url);
    buffer_append_text(&url, API_ACCESS_REQUESTS);
    json_out_member(out, "endpoint", buffer_span(&url));
    buffer_release(&url);
    json_out_member(out, "template", license->url);
    json_out_member_time(out, "expires_at", a->now + REQUESTABLE_MS);
    json_out_member(out, "binding_token", span_of(token, API_BINDING_SIZE));
    json_out_key(out, "display");
    json_out_object_begin(out);
    json_out_member(out, "title", license->title);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void put_context(const struct api_access_answer *a, struct json_out *out) {
    bool denied = !a->ruling->decision.permitted;
    if (a->decision_id != NULL && (a->single || a->record || a->explain)) {
        json_out_member(out, "decisionId", span_of_text(a->decision_id));
        json_out_member_int(out, "logIndex", (int64_t)a->log_index);
    }
    put_consent(a, out);
    api_access_answer_open(a->pack, &a->question->ask, a->ruling, out);
    if (a->explain) {
        api_access_answer_reasons(a->pack, a->ruling, out);
        json_out_key(out, "policyDigest");
        json_out_hex(out, policy_pack_digest(a->pack)->bytes, DIGEST_SIZE);
    }
    if (denied && a->single)
        put_reason_admin(a, out);
    if (denied)
        put_access_request(a, out);
}

void api_access_answer_write(const struct api_access_answer *a, struct json_out *out) {
    json_out_object_begin(out);
    json_out_member_bool(out, "decision", a->ruling->decision.permitted);
    if (a->single || a->explain || a->record) {
        struct buffer members = {0};
        struct json_out context = json_out_to(&members);
        put_context(a, &context);
        if (members.size != 0) {
            json_out_key(out, "context");
            json_out_object_begin(out);
            json_out_members(out, buffer_span(&members));
            json_out_object_end(out);
        }
        buffer_release(&members);
    }
    json_out_object_end(out);
}
