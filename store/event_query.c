/* Queries over the log: by consent, account, tenant or client index, or along the leaves, with the
 * filter columns checked in place; the work of a page is bounded. Threads: a reader's. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "store/account_walk.h"
#include "store/consent.h"
#include "store/walk.h"

struct event_plan {
    const struct store_event_filter *filter;
    uint32_t *tenants; /* who may see, as numbers */
    uint32_t tenant_count;
    uint32_t viewer_client, tenant, provider, client, license, actor, reason;
    uint64_t purpose;      /* one bit, or 0 for any */
    uint64_t consent;      /* creation index or STORE_INDEX_NONE */
    struct mac16 names[2]; /* of transaction and step */
    uint32_t name_count;
    char member[48]; /* of accounts in payloads, for one tenant at a time */
    size_t member_size;
    uint32_t member_of;
    bool denial;     /* reason is one for which decisions deny: they may have several */
    uint32_t looked; /* at payloads */
    bool nothing;
};
#define LOOK_ROWS 8 /* index rows that a look at a payload costs, of a page's LIMIT_WALK */

static void load_payload(struct store_reader *reader, struct store_event *event) {
    struct span value;
    struct record_payload payload;
    struct key key = key_number(event->index);
    if (db_get(&reader->txn, DB_PAYLOAD, key_span(&key), &value) &&
        record_payload_decode(value, &payload) == STATUS_OK) {
        event->salt = payload.salt;
        event->payload = payload.bytes;
        event->members = payload.first;
        event->asked = payload.second;
    }
    if (db_get(&reader->txn, DB_PERSONAL, key_span(&key), &value) &&
        record_payload_decode(value, &payload) == STATUS_OK) {
        event->personal_salt = payload.salt;
        event->personal_payload = payload.bytes;
        event->personal_members = payload.first;
    }
}

enum status store_event_get(struct store_reader *reader, uint64_t index, struct store_event *out) {
    ASSERT(reader->open);
    struct span value;
    struct key key = key_number(index);
    struct store_event event;
    if (!db_get(&reader->txn, DB_LEAF, key_span(&key), &value))
        return reader->txn.status != STATUS_OK ? reader->txn.status : STATUS_NOT_FOUND;
    enum status status = record_leaf_decode(index, value, &event);
    if (status != STATUS_OK)
        return status;
    load_payload(reader, &event);
    *out = event;
    return reader->txn.status;
}

/* "prefix-counter.index": a payload begins with the part before the point. */
static bool split_id(struct span id, struct span *name, uint64_t *index) {
    const char *point = id.size != 0 ? memrchr(id.data, '.', id.size) : NULL;
    if (point == NULL)
        return false;
    *name = span_of(id.data, (size_t)(point - id.data));
    struct span digits = span_of(point + 1, id.size - name->size - 1);
    return decode_decimal(digits, index) == STATUS_OK;
}

static bool payload_names(struct span payload, struct span id) {
    static const struct span before = SPAN("{\"v\":1,\"id\":\"");
    return span_starts(payload, before) && payload.size > before.size + id.size &&
           memcmp(payload.data + before.size, id.data, id.size) == 0 &&
           payload.data[before.size + id.size] == '"';
}

enum status store_event_by_id(struct store_reader *reader, struct span id,
                              struct store_event *out) {
    struct store_event event;
    struct span name;
    uint64_t index;
    if (!split_id(id, &name, &index))
        return STATUS_NOT_FOUND;
    enum status status = store_event_get(reader, index, &event);
    if (status == STATUS_OK && event.payload.size != 0 && !payload_names(event.payload, name))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *out = event;
    return status;
}

static uint32_t number_of(struct store_reader *reader, struct event_plan *plan,
                          enum store_name_kind kind, struct span name) {
    uint32_t number = store_name_find(reader, kind, name);
    if (span_present(name) && number == STORE_NAME_NONE)
        plan->nothing = true;
    return number;
}

static void resolve_viewer(struct store_reader *reader, struct event_plan *plan,
                           struct arena *arena) {
    const struct store_event_filter *f = plan->filter;
    plan->tenants = arena_array(arena, f->tenant_count + 1, sizeof *plan->tenants);
    for (uint32_t i = 0; i < f->tenant_count; i++) {
        uint32_t number = store_name_find(reader, STORE_NAME_MEMBER, f->tenants[i]);
        if (number != STORE_NAME_NONE)
            plan->tenants[plan->tenant_count++] = number;
    }
    plan->viewer_client = store_name_find(reader, STORE_NAME_MEMBER, f->viewer_client);
    plan->nothing |=
        !f->everyone && plan->tenant_count == 0 && plan->viewer_client == STORE_NAME_NONE;
}

/* Transactions and steps are named by their tenant: without one, there is none to look for. */
static void resolve_names(struct store_reader *reader, struct event_plan *plan) {
    const struct store_event_filter *f = plan->filter;
    struct span tenant = span_present(f->tenant) ? f->tenant
                         : f->tenant_count == 1  ? f->tenants[0]
                                                 : SPAN_NONE;
    if (span_present(f->transaction))
        plan->names[plan->name_count++] = transaction_mac(reader->store, tenant, f->transaction);
    if (span_present(f->step))
        plan->names[plan->name_count++] = step_mac(reader->store, tenant, f->step);
    plan->nothing |= plan->name_count != 0 && !span_present(tenant);
}

static struct event_plan resolve(struct store_reader *reader,
                                 const struct store_event_filter *filter, struct arena *arena) {
    struct event_plan plan = {.filter = filter, .consent = STORE_INDEX_NONE};
    plan.tenant = number_of(reader, &plan, STORE_NAME_MEMBER, filter->tenant);
    plan.provider = number_of(reader, &plan, STORE_NAME_MEMBER, filter->provider);
    plan.client = number_of(reader, &plan, STORE_NAME_MEMBER, filter->client);
    plan.license = number_of(reader, &plan, STORE_NAME_LICENSE, filter->license);
    plan.actor = number_of(reader, &plan, STORE_NAME_MEMBER, filter->actor);
    plan.denial = policy_denial_parse(filter->reason) != DENIAL_COUNT;
    plan.reason = plan.denial ? store_name_find(reader, STORE_NAME_REASON, filter->reason)
                              : number_of(reader, &plan, STORE_NAME_REASON, filter->reason);
    uint32_t purpose = number_of(reader, &plan, STORE_NAME_PURPOSE, filter->purpose);
    plan.purpose = purpose != STORE_NAME_NONE ? 1ULL << purpose : 0;
    if (filter->has_consent) {
        struct store_consent c;
        if (consent_find(&reader->txn, &filter->consent, &c) == STATUS_OK)
            plan.consent = c.index;
        else
            plan.nothing = true;
    }
    resolve_viewer(reader, &plan, arena);
    resolve_names(reader, &plan);
    return plan;
}

/* Entries about no tenant (genesis, policy) are seen by those who may see everything. */
static bool visible(const struct event_plan *plan, const struct store_event *e) {
    if (plan->filter->everyone)
        return true;
    if (e->tenant == STORE_NAME_NONE)
        return false;
    if (e->client == plan->viewer_client && plan->viewer_client != STORE_NAME_NONE)
        return true;
    for (uint32_t i = 0; i < plan->tenant_count; i++)
        if (plan->tenants[i] == e->tenant)
            return true;
    return false;
}

/* The member by which entries of a tenant that found no consent name the account. */
static struct span account_member(struct store_reader *reader, struct event_plan *plan,
                                  uint32_t tenant) {
    static const char name[] = "\"accountKey\":\"";
    _Static_assert(sizeof name + ENCODE_BASE64_SIZE(MAC16_SIZE) < sizeof plan->member, "it fits");
    if (plan->member_size == 0 || plan->member_of != tenant) {
        struct span of = store_name(reader, STORE_NAME_MEMBER, tenant);
        struct mac16 key = account_key(reader->store, of, plan->filter->account);
        size_t size = sizeof name - 1;
        memcpy(plan->member, name, size);
        size += encode_base64url(key.bytes, sizeof key.bytes, plan->member + size);
        plan->member[size++] = '"';
        plan->member_size = size;
        plan->member_of = tenant;
    }
    return span_of(plan->member, plan->member_size);
}

/* What of the payload follows this text; absent when it is not there. Quotes in a caller's texts
 * are escaped, so that none can be taken for a member. */
static struct span look_behind(struct store_reader *reader, struct event_plan *plan, uint64_t index,
                               struct span member) {
    struct store_event whole = {.index = index};
    load_payload(reader, &whole);
    plan->looked++;
    const char *at = whole.payload.size != 0
                         ? memmem(whole.payload.data, whole.payload.size, member.data, member.size)
                         : NULL;
    if (at == NULL)
        return SPAN_NONE;
    at += member.size;
    return span_of(at, whole.payload.size - (size_t)(at - whole.payload.data));
}

static bool asks_about(struct store_reader *reader, struct event_plan *plan,
                       const struct store_event *e) {
    return e->tenant != STORE_NAME_NONE &&
           span_present(
               look_behind(reader, plan, e->index, account_member(reader, plan, e->tenant)));
}

/* The column has the first of several. */
static bool reason_matches(struct store_reader *reader, struct event_plan *plan,
                           const struct store_event *e) {
    bool several = e->code == STORE_DECISION_DENIED || e->code == STORE_DISCLOSURE_VIOLATION;
    if (plan->reason != STORE_NAME_NONE && e->reason == plan->reason)
        return true;
    if (!plan->denial || !several)
        return false;
    char code[48];
    int size = snprintf(code, sizeof code, "\"%.*s\"", SPAN_ARG(plan->filter->reason));
    struct span list = look_behind(reader, plan, e->index, SPAN("\"reasons\":["));
    const char *end = list.size != 0 ? memchr(list.data, ']', list.size) : NULL;
    return end != NULL && memmem(list.data, (size_t)(end - list.data), code, (size_t)size) != NULL;
}

static bool account_matches(struct store_reader *reader, struct event_plan *plan,
                            const struct store_event *e) {
    struct store_consent c;
    if (e->consent == STORE_INDEX_NONE)
        return asks_about(reader, plan, e);
    if (consent_load(&reader->txn, e->consent, &c) != STATUS_OK || !c.has_account)
        return false;
    struct mac16 mac =
        account_mac(reader->store, store_name(reader, STORE_NAME_MEMBER, c.tenant),
                    store_name(reader, STORE_NAME_MEMBER, c.provider), plan->filter->account);
    return memcmp(mac.bytes, c.account.bytes, MAC16_SIZE) == 0;
}

static bool names_match(struct store_reader *reader, const struct event_plan *plan,
                        const struct store_event *e) {
    for (uint32_t i = 0; i < plan->name_count; i++) {
        struct span row;
        struct key key = key_16_number(plan->names[i].bytes, e->index);
        if (!db_get(&reader->txn, DB_LOG_BY_TRANSACTION, key_span(&key), &row))
            return false;
    }
    return true;
}

static bool is_disclosure(const struct store_event *e) {
    return e->code == STORE_DISCLOSURE_PERMITTED || e->code == STORE_DISCLOSURE_VIOLATION;
}

static bool follows_ending(struct store_reader *reader, const struct store_event *e) {
    struct store_consent c;
    return (e->code == STORE_DECISION_PERMITTED || is_disclosure(e)) &&
           e->consent != STORE_INDEX_NONE &&
           consent_load(&reader->txn, e->consent, &c) == STATUS_OK &&
           store_consent_had_ended(&c, e->index, e->at);
}

static bool matches(struct store_reader *reader, struct event_plan *plan,
                    const struct store_event *e) {
    const struct store_event_filter *f = plan->filter;
    return visible(plan, e) && (!span_present(f->tenant) || e->tenant == plan->tenant) &&
           (!span_present(f->provider) || e->provider == plan->provider) &&
           (!span_present(f->client) || e->client == plan->client) &&
           (!span_present(f->license) || e->license == plan->license) &&
           (!span_present(f->actor) || e->actor == plan->actor) &&
           (plan->purpose == 0 || (e->purposes & plan->purpose) != 0) &&
           (!f->has_consent || e->consent == plan->consent) &&
           (f->code == 0 || e->code == f->code) && (!f->disclosures || is_disclosure(e)) &&
           (f->from == INT64_MIN || e->at >= f->from) && (f->to == INT64_MAX || e->at < f->to) &&
           (!f->after_ending || follows_ending(reader, e)) && names_match(reader, plan, e) &&
           (!span_present(f->reason) || reason_matches(reader, plan, e)) &&
           (!span_present(f->account) || account_matches(reader, plan, e));
}

/* ---- walking: an index, or the leaves themselves */

/* What is walked: one index, or for a consent two in step, its history and what else is about it;
 * for an account, all of its. */
struct walks {
    struct walk one, other;
    struct account_walk account;
    bool has_other, has_account;
};

static struct walk *lower(struct walks *walks) {
    if (!walks->has_other || !walks->other.live)
        return &walks->one;
    return !walks->one.live || walks->other.number < walks->one.number ? &walks->other
                                                                       : &walks->one;
}

static bool stands_on(struct walks *walks, uint64_t *number) {
    const struct walk *walk = walks->has_account ? NULL : lower(walks);
    *number = walk != NULL ? walk->number : walks->account.number;
    return walk != NULL ? walk->live : walks->account.live;
}

static void go_on(struct walks *walks) {
    if (walks->has_account)
        account_walk_next(&walks->account);
    else
        walk_next(lower(walks));
}

static void end(struct walks *walks) {
    if (walks->has_account) {
        account_walk_close(&walks->account);
        return;
    }
    if (walks->has_other)
        walk_close(&walks->other);
    walk_close(&walks->one);
}

static uint32_t tenant_to_walk(const struct event_plan *plan) {
    const struct store_event_filter *f = plan->filter;
    if (span_present(f->tenant))
        return plan->tenant;
    bool alone = plan->tenant_count == 1 && f->tenant_count == 1;
    return alone && plan->viewer_client == STORE_NAME_NONE ? plan->tenants[0] : STORE_NAME_NONE;
}

/* Accounts are indexed by tenant. */
static bool begin_account(struct store_reader *reader, const struct event_plan *plan, uint64_t from,
                          struct walks *walks) {
    struct account_sought sought = {tenant_to_walk(plan), plan->filter->account};
    return span_present(sought.account) && sought.tenant != STORE_NAME_NONE &&
           account_walk_open(reader, &sought, from, &walks->account);
}

static void begin(struct store_reader *reader, const struct event_plan *plan, uint64_t from,
                  struct walks *walks) {
    const struct store_event_filter *f = plan->filter;
    uint32_t tenant = tenant_to_walk(plan);
    struct db_txn *txn = &reader->txn;
    struct walk *walk = &walks->one;
    walks->has_other = walks->has_account = false;
    if (f->from != INT64_MIN) {
        uint64_t first = entry_at_time(txn, f->from);
        from = first > from ? first : from;
    }
    if (plan->name_count != 0) {
        walk_open(txn, DB_LOG_BY_TRANSACTION, key_16(plan->names[0].bytes), from, walk);
    } else if (plan->consent != STORE_INDEX_NONE) {
        walk_open(txn, DB_LOG_BY_CONSENT, key_number(plan->consent), from, walk);
        walks->has_other = !f->history;
        if (walks->has_other)
            walk_open(txn, DB_ABOUT_CONSENT, key_number(plan->consent), from, &walks->other);
    } else if (begin_account(reader, plan, from, walks)) {
        walks->has_account = true;
    } else if (tenant != STORE_NAME_NONE) {
        walk_open(txn, DB_LOG_BY_TENANT, key_name(tenant), from, walk);
    } else if (span_present(f->client)) {
        walk_open(txn, DB_LOG_BY_CLIENT, key_name(plan->client), from, walk);
    } else {
        walk_open(txn, DB_LEAF, (struct key){.size = 0}, from, walk);
    }
}

static bool load_event(struct store_reader *reader, uint64_t index, struct store_event *out) {
    struct span value;
    struct key key = key_number(index);
    return db_get(&reader->txn, DB_LEAF, key_span(&key), &value) &&
           record_leaf_decode(index, value, out) == STATUS_OK;
}

/* Takes the entry if it matches; false when the page ends before it. */
static bool take(struct store_reader *reader, struct event_plan *plan, uint64_t index,
                 struct store_event_page *page) {
    struct store_event *event = &page->items[page->count];
    if (!load_event(reader, index, event))
        return true;
    if (event->at >= plan->filter->to)
        return false; /* times never go back: nothing further can match */
    if (matches(reader, plan, event)) {
        load_payload(reader, event);
        page->count++;
    }
    return true;
}

static void collect(struct store_reader *reader, struct event_plan *plan, struct walks *walks,
                    struct store_event_page *page, uint32_t limit) {
    uint64_t number;
    for (uint32_t visited = 0; stands_on(walks, &number); visited++, go_on(walks)) {
        if (page->count == limit || visited + LOOK_ROWS * plan->looked >= LIMIT_WALK) {
            page->more = true;
            page->next = number;
            return;
        }
        if (!take(reader, plan, number, page))
            return;
    }
}

/* A consent's first entry stands in its header alone. */
static bool take_first(struct store_reader *reader, struct event_plan *plan, uint64_t from,
                       struct store_event_page *page) {
    struct store_consent c;
    if (plan->consent == STORE_INDEX_NONE || plan->name_count != 0 ||
        consent_load(&reader->txn, plan->consent, &c) != STATUS_OK || c.created_entry < from)
        return true;
    return take(reader, plan, c.created_entry, page);
}

enum status store_event_query(struct store_reader *reader, const struct store_event_filter *filter,
                              uint64_t from_index, uint32_t limit, struct arena *arena,
                              struct store_event_page *out) {
    ASSERT(reader->open && limit > 0 && limit <= LIMIT_PAGE);
    struct event_plan plan = resolve(reader, filter, arena);
    struct store_event_page page = {.items = arena_array(arena, limit + 1, sizeof *page.items)};
    if (!plan.nothing) {
        struct walks walks;
        begin(reader, &plan, from_index, &walks);
        if (take_first(reader, &plan, from_index, &page))
            collect(reader, &plan, &walks, &page, limit);
        end(&walks);
    }
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = page;
    return STATUS_OK;
}
