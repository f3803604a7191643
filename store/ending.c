/* A consent ends, and with it what depends on it: in the same transaction, recursively, in creation
 * order (spec: consent.md, Cascade). Also what the clock ends. Writer thread only. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"
#include "base/log.h"
#include "store/consent.h"
#include "store/ending.h"
#include "store/erasing.h"
#include "store/pending.h"

static enum store_event_code event_of(enum consent_state state) {
    switch (state) {
    case CONSENT_REFUSED:
        return STORE_CONSENT_REFUSED;
    case CONSENT_TIMED_OUT:
        return STORE_CONSENT_TIMED_OUT;
    case CONSENT_REVOKED:
        return STORE_CONSENT_REVOKED;
    case CONSENT_TERMINATED:
        return STORE_CONSENT_TERMINATED;
    case CONSENT_EXPIRED:
        return STORE_CONSENT_EXPIRED;
    case CONSENT_FULFILLED:
        return STORE_CONSENT_FULFILLED;
    case CONSENT_SUPERSEDED:
        return STORE_CONSENT_SUPERSEDED;
    case CONSENT_REQUESTED:
    case CONSENT_ACTIVE:
    case CONSENT_STATE_END:
        break;
    }
    log_abort("the state ends a consent", __FILE__, __LINE__);
}

static void compose(struct write *w, const struct ending *e, struct buffer *body,
                    struct buffer *personal, struct record_marks *personal_marks) {
    struct json_out out = json_out_to(body);
    json_out_member(&out, "status", span_of_text(lifecycle_state_name(e->state)));
    json_out_member(&out, "reason", e->reason);
    if (e->by != CONSENT_BY_NONE)
        json_out_member(&out, "by", span_of_text(lifecycle_role_name(e->by)));
    if (e->status_at != w->now)
        json_out_member_time(&out, "statusAt", e->status_at);
    if (e->superseded_by != NULL)
        json_out_member_uuid(&out, "supersededBy", e->superseded_by);
    if (e->cause != NULL) {
        json_out_key(&out, "cause");
        json_out_object_begin(&out);
        if (!uuid_is_nil(e->cause))
            json_out_member_uuid(&out, "consentId", e->cause);
        json_out_member_int(&out, "logIndex", (int64_t)e->cause_entry);
        json_out_object_end(&out);
    }
    if (e->text_json.size != 0) {
        buffer_append_text(personal, "{");
        buffer_append_span(personal, e->text_json);
        buffer_append_text(personal, "}");
        *personal_marks =
            (struct record_marks){.first_at = 1, .first_size = (uint16_t)e->text_json.size};
    }
}

uint64_t ending_write(struct write *w, struct store_consent *c, const struct ending *e) {
    ASSERT(lifecycle_may_follow(c->recorded, e->state));
    int64_t due = c->recorded == CONSENT_ACTIVE ? c->expires : c->answer_due;
    struct key expiry = key_two_numbers(key_time(due), c->index);
    db_delete(&w->txn, DB_BY_EXPIRY, key_span(&expiry));

    c->recorded = c->status = e->state;
    c->status_at = e->status_at;
    c->reason = name_intern(w, STORE_NAME_REASON, e->reason);
    c->by = e->by;
    c->version++;
    struct buffer body = {0}, personal = {0};
    struct entry entry = {
        .code = event_of(e->state),
        .actor = e->actor,
        .consent = c,
        .previous = c->last_entry,
        .step = {.by = e->by, .reason = c->reason, .status_at = e->status_at},
    };
    compose(w, e, &body, &personal, &entry.personal_marks);
    entry.body = buffer_span(&body);
    entry.personal = buffer_span(&personal);
    uint64_t index = entry_append(w, &entry);
    buffer_release(&body);
    buffer_release(&personal);
    c->status_entry = c->last_entry = index;
    if (e->state == CONSENT_SUPERSEDED)
        c->superseded_by_entry = index;
    consent_save(w, c);
    erase_ended_put(w, c);
    return index;
}

static bool arrangement_active(struct write *w, const struct uuid *arrangement) {
    struct store_consent head;
    return consent_head(w, arrangement, &head) == STATUS_OK && head.status == CONSENT_ACTIVE;
}

bool ending_group_active(struct write *w, const struct store_group *group) {
    for (uint32_t i = 0; i < group->member_count; i++) {
        const struct store_member *m = &group->members[i];
        bool active =
            m->external ? m->expires > w->now &&
                              !external_withdrawn(&w->txn, &m->token_digest, STORE_INDEX_NONE, NULL)
                        : arrangement_active(w, &m->arrangement);
        if (active)
            return true;
    }
    return false;
}

static bool dependencies_hold(struct write *w, const struct store_consent *c) {
    struct record_tail *tail = &w->tail;
    if (record_tail_decode(c->tail, tail) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < tail->group_count; i++)
        if (!ending_group_active(w, &tail->groups[i]))
            return false;
    return true;
}

/* Who depends on an arrangement that has ended, or on a token of another store: its rows of
 * by_dependency from `next` on. */
struct source {
    struct uuid arrangement; /* or the first half of the token's digest */
    uint64_t next;           /* creation index of the next dependant */
    struct uuid cause;
    uint64_t cause_entry;
};
#define SOURCES_MAX (LIMIT_BULK + 1)
#define JOB_SIZE (1 + UUID_SIZE + 8 + UUID_SIZE + 8)

struct cascade {
    struct source *sources; /* in w->scratch */
    uint32_t count;
};

/* Moves the source to its first dependant >= next; false when there is none. */
static bool advance(struct write *w, struct source *source) {
    struct db_cursor cursor;
    struct key key = key_16_number(source->arrangement.bytes, source->next);
    db_cursor_open(&w->txn, DB_BY_DEPENDENCY, &cursor);
    bool found = db_cursor_seek(&cursor, key_span(&key)) &&
                 memcmp(cursor.key.data, source->arrangement.bytes, UUID_SIZE) == 0;
    if (found)
        source->next = key_last_number(cursor.key);
    db_cursor_close(&cursor);
    return found;
}

static void add_source(struct write *w, struct cascade *cascade,
                       const struct store_consent *ended) {
    ASSERT(cascade->count < SOURCES_MAX);
    struct source source = {
        .arrangement = ended->arrangement, .cause = ended->id, .cause_entry = ended->status_entry};
    if (advance(w, &source))
        cascade->sources[cascade->count++] = source;
}

static struct source *earliest(struct cascade *cascade) {
    struct source *best = &cascade->sources[0];
    for (uint32_t i = 1; i < cascade->count; i++)
        if (cascade->sources[i].next < best->next)
            best = &cascade->sources[i];
    return best;
}

static void end_dependant(struct write *w, struct cascade *cascade, const struct source *source) {
    struct store_consent c;
    if (consent_load(&w->txn, source->next, &c) != STATUS_OK)
        return;
    consent_judge(&c, w->now);
    c.tail = arena_copy(&w->scratch, c.tail);
    if (c.status != CONSENT_ACTIVE || dependencies_hold(w, &c))
        return;
    struct ending ending = {
        .state = CONSENT_TERMINATED,
        .reason = SPAN("linkedConsentEnded"),
        .by = CONSENT_BY_SYSTEM,
        .actor = {.role = STORE_BY_SYSTEM},
        .status_at = w->now,
        .cause = &source->cause,
        .cause_entry = source->cause_entry,
    };
    (void)ending_write(w, &c, &ending);
    w->cascaded++;
    add_source(w, cascade, &c);
}

static void save_job(struct write *w, const struct source *source) {
    unsigned char value[JOB_SIZE] = {RECORD_VERSION};
    memcpy(value + 1, source->arrangement.bytes, UUID_SIZE);
    key_put_u64(value + 17, source->next);
    memcpy(value + 25, source->cause.bytes, UUID_SIZE);
    key_put_u64(value + 41, source->cause_entry);
    struct key key = key_number(w->state.next_job++);
    db_append(&w->txn, DB_JOB, key_span(&key), span_of((const char *)value, sizeof value));
}

static void run(struct write *w, struct cascade *cascade) {
    while (cascade->count > 0 && w->cascaded < LIMIT_BULK && w->txn.status == STATUS_OK) {
        struct source *next = earliest(cascade);
        struct source now = *next;
        next->next++;
        if (!advance(w, next))
            *next = cascade->sources[--cascade->count];
        end_dependant(w, cascade, &now);
    }
    for (uint32_t i = 0; i < cascade->count; i++)
        save_job(w, &cascade->sources[i]);
}

void ending_cascade(struct write *w, const struct store_consent *ended) {
    struct cascade cascade = {.count = 0};
    struct source first = {.arrangement = ended->arrangement};
    if (!advance(w, &first))
        return; /* the common case: nobody depends on it */
    cascade.sources = arena_array(&w->scratch, SOURCES_MAX, sizeof *cascade.sources);
    add_source(w, &cascade, ended);
    run(w, &cascade);
}

void ending_cascade_external(struct write *w, const struct digest *token, uint64_t cause_entry) {
    struct cascade cascade = {.count = 1};
    struct source first = {.cause_entry = cause_entry};
    memcpy(first.arrangement.bytes, token->bytes, sizeof first.arrangement.bytes);
    if (!advance(w, &first))
        return;
    cascade.sources = arena_array(&w->scratch, SOURCES_MAX, sizeof *cascade.sources);
    cascade.sources[0] = first;
    run(w, &cascade);
}

static bool run_job(struct write *w) {
    struct db_cursor cursor;
    struct source source = {.next = 0};
    db_cursor_open(&w->txn, DB_JOB, &cursor);
    bool found = db_cursor_seek(&cursor, SPAN("\0")) && cursor.value.size == JOB_SIZE;
    if (found) {
        memcpy(source.arrangement.bytes, cursor.value.data + 1, UUID_SIZE);
        source.next = key_get_u64(cursor.value.data + 17);
        memcpy(source.cause.bytes, cursor.value.data + 25, UUID_SIZE);
        source.cause_entry = key_get_u64(cursor.value.data + 41);
        (void)db_cursor_delete(&cursor);
        w->dirty = true;
    }
    db_cursor_close(&cursor);
    if (!found || !advance(w, &source))
        return found;
    struct cascade cascade = {
        .sources = arena_array(&w->scratch, SOURCES_MAX, sizeof *cascade.sources), .count = 1};
    cascade.sources[0] = source;
    run(w, &cascade);
    return true;
}

/* The first row of by_expiry that is due. */
static bool next_due(struct write *w, uint64_t *consent) {
    struct db_cursor cursor;
    db_cursor_open(&w->txn, DB_BY_EXPIRY, &cursor);
    bool due =
        db_cursor_seek(&cursor, SPAN("\0")) && key_time_of(key_get_u64(cursor.key.data)) <= w->now;
    if (due)
        *consent = key_last_number(cursor.key);
    db_cursor_close(&cursor);
    return due;
}

void ending_by_clock(struct write *w, struct store_consent *c) {
    bool expired = c->recorded == CONSENT_ACTIVE;
    struct ending ending = {
        .state = expired ? CONSENT_EXPIRED : CONSENT_TIMED_OUT,
        .reason = expired ? SPAN("expired") : SPAN("timedOut"),
        .by = CONSENT_BY_SYSTEM,
        .actor = {.role = STORE_BY_SYSTEM},
        .status_at = expired ? c->expires : c->answer_due,
    };
    (void)ending_write(w, c, &ending);
    if (expired)
        ending_cascade(w, c);
}

bool ending_sweep(struct write *w, uint32_t limit) {
    uint64_t index = 0;
    if (run_job(w))
        return true;
    for (uint32_t n = 0; n < limit; n++) {
        struct store_consent c;
        if (!next_due(w, &index) || consent_load(&w->txn, index, &c) != STATUS_OK)
            return false;
        c.tail = arena_copy(&w->scratch, c.tail);
        ending_by_clock(w, &c);
        if (w->txn.status != STATUS_OK)
            return false;
    }
    return next_due(w, &index);
}

void ending_dependants_follow(struct write *w, const struct uuid *from, const struct uuid *to) {
    struct source source = {.arrangement = *from};
    while (advance(w, &source)) {
        struct key key = key_16_number(to->bytes, source.next);
        db_put(&w->txn, DB_BY_DEPENDENCY, key_span(&key), SPAN(""));
        source.next++;
    }
}
