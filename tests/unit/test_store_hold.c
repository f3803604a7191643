/* Legal holds: what they refuse, until when, and what the log and the list tell of them. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "tests/unit/support_erasing.h"

#define ENDED "2026-04-01T00:00:00Z"
#define DUE "2027-04-01T00:00:00Z"

static struct store_consent ended(struct fixture *f, const char *account) {
    struct store_consent c = create(f, APP, account);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    return look(f, c.index);
}

static uint64_t hold(struct fixture *f, const struct uuid *id, const char *account) {
    struct store_change *change = hold_of(f, id, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.log_index;
    store_change_free(change);
    return index;
}

static enum status erase(struct fixture *f, const struct uuid *id) {
    return run_and_free(f, erasure_of(f, id, STORE_ERASED_WHOLE, STORE_GROUND_CONSENT_WITHDRAWN));
}

static enum status erase_account(struct fixture *f, const char *account) {
    return run_and_free(
        f, erasure_of_account(f, account, STORE_ERASED_WHOLE, STORE_GROUND_CONSENT_WITHDRAWN));
}

static struct store_hold_page holds(struct fixture *f, const char *tenant, uint64_t from,
                                    uint32_t limit, struct arena *arena) {
    struct store_hold_page page;
    const struct store_hold_query query = {span_of_text(tenant), from, limit};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_holds(f->reader, &query, arena, &page), STATUS_OK);
    store_read_end(f->reader);
    return page;
}

static void nothing_held_is_erased_until_it_is_lifted(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t set = hold(f, &c.id, NULL), entries = entries_of(f);
    assert_int_equal(erase(f, &c.id), STATUS_LEGAL_HOLD);
    assert_int_equal(erase_account(f, "acc-1"), STATUS_LEGAL_HOLD);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(look(f, c.index).erased, STORE_KEPT);
    assert_int_equal(release(f, set), STATUS_OK);
    assert_int_equal(release(f, set), STATUS_NOT_FOUND);
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_PERSONAL);
}

static void a_hold_on_an_account_holds_its_consents(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t set = hold(f, NULL, "acc-1");
    assert_int_equal(erase(f, &c.id), STATUS_LEGAL_HOLD);
    assert_int_equal(erase_account(f, "acc-1"), STATUS_LEGAL_HOLD);
    c = ended(f, "acc-2");
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    assert_int_equal(rows_with(f, SPAN("\"acc-1\"")), 1); /* the grant's: the hold has none */
    assert_int_equal(release(f, set), STATUS_OK);
    assert_int_equal(erase_account(f, "acc-1"), STATUS_OK);
}

/* The entries of a hold stay; nothing in them is of a person. */
static void no_hold_leaves_a_trace_of_who_was_held(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint32_t before = traces_of(f, "acc-1");
    uint64_t of_consent = hold(f, &c.id, NULL), of_account = hold(f, NULL, "acc-1");
    assert_int_equal(traces_of(f, "acc-1"), before + 2); /* the rows of the account's */
    assert_int_equal(release(f, of_consent), STATUS_OK);
    assert_int_equal(release(f, of_account), STATUS_OK);
    assert_int_equal(traces_of(f, "acc-1"), before);
    fixture_set_time(f, DUE);
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    assert_int_equal(traces_of(f, "acc-1"), 0);
    assert_int_equal(rows_with(f, SPAN("\"court-17\"")), 2); /* why they were held */
    assert_int_equal(rows_with(f, SPAN("\"setIndex\":")), 2);
}

/* Also one that was set when no consent was there yet. */
static void an_account_without_consents_can_be_held(void **state) {
    struct fixture *f = *state;
    (void)create(f, APP, "acc-2");
    (void)hold(f, NULL, "acc-1");
    decide(f, "acc-1", 1);
    assert_int_equal(erase_account(f, "acc-1"), STATUS_LEGAL_HOLD);
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(erase(f, &c.id), STATUS_LEGAL_HOLD);
}

static void what_was_scheduled_waits_for_the_hold(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    uint64_t set = hold(f, &c.id, NULL);
    fixture_set_time(f, DUE);
    (void)create(f, APP, "acc-2");
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_PERSONAL);
    assert_int_equal(count_of(f, DB_ERASURE), 2);
    fixture_close(f);
    fixture_open(f, false);
    assert_int_equal(release(f, set), STATUS_OK);
    (void)create(f, APP, "acc-3"); /* the sweep runs before any change, at the same time */
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

/* What waits when a hold is lifted may wait for another one. */
static void each_hold_is_waited_for(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    uint64_t first = hold(f, &c.id, NULL), second = hold(f, NULL, "acc-1");
    fixture_set_time(f, DUE);
    (void)create(f, APP, "acc-2");
    assert_int_equal(release(f, first), STATUS_OK);
    (void)create(f, APP, "acc-3");
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_PERSONAL);
    assert_int_equal(count_of(f, DB_ERASURE), 2);
    assert_int_equal(release(f, second), STATUS_OK);
    (void)create(f, APP, "acc-4");
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

/* More of it than one commit moves: each commit of the sweep goes on. */
static void a_hold_on_an_account_frees_all_that_waits_for_it(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    for (unsigned i = 1; i < 300; i++)
        c = create(f, APP, "acc-1"); /* each supersedes the one before */
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(erase_account(f, "acc-1"), STATUS_OK);
    assert_int_equal(count_of(f, DB_ERASURE), 600);
    uint64_t set = hold(f, NULL, "acc-1"), entries = entries_of(f);
    fixture_set_time(f, DUE);
    for (unsigned i = 0; i < 300; i++) /* each with a step of the sweep before it */
        assert_int_equal(release(f, 0), STATUS_NOT_FOUND);
    assert_int_equal(count_of(f, DB_ERASURE), 600);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(release(f, set), STATUS_OK);
    for (unsigned i = 0; i < 301; i++)
        assert_int_equal(release(f, set), STATUS_NOT_FOUND);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
    for (uint64_t i = 0; i <= c.index; i++)
        assert_int_equal(look(f, i).erased, STORE_ERASED_WHOLE);
}

/* In the same commit. */
static void what_a_lifted_hold_freed_comes_before_what_is_asked_for(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    uint64_t set = hold(f, &c.id, NULL);
    fixture_set_time(f, DUE);
    (void)create(f, APP, "acc-2");
    assert_int_equal(release(f, set), STATUS_OK);
    assert_int_equal(erase(f, &c.id), STATUS_ERASED);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

static void the_same_hold_again_stays_as_it_is(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    uint64_t set = hold(f, &c.id, NULL), entries = entries_of(f);
    struct store_change *change = hold_of(f, &c.id, NULL);
    change->hold->reason = SPAN("other");
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->replayed);
    assert_int_equal(change->done.log_index, set);
    store_change_free(change);
    assert_int_equal(entries_of(f), entries);
}

static void only_its_tenant_holds_a_consent(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    uint64_t set = hold(f, &c.id, NULL), entries = entries_of(f);
    struct store_change *change = hold_of(f, &c.id, NULL);
    change->tenant = keep(change, OTHER_TENANT);
    assert_int_equal(run_and_free(f, change), STATUS_NOT_FOUND);
    change = new_change(f, STORE_RELEASE, OTHER_TENANT);
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){.role = STORE_BY_TENANT, .log_index = set};
    assert_int_equal(run_and_free(f, change), STATUS_NOT_FOUND);
    const struct uuid nobody = {{9}};
    assert_int_equal(run_and_free(f, hold_of(f, &nobody, NULL)), STATUS_NOT_FOUND);
    assert_int_equal(entries_of(f), entries);
}

static void the_list_tells_what_stands_page_by_page(void **state) {
    struct fixture *f = *state;
    struct arena arena = {0};
    struct store_consent c = create(f, APP, "acc-1");
    uint64_t first = hold(f, &c.id, NULL), second = hold(f, NULL, "acc-2");
    uint64_t third = hold(f, NULL, "acc-3");
    struct store_hold_page page = holds(f, TENANT, 0, 2, &arena);
    assert_int_equal(page.count, 2);
    assert_true(page.more);
    assert_int_equal(page.next, third);
    assert_int_equal(page.items[0].log_index, first);
    assert_true(uuid_equal(&page.items[0].consent, &c.id));
    assert_true(uuid_is_nil(&page.items[1].consent));
    assert_int_equal(page.items[1].since, store_time_ms(f->store));
    page = holds(f, TENANT, third, 2, &arena);
    assert_int_equal(page.count, 1);
    assert_false(page.more);
    assert_int_equal(release(f, second), STATUS_OK);
    page = holds(f, TENANT, 0, 10, &arena);
    assert_int_equal(page.count, 2);
    assert_int_equal(holds(f, OTHER_TENANT, 0, 10, &arena).count, 0);
    arena_release(&arena);
}

static void what_is_gone_cannot_be_held(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    fixture_set_time(f, DUE);
    assert_int_equal(erase(f, &c.id), STATUS_OK);
    assert_int_equal(run_and_free(f, hold_of(f, &c.id, NULL)), STATUS_ERASED);
    assert_int_equal(erase(f, &c.id), STATUS_ERASED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(nothing_held_is_erased_until_it_is_lifted),
        T(a_hold_on_an_account_holds_its_consents),
        T(an_account_without_consents_can_be_held),
        T(what_was_scheduled_waits_for_the_hold),
        T(the_same_hold_again_stays_as_it_is),
        T(only_its_tenant_holds_a_consent),
        T(the_list_tells_what_stands_page_by_page),
        T(what_is_gone_cannot_be_held),
        T(each_hold_is_waited_for),
        T(no_hold_leaves_a_trace_of_who_was_held),
        T(a_hold_on_an_account_frees_all_that_waits_for_it),
        T(what_a_lifted_hold_freed_comes_before_what_is_asked_for),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
