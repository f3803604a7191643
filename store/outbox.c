/* Rows of the outbox: `c` || consent -> the message, and `d` || due || consent while it waits.
 * Tokens are sealed under a key that follows from mac.key, bound to the consent and the entry that
 * ended it. Threads: the writer, and readers for what says so. */
// SPDX-License-Identifier: Apache-2.0
#include "store/outbox.h"

#include "base/json_out.h"
#include "base/log.h"
#include "base/seal.h"
#include "store/outboxing.h"
#include "store/walk.h"

#define HEAD_SIZE 30 /* version, state, entry, queued, due, attempts, then what is sealed */

/* A row, decoded; sealed is a view. */
struct row {
    enum store_message_state state;
    uint64_t ending;
    int64_t queued_at, due;
    uint32_t attempts;
    struct span sealed;
};

static struct key key_of(uint64_t consent) {
    struct key key = {.bytes = {'c'}, .size = 9};
    key_put_u64(key.bytes + 1, consent);
    return key;
}

static struct key key_due(int64_t due, uint64_t consent) {
    struct key key = {.bytes = {'d'}, .size = 17};
    key_put_u64(key.bytes + 1, key_time(due));
    key_put_u64(key.bytes + 9, consent);
    return key;
}

static bool load(struct db_txn *txn, uint64_t consent, struct row *out) {
    struct span value;
    struct key key = key_of(consent);
    if (!db_get(txn, DB_OUTBOX, key_span(&key), &value) || value.size < HEAD_SIZE ||
        value.data[0] != RECORD_VERSION)
        return false;
    *out = (struct row){
        .state = (enum store_message_state)value.data[1],
        .ending = key_get_u64(value.data + 2),
        .queued_at = key_time_of(key_get_u64(value.data + 10)),
        .due = key_time_of(key_get_u64(value.data + 18)),
        .attempts = key_get_u32(value.data + 26),
        .sealed = span_of(value.data + HEAD_SIZE, value.size - HEAD_SIZE),
    };
    return true;
}

/* sealed may be a view: it is copied first. */
static void save(struct write *w, uint64_t consent, const struct row *row) {
    struct buffer value = {0};
    unsigned char *head = (unsigned char *)buffer_reserve(&value, HEAD_SIZE);
    struct key key = key_of(consent);
    memset(head, 0, HEAD_SIZE);
    head[0] = RECORD_VERSION;
    head[1] = (unsigned char)row->state;
    key_put_u64(head + 2, row->ending);
    key_put_u64(head + 10, key_time(row->queued_at));
    key_put_u64(head + 18, key_time(row->due));
    key_put_u32(head + 26, row->attempts);
    value.size = HEAD_SIZE;
    buffer_append_span(&value, row->sealed);
    db_put(&w->txn, DB_OUTBOX, key_span(&key), buffer_span(&value));
    key = key_due(row->due, consent);
    if (row->state == STORE_MESSAGE_WAITING)
        db_put(&w->txn, DB_OUTBOX, key_span(&key), SPAN(""));
    buffer_release(&value);
    w->dirty = true;
}

static void forget_due(struct write *w, uint64_t consent, const struct row *row) {
    struct key key = key_due(row->due, consent);
    if (row->state == STORE_MESSAGE_WAITING)
        db_delete(&w->txn, DB_OUTBOX, key_span(&key));
}

/* ---- sealing */

static struct digest key_for(const struct store *store) {
    const struct span label = SPAN("consentd/outbox/v1");
    return digest_hmac(span_of((const char *)store->mac_key, MAC_KEY_SIZE), &label, 1);
}

struct bound {
    unsigned char bytes[16];
};
static struct bound bound_to(uint64_t consent, uint64_t ending) {
    struct bound bound;
    key_put_u64(bound.bytes, consent);
    key_put_u64(bound.bytes + 8, ending);
    return bound;
}

static struct span bound_span(const struct bound *bound) {
    return span_of((const char *)bound->bytes, sizeof bound->bytes);
}

/* ---- into it */

/* Whether it ended in a way that its client has not made itself: by its own word, or somebody's
 * word that it was withdrawn there. */
static bool owed(struct db_txn *txn, const struct store_consent *c) {
    struct span value;
    struct store_event ending;
    struct key key = key_number(c->status_entry);
    return (c->recorded == CONSENT_REVOKED || c->recorded == CONSENT_TERMINATED) &&
           c->by != CONSENT_BY_CLIENT && c->erased != STORE_ERASED_WHOLE &&
           !span_is(name_text(txn, STORE_NAME_REASON, c->reason), "withdrawnAtClient") &&
           db_get(txn, DB_LEAF, key_span(&key), &value) &&
           record_leaf_decode(c->status_entry, value, &ending) == STATUS_OK &&
           ending.role != STORE_BY_CLIENT;
}

void outbox_put(struct write *w, const struct store_change *change, const struct store_consent *c) {
    struct row row;
    struct buffer sealed = {0};
    if (!span_present(change->invalidated_token) || !owed(&w->txn, c))
        return;
    if (load(&w->txn, c->index, &row) && row.state != STORE_MESSAGE_GIVEN_UP)
        return; /* as the first ending, the first message stays */
    struct digest key = key_for(w->store);
    struct bound bound = bound_to(c->index, c->status_entry);
    seal_close(key.bytes, bound_span(&bound), change->invalidated_token, &sealed);
    row = (struct row){.state = STORE_MESSAGE_WAITING,
                       .ending = c->status_entry,
                       .queued_at = w->now,
                       .due = w->now,
                       .sealed = buffer_span(&sealed)};
    save(w, c->index, &row);
    w->queued = true;
    buffer_release(&sealed);
    seal_wipe(&key, sizeof key);
}

/* A token that is known to be another consent's would be shown to the wrong application. */
static bool of_another(struct write *w, const struct digest *digest,
                       const struct store_consent *c) {
    struct walk walk;
    bool known = false, own = false;
    struct key prefix = key_digest(digest);
    for (walk_open(&w->txn, DB_BY_TOKEN, prefix, 0, &walk); walk.live; walk_next(&walk)) {
        struct store_consent other;
        if (consent_load(&w->txn, walk.number, &other) != STATUS_OK)
            continue;
        known = true;
        own |= consent_head(w, &other.arrangement, &other) == STATUS_OK && /* it may have joined */
               uuid_equal(&other.arrangement, &c->arrangement);
    }
    walk_close(&walk);
    return known && !own;
}

enum status outbox_check(struct write *w, struct store_change *change,
                         const struct store_consent *c, enum store_role role) {
    if (!span_present(change->invalidated_token))
        return STATUS_OK;
    if (role != STORE_BY_TENANT) {
        change_explain(change, "invalidatedToken is for the tenant to give");
        return STATUS_INSUFFICIENT_SCOPE;
    }
    struct digest digest = digest_sha256(change->invalidated_token);
    if (!of_another(w, &digest, c))
        return STATUS_OK;
    change_explain(change, "invalidatedToken is registered with another arrangement");
    return STATUS_INVALID_BODY;
}

void outbox_drop(struct write *w, uint64_t consent) {
    struct row row;
    struct key key = key_of(consent);
    if (!load(&w->txn, consent, &row))
        return;
    forget_due(w, consent, &row);
    db_delete(&w->txn, DB_OUTBOX, key_span(&key));
    w->dirty = true;
}

/* ---- out of it */

static void append_entry(struct write *w, const struct store_delivery *delivery,
                         const struct row *row) {
    struct store_consent consent;
    struct buffer body = {0};
    struct json_out out = json_out_to(&body);
    bool sent = delivery->state == STORE_MESSAGE_SENT;
    if (consent_load(&w->txn, delivery->consent, &consent) != STATUS_OK)
        return;
    consent.has_account = false; /* to whom it went is the application's matter */
    json_out_member_int(&out, "ending", (int64_t)row->ending);
    json_out_member_optional(&out, "endpoint", delivery->endpoint);
    json_out_member_time(&out, "queuedAt", row->queued_at);
    json_out_member_int(&out, "attempts", row->attempts);
    if (delivery->http != 0)
        json_out_member_int(&out, "status", delivery->http);
    if (!sent)
        json_out_member(&out, "cause", delivery->cause);
    struct entry entry = {
        .code = sent ? STORE_DELIVERY_SENT : STORE_DELIVERY_FAILED,
        .actor = {.role = STORE_BY_SYSTEM},
        .consent = &consent,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
        .body = buffer_span(&body),
    };
    (void)entry_append(w, &entry);
    buffer_release(&body);
}

static void settle(struct write *w, const struct store_delivery *delivery) {
    struct row row;
    if (!load(&w->txn, delivery->consent, &row) || row.state != STORE_MESSAGE_WAITING)
        return; /* erased meanwhile */
    struct span sealed = arena_copy(&w->scratch, row.sealed);
    forget_due(w, delivery->consent, &row);
    row.attempts++;
    row.state = delivery->state;
    row.sealed = SPAN("");
    if (row.state == STORE_MESSAGE_WAITING) {
        row.due = delivery->due;
        row.sealed = sealed;
    } else {
        append_entry(w, delivery, &row);
    }
    save(w, delivery->consent, &row);
}

enum status change_deliver(struct write *w, struct store_change *change) {
    for (uint32_t i = 0; i < change->delivery_count; i++)
        settle(w, &change->deliveries[i]);
    return w->txn.status;
}

/* ---- reading */

enum store_message_state store_message_state(struct store_reader *reader,
                                             const struct store_consent *consent) {
    struct row row;
    ASSERT(reader->open);
    if (!owed(&reader->txn, consent))
        return STORE_MESSAGE_NONE;
    return load(&reader->txn, consent->index, &row) ? row.state : STORE_MESSAGE_OWED;
}

static void open_token(struct store_reader *reader, const struct row *row, struct arena *arena,
                       struct store_message *message) {
    struct digest key = key_for(reader->store);
    struct bound bound = bound_to(message->consent, row->ending);
    if (row->sealed.size > SEAL_OVERHEAD) {
        size_t size = row->sealed.size - SEAL_OVERHEAD;
        char *token = arena_alloc(arena, size + 1);
        token[size] = '\0';
        if (seal_open(key.bytes, bound_span(&bound), row->sealed, token))
            message->token = span_of(token, size);
    }
    seal_wipe(&key, sizeof key);
}

/* False for what cannot be read. */
static bool describe(struct store_reader *reader, uint64_t index, const struct row *row,
                     struct store_message *out) {
    struct store_consent consent;
    if (consent_load(&reader->txn, index, &consent) != STATUS_OK)
        return false;
    *out = (struct store_message){
        .consent = index,
        .tenant = store_name(reader, STORE_NAME_MEMBER, consent.tenant),
        .client = store_name(reader, STORE_NAME_MEMBER, consent.client),
        .queued_at = row->queued_at,
        .attempts = row->attempts,
    };
    return true;
}

enum status store_outbox_read(struct store_reader *reader, const struct store_outbox_ask *ask,
                              struct arena *arena, struct store_outbox *out) {
    ASSERT(reader->open);
    struct store_outbox box = {.oldest = INT64_MAX, .next_due = INT64_MAX};
    struct db_cursor at;
    box.items = arena_array(arena, ask->limit, sizeof *box.items);
    struct key from = key_due(ask->from.due, ask->from.consent);
    uint32_t visited = 0;
    db_cursor_open(&reader->txn, DB_OUTBOX, &at);
    for (bool on = db_cursor_seek(&at, key_span(&from)); on; on = db_cursor_next(&at)) {
        uint64_t consent = key_last_number(at.key);
        struct store_message message;
        struct row row;
        if (visited++ == LIMIT_WALK) {
            box.next.due = key_time_of(key_get_u64(at.key.data + 1));
            box.next.consent = consent;
            box.more = box.next.due <= reader->now;
            break;
        }
        if (!load(&reader->txn, consent, &row) || !describe(reader, consent, &row, &message))
            continue;
        box.waiting++;
        box.oldest = row.queued_at < box.oldest ? row.queued_at : box.oldest;
        if (row.due > reader->now) {
            box.next_due = row.due < box.next_due ? row.due : box.next_due;
        } else if (box.count < ask->limit && ask->want(ask->context, &message)) {
            message.tenant = arena_copy(arena, message.tenant);
            message.client = arena_copy(arena, message.client);
            open_token(reader, &row, arena, &message);
            box.items[box.count++] = message;
        }
    }
    db_cursor_close(&at);
    if (reader->txn.status != STATUS_OK)
        return reader->txn.status;
    *out = box;
    return STATUS_OK;
}
