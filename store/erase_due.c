/* What is left for later: rows of `erasure`, sorted by when they are due. The sweep does what
 * retention has come to allow, and goes on with what was too much for one commit. What is held
 * waits under its hold, and costs nothing until that is lifted. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/consent.h"
#include "store/erasing.h"

#define FREED_MAX 256 /* rows under a lifted hold that one commit moves */

/* ---- rows of `erasure` */

#define ORDER_SIZE 20 /* before the account's key and the request's id */
#define WAITING 'c'   /* consent -> the row it waits for */
#define DUE 'd'       /* time, number -> order */
#define FREED 'f'     /* hold that was lifted -> nothing */
#define HELD 'h'      /* hold, consent, number -> order */

static struct key key_due(int64_t due, uint64_t number) {
    struct key key = {.bytes = {DUE}, .size = 17};
    key_put_u64(key.bytes + 1, key_time(due));
    key_put_u64(key.bytes + 9, number);
    return key;
}

static struct key key_waiting(uint64_t consent) {
    struct key key = {.bytes = {WAITING}, .size = 9};
    key_put_u64(key.bytes + 1, consent);
    return key;
}

static struct key key_held(uint64_t hold, uint64_t consent, uint64_t number) {
    struct key key = {.bytes = {HELD}, .size = 25};
    key_put_u64(key.bytes + 1, hold);
    key_put_u64(key.bytes + 9, consent);
    key_put_u64(key.bytes + 17, number);
    return key;
}

static struct key key_freed(uint64_t hold) {
    struct key key = {.bytes = {FREED}, .size = 9};
    key_put_u64(key.bytes + 1, hold);
    return key;
}

static void put(struct write *w, struct key key, struct span value) {
    db_put(&w->txn, DB_ERASURE, key_span(&key), value);
    w->dirty = true;
}

static void drop(struct write *w, struct key key) {
    db_delete(&w->txn, DB_ERASURE, key_span(&key));
    w->dirty = true;
}

static void put_order(struct erasing *e, const struct target *t, enum store_erased part,
                      struct key key) {
    unsigned char head[ORDER_SIZE] = {RECORD_VERSION, (unsigned char)part, (unsigned char)e->ground,
                                      t->of_account};
    struct buffer value = {0};
    key_put_u64(head + 4, t->next);
    key_put_u64(head + 12, t->end);
    buffer_append(&value, head, sizeof head);
    if (t->of_account) {
        unsigned char tenant[4];
        key_put_u32(tenant, e->tenant);
        buffer_append(&value, tenant, sizeof tenant);
        buffer_append(&value, t->account.bytes, sizeof t->account.bytes);
    }
    buffer_append_span(&value, e->request_id);
    put(e->w, key, buffer_span(&value));
    buffer_release(&value);
}

void erase_put_order(struct erasing *e, const struct target *t, enum store_erased part,
                     int64_t due) {
    uint64_t number = t->of_account ? UINT64_C(1) << 63 | e->w->state.next_job++ : t->consent.index;
    put_order(e, t, part, key_due(due, number));
}

/* A consent waits for one erasure at a time, the last that was asked for. */
bool erase_waiting_for(struct write *w, uint64_t consent, struct key *row) {
    struct span value;
    struct key waiting = key_waiting(consent);
    if (!db_get(&w->txn, DB_ERASURE, key_span(&waiting), &value) || value.size > sizeof row->bytes)
        return false;
    *row = (struct key){.size = value.size};
    memcpy(row->bytes, value.data, value.size);
    return true;
}

static bool is_waited_for(struct write *w, uint64_t consent, const struct key *row) {
    struct key waiting;
    return erase_waiting_for(w, consent, &waiting) && span_equal(key_span(&waiting), key_span(row));
}

void erase_forget(struct write *w, uint64_t consent, const struct key *row) {
    drop(w, *row);
    drop(w, key_waiting(consent));
}

void erase_let_wait(struct erasing *e, const struct target *t, enum store_erased part,
                    int64_t due) {
    struct target later = *t;
    struct key row = key_due(due, t->consent.index);
    later.next = 0;
    later.end = STORE_INDEX_NONE;
    put_order(e, &later, part, row);
    put(e->w, key_waiting(t->consent.index), key_span(&row));
}

/* ---- what is held */

void erase_keep_held(struct write *w, const struct store_consent *c, uint64_t hold) {
    static const char nobody_asked[] = {RECORD_VERSION, STORE_KEPT};
    erase_ended_drop(w, c);
    put(w, key_held(hold, c->index, w->state.next_job++),
        span_of(nobody_asked, sizeof nobody_asked));
}

void erase_free_held(struct write *w, uint64_t hold) {
    struct db_cursor cursor;
    struct key first = key_held(hold, 0, 0);
    db_cursor_open(&w->txn, DB_ERASURE, &cursor);
    bool some = db_cursor_seek(&cursor, key_span(&first)) && cursor.key.size == first.size &&
                memcmp(cursor.key.data, first.bytes, 9) == 0;
    db_cursor_close(&cursor);
    if (some)
        put(w, key_freed(hold), span_of((const char[]){RECORD_VERSION}, 1));
}

/* One row under a lifted hold is due now, or gone on with; where nobody asked, the pack in force is
 * to say again. */
static void free_row(struct write *w, struct key row, struct span order) {
    uint64_t consent = key_get_u64(row.bytes + 9);
    struct store_consent c;
    bool waited_for = is_waited_for(w, consent, &row);
    struct key due = key_due(waited_for ? w->now : ERASE_NEXT, consent);
    drop(w, row);
    if (order.size >= ORDER_SIZE) {
        put(w, due, order);
        if (waited_for)
            put(w, key_waiting(consent), key_span(&due));
    } else if (consent_load(&w->txn, consent, &c) == STATUS_OK && c.erased != STORE_ERASED_WHOLE) {
        erase_ended_put(w, &c);
    }
}

/* The first row that such a prefix has, if any; value in w->scratch. */
static bool first_row(struct write *w, const struct key *prefix, struct key *row,
                      struct span *value) {
    struct db_cursor cursor;
    db_cursor_open(&w->txn, DB_ERASURE, &cursor);
    bool found = db_cursor_seek(&cursor, key_span(prefix)) && cursor.key.size >= prefix->size &&
                 cursor.key.size <= sizeof row->bytes &&
                 memcmp(cursor.key.data, prefix->bytes, prefix->size) == 0;
    if (found) {
        *row = (struct key){.size = cursor.key.size};
        memcpy(row->bytes, cursor.key.data, cursor.key.size);
        *value = arena_copy(&w->scratch, cursor.value);
    }
    db_cursor_close(&cursor);
    return found;
}

/* Goes on with the first hold that was lifted. Returns whether there was one. */
static bool free_some(struct write *w) {
    struct key any = {.bytes = {FREED}, .size = 1}, freed, row;
    struct span value;
    if (!first_row(w, &any, &freed, &value))
        return false;
    struct key held = key_held(key_last_number(key_span(&freed)), 0, 0);
    held.size = 9;
    for (uint32_t n = 0; n < FREED_MAX; n++) {
        if (!first_row(w, &held, &row, &value)) {
            drop(w, freed);
            break;
        }
        free_row(w, row, value);
    }
    return true;
}

/* ---- what is due */

struct due {
    struct key key;
    struct span value; /* in w->scratch */
};

static bool next_due(struct write *w, struct due *out) {
    struct key any = {.bytes = {DUE}, .size = 1};
    return first_row(w, &any, &out->key, &out->value) && out->value.size >= ORDER_SIZE &&
           key_time_of(key_get_u64(out->key.bytes + 1)) <= w->now;
}

/* What the row says; false when there is nothing of it left to do. */
static bool read_order(struct write *w, const struct due *due, struct erasing *e,
                       struct target *t) {
    struct span row = due->value;
    size_t at = ORDER_SIZE;
    *t = (struct target){.part = (enum store_erased)row.data[1],
                         .of_account = row.data[3] != 0,
                         .next = key_get_u64(row.data + 4),
                         .end = key_get_u64(row.data + 12),
                         .due = INT64_MIN};
    if (t->end == STORE_INDEX_NONE)
        t->end = w->state.tree.size;
    if (t->of_account) {
        *e = erase_start(w, key_get_u32(row.data + at), (struct actor){.role = STORE_BY_SYSTEM});
        memcpy(t->account.bytes, row.data + at + 4, MAC16_SIZE);
        at += 4 + MAC16_SIZE;
    } else {
        if (consent_load(&w->txn, key_last_number(key_span(&due->key)), &t->consent) != STATUS_OK)
            return false;
        t->consent.tail = arena_copy(&w->scratch, t->consent.tail);
        *e = erase_start(w, t->consent.tenant, (struct actor){.role = STORE_BY_SYSTEM});
    }
    e->ground = (enum store_ground)row.data[2];
    e->request_id = span_of(row.data + at, row.size - at);
    return true;
}

/* It waits under the hold: as before when its consent waited for it, or to be gone on with. */
static void wait_for_hold(struct erasing *e, const struct target *t, uint64_t hold, bool waited) {
    struct key row = key_held(hold, t->consent.index, e->w->state.next_job++);
    put_order(e, t, t->part, row);
    if (waited)
        put(e->w, key_waiting(t->consent.index), key_span(&row));
}

static void do_due(struct erasing *e, struct target *t, bool waited) {
    uint64_t hold;
    if (!t->of_account && hold_stands(e->w, &t->consent, &hold)) {
        wait_for_hold(e, t, hold, waited);
        return;
    }
    erase_part(e, t->part, t, 1);
    if (t->next < t->end)
        erase_put_order(e, t, t->part, ERASE_NEXT);
}

bool erasure_sweep(struct write *w) {
    struct due due;
    struct erasing e;
    struct target t;
    bool freed = free_some(w);
    if (!next_due(w, &due))
        return freed && w->txn.status == STATUS_OK;
    uint64_t number = key_last_number(key_span(&due.key));
    /* what goes on with another part is not what the consent waits for */
    bool waited = is_waited_for(w, number, &due.key);
    if (waited)
        drop(w, key_waiting(number));
    drop(w, due.key);
    if (read_order(w, &due, &e, &t))
        do_due(&e, &t, waited);
    return w->txn.status == STATUS_OK;
}
