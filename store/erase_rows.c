/* What goes when an entry or a consent is erased: payloads with their r, and the rows by which
 * other tables would still know them. The leaf and the tree stay (invariant 3). Writer thread
 * only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "base/log.h"
#include "store/account_walk.h"
#include "store/consent.h"
#include "store/erasing.h"
#include "store/outboxing.h"
#include "store/row.h"

/* ---- texts in the JSON that this service wrote: compact, so that in it a quote ends a string
 * unless a backslash stands before it, and `"name":"` begins a member, whatever callers' texts say
 */

static const char *unescape(struct buffer *out, const char *at, const char *end) {
    static const char forms[] = "\"\"\\\\b\bf\fn\nr\rt\t";
    unsigned char code;
    const char *form = forms;
    if (at < end && *at == 'u' && end - at > 4) {
        bool read = decode_hex(span_of(at + 3, 2), &code, 1) == STATUS_OK;
        buffer_append(out, &code, read ? 1 : 0);
        return at + 5;
    }
    while (*form != '\0' && at < end && *form != *at)
        form += 2;
    buffer_append(out, *form != '\0' ? form + 1 : at, at < end ? 1 : 0);
    return at + 1;
}

/* The next string member of that name from *at on; false when there is none. */
static bool next_text(struct span json, const char *name, const char **at, struct buffer *out) {
    const char *end = json.data + json.size;
    const char *found = *at < end ? memmem(*at, (size_t)(end - *at), name, strlen(name)) : NULL;
    if (found == NULL)
        return false;
    buffer_clear(out);
    for (found += strlen(name); found < end && *found != '"';) {
        if (*found == '\\')
            found = unescape(out, found + 1, end);
        else
            buffer_append(out, found++, 1);
    }
    *at = found;
    return true;
}

/* ---- one entry */

struct gone {
    struct write *w;
    struct store_event event;
    struct span tenant;
};

static void drop(struct write *w, enum db_table table, struct key key) {
    db_delete(&w->txn, table, key_span(&key));
}

static void forget_account(const struct gone *g, struct span text) {
    struct mac16 account = account_key(g->w->store, g->tenant, text);
    drop(g->w, DB_BY_ACCOUNT, key_account_consent(&account, g->event.client, g->event.consent));
}

static void forget_external_id(const struct gone *g, struct span text) {
    if (text.size <= LIMIT_EXTERNAL_ID)
        drop(g->w, DB_BY_EXTERNAL, key_external(g->event.tenant, text, g->event.consent));
}

static void forget_transaction(const struct gone *g, struct span text) {
    struct mac16 mac = transaction_mac(g->w->store, g->tenant, text);
    drop(g->w, DB_LOG_BY_TRANSACTION, key_16_number(mac.bytes, g->event.index));
}

static void forget_step(const struct gone *g, struct span text) {
    struct mac16 mac = step_mac(g->w->store, g->tenant, text);
    drop(g->w, DB_LOG_BY_TRANSACTION, key_16_number(mac.bytes, g->event.index));
}

/* As account_key, which the payload has in base64url. */
static void forget_asked(const struct gone *g, struct span text) {
    struct mac16 account;
    size_t size;
    if (decode_base64url(text, account.bytes, sizeof account.bytes, &size) == STATUS_OK &&
        size == sizeof account.bytes)
        account_asked_drop(g->w, &account, g->event.index);
}

static void forget_own_step(const struct gone *g, struct span text) {
    struct mac16 mac = step_mac(g->w->store, g->tenant, text);
    drop(g->w, DB_BY_STEP, key_16_number(mac.bytes, g->event.consent));
    forget_step(g, text);
}

/* For each member of that name; should a caller's own be among them, it has no row. */
static void forget_each(const struct gone *g, struct span json, const char *name,
                        void (*forget)(const struct gone *g, struct span text)) {
    struct buffer text = {0};
    const char *at = json.data;
    while (next_text(json, name, &at, &text))
        forget(g, buffer_span(&text));
    buffer_release(&text);
}

/* The rest of a step stays: by it the header is rewound. */
static void forget_token(const struct gone *g) {
    struct span value;
    struct record_step step;
    unsigned char bytes[RECORD_STEP_MAX];
    struct key key = key_two_numbers(g->event.consent, g->event.index);
    if (!db_get(&g->w->txn, DB_LOG_BY_CONSENT, key_span(&key), &value) ||
        record_step_decode(value, &step) != STATUS_OK)
        return;
    drop(g->w, DB_BY_TOKEN, key_token(&step.token.digest, g->event.consent));
    step.token = (struct store_token){.issued_at = 0};
    size_t size = record_step_encode(&step, bytes);
    db_put(&g->w->txn, DB_LOG_BY_CONSENT, key_span(&key), span_of((const char *)bytes, size));
}

static bool names_consent(enum store_event_code code) {
    return code == STORE_CONSENT_REQUESTED || code == STORE_CONSENT_GRANTED;
}

static bool is_disclosure(enum store_event_code code) {
    return code == STORE_DISCLOSURE_PERMITTED || code == STORE_DISCLOSURE_VIOLATION;
}

/* A copy of the bytes, which outlives the deletes. */
static bool recall(struct write *w, enum db_table table, uint64_t index, struct buffer *copy) {
    struct span value;
    struct record_payload payload;
    struct key key = key_number(index);
    buffer_clear(copy);
    if (!db_get(&w->txn, table, key_span(&key), &value) ||
        record_payload_decode(value, &payload) != STATUS_OK)
        return false;
    buffer_append_span(copy, payload.bytes);
    return true;
}

static void erase_personal(const struct gone *g) {
    struct write *w = g->w;
    if (recall(w, DB_PERSONAL, g->event.index, &w->personal) && names_consent(g->event.code))
        forget_each(g, buffer_span(&w->personal), "\"account\":\"", forget_account);
    drop(w, DB_PERSONAL, key_number(g->event.index));
}

static void erase_payload(const struct gone *g) {
    struct write *w = g->w;
    if (recall(w, DB_PAYLOAD, g->event.index, &w->payload)) {
        struct span bytes = buffer_span(&w->payload);
        if (names_consent(g->event.code))
            forget_each(g, bytes, "\"externalId\":\"", forget_external_id);
        if (is_disclosure(g->event.code)) {
            forget_each(g, bytes, "\"transaction\":\"", forget_transaction);
            forget_each(g, bytes, "\"transferStepId\":\"", forget_step);
        }
        if (g->event.consent == STORE_INDEX_NONE)
            forget_each(g, bytes, "\"accountKey\":\"", forget_asked);
        if (g->event.code == STORE_CONSENT_STEP_ADDED)
            forget_each(g, bytes, "\"stepId\":\"", forget_own_step);
    }
    if (g->event.code == STORE_CONSENT_TOKEN_ADDED)
        forget_token(g);
    drop(w, DB_PAYLOAD, key_number(g->event.index));
}

static bool load(struct write *w, uint64_t index, struct store_event *out) {
    struct span value;
    struct key key = key_number(index);
    return db_get(&w->txn, DB_LEAF, key_span(&key), &value) &&
           record_leaf_decode(index, value, out) == STATUS_OK;
}

static bool is_there(struct write *w, enum db_table table, uint64_t index) {
    struct span value;
    struct key key = key_number(index);
    return db_get(&w->txn, table, key_span(&key), &value);
}

/* Notices tell what is gone, holds why something is not: nobody's data are in them. */
static bool is_about_keeping(enum store_event_code code) {
    return code == STORE_ERASURE_PERSONAL || code == STORE_ERASURE_WHOLE ||
           code == STORE_HOLD_SET || code == STORE_HOLD_LIFTED;
}

bool erase_concerns(struct write *w, enum store_erased part, uint64_t index) {
    struct store_event event;
    if (!load(w, index, &event) || is_about_keeping(event.code))
        return false;
    return is_there(w, DB_PERSONAL, index) ||
           (part == STORE_ERASED_WHOLE && is_there(w, DB_PAYLOAD, index));
}

void erase_entry(struct write *w, enum store_erased part, uint64_t index) {
    struct gone g = {.w = w};
    if (!load(w, index, &g.event))
        return;
    g.tenant = arena_copy(&w->scratch, name_text(&w->txn, STORE_NAME_MEMBER, g.event.tenant));
    erase_personal(&g);
    if (part == STORE_ERASED_WHOLE)
        erase_payload(&g);
}

/* ---- one consent */

/* What keeps the log readable stays: who the parties were, what happened and when. What it
 * permitted, whose data and which, is gone, so that it permits nothing (invariant 8). */
static struct store_consent tombstone(const struct store_consent *c, struct span empty_tail) {
    struct store_consent t = *c;
    t.erased = STORE_ERASED_WHOLE;
    t.has_account = t.dependent = false;
    t.account = (struct mac16){{0}};
    t.principal = STORE_UNKNOWN;
    t.purposes = t.permissions = 0;
    t.data_from = t.data_to = t.data_available_from = INT64_MIN;
    t.max_uses = t.uses = 0;
    t.tail = empty_tail;
    return t;
}

static void drop_resources(struct write *w, const struct store_consent *c) {
    if (record_tail_decode(c->tail, &w->tail) != STATUS_OK)
        return;
    for (uint32_t i = 0; i < w->tail.resource_count; i++)
        drop(w, DB_BY_RESOURCE, key_16_number(w->tail.resources[i].bytes, c->index));
}

/* Links to tokens of other stores: whole, they name what is nobody's here. */
static void drop_links(struct write *w, const struct store_consent *c) {
    if (record_tail_decode(c->tail, &w->tail) != STATUS_OK)
        return;
    for (uint32_t i = 0; i < w->tail.group_count; i++)
        for (uint32_t m = 0; m < w->tail.groups[i].member_count; m++)
            if (w->tail.groups[i].members[m].external)
                drop(w, DB_BY_DEPENDENCY,
                     key_external_link(&w->tail.groups[i].members[m].token_digest, c->index));
}

static void drop_uses(struct write *w, const struct store_consent *c) {
    struct db_cursor cursor;
    struct key key = key_number(c->index);
    db_cursor_open(&w->txn, DB_USE, &cursor);
    bool on = db_cursor_seek(&cursor, key_span(&key));
    while (on && key_get_u64(cursor.key.data) == c->index)
        on = db_cursor_delete(&cursor);
    db_cursor_close(&cursor);
}

/* The request as it was before its grant, which questions about that time are judged by. */
static void bury_request(struct write *w, uint64_t index, struct span empty_tail) {
    struct span value;
    struct store_consent request;
    struct key key = key_number(index);
    if (!db_get(&w->txn, DB_REQUEST, key_span(&key), &value) ||
        record_consent_decode(index, value, &request) != STATUS_OK)
        return;
    request.tail = arena_copy(&w->scratch, request.tail);
    drop_resources(w, &request);
    request = tombstone(&request, empty_tail);
    buffer_clear(&w->record);
    record_consent_encode(&request, &w->record);
    db_put(&w->txn, DB_REQUEST, key_span(&key), buffer_span(&w->record));
}

void erase_consent(struct write *w, enum store_erased part, struct store_consent *c) {
    struct record_tail *tail = &w->other_tail;
    struct buffer empty = {0};
    ASSERT(lifecycle_is_final(c->recorded));
    if (part == STORE_ERASED_PERSONAL) {
        c->erased = part;
        account_erased_put(w, c);
        consent_save(w, c);
        return;
    }
    account_erased_drop(w, c);
    tail->permission_count = tail->resource_count = tail->onward_count = tail->group_count = 0;
    record_tail_encode(tail, &empty);
    drop_resources(w, c);
    drop_links(w, c);
    drop_uses(w, c);
    erase_ended_drop(w, c);
    outbox_drop(w, c->index);
    *c = tombstone(c, buffer_span(&empty));
    consent_save(w, c);
    bury_request(w, c->index, buffer_span(&empty));
    buffer_release(&empty);
    c->tail = SPAN_NONE;
}
