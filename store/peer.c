/* Reading and ending by a token's digest, for clients and for other members of the scheme, each an
 * entry of the log (peer.h). Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/peer.h"

#include "base/json_out.h"
#include "store/granting.h"
#include "store/pending.h"
#include "store/walk.h"

/* ---- whose token it is */

struct holder {
    struct store_consent head; /* the newest grant of the arrangement that has the token */
    uint64_t consent, entry;   /* the consent that it was registered for, and the entry */
};

/* Among the client's consents with this token: the one that got it last. */
static bool find_holder(struct write *w, const struct store_change *change, bool active,
                        struct holder *out) {
    uint32_t client = name_find(&w->txn, STORE_NAME_MEMBER, change->actor);
    struct walk walk;
    bool found = false;
    if (client == STORE_NAME_NONE)
        return false;
    walk_open(&w->txn, DB_BY_TOKEN, key_digest(&change->peer->token), 0, &walk);
    for (; walk.live; walk_next(&walk)) {
        if (walk.note.size != 12 || key_get_u32(walk.note.data + 8) != client)
            continue; /* another's is read no further than an unknown one (invariant 9) */
        struct holder h = {.consent = walk.number, .entry = key_get_u64(walk.note.data)};
        if ((found && h.entry < out->entry) ||
            consent_load(&w->txn, h.consent, &h.head) != STATUS_OK ||
            consent_head(w, &h.head.arrangement, &h.head) != STATUS_OK ||
            (active && h.head.status != CONSENT_ACTIVE))
            continue;
        *out = h;
        found = true;
    }
    walk_close(&walk);
    return found;
}

static enum status unknown(const struct store_change *change) {
    return change->peer->never_refresh ? STATUS_INVALID_PARAMETER : STATUS_NOT_FOUND;
}

/* ---- the entries */

static uint64_t append(struct write *w, const struct store_change *change,
                       enum store_event_code code, const struct store_consent *about,
                       struct span body) {
    struct entry entry = {
        .code = code,
        .actor = {change->actor, STORE_BY_CLIENT},
        .consent = about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
        .body = body,
    };
    return entry_append(w, &entry);
}

static void put_digest(struct json_out *out, const struct digest *token) {
    json_out_key(out, "token");
    json_out_object_begin(out);
    json_out_key(out, "digest");
    json_out_base64url(out, token->bytes, sizeof token->bytes);
    json_out_object_end(out);
}

/* The token is named by the entry that registered it. */
static uint64_t append_about(struct write *w, const struct store_change *change,
                             enum store_event_code code, const struct holder *holder,
                             const char *outcome) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    json_out_member_int(&out, "tokenIndex", (int64_t)holder->entry);
    if (outcome != NULL)
        json_out_member(&out, "outcome", span_of_text(outcome));
    uint64_t index = append(w, change, code, &holder->head, buffer_span(&body));
    buffer_release(&body);
    return index;
}

/* ---- a permission record is read */

static bool find_token(struct write *w, const struct holder *holder, struct store_token *out) {
    struct span value;
    struct record_step step;
    struct key key = key_two_numbers(holder->consent, holder->entry);
    if (!db_get(&w->txn, DB_LOG_BY_CONSENT, key_span(&key), &value) ||
        record_step_decode(value, &step) != STATUS_OK)
        return false;
    *out = step.token;
    return true;
}

enum status change_read_permission(struct write *w, struct store_change *change) {
    struct holder holder;
    if (!find_holder(w, change, true, &holder) && !find_holder(w, change, false, &holder))
        return w->txn.status != STATUS_OK ? w->txn.status : unknown(change);
    if (holder.head.erased != STORE_KEPT)
        return STATUS_ERASED;
    if (!find_token(w, &holder, &change->peer->found))
        return STATUS_INTERNAL;
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    change->peer->known = true;
    change->done.consent = holder.head.index;
    change->done.log_index = append_about(w, change, STORE_PEER_PERMISSION_READ, &holder, NULL);
    return w->txn.status;
}

/* ---- a token is revoked */

static uint64_t end(struct write *w, struct store_consent *c, uint64_t cause) {
    static const struct uuid nobody;
    struct ending ending = {
        .state = CONSENT_REVOKED,
        .reason = SPAN("withdrawnAtClient"),
        .by = CONSENT_BY_CLIENT,
        .actor = {arena_copy(&w->scratch, name_text(&w->txn, STORE_NAME_MEMBER, c->client)),
                  STORE_BY_CLIENT},
        .status_at = w->now,
        .cause = &nobody,
        .cause_entry = cause,
    };
    uint64_t index = ending_write(w, c, &ending);
    ending_cascade(w, c);
    return index;
}

static enum status remember(struct write *w, struct store_change *change) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    if (change->peer->never_refresh)
        return STATUS_INVALID_PARAMETER;
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL; /* any member could fill what is kept for endings */
    json_out_member(&out, "outcome", SPAN("unknown"));
    put_digest(&out, &change->peer->token);
    uint64_t index = append(w, change, STORE_PEER_REVOCATION, NULL, buffer_span(&body));
    pending_revoke(w, &change->peer->token, name_intern(w, STORE_NAME_MEMBER, change->actor),
                   index);
    change->done.log_index = index;
    buffer_release(&body);
    return w->txn.status;
}

enum status change_revoke_token(struct write *w, struct store_change *change) {
    struct holder holder;
    bool active = find_holder(w, change, true, &holder);
    change->peer->known = active || find_holder(w, change, false, &holder);
    if (!change->peer->known)
        return w->txn.status != STATUS_OK ? w->txn.status : remember(w, change);
    if (!active && w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    if (!active)
        change->done.log_index =
            append_about(w, change, STORE_PEER_REVOCATION, &holder, "endedBefore");
    for (; active; active = find_holder(w, change, true, &holder)) {
        uint64_t cause = append_about(w, change, STORE_PEER_REVOCATION, &holder, "ended");
        change->done.log_index = end(w, &holder.head, cause);
    }
    change->done.consent = holder.head.index;
    return w->txn.status;
}

void tokens_apply_revocations(struct write *w, struct store_consent *c,
                              const struct store_token *tokens, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t entry;
        if (!pending_revocation(&w->txn, &tokens[i].digest, c->client, &entry))
            continue;
        pending_forget(w, &tokens[i].digest, c->client);
        if (c->status == CONSENT_ACTIVE)
            (void)end(w, c, entry);
    }
}

/* ---- a message withdraws what consents here depend on */

/* The tenant whose it is: that of the first consent that depends on the token. */
static bool find_tenant(struct write *w, const struct digest *token, struct store_consent *about) {
    struct store_consent c;
    uint64_t index;
    if (!external_dependant(&w->txn, token, 0, &index) ||
        consent_load(&w->txn, index, &c) != STATUS_OK)
        return false;
    *about = (struct store_consent){.index = STORE_INDEX_NONE,
                                    .tenant = c.tenant,
                                    .provider = c.tenant,
                                    .client = STORE_NAME_NONE,
                                    .license = STORE_NAME_NONE};
    return true;
}

enum status change_message(struct write *w, struct store_change *change) {
    struct store_consent about;
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    const struct digest *token = &change->peer->token;
    bool again = external_withdrawn(&w->txn, token, STORE_INDEX_NONE, NULL);
    change->peer->known = find_tenant(w, token, &about);
    if ((again || !change->peer->known) && w->room_only_for_endings)
        return STATUS_STORAGE_FULL; /* it ends nothing */
    json_out_member(&out, "outcome",
                    again                 ? SPAN("withdrawnBefore")
                    : change->peer->known ? SPAN("withdrawn")
                                          : SPAN("unknown"));
    put_digest(&out, token);
    change->done.log_index = append(w, change, STORE_PEER_MESSAGE,
                                    change->peer->known ? &about : NULL, buffer_span(&body));
    buffer_release(&body);
    external_withdraw(w, token, name_intern(w, STORE_NAME_MEMBER, change->actor),
                      change->done.log_index);
    ending_cascade_external(w, token, change->done.log_index);
    return w->txn.status;
}
