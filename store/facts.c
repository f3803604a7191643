/* Appended facts: rotated tokens, late proofs and provenance steps, each an entry of its own
 * (invariant 6: terms stay as they are). Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "store/granting.h"

static uint64_t append(struct write *w, struct store_consent *c, struct entry *entry) {
    c->version++;
    entry->consent = c;
    entry->previous = c->last_entry;
    entry->step.reason = STORE_NAME_NONE;
    entry->step.status_at = c->status_at;
    c->last_entry = entry_append(w, entry);
    return c->last_entry;
}

static bool token_known(struct write *w, uint64_t consent, const struct digest *digest) {
    struct key key = key_token(digest, consent);
    struct span known;
    return db_get(&w->txn, DB_BY_TOKEN, key_span(&key), &known);
}

void token_append(struct write *w, struct store_consent *c, const struct store_token *token,
                  const struct actor *actor) {
    struct key key = key_token(&token->digest, c->index);
    if (token_known(w, c->index, &token->digest))
        return;
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    json_out_key(&out, "token");
    json_out_object_begin(&out);
    json_out_key(&out, "digest");
    json_out_base64url(&out, token->digest.bytes, sizeof token->digest.bytes);
    json_out_member_time(&out, "issuedAt", token->issued_at);
    json_out_member_time(&out, "expires", token->expires);
    json_out_object_end(&out);
    struct entry entry = {
        .code = STORE_CONSENT_TOKEN_ADDED, .actor = *actor, .body = buffer_span(&body)};
    entry.step.token = *token;
    c->token_count++;
    uint64_t index = append(w, c, &entry);
    buffer_release(&body);

    unsigned char value[12];
    key_put_u64(value, index);
    key_put_u32(value + 8, c->client);
    db_put(&w->txn, DB_BY_TOKEN, key_span(&key), span_of((const char *)value, sizeof value));
}

static enum status append_target(struct write *w, struct store_change *change,
                                 struct store_consent *c, enum store_role *role) {
    enum status status = change_target(w, change, c, role);
    if (status == STATUS_OK)
        status = change_match(change, c);
    if (status == STATUS_OK && w->room_only_for_endings)
        status = STATUS_STORAGE_FULL;
    return status;
}

/* A fact that was known already is no entry, and changes nothing. */
static enum status finish(struct write *w, struct store_change *change, struct store_consent *c,
                          uint32_t version) {
    if (c->version != version)
        consent_save(w, c);
    change->done.consent = c->index;
    change->done.log_index = c->last_entry;
    return STATUS_OK;
}

enum status change_tokens(struct write *w, struct store_change *change) {
    struct store_consent c;
    enum store_role role;
    enum status status = append_target(w, change, &c, &role);
    uint64_t named = c.index;
    /* A late token goes to what goes on: its client may have revoked it before it was known. */
    if (status == STATUS_OK && c.status == CONSENT_SUPERSEDED)
        status = consent_head(w, &c.arrangement, &c);
    if (status != STATUS_OK)
        return status;
    if (c.status != CONSENT_ACTIVE) {
        change_explain(change, "only an active consent has new tokens");
        return STATUS_WRONG_STATE;
    }
    if (c.token_count + change->token_count > LIMIT_FACTS) {
        change_explain(change, "the consent has 1000 tokens: renew it");
        return STATUS_WRONG_STATE;
    }
    struct actor actor = {change->actor, role};
    uint32_t version = c.version;
    for (uint32_t i = 0; i < change->token_count; i++)
        if (c.index == named || !token_known(w, named, &change->tokens[i].digest))
            token_append(w, &c, &change->tokens[i], &actor);
    enum status done = finish(w, change, &c, version);
    tokens_apply_revocations(w, &c, change->tokens, change->token_count);
    change->done.log_index = c.last_entry;
    return done;
}

enum status change_proofs(struct write *w, struct store_change *change) {
    struct store_consent c;
    enum store_role role;
    enum status status = append_target(w, change, &c, &role);
    if (status != STATUS_OK)
        return status;
    if (c.granted_entry == STORE_INDEX_NONE || c.proof_count >= LIMIT_FACTS) {
        change_explain(change, c.granted_entry == STORE_INDEX_NONE
                                   ? "only a granted consent has proofs"
                                   : "the consent has 1000 late proofs");
        return STATUS_WRONG_STATE;
    }
    struct buffer personal = {0};
    buffer_append_text(&personal, "{\"proofs\":[");
    struct record_marks marks = {.first_at = (uint16_t)personal.size,
                                 .first_size = (uint16_t)change->proofs_json.size};
    buffer_append_span(&personal, change->proofs_json);
    buffer_append_text(&personal, "]}");
    struct entry entry = {.code = STORE_CONSENT_PROOF_ADDED,
                          .actor = {change->actor, role},
                          .personal = buffer_span(&personal),
                          .personal_marks = marks};
    c.proof_count++;
    uint32_t version = c.version;
    (void)append(w, &c, &entry);
    buffer_release(&personal);
    return finish(w, change, &c, version);
}

/* ---- provenance steps */

static void step_append(struct write *w, struct store_consent *c, const struct store_change *change,
                        enum store_role role) {
    static const char name[] = "\"stepId\":";
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    json_out_member(&out, "stepId", change->step);
    struct entry entry = {
        .code = STORE_CONSENT_STEP_ADDED,
        .actor = {change->actor, role},
        .body = buffer_span(&body),
        .marks = {.first_at = sizeof name - 1,
                  .first_size = (uint16_t)(body.size - (sizeof name - 1))},
    };
    struct mac16 mac = step_mac(w->store, change->tenant, change->step);
    unsigned char value[8];
    c->step_count++;
    key_put_u64(value, append(w, c, &entry));
    buffer_release(&body);
    struct key by_step = key_16_number(mac.bytes, c->index);
    struct key by_entry = key_16_number(mac.bytes, c->last_entry);
    db_put(&w->txn, DB_BY_STEP, key_span(&by_step), span_of((const char *)value, sizeof value));
    db_put(&w->txn, DB_LOG_BY_TRANSACTION, key_span(&by_entry), SPAN(""));
}

static bool step_known(struct write *w, const struct store_consent *c,
                       const struct store_change *change) {
    struct span known;
    struct mac16 mac = step_mac(w->store, change->tenant, change->step);
    struct key key = key_16_number(mac.bytes, c->index);
    return db_get(&w->txn, DB_BY_STEP, key_span(&key), &known);
}

enum status change_step(struct write *w, struct store_change *change) {
    struct store_consent c;
    enum store_role role;
    enum status status = append_target(w, change, &c, &role);
    if (status != STATUS_OK)
        return status;
    uint32_t version = c.version;
    if (step_known(w, &c, change))
        return finish(w, change, &c, version);
    if (c.granted_entry == STORE_INDEX_NONE ||
        (change->step_is_new && c.status != CONSENT_ACTIVE) || c.step_count >= LIMIT_FACTS) {
        change_explain(change, c.granted_entry == STORE_INDEX_NONE
                                   ? "only a granted consent has provenance steps"
                               : c.step_count >= LIMIT_FACTS
                                   ? "the consent has 1000 provenance steps: renew it"
                                   : "only an active consent has new provenance steps");
        return STATUS_WRONG_STATE;
    }
    step_append(w, &c, change, role);
    return finish(w, change, &c, version);
}
