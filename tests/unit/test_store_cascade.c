/* Cascades of any size: the first thousand entries in the cause's transaction, the rest from
 * durable jobs, over a restart too; and in creation order. Invariant 2. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_store.h"

#define MANY 1500 /* more than LIMIT_BULK */

static struct store_change *dependant(struct fixture *f, const struct uuid *parent,
                                      const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    struct store_group *group = arena_array(&change->arena, 1, sizeof *group);
    struct store_member *member = arena_array(&change->arena, 1, sizeof *member);
    struct span *purpose = arena_array(&change->arena, 1, sizeof *purpose);
    struct policy_permission_ask *permission = arena_array(&change->arena, 1, sizeof *permission);
    fill_draft(f, change, OTHER_APP, account);
    *purpose = SPAN("green-finance-eligibility");
    permission->code = SPAN("emissions.monthly");
    member->arrangement = *parent;
    *group = (struct store_group){member, 1};
    change->draft.ask.license = SPAN(EMISSIONS);
    change->draft.ask.purposes = purpose;
    change->draft.ask.permissions = permission;
    change->draft.groups = group;
    change->draft.group_count = 1;
    return change;
}

static void create_dependants(struct fixture *f, const struct uuid *parent, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char account[32];
        snprintf(account, sizeof account, "acc-%u", i);
        struct store_change *change = dependant(f, parent, account);
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        store_change_free(change);
    }
}

static unsigned active_from(struct fixture *f, uint64_t first, unsigned count) {
    unsigned active = 0;
    for (uint64_t i = first; i < first + count; i++)
        active += look(f, i).recorded == CONSENT_ACTIVE;
    return active;
}

/* Any write makes the writer go on with its jobs; it also does so by itself when it is idle. */
static void nudge(struct fixture *f, unsigned number) {
    char account[32];
    snprintf(account, sizeof account, "nudge-%u", number);
    (void)create(f, APP, account);
}

static void a_large_cascade_goes_on_from_a_job(void **state) {
    struct fixture *f = *state;
    struct store_consent parent = create(f, APP, "parent");
    create_dependants(f, &parent.id, MANY);
    assert_int_equal(end_consent(f, &parent.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    unsigned left = active_from(f, parent.index + 1, MANY);
    assert_true(left <= MANY - LIMIT_BULK);
    fixture_close(f); /* durable: the job outlives the process */
    fixture_open(f, false);
    nudge(f, 0);
    nudge(f, 1);
    assert_int_equal(active_from(f, parent.index + 1, MANY), 0);
}

static void dependants_end_in_creation_order_naming_their_cause(void **state) {
    struct fixture *f = *state;
    struct store_consent parent = create(f, APP, "parent");
    create_dependants(f, &parent.id, 3);
    struct store_consent first = look(f, parent.index + 1);
    struct store_change *change = dependant(f, &first.id, "grandchild");
    /* emissions do not depend on emissions under this pack */
    assert_int_equal(fixture_run(f, change), STATUS_NOT_ADMISSIBLE);
    store_change_free(change);
    assert_int_equal(end_consent(f, &parent.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint64_t entry = look(f, parent.index).last_entry;
    for (unsigned i = 1; i <= 3; i++) {
        struct store_event event;
        struct store_consent c = look(f, parent.index + i);
        assert_int_equal(c.last_entry, entry + i);
        assert_int_equal(store_read_begin(f->reader), STATUS_OK);
        assert_int_equal(store_event_get(f->reader, c.last_entry, &event), STATUS_OK);
        char id[UUID_TEXT_SIZE + 1];
        uuid_to_text(&parent.id, id);
        struct span cause = span_of_text("\"cause\":{\"consentId\":\"");
        const char *at = memmem(event.payload.data, event.payload.size, cause.data, cause.size);
        assert_non_null(at);
        assert_memory_equal(at + cause.size, id, UUID_TEXT_SIZE);
        store_read_end(f->reader);
    }
}

static void a_second_member_of_a_group_keeps_it(void **state) {
    struct fixture *f = *state;
    struct store_consent one = create(f, APP, "one"), two = create(f, APP, "two");
    struct store_change *change = dependant(f, &one.id, "child");
    struct store_member *members = arena_array(&change->arena, 2, sizeof *members);
    struct store_group *group = arena_array(&change->arena, 1, sizeof *group);
    members[0].arrangement = one.id;
    members[1].arrangement = two.id;
    *group = (struct store_group){members, 2};
    change->draft.groups = group;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t child = change->done.consent;
    store_change_free(change);
    assert_int_equal(end_consent(f, &one.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(look(f, child).status, CONSENT_ACTIVE);
    assert_int_equal(end_consent(f, &two.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(look(f, child).status, CONSENT_TERMINATED);
}

static void the_clock_ends_a_parent_and_with_it_its_dependants(void **state) {
    struct fixture *f = *state;
    struct store_consent parent = create(f, APP, "parent");
    fixture_set_time(f, "2026-03-20T00:00:00Z");
    create_dependants(f, &parent.id, 2);
    f->clock.start_ms = parent.expires;
    nudge(f, 0);
    assert_int_equal(look(f, parent.index).recorded, CONSENT_EXPIRED);
    assert_int_equal(active_from(f, parent.index + 1, 2), 0);
    assert_int_equal(look(f, parent.index + 1).status, CONSENT_TERMINATED);
}

static void a_bulk_revocation_ends_a_thousand_and_says_more(void **state) {
    struct fixture *f = *state;
    for (unsigned i = 0; i < LIMIT_BULK + 5; i++) {
        char account[32];
        snprintf(account, sizeof account, "bulk-%u", i);
        (void)create(f, APP, account);
    }
    static const unsigned expected[] = {LIMIT_BULK, 5, 0};
    for (unsigned round = 0; round < 3; round++) {
        struct store_change *change = new_change(f, STORE_END_MANY, TENANT);
        change->selection.client = SPAN(APP);
        change->reason.code = SPAN("recipientStruckOff");
        change->reason.leads_to = CONSENT_TERMINATED;
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        assert_int_equal(change->result_count, expected[round]);
        assert_int_equal(change->more, round == 0);
        store_change_free(change);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_large_cascade_goes_on_from_a_job),
        TEST(dependants_end_in_creation_order_naming_their_cause),
        TEST(a_second_member_of_a_group_keeps_it),
        TEST(the_clock_ends_a_parent_and_with_it_its_dependants),
        TEST(a_bulk_revocation_ends_a_thousand_and_says_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
