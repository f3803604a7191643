/* Queries over consents: the narrowest index is walked in creation order, headers are checked in
 * place, and the work of a page is bounded. Threads: a reader's. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"
#include "store/walk.h"

/* One index, or two in step (what a tenant owns and what names it as client). */
struct source {
    enum db_table table;
    struct key prefix;
    struct walk walk;
};

/* The filter with names as numbers and ids as digests. */
struct plan {
    const struct store_filter *filter;
    uint32_t *tenants; /* numbers, in the arena */
    uint32_t tenant_count;
    uint32_t viewer_client, client, provider, license;
    uint64_t purpose, permission; /* one bit, or 0 for any */
    bool nothing;                 /* a name was never stored: nothing can match */
    struct source sources[2];
    unsigned source_count;
};

static bool wanted(struct store_reader *reader, struct plan *plan, enum store_name_kind kind,
                   struct span name, uint32_t *out) {
    *out = store_name_find(reader, kind, name);
    if (span_present(name) && *out == STORE_NAME_NONE)
        plan->nothing = true;
    return span_present(name) && *out != STORE_NAME_NONE;
}

static struct plan resolve(struct store_reader *reader, const struct store_filter *filter,
                           struct arena *arena) {
    struct plan plan = {.filter = filter};
    uint32_t number;
    (void)wanted(reader, &plan, STORE_NAME_MEMBER, filter->client, &plan.client);
    (void)wanted(reader, &plan, STORE_NAME_MEMBER, filter->provider, &plan.provider);
    (void)wanted(reader, &plan, STORE_NAME_LICENSE, filter->license, &plan.license);
    if (wanted(reader, &plan, STORE_NAME_PURPOSE, filter->purpose, &number))
        plan.purpose = 1ULL << number;
    if (wanted(reader, &plan, STORE_NAME_PERMISSION, filter->permission, &number))
        plan.permission = 1ULL << number;
    plan.viewer_client = store_name_find(reader, STORE_NAME_MEMBER, filter->viewer_client);
    plan.tenants = arena_array(arena, filter->tenant_count + 1, sizeof *plan.tenants);
    for (uint32_t i = 0; i < filter->tenant_count; i++) {
        number = store_name_find(reader, STORE_NAME_MEMBER, filter->tenants[i]);
        if (number != STORE_NAME_NONE)
            plan.tenants[plan.tenant_count++] = number;
    }
    plan.nothing |=
        !filter->everyone && plan.tenant_count == 0 && plan.viewer_client == STORE_NAME_NONE;
    return plan;
}

static bool visible(const struct plan *plan, const struct store_consent *c) {
    if (plan->filter->everyone || c->client == plan->viewer_client)
        return true;
    for (uint32_t i = 0; i < plan->tenant_count; i++)
        if (plan->tenants[i] == c->tenant)
            return true;
    return false;
}

static bool account_matches(struct store_reader *reader, const struct store_consent *c,
                            struct span account) {
    struct mac16 mac = account_mac(reader->store, store_name(reader, STORE_NAME_MEMBER, c->tenant),
                                   store_name(reader, STORE_NAME_MEMBER, c->provider), account);
    return c->erased == STORE_KEPT && c->has_account &&
           memcmp(mac.bytes, c->account.bytes, MAC16_SIZE) == 0;
}

static bool resource_matches(struct store_reader *reader, const struct store_consent *c,
                             struct span resource) {
    static _Thread_local struct record_tail tail;
    struct mac16 mac =
        resource_mac(reader->store, store_name(reader, STORE_NAME_MEMBER, c->tenant), resource);
    if (record_tail_decode(c->tail, &tail) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < tail.resource_count; i++)
        if (memcmp(tail.resources[i].bytes, mac.bytes, MAC16_SIZE) == 0)
            return true;
    return false;
}

static bool external_id_matches(struct store_reader *reader, const struct store_consent *c,
                                struct span external_id) {
    struct span value;
    struct key key = key_external(c->tenant, external_id, c->index);
    return db_get(&reader->txn, DB_BY_EXTERNAL, key_span(&key), &value);
}

/* Cheap comparisons first. */
static bool matches(struct store_reader *reader, const struct plan *plan,
                    const struct store_consent *c) {
    const struct store_filter *f = plan->filter;
    return (f->tombstones || c->erased != STORE_ERASED_WHOLE) && visible(plan, c) &&
           (!span_present(f->client) || c->client == plan->client) &&
           (!span_present(f->provider) || c->provider == plan->provider) &&
           (!span_present(f->license) || c->license == plan->license) &&
           (plan->purpose == 0 || (c->purposes & plan->purpose) != 0) &&
           (plan->permission == 0 || (c->permissions & plan->permission) != 0) &&
           (f->states == 0 || (f->states >> c->status & 1U) != 0) &&
           (f->granted_from == INT64_MIN || c->granted_at >= f->granted_from) &&
           (f->granted_to == INT64_MAX ||
            (c->granted_at != INT64_MIN && c->granted_at < f->granted_to)) &&
           (f->expires_before == INT64_MAX || c->expires < f->expires_before) &&
           (!f->has_arrangement || uuid_equal(&c->arrangement, &f->arrangement)) &&
           (!span_present(f->account) || account_matches(reader, c, f->account)) &&
           (!span_present(f->resource) || resource_matches(reader, c, f->resource)) &&
           (!span_present(f->external_id) || external_id_matches(reader, c, f->external_id));
}

/* ---- which index */

/* Account, resource and external ids are keyed by tenant: they narrow a walk over one tenant's. */
static unsigned plan_own(struct store_reader *reader, const struct plan *plan, struct source *out) {
    const struct store_filter *f = plan->filter;
    struct span tenant = f->tenants[0];
    if (span_present(f->external_id)) {
        *out = (struct source){.table = DB_BY_EXTERNAL,
                               .prefix = key_external_prefix(plan->tenants[0], f->external_id)};
    } else if (span_present(f->account)) {
        struct mac16 mac = account_key(reader->store, tenant, f->account);
        *out = (struct source){.table = DB_BY_ACCOUNT,
                               .prefix = span_present(f->client) ? key_account(&mac, plan->client)
                                                                 : key_16(mac.bytes)};
    } else if (span_present(f->resource)) {
        struct mac16 mac = resource_mac(reader->store, tenant, f->resource);
        *out = (struct source){.table = DB_BY_RESOURCE, .prefix = key_16(mac.bytes)};
    } else {
        *out = (struct source){.table = DB_BY_TENANT, .prefix = key_name(plan->tenants[0])};
    }
    return 1;
}

static unsigned choose(struct store_reader *reader, const struct plan *plan, struct source out[2]) {
    const struct store_filter *f = plan->filter;
    if (f->has_arrangement) {
        out[0] = (struct source){.table = DB_BY_ARRANGEMENT, .prefix = key_uuid(&f->arrangement)};
        return 1; /* no rows while it has but one consent: see take_only_one */
    }
    unsigned count = 0;
    if (!f->everyone && f->tenant_count == 1 && plan->tenant_count == 1)
        count += plan_own(reader, plan, &out[0]);
    else if (f->everyone || plan->tenant_count > 0) {
        if (span_present(f->client))
            out[0] = (struct source){.table = DB_BY_CLIENT, .prefix = key_name(plan->client)};
        else
            out[0] = (struct source){.table = DB_CONSENT, .prefix = {.size = 0}};
        return 1; /* that walk sees what names the viewer as well */
    }
    if (plan->viewer_client != STORE_NAME_NONE)
        out[count++] =
            (struct source){.table = DB_BY_CLIENT, .prefix = key_name(plan->viewer_client)};
    return count;
}

/* ---- walking */

static struct source *earliest(struct plan *plan) {
    struct source *best = NULL;
    for (unsigned i = 0; i < plan->source_count; i++) {
        struct source *source = &plan->sources[i];
        if (source->walk.live && (best == NULL || source->walk.number < best->walk.number))
            best = source;
    }
    return best;
}

static void step_past(struct plan *plan, uint64_t index) {
    for (unsigned i = 0; i < plan->source_count; i++)
        while (plan->sources[i].walk.live && plan->sources[i].walk.number <= index)
            walk_next(&plan->sources[i].walk);
}

/* by_tenant carries the client: another's need no look at the header. */
static bool row_excluded(const struct plan *plan, const struct source *source) {
    struct span note = source->walk.note;
    return span_present(plan->filter->client) && source->table != DB_BY_CLIENT && note.size == 4 &&
           key_get_u32(note.data) != plan->client;
}

static void walk_all(struct store_reader *reader, struct plan *plan, struct store_page *page,
                     uint32_t limit) {
    struct source *at;
    for (uint32_t visited = 0; (at = earliest(plan)) != NULL; visited++) {
        uint64_t index = at->walk.number;
        if (page->count == limit || visited == LIMIT_WALK) {
            page->more = true;
            page->next = index;
            return;
        }
        struct store_consent *c = &page->items[page->count];
        if (!row_excluded(plan, at) && store_consent_by_index(reader, index, c) == STATUS_OK &&
            matches(reader, plan, c))
            page->count++;
        step_past(plan, index);
    }
}

/* An arrangement of one consent has no rows: its id is that consent's. */
static void take_only_one(struct store_reader *reader, const struct plan *plan,
                          struct store_page *page, uint64_t from) {
    struct store_consent *c = &page->items[0];
    struct span head;
    struct key key = key_16_number(plan->filter->arrangement.bytes, UINT64_MAX);
    if (plan->filter->has_arrangement &&
        !db_get(&reader->txn, DB_BY_ARRANGEMENT, key_span(&key), &head) &&
        store_consent_by_id(reader, &plan->filter->arrangement, c) == STATUS_OK &&
        c->index >= from && matches(reader, plan, c))
        page->count = 1;
}

enum status store_consent_query(struct store_reader *reader, const struct store_filter *filter,
                                uint64_t from, uint32_t limit, struct arena *arena,
                                struct store_page *out) {
    ASSERT(reader->open && limit > 0 && limit <= LIMIT_PAGE);
    struct plan plan = resolve(reader, filter, arena);
    struct store_page page = {.items = arena_array(arena, limit + 1, sizeof *page.items)};
    if (!plan.nothing) {
        plan.source_count = choose(reader, &plan, plan.sources);
        for (unsigned i = 0; i < plan.source_count; i++) {
            struct source *source = &plan.sources[i];
            walk_open(&reader->txn, source->table, source->prefix, from, &source->walk);
        }
        walk_all(reader, &plan, &page, limit);
        take_only_one(reader, &plan, &page, from);
        for (unsigned i = 0; i < plan.source_count; i++)
            walk_close(&plan.sources[i].walk);
    }
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = page;
    return STATUS_OK;
}
