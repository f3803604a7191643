/* Erasure is asked for: of one consent, or of all that an account has. What may go now goes in one
 * commit with its notice (invariant 2); the rest waits, in durable rows, for retention or for room
 * in a commit (spec: log.md, Erasure). Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/erasing.h"
#include "store/granting.h"
#include "store/walk.h"

/* ---- the change */

/* When the last of its refresh tokens runs out, none later than the consent: so long a client may
 * come back with one. */
static int64_t tokens_end(struct write *w, const struct store_consent *c) {
    int64_t last = INT64_MIN;
    struct db_cursor cursor;
    struct key from = key_two_numbers(c->index, 0);
    db_cursor_open(&w->txn, DB_LOG_BY_CONSENT, &cursor);
    for (bool on = c->token_count != 0 && db_cursor_seek(&cursor, key_span(&from));
         on && key_get_u64(cursor.key.data) == c->index; on = db_cursor_next(&cursor)) {
        struct record_step step;
        if (record_step_decode(cursor.value, &step) == STATUS_OK &&
            step.code == STORE_CONSENT_TOKEN_ADDED && step.token.expires > last)
            last = step.token.expires;
    }
    db_cursor_close(&cursor);
    return last < c->expires ? last : c->expires;
}

/* When its end, and that of its tokens, is long enough ago. */
static int64_t due_of(struct write *w, const struct store_change *change,
                      const struct store_consent *c) {
    const struct policy_settings *settings = policy_pack_settings(change->pack);
    int64_t tokens = tokens_end(w, c);
    if (!settings->has_keep_after_end)
        return c->status_at;
    return timestamp_add(tokens > c->status_at ? tokens : c->status_at, settings->keep_after_end);
}

static void plan(struct erasing *e, const struct store_change *change, struct target *t) {
    int64_t due = due_of(e->w, change, &t->consent);
    bool waits = due > e->w->now;
    bool at_once = erase_at_once(e->ground);
    t->end = e->w->state.tree.size;
    t->due = INT64_MIN;
    t->part = change->erasure->part;
    if (waits && (t->part == STORE_ERASED_WHOLE || !at_once)) {
        t->due = due;
        t->part = at_once && t->consent.erased == STORE_KEPT ? STORE_ERASED_PERSONAL : STORE_KEPT;
    }
}

static enum status check(struct write *w, struct store_change *change,
                         const struct store_consent *c) {
    if (!lifecycle_is_final(c->status)) {
        change_explain(change, c->status == CONSENT_ACTIVE
                                   ? "an active consent must be ended first"
                                   : "a requested consent must be refused first");
        return STATUS_WRONG_STATE;
    }
    return hold_stands(w, c, NULL) ? STATUS_LEGAL_HOLD : STATUS_OK;
}

static void add(struct write *w, struct target *t, const struct store_consent *c) {
    *t = (struct target){.consent = *c};
    t->consent.tail = arena_copy(&w->scratch, c->tail);
    consent_judge(&t->consent, w->now);
}

static enum status find_consent(struct write *w, const struct store_change *change,
                                struct target *t) {
    struct store_consent c;
    enum status status = consent_find(&w->txn, &change->id, &c);
    if (status == STATUS_OK &&
        !span_equal(name_text(&w->txn, STORE_NAME_MEMBER, c.tenant), change->tenant))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && c.erased >= change->erasure->part)
        status = STATUS_ERASED;
    if (status == STATUS_OK)
        add(w, t, &c);
    return status;
}

static uint32_t find_account(struct write *w, struct store_change *change, uint32_t tenant,
                             struct target *targets) {
    struct store_erasure *order = change->erasure;
    struct mac16 of = account_mac(w->store, change->tenant, order->provider, order->account);
    struct mac16 key = account_key(w->store, change->tenant, order->account);
    uint32_t count = 0;
    struct walk walk;
    walk_open(&w->txn, DB_BY_ACCOUNT, key_16(key.bytes), 0, &walk);
    for (; walk.live && !order->more; walk_next(&walk)) {
        struct store_consent c;
        if (consent_load(&w->txn, walk.number, &c) != STATUS_OK ||
            memcmp(c.account.bytes, of.bytes, MAC16_SIZE) != 0 || c.erased >= order->part)
            continue;
        order->more = count == LIMIT_BULK;
        if (!order->more)
            add(w, &targets[count++], &c);
    }
    walk_close(&walk);
    targets[count] = (struct target){
        .of_account = true,
        .account = key,
        .part = order->part,
        .end = w->state.tree.size,
        .due = INT64_MIN,
    };
    return hold_stands_on_account(w, tenant, &of) ? UINT32_MAX : count + 1;
}

static void show(struct store_erasure *order, const struct target *targets, uint32_t count,
                 struct arena *arena) {
    order->consents = arena_array(arena, count, sizeof *order->consents);
    order->consent_count = 0;
    order->goes_on = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct target *t = &targets[i];
        order->goes_on |= t->part != STORE_KEPT && t->next < t->end;
        if (!t->of_account)
            order->consents[order->consent_count++] = (struct store_erased_consent){
                .id = t->consent.id,
                .done = t->part > t->consent.erased ? t->part : t->consent.erased,
                .due = t->due};
    }
}

/* After all checks. */
static enum status carry_out(struct erasing *e, struct store_change *change, struct target *targets,
                             uint32_t count) {
    struct store_erasure *order = change->erasure;
    for (uint32_t i = 0; i < count; i++) {
        struct target *t = &targets[i];
        struct key before;
        if (t->of_account)
            continue;
        if (t->consent.recorded != t->consent.status)
            ending_by_clock(e->w, &t->consent);
        plan(e, change, t);
        if (erase_waiting_for(e->w, t->consent.index, &before))
            erase_forget(e->w, t->consent.index, &before);
        if (t->due != INT64_MIN)
            erase_let_wait(e, t, order->part, t->due);
    }
    erase_part(e, STORE_ERASED_PERSONAL, targets, count);
    erase_part(e, STORE_ERASED_WHOLE, targets, count);
    for (uint32_t i = 0; i < count; i++)
        if (targets[i].part != STORE_KEPT && targets[i].next < targets[i].end)
            erase_put_order(e, &targets[i], targets[i].part, ERASE_NEXT);
    show(order, targets, count, &change->arena);
    change->done.log_index = e->notice;
    bool nothing = order->consent_count == 0 && e->notice == STORE_INDEX_NONE && !order->goes_on;
    return nothing ? STATUS_NOT_FOUND : e->w->txn.status;
}

enum status change_erase(struct write *w, struct store_change *change) {
    struct store_erasure *order = change->erasure;
    struct target *targets = arena_array(&w->scratch, LIMIT_BULK + 1, sizeof *targets);
    uint32_t tenant = name_find(&w->txn, STORE_NAME_MEMBER, change->tenant), count = 1;
    enum status status = tenant == STORE_NAME_NONE ? STATUS_NOT_FOUND : STATUS_OK;
    order->more = false;
    if (status == STATUS_OK && order->by_account)
        count = find_account(w, change, tenant, targets);
    else if (status == STATUS_OK)
        status = find_consent(w, change, targets);
    if (status == STATUS_OK && count == UINT32_MAX)
        status = STATUS_LEGAL_HOLD;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        if (!targets[i].of_account)
            status = check(w, change, &targets[i].consent);
    if (status != STATUS_OK)
        return status;
    struct erasing e = erase_start(w, tenant, (struct actor){change->actor, order->role});
    e.ground = order->ground;
    e.request_id = order->request_id;
    return carry_out(&e, change, targets, count);
}
