/* What a pack's eraseAfter wants gone: rows of `by_end`, by when a consent ended, whatever the pack
 * was then; how long that is ago is judged by the pack in force. Nothing that is active has a row
 * there, and nothing that is held goes. Each commit takes some of them, with one notice for each
 * tenant (invariant 2). Writer thread; readers to count. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "store/consent.h"
#include "store/erasing.h"

#define TAKEN_MAX 256 /* consents of one commit */

/* ---- rows of by_end */

static struct key key_of(const struct store_consent *c) {
    return key_two_numbers(key_time(c->status_at), c->index);
}

void erase_ended_put(struct write *w, const struct store_consent *c) {
    struct key key = key_of(c);
    db_put_rising(&w->txn, DB_BY_END, key_span(&key), SPAN(""));
    w->dirty = true;
}

void erase_ended_drop(struct write *w, const struct store_consent *c) {
    struct key key = key_of(c);
    db_delete(&w->txn, DB_BY_END, key_span(&key));
    w->dirty = true;
}

/* ---- what is due */

struct ended {
    int64_t at;
    uint64_t consent;
};

/* The first ones. Months differ: one that ended hours later may be due hours earlier, and waits. */
static uint32_t collect(struct write *w, struct ended *out) {
    struct db_cursor cursor;
    uint32_t count = 0;
    struct duration after = w->store->retention.erase_after;
    db_cursor_open(&w->txn, DB_BY_END, &cursor);
    for (bool on = db_cursor_seek(&cursor, SPAN("\0")); on && count < TAKEN_MAX;
         on = db_cursor_next(&cursor)) {
        out[count] =
            (struct ended){key_time_of(key_get_u64(cursor.key.data)), key_last_number(cursor.key)};
        if (timestamp_add(out[count].at, after) > w->now)
            break;
        count++;
    }
    db_cursor_close(&cursor);
    return count;
}

/* The header decides, not the row. False when this consent does not go now. */
static bool take(struct write *w, const struct ended *ended, struct target *t) {
    uint64_t hold;
    struct store_consent c = {.index = ended->consent, .status_at = ended->at};
    if (consent_load(&w->txn, ended->consent, &c) != STATUS_OK || c.status_at != ended->at ||
        !lifecycle_is_final(c.recorded) || c.erased == STORE_ERASED_WHOLE) {
        erase_ended_drop(w,
                         &(struct store_consent){.index = ended->consent, .status_at = ended->at});
        return false;
    }
    if (hold_stands(w, &c, &hold)) {
        erase_keep_held(w, &c, hold);
        return false;
    }
    *t = (struct target){
        .consent = c, .part = STORE_ERASED_WHOLE, .end = w->state.tree.size, .due = INT64_MIN};
    t->consent.tail = arena_copy(&w->scratch, c.tail);
    return true;
}

static int compare_tenants(const void *a, const void *b) {
    const struct store_consent *x = &((const struct target *)a)->consent;
    const struct store_consent *y = &((const struct target *)b)->consent;
    if (x->tenant != y->tenant)
        return x->tenant < y->tenant ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* What else the tables know to do about it. */
static void settle(struct erasing *e, struct target *t) {
    struct key waiting;
    if (!t->touched && t->next < t->end)
        return; /* there was no room: the next commit's */
    if (erase_waiting_for(e->w, t->consent.index, &waiting))
        erase_forget(e->w, t->consent.index, &waiting);
    if (t->next < t->end)
        erase_put_order(e, t, STORE_ERASED_WHOLE, ERASE_NEXT);
    if (!t->touched)
        erase_ended_drop(e->w, &t->consent);
}

/* The targets of one tenant, with what `room` has left of entries and looks. */
static void erase_together(struct write *w, struct target *targets, uint32_t count,
                           struct erasing *room) {
    struct erasing e =
        erase_start(w, targets->consent.tenant, (struct actor){.role = STORE_BY_SYSTEM});
    e.ground = STORE_GROUND_NO_LONGER_NECESSARY;
    e.leaves_rest = true;
    e.left = room->left;
    e.looks = room->looks;
    erase_part(&e, STORE_ERASED_WHOLE, targets, count);
    for (uint32_t i = 0; i < count; i++)
        settle(&e, &targets[i]);
    room->left = e.left;
    room->looks = e.looks;
}

bool retention_sweep(struct write *w) {
    struct ended due[TAKEN_MAX];
    uint32_t due_count = w->store->retention.erases ? collect(w, due) : 0, count = 0, from = 0;
    if (due_count == 0)
        return false;
    struct target *targets = arena_array(&w->scratch, due_count, sizeof *targets);
    struct erasing room = {.left = LIMIT_BULK, .looks = LIMIT_WALK};
    for (uint32_t i = 0; i < due_count; i++)
        count += take(w, &due[i], &targets[count]);
    qsort(targets, count, sizeof *targets, compare_tenants);
    while (from < count && room.left > 0 && room.looks > 0) {
        uint32_t end = from + 1;
        while (end < count && targets[end].consent.tenant == targets[from].consent.tenant)
            end++;
        erase_together(w, targets + from, end - from, &room);
        from = end;
    }
    return w->txn.status == STATUS_OK;
}

/* ---- what would be */

enum status store_ended_count(struct store_reader *reader, struct duration erase_after,
                              struct store_ended_place *place, uint64_t *count) {
    ASSERT(reader->open && !place->done);
    struct db_cursor cursor;
    uint32_t rows = 0;
    struct key from = key_two_numbers(place->begun ? key_time(place->at) : 0, place->consent);
    db_cursor_open(&reader->txn, DB_BY_END, &cursor);
    place->done = true;
    for (bool on = db_cursor_seek(&cursor, key_span(&from)); on; on = db_cursor_next(&cursor)) {
        int64_t at = key_time_of(key_get_u64(cursor.key.data));
        if (timestamp_add(at, erase_after) > reader->now)
            break;
        place->done = rows++ < LIMIT_WALK;
        if (!place->done) {
            *place = (struct store_ended_place){at, key_last_number(cursor.key), true, false};
            break;
        }
        ++*count;
    }
    db_cursor_close(&cursor);
    return reader->txn.status;
}
