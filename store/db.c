/* LMDB behind store/db.h. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/log.h"
#include "base/mem.h"

#define MAP_SIZE_DEFAULT (1ULL << 40)
#define READERS_MAX 256 /* loops, tools, and room for those that died */

static const char *const table_names[DB_TABLES] = {
    "meta",          "leaf",          "payload",
    "personal",      "consent",       "by_id",
    "by_tenant",     "by_client",     "by_account",
    "by_resource",   "by_external",   "by_arrangement",
    "by_expiry",     "by_dependency", "by_token",
    "log_by_tenant", "log_by_client", "log_by_consent",
    "tenant",        "name",          "job",
    "idempotency",   "pack",          "block",
    "use",           "about_consent", "log_by_transaction",
    "policy",        "request",       "hash",
    "erasure",       "hold",          "checkpoint",
    "cosignature",   "by_end",        "by_step",
    "pending_token", "by_granted",    "outbox",
};

struct db {
    MDB_env *env;
    MDB_dbi tables[DB_TABLES];
};

struct db_view {
    struct db_view *next;
    char bytes[];
};

#ifdef STORE_CHECK_VIEWS
static uint64_t fault_countdown;
static int fault_code;
static bool fault_commit_stored, fault_was_hit;
static _Thread_local uint64_t calls;

void db_fault_set(uint64_t nth, int code, bool commit_stored) {
    fault_countdown = nth;
    fault_code = code;
    fault_commit_stored = commit_stored;
    fault_was_hit = false;
}

bool db_fault_hit(void) {
    return fault_was_hit;
}

uint64_t db_calls(void) {
    return calls;
}

static int fault(void) {
    calls++;
    if (fault_countdown == 0 || --fault_countdown != 0)
        return 0;
    fault_was_hit = true;
    return fault_code;
}
#define FAULT_OR(call) (fault_pending = fault(), fault_pending != 0 ? fault_pending : (call))
#define FAULT_VARIABLE int fault_pending
#else
#define FAULT_OR(call) (call)
#define FAULT_VARIABLE (void)0
#endif

const char *db_table_name(enum db_table table) {
    return table_names[table];
}

static bool means_full(int code) {
    return code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT || code == EFBIG;
}

static void fail(struct db_txn *txn, int code, const char *what) {
    if (txn->status != STATUS_OK)
        return;
    txn->status = means_full(code) ? STATUS_STORAGE_FULL : STATUS_INTERNAL;
    log_event(LOG_ERROR, "store.failed", LOG_TEXT("call", what),
              LOG_TEXT("cause", mdb_strerror(code)), LOG_INT("code", code));
}

static MDB_val val(struct span s) {
    return (MDB_val){s.size, (void *)(uintptr_t)s.data};
}

struct span db_view(struct db_txn *txn, struct span bytes) {
#ifdef STORE_CHECK_VIEWS
    struct db_view *copy = mem_alloc(sizeof *copy + bytes.size + 1);
    memcpy(copy->bytes, bytes.data, bytes.size);
    copy->next = txn->views;
    txn->views = copy;
    return span_of(copy->bytes, bytes.size);
#else
    (void)txn;
    return bytes;
#endif
}

static struct span view(struct db_txn *txn, MDB_val value) {
    return db_view(txn, span_of(value.mv_data, value.mv_size));
}

static void drop_views(struct db_txn *txn) {
    while (txn->views != NULL) {
        struct db_view *next = txn->views->next;
        mem_free(txn->views);
        txn->views = next;
    }
}

/* Handles outlive the transaction that opened them only when it commits, a reader too. */
static int open_tables(struct db *db, bool read_only) {
    MDB_txn *txn;
    int code = mdb_txn_begin(db->env, NULL, read_only ? MDB_RDONLY : 0, &txn);
    if (code != 0)
        return code;
    for (int i = 0; i < DB_TABLES && code == 0; i++)
        code = mdb_dbi_open(txn, table_names[i], read_only ? 0 : MDB_CREATE, &db->tables[i]);
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static int open_env(struct db *db, const char *directory, uint64_t map_size, bool read_only) {
    unsigned flags = read_only ? MDB_NOTLS | MDB_RDONLY : MDB_NOTLS;
    int code = mdb_env_create(&db->env);
    if (code == 0)
        code = mdb_env_set_mapsize(db->env, map_size != 0 ? map_size : MAP_SIZE_DEFAULT);
    if (code == 0)
        code = mdb_env_set_maxdbs(db->env, DB_TABLES + 16);
    if (code == 0)
        code = mdb_env_set_maxreaders(db->env, READERS_MAX);
    if (code == 0)
        code = mdb_env_open(db->env, directory, flags, 0600);
    if (code == 0)
        code = open_tables(db, read_only);
    return code;
}

static int sync_with_parent(const char *directory) {
    struct buffer parent = {0};
    buffer_append_format(&parent, "%s/..%c", directory, '\0');
    int code = directory_sync(directory) && directory_sync(parent.data) ? 0 : errno;
    buffer_release(&parent);
    return code;
}

static enum status opened(struct db *db, int code, const char *directory, char *why,
                          size_t why_size) {
    if (code == 0)
        return STATUS_OK;
    snprintf(why, why_size, "the environment in %s cannot be opened: %s", directory,
             code == MDB_NOTFOUND ? "it has not all tables" : mdb_strerror(code));
    db_close(db);
    return STATUS_INTERNAL;
}

enum status db_open(const char *directory, uint64_t map_size, struct db **out, char *why,
                    size_t why_size) {
    struct db *db = mem_alloc_zeroed(1, sizeof *db);
    int code = open_env(db, directory, map_size, false);
    if (code == 0)
        code = sync_with_parent(directory);
    enum status status = opened(db, code, directory, why, why_size);
    if (status != STATUS_OK)
        return status;
    db_reap_readers(db);
    *out = db;
    return STATUS_OK;
}

enum status db_open_read_only(const char *directory, struct db **out, char *why, size_t why_size) {
    struct db *db = mem_alloc_zeroed(1, sizeof *db);
    enum status status = opened(db, open_env(db, directory, 0, true), directory, why, why_size);
    if (status == STATUS_OK)
        *out = db;
    return status;
}

void db_close(struct db *db) {
    if (db == NULL)
        return;
    if (db->env != NULL)
        mdb_env_close(db->env);
    mem_free(db);
}

void db_reap_readers(struct db *db) {
    int dead = 0;
    (void)mdb_reader_check(db->env, &dead);
    if (dead > 0)
        log_event(LOG_WARN, "store.readers_reaped", LOG_INT("count", dead));
}

/* A heading and a line for each, or one line that says that there is none. */
static int count_line(const char *line, void *count) {
    (void)line;
    ++*(unsigned *)count;
    return 0;
}

bool db_is_read(struct db *db) {
    unsigned lines = 0;
    db_reap_readers(db);
    (void)mdb_reader_list(db->env, count_line, &lines);
    return lines > 1;
}

void db_write_begin(struct db *db, struct db_txn *txn) {
    FAULT_VARIABLE;
    *txn = (struct db_txn){.db = db, .write = true};
    MDB_txn *handle = NULL;
    int code = FAULT_OR(mdb_txn_begin(db->env, NULL, 0, &handle));
    if (code != 0)
        fail(txn, code, "begin");
    else
        txn->handle = handle;
}

static int commit(MDB_txn *handle) {
#ifdef STORE_CHECK_VIEWS
    int code = fault();
    if (code != 0) {
        if (fault_commit_stored)
            (void)mdb_txn_commit(handle);
        else
            mdb_txn_abort(handle);
        return code;
    }
#endif
    return mdb_txn_commit(handle);
}

enum status db_write_commit(struct db_txn *txn) {
    if (txn->status != STATUS_OK) {
        enum status status = txn->status;
        db_write_abort(txn);
        return status;
    }
    int code = commit(txn->handle);
    txn->handle = NULL;
    drop_views(txn);
    if (code == 0)
        return STATUS_OK;
    fail(txn, code, "commit");
    /* Pages are written before the meta page that makes them count: without room for the pages the
     * meta page was not touched (mdb.c, mdb_txn_commit). Any other failure may have come after. */
    return means_full(code) ? STATUS_STORAGE_FULL : STATUS_OUTCOME_UNKNOWN;
}

void db_write_abort(struct db_txn *txn) {
    if (txn->handle != NULL)
        mdb_txn_abort(txn->handle);
    txn->handle = NULL;
    drop_views(txn);
}

enum status db_read_open(struct db *db, struct db_txn *txn) {
    FAULT_VARIABLE;
    *txn = (struct db_txn){.db = db};
    MDB_txn *handle = NULL;
    int code = FAULT_OR(mdb_txn_begin(db->env, NULL, MDB_RDONLY, &handle));
    if (code != 0) {
        fail(txn, code, "reader");
        return STATUS_INTERNAL;
    }
    mdb_txn_reset(handle);
    txn->handle = handle;
    return STATUS_OK;
}

enum status db_read_renew(struct db_txn *txn) {
    FAULT_VARIABLE;
    txn->status = STATUS_OK;
    int code = FAULT_OR(mdb_txn_renew(txn->handle));
    if (code != 0)
        fail(txn, code, "renew");
    return txn->status;
}

void db_read_reset(struct db_txn *txn) {
    mdb_txn_reset(txn->handle);
    drop_views(txn);
}

void db_read_close(struct db_txn *txn) {
    if (txn->handle != NULL)
        mdb_txn_abort(txn->handle);
    txn->handle = NULL;
    drop_views(txn);
}

bool db_get(struct db_txn *txn, enum db_table table, struct span key, struct span *value) {
    FAULT_VARIABLE;
    if (txn->status != STATUS_OK)
        return false;
    MDB_val k = val(key), v;
    int code = FAULT_OR(mdb_get(txn->handle, txn->db->tables[table], &k, &v));
    if (code == 0) {
        *value = view(txn, v);
        return true;
    }
    if (code != MDB_NOTFOUND)
        fail(txn, code, "get");
    return false;
}

static void put(struct db_txn *txn, enum db_table table, struct span key, struct span value,
                unsigned flags) {
    FAULT_VARIABLE;
    if (txn->status != STATUS_OK)
        return;
    MDB_val k = val(key), v = val(value);
    int code = FAULT_OR(mdb_put(txn->handle, txn->db->tables[table], &k, &v, flags));
    if (code != 0)
        fail(txn, code, table_names[table]);
}

void db_put(struct db_txn *txn, enum db_table table, struct span key, struct span value) {
    put(txn, table, key, value, 0);
}

void db_append(struct db_txn *txn, enum db_table table, struct span key, struct span value) {
    put(txn, table, key, value, MDB_APPEND);
}

static void put_rising(struct db_txn *txn, enum db_table table, struct span key, struct span value,
                       unsigned otherwise) {
    FAULT_VARIABLE;
    if (txn->status != STATUS_OK)
        return;
    MDB_val k = val(key), v = val(value);
    int code = FAULT_OR(mdb_put(txn->handle, txn->db->tables[table], &k, &v, MDB_APPEND));
    if (code == MDB_KEYEXIST) /* said of any key that is not the greatest, before it writes */
        put(txn, table, key, value, otherwise);
    else if (code != 0)
        fail(txn, code, table_names[table]);
}

void db_put_rising(struct db_txn *txn, enum db_table table, struct span key, struct span value) {
    put_rising(txn, table, key, value, 0);
}

void db_insert(struct db_txn *txn, enum db_table table, struct span key, struct span value) {
    put(txn, table, key, value, MDB_NOOVERWRITE);
}

void db_insert_rising(struct db_txn *txn, enum db_table table, struct span key, struct span value) {
    put_rising(txn, table, key, value, MDB_NOOVERWRITE);
}

void db_delete(struct db_txn *txn, enum db_table table, struct span key) {
    FAULT_VARIABLE;
    if (txn->status != STATUS_OK)
        return;
    MDB_val k = val(key);
    int code = FAULT_OR(mdb_del(txn->handle, txn->db->tables[table], &k, NULL));
    if (code != 0 && code != MDB_NOTFOUND)
        fail(txn, code, "delete");
}

uint64_t db_count(struct db_txn *txn, enum db_table table) {
    FAULT_VARIABLE;
    if (txn->status != STATUS_OK)
        return 0;
    MDB_stat stat = {0};
    int code = FAULT_OR(mdb_stat(txn->handle, txn->db->tables[table], &stat));
    if (code != 0)
        fail(txn, code, "stat");
    return stat.ms_entries;
}

void db_cursor_open(struct db_txn *txn, enum db_table table, struct db_cursor *out) {
    FAULT_VARIABLE;
    *out = (struct db_cursor){.txn = txn, .table = table};
    if (txn->status != STATUS_OK)
        return;
    MDB_cursor *handle = NULL;
    int code = FAULT_OR(mdb_cursor_open(txn->handle, txn->db->tables[table], &handle));
    if (code != 0)
        fail(txn, code, "cursor");
    else
        out->handle = handle;
}

void db_cursor_close(struct db_cursor *cursor) {
    if (cursor->handle != NULL)
        mdb_cursor_close(cursor->handle);
    cursor->handle = NULL;
    cursor->valid = false;
}

static bool move(struct db_cursor *cursor, MDB_cursor_op op, struct span key) {
    FAULT_VARIABLE;
    cursor->valid = false;
    if (cursor->handle == NULL || cursor->txn->status != STATUS_OK)
        return false;
    MDB_val k = val(key), v;
    int code = FAULT_OR(mdb_cursor_get(cursor->handle, &k, &v, op));
    if (code != 0) {
        if (code != MDB_NOTFOUND)
            fail(cursor->txn, code, "cursor move");
        return false;
    }
    cursor->key = view(cursor->txn, k);
    cursor->value = view(cursor->txn, v);
    cursor->valid = true;
    return true;
}

bool db_cursor_seek(struct db_cursor *cursor, struct span key) {
    return move(cursor, MDB_SET_RANGE, key);
}

bool db_cursor_next(struct db_cursor *cursor) {
    return move(cursor, MDB_NEXT, SPAN_NONE);
}

bool db_cursor_last(struct db_cursor *cursor) {
    return move(cursor, MDB_LAST, SPAN_NONE);
}

bool db_cursor_before(struct db_cursor *cursor, struct span key) {
    if (move(cursor, MDB_SET_RANGE, key))
        return move(cursor, MDB_PREV, SPAN_NONE);
    return move(cursor, MDB_LAST, SPAN_NONE);
}

bool db_cursor_delete(struct db_cursor *cursor) {
    FAULT_VARIABLE;
    if (!cursor->valid || cursor->txn->status != STATUS_OK)
        return false;
    int code = FAULT_OR(mdb_cursor_del(cursor->handle, 0));
    if (code != 0) {
        fail(cursor->txn, code, "cursor delete");
        cursor->valid = false;
        return false;
    }
    /* After a delete the cursor stands on the next row, if there is one: MDB_GET_CURRENT there
     * would be EINVAL past the end, MDB_NEXT knows that it must not skip (C_DEL). */
    return move(cursor, MDB_NEXT, SPAN_NONE);
}

void db_room_get(struct db *db, struct db_room *out) {
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_info(db->env, &info);
    mdb_env_stat(db->env, &stat);
    out->used = (info.me_last_pgno + 1) * stat.ms_psize;
    out->size = info.me_mapsize;
}

uint64_t db_free_bytes(struct db_txn *txn) {
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_stat stat;
    uint64_t pages = 0;
    if (txn->status != STATUS_OK || mdb_cursor_open(txn->handle, 0, &cursor) != 0)
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t count; /* the value is an ID list: its length, then the page numbers */
        memcpy(&count, value.mv_data, sizeof count);
        pages += count;
    }
    mdb_cursor_close(cursor);
    mdb_env_stat(txn->db->env, &stat);
    return pages * stat.ms_psize;
}
