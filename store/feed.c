/* Reading the log as one caller's feed: two packed indexes walked in step. Threads: as the reader
 * it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/feed.h"

#include "base/log.h"
#include "store/feeding.h"
#include "store/internal.h"
#include "store/walk.h"

struct names {
    uint32_t tenant, client; /* STORE_NAME_NONE: never stored, or not asked for */
};

static struct names resolve(struct store_reader *reader, const struct store_feed_ask *ask) {
    return (struct names){store_name_find(reader, STORE_NAME_MEMBER, ask->tenant),
                          store_name_find(reader, STORE_NAME_MEMBER, ask->client)};
}

/* A client that is its own tenant finds an entry in both indexes. */
static struct walk *lower(struct walk *own, struct walk *named) {
    while (own->live && named->live && own->number == named->number)
        walk_next(named);
    if (!own->live)
        return named;
    return named->live && named->number < own->number ? named : own;
}

/* Whether the entry changed a consent. */
static bool load(struct store_reader *reader, uint64_t index, struct store_event *out) {
    struct span value;
    struct key key = key_number(index);
    if (!db_get(&reader->txn, DB_LEAF, key_span(&key), &value) ||
        record_leaf_decode(index, value, out) != STATUS_OK)
        return false;
    out->leaf = SPAN_NONE;
    return feed_has(out->code);
}

static void add(const struct store_feed_ask *ask, struct arena *arena,
                struct store_event_page *page, const struct store_event *event) {
    if (page->items == NULL)
        page->items = arena_array(arena, ask->limit, sizeof *page->items);
    page->items[page->count++] = *event;
}

static void collect(struct store_reader *reader, const struct store_feed_ask *ask,
                    struct arena *arena, struct walk walks[2], struct store_event_page *page) {
    struct walk *walk = lower(&walks[0], &walks[1]);
    for (uint32_t visited = 0; walk->live; visited++) {
        struct store_event event;
        if (page->count == ask->limit || visited == LIMIT_WALK) {
            page->more = true;
            return;
        }
        page->next = walk->number + 1;
        if (load(reader, walk->number, &event))
            add(ask, arena, page, &event);
        walk_next(walk);
        walk = lower(&walks[0], &walks[1]);
    }
}

enum status store_feed_read(struct store_reader *reader, const struct store_feed_ask *ask,
                            struct arena *arena, struct store_event_page *out) {
    ASSERT(reader->open && ask->limit > 0 && ask->limit <= LIMIT_PAGE);
    struct names names = resolve(reader, ask);
    struct store_event_page page = {.next = ask->from};
    struct walk walks[2];
    walk_open(&reader->txn, DB_LOG_BY_TENANT, key_name(names.tenant), ask->from, &walks[0]);
    walk_open(&reader->txn, DB_LOG_BY_CLIENT, key_name(names.client), ask->from, &walks[1]);
    collect(reader, ask, arena, walks, &page);
    walk_close(&walks[1]);
    walk_close(&walks[0]);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = page;
    return STATUS_OK;
}

uint64_t store_feed_bits(struct store_reader *reader, const struct store_feed_ask *ask) {
    ASSERT(reader->open);
    struct names names = resolve(reader, ask);
    bool unknown = (span_present(ask->tenant) && names.tenant == STORE_NAME_NONE) ||
                   (span_present(ask->client) && names.client == STORE_NAME_NONE);
    return unknown ? UINT64_MAX : feed_bit(names.tenant) | feed_bit(names.client);
}
