/* Every LMDB call of every kind of change fails once: the first, the second, … until none is left
 * to fail. Each time the answer is honest, the store opens again, its start-up checks pass, and
 * either the whole change is there or nothing of it (invariants 1 and 2); and no decision is given
 * that was to be recorded and is not (invariant 11). */
// SPDX-License-Identifier: Apache-2.0
#include "store/cosigned.h"
#include "store/db.h"
#include "store/erasure.h"
#include "store/inquiry.h"
#include "store/outbox.h"
#include "store/peer.h"
#include "tests/unit/support_store.h"

struct observed {
    uint64_t entries, consents;
    enum consent_state state;
    uint32_t version;
    enum store_erased erased;
    enum store_message_state message;
};

static enum store_message_state message_of(struct fixture *f, const struct store_consent *c) {
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    enum store_message_state state = store_message_state(f->reader, c);
    store_read_end(f->reader);
    return state;
}

static struct observed observe(struct fixture *f, uint64_t consent) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    struct store_consent c = look(f, consent);
    return (struct observed){stats.entries, stats.consents, c.recorded,
                             c.version,     c.erased,       message_of(f, &c)};
}

static bool same(struct observed a, struct observed b) {
    return a.entries == b.entries && a.consents == b.consents && a.state == b.state &&
           a.version == b.version && a.erased == b.erased && a.message == b.message;
}

/* A question that the consent permits. */
static void fill_inquiry(struct store_change *change, const struct uuid *id) {
    struct store_inquiry *inquiry = arena_array(&change->arena, 1, sizeof *inquiry);
    inquiry->question = (struct store_question){
        .about = STORE_ABOUT_CONSENT,
        .tenant = change->tenant,
        .client = keep(change, APP),
        .consent = *id,
        .ask = {.subject_type = SPAN("application"),
                .subject_id = keep(change, APP),
                .action_name = SPAN("read"),
                .resource_type = SPAN("consent"),
                .from = INT64_MIN,
                .to = INT64_MIN},
    };
    inquiry->request_json = SPAN("\"x\":1");
    inquiry->recording = STORE_RECORD_YES;
    change->inquiries = inquiry;
    change->inquiry_count = 1;
}

static void fill_disclosure(struct fixture *f, struct store_change *change, const char *account) {
    struct store_disclosure *disclosure = arena_array(&change->arena, 1, sizeof *disclosure);
    *disclosure = (struct store_disclosure){
        .at = store_time_ms(f->store),
        .pack = f->pack,
        .transaction = keep(change, account),
        .step = keep(change, account),
        .body_json = SPAN("\"x\":1"),
        .asked_json = SPAN("\"y\":2"),
        .personal_json = SPAN("\"z\":3"),
    };
    change->disclosure = disclosure;
}

static void fill_block(struct store_change *change, const char *account) {
    change->block = arena_array(&change->arena, 1, sizeof *change->block);
    *change->block = (struct store_block){
        .client = keep(change, account), .reason = SPAN("fraud"), .until = INT64_MAX};
}

static void fill_erasure(struct store_change *change) {
    change->erasure = arena_array(&change->arena, 1, sizeof *change->erasure);
    *change->erasure = (struct store_erasure){.role = STORE_BY_TENANT,
                                              .part = STORE_ERASED_WHOLE,
                                              .ground = STORE_GROUND_UNLAWFUL_PROCESSING,
                                              .request_id = SPAN("case-1")};
}

static void fill_hold(struct store_change *change, uint64_t log_index) {
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){
        .role = STORE_BY_TENANT, .reason = SPAN("court"), .log_index = log_index};
}

static void fill_cosigned(struct store_change *change, uint64_t size) {
    struct store_cosignature *item = arena_array(&change->arena, 1, sizeof *item);
    struct store_cosigned *cosigned = arena_array(&change->arena, 1, sizeof *cosigned);
    *item = (struct store_cosignature){SPAN("w"), SPAN("line\n"), true};
    *cosigned = (struct store_cosigned){size, SPAN("checkpoint"), item, 1};
    change->cosigned = cosigned;
}

/* A digest of each account's own. */
static struct digest digest_of(const char *account) {
    struct digest digest = {{0}};
    memcpy(digest.bytes, account, strlen(account));
    return digest;
}

/* The client revokes tokens before they are registered. */
static bool early;

static void fill_peer(struct store_change *change, enum store_op op, const char *account) {
    change->step = keep(change, account);
    change->peer = arena_array(&change->arena, 1, sizeof *change->peer);
    *change->peer = (struct store_peer){.token = digest_of(account)};
    if (op == STORE_READ_PERMISSION || op == STORE_REVOKE_TOKEN || op == STORE_MESSAGE) {
        change->actor = keep(change, APP);
        change->tenant = SPAN_NONE;
    }
}

static void fill_delivery(struct store_change *change, uint64_t consent) {
    struct store_delivery *delivery = arena_array(&change->arena, 1, sizeof *delivery);
    *delivery =
        (struct store_delivery){.consent = consent, .state = STORE_MESSAGE_SENT, .http = 200};
    change->deliveries = delivery;
    change->delivery_count = 1;
}

static struct store_change *make(struct fixture *f, enum store_op op, const struct uuid *id,
                                 const char *account) {
    struct store_change *change = new_change(f, op, TENANT);
    change->id = *id;
    change->has_key = true;
    memcpy(change->key.bytes, account, strlen(account));
    fill_draft(f, change, APP, account);
    change->reason.code = SPAN("withdrawn");
    change->reason.leads_to = CONSENT_REVOKED;
    change->invalidated_token = keep(change, account);
    struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
    token->issued_at = token->expires = store_time_ms(f->store);
    if (early)
        token->digest = digest_of(account);
    change->tokens = change->draft.tokens = token;
    change->token_count = change->draft.token_count = 1;
    change->proofs_json = SPAN("{\"type\":\"x\"}");
    change->selection.account = keep(change, account);
    fill_inquiry(change, id);
    fill_disclosure(f, change, account);
    fill_block(change, account);
    fill_erasure(change);
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    fill_hold(change, stats.entries - 1);
    fill_cosigned(change, stats.entries);
    fill_peer(change, op, account);
    return change;
}

static void block(struct fixture *f, const char *account) {
    struct store_change *change = new_change(f, STORE_BLOCK, TENANT);
    fill_block(change, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

/* A consent that ended so long ago that nothing keeps it, or one that is held. */
static void prepare_erasing(struct fixture *f, enum store_op op, const struct store_consent *c) {
    if (op == STORE_ERASE) {
        assert_int_equal(end_consent(f, &c->id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
        f->clock.start_ms += 400 * DAY_MS;
    }
    if (op == STORE_DELIVER) {
        struct store_change *change = new_change(f, STORE_END, TENANT);
        change->id = c->id;
        change->reason.code = SPAN("withdrawn");
        change->reason.leads_to = CONSENT_REVOKED;
        change->invalidated_token = keep(change, "token");
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        store_change_free(change);
    }
    if (op == STORE_RELEASE) {
        struct store_change *change = new_change(f, STORE_HOLD, TENANT);
        change->id = c->id;
        fill_hold(change, 0);
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        store_change_free(change);
    }
}

/* A consent that has the token, or that depends on it. */
static void prepare_peer(struct store_change *change, enum store_op op, const char *account) {
    if (op == STORE_READ_PERMISSION || (op == STORE_REVOKE_TOKEN && !early)) {
        struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
        *token = (struct store_token){.digest = digest_of(account)};
        change->draft.tokens = token;
        change->draft.token_count = 1;
    }
    if (op == STORE_MESSAGE) {
        struct store_group *group = arena_array(&change->arena, 1, sizeof *group);
        struct store_member *member = arena_array(&change->arena, 1, sizeof *member);
        *member = (struct store_member){
            .external = true, .token_digest = digest_of(account), .expires = INT64_MAX};
        *group = (struct store_group){member, 1};
        change->draft.groups = group;
        change->draft.group_count = 1;
    }
}

static void prepare_early(struct fixture *f, enum store_op op, const char *account) {
    if (!early || op != STORE_TOKENS)
        return;
    struct store_change *change = new_change(f, STORE_REVOKE_TOKEN, APP);
    fill_peer(change, STORE_REVOKE_TOKEN, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

/* What the operation works on: an active consent, one that its first use ends, a request that can
 * be granted, or one to be erased. */
static struct store_consent prepare(struct fixture *f, enum store_op op, const char *account) {
    if (op == STORE_UNBLOCK)
        block(f, account);
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, APP, account);
    if (op == STORE_DISCLOSE)
        change->draft.max_uses = 1;
    prepare_peer(change, op, account);
    if (op == STORE_GRANT) {
        change->draft.ask.granted = false;
        change->draft.grant_json = change->draft.grant_private_json = SPAN("");
    }
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    struct store_consent c = look(f, change->done.consent);
    store_change_free(change);
    prepare_erasing(f, op, &c);
    prepare_early(f, op, account);
    return look(f, c.index);
}

/* What is taken while there is no room for more. */
static bool is_ending(enum store_op op) {
    return op == STORE_END || op == STORE_END_MANY || op == STORE_BLOCK || op == STORE_ERASE ||
           op == STORE_HOLD || op == STORE_REVOKE_TOKEN || op == STORE_MESSAGE ||
           op == STORE_DELIVER;
}

static enum consent_state leads_to(enum store_op op) {
    return op == STORE_MESSAGE ? CONSENT_TERMINATED : CONSENT_REVOKED;
}

static bool leaves_active(enum store_op op) {
    return op == STORE_BLOCK || op == STORE_HOLD || (op == STORE_REVOKE_TOKEN && early);
}

static void reopen(struct fixture *f) {
    fixture_close(f);
    fixture_open(f, false);
}

/* Submits; a store that has stopped does not answer any more. */
static enum status run(struct fixture *f, struct store_change *change) {
    if (!store_ready(f->store))
        return STATUS_BUSY;
    return fixture_run(f, change);
}

/* One operation with its n-th call failing; false when it has fewer calls than that. */
static bool fails_cleanly(struct fixture *f, enum store_op op, uint64_t nth, int code,
                          bool stored) {
    /* an account of its own: with a growing history the calls would grow with it, without end */
    static unsigned number;
    char account[32];
    snprintf(account, sizeof account, "acc-%u", number++);
    struct store_consent c = prepare(f, op, account);
    struct observed before = observe(f, c.index);
    struct store_change *change = make(f, op, &c.id, account);
    fill_delivery(change, c.index);
    db_fault_set(nth, code, stored);
    enum status status = run(f, change);
    bool hit = db_fault_hit();
    db_fault_set(0, 0, false);
    if (op == STORE_DECIDE && status == STATUS_OK) {
        assert_true(change->inquiries[0].recorded);
        assert_true(change->inquiries[0].ruling.decision.permitted);
    }
    store_change_free(change);
    reopen(f);
    struct observed after = observe(f, c.index);
    if (!hit) {
        assert_int_equal(status, STATUS_OK);
        assert_false(same(before, after));
        assert_int_equal(after.state == CONSENT_FULFILLED, op == STORE_DISCLOSE);
        assert_int_equal(after.erased == STORE_ERASED_WHOLE, op == STORE_ERASE);
        assert_true(!early ||
                    after.state == (op == STORE_TOKENS ? CONSENT_REVOKED : CONSENT_ACTIVE));
    } else if (status == STATUS_OUTCOME_UNKNOWN && stored) {
        assert_false(same(before, after));
    } else if (status == STATUS_OK) {
        /* an ending that found no room in its batch was run again, alone */
        assert_true(is_ending(op) && code == ENOSPC);
        assert_false(same(before, after));
        assert_int_equal(after.state, leaves_active(op) ? CONSENT_ACTIVE : leads_to(op));
    } else {
        assert_true(same(before, after));
        assert_true(status == STATUS_STORAGE_FULL || status == STATUS_INTERNAL ||
                    status == STATUS_OUTCOME_UNKNOWN || status == STATUS_BUSY);
        assert_int_equal(status == STATUS_STORAGE_FULL, code == ENOSPC);
    }
    return hit;
}

static void all_faults(void **state, enum store_op op) {
    static const struct {
        int code;
        bool stored;
    } kinds[] = {{EIO, false}, {EIO, true}, {ENOSPC, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t nth = 1;
        while (fails_cleanly(*state, op, nth, kinds[i].code, kinds[i].stored))
            nth++;
        assert_true(nth > 5); /* the loop did fail something */
    }
}

static void a_create_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_CREATE);
}

static void a_renewal_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_RENEW);
}

static void an_ending_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_END);
}

static void a_delivery_is_settled_or_waits(void **state) {
    all_faults(state, STORE_DELIVER);
}

static void a_grant_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_GRANT);
}

static void a_bulk_revocation_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_END_MANY);
}

static void tokens_are_whole_or_nothing(void **state) {
    all_faults(state, STORE_TOKENS);
}

static void proofs_are_whole_or_nothing(void **state) {
    all_faults(state, STORE_PROOFS);
}

static void a_decision_is_recorded_or_not_given(void **state) {
    all_faults(state, STORE_DECIDE);
}

static void a_disclosure_with_its_use_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_DISCLOSE);
}

static void a_block_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_BLOCK);
}

static void lifting_a_block_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_UNBLOCK);
}

static void an_erasure_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_ERASE);
}

static void a_hold_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_HOLD);
}

static void lifting_a_hold_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_RELEASE);
}

static void cosignatures_are_whole_or_nothing(void **state) {
    all_faults(state, STORE_COSIGN);
}

static void a_step_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_STEP);
}

static void a_permission_record_is_logged_or_not_given(void **state) {
    all_faults(state, STORE_READ_PERMISSION);
}

static void a_revoked_token_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_REVOKE_TOKEN);
}

static void an_early_revocation_is_remembered_or_not_there(void **state) {
    early = true;
    all_faults(state, STORE_REVOKE_TOKEN);
    early = false;
}

static void a_token_that_ends_its_consent_is_whole_or_nothing(void **state) {
    early = true;
    all_faults(state, STORE_TOKENS);
    early = false;
}

static void a_message_with_what_it_ends_is_whole_or_nothing(void **state) {
    all_faults(state, STORE_MESSAGE);
}

static struct store_change *make_new(struct fixture *f, unsigned attempt) {
    static const struct uuid none;
    char account[32];
    snprintf(account, sizeof account, "acc-x-%u", attempt);
    return make(f, STORE_CREATE, &none, account);
}

static void an_unknown_outcome_is_resolved_by_the_idempotency_key(void **state) {
    struct fixture *f = *state;
    struct store_change *change;
    unsigned attempt = 0;
    enum status status;
    /* The commit is the change's last call: found by failing a later one each time. Calls that the
     * writer makes by itself may shift the count past it: then again from the first, anew. */
    for (uint64_t calls = 1;; calls++) {
        change = make_new(f, ++attempt);
        db_fault_set(calls, EIO, true);
        status = run(f, change);
        db_fault_set(0, 0, false);
        if (status == STATUS_OUTCOME_UNKNOWN)
            break;
        if (status == STATUS_OK)
            calls = 0;
        store_change_free(change);
        reopen(f);
    }
    assert_true(f->failed);
    store_change_free(change);
    reopen(f);
    change = make_new(f, attempt);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->replayed);
    store_change_free(change);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_create_is_whole_or_nothing),
        TEST(a_renewal_is_whole_or_nothing),
        TEST(an_ending_is_whole_or_nothing),
        TEST(a_delivery_is_settled_or_waits),
        TEST(a_grant_is_whole_or_nothing),
        TEST(a_bulk_revocation_is_whole_or_nothing),
        TEST(tokens_are_whole_or_nothing),
        TEST(proofs_are_whole_or_nothing),
        TEST(a_decision_is_recorded_or_not_given),
        TEST(a_disclosure_with_its_use_is_whole_or_nothing),
        TEST(a_block_is_whole_or_nothing),
        TEST(lifting_a_block_is_whole_or_nothing),
        TEST(an_erasure_is_whole_or_nothing),
        TEST(a_hold_is_whole_or_nothing),
        TEST(lifting_a_hold_is_whole_or_nothing),
        TEST(cosignatures_are_whole_or_nothing),
        TEST(a_step_is_whole_or_nothing),
        TEST(a_permission_record_is_logged_or_not_given),
        TEST(a_revoked_token_is_whole_or_nothing),
        TEST(an_early_revocation_is_remembered_or_not_there),
        TEST(a_token_that_ends_its_consent_is_whole_or_nothing),
        TEST(a_message_with_what_it_ends_is_whole_or_nothing),
        TEST(an_unknown_outcome_is_resolved_by_the_idempotency_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
