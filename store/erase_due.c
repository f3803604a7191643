/* What is left for later: rows of `erasure`, sorted by when they are due. The sweep does what
 * retention has come to allow, and goes on with what was too much for one commit. Writer thread
 * only. */
// SPDX-License-Identifier: Apache-2.0
#include "store/consent.h"
#include "store/erasing.h"

#define LOOK_AGAIN_MS 86400000 /* at what was due while a hold stood */

/* ---- what is left for later: rows of `erasure`, by when they are due */

#define ORDER_SIZE 20 /* before the account's key and the request's id */
#define DUE 'd'
#define WAITING 'c'

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

void erase_put_order(struct erasing *e, const struct target *t, enum store_erased part,
                     int64_t due) {
    unsigned char head[ORDER_SIZE] = {RECORD_VERSION, (unsigned char)part, (unsigned char)e->ground,
                                      t->of_account};
    struct buffer value = {0};
    uint64_t number = t->of_account ? UINT64_C(1) << 63 | e->w->state.next_job++ : t->consent.index;
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
    struct key key = key_due(due, number);
    db_put(&e->w->txn, DB_ERASURE, key_span(&key), buffer_span(&value));
    buffer_release(&value);
    e->w->dirty = true;
}

/* A consent waits for one erasure at a time, the last that was asked for; false when for none. */
bool erase_waiting_for(struct write *w, uint64_t consent, struct key *due) {
    struct span value;
    struct key waiting = key_waiting(consent);
    if (!db_get(&w->txn, DB_ERASURE, key_span(&waiting), &value))
        return false;
    *due = key_due(key_time_of(key_get_u64(value.data)), consent);
    return true;
}

void erase_forget(struct write *w, uint64_t consent, const struct key *due) {
    struct key waiting = key_waiting(consent);
    db_delete(&w->txn, DB_ERASURE, key_span(due));
    db_delete(&w->txn, DB_ERASURE, key_span(&waiting));
    w->dirty = true;
}

void erase_let_wait(struct erasing *e, const struct target *t, enum store_erased part,
                    int64_t due) {
    unsigned char value[8];
    struct target later = *t;
    struct key waiting = key_waiting(t->consent.index);
    later.next = 0;
    later.end = STORE_INDEX_NONE;
    erase_put_order(e, &later, part, due);
    key_put_u64(value, key_time(due));
    db_put(&e->w->txn, DB_ERASURE, key_span(&waiting), span_of((const char *)value, 8));
}

/* ---- what is due */

struct due {
    struct key key;
    struct span value; /* in w->scratch */
};

static bool next_due(struct write *w, struct due *out) {
    struct db_cursor cursor;
    struct key first = key_due(INT64_MIN, 0);
    db_cursor_open(&w->txn, DB_ERASURE, &cursor);
    bool due = db_cursor_seek(&cursor, key_span(&first)) && cursor.key.data[0] == DUE &&
               cursor.key.size == first.size && cursor.value.size >= ORDER_SIZE &&
               key_time_of(key_get_u64(cursor.key.data + 1)) <= w->now;
    if (due) {
        out->key = first;
        memcpy(out->key.bytes, cursor.key.data, first.size);
        out->value = arena_copy(&w->scratch, cursor.value);
    }
    db_cursor_close(&cursor);
    return due;
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

static void do_due(struct erasing *e, struct target *t, enum store_erased part) {
    if (!t->of_account && hold_stands(e->w, &t->consent)) {
        erase_let_wait(e, t, part, e->w->now + LOOK_AGAIN_MS);
        return;
    }
    erase_part(e, part, t, 1);
    if (t->next < t->end)
        erase_put_order(e, t, part, ERASE_NEXT);
}

bool erasure_sweep(struct write *w) {
    struct due due;
    struct erasing e;
    struct target t;
    struct key waiting;
    if (!next_due(w, &due))
        return false;
    uint64_t number = key_last_number(key_span(&due.key));
    /* what goes on with another part is not what the consent waits for */
    if (erase_waiting_for(w, number, &waiting) &&
        memcmp(waiting.bytes, due.key.bytes, waiting.size) == 0)
        erase_forget(w, number, &waiting);
    db_delete(&w->txn, DB_ERASURE, key_span(&due.key));
    w->dirty = true;
    if (!read_order(w, &due, &e, &t))
        return true;
    do_due(&e, &t, t.part);
    return w->txn.status == STATUS_OK;
}
