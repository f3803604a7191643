/* The door to LMDB: tables, transactions with a sticky status, cursors. Straight-line calls, one
 * test at the end: once a call failed, the following ones do nothing. Library codes are translated
 * here and nowhere else. Private to store/.
 *
 * LMDB 0.9.24: a put after a failed put is MDB_BAD_TXN; a handle opened in a reader dies at its
 * reset; neither the directory nor its parent is ever fsynced (test_store_db). */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum db_table {
    DB_META,
    DB_LEAF,
    DB_PAYLOAD,
    DB_PERSONAL,
    DB_CONSENT,
    DB_BY_ID,
    DB_BY_TENANT,
    DB_BY_CLIENT,
    DB_BY_ACCOUNT,
    DB_BY_RESOURCE,
    DB_BY_EXTERNAL,
    DB_BY_ARRANGEMENT,
    DB_BY_EXPIRY,
    DB_BY_DEPENDENCY,
    DB_BY_TOKEN,
    DB_LOG_BY_TENANT,
    DB_LOG_BY_CLIENT,
    DB_LOG_BY_CONSENT,
    DB_TENANT,
    DB_NAME,
    DB_JOB,
    DB_IDEMPOTENCY,
    DB_PACK,
    DB_BLOCK,
    DB_USE,
    DB_ABOUT_CONSENT,
    DB_LOG_BY_TRANSACTION,
    DB_POLICY,
    DB_REQUEST,
    DB_HASH,
    DB_ERASURE,
    DB_HOLD,
    DB_CHECKPOINT,
    DB_COSIGNATURE,
    DB_BY_END,
    DB_BY_STEP,
    DB_PENDING_TOKEN,
    DB_BY_GRANTED,
    DB_OUTBOX,
    DB_TABLES
};
const char *db_table_name(enum db_table table);

struct db;
/* Opens the environment in directory (made by the caller), all tables in one committed
 * transaction, and fsyncs the directory and its parent. STATUS_INTERNAL with *why on failure. */
MUST_CHECK enum status db_open(const char *directory, uint64_t map_size, struct db **out, char *why,
                               size_t why_size);
/* The same to read only, beside a process that writes: makes and changes nothing but this process's
 * place among the readers. The tables must be there. */
MUST_CHECK enum status db_open_read_only(const char *directory, struct db **out, char *why,
                                         size_t why_size);
void db_close(struct db *db);
/* Clears readers of processes that died. */
void db_reap_readers(struct db *db);
/* Whether a reader of any living process is open on it, this one's included. */
bool db_is_read(struct db *db);

struct db_view; /* a heap copy, in checked builds */
struct db_txn {
    struct db *db;
    void *handle; /* MDB_txn */
    bool write;
    enum status status; /* sticky: STORAGE_FULL or INTERNAL */
    struct db_view *views;
};

/* A write transaction; at most one exists. On failure txn->status is set and calls do nothing. */
void db_write_begin(struct db *db, struct db_txn *txn);
/* Commits. STATUS_STORAGE_FULL: nothing was stored. STATUS_OUTCOME_UNKNOWN: it may have been.
 * Another sticky status: aborted, nothing stored. */
MUST_CHECK enum status db_write_commit(struct db_txn *txn);
void db_write_abort(struct db_txn *txn);

/* A read transaction that is kept and renewed: open once per reader. */
MUST_CHECK enum status db_read_open(struct db *db, struct db_txn *txn);
MUST_CHECK enum status db_read_renew(struct db_txn *txn);
void db_read_reset(struct db_txn *txn);
void db_read_close(struct db_txn *txn);

/* True and a view when found. In a write transaction the view dies at the next put or delete. */
bool db_get(struct db_txn *txn, enum db_table table, struct span key, struct span *value);
/* The same bytes as a view of the transaction: they are someone's who outlives it, but in checked
 * builds die with its views. */
struct span db_view(struct db_txn *txn, struct span bytes);
void db_put(struct db_txn *txn, enum db_table table, struct span key, struct span value);
/* key is greater than every key of the table. */
void db_append(struct db_txn *txn, enum db_table table, struct span key, struct span value);
/* db_put where the key usually is the greatest: then the last page is filled to its end, not split
 * before it. */
void db_put_rising(struct db_txn *txn, enum db_table table, struct span key, struct span value);
/* Fails with STATUS_INTERNAL when the key exists: it was checked before. */
void db_insert(struct db_txn *txn, enum db_table table, struct span key, struct span value);
void db_insert_rising(struct db_txn *txn, enum db_table table, struct span key, struct span value);
/* No error when absent. */
void db_delete(struct db_txn *txn, enum db_table table, struct span key);
uint64_t db_count(struct db_txn *txn, enum db_table table);

struct db_cursor {
    struct db_txn *txn;
    enum db_table table;
    void *handle;           /* MDB_cursor */
    bool valid;             /* stands on a row */
    struct span key, value; /* views of that row */
};
void db_cursor_open(struct db_txn *txn, enum db_table table, struct db_cursor *out);
void db_cursor_close(struct db_cursor *cursor);
/* Each returns cursor->valid. */
bool db_cursor_seek(struct db_cursor *cursor, struct span key); /* first row >= key */
bool db_cursor_next(struct db_cursor *cursor);
bool db_cursor_last(struct db_cursor *cursor);
/* The last row whose key is < key. */
bool db_cursor_before(struct db_cursor *cursor, struct span key);
/* Deletes the row it stands on and moves to the next. */
bool db_cursor_delete(struct db_cursor *cursor);

struct db_room {
    uint64_t used, size; /* bytes of the map */
};
void db_room_get(struct db *db, struct db_room *out);
/* Bytes in pages of the free list; walks it. */
uint64_t db_free_bytes(struct db_txn *txn);

#ifdef STORE_CHECK_VIEWS
/* Test builds: the n-th LMDB call from now on fails with this library code (n >= 1); 0: never.
 * With commit_stored, a failing commit is carried out all the same. */
void db_fault_set(uint64_t nth, int code, bool commit_stored);
/* True when the planted fault was hit. */
bool db_fault_hit(void);
uint64_t db_calls(void); /* of LMDB that this thread has made, reads without a fault too */
#endif

#endif
