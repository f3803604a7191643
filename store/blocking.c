/* A tenant sets and lifts blocks, each an entry of the log; and lists those that stand. Writer
 * thread, and readers for the list. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/granting.h"
#include "store/inquiring.h"
#include "store/row.h"

static struct store_consent subject(struct write *w, const struct store_change *change) {
    uint32_t tenant = name_intern(w, STORE_NAME_MEMBER, change->tenant);
    return (struct store_consent){
        .index = STORE_INDEX_NONE,
        .tenant = tenant,
        .provider = tenant,
        .license = STORE_NAME_NONE,
        .client = name_intern(w, STORE_NAME_MEMBER, change->block->client),
    };
}

static uint64_t append(struct write *w, const struct store_change *change,
                       const struct store_consent *about, enum store_event_code code) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    struct entry entry = {
        .code = code,
        .actor = {change->actor, STORE_BY_TENANT},
        .consent = about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
    };
    if (code == STORE_BLOCK_SET) {
        entry.step.reason = name_intern(w, STORE_NAME_REASON, change->block->reason);
        json_out_member(&out, "reason", change->block->reason);
        if (change->block->until != INT64_MAX)
            json_out_member_time(&out, "until", change->block->until);
    }
    entry.body = buffer_span(&body);
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    return index;
}

static void save(struct write *w, const struct store_consent *about, const struct block_row *row) {
    unsigned char value[BLOCK_ROW_SIZE];
    struct key key = key_block(about->tenant, about->client, row->set);
    block_row_encode(row, value);
    db_put(&w->txn, DB_BLOCK, key_span(&key), span_of((const char *)value, sizeof value));
}

/* The one that stands now. */
static bool standing(struct write *w, const struct store_consent *about, struct block_row *row) {
    return block_last(&w->txn, about->tenant, about->client, STORE_INDEX_NONE, row) &&
           block_row_holds(row, STORE_INDEX_NONE - 1, w->now);
}

/* Says the block that stands just what is asked for? */
static bool says_the_same(struct write *w, const struct store_block *asked,
                          const struct block_row *row) {
    struct span value;
    struct store_event event;
    struct key key = key_number(row->set);
    return row->until == asked->until && db_get(&w->txn, DB_LEAF, key_span(&key), &value) &&
           record_leaf_decode(row->set, value, &event) == STATUS_OK &&
           event.reason == name_find(&w->txn, STORE_NAME_REASON, asked->reason);
}

enum status change_block(struct write *w, struct store_change *change) {
    struct store_consent about = subject(w, change);
    struct block_row row, last;
    bool replaces = standing(w, &about, &last);
    if (replaces && says_the_same(w, change->block, &last)) {
        change->done.log_index = last.set;
        return w->txn.status;
    }
    row = (struct block_row){.until = change->block->until, .lifted = STORE_INDEX_NONE};
    row.set = change->done.log_index = append(w, change, &about, STORE_BLOCK_SET);
    if (replaces) {
        last.lifted = row.set;
        save(w, &about, &last);
    }
    save(w, &about, &row);
    return w->txn.status;
}

enum status change_unblock(struct write *w, struct store_change *change) {
    struct block_row row;
    struct store_consent about = {
        .tenant = name_find(&w->txn, STORE_NAME_MEMBER, change->tenant),
        .client = name_find(&w->txn, STORE_NAME_MEMBER, change->block->client),
    };
    if (about.tenant == STORE_NAME_NONE || about.client == STORE_NAME_NONE ||
        !standing(w, &about, &row)) {
        change_explain(change, "no block of this client stands");
        return STATUS_NOT_FOUND;
    }
    if (w->room_only_for_endings)
        return STATUS_STORAGE_FULL;
    about = subject(w, change);
    row.lifted = change->done.log_index = append(w, change, &about, STORE_BLOCK_LIFTED);
    save(w, &about, &row);
    return w->txn.status;
}

/* ---- the list */

static void show(struct store_reader *reader, uint32_t client, const struct block_row *row,
                 struct store_block_view *out) {
    struct store_event event;
    *out = (struct store_block_view){
        .client = store_name(reader, STORE_NAME_MEMBER, client),
        .until = row->until,
        .log_index = row->set,
    };
    if (store_event_get(reader, row->set, &event) != STATUS_OK)
        return;
    out->since = event.at;
    out->reason = store_name(reader, STORE_NAME_REASON, event.reason);
}

/* The first client at or behind a number that the tenant has ever blocked; false behind the last.
 * However often it was, its rows are passed over at once. */
static bool next_client(struct store_reader *reader, uint32_t tenant, uint64_t from,
                        uint32_t *client) {
    struct db_cursor cursor;
    if (from >= STORE_NAME_NONE)
        return false;
    struct key key = key_block(tenant, (uint32_t)from, 0);
    db_cursor_open(&reader->txn, DB_BLOCK, &cursor);
    bool found = db_cursor_seek(&cursor, key_span(&key)) && key_get_u32(cursor.key.data) == tenant;
    if (found)
        *client = key_get_u32(cursor.key.data + 4);
    db_cursor_close(&cursor);
    return found;
}

static void collect(struct store_reader *reader, uint32_t tenant,
                    const struct store_block_query *query, struct store_block_page *page) {
    uint64_t from = query->from;
    uint32_t client;
    for (uint32_t looked = 0; next_client(reader, tenant, from, &client); looked++) {
        struct block_row row;
        if (page->count == query->limit || looked == LIMIT_BLOCKS) {
            page->more = true;
            page->next = client;
            return;
        }
        if (block_last(&reader->txn, tenant, client, STORE_INDEX_NONE, &row) &&
            block_row_holds(&row, STORE_INDEX_NONE - 1, reader->now))
            show(reader, client, &row, &page->items[page->count++]);
        from = (uint64_t)client + 1;
    }
}

enum status store_blocks(struct store_reader *reader, const struct store_block_query *query,
                         struct arena *arena, struct store_block_page *out) {
    ASSERT(reader->open && query->limit > 0 && query->limit <= LIMIT_PAGE);
    struct store_block_page page = {.items = arena_array(arena, query->limit, sizeof *page.items)};
    uint32_t tenant = name_find(&reader->txn, STORE_NAME_MEMBER, query->tenant);
    if (tenant != STORE_NAME_NONE)
        collect(reader, tenant, query, &page);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = page;
    return STATUS_OK;
}
