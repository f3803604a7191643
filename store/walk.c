/* Walks over indexes. A packed index has rows name (4) || first number (8) -> (number (8) ||
 * note)..., at most PACKED_MAX: a row of its own would cost each number a key and a header, and
 * runs of rows that grow side by side leave their pages half empty. Threads: as the transactions it
 * is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/walk.h"

#include "base/log.h"

#define PACKED_MAX 32
#define NOTE_MAX 4

/* Bytes of a number and its note; 0 where each number has a row. */
static size_t packed_size(enum db_table table) {
    switch (table) {
    case DB_BY_TENANT:
    case DB_BY_CLIENT:
        return 8 + 4;
    case DB_LOG_BY_TENANT:
    case DB_LOG_BY_CLIENT:
        return 8;
    default:
        return 0;
    }
}

static void settle_packed(struct walk *walk) {
    size_t size = packed_size(walk->cursor.table);
    struct span value = walk->cursor.value;
    walk->live = walk->live && walk->at + size <= value.size;
    if (!walk->live)
        return;
    walk->number = key_get_u64(value.data + walk->at);
    walk->note = span_of(value.data + walk->at + 8, size - 8);
}

/* On the run whose number is the lowest. */
static void settle_fanned(struct walk *walk) {
    walk->live = walk->fan.count != 0;
    if (!walk->live)
        return;
    walk->number = walk->fan.items->number;
    key_put_u32(walk->name, (uint32_t)walk->fan.items->of);
    walk->note = span_of((const char *)walk->name, sizeof walk->name);
}

/* On a row: its first or only number. */
static void settle(struct walk *walk) {
    const struct db_cursor *at = &walk->cursor;
    walk->at = 0;
    walk->live = at->valid && at->key.size == walk->prefix.size + 8 &&
                 memcmp(at->key.data, walk->prefix.bytes, walk->prefix.size) == 0;
    if (walk->packed) {
        settle_packed(walk);
    } else if (walk->live) {
        walk->number = key_last_number(at->key);
        walk->note = at->value;
        walk->live = walk->number != STORE_INDEX_NONE; /* by_arrangement's head row */
    }
}

static struct key row_key(const struct key *prefix, uint64_t number) {
    struct key key = *prefix;
    key_put_u64(key.bytes + key.size, number);
    key.size += 8;
    return key;
}

/* From the last row that begins before `from`, else from the first that does not. */
static void seek_packed(struct walk *walk, uint64_t from) {
    struct key key = row_key(&walk->prefix, from);
    (void)db_cursor_before(&walk->cursor, key_span(&key));
    settle(walk);
    if (!walk->live) {
        (void)db_cursor_seek(&walk->cursor, key_span(&key));
        settle(walk);
    }
    while (walk->live && walk->number < from)
        walk_next(walk);
}

void walk_open(struct db_txn *txn, enum db_table table, struct key prefix, uint64_t from,
               struct walk *out) {
    *out = (struct walk){.prefix = prefix,
                         .packed = packed_size(table) != 0,
                         .fanned = table == DB_BY_ACCOUNT && prefix.size == MAC16_SIZE};
    db_cursor_open(txn, table, &out->cursor);
    if (out->fanned) {
        fan_open(&out->cursor, &out->prefix, from, &out->fan);
        settle_fanned(out);
        return;
    }
    if (out->packed) {
        seek_packed(out, from);
        return;
    }
    struct key key = row_key(&prefix, from);
    (void)db_cursor_seek(&out->cursor, key_span(&key));
    settle(out);
}

void walk_next(struct walk *walk) {
    ASSERT(walk->live);
    if (walk->fanned) {
        fan_next(&walk->cursor, &walk->prefix, &walk->fan);
        settle_fanned(walk);
        return;
    }
    if (walk->packed) {
        walk->at += packed_size(walk->cursor.table);
        settle_packed(walk);
        if (walk->live)
            return;
    }
    (void)db_cursor_next(&walk->cursor);
    settle(walk);
}

void walk_close(struct walk *walk) {
    db_cursor_close(&walk->cursor);
    runs_release(&walk->fan);
    walk->live = false;
}

void walk_append(struct db_txn *txn, enum db_table table, uint32_t name, uint64_t number,
                 struct span note) {
    unsigned char value[PACKED_MAX * (8 + NOTE_MAX)];
    size_t size = packed_size(table), used = 0;
    ASSERT(size == 8 + note.size);
    struct key key = key_name_number(name, UINT64_MAX);
    struct db_cursor last;
    db_cursor_open(txn, table, &last);
    if (db_cursor_before(&last, key_span(&key)) && memcmp(last.key.data, key.bytes, 4) == 0 &&
        last.value.size + size <= PACKED_MAX * size) {
        used = last.value.size;
        memcpy(value, last.value.data, used);
        key = key_name_number(name, key_last_number(last.key));
        ASSERT(key_get_u64(value + used - size) < number);
    } else {
        key = key_name_number(name, number);
    }
    db_cursor_close(&last);
    key_put_u64(value + used, number);
    if (note.size != 0)
        memcpy(value + used + 8, note.data, note.size);
    db_put(txn, table, key_span(&key), span_of((const char *)value, used + size));
}
