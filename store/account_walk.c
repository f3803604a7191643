/* See account_walk.h. Each consent has three runs (its first entry, its history, what else is about
 * it), the account one more. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/account_walk.h"

#include "base/log.h"
#include "store/walk.h"

enum { HISTORY, ABOUT, ASKED, FIRST }; /* kinds of runs; all but the last have a cursor */

/* ---- runs */

/* To the run's first entry >= from; false when it has none. */
static bool seek(struct account_walk *walk, struct run *run, uint64_t from) {
    if (run->kind == FIRST)
        return run->number >= from;
    struct db_cursor *at = &walk->cursors[run->kind];
    struct key key = run->kind == ASKED ? key_16_number(walk->asked.bytes, from)
                                        : key_two_numbers(run->of, from);
    if (!db_cursor_seek(at, key_span(&key)) || at->key.size != key.size ||
        memcmp(at->key.data, key.bytes, key.size - 8) != 0)
        return false;
    run->number = key_last_number(at->key);
    return true;
}

static void add_from(struct account_walk *walk, struct run run, uint64_t from) {
    if (seek(walk, &run, from))
        runs_add(&walk->runs, &run);
}

/* ---- which consents */

struct gathering {
    struct store_reader *reader;
    struct account_walk *walk;
    uint64_t from;
    uint32_t consents;
};

/* Those of one index, whose numbers are consents. False when there are too many. */
static bool gather(struct gathering *g, enum db_table table, const struct mac16 *mac) {
    struct walk consents;
    struct store_consent c;
    walk_open(&g->reader->txn, table, key_16(mac->bytes), 0, &consents);
    for (; consents.live && g->consents < ACCOUNT_WALK_CONSENTS; walk_next(&consents)) {
        g->consents++;
        if (consent_load(&g->reader->txn, consents.number, &c) != STATUS_OK)
            continue;
        add_from(g->walk, (struct run){c.created_entry, c.index, FIRST}, g->from);
        add_from(g->walk, (struct run){0, c.index, HISTORY}, g->from);
        add_from(g->walk, (struct run){0, c.index, ABOUT}, g->from);
    }
    bool all = !consents.live;
    walk_close(&consents);
    return all;
}

static struct mac16 providers_mac(const struct store *store, struct span tenant) {
    const struct span parts[] = {SPAN("account-providers"), tenant};
    return store_mac16(store, parts, 2);
}

static bool gather_erased(struct gathering *g, struct span tenant, struct span account) {
    struct walk others;
    uint32_t count = 0;
    struct mac16 mac = account_mac(g->reader->store, tenant, tenant, account);
    bool all = gather(g, DB_LOG_BY_TRANSACTION, &mac);
    mac = providers_mac(g->reader->store, tenant);
    walk_open(&g->reader->txn, DB_LOG_BY_TRANSACTION, key_16(mac.bytes), 0, &others);
    for (; all && others.live; walk_next(&others)) {
        struct span provider = store_name(g->reader, STORE_NAME_MEMBER, (uint32_t)others.number);
        mac = account_mac(g->reader->store, tenant, provider, account);
        all = ++count <= ACCOUNT_WALK_PROVIDERS && gather(g, DB_LOG_BY_TRANSACTION, &mac);
    }
    walk_close(&others);
    return all;
}

/* ---- the walk */

static void settle(struct account_walk *walk) {
    walk->live = walk->runs.count != 0;
    if (walk->live)
        walk->number = walk->runs.items->number;
}

bool account_walk_open(struct store_reader *reader, const struct account_sought *sought,
                       uint64_t from, struct account_walk *out) {
    static const enum db_table tables[] = {
        [HISTORY] = DB_LOG_BY_CONSENT, [ABOUT] = DB_ABOUT_CONSENT, [ASKED] = DB_LOG_BY_TRANSACTION};
    struct span tenant = store_name(reader, STORE_NAME_MEMBER, sought->tenant);
    struct gathering g = {.reader = reader, .walk = out, .from = from};
    *out = (struct account_walk){.asked = account_key(reader->store, tenant, sought->account)};
    for (unsigned kind = 0; kind < FIRST; kind++)
        db_cursor_open(&reader->txn, tables[kind], &out->cursors[kind]);
    add_from(out, (struct run){0, STORE_INDEX_NONE, ASKED}, from);
    if (!gather(&g, DB_BY_ACCOUNT, &out->asked) || !gather_erased(&g, tenant, sought->account)) {
        account_walk_close(out);
        return false;
    }
    settle(out);
    return true;
}

/* A consent whose erasure is under way may be found twice: its entries are walked over once. */
void account_walk_next(struct account_walk *walk) {
    ASSERT(walk->live);
    uint64_t past = walk->number;
    while (walk->runs.count != 0 && walk->runs.items->number == past)
        runs_settle(&walk->runs, !seek(walk, walk->runs.items, past + 1));
    settle(walk);
}

void account_walk_close(struct account_walk *walk) {
    for (unsigned kind = 0; kind < FIRST; kind++)
        db_cursor_close(&walk->cursors[kind]);
    runs_release(&walk->runs);
    walk->live = false;
}

/* ---- its rows */

static void put(struct write *w, const struct mac16 *mac, uint64_t number) {
    struct key key = key_16_number(mac->bytes, number);
    db_put(&w->txn, DB_LOG_BY_TRANSACTION, key_span(&key), SPAN(""));
}

static void drop(struct write *w, const struct mac16 *mac, uint64_t number) {
    struct key key = key_16_number(mac->bytes, number);
    db_delete(&w->txn, DB_LOG_BY_TRANSACTION, key_span(&key));
}

void account_asked_put(struct write *w, const struct mac16 *account, uint64_t entry) {
    put(w, account, entry);
}

void account_asked_drop(struct write *w, const struct mac16 *account, uint64_t entry) {
    drop(w, account, entry);
}

void account_erased_put(struct write *w, const struct store_consent *consent) {
    if (!consent->has_account)
        return;
    put(w, &consent->account, consent->index);
    if (consent->provider == consent->tenant)
        return;
    struct span tenant = name_text(&w->txn, STORE_NAME_MEMBER, consent->tenant);
    struct mac16 mac = providers_mac(w->store, tenant);
    put(w, &mac, consent->provider);
}

void account_erased_drop(struct write *w, const struct store_consent *consent) {
    if (consent->has_account)
        drop(w, &consent->account, consent->index);
}
