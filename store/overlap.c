/* The rule of one active consent: which ones a new grant supersedes, and the arrangement it joins
 * (spec: consent.md, States). Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "store/granting.h"
#include "store/walk.h"

static bool all_resources(const struct record_tail *tail) {
    for (uint32_t i = 0; i < tail->permission_count; i++)
        if (tail->permissions[i].resource_count == 0)
            return true;
    return tail->permission_count == 0;
}

static bool resources_overlap(const struct record_tail *a, const struct record_tail *b) {
    if (all_resources(a) || all_resources(b))
        return true;
    for (uint32_t i = 0; i < a->resource_count; i++)
        for (uint32_t j = 0; j < b->resource_count; j++)
            if (memcmp(a->resources[i].bytes, b->resources[j].bytes, MAC16_SIZE) == 0)
                return true;
    return false;
}

/* Consents for different onward recipients stand side by side. */
static bool onward_overlap(const struct record_tail *a, const struct record_tail *b) {
    if (a->onward_count == 0 && b->onward_count == 0)
        return true;
    for (uint32_t i = 0; i < a->onward_count; i++)
        for (uint32_t j = 0; j < b->onward_count; j++)
            if (a->onward[i] == b->onward[j])
                return true;
    return false;
}

static bool overlaps(struct write *w, const struct granting *g, const struct store_consent *other) {
    const struct store_consent *c = &g->consent;
    return other->index != c->index && other->status == CONSENT_ACTIVE &&
           other->tenant == c->tenant && other->provider == c->provider &&
           other->client == c->client && other->license == c->license &&
           memcmp(other->account.bytes, c->account.bytes, MAC16_SIZE) == 0 &&
           record_tail_decode(c->tail, &w->tail) == STATUS_OK &&
           record_tail_decode(other->tail, &w->other_tail) == STATUS_OK &&
           onward_overlap(&w->tail, &w->other_tail) && resources_overlap(&w->tail, &w->other_tail);
}

void overlap_add(struct write *w, struct granting *g, const struct store_consent *other) {
    if (g->overlaps == NULL)
        g->overlaps = arena_array(&w->scratch, OVERLAPS_MAX + 1, sizeof *g->overlaps);
    ASSERT(g->overlap_count <= OVERLAPS_MAX);
    g->overlaps[g->overlap_count] = *other;
    g->overlaps[g->overlap_count++].tail = arena_copy(&w->scratch, other->tail);
}

enum status overlap_find(struct write *w, struct granting *g) {
    struct walk walk;
    struct mac16 account = account_key(w->store, g->change->tenant, g->draft->account);
    enum status status = STATUS_OK;
    walk_open(&w->txn, DB_BY_ACCOUNT, key_account(&account, g->consent.client), 0, &walk);
    for (; walk.live; walk_next(&walk)) {
        struct store_consent other;
        if (consent_load(&w->txn, walk.number, &other) != STATUS_OK)
            continue;
        consent_judge(&other, w->now);
        if (!overlaps(w, g, &other))
            continue;
        if (g->overlap_count == OVERLAPS_MAX) {
            change_explain(g->change, "more than 256 active consents overlap this one");
            status = STATUS_WRONG_STATE;
            break;
        }
        overlap_add(w, g, &other);
    }
    walk_close(&walk);
    return status;
}

/* When an arrangement began: the creation index of its first consent, whose id it has. */
static uint64_t beginning(struct write *w, const struct uuid *arrangement) {
    struct span value;
    struct key key = key_uuid(arrangement);
    return db_get(&w->txn, DB_BY_ID, key_span(&key), &value) ? key_get_u64(value.data)
                                                             : STORE_INDEX_NONE;
}

/* Joins the earliest of the arrangements it takes over. Ids would not tell: those of the same
 * millisecond are in no order. */
void overlap_join(struct write *w, struct granting *g) {
    struct store_consent *c = &g->consent;
    const struct store_consent *first = NULL;
    uint64_t earliest = STORE_INDEX_NONE;
    for (uint32_t i = 0; i < g->overlap_count; i++) {
        uint64_t begun = beginning(w, &g->overlaps[i].arrangement);
        if (first == NULL || begun < earliest) {
            first = &g->overlaps[i];
            earliest = begun;
        }
    }
    if (first == NULL || g->renewal)
        return;
    c->arrangement = first->arrangement;
    c->supersedes = first->index;
}

static void supersede(struct write *w, struct granting *g, struct store_consent *old) {
    struct ending ending = {
        .state = CONSENT_SUPERSEDED,
        .reason = SPAN("superseded"),
        .by = CONSENT_BY_SYSTEM,
        .actor = g->actor,
        .status_at = w->now,
        .superseded_by = &g->consent.id,
    };
    old->superseded_by = g->consent.index;
    (void)ending_write(w, old, &ending);
    if (!uuid_equal(&old->arrangement, &g->consent.arrangement)) {
        consent_leave(w, old);
        ending_dependants_follow(w, &old->arrangement, &g->consent.arrangement);
    }
}

static int compare_indexes(const void *a, const void *b) {
    uint64_t x = ((const struct store_consent *)a)->index;
    uint64_t y = ((const struct store_consent *)b)->index;
    return (x > y) - (x < y);
}

void overlap_supersede(struct write *w, struct granting *g) {
    if (g->overlap_count > 1)
        qsort(g->overlaps, g->overlap_count, sizeof *g->overlaps, compare_indexes);
    for (uint32_t i = 0; i < g->overlap_count; i++)
        supersede(w, g, &g->overlaps[i]);
}
