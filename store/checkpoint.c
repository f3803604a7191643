/* Checkpoints and the keys that sign them; see checkpoint.h. */
// SPDX-License-Identifier: Apache-2.0
#include "store/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/log.h"
#include "store/entry.h"
#include "tlog/checkpoint.h"

#define CHECKPOINT_KEY SPAN("checkpoint")
#define KEYS_KEY SPAN("keys") /* the verifier keys in force, each with a newline */
#define HEADS "/heads"
#define PATH_SIZE 4096
#define VKEY_MAX (LIMIT_URL + TLOG_VKEY_SIZE)

static const char *const key_files[LOG_KEYS_MAX] = {"keys/log.key", "keys/log.next.key"};

/* ---- keys */

static enum status load_one(struct store *store, struct span origin, const char *path, char *why,
                            size_t size) {
    struct tlog_key *key;
    if (tlog_key_load(path, &key) != STATUS_OK) {
        snprintf(why, size, "%s is not a signing key", path);
        return STATUS_INTERNAL;
    }
    char heads[LIMIT_URL + sizeof HEADS];
    snprintf(heads, sizeof heads, "%.*s" HEADS, SPAN_ARG(origin));
    store->log_keys.heads[store->log_keys.count] = tlog_key_renamed(key, span_of_text(heads));
    store->log_keys.keys[store->log_keys.count++] = key;
    const struct tlog_vkey *public = tlog_key_public(key);
    if (public->type == TLOG_KEY_ED25519 && span_equal(public->name, origin))
        return STATUS_OK;
    snprintf(why, size, "%s is not a key of the log \"%.*s\"", path, SPAN_ARG(origin));
    return STATUS_INTERNAL;
}

enum status log_keys_load(struct store *store, struct span origin, char *why, size_t why_size) {
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < LOG_KEYS_MAX && status == STATUS_OK; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", store->options.directory, key_files[i]);
        if (i == 0 || access(path, F_OK) == 0)
            status = load_one(store, origin, path, why, why_size);
    }
    return status;
}

enum status log_keys_create(const struct store *store, char *why, size_t why_size) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", store->options.directory, key_files[0]);
    if (access(path, F_OK) == 0 ||
        tlog_key_create(path, span_of_text(store->options.origin)) == STATUS_OK)
        return STATUS_OK;
    snprintf(why, why_size, "%s cannot be made: %s", path, strerror(errno));
    return STATUS_INTERNAL;
}

void log_keys_release(struct log_keys *keys) {
    for (unsigned i = 0; i < keys->count; i++) {
        tlog_key_free(keys->keys[i]);
        tlog_key_free(keys->heads[i]);
    }
    keys->count = 0;
}

static void add_line(struct buffer *out, const struct tlog_key *key) {
    char text[VKEY_MAX];
    tlog_key_vkey(key, text, sizeof text);
    buffer_append_text(out, text);
    buffer_append_text(out, "\n");
}

static bool has_line(struct span lines, struct span line) {
    return memmem(lines.data, lines.size, line.data, line.size) != NULL;
}

static struct span next_line(struct span *lines) {
    size_t size = (size_t)((const char *)memchr(lines->data, '\n', lines->size) - lines->data) + 1;
    struct span line = span_of(lines->data, size);
    *lines = span_of(lines->data + size, lines->size - size);
    return line;
}

/* Entries for the lines of `these` that `those` lacks. */
static void log_differences(struct write *w, enum store_event_code code, struct span these,
                            struct span those) {
    while (these.size != 0) {
        struct span line = next_line(&these);
        struct buffer body = {0};
        if (has_line(those, line))
            continue;
        struct json_out out = json_out_to(&body);
        json_out_member(&out, "verifierKey", span_of(line.data, line.size - 1));
        struct entry entry = {.code = code,
                              .actor = {.role = STORE_BY_SYSTEM},
                              .previous = STORE_INDEX_NONE,
                              .body = buffer_span(&body)};
        (void)entry_append(w, &entry);
        buffer_release(&body);
    }
}

void checkpoint_genesis(struct write *w) {
    struct buffer first = {0};
    add_line(&first, w->store->log_keys.keys[0]);
    db_put(&w->txn, DB_META, KEYS_KEY, buffer_span(&first));
    buffer_release(&first);
}

enum status checkpoint_settle_keys(struct store *store, char *why, size_t why_size) {
    struct write w;
    struct buffer now = {0}, before = {0};
    struct span stored;
    for (unsigned i = 0; i < store->log_keys.count; i++)
        add_line(&now, store->log_keys.keys[i]);
    write_begin(store, &w);
    if (db_get(&w.txn, DB_META, KEYS_KEY, &stored))
        buffer_append_span(&before, stored);
    if (!span_equal(buffer_span(&before), buffer_span(&now))) {
        log_differences(&w, STORE_KEY_ADDED, buffer_span(&now), buffer_span(&before));
        log_differences(&w, STORE_KEY_RETIRED, buffer_span(&before), buffer_span(&now));
        db_put(&w.txn, DB_META, KEYS_KEY, buffer_span(&now));
        w.dirty = true;
    }
    buffer_release(&now);
    buffer_release(&before);
    if (write_commit(&w) == STATUS_OK)
        return STATUS_OK;
    snprintf(why, why_size, "the change of the log's keys could not be written");
    return STATUS_INTERNAL;
}

/* ---- checkpoints */

static void sign(struct tlog_key *const *keys, unsigned count, struct span text,
                 struct buffer *out) {
    tlog_note_put_text(out, text);
    for (unsigned i = 0; i < count; i++)
        tlog_note_put_signature(out, keys[i], text);
}

void checkpoint_put(struct write *w, const struct digest *root) {
    const struct log_keys *keys = &w->store->log_keys;
    struct buffer text = {0}, note = {0};
    ASSERT(keys->count > 0);
    struct tlog_head head = {w->state.tree.size, *root};
    tlog_checkpoint_put_text(&text, tlog_key_public(keys->keys[0])->name, &head, SPAN_NONE);
    sign(keys->keys, keys->count, buffer_span(&text), &note);
    db_put(&w->txn, DB_META, CHECKPOINT_KEY, buffer_span(&note));
    buffer_release(&text);
    buffer_release(&note);
}

struct span checkpoint_get(struct db_txn *txn) {
    struct span note = SPAN_NONE;
    (void)db_get(txn, DB_META, CHECKPOINT_KEY, &note);
    return note;
}

struct span checkpoint_keys(struct db_txn *txn) {
    struct span lines = SPAN_NONE;
    (void)db_get(txn, DB_META, KEYS_KEY, &lines);
    return lines;
}

const char *checkpoint_fault(const struct store *store, const struct tlog_tree *tree,
                             struct span note) {
    struct tlog_checkpoint checkpoint;
    struct tlog_vkey trusted[LOG_KEYS_MAX];
    struct digest root = tlog_tree_root(tree);
    for (unsigned i = 0; i < store->log_keys.count; i++)
        trusted[i] = *tlog_key_public(store->log_keys.keys[i]);
    const struct tlog_trust trust = {
        .origin = trusted[0].name, .keys = trusted, .key_count = store->log_keys.count};
    if (!span_present(note) || tlog_checkpoint_parse(note, &checkpoint) != STATUS_OK)
        return "the store has no checkpoint";
    if (tlog_checkpoint_verify(&checkpoint, &trust) != STATUS_OK)
        return "no key in keys/ has signed the last checkpoint";
    if (checkpoint.head.size != tree->size || !digest_equal(&checkpoint.head.root, &root))
        return "the last checkpoint is not that of the log";
    return NULL;
}

void checkpoint_sign_head(const struct log_keys *keys, const struct tenant_head *head,
                          struct buffer *out) {
    struct buffer text = {0};
    ASSERT(keys->count > 0);
    struct span name = tlog_key_public(keys->heads[0])->name;
    buffer_append_format(&text, "%.*s\n%llu\n%.*s\n%llu\n", SPAN_ARG(name),
                         (unsigned long long)head->size, SPAN_ARG(head->tenant),
                         (unsigned long long)head->seq);
    sign(keys->heads, keys->count, buffer_span(&text), out);
    buffer_release(&text);
}
