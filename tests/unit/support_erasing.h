/* Consents that have something of everything, and what is left of them in the tables. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_ERASING_H
#define TESTS_UNIT_SUPPORT_ERASING_H

#include "store/erasure.h"
#include "store/inquiry.h"
#include "store/internal.h"
#include "tests/unit/support_store.h"

#define UNUSED_ __attribute__((unused))

/* What may be found of a consent in the tables: in clear, and as keyed digests. */
#define EXTERNAL "ext-9001"
#define RESOURCE "meter-4711"
#define TRANSACTION "transfer-\\\"1\\\""
#define IP "192.0.2.1"

static void fill_full(struct fixture *f, struct store_change *change, const char *account) {
    fill_draft(f, change, APP, account);
    struct span *resource = arena_array(&change->arena, 1, sizeof *resource);
    struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
    struct store_draft *d = &change->draft;
    *resource = SPAN(RESOURCE);
    memset(token->digest.bytes, 0x77, sizeof token->digest.bytes);
    token->issued_at = token->expires = store_time_ms(f->store);
    ((struct policy_permission_ask *)(uintptr_t)d->ask.permissions)[0].resources = resource;
    ((struct policy_permission_ask *)(uintptr_t)d->ask.permissions)[0].resource_count = 1;
    d->external_id = SPAN(EXTERNAL);
    d->max_uses = 9;
    d->terms_json = SPAN("\"externalId\":\"" EXTERNAL "\",\"resource\":\"" RESOURCE "\"");
    d->tokens = token;
    d->token_count = 1;
}

static struct store_consent make_full(struct fixture *f, const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_full(f, change, account);
    change->has_key = true;
    memcpy(change->key.bytes, account, strlen(account) < MAC16_SIZE ? strlen(account) : MAC16_SIZE);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return look(f, index);
}

static struct store_question question_of(struct store_change *change, const char *account,
                                         struct fixture *f) {
    return (struct store_question){
        .about = STORE_ABOUT_ACCOUNT,
        .tenant = change->tenant,
        .client = keep(change, APP),
        .account = store_account_key(f->store, change->tenant, span_of_text(account)),
        .ask = {.subject_type = SPAN("application"),
                .subject_id = keep(change, APP),
                .action_name = SPAN("read"),
                .resource_type = SPAN("account"),
                .from = INT64_MIN,
                .to = INT64_MIN},
    };
}

/* The key as payloads name the account. */
static struct span key_member(struct store_change *change, struct fixture *f, const char *account) {
    char text[32];
    struct mac16 key = store_account_key(f->store, change->tenant, span_of_text(account));
    size_t size = encode_base64url(key.bytes, sizeof key.bytes, text);
    return arena_format(&change->arena, "\"accountKey\":\"%.*s\"", (int)size, text);
}

/* Recorded decisions about an account. */
UNUSED_ static void decide(struct fixture *f, const char *account, uint32_t times) {
    struct store_change *change = new_change(f, STORE_DECIDE, TENANT);
    change->inquiries = arena_array(&change->arena, times, sizeof *change->inquiries);
    change->inquiry_count = times;
    for (uint32_t i = 0; i < times; i++) {
        change->inquiries[i] = (struct store_inquiry){
            .question = question_of(change, account, f),
            .recording = STORE_RECORD_YES,
            .request_json = key_member(change, f, account),
            .personal_json = arena_format(&change->arena, "\"resource\":\"%s\"", account),
        };
    }
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

UNUSED_ static void disclose(struct fixture *f, const char *account) {
    struct store_change *change = new_change(f, STORE_DISCLOSE, TENANT);
    change->inquiries = arena_array(&change->arena, 1, sizeof *change->inquiries);
    change->inquiry_count = 1;
    change->inquiries[0].question = question_of(change, account, f);
    change->disclosure = arena_array(&change->arena, 1, sizeof *change->disclosure);
    *change->disclosure = (struct store_disclosure){
        .at = store_time_ms(f->store),
        .pack = f->pack,
        .transaction = SPAN("transfer-\"1\""),
        .step = SPAN("step-1"),
        .body_json = SPAN("\"transaction\":\"" TRANSACTION "\",\"transferStepId\":\"step-1\""),
        .asked_json = SPAN("\"client\":\"" APP "\""),
        .personal_json = arena_format(&change->arena, "\"account\":\"%s\"", account),
    };
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

/* Rows of all tables in whose key or value these bytes stand. */
UNUSED_ static uint32_t rows_with(struct fixture *f, struct span needle) {
    uint32_t rows = 0;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    for (int table = 0; table < DB_TABLES; table++) {
        struct db_cursor at;
        db_cursor_open(&f->reader->txn, table, &at);
        for (bool on = db_cursor_seek(&at, SPAN("\0")); on; on = db_cursor_next(&at))
            rows += memmem(at.key.data, at.key.size, needle.data, needle.size) != NULL ||
                    memmem(at.value.data, at.value.size, needle.data, needle.size) != NULL;
        db_cursor_close(&at);
    }
    store_read_end(f->reader);
    return rows;
}

UNUSED_ static uint64_t count_of(struct fixture *f, enum db_table table) {
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    uint64_t count = db_count(&f->reader->txn, table);
    store_read_end(f->reader);
    return count;
}

/* Everything personal of what make_full, decide and disclose wrote, as rows of any table. */
UNUSED_ static uint32_t traces_of(struct fixture *f, const char *account) {
    struct mac16 key = store_account_key(f->store, SPAN(TENANT), span_of_text(account));
    struct mac16 resource = store_resource_key(f->store, SPAN(TENANT), SPAN(RESOURCE));
    const struct span reference[] = {SPAN("account"), SPAN(TENANT), SPAN(TENANT),
                                     span_of_text(account)};
    struct mac16 ref = store_mac16(f->store, reference, 4);
    const struct span named[] = {SPAN("transaction"), SPAN(TENANT), SPAN("transfer-\"1\"")};
    struct mac16 transaction = store_mac16(f->store, named, 3);
    const struct span stepped[] = {SPAN("step"), SPAN(TENANT), SPAN("step-1")};
    struct mac16 step = store_mac16(f->store, stepped, 3);
    char token[32];
    memset(token, 0x77, sizeof token);
    return rows_with(f, span_of_text(account)) + rows_with(f, SPAN(IP)) +
           rows_with(f, SPAN(EXTERNAL)) + rows_with(f, SPAN(RESOURCE)) +
           rows_with(f, SPAN("transfer-")) + rows_with(f, span_of(token, sizeof token)) +
           rows_with(f, span_of((const char *)key.bytes, MAC16_SIZE)) +
           rows_with(f, span_of((const char *)ref.bytes, MAC16_SIZE)) +
           rows_with(f, span_of((const char *)resource.bytes, MAC16_SIZE)) +
           rows_with(f, span_of((const char *)step.bytes, MAC16_SIZE)) +
           rows_with(f, span_of((const char *)transaction.bytes, MAC16_SIZE));
}

static struct store_change *erasure_new(struct fixture *f, enum store_erased part,
                                        enum store_ground ground) {
    struct store_change *change = new_change(f, STORE_ERASE, TENANT);
    change->erasure = arena_array(&change->arena, 1, sizeof *change->erasure);
    *change->erasure = (struct store_erasure){
        .role = STORE_BY_TENANT, .part = part, .ground = ground, .request_id = SPAN("case-1")};
    return change;
}

UNUSED_ static struct store_change *erasure_of(struct fixture *f, const struct uuid *id,
                                               enum store_erased part, enum store_ground ground) {
    struct store_change *change = erasure_new(f, part, ground);
    change->id = *id;
    return change;
}

UNUSED_ static struct store_change *erasure_of_account(struct fixture *f, const char *account,
                                                       enum store_erased part,
                                                       enum store_ground ground) {
    struct store_change *change = erasure_new(f, part, ground);
    change->erasure->by_account = true;
    change->erasure->provider = change->tenant;
    change->erasure->account = keep(change, account);
    return change;
}

UNUSED_ static struct store_change *hold_of(struct fixture *f, const struct uuid *id,
                                            const char *account) {
    struct store_change *change = new_change(f, STORE_HOLD, TENANT);
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){.role = STORE_BY_TENANT,
                                        .by_account = account != NULL,
                                        .provider = change->tenant,
                                        .reason = SPAN("court-17")};
    if (account != NULL)
        change->hold->account = keep(change, account);
    else
        change->id = *id;
    return change;
}

UNUSED_ static enum status release(struct fixture *f, uint64_t log_index) {
    struct store_change *change = new_change(f, STORE_RELEASE, TENANT);
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){.role = STORE_BY_TENANT, .log_index = log_index};
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

/* Runs, frees, and returns the status. */
UNUSED_ static enum status run_and_free(struct fixture *f, struct store_change *change) {
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

UNUSED_ static uint64_t entries_of(struct fixture *f) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    return stats.entries;
}

#endif
