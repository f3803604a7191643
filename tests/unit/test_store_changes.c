/* What changes do to consents and to the log: one rule, one test. Invariants 1, 2, 4, 6 and 7. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_store.h"

static uint32_t event_count(struct fixture *f) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    return (uint32_t)stats.entries;
}

/* The codes of a consent's history, oldest first. */
static uint32_t history(struct fixture *f, const struct uuid *id, enum store_event_code codes[16]) {
    struct arena arena = {0};
    struct store_event_page page;
    struct store_event_filter filter = {
        .everyone = true, .has_consent = true, .consent = *id, .from = INT64_MIN, .to = INT64_MAX};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_query(f->reader, &filter, 0, 16, &arena, &page), STATUS_OK);
    for (uint32_t i = 0; i < page.count; i++)
        codes[i] = page.items[i].code;
    store_read_end(f->reader);
    arena_release(&arena);
    return page.count;
}

static void assert_history(struct fixture *f, const struct uuid *id, uint32_t count, ...) {
    enum store_event_code codes[16];
    va_list expected;
    assert_int_equal(history(f, id, codes), count);
    va_start(expected, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(codes[i], va_arg(expected, int));
    va_end(expected);
}

static void a_new_log_holds_genesis_and_the_pack(void **state) {
    struct fixture *f = *state;
    struct store_event event;
    assert_int_equal(event_count(f), 2);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, 0, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_LOG_GENESIS);
    assert_non_null(memmem(event.payload.data, event.payload.size, "example.com/log+", 16));
    assert_int_equal(store_event_get(f->reader, 1, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_POLICY_ACTIVATED);
    assert_int_equal(store_event_get(f->reader, 2, &event), STATUS_NOT_FOUND);
    store_read_end(f->reader);
}

static void a_granted_consent_is_active_with_one_entry(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(c.status, CONSENT_ACTIVE);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.created_entry, 2);
    assert_int_equal(c.granted_entry, 2);
    assert_int_equal(c.last_entry, 2);
    assert_true(uuid_equal(&c.id, &c.arrangement));
    assert_int_equal(event_count(f), 3);
    assert_history(f, &c.id, 1, STORE_CONSENT_GRANTED);
}

static void a_second_revocation_keeps_the_first_time(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    fixture_set_time(f, "2026-03-13T00:00:00Z");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    struct store_consent first = look(f, c.index);
    fixture_set_time(f, "2026-03-14T00:00:00Z");
    assert_int_equal(end_consent(f, &c.id, "withdrawnAtClient", CONSENT_REVOKED), STATUS_OK);
    struct store_consent second = look(f, c.index);
    assert_int_equal(second.status_at, first.status_at);
    assert_int_equal(second.reason, first.reason);
    assert_int_equal(second.version, 2);
    assert_int_equal(event_count(f), 4);
}

static void another_end_state_of_an_ended_consent_is_refused(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(end_consent(f, &c.id, "fraud", CONSENT_TERMINATED), STATUS_WRONG_STATE);
    assert_int_equal(event_count(f), 4);
}

static void granting_again_supersedes_in_the_same_arrangement(void **state) {
    struct fixture *f = *state;
    struct store_consent old = create(f, APP, "acc-1");
    struct store_consent new = create(f, APP, "acc-1");
    old = look(f, old.index);
    assert_int_equal(old.status, CONSENT_SUPERSEDED);
    assert_int_equal(old.superseded_by, new.index);
    assert_int_equal(new.supersedes, old.index);
    assert_true(uuid_equal(&old.arrangement, &new.arrangement));
    assert_history(f, &old.id, 2, STORE_CONSENT_GRANTED, STORE_CONSENT_SUPERSEDED);
}

static void ending_by_an_old_id_ends_the_active_consent(void **state) {
    struct fixture *f = *state;
    struct store_consent old = create(f, APP, "acc-1");
    struct store_consent new = create(f, APP, "acc-1");
    assert_int_equal(end_consent(f, &old.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(look(f, new.index).status, CONSENT_REVOKED);
    assert_int_equal(look(f, old.index).status, CONSENT_SUPERSEDED);
}

static void other_clients_and_accounts_are_left_alone(void **state) {
    struct fixture *f = *state;
    struct store_consent a = create(f, APP, "acc-1");
    struct store_consent b = create(f, OTHER_APP, "acc-1");
    struct store_consent c = create(f, APP, "acc-2");
    assert_int_equal(look(f, a.index).status, CONSENT_ACTIVE);
    assert_int_equal(look(f, b.index).status, CONSENT_ACTIVE);
    assert_int_equal(look(f, c.index).status, CONSENT_ACTIVE);
}

static void expiry_is_computed_before_it_is_recorded(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    f->clock.start_ms = c.expires - 1;
    assert_int_equal(look(f, c.index).status, CONSENT_ACTIVE);
    f->clock.start_ms = c.expires;
    struct store_consent seen = look(f, c.index);
    assert_int_equal(seen.status, CONSENT_EXPIRED);
    assert_int_equal(seen.status_at, c.expires);
    /* whatever is written next, the expiry stands before it */
    struct store_consent other = create(f, APP, "acc-2");
    seen = look(f, c.index);
    assert_int_equal(seen.recorded, CONSENT_EXPIRED);
    assert_int_equal(seen.status_at, c.expires);
    assert_true(seen.last_entry < other.created_entry);
}

static void a_tenant_does_not_reach_another_ones_consent(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    struct store_change *change = new_change(f, STORE_END, OTHER_TENANT);
    change->id = c.id;
    change->reason.code = SPAN("withdrawn");
    change->reason.leads_to = CONSENT_REVOKED;
    assert_int_equal(fixture_run(f, change), STATUS_NOT_FOUND);
    store_change_free(change);
    assert_int_equal(look(f, c.index).version, 1);
}

static void a_client_may_revoke_what_names_it_and_nothing_else(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    struct store_change *tokens = new_change(f, STORE_TOKENS, APP);
    tokens->id = c.id;
    assert_int_equal(fixture_run(f, tokens), STATUS_INSUFFICIENT_SCOPE);
    store_change_free(tokens);
    struct store_change *change = new_change(f, STORE_END, APP);
    change->id = c.id;
    change->reason.code = SPAN("withdrawnAtClient");
    change->reason.leads_to = CONSENT_REVOKED;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
    struct store_consent ended = look(f, c.index);
    assert_int_equal(ended.status, CONSENT_REVOKED);
    assert_int_equal(ended.by, CONSENT_BY_CLIENT);
}

static void if_match_refuses_another_version(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    for (uint32_t version = 2; version >= 1; version--) {
        struct store_change *change = new_change(f, STORE_END, TENANT);
        change->id = c.id;
        change->reason.code = SPAN("withdrawn");
        change->reason.leads_to = CONSENT_REVOKED;
        change->matches[0].version = version;
        change->match_count = 1;
        assert_int_equal(fixture_run(f, change),
                         version == 2 ? STATUS_VERSION_MISMATCH : STATUS_OK);
        store_change_free(change);
    }
}

static enum status create_with_key(struct fixture *f, unsigned char key, unsigned char body,
                                   uint64_t *consent, bool *replayed) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, APP, "acc-1");
    change->has_key = true;
    change->key.bytes[0] = key;
    change->fingerprint.bytes[0] = body;
    enum status status = fixture_run(f, change);
    *consent = change->done.consent;
    *replayed = change->replayed;
    store_change_free(change);
    return status;
}

static void an_idempotency_key_makes_one_consent(void **state) {
    struct fixture *f = *state;
    uint64_t first, again;
    bool replayed;
    assert_int_equal(create_with_key(f, 1, 1, &first, &replayed), STATUS_OK);
    assert_false(replayed);
    fixture_set_time(f, "2026-03-13T09:59:59Z");
    assert_int_equal(create_with_key(f, 1, 1, &again, &replayed), STATUS_OK);
    assert_true(replayed);
    assert_int_equal(again, first);
    assert_int_equal(create_with_key(f, 1, 2, &again, &replayed), STATUS_IDEMPOTENCY_MISMATCH);
    assert_int_equal(create_with_key(f, 2, 2, &again, &replayed), STATUS_OK);
    assert_int_not_equal(again, first);
    assert_int_equal(event_count(f), 5);
}

/* An emissions consent that needs the arrangement `parent` to be active. */
static enum status create_dependant(struct fixture *f, const struct uuid *parent,
                                    const char *account, uint64_t *out) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    struct store_group *group = arena_array(&change->arena, 1, sizeof *group);
    struct store_member *member = arena_array(&change->arena, 1, sizeof *member);
    fill_draft(f, change, OTHER_APP, account);
    struct span *purpose = arena_array(&change->arena, 1, sizeof *purpose);
    struct policy_permission_ask *permission = arena_array(&change->arena, 1, sizeof *permission);
    *purpose = SPAN("green-finance-eligibility");
    permission->code = SPAN("emissions.monthly");
    member->arrangement = *parent;
    *group = (struct store_group){member, 1};
    change->draft.ask.license = SPAN(EMISSIONS);
    change->draft.ask.purposes = purpose;
    change->draft.ask.permissions = permission;
    change->draft.groups = group;
    change->draft.group_count = 1;
    enum status status = fixture_run(f, change);
    *out = change->done.consent;
    store_change_free(change);
    return status;
}

static void a_dependant_ends_with_what_it_depends_on(void **state) {
    struct fixture *f = *state;
    uint64_t index;
    struct store_consent parent = create(f, APP, "acc-1");
    assert_int_equal(create_dependant(f, &parent.id, "acc-1", &index), STATUS_OK);
    assert_int_equal(end_consent(f, &parent.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    struct store_consent dependant = look(f, index);
    assert_int_equal(dependant.status, CONSENT_TERMINATED);
    assert_int_equal(dependant.by, CONSENT_BY_SYSTEM);
    assert_true(dependant.last_entry == look(f, parent.index).last_entry + 1);
}

static void superseding_does_not_end_a_dependant(void **state) {
    struct fixture *f = *state;
    uint64_t index;
    struct store_consent parent = create(f, APP, "acc-1");
    assert_int_equal(create_dependant(f, &parent.id, "acc-1", &index), STATUS_OK);
    (void)create(f, APP, "acc-1");
    assert_int_equal(look(f, index).status, CONSENT_ACTIVE);
    assert_int_equal(end_consent(f, &parent.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(look(f, index).status, CONSENT_TERMINATED);
}

static void a_dependency_that_has_ended_is_not_admissible(void **state) {
    struct fixture *f = *state;
    uint64_t index;
    struct store_consent parent = create(f, APP, "acc-1");
    assert_int_equal(end_consent(f, &parent.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(create_dependant(f, &parent.id, "acc-1", &index), STATUS_NOT_ADMISSIBLE);
}

static void a_store_opens_again_as_it_was(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    uint32_t entries = event_count(f);
    fixture_close(f);
    fixture_open(f, false);
    assert_int_equal(event_count(f), entries);
    struct store_consent again = look(f, c.index);
    assert_memory_equal(&again.id, &c.id, sizeof c.id);
    assert_int_equal(again.version, 1);
}

static void the_time_never_goes_back(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    fixture_set_time(f, "2026-03-01T00:00:00Z");
    assert_int_equal(store_time_ms(f->store), c.created_at);
    struct store_consent d = create(f, APP, "acc-2");
    assert_int_equal(d.created_at, c.created_at);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_holds_genesis_and_the_pack),
        TEST(a_granted_consent_is_active_with_one_entry),
        TEST(a_second_revocation_keeps_the_first_time),
        TEST(another_end_state_of_an_ended_consent_is_refused),
        TEST(granting_again_supersedes_in_the_same_arrangement),
        TEST(ending_by_an_old_id_ends_the_active_consent),
        TEST(other_clients_and_accounts_are_left_alone),
        TEST(expiry_is_computed_before_it_is_recorded),
        TEST(a_tenant_does_not_reach_another_ones_consent),
        TEST(a_client_may_revoke_what_names_it_and_nothing_else),
        TEST(if_match_refuses_another_version),
        TEST(an_idempotency_key_makes_one_consent),
        TEST(a_dependant_ends_with_what_it_depends_on),
        TEST(superseding_does_not_end_a_dependant),
        TEST(a_dependency_that_has_ended_is_not_admissible),
        TEST(a_store_opens_again_as_it_was),
        TEST(the_time_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
