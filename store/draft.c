/* What a draft says becomes a header with its tail, and rows in the indexes. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "store/granting.h"
#include "store/walk.h"

static int compare_macs(const void *a, const void *b) {
    return memcmp(a, b, MAC16_SIZE);
}

static int compare_names(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void fill_permissions(struct write *w, struct granting *g, struct record_tail *tail) {
    const struct policy_admission *ask = &g->draft->ask;
    for (uint32_t i = 0; i < ask->permission_count; i++) {
        const struct policy_permission_ask *from = &ask->permissions[i];
        uint32_t bit = name_intern(w, STORE_NAME_PERMISSION, from->code);
        ASSERT(bit < LIMIT_SET); /* the pack's codes were numbered when it was activated */
        struct record_permission *to = &tail->permissions[tail->permission_count++];
        *to = (struct record_permission){.bit = (uint8_t)bit,
                                         .has_granularity = from->has_granularity,
                                         .granularity = from->granularity,
                                         .resources = tail->resources + tail->resource_count,
                                         .resource_count = from->resource_count};
        for (uint32_t j = 0; j < from->resource_count; j++) {
            ASSERT(tail->resource_count < LIMIT_RESOURCES);
            tail->resources[tail->resource_count++] =
                resource_mac(w->store, g->change->tenant, from->resources[j]);
        }
        qsort(to->resources, to->resource_count, MAC16_SIZE, compare_macs);
        g->consent.permissions |= 1ULL << bit;
    }
}

static void fill_tail(struct write *w, struct granting *g) {
    const struct store_draft *draft = g->draft;
    struct record_tail *tail = &w->tail;
    struct buffer bytes = {0};
    tail->permission_count = tail->resource_count = 0;
    fill_permissions(w, g, tail);
    tail->onward_count = draft->ask.onward_count;
    for (uint32_t i = 0; i < tail->onward_count; i++)
        tail->onward[i] = name_intern(w, STORE_NAME_MEMBER, draft->ask.onward[i]);
    qsort(tail->onward, tail->onward_count, sizeof *tail->onward, compare_names);
    tail->group_count = draft->group_count;
    for (uint32_t i = 0; i < tail->group_count; i++)
        tail->groups[i] = draft->groups[i];
    record_tail_encode(tail, &bytes);
    g->consent.tail = arena_copy(&w->scratch, buffer_span(&bytes));
    buffer_release(&bytes);
}

void draft_fill(struct write *w, struct granting *g) {
    const struct store_draft *draft = g->draft;
    const struct policy_admission *ask = &draft->ask;
    struct store_consent *c = &g->consent;
    c->tenant = name_intern(w, STORE_NAME_MEMBER, g->change->tenant);
    c->provider = name_intern(w, STORE_NAME_MEMBER, draft->provider);
    c->client = name_intern(w, STORE_NAME_MEMBER, draft->client);
    c->license = name_intern(w, STORE_NAME_LICENSE, ask->license);
    c->purposes = 0;
    for (uint32_t i = 0; i < ask->purpose_count; i++) {
        uint32_t bit = name_intern(w, STORE_NAME_PURPOSE, ask->purposes[i]);
        ASSERT(bit < LIMIT_SET);
        c->purposes |= 1ULL << bit;
    }
    c->permissions = 0;
    c->has_account = span_present(draft->account);
    if (c->has_account)
        c->account = account_mac(w->store, g->change->tenant, draft->provider, draft->account);
    c->principal = draft->principal;
    c->expires = ask->expires;
    c->data_from = ask->data_from;
    c->data_to = ask->data_to;
    c->data_available_from = draft->data_available_from;
    c->max_uses = draft->max_uses;
    c->dependent = draft->group_count != 0;
    fill_tail(w, g);
}

static void put_row(struct write *w, enum db_table table, struct key key) {
    db_put(&w->txn, table, key_span(&key), SPAN(""));
}

/* Rows that a requested consent did not have, or had otherwise. */
void draft_index(struct write *w, const struct granting *g) {
    const struct store_consent *c = &g->consent;
    struct span tenant = g->change->tenant;
    const struct policy_admission *ask = &g->draft->ask;
    if (c->has_account) {
        struct mac16 account = account_key(w->store, tenant, g->draft->account);
        put_row(w, DB_BY_ACCOUNT, key_account_consent(&account, c->client, c->index));
    }
    for (uint32_t i = 0; i < ask->permission_count; i++) {
        for (uint32_t j = 0; j < ask->permissions[i].resource_count; j++) {
            struct mac16 mac = resource_mac(w->store, tenant, ask->permissions[i].resources[j]);
            put_row(w, DB_BY_RESOURCE, key_16_number(mac.bytes, c->index));
        }
    }
    if (span_present(g->draft->external_id))
        put_row(w, DB_BY_EXTERNAL, key_external(c->tenant, g->draft->external_id, c->index));
    for (uint32_t i = 0; i < g->draft->group_count; i++) {
        const struct store_group *group = &g->draft->groups[i];
        for (uint32_t j = 0; j < group->member_count; j++) {
            const struct store_member *m = &group->members[j];
            struct store_consent head;
            if (m->external) {
                put_row(w, DB_BY_DEPENDENCY, key_external_link(&m->token_digest, c->index));
                continue;
            }
            put_row(w, DB_BY_DEPENDENCY, key_16_number(m->arrangement.bytes, c->index));
            if (consent_head(w, &m->arrangement, &head) == STATUS_OK)
                put_row(w, DB_BY_DEPENDENCY, key_16_number(head.arrangement.bytes, c->index));
        }
    }
    if (g->draft->ask.granted && c->granted_at != w->now) { /* else its entry has that time */
        struct key granted = key_two_numbers(key_time(c->granted_at), c->index);
        db_put_rising(&w->txn, DB_BY_GRANTED, key_span(&granted), SPAN(""));
    }
    int64_t due = g->draft->ask.granted ? c->expires : c->answer_due;
    put_row(w, DB_BY_EXPIRY, key_two_numbers(key_time(due), c->index));
}

void draft_index_new(struct write *w, const struct store_consent *c) {
    unsigned char value[8];
    key_put_u64(value, c->index);
    struct key id = key_uuid(&c->id);
    db_insert_rising(&w->txn, DB_BY_ID, key_span(&id), span_of((const char *)value, sizeof value));
    unsigned char client[4], tenant[4];
    key_put_u32(client, c->client);
    key_put_u32(tenant, c->tenant);
    walk_append(&w->txn, DB_BY_TENANT, c->tenant, c->index, span_of((const char *)client, 4));
    walk_append(&w->txn, DB_BY_CLIENT, c->client, c->index, span_of((const char *)tenant, 4));
}

bool draft_external_id_taken(struct write *w, const struct granting *g) {
    if (!span_present(g->draft->external_id))
        return false;
    struct db_cursor cursor;
    uint32_t tenant = name_find(&w->txn, STORE_NAME_MEMBER, g->change->tenant);
    struct key prefix = key_external_prefix(tenant, g->draft->external_id);
    db_cursor_open(&w->txn, DB_BY_EXTERNAL, &cursor);
    bool taken = db_cursor_seek(&cursor, key_span(&prefix)) && cursor.key.size == prefix.size + 8 &&
                 memcmp(cursor.key.data, prefix.bytes, prefix.size) == 0 &&
                 key_last_number(cursor.key) != g->consent.index;
    db_cursor_close(&cursor);
    return taken;
}
