/* The data file is replaced by a copy of its rows (scrub.h): written into a directory beside it,
 * compared, checked, renamed over it. The lock file of LMDB goes first: it tells of the
 * transactions of the old file, and a new one is made at the next start. Threads: the tool's one.
 */
// SPDX-License-Identifier: Apache-2.0
#include "store/scrub.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/log.h"
#include "store/internal.h"

#define COPY "scrub.new"
#define CHUNK_BYTES 16777216 /* of one transaction: LMDB takes 131,071 dirty pages */
#define PATH_SIZE 4096

struct scrubbing {
    struct store_scrub *scrub;
    struct db *from, *to;
    struct db_txn read;
    char copy[PATH_SIZE], data[PATH_SIZE], lock[PATH_SIZE]; /* lock: LMDB's */
    char copied[PATH_SIZE];                                 /* the copy's data file */
    char *why;
    size_t why_size;
};

static enum status fail(struct scrubbing *s, const char *what, int code) {
    snprintf(s->why, s->why_size, "%s: %s%s%s", s->scrub->directory, what, code != 0 ? ": " : "",
             code != 0 ? strerror(code) : "");
    return STATUS_INTERNAL;
}

static void step(struct scrubbing *s) {
    if (s->scrub->step != NULL)
        s->scrub->step(s->scrub->context, s->scrub->rows);
}

static bool name(const char *directory, const char *file, char out[PATH_SIZE]) {
    int size = snprintf(out, PATH_SIZE, "%s/%s", directory, file);
    return size > 0 && size < PATH_SIZE;
}

void store_scrub_discard(const char *directory) {
    static const char *const files[] = {COPY "/data.mdb", COPY "/lock.mdb"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < 2; i++)
        if (name(directory, files[i], path))
            (void)unlink(path);
    if (name(directory, COPY, path))
        (void)rmdir(path);
}

/* ---- copying */

/* From the row that the cursor stands on, as many as one transaction takes. */
static enum status copy_chunk(struct scrubbing *s, struct db_cursor *at) {
    struct db_txn write;
    size_t bytes = 0;
    db_write_begin(s->to, &write);
    for (; at->valid && bytes < CHUNK_BYTES; (void)db_cursor_next(at)) {
        db_append(&write, at->table, at->key, at->value);
        bytes += at->key.size + at->value.size;
        s->scrub->rows++;
    }
    return db_write_commit(&write);
}

static enum status copy_table(struct scrubbing *s, enum db_table table) {
    struct db_cursor at;
    enum status status;
    db_cursor_open(&s->read, table, &at);
    (void)db_cursor_seek(&at, SPAN("\0"));
    do {
        status = copy_chunk(s, &at);
        step(s);
    } while (at.valid && status == STATUS_OK);
    db_cursor_close(&at);
    return status == STATUS_OK ? s->read.status : status;
}

static bool same_rows(struct db_txn *one, struct db_txn *other, enum db_table table) {
    struct db_cursor a, b;
    db_cursor_open(one, table, &a);
    db_cursor_open(other, table, &b);
    (void)db_cursor_seek(&a, SPAN("\0"));
    (void)db_cursor_seek(&b, SPAN("\0"));
    while (a.valid && b.valid && span_equal(a.key, b.key) && span_equal(a.value, b.value)) {
        (void)db_cursor_next(&a);
        (void)db_cursor_next(&b);
    }
    bool same = !a.valid && !b.valid && one->status == STATUS_OK && other->status == STATUS_OK;
    db_cursor_close(&a);
    db_cursor_close(&b);
    return same;
}

static enum status compare(struct scrubbing *s) {
    struct db_txn copy;
    bool same = true;
    if (db_read_open(s->to, &copy) != STATUS_OK)
        return fail(s, "the copy cannot be read", 0);
    if (db_read_renew(&copy) == STATUS_OK) {
        for (int table = 0; table < DB_TABLES && same; table++)
            same = same_rows(&s->read, &copy, table);
        db_read_reset(&copy);
    }
    enum status status = copy.status;
    db_read_close(&copy);
    return same && status == STATUS_OK ? STATUS_OK : fail(s, "the copy is not the same", 0);
}

/* Rows in order of their keys, so that each is the greatest yet: pages are filled to their end. */
static enum status copy_rows(struct scrubbing *s) {
    enum status status = db_read_open(s->from, &s->read);
    if (status != STATUS_OK)
        return fail(s, "the store cannot be read", 0);
    status = db_read_renew(&s->read);
    for (int table = 0; table < DB_TABLES && status == STATUS_OK; table++)
        status = copy_table(s, table);
    if (status != STATUS_OK)
        (void)fail(s,
                   status == STATUS_STORAGE_FULL ? "there is no room for the copy"
                                                 : "the copy cannot be written",
                   0);
    else
        status = compare(s);
    if (s->read.status == STATUS_OK)
        db_read_reset(&s->read);
    db_read_close(&s->read);
    return status;
}

/* ---- the swap */

static enum status swap_in(struct scrubbing *s) {
    struct stat before, after;
    if (stat(s->data, &before) != 0 || stat(s->copied, &after) != 0)
        return fail(s, "the data file cannot be looked at", errno);
    if (unlink(s->lock) != 0 && errno != ENOENT)
        return fail(s, "lock.mdb cannot be removed", errno);
    step(s);
    if (rename(s->copied, s->data) != 0)
        return fail(s, "the copy cannot be put in place", errno);
    step(s);
    s->scrub->size_before = (uint64_t)before.st_size;
    s->scrub->size_after = (uint64_t)after.st_size;
    return directory_sync(s->scrub->directory) ? STATUS_OK
                                               : fail(s, "the directory cannot be synced", errno);
}

/* The store's own checks, of the copy with the store's keys. */
static enum status check_copy(struct scrubbing *s, struct store *store) {
    store->db = s->to;
    enum status status = store_check_existing(store, s->why, s->why_size);
    store->db = NULL;
    return status;
}

static enum status make_copy(struct scrubbing *s, struct store *store) {
    if (mkdir(s->copy, 0700) != 0)
        return fail(s, COPY " cannot be made", errno);
    step(s);
    enum status status = db_open(s->copy, 0, &s->to, s->why, s->why_size);
    if (status != STATUS_OK)
        return status;
    status = copy_rows(s);
    if (status == STATUS_OK)
        status = check_copy(s, store);
    db_close(s->to);
    return status;
}

static enum status scrub_locked(struct scrubbing *s, struct store *store) {
    const char *directory = s->scrub->directory;
    store_scrub_discard(directory);
    enum status status = db_open_read_only(directory, &s->from, s->why, s->why_size);
    if (status != STATUS_OK)
        return status;
    if (db_is_read(s->from))
        status = fail(s, "another process reads the store", 0);
    if (status == STATUS_OK)
        status = make_copy(s, store);
    db_close(s->from);
    if (status == STATUS_OK)
        status = swap_in(s);
    store_scrub_discard(directory);
    return status;
}

enum status store_scrub(struct store_scrub *scrub, char *why, size_t why_size) {
    struct scrubbing s = {.scrub = scrub, .why = why, .why_size = why_size};
    struct clock clock;
    clock_init(&clock);
    const struct store_options options = {.directory = scrub->directory, .clock = &clock};
    scrub->rows = 0;
    if (!name(scrub->directory, COPY, s.copy) || !name(scrub->directory, "data.mdb", s.data) ||
        !name(scrub->directory, "lock.mdb", s.lock) ||
        !name(scrub->directory, COPY "/data.mdb", s.copied))
        return fail(&s, "the path is too long", 0);
    if (access(s.data, F_OK) != 0)
        return fail(&s, "holds no store", errno);
    struct store *store = store_make(&options);
    enum status status = store_lock(store, why, why_size);
    if (status == STATUS_OK)
        status = scrub_locked(&s, store);
    store_unmake(store);
    return status;
}
