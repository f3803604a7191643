/* The meta rows: who this store is, and the state that each commit carries forward; and the checks
 * at start, whose cost does not grow with the log. Main thread at start, then writer thread. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "base/log.h"
#include "store/checkpoint.h"
#include "store/entry.h"
#include "store/hashes.h"
#include "tlog/leaf.h"

#define STATE_KEY SPAN("state")
#define IDENTITY_KEY SPAN("identity")
#define NAME_KINDS (STORE_NAME_REASON + 1)
#define STATE_HEAD_SIZE (1 + 8 + 8 + 8 + 4 + DIGEST_SIZE + 4 * NAME_KINDS + 8 + DIGEST_SIZE + 1)

static struct digest key_check(const struct store *store) {
    const struct span text = SPAN("consentd/mac-key/v1");
    return digest_hmac(span_of((const char *)store->mac_key, MAC_KEY_SIZE), &text, 1);
}

void state_save(struct db_txn *txn, const struct state *state, const struct digest *root) {
    unsigned char value[STATE_HEAD_SIZE + 64 * DIGEST_SIZE] = {FORMAT_VERSION};
    unsigned char *at = value + 1;
    key_put_u64(at, state->next_consent);
    key_put_u64(at + 8, state->next_job);
    key_put_u64(at + 16, (uint64_t)state->last_time);
    key_put_u32(at + 24, state->idempotency_day);
    at += 28;
    memcpy(at, state->pack.bytes, DIGEST_SIZE);
    at += DIGEST_SIZE;
    for (int i = 0; i < NAME_KINDS; i++, at += 4)
        key_put_u32(at, state->next_name[i]);
    key_put_u64(at, state->tree.size);
    memcpy(at + 8, root->bytes, DIGEST_SIZE);
    at += 8 + DIGEST_SIZE;
    *at++ = (unsigned char)state->tree.peak_count;
    memcpy(at, state->tree.peaks, state->tree.peak_count * sizeof *state->tree.peaks);
    at += state->tree.peak_count * sizeof *state->tree.peaks;
    db_put(txn, DB_META, STATE_KEY, span_of((const char *)value, (size_t)(at - value)));
}

static bool decode(struct span value, struct state *out, struct digest *root) {
    if (value.size < STATE_HEAD_SIZE || value.data[0] != FORMAT_VERSION)
        return false;
    const char *at = value.data + 1;
    out->next_consent = key_get_u64(at);
    out->next_job = key_get_u64(at + 8);
    out->last_time = (int64_t)key_get_u64(at + 16);
    out->idempotency_day = key_get_u32(at + 24);
    at += 28;
    memcpy(out->pack.bytes, at, DIGEST_SIZE);
    at += DIGEST_SIZE;
    for (int i = 0; i < NAME_KINDS; i++, at += 4)
        out->next_name[i] = key_get_u32(at);
    out->tree.size = key_get_u64(at);
    memcpy(root->bytes, at + 8, DIGEST_SIZE);
    at += 8 + DIGEST_SIZE;
    out->tree.peak_count = (unsigned char)*at++;
    size_t peaks = out->tree.peak_count * sizeof *out->tree.peaks;
    if (out->tree.peak_count > 64 || value.size != STATE_HEAD_SIZE + peaks)
        return false;
    memcpy(out->tree.peaks, at, peaks);
    return true;
}

static enum status check_identity(struct store *store, struct db_txn *txn, char *why, size_t size) {
    struct span value;
    struct digest check = key_check(store);
    const char *origin = store->options.origin;
    if (!db_get(txn, DB_META, IDENTITY_KEY, &value) || value.size < 1 + DIGEST_SIZE ||
        value.data[0] != FORMAT_VERSION)
        return status_refuse(why, size, "the store has no identity of format %d", FORMAT_VERSION);
    if (memcmp(value.data + 1, check.bytes, DIGEST_SIZE) != 0)
        return status_refuse(why, size, "keys/mac.key is not the key this store was made with");
    struct span stored = span_of(value.data + 1 + DIGEST_SIZE, value.size - 1 - DIGEST_SIZE);
    if (origin != NULL && !span_is(stored, origin))
        return status_refuse(why, size, "the log's origin is \"%.*s\", not \"%s\"",
                             SPAN_ARG(stored), origin);
    return log_keys_load(store, stored, why, size);
}

/* ---- what is wrong, named: read only where something is, for it reads a whole table */

/* The first number that has no row, of a table with a row for each. */
static uint64_t first_gap(struct db_txn *txn, enum db_table table) {
    struct db_cursor cursor;
    uint64_t next = 0;
    db_cursor_open(txn, table, &cursor);
    for (bool on = db_cursor_seek(&cursor, SPAN("\0")); on && key_last_number(cursor.key) == next;
         on = db_cursor_next(&cursor))
        next++;
    db_cursor_close(&cursor);
    return next;
}

static enum status refuse_leaves(struct db_txn *txn, uint64_t expected, char *why, size_t size) {
    uint64_t gap = first_gap(txn, DB_LEAF);
    return status_refuse(why, size, "the log has %llu leaves, not %llu: entry %llu has %s",
                         (unsigned long long)db_count(txn, DB_LEAF), (unsigned long long)expected,
                         (unsigned long long)(gap < expected ? gap : expected),
                         gap < expected ? "none" : "one");
}

static enum status refuse_consents(struct db_txn *txn, uint64_t expected, char *why, size_t size) {
    uint64_t gap = first_gap(txn, DB_CONSENT);
    if (gap < expected)
        return status_refuse(why, size,
                             "the counts of consents and ids disagree: consent %llu "
                             "has no row",
                             (unsigned long long)gap);
    return status_refuse(why, size, "the counts of consents and ids disagree");
}

static enum status refuse_hashes(struct db_txn *txn, uint64_t entries, char *why, size_t size) {
    uint32_t level;
    uint64_t row;
    if (hashes_gap(txn, entries, &level, &row))
        return status_refuse(why, size,
                             "hashes of the log's tree are missing: from row %llu of level %u",
                             (unsigned long long)row, level);
    return status_refuse(why, size, "the log's tree has more hashes than entries");
}

/* ---- the checks */

/* The tree that its rows make must be the one the state has: same peaks, so the same root. */
static enum status check_tree(struct db_txn *txn, const struct tlog_tree *tree, char *why,
                              size_t size) {
    struct tlog_tree read;
    struct tlog_reader reader = hashes_reader(txn);
    if (db_count(txn, DB_HASH) != hashes_records(tree->size) ||
        tlog_tree_read(&reader, tree->size, &read) != STATUS_OK)
        return refuse_hashes(txn, tree->size, why, size);
    if (tree->peak_count != read.peak_count ||
        memcmp(tree->peaks, read.peaks, read.peak_count * sizeof *read.peaks) != 0)
        return status_refuse(why, size, "the log's hashes do not make its root");
    return STATUS_OK;
}

/* The last entry must open: leaf and payload agree, and the tree ends in that leaf. */
static enum status check_last_entry(struct db_txn *txn, const struct state *state, char *why,
                                    size_t size) {
    struct span leaf, payload;
    struct record_payload opened;
    struct store_event event;
    if (state->tree.size == 0)
        return status_refuse(why, size, "the log has no genesis entry");
    struct key key = key_number(state->tree.size - 1);
    if (!db_get(txn, DB_LEAF, key_span(&key), &leaf) ||
        record_leaf_decode(state->tree.size - 1, leaf, &event) != STATUS_OK)
        return status_refuse(why, size, "the last log entry is missing");
    struct digest hash = tlog_leaf_hash((const unsigned char *)event.leaf.data), stored;
    if (hashes_read(txn, 0, state->tree.size - 1, 1, &stored) != STATUS_OK ||
        !digest_equal(&hash, &stored))
        return status_refuse(why, size, "the last log entry is not the one under the root");
    if (!db_get(txn, DB_PAYLOAD, key_span(&key), &payload))
        return STATUS_OK; /* erased */
    if (record_payload_decode(payload, &opened) != STATUS_OK)
        return status_refuse(why, size, "the last payload is damaged");
    struct digest commitment =
        tlog_commitment((const unsigned char *)opened.salt.data, opened.bytes);
    if (memcmp(commitment.bytes, event.leaf.data + 4, DIGEST_SIZE) != 0)
        return status_refuse(why, size, "the last payload does not open its commitment");
    return STATUS_OK;
}

/* In the same snapshot: a writer beside a tool that only reads signs another with each commit. */
static enum status check_checkpoint(const struct store *store, struct db_txn *txn,
                                    const struct state *state, char *why, size_t size) {
    const char *fault = checkpoint_fault(store, &state->tree, checkpoint_get(txn));
    return fault == NULL ? STATUS_OK : status_refuse(why, size, "%s", fault);
}

static enum status check_state(struct store *store, struct db_txn *txn, char *why, size_t size) {
    struct span value;
    struct state state = {.next_consent = 0};
    struct digest stored_root;
    if (!db_get(txn, DB_META, STATE_KEY, &value) || !decode(value, &state, &stored_root))
        return status_refuse(why, size, "the store has no state of format %d", FORMAT_VERSION);
    struct digest root = tlog_tree_root(&state.tree);
    if (!digest_equal(&root, &stored_root) ||
        state.tree.peak_count != (uint32_t)__builtin_popcountll(state.tree.size))
        return status_refuse(why, size, "the log's root does not follow from its peaks");
    if (db_count(txn, DB_LEAF) != state.tree.size)
        return refuse_leaves(txn, state.tree.size, why, size);
    if (db_count(txn, DB_CONSENT) != state.next_consent ||
        db_count(txn, DB_BY_ID) != state.next_consent)
        return refuse_consents(txn, state.next_consent, why, size);
    enum status status = check_tree(txn, &state.tree, why, size);
    if (status == STATUS_OK)
        status = check_last_entry(txn, &state, why, size);
    if (status == STATUS_OK)
        status = check_checkpoint(store, txn, &state, why, size);
    if (status == STATUS_OK)
        store->state = state;
    return status;
}

enum status state_check(struct store *store, char *why, size_t why_size) {
    struct db_txn txn;
    if (db_read_open(store->db, &txn) != STATUS_OK || db_read_renew(&txn) != STATUS_OK)
        return status_refuse(why, why_size, "the store cannot be read");
    enum status status = check_identity(store, &txn, why, why_size);
    if (status == STATUS_OK)
        status = check_state(store, &txn, why, why_size);
    db_read_reset(&txn);
    db_read_close(&txn);
    return status;
}

bool state_exists(struct store *store) {
    struct db_txn txn;
    struct span value;
    if (db_read_open(store->db, &txn) != STATUS_OK)
        return true; /* the checks will say more */
    bool exists = db_read_renew(&txn) != STATUS_OK || db_count(&txn, DB_META) != 0 ||
                  db_get(&txn, DB_META, STATE_KEY, &value) || db_count(&txn, DB_LEAF) != 0;
    db_read_reset(&txn);
    db_read_close(&txn);
    return exists;
}

enum status state_create(struct store *store, char *why, size_t why_size) {
    struct write w;
    struct buffer identity = {0}, body = {0};
    struct digest check = key_check(store);
    write_begin(store, &w);
    buffer_append(&identity, &(unsigned char){FORMAT_VERSION}, 1);
    buffer_append(&identity, check.bytes, sizeof check.bytes);
    buffer_append_text(&identity, store->options.origin);
    db_insert(&w.txn, DB_META, IDENTITY_KEY, buffer_span(&identity));
    struct json_out out = json_out_to(&body);
    json_out_member(&out, "origin", span_of_text(store->options.origin));
    char verifier[LIMIT_URL + TLOG_VKEY_SIZE];
    tlog_key_vkey(store->log_keys.keys[0], verifier, sizeof verifier);
    json_out_member(&out, "verifierKey", span_of_text(verifier));
    json_out_member_int(&out, "format", FORMAT_VERSION);
    struct entry genesis = {.code = STORE_LOG_GENESIS,
                            .actor = {.role = STORE_BY_SYSTEM},
                            .previous = STORE_INDEX_NONE,
                            .body = buffer_span(&body)};
    (void)entry_append(&w, &genesis);
    checkpoint_genesis(&w);
    buffer_release(&identity);
    buffer_release(&body);
    if (write_commit(&w) == STATUS_OK)
        return STATUS_OK;
    return status_refuse(why, why_size, "a new log could not be written");
}
