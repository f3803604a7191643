/* The changes that are no grants: ending one or many, appended tokens and proofs. Writer thread
 * only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/json_out.h"
#include "base/seal.h"
#include "store/granting.h"
#include "store/outboxing.h"
#include "store/walk.h"

struct store_change *store_change_new(void) {
    return mem_alloc_zeroed(1, sizeof(struct store_change));
}

void store_change_free(struct store_change *change) {
    if (change == NULL)
        return;
    policy_pack_free(change->past_pack);
    if (change->invalidated_token.size != 0)
        seal_wipe((char *)(uintptr_t)change->invalidated_token.data,
                  change->invalidated_token.size);
    arena_release(&change->arena);
    mem_free(change);
}

void change_explain(struct store_change *change, const char *detail) {
    snprintf(change->detail, sizeof change->detail, "%s", detail);
}

/* Relation decides (invariant 9): the tenant reaches its own consents, a client those that name it,
 * and those only to end them. */
static enum status relate(struct write *w, const struct store_change *change,
                          const struct store_consent *c, enum store_role *role) {
    if (span_equal(name_text(&w->txn, STORE_NAME_MEMBER, c->tenant), change->tenant)) {
        *role = STORE_BY_TENANT;
        return STATUS_OK;
    }
    if (!span_equal(name_text(&w->txn, STORE_NAME_MEMBER, c->client), change->actor))
        return STATUS_NOT_FOUND;
    *role = STORE_BY_CLIENT;
    bool ends = change->op == STORE_END || change->op == STORE_END_MANY;
    return ends && change->reason.leads_to != CONSENT_REFUSED ? STATUS_OK
                                                              : STATUS_INSUFFICIENT_SCOPE;
}

static enum status target(struct write *w, const struct store_change *change, const struct uuid *id,
                          struct store_consent *out, enum store_role *role) {
    struct store_consent c;
    enum status status = consent_find(&w->txn, id, &c);
    if (status == STATUS_OK)
        status = relate(w, change, &c, role);
    if (status != STATUS_OK)
        return status;
    c.tail = arena_copy(&w->scratch, c.tail);
    consent_judge(&c, w->now);
    *out = c;
    return STATUS_OK;
}

enum status change_target(struct write *w, struct store_change *change, struct store_consent *out,
                          enum store_role *role) {
    enum status status = target(w, change, &change->id, out, role);
    /* what was erased is not written about any more */
    return status == STATUS_OK && out->erased != STORE_KEPT ? STATUS_ERASED : status;
}

enum status change_match(const struct store_change *change, const struct store_consent *consent) {
    if (change->match_count == 0 || change->match_any)
        return STATUS_OK;
    enum consent_state shown = consent->status != consent->recorded ? consent->status : 0;
    for (uint32_t i = 0; i < change->match_count; i++)
        if (change->matches[i].version == consent->version && change->matches[i].state == shown)
            return STATUS_OK;
    return STATUS_VERSION_MISMATCH;
}

static enum consent_role default_by(enum store_role role) {
    return role == STORE_BY_CLIENT ? CONSENT_BY_CLIENT : CONSENT_BY_TENANT;
}

/* Ends *c, which is the one to end. The same end state again keeps the first result. */
static enum status end_now(struct write *w, struct store_change *change, enum store_role role,
                           struct store_consent *c, struct store_done *done) {
    const struct store_reason *reason = &change->reason;
    done->consent = c->index;
    if (c->erased == STORE_ERASED_WHOLE)
        return STATUS_ERASED;
    if (c->status == reason->leads_to && c->status == c->recorded) {
        done->log_index = c->status_entry;
        return STATUS_OK;
    }
    enum consent_state must_be =
        reason->leads_to == CONSENT_REFUSED ? CONSENT_REQUESTED : CONSENT_ACTIVE;
    if (c->status != must_be)
        return STATUS_WRONG_STATE;
    enum status status = change_match(change, c);
    if (status != STATUS_OK)
        return status;
    struct ending ending = {
        .state = reason->leads_to,
        .reason = reason->code,
        .by = reason->by != CONSENT_BY_NONE ? reason->by : default_by(role),
        .actor = {change->actor, role},
        .status_at = w->now,
        .text_json = reason->text_json,
    };
    done->log_index = ending_write(w, c, &ending);
    ending_cascade(w, c);
    return STATUS_OK;
}

/* Ending by any id of an arrangement ends its active consent; refusing answers one request. */
static enum status end_by_id(struct write *w, struct store_change *change, const struct uuid *id,
                             struct store_done *done) {
    struct store_consent c;
    enum store_role role;
    enum status status = target(w, change, id, &c, &role);
    if (status == STATUS_OK && change->reason.leads_to != CONSENT_REFUSED)
        status = consent_head(w, &c.arrangement, &c);
    if (status == STATUS_OK)
        status = outbox_check(w, change, &c, role);
    if (status != STATUS_OK)
        return status;
    status = end_now(w, change, role, &c, done);
    if (status == STATUS_OK)
        outbox_put(w, change, &c);
    if (status == STATUS_WRONG_STATE)
        snprintf(change->detail, sizeof change->detail, "the consent is %s",
                 lifecycle_state_name(c.status));
    return status;
}

enum status change_end(struct write *w, struct store_change *change) {
    return end_by_id(w, change, &change->id, &change->done);
}

/* ---- many at once */

static struct store_done *add_result(struct store_change *change) {
    return &change->results[change->result_count++];
}

static void end_listed(struct write *w, struct store_change *change) {
    const struct store_selection *s = &change->selection;
    for (uint32_t i = 0; i < s->id_count && change->result_count < LIMIT_BULK; i++) {
        struct store_done *done = add_result(change);
        done->asked = s->ids[i];
        done->status = end_by_id(w, change, &s->ids[i], done);
    }
}

struct selected { /* the selection as numbers and digests */
    uint32_t tenant, client, provider;
    bool any_client, any_provider;
    bool by_account, by_resource;
    struct mac16 account, resource;
};

static bool tail_names(struct write *w, const struct store_consent *c, const struct mac16 *mac) {
    if (record_tail_decode(c->tail, &w->tail) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < w->tail.resource_count; i++)
        if (memcmp(w->tail.resources[i].bytes, mac->bytes, MAC16_SIZE) == 0)
            return true;
    return false;
}

static bool account_matches(struct write *w, const struct store_change *change,
                            const struct store_consent *c) {
    struct span provider = name_text(&w->txn, STORE_NAME_MEMBER, c->provider);
    struct mac16 mac = account_mac(w->store, change->tenant, provider, change->selection.account);
    return memcmp(mac.bytes, c->account.bytes, MAC16_SIZE) == 0;
}

static bool is_selected(struct write *w, const struct store_change *change,
                        const struct selected *s, const struct store_consent *c) {
    return c->status == CONSENT_ACTIVE && c->tenant == s->tenant &&
           (s->any_client || c->client == s->client) &&
           (s->any_provider || c->provider == s->provider) &&
           (!s->by_account || account_matches(w, change, c)) &&
           (!s->by_resource || tail_names(w, c, &s->resource));
}

static struct selected resolve(struct write *w, const struct store_change *change) {
    const struct store_selection *from = &change->selection;
    struct selected s = {
        .tenant = name_find(&w->txn, STORE_NAME_MEMBER, change->tenant),
        .client = name_find(&w->txn, STORE_NAME_MEMBER, from->client),
        .provider = name_find(&w->txn, STORE_NAME_MEMBER, from->provider),
        .any_client = !span_present(from->client),
        .any_provider = !span_present(from->provider),
        .by_account = span_present(from->account),
        .by_resource = span_present(from->resource),
    };
    if (s.by_account)
        s.account = account_key(w->store, change->tenant, from->account);
    if (s.by_resource)
        s.resource = resource_mac(w->store, change->tenant, from->resource);
    return s;
}

/* Along the narrowest index of what was named. */
static void begin(struct write *w, const struct selected *s, struct walk *walk) {
    if (s->by_account && !s->any_client)
        walk_open(&w->txn, DB_BY_ACCOUNT, key_account(&s->account, s->client), 0, walk);
    else if (s->by_account)
        walk_open(&w->txn, DB_BY_ACCOUNT, key_16(s->account.bytes), 0, walk);
    else if (s->by_resource)
        walk_open(&w->txn, DB_BY_RESOURCE, key_16(s->resource.bytes), 0, walk);
    else
        walk_open(&w->txn, DB_BY_TENANT, key_name(s->tenant), 0, walk);
}

/* Collects first: ending moves rows of other tables, and views die at the first put. */
static uint32_t collect(struct write *w, struct store_change *change, uint64_t *indexes) {
    struct selected s = resolve(w, change);
    uint32_t count = 0;
    struct walk walk;
    for (begin(w, &s, &walk); walk.live; walk_next(&walk)) {
        struct store_consent c;
        /* by_tenant carries the client: others need no look at the header */
        if (!s.any_client && walk.note.size == 4 && key_get_u32(walk.note.data) != s.client)
            continue;
        if (consent_load(&w->txn, walk.number, &c) != STATUS_OK)
            continue;
        consent_judge(&c, w->now);
        if (!is_selected(w, change, &s, &c))
            continue;
        if (count == LIMIT_BULK) {
            change->more = true;
            break;
        }
        indexes[count++] = c.index;
    }
    walk_close(&walk);
    return count;
}

static void end_selected(struct write *w, struct store_change *change) {
    uint64_t *indexes = arena_array(&w->scratch, LIMIT_BULK, sizeof *indexes);
    uint32_t count = collect(w, change, indexes);
    for (uint32_t i = 0; i < count; i++) {
        struct store_consent c;
        if (consent_load(&w->txn, indexes[i], &c) != STATUS_OK)
            return;
        c.tail = arena_copy(&w->scratch, c.tail);
        consent_judge(&c, w->now);
        if (c.status != CONSENT_ACTIVE)
            continue; /* a cascade of this very call was faster */
        struct store_done *done = add_result(change);
        done->status = end_now(w, change, STORE_BY_TENANT, &c, done);
    }
}

enum status change_end_many(struct write *w, struct store_change *change) {
    change->results = arena_array(&change->arena, LIMIT_BULK, sizeof *change->results);
    if (change->selection.id_count != 0)
        end_listed(w, change);
    else
        end_selected(w, change);
    change->detail[0] = '\0';
    return STATUS_OK;
}
