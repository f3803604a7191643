/* The log's tree as readers see it (log.h). Threads: the reader's. */
// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"

#include "store/checkpoint.h"
#include "store/entry.h"
#include "store/hashes.h"

uint64_t store_log_size(struct store_reader *reader) {
    return db_count(&reader->txn, DB_LEAF);
}

struct span store_log_checkpoint(struct store_reader *reader) {
    return checkpoint_get(&reader->txn);
}

struct span store_log_verifier_keys(struct store_reader *reader) {
    return checkpoint_keys(&reader->txn);
}

struct tlog_reader store_log_rows(struct store_reader *reader) {
    return hashes_reader(&reader->txn);
}

enum status store_log_leaves(struct store_reader *reader, uint64_t first, uint32_t count,
                             unsigned char *out) {
    struct db_cursor at;
    struct key key = key_number(first);
    struct store_event event;
    uint32_t done = 0;
    db_cursor_open(&reader->txn, DB_LEAF, &at);
    (void)db_cursor_seek(&at, key_span(&key));
    for (; done < count && at.valid && key_last_number(at.key) == first + done; done++) {
        if (record_leaf_decode(first + done, at.value, &event) != STATUS_OK)
            break;
        memcpy(out + done * STORE_LEAF_SIZE, event.leaf.data, STORE_LEAF_SIZE);
        (void)db_cursor_next(&at);
    }
    db_cursor_close(&at);
    return done == count ? STATUS_OK : STATUS_INTERNAL;
}

enum status store_log_head(struct store_reader *reader, struct span tenant, struct buffer *out) {
    uint32_t number = store_name_find(reader, STORE_NAME_MEMBER, tenant);
    struct tenant_head head = {.size = store_log_size(reader), .tenant = tenant};
    for (size_t i = 0; i < tenant.size; i++)
        if ((unsigned char)tenant.data[i] < ' ')
            return STATUS_INVALID_PARAMETER;
    if (number != STORE_NAME_NONE)
        head.seq = tenant_load(&reader->txn, number).seq;
    if (reader->txn.status == STATUS_OK)
        checkpoint_sign_head(&reader->store->log_keys, &head, out);
    return reader->txn.status;
}
