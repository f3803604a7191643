/* Queries over consents: the narrowest index is walked in creation order, headers are checked in
 * place, and the work of a page is bounded. Threads: a reader's. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"

/* One index, or two in step (what a tenant owns and what names it as client). */
struct walk {
    struct db_cursor cursor;
    enum db_table table;
    unsigned char prefix[LIMIT_EXTERNAL_ID + 8];
    size_t prefix_size;
    bool live;
};

/* The filter with names as numbers and ids as digests. */
struct plan {
    const struct store_filter *filter;
    uint32_t *tenants; /* numbers, in the arena */
    uint32_t tenant_count;
    uint32_t viewer_client, client, provider, license;
    uint64_t purpose, permission; /* one bit, or 0 for any */
    bool nothing;                 /* a name was never stored: nothing can match */
    struct walk walks[2];
    unsigned walk_count;
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
    return c->has_account && memcmp(mac.bytes, c->account.bytes, MAC16_SIZE) == 0;
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
    return visible(plan, c) && (!span_present(f->client) || c->client == plan->client) &&
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

static void set_prefix(struct walk *walk, enum db_table table, const void *prefix, size_t size) {
    walk->table = table;
    memcpy(walk->prefix, prefix, size);
    walk->prefix_size = size;
}

static void set_name_prefix(struct walk *walk, enum db_table table, uint32_t name) {
    struct key key = key_name(name);
    set_prefix(walk, table, key.bytes, key.size);
}

/* Account, resource and external ids are keyed by tenant: they narrow a walk over one tenant's. */
static unsigned plan_own(struct store_reader *reader, const struct plan *plan, struct walk *walk) {
    const struct store_filter *f = plan->filter;
    struct span tenant = f->tenants[0];
    if (span_present(f->external_id)) {
        struct key key = key_external_prefix(plan->tenants[0], f->external_id);
        set_prefix(walk, DB_BY_EXTERNAL, key.bytes, key.size);
    } else if (span_present(f->account)) {
        struct mac16 mac = account_key(reader->store, tenant, f->account);
        set_prefix(walk, DB_BY_ACCOUNT, mac.bytes, MAC16_SIZE);
    } else if (span_present(f->resource)) {
        struct mac16 mac = resource_mac(reader->store, tenant, f->resource);
        set_prefix(walk, DB_BY_RESOURCE, mac.bytes, MAC16_SIZE);
    } else {
        set_name_prefix(walk, DB_BY_TENANT, plan->tenants[0]);
    }
    return 1;
}

static unsigned choose(struct store_reader *reader, const struct plan *plan, struct walk walks[2]) {
    const struct store_filter *f = plan->filter;
    if (f->has_arrangement) {
        set_prefix(&walks[0], DB_BY_ARRANGEMENT, f->arrangement.bytes, UUID_SIZE);
        return 1; /* no rows while it has but one consent: see take_only_one */
    }
    unsigned count = 0;
    if (!f->everyone && f->tenant_count == 1 && plan->tenant_count == 1)
        count += plan_own(reader, plan, &walks[0]);
    else if (f->everyone || plan->tenant_count > 0) {
        if (span_present(f->client))
            set_name_prefix(&walks[0], DB_BY_CLIENT, plan->client);
        else
            set_prefix(&walks[0], DB_CONSENT, "", 0);
        return 1; /* that walk sees what names the viewer as well */
    }
    if (plan->viewer_client != STORE_NAME_NONE)
        set_name_prefix(&walks[count++], DB_BY_CLIENT, plan->viewer_client);
    return count;
}

/* ---- walking */

static void settle(struct walk *walk) {
    walk->live = walk->cursor.valid && walk->cursor.key.size >= walk->prefix_size + 8 &&
                 memcmp(walk->cursor.key.data, walk->prefix, walk->prefix_size) == 0 &&
                 key_last_number(walk->cursor.key) != UINT64_MAX; /* by_arrangement's head row */
}

static void start(struct store_reader *reader, struct walk *walk, uint64_t from) {
    struct key key;
    memcpy(key.bytes, walk->prefix, walk->prefix_size);
    key_put_u64(key.bytes + walk->prefix_size, from);
    key.size = walk->prefix_size + 8;
    db_cursor_open(&reader->txn, walk->table, &walk->cursor);
    (void)db_cursor_seek(&walk->cursor, key_span(&key));
    settle(walk);
}

static struct walk *earliest(struct walk walks[2], unsigned count) {
    struct walk *best = NULL;
    for (unsigned i = 0; i < count; i++)
        if (walks[i].live && (best == NULL || key_last_number(walks[i].cursor.key) <
                                                  key_last_number(best->cursor.key)))
            best = &walks[i];
    return best;
}

static void step_past(struct walk walks[2], unsigned count, uint64_t index) {
    for (unsigned i = 0; i < count; i++) {
        while (walks[i].live && key_last_number(walks[i].cursor.key) <= index) {
            (void)db_cursor_next(&walks[i].cursor);
            settle(&walks[i]);
        }
    }
}

/* by_tenant and by_account rows carry the client: another's need no look at the header. */
static bool row_excluded(const struct plan *plan, const struct walk *walk) {
    return span_present(plan->filter->client) && walk->table != DB_BY_CLIENT &&
           walk->cursor.value.size == 4 && key_get_u32(walk->cursor.value.data) != plan->client;
}

static void walk_all(struct store_reader *reader, struct plan *plan, struct store_page *page,
                     uint32_t limit) {
    struct walk *walks = plan->walks;
    unsigned count = plan->walk_count;
    struct walk *at;
    for (uint32_t visited = 0; (at = earliest(walks, count)) != NULL; visited++) {
        uint64_t index = key_last_number(at->cursor.key);
        if (page->count == limit || visited == LIMIT_WALK) {
            page->more = true;
            page->next = index;
            return;
        }
        struct store_consent *c = &page->items[page->count];
        if (!row_excluded(plan, at) && store_consent_by_index(reader, index, c) == STATUS_OK &&
            matches(reader, plan, c))
            page->count++;
        step_past(walks, count, index);
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
        plan.walk_count = choose(reader, &plan, plan.walks);
        for (unsigned i = 0; i < plan.walk_count; i++)
            start(reader, &plan.walks[i], from);
        walk_all(reader, &plan, &page, limit);
        take_only_one(reader, &plan, &page, from);
        for (unsigned i = 0; i < plan.walk_count; i++)
            db_cursor_close(&plan.walks[i].cursor);
    }
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = page;
    return STATUS_OK;
}
