/* The guard file is replaced whole: written beside, synced, renamed, its directory synced. It is
 * behind the store by GUARD_EVERY_US at most, never ahead: it is read from what was committed. */
// SPDX-License-Identifier: Apache-2.0
#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/log.h"
#include "store/checkpoint.h"
#include "store/hashes.h"
#include "tlog/checkpoint.h"

#define GUARD_EVERY_US 1000000
#define GUARD_SIZE_MAX 4096
#define PATH_SIZE 4096

/* ---- checking */

/* Reads the file; false with errno. */
static bool read_file(const char *path, struct buffer *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, buffer_reserve(out, GUARD_SIZE_MAX), GUARD_SIZE_MAX);
    int code = errno;
    close(fd);
    errno = code;
    out->size += got > 0 ? (size_t)got : 0;
    return got >= 0;
}

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
    if (!read_file(path, &bytes)) {
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

static bool sync_directory_of(const char *path) {
    char copy[PATH_SIZE];
    snprintf(copy, sizeof copy, "%s", path);
    return directory_sync(dirname(copy));
}

static bool replace_file(const char *path, struct span bytes) {
    char beside[PATH_SIZE];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool written = write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    return written && rename(beside, path) == 0 && sync_directory_of(path);
}

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
    if (read_checkpoint(store, &note) && replace_file(store->options.guard, buffer_span(&note))) {
        guard->size = store->state.tree.size;
        guard->failed = false;
    } else if (!guard->failed) {
        guard->failed = true;
        log_event(LOG_ERROR, "store.guard_failed", LOG_TEXT("why", strerror(errno)));
    }
    buffer_release(&note);
}
