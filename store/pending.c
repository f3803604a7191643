/* Rows of pending_token: digests by who spoke of them, and for each peer a queue of at most
 * LIMIT_PENDING, so that none fills the store with what nobody will ever ask for. All of it follows
 * from the log: from peer.revocation and peer.message, and from the tokens and links that came
 * later. Threads: as the transactions it is given; writes on the writer. */
// SPDX-License-Identifier: Apache-2.0
#include "store/pending.h"

enum row {
    REVOKED = 't',   /* digest, client name -> entry, place in the queue */
    WITHDRAWN = 'm', /* digest -> entry */
    QUEUE = 'q',     /* peer name, place -> which row */
};
#define ROW_SIZE 17
#define QUEUE_ROW_SIZE (2 + DIGEST_SIZE)

static struct key key_of(enum row kind, const struct digest *token, uint32_t client) {
    struct key key = {.bytes = {(unsigned char)kind}, .size = 1 + DIGEST_SIZE};
    memcpy(key.bytes + 1, token->bytes, DIGEST_SIZE);
    if (kind == REVOKED) {
        key_put_u32(key.bytes + key.size, client);
        key.size += 4;
    }
    return key;
}

static struct key key_place(uint32_t peer, uint64_t place) {
    struct key key = {.bytes = {QUEUE}, .size = 13};
    key_put_u32(key.bytes + 1, peer);
    key_put_u64(key.bytes + 5, place);
    return key;
}

static bool find(struct db_txn *txn, const struct key *key, uint64_t *entry, uint64_t *place) {
    struct span value;
    if (!db_get(txn, DB_PENDING_TOKEN, key_span(key), &value) || value.size != ROW_SIZE)
        return false;
    if (entry != NULL)
        *entry = key_get_u64(value.data + 1);
    if (place != NULL)
        *place = key_get_u64(value.data + 9);
    return true;
}

static void put(struct write *w, const struct key *key, uint64_t entry, uint64_t place) {
    unsigned char value[ROW_SIZE] = {RECORD_VERSION};
    key_put_u64(value + 1, entry);
    key_put_u64(value + 9, place);
    db_put(&w->txn, DB_PENDING_TOKEN, key_span(key), span_of((const char *)value, sizeof value));
}

static void drop(struct write *w, const struct key *key) {
    db_delete(&w->txn, DB_PENDING_TOKEN, key_span(key));
}

/* ---- a peer's queue */

/* The places of its first and last row; false when it has none. */
static bool queue_ends(struct write *w, uint32_t peer, uint64_t *first, uint64_t *last) {
    struct key from = key_place(peer, 0), to = key_place(peer, UINT64_MAX);
    struct db_cursor cursor;
    db_cursor_open(&w->txn, DB_PENDING_TOKEN, &cursor);
    bool some = db_cursor_seek(&cursor, key_span(&from)) && cursor.key.size == from.size &&
                memcmp(cursor.key.data, from.bytes, 5) == 0;
    if (some) {
        *first = key_last_number(cursor.key);
        some = db_cursor_before(&cursor, key_span(&to));
    }
    if (some)
        *last = key_last_number(cursor.key);
    db_cursor_close(&cursor);
    return some;
}

/* What nobody can make use of any more, or has not made use of for so long. A withdrawal that
 * consents depend on stays. */
static void let_go(struct write *w, uint32_t peer, uint64_t place) {
    struct key at = key_place(peer, place);
    struct span value;
    struct digest token;
    uint64_t consent;
    if (!db_get(&w->txn, DB_PENDING_TOKEN, key_span(&at), &value) || value.size != QUEUE_ROW_SIZE)
        return;
    enum row kind = (unsigned char)value.data[1];
    memcpy(token.bytes, value.data + 2, DIGEST_SIZE);
    struct key key = key_of(kind, &token, peer);
    if (kind == REVOKED || !external_dependant(&w->txn, &token, 0, &consent))
        drop(w, &key);
    drop(w, &at);
}

/* Places rise by one: what was applied leaves a gap, so that first and last tell how many there are
 * at most. */
static uint64_t enqueue(struct write *w, uint32_t peer, enum row kind, const struct digest *token) {
    unsigned char value[QUEUE_ROW_SIZE] = {RECORD_VERSION, (unsigned char)kind};
    uint64_t first = 0, last = 0, place = 0;
    while (queue_ends(w, peer, &first, &last) && w->txn.status == STATUS_OK) {
        place = last + 1;
        if (place - first < LIMIT_PENDING)
            break;
        let_go(w, peer, first);
    }
    struct key at = key_place(peer, place);
    memcpy(value + 2, token->bytes, DIGEST_SIZE);
    db_put(&w->txn, DB_PENDING_TOKEN, key_span(&at), span_of((const char *)value, sizeof value));
    return place;
}

/* ---- revoked before it was known */

bool pending_revocation(struct db_txn *txn, const struct digest *token, uint32_t client,
                        uint64_t *entry) {
    struct key key = key_of(REVOKED, token, client);
    return find(txn, &key, entry, NULL);
}

void pending_revoke(struct write *w, const struct digest *token, uint32_t client, uint64_t entry) {
    struct key key = key_of(REVOKED, token, client);
    if (find(&w->txn, &key, NULL, NULL))
        return; /* the first time stands */
    put(w, &key, entry, enqueue(w, client, REVOKED, token));
}

void pending_forget(struct write *w, const struct digest *token, uint32_t client) {
    struct key key = key_of(REVOKED, token, client);
    uint64_t place;
    if (!find(&w->txn, &key, NULL, &place))
        return;
    struct key at = key_place(client, place);
    drop(w, &at);
    drop(w, &key);
}

/* ---- tokens of other stores */

bool external_withdrawn(struct db_txn *txn, const struct digest *token, uint64_t log_index,
                        uint64_t *entry) {
    uint64_t first;
    struct key key = key_of(WITHDRAWN, token, 0);
    if (db_count(txn, DB_PENDING_TOKEN) == 0 || !find(txn, &key, &first, NULL) || first > log_index)
        return false;
    if (entry != NULL)
        *entry = first;
    return true;
}

bool external_dependant(struct db_txn *txn, const struct digest *token, uint64_t from,
                        uint64_t *consent) {
    struct db_cursor cursor;
    struct key key = key_external_link(token, from);
    db_cursor_open(txn, DB_BY_DEPENDENCY, &cursor);
    bool found = db_cursor_seek(&cursor, key_span(&key)) && cursor.key.size == key.size &&
                 memcmp(cursor.key.data, key.bytes, key.size - 8) == 0;
    if (found)
        *consent = key_last_number(cursor.key);
    db_cursor_close(&cursor);
    return found;
}

void external_withdraw(struct write *w, const struct digest *token, uint32_t sender,
                       uint64_t entry) {
    uint64_t consent, place = UINT64_MAX; /* in no queue */
    struct key key = key_of(WITHDRAWN, token, 0);
    if (find(&w->txn, &key, NULL, NULL))
        return;
    if (!external_dependant(&w->txn, token, 0, &consent))
        place = enqueue(w, sender, WITHDRAWN, token);
    put(w, &key, entry, place);
}
