/* Appending to the log: payload and personal part with their commitments, leaf, tree, and the
 * indexes by which auditors find it (spec: C2SP tlog-tiles leaves; invariants 2 and 3). Writer
 * thread only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/encode.h"
#include "base/json_out.h"
#include "base/log.h"
#include "store/entry.h"
#include "store/feeding.h"
#include "store/hashes.h"
#include "store/walk.h"
#include "tlog/leaf.h"

/* X-macro rows as tables. */
struct event_row {
    enum store_event_code code;
    unsigned char leaf_type;
    const char *name;
};
static const struct event_row events[] = {
#define X(name, number, type, wire) {STORE_##name, type, wire},
    STORE_EVENTS(X)
#undef X
};

static const struct event_row *event_row(enum store_event_code code) {
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].code == code)
            return &events[i];
    return NULL;
}

const char *store_event_name(enum store_event_code code) {
    const struct event_row *row = event_row(code);
    return row != NULL ? row->name : NULL;
}

enum status store_event_parse(struct span name, enum store_event_code *out) {
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (span_is(name, events[i].name)) {
            *out = events[i].code;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

enum consent_state store_event_state(enum store_event_code code) {
    switch (code) {
    case STORE_CONSENT_REQUESTED:
        return CONSENT_REQUESTED;
    case STORE_CONSENT_GRANTED:
        return CONSENT_ACTIVE;
    case STORE_CONSENT_REFUSED:
        return CONSENT_REFUSED;
    case STORE_CONSENT_TIMED_OUT:
        return CONSENT_TIMED_OUT;
    case STORE_CONSENT_REVOKED:
        return CONSENT_REVOKED;
    case STORE_CONSENT_TERMINATED:
        return CONSENT_TERMINATED;
    case STORE_CONSENT_EXPIRED:
        return CONSENT_EXPIRED;
    case STORE_CONSENT_FULFILLED:
        return CONSENT_FULFILLED;
    case STORE_CONSENT_SUPERSEDED:
        return CONSENT_SUPERSEDED;
    default:
        return (enum consent_state)0;
    }
}

static const char *role_name(enum store_role role) {
    static const char *const names[] = {"", "tenant", "client", "auditor", "admin", "system"};
    return names[role];
}

struct tenant_row tenant_load(struct db_txn *txn, uint32_t tenant) {
    struct span value;
    struct key key = key_name(tenant);
    if (!db_get(txn, DB_TENANT, key_span(&key), &value) || value.size != 17)
        return (struct tenant_row){0, STORE_INDEX_NONE};
    return (struct tenant_row){key_get_u64(value.data + 1), key_get_u64(value.data + 9)};
}

static void tenant_save(struct write *w, uint32_t tenant, struct tenant_row row) {
    unsigned char value[17] = {RECORD_VERSION};
    key_put_u64(value + 1, row.seq);
    key_put_u64(value + 9, row.index);
    struct key key = key_name(tenant);
    db_put(&w->txn, DB_TENANT, key_span(&key), span_of((const char *)value, sizeof value));
}

static void member_name(struct json_out *out, struct write *w, const char *key,
                        enum store_name_kind kind, uint32_t number) {
    struct span text = name_text(&w->txn, kind, number);
    json_out_member_optional(out, key, text);
}

/* What follows from the others is left out: whose log, and what the log is about, stands once. */
static void put_consent_members(struct json_out *out, struct write *w,
                                const struct store_consent *c) {
    if (!uuid_is_nil(&c->id))
        json_out_member_uuid(out, "consentId", &c->id);
    if (!uuid_equal(&c->arrangement, &c->id))
        json_out_member_uuid(out, "arrangementId", &c->arrangement);
    member_name(out, w, "tenant", STORE_NAME_MEMBER, c->tenant);
    if (c->provider != c->tenant)
        member_name(out, w, "provider", STORE_NAME_MEMBER, c->provider);
    member_name(out, w, "client", STORE_NAME_MEMBER, c->client);
    member_name(out, w, "license", STORE_NAME_LICENSE, c->license);
    if (c->has_account) {
        json_out_key(out, "accountRef");
        json_out_base64url(out, c->account.bytes, sizeof c->account.bytes);
    }
}

static void put_actor(struct json_out *out, struct write *w, const struct entry *entry) {
    const struct actor *actor = &entry->actor;
    struct span tenant = entry->consent != NULL
                             ? name_text(&w->txn, STORE_NAME_MEMBER, entry->consent->tenant)
                             : SPAN_NONE;
    json_out_key(out, "actor");
    json_out_object_begin(out);
    if (!span_equal(actor->client_id, tenant))
        json_out_member_optional(out, "clientId", actor->client_id);
    json_out_member(out, "role", span_of_text(role_name(actor->role)));
    json_out_object_end(out);
}

/* Entries that change a consent; others are about it. */
static bool is_history(enum store_event_code code) {
    return event_row(code)->leaf_type == 1;
}

static void put_chain(struct json_out *out, const struct entry *entry, struct tenant_row last) {
    if (is_history(entry->code))
        json_out_member_int(out, "seq", entry->consent->version);
    if (is_history(entry->code) && entry->previous != STORE_INDEX_NONE)
        json_out_member_int(out, "prev", (int64_t)entry->previous);
    json_out_member_int(out, "tenantSeq", (int64_t)last.seq + 1);
    if (last.index != STORE_INDEX_NONE)
        json_out_member_int(out, "tenantPrev", (int64_t)last.index);
}

/* An empty buffer with room for the head in front. */
static void leave_head(struct buffer *value) {
    buffer_clear(value);
    (void)buffer_reserve(value, RECORD_PAYLOAD_HEAD);
    value->size = RECORD_PAYLOAD_HEAD;
}

/* Builds the payload in w->payload, behind room for its head, and moves the marks along. */
static void compose(struct write *w, const struct entry *entry, struct tenant_row last,
                    const struct digest *personal, struct record_marks *marks) {
    char id[40];
    int size = snprintf(id, sizeof id, "%s-%llu", w->store->entry_prefix,
                        (unsigned long long)++w->entry_counter); /* as entry_id has it */
    leave_head(&w->payload);
    struct json_out out = json_out_to(&w->payload);
    json_out_object_begin(&out);
    json_out_member_int(&out, "v", 1);
    json_out_member(&out, "id", span_of(id, (size_t)size));
    json_out_member(&out, "type", span_of_text(store_event_name(entry->code)));
    json_out_member_time(&out, "at", w->now);
    if (entry->consent != NULL)
        put_consent_members(&out, w, entry->consent);
    put_actor(&out, w, entry);
    if (entry->consent != NULL)
        put_chain(&out, entry, last);
    if (personal != NULL) {
        json_out_key(&out, "personal");
        json_out_base64url(&out, personal->bytes, sizeof personal->bytes);
    }
    json_out_key(&out, "body");
    json_out_object_begin(&out);
    size_t base = w->payload.size - RECORD_PAYLOAD_HEAD;
    json_out_members(&out, entry->body);
    json_out_object_end(&out);
    json_out_object_end(&out);
    *marks = entry->marks;
    if (marks->first_size != 0)
        marks->first_at = (uint16_t)(marks->first_at + base);
    if (marks->second_size != 0)
        marks->second_at = (uint16_t)(marks->second_at + base);
}

/* Stores r, marks and bytes; returns the commitment. w->personal or w->payload holds the value with
 * room for its head in front. */
static struct digest commit_bytes(struct write *w, enum db_table table, struct buffer *value,
                                  const struct record_marks *marks) {
    unsigned char salt[STORE_SALT_SIZE];
    digest_random(salt, sizeof salt);
    record_payload_head(salt, marks, (unsigned char *)value->data);
    struct key key = key_number(w->state.tree.size);
    db_append(&w->txn, table, key_span(&key), buffer_span(value));
    return tlog_commitment(
        salt, span_of(value->data + RECORD_PAYLOAD_HEAD, value->size - RECORD_PAYLOAD_HEAD));
}

static struct digest commit_personal(struct write *w, const struct entry *entry) {
    leave_head(&w->personal);
    buffer_append_span(&w->personal, entry->personal);
    return commit_bytes(w, DB_PERSONAL, &w->personal, &entry->personal_marks);
}

/* What a consent's first entry did follows from its header: it has no row in log_by_consent. */
static bool creates(const struct entry *entry) {
    return entry->consent->version == 1 && /* and not what is about that version */
           (entry->code == STORE_CONSENT_REQUESTED || entry->code == STORE_CONSENT_GRANTED);
}

static void index_consent_entry(struct write *w, const struct entry *entry, uint64_t index) {
    const struct store_consent *c = entry->consent;
    walk_append(&w->txn, DB_LOG_BY_TENANT, c->tenant, index, SPAN(""));
    if (c->client != STORE_NAME_NONE)
        walk_append(&w->txn, DB_LOG_BY_CLIENT, c->client, index, SPAN(""));
    if (creates(entry))
        return;
    if (!is_history(entry->code)) {
        struct key about = key_two_numbers(c->index, index);
        if (c->index != STORE_INDEX_NONE)
            db_put_rising(&w->txn, DB_ABOUT_CONSENT, key_span(&about), SPAN(""));
        return;
    }
    unsigned char step_bytes[RECORD_STEP_MAX];
    struct key by_consent = key_two_numbers(c->index, index);
    struct record_step step = entry->step;
    step.code = entry->code;
    size_t step_size = record_step_encode(&step, step_bytes);
    db_put_rising(&w->txn, DB_LOG_BY_CONSENT, key_span(&by_consent),
                  span_of((const char *)step_bytes, step_size));
}

static void put_leaf(struct write *w, const struct entry *entry, const unsigned char *leaf) {
    const struct store_consent *c = entry->consent;
    struct store_event event = {
        .code = entry->code,
        .at = w->now,
        .tenant = c != NULL ? c->tenant : STORE_NAME_NONE,
        .provider = c != NULL ? c->provider : STORE_NAME_NONE,
        .client = c != NULL ? c->client : STORE_NAME_NONE,
        .license = c != NULL ? c->license : STORE_NAME_NONE,
        .actor = name_intern(w, STORE_NAME_MEMBER, entry->actor.client_id),
        .reason = c != NULL ? entry->step.reason : STORE_NAME_NONE,
        .role = entry->actor.role,
        .consent = c != NULL ? c->index : STORE_INDEX_NONE,
        .purposes = c != NULL ? c->purposes : 0,
        .leaf = span_of((const char *)leaf, STORE_LEAF_SIZE),
    };
    unsigned char row[RECORD_LEAF_SIZE];
    record_leaf_encode(&event, row);
    struct key key = key_number(w->state.tree.size);
    db_append(&w->txn, DB_LEAF, key_span(&key), span_of((const char *)row, sizeof row));
}

/* Rows of level 0 are put together when the transaction commits. */
static void grow_tree(struct write *w, const unsigned char *leaf) {
    struct digest hash = tlog_leaf_hash(leaf), rows[TLOG_TILE_LEVELS];
    uint32_t levels = tlog_tree_append_rows(&w->state.tree, &hash, rows);
    buffer_append(&w->leaf_hashes, &hash, sizeof hash);
    for (uint32_t level = 1; level < levels; level++)
        hashes_append(&w->txn, level, tlog_tile_rows(w->state.tree.size, level) - 1, &rows[level],
                      1);
}

uint64_t entry_append(struct write *w, const struct entry *entry) {
    uint64_t index = w->state.tree.size;
    struct tenant_row last = {0, STORE_INDEX_NONE};
    struct digest personal;
    struct record_marks marks;
    unsigned char leaf[STORE_LEAF_SIZE];

    /* invariant 7: the log never goes back, nor forward with a clock that nobody has confirmed */
    ASSERT(w->now >= w->state.last_time && !atomic_load(&w->store->stepped));
    if (entry->consent != NULL)
        last = tenant_load(&w->txn, entry->consent->tenant);
    if (entry->personal.size != 0)
        personal = commit_personal(w, entry);
    compose(w, entry, last, entry->personal.size != 0 ? &personal : NULL, &marks);
    struct digest commitment = commit_bytes(w, DB_PAYLOAD, &w->payload, &marks);
    tlog_leaf_encode(event_row(entry->code)->leaf_type, &commitment, leaf);
    put_leaf(w, entry, leaf);
    if (entry->consent != NULL) {
        index_consent_entry(w, entry, index);
        tenant_save(w, entry->consent->tenant, (struct tenant_row){last.seq + 1, index});
        if (feed_has(entry->code))
            w->fed |= feed_bit(entry->consent->tenant) | feed_bit(entry->consent->client);
    }
    grow_tree(w, leaf);
    w->state.last_time = w->now;
    return index;
}

void entry_id(const struct write *w, uint64_t index, char out[STORE_ENTRY_ID_MAX]) {
    snprintf(out, STORE_ENTRY_ID_MAX, "%s-%llu.%llu", w->store->entry_prefix,
             (unsigned long long)w->entry_counter, (unsigned long long)index);
}
