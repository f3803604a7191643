/* Cosigned checkpoints: rows of `checkpoint` (the note) and `cosignature` (a line each). A few are
 * kept, so that they take no room in a log that grows for years; what a witness said is in the log
 * as well, once in a while (delivery.cosigned). Writer thread, and readers. */
// SPDX-License-Identifier: Apache-2.0
#include "store/cosigned.h"

#include "base/json_out.h"
#include "base/log.h"
#include "store/cosigning.h"
#include "store/entry.h"

#define RECORD_VERSION 1
#define WITNESS_SIZE 16 /* bytes of the digest of a verifier key */

/* cosignature: size, then the witness */
static struct key key_of(uint64_t size, struct span witness) {
    struct key key = key_number(size);
    struct digest digest = digest_sha256(witness);
    memcpy(key.bytes + key.size, digest.bytes, WITNESS_SIZE);
    key.size += WITNESS_SIZE;
    return key;
}

/* A row of `cosignature` that is about this size. */
static bool is_about(const struct db_cursor *at, uint64_t size) {
    struct key prefix = key_number(size);
    return at->valid && span_starts(at->key, key_span(&prefix));
}

/* ---- writing */

static void put_line(struct write *w, uint64_t size, const struct store_cosignature *item) {
    struct key key = key_of(size, item->witness);
    struct buffer record = {0};
    buffer_append(&record, &(unsigned char){RECORD_VERSION}, 1);
    buffer_append_span(&record, item->line);
    db_put(&w->txn, DB_COSIGNATURE, key_span(&key), buffer_span(&record));
    buffer_release(&record);
}

static uint64_t append_entry(struct write *w, uint64_t size, const struct store_cosignature *item) {
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    json_out_member(&out, "witness", item->witness);
    json_out_member_int(&out, "size", (int64_t)size);
    json_out_member(&out, "cosignature", span_of(item->line.data, item->line.size - 1));
    const struct entry entry = {.code = STORE_DELIVERY_COSIGNED,
                                .actor = {.role = STORE_BY_SYSTEM},
                                .previous = STORE_INDEX_NONE,
                                .body = buffer_span(&body)};
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    return index;
}

/* The oldest, with its lines. */
static void drop_one(struct write *w) {
    struct db_cursor at;
    struct key first = key_number(0);
    uint64_t size = 0;
    db_cursor_open(&w->txn, DB_CHECKPOINT, &at);
    if (db_cursor_seek(&at, key_span(&first))) {
        size = key_last_number(at.key);
        (void)db_cursor_delete(&at);
    }
    db_cursor_close(&at);
    first = key_number(size);
    db_cursor_open(&w->txn, DB_COSIGNATURE, &at);
    (void)db_cursor_seek(&at, key_span(&first));
    while (is_about(&at, size))
        (void)db_cursor_delete(&at);
    db_cursor_close(&at);
}

enum status change_cosign(struct write *w, struct store_change *change) {
    const struct store_cosigned *cosigned = change->cosigned;
    struct key key = key_number(cosigned->size);
    ASSERT(cosigned->count > 0 && cosigned->size <= w->store->state.tree.size);
    db_put(&w->txn, DB_CHECKPOINT, key_span(&key), cosigned->checkpoint);
    for (uint32_t i = 0; i < cosigned->count; i++) {
        put_line(w, cosigned->size, &cosigned->items[i]);
        if (cosigned->items[i].log)
            change->done.log_index = append_entry(w, cosigned->size, &cosigned->items[i]);
    }
    while (w->txn.status == STATUS_OK && db_count(&w->txn, DB_CHECKPOINT) > STORE_COSIGNED_KEPT)
        drop_one(w);
    w->dirty = true;
    return w->txn.status;
}

/* ---- reading */

/* Appends the lines about this size, where out is not NULL; how many there are. */
static uint32_t read_lines(struct store_reader *reader, uint64_t size, struct buffer *out) {
    struct db_cursor at;
    struct key first = key_number(size);
    uint32_t count = 0;
    db_cursor_open(&reader->txn, DB_COSIGNATURE, &at);
    for (bool more = db_cursor_seek(&at, key_span(&first)); more && is_about(&at, size);
         more = db_cursor_next(&at), count++)
        if (out != NULL)
            buffer_append(out, at.value.data + 1, at.value.size - 1);
    db_cursor_close(&at);
    return count;
}

bool store_cosigned_newest(struct store_reader *reader, uint32_t quorum, struct buffer *out) {
    struct db_cursor at;
    struct key first = key_number(0);
    struct span checkpoint = {0};
    uint64_t size = 0;
    bool met = false;
    db_cursor_open(&reader->txn, DB_CHECKPOINT, &at);
    for (bool more = db_cursor_seek(&at, key_span(&first)); more; more = db_cursor_next(&at)) {
        bool meets = read_lines(reader, key_last_number(at.key), NULL) >= quorum;
        if (met && !meets)
            continue;
        met = meets;
        size = key_last_number(at.key);
        checkpoint = at.value;
    }
    db_cursor_close(&at);
    if (checkpoint.data == NULL)
        return false;
    buffer_append_span(out, checkpoint);
    (void)read_lines(reader, size, out);
    return true;
}

uint64_t store_cosigned_by(struct store_reader *reader, struct span witness) {
    struct db_cursor at;
    struct key first = key_number(0);
    struct span line;
    uint64_t found = 0;
    db_cursor_open(&reader->txn, DB_CHECKPOINT, &at);
    for (bool more = db_cursor_seek(&at, key_span(&first)); more; more = db_cursor_next(&at)) {
        uint64_t size = key_last_number(at.key);
        struct key key = key_of(size, witness);
        if (db_get(&reader->txn, DB_COSIGNATURE, key_span(&key), &line))
            found = size;
    }
    db_cursor_close(&at);
    return found;
}
