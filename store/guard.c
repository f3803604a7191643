/* The guard file is replaced whole. It is behind the store by GUARD_EVERY_US at most, never ahead:
 * it is read from what was committed. */
// SPDX-License-Identifier: Apache-2.0
#include "store/guard.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "store/checkpoint.h"
#include "store/hashes.h"
#include "tlog/checkpoint.h"

#define GUARD_EVERY_US 1000000
#define GUARD_SIZE_MAX 4096

/* ---- checking */

/* What is wrong with the store, or NULL. */
static const char *fault_of(struct db_txn *txn, const struct store *store, struct span bytes) {
    struct tlog_checkpoint guard;
    struct tlog_tree then;
    struct tlog_reader reader = hashes_reader(txn);
    struct span origin = tlog_key_public(store->log_keys.keys[0])->name;
    if (tlog_checkpoint_parse(bytes, &guard) != STATUS_OK)
        return "holds no checkpoint";
    if (!span_equal(guard.origin, origin))
        return "is of another log";
    if (guard.head.size > store->state.tree.size)
        return "is ahead of the store: an old copy of the store was put back";
    if (tlog_tree_read(&reader, guard.head.size, &then) != STATUS_OK)
        return "cannot be compared with the store";
    struct digest root = tlog_tree_root(&then);
    return digest_equal(&root, &guard.head.root) ? NULL : "is of another history than the store";
}

enum status guard_check(struct store *store, char *why, size_t why_size) {
    const char *path = store->options.guard, *fault = NULL;
    struct buffer bytes = {0};
    struct db_txn txn;
    if (path == NULL)
        return STATUS_OK;
    if (!file_read(path, GUARD_SIZE_MAX, &bytes)) {
        fault = errno == ENOENT ? NULL : strerror(errno);
        if (fault == NULL)
            log_event(LOG_WARN, "store.guard_missing", LOG_INT("entries", store->state.tree.size));
    } else if (db_read_open(store->db, &txn) != STATUS_OK || db_read_renew(&txn) != STATUS_OK) {
        fault = "cannot be compared with the store";
    } else {
        fault = fault_of(&txn, store, buffer_span(&bytes));
        db_read_reset(&txn);
        db_read_close(&txn);
    }
    buffer_release(&bytes);
    if (fault != NULL)
        snprintf(why, why_size, "the guard file %s %s", path, fault);
    return fault == NULL ? STATUS_OK : STATUS_INTERNAL;
}

/* ---- renewing */

static bool read_checkpoint(struct store *store, struct buffer *out) {
    struct db_txn txn;
    if (db_read_open(store->db, &txn) != STATUS_OK)
        return false;
    bool read = db_read_renew(&txn) == STATUS_OK;
    if (read)
        buffer_append_span(out, checkpoint_get(&txn));
    db_read_reset(&txn);
    db_read_close(&txn);
    return read && out->size != 0;
}

void guard_renew(struct store *store, uint64_t now_us, bool at_once) {
    struct guard *guard = &store->guard;
    struct buffer note = {0};
    if (store->options.guard == NULL || guard->size == store->state.tree.size ||
        (!at_once && now_us - guard->renewed_us < GUARD_EVERY_US))
        return;
    guard->renewed_us = now_us;
    if (read_checkpoint(store, &note) && file_replace(store->options.guard, buffer_span(&note))) {
        guard->size = store->state.tree.size;
        guard->failed = false;
    } else if (!guard->failed) {
        guard->failed = true;
        log_event(LOG_ERROR, "store.guard_failed", LOG_TEXT("why", strerror(errno)));
    }
    buffer_release(&note);
}
