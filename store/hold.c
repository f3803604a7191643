/* Legal holds: while one stands on a consent or its account, nothing of it is erased. Setting and
 * lifting are entries of the log, which stay: they name no account, not by its keyed digest either.
 * Which one is held, the row tells while the hold stands. Writer thread, and readers for the list.
 */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "base/log.h"
#include "store/consent.h"
#include "store/erasing.h"
#include "store/granting.h"

/* ---- rows of `hold`: one by what is held, one by the entry that set it */

#define OF_CONSENT 'c'
#define OF_ACCOUNT 'a'
#define BY_ENTRY 'n'
#define ENTRY_ROW_SIZE (2 + 16)

static struct key key_held(uint32_t tenant, char kind, const unsigned char target[16]) {
    struct key key = key_name(tenant);
    key.bytes[key.size++] = (unsigned char)kind;
    memcpy(key.bytes + key.size, target, 16);
    key.size += 16;
    return key;
}

static struct key key_by_entry(uint32_t tenant, uint64_t index) {
    struct key key = key_name(tenant);
    key.bytes[key.size++] = BY_ENTRY;
    key_put_u64(key.bytes + key.size, index);
    key.size += 8;
    return key;
}

static bool find(struct db_txn *txn, struct key key, uint64_t *index) {
    struct span value;
    bool found = db_get(txn, DB_HOLD, key_span(&key), &value) && value.size == 9;
    if (found && index != NULL)
        *index = key_get_u64(value.data + 1);
    return found;
}

bool hold_stands_on_account(struct write *w, uint32_t tenant, const struct mac16 *account) {
    return find(&w->txn, key_held(tenant, OF_ACCOUNT, account->bytes), NULL);
}

bool hold_stands(struct write *w, const struct store_consent *c, uint64_t *hold) {
    return find(&w->txn, key_held(c->tenant, OF_CONSENT, c->id.bytes), hold) ||
           (c->has_account &&
            find(&w->txn, key_held(c->tenant, OF_ACCOUNT, c->account.bytes), hold));
}

/* ---- set and lifted */

/* What is held, as its entry is about it: never an account; and the key of its row. */
static enum status subject(struct write *w, const struct store_change *change,
                           struct store_consent *out, struct key *held) {
    const struct store_hold *hold = change->hold;
    if (!hold->by_account) {
        enum status status = consent_find(&w->txn, &change->id, out);
        if (status == STATUS_OK &&
            !span_equal(name_text(&w->txn, STORE_NAME_MEMBER, out->tenant), change->tenant))
            status = STATUS_NOT_FOUND;
        if (status == STATUS_OK && out->erased == STORE_ERASED_WHOLE)
            status = STATUS_ERASED;
        if (status != STATUS_OK)
            return status;
        out->has_account = false;
        *held = key_held(out->tenant, OF_CONSENT, out->id.bytes);
        return STATUS_OK;
    }
    struct mac16 account = account_mac(w->store, change->tenant, hold->provider, hold->account);
    *out = (struct store_consent){
        .index = STORE_INDEX_NONE,
        .tenant = name_intern(w, STORE_NAME_MEMBER, change->tenant),
        .provider = name_intern(w, STORE_NAME_MEMBER, hold->provider),
        .client = STORE_NAME_NONE,
        .license = STORE_NAME_NONE,
    };
    *held = key_held(out->tenant, OF_ACCOUNT, account.bytes);
    return STATUS_OK;
}

static uint64_t append(struct write *w, const struct store_change *change,
                       const struct store_consent *about, enum store_event_code code) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    struct entry entry = {
        .code = code,
        .actor = {change->actor, change->hold->role},
        .consent = about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
    };
    if (code == STORE_HOLD_SET) {
        entry.step.reason = name_intern(w, STORE_NAME_REASON, change->hold->reason);
        json_out_member(&out, "reason", change->hold->reason);
    } else {
        json_out_member_int(&out, "setIndex", (int64_t)change->hold->log_index);
    }
    entry.body = buffer_span(&body);
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    return index;
}

enum status change_hold(struct write *w, struct store_change *change) {
    struct store_consent about;
    struct key held;
    enum status status = subject(w, change, &about, &held);
    if (status != STATUS_OK)
        return status;
    if (find(&w->txn, held, &change->done.log_index)) {
        change->replayed = true;
        return w->txn.status;
    }
    uint64_t index = append(w, change, &about, STORE_HOLD_SET);
    unsigned char row[9] = {RECORD_VERSION};
    unsigned char entry_row[ENTRY_ROW_SIZE] = {RECORD_VERSION, held.bytes[4]};
    struct key by_entry = key_by_entry(about.tenant, index);
    key_put_u64(row + 1, index);
    memcpy(entry_row + 2, held.bytes + 5, 16);
    db_insert(&w->txn, DB_HOLD, key_span(&held), span_of((const char *)row, sizeof row));
    db_insert(&w->txn, DB_HOLD, key_span(&by_entry),
              span_of((const char *)entry_row, sizeof entry_row));
    change->done.log_index = index;
    return w->txn.status;
}

/* What was held, as the entry that set it is about it. */
static enum status held_by(struct write *w, struct span row, uint64_t set,
                           struct store_consent *out) {
    struct uuid id;
    struct span leaf;
    struct store_event event;
    struct key key = key_number(set);
    if (row.data[1] == OF_CONSENT) {
        memcpy(id.bytes, row.data + 2, UUID_SIZE);
        enum status status = consent_find(&w->txn, &id, out);
        if (status == STATUS_OK)
            out->has_account = false;
        return status;
    }
    if (!db_get(&w->txn, DB_LEAF, key_span(&key), &leaf) ||
        record_leaf_decode(set, leaf, &event) != STATUS_OK)
        return STATUS_INTERNAL;
    *out = (struct store_consent){
        .index = STORE_INDEX_NONE,
        .tenant = event.tenant,
        .provider = event.provider,
        .client = STORE_NAME_NONE,
        .license = STORE_NAME_NONE,
    };
    return STATUS_OK;
}

enum status change_release(struct write *w, struct store_change *change) {
    struct span value;
    struct store_consent about;
    uint32_t tenant = name_find(&w->txn, STORE_NAME_MEMBER, change->tenant);
    struct key by_entry = key_by_entry(tenant, change->hold->log_index);
    if (tenant == STORE_NAME_NONE || !db_get(&w->txn, DB_HOLD, key_span(&by_entry), &value) ||
        value.size != ENTRY_ROW_SIZE) {
        change_explain(change, "no hold stands there");
        return STATUS_NOT_FOUND;
    }
    struct key held = key_held(tenant, value.data[1], (const unsigned char *)value.data + 2);
    enum status status = held_by(w, value, change->hold->log_index, &about);
    if (status != STATUS_OK)
        return w->txn.status != STATUS_OK ? w->txn.status : STATUS_INTERNAL;
    change->done.log_index = append(w, change, &about, STORE_HOLD_LIFTED);
    db_delete(&w->txn, DB_HOLD, key_span(&held));
    db_delete(&w->txn, DB_HOLD, key_span(&by_entry));
    erase_free_held(w, change->hold->log_index);
    return w->txn.status;
}

/* ---- the list */

static enum status show(struct store_reader *reader, uint64_t index, struct span row,
                        struct store_hold_view *out) {
    struct store_event event;
    struct store_hold_view view = {.log_index = index};
    enum status status = store_event_get(reader, index, &event);
    if (status != STATUS_OK)
        return status;
    if (row.data[1] == OF_CONSENT)
        memcpy(view.consent.bytes, row.data + 2, UUID_SIZE);
    else
        memcpy(view.account.bytes, row.data + 2, MAC16_SIZE);
    view.provider = store_name(reader, STORE_NAME_MEMBER, event.provider);
    view.reason = store_name(reader, STORE_NAME_REASON, event.reason);
    view.since = event.at;
    *out = view;
    return STATUS_OK;
}

enum status store_hold_get(struct store_reader *reader, struct span tenant, uint64_t log_index,
                           struct store_hold_view *out) {
    ASSERT(reader->open);
    struct span row;
    uint32_t number = store_name_find(reader, STORE_NAME_MEMBER, tenant);
    struct key key = key_by_entry(number, log_index);
    if (number == STORE_NAME_NONE || !db_get(&reader->txn, DB_HOLD, key_span(&key), &row) ||
        row.size != ENTRY_ROW_SIZE)
        return reader->txn.status != STATUS_OK ? reader->txn.status : STATUS_NOT_FOUND;
    return show(reader, log_index, row, out);
}

static enum status collect(struct store_reader *reader, uint32_t tenant,
                           const struct store_hold_query *query, struct store_hold_page *page) {
    struct db_cursor cursor;
    enum status status = STATUS_OK;
    struct key from = key_by_entry(tenant, query->from);
    db_cursor_open(&reader->txn, DB_HOLD, &cursor);
    for (bool on = db_cursor_seek(&cursor, key_span(&from));
         on && status == STATUS_OK && cursor.key.size == from.size &&
         memcmp(cursor.key.data, from.bytes, 5) == 0;
         on = db_cursor_next(&cursor)) {
        uint64_t index = key_last_number(cursor.key);
        page->more = page->count == query->limit;
        page->next = index;
        if (page->more)
            break;
        status = show(reader, index, cursor.value, &page->items[page->count++]);
    }
    db_cursor_close(&cursor);
    return status;
}

enum status store_holds(struct store_reader *reader, const struct store_hold_query *query,
                        struct arena *arena, struct store_hold_page *out) {
    ASSERT(reader->open && query->limit > 0 && query->limit <= LIMIT_PAGE);
    struct store_hold_page page = {.items = arena_array(arena, query->limit, sizeof *page.items)};
    uint32_t tenant = store_name_find(reader, STORE_NAME_MEMBER, query->tenant);
    enum status status = STATUS_OK;
    if (tenant != STORE_NAME_NONE)
        status = collect(reader, tenant, query, &page);
    if (status == STATUS_OK)
        status = reader->txn.status;
    if (status == STATUS_OK)
        *out = page;
    return status;
}
