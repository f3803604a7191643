/* Create, grant and renew: the policy's verdict, then the new header and its entry, all inside the
 * write transaction (invariants 2, 4 and 6). Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "base/log.h"
#include "store/granting.h"
#include "store/pending.h"

/* ---- the policy's verdict */

static bool may_depend_on(const struct policy_license *license, struct span url) {
    for (uint32_t i = 0; i < license->depends_on_count; i++)
        if (span_equal(license->depends_on[i], url))
            return true;
    return license->depends_on_count == 0;
}

/* A consent that the caller may not see does not exist for it (invariant 9). What a renewed one
 * depends on was seen when it was granted, perhaps by another client of the tenant. */
static bool visible(struct write *w, const struct store_change *change,
                    const struct store_consent *c) {
    if (change->op == STORE_RENEW)
        return true;
    struct span tenant = name_text(&w->txn, STORE_NAME_MEMBER, c->tenant);
    struct span client = name_text(&w->txn, STORE_NAME_MEMBER, c->client);
    return span_equal(tenant, change->tenant) || span_equal(client, change->actor) ||
           span_equal(client, change->tenant);
}

static struct policy_dependency judge_group(struct write *w, const struct store_change *change,
                                            const struct store_group *group,
                                            const struct policy_license *license) {
    struct policy_dependency found = {false, false};
    for (uint32_t i = 0; i < group->member_count; i++) {
        const struct store_member *m = &group->members[i];
        struct store_consent head;
        if (m->external) {
            bool active = m->expires > w->now &&
                          !external_withdrawn(&w->txn, &m->token_digest, STORE_INDEX_NONE, NULL);
            found.active |= active;
            found.of_license |= active;
        } else if (consent_head(w, &m->arrangement, &head) == STATUS_OK &&
                   head.status == CONSENT_ACTIVE && visible(w, change, &head)) {
            struct span url = name_text(&w->txn, STORE_NAME_LICENSE, head.license);
            found.active = true;
            found.of_license |= license == NULL || may_depend_on(license, url);
        }
    }
    return found;
}

static enum status admit(struct write *w, struct store_change *change) {
    struct store_draft *draft = &change->draft;
    struct policy_dependency *dependencies =
        arena_array(&change->arena, draft->group_count + 1, sizeof *dependencies);
    const struct policy_license *license =
        policy_pack_license_find(change->pack, draft->ask.license);
    for (uint32_t i = 0; i < draft->group_count; i++)
        dependencies[i] = judge_group(w, change, &draft->groups[i], license);
    draft->ask.dependencies = dependencies;
    draft->ask.dependency_count = draft->group_count;
    draft->ask.dependencies_required = draft->ask.granted;
    struct policy_reasons *reasons = arena_array(&change->arena, 1, sizeof *reasons);
    enum status status = policy_admit(change->pack, &draft->ask, w->now, reasons);
    if (status == STATUS_NOT_ADMISSIBLE)
        change->reasons = reasons;
    return status;
}

/* ---- writing it */

static void compose_body(const struct granting *g, struct buffer *body,
                         struct record_marks *marks) {
    const struct store_change *change = g->change;
    struct json_out out = json_out_to(body);
    json_out_key(&out, "terms");
    json_out_object_begin(&out);
    marks->first_at = (uint16_t)body->size;
    marks->first_size = (uint16_t)g->draft->terms_json.size;
    json_out_members(&out, g->draft->terms_json);
    json_out_object_end(&out);
    if (g->draft->ask.granted) {
        json_out_key(&out, "grant");
        json_out_object_begin(&out);
        marks->second_at = (uint16_t)body->size;
        marks->second_size = (uint16_t)g->draft->grant_json.size;
        json_out_members(&out, g->draft->grant_json);
        json_out_object_end(&out);
    } else {
        json_out_member_time(&out, "answerDue", g->consent.answer_due);
    }
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

static void compose_personal(const struct granting *g, struct buffer *personal,
                             struct record_marks *marks) {
    const struct store_draft *draft = g->draft;
    if (draft->account_json.size == 0 && draft->grant_private_json.size == 0)
        return;
    struct json_out out = json_out_to(personal);
    json_out_object_begin(&out);
    if (draft->account_json.size != 0) {
        marks->first_at = (uint16_t)personal->size;
        marks->first_size = (uint16_t)draft->account_json.size;
        json_out_members(&out, draft->account_json);
    }
    if (draft->grant_private_json.size != 0) {
        json_out_key(&out, "grant");
        json_out_object_begin(&out);
        marks->second_at = (uint16_t)personal->size;
        marks->second_size = (uint16_t)draft->grant_private_json.size;
        json_out_members(&out, draft->grant_private_json);
        json_out_object_end(&out);
    }
    json_out_object_end(&out);
}

static void write_entry(struct write *w, struct granting *g) {
    struct store_consent *c = &g->consent;
    struct buffer body = {0}, personal = {0};
    struct entry entry = {
        .code = g->draft->ask.granted ? STORE_CONSENT_GRANTED : STORE_CONSENT_REQUESTED,
        .actor = g->actor,
        .consent = c,
        .previous = c->last_entry,
        .step = {.by = CONSENT_BY_NONE, .reason = STORE_NAME_NONE, .status_at = w->now},
    };
    compose_body(g, &body, &entry.marks);
    compose_personal(g, &personal, &entry.personal_marks);
    entry.body = buffer_span(&body);
    entry.personal = buffer_span(&personal);
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    buffer_release(&personal);
    if (c->created_entry == STORE_INDEX_NONE)
        c->created_entry = index;
    if (g->draft->ask.granted)
        c->granted_entry = index;
    c->status_entry = c->last_entry = index;
}

/* After all checks: supersede, write the entry, the header, the indexes and the first tokens. */
static void write_granted(struct write *w, struct granting *g) {
    struct store_consent *c = &g->consent;
    c->recorded = c->status = g->draft->ask.granted ? CONSENT_ACTIVE : CONSENT_REQUESTED;
    c->status_at = w->now;
    c->granted_at = g->draft->ask.granted ? g->draft->ask.granted_at : INT64_MIN;
    c->version++;
    overlap_supersede(w, g);
    write_entry(w, g);
    g->change->done.consent = c->index;
    g->change->done.log_index = c->last_entry;
    draft_index(w, g);
    consent_join(w, c);
    for (uint32_t i = 0; i < g->draft->token_count; i++)
        token_append(w, c, &g->draft->tokens[i], &g->actor);
    consent_save(w, c);
    if (g->draft->token_count != 0) {
        tokens_apply_revocations(w, c, g->draft->tokens, g->draft->token_count);
        g->change->done.log_index = c->last_entry;
    }
    idempotency_remember(w, g->change);
}

/* The grant writes over what was asked for, which questions about the time before are judged by. */
static void keep_request(struct write *w, const struct store_consent *requested) {
    struct key key = key_number(requested->index);
    buffer_clear(&w->record);
    record_consent_encode(requested, &w->record);
    db_put_rising(&w->txn, DB_REQUEST, key_span(&key), buffer_span(&w->record));
}

/* A header that exists only as a draft yet. */
static void start(struct write *w, struct granting *g) {
    w->store->last_id = uuid_make_after(w->now, &w->store->last_id);
    g->consent = (struct store_consent){
        .index = w->state.next_consent,
        .id = w->store->last_id,
        .reason = STORE_NAME_NONE,
        .created_at = w->now,
        .answer_due = g->draft->ask.granted
                          ? INT64_MIN
                          : w->now + policy_pack_request_timeout_ms(g->change->pack),
        .supersedes = STORE_INDEX_NONE,
        .superseded_by = STORE_INDEX_NONE,
        .superseded_by_entry = STORE_INDEX_NONE,
        .created_entry = STORE_INDEX_NONE,
        .granted_entry = STORE_INDEX_NONE,
        .status_entry = STORE_INDEX_NONE,
        .last_entry = STORE_INDEX_NONE,
    };
    g->consent.arrangement = g->consent.id; /* it begins its own arrangement */
}

/* The last checks, which need the header; only names may have been written before them. */
static enum status prepare(struct write *w, struct granting *g) {
    enum status status = STATUS_OK;
    if (draft_external_id_taken(w, g)) {
        change_explain(g->change, "externalId is in use by another consent");
        return STATUS_WRONG_STATE;
    }
    draft_fill(w, g);
    if (g->draft->ask.granted)
        status = overlap_find(w, g);
    return status != STATUS_OK ? status : w->txn.status;
}

enum status change_create(struct write *w, struct store_change *change) {
    enum status status;
    struct granting g = {
        .change = change, .draft = &change->draft, .actor = {change->actor, STORE_BY_TENANT}};
    if (idempotency_recall(w, change, &status))
        return status;
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    status = admit(w, change);
    if (status != STATUS_OK)
        return status;
    start(w, &g);
    status = prepare(w, &g);
    if (status != STATUS_OK)
        return status;
    w->state.next_consent++;
    overlap_join(w, &g);
    draft_index_new(w, &g.consent);
    write_granted(w, &g);
    return STATUS_OK;
}

enum status change_grant(struct write *w, struct store_change *change) {
    struct granting g = {
        .change = change, .draft = &change->draft, .actor = {change->actor, STORE_BY_TENANT}};
    struct store_consent requested;
    enum store_role role;
    enum status status = change_target(w, change, &requested, &role);
    if (status == STATUS_OK)
        status = change_match(change, &requested);
    if (status != STATUS_OK)
        return status;
    if (requested.status != CONSENT_REQUESTED) {
        change_explain(change, "only a requested consent can be granted");
        return STATUS_WRONG_STATE;
    }
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    status = admit(w, change);
    if (status != STATUS_OK)
        return status;
    g.consent = requested;
    status = prepare(w, &g);
    if (status != STATUS_OK)
        return status;
    keep_request(w, &requested);
    struct key due = key_two_numbers(key_time(requested.answer_due), requested.index);
    db_delete(&w->txn, DB_BY_EXPIRY, key_span(&due));
    overlap_join(w, &g);
    if (!uuid_equal(&requested.arrangement, &g.consent.arrangement))
        ending_dependants_follow(w, &requested.arrangement, &g.consent.arrangement);
    write_granted(w, &g);
    return STATUS_OK;
}

/* The consent that is renewed is superseded like one that overlaps, or stays expired. */
static void take_over(struct write *w, struct granting *g, struct store_consent *old) {
    g->consent.arrangement = old->arrangement;
    g->consent.supersedes = old->index;
    if (old->recorded == CONSENT_ACTIVE && old->status == CONSENT_EXPIRED)
        ending_by_clock(w, old);
    if (old->status == CONSENT_ACTIVE) {
        for (uint32_t i = 0; i < g->overlap_count; i++)
            if (g->overlaps[i].index == old->index)
                return;
        overlap_add(w, g, old);
    }
}

static void link_expired(struct write *w, const struct granting *g, struct store_consent *old) {
    if (old->recorded != CONSENT_EXPIRED)
        return;
    old->superseded_by = g->consent.index;
    old->superseded_by_entry = g->consent.granted_entry;
    consent_save(w, old);
}

enum status change_renew(struct write *w, struct store_change *change) {
    struct granting g = {.change = change,
                         .draft = &change->draft,
                         .renewal = true,
                         .actor = {change->actor, STORE_BY_TENANT}};
    struct store_consent old;
    enum store_role role;
    enum status status;
    if (idempotency_recall(w, change, &status))
        return status;
    status = change_target(w, change, &old, &role);
    if (status == STATUS_OK)
        status = change_match(change, &old);
    if (status != STATUS_OK)
        return status;
    if ((old.status != CONSENT_ACTIVE && old.status != CONSENT_EXPIRED) ||
        old.superseded_by != STORE_INDEX_NONE) {
        change_explain(change,
                       "only the active or expired consent of an arrangement can be renewed");
        return STATUS_WRONG_STATE;
    }
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    status = admit(w, change);
    if (status != STATUS_OK)
        return status;
    start(w, &g);
    status = prepare(w, &g);
    if (status != STATUS_OK)
        return status;
    w->state.next_consent++;
    take_over(w, &g, &old);
    draft_index_new(w, &g.consent);
    write_granted(w, &g);
    link_expired(w, &g, &old);
    return STATUS_OK;
}
