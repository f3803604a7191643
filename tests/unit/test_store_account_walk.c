/* An account's entries from the index, against a walk over the whole log: consents of several
 * clients and providers, questions that found none, erasures in part and whole, paging. */
// SPDX-License-Identifier: Apache-2.0
#include "store/account_walk.h"

#include "base/encode.h"
#include "tests/unit/support_erasing.h"

#define ENTRIES 4096
#define ACCOUNTS 4

struct found {
    uint64_t indexes[ENTRIES];
    uint32_t count;
};
static const char *const accounts[ACCOUNTS] = {"acc-0", "acc-1", "acc-2", "acc-never"};
static const char *const tenants[] = {TENANT, OTHER_TENANT};

static struct store_event_filter filter_of(const struct span *tenant, const char *account) {
    return (struct store_event_filter){.tenants = tenant,
                                       .tenant_count = 1,
                                       .account = span_of_text(account),
                                       .from = INT64_MIN,
                                       .to = INT64_MAX};
}

static void query(struct fixture *f, const struct store_event_filter *filter, uint64_t from,
                  uint32_t limit, struct found *out) {
    struct store_event_page page = {.more = true, .next = from};
    out->count = 0;
    for (uint32_t pages = 0; page.more; pages++) {
        struct arena arena = {0};
        assert_true(pages < ENTRIES);
        assert_int_equal(store_event_query(f->reader, filter, page.next, limit, &arena, &page),
                         STATUS_OK);
        assert_true(page.count <= limit);
        for (uint32_t i = 0; i < page.count; i++)
            out->indexes[out->count++] = page.items[i].index;
        arena_release(&arena);
    }
}

/* By who sees everything and names no tenant: along the leaves, each looked at by itself. */
static void expect(struct fixture *f, const struct store_event_filter *like, uint64_t from,
                   struct found *out) {
    struct store_event_filter all = *like;
    struct found found;
    all.everyone = true;
    all.tenant_count = 0;
    query(f, &all, from, LIMIT_PAGE, &found);
    out->count = 0;
    for (uint32_t i = 0; i < found.count; i++) {
        struct store_event event;
        assert_int_equal(store_event_get(f->reader, found.indexes[i], &event), STATUS_OK);
        if (span_equal(store_name(f->reader, STORE_NAME_MEMBER, event.tenant), like->tenants[0]))
            out->indexes[out->count++] = found.indexes[i];
    }
}

static void assert_same(struct fixture *f, const struct store_event_filter *filter, uint64_t from,
                        uint32_t limit) {
    struct found wanted, got;
    expect(f, filter, from, &wanted);
    query(f, filter, from, limit, &got);
    assert_int_equal(got.count, wanted.count);
    assert_memory_equal(got.indexes, wanted.indexes, wanted.count * sizeof *wanted.indexes);
}

static uint32_t count_for(struct fixture *f, const char *account) {
    const struct span tenant = SPAN(TENANT);
    struct store_event_filter filter = filter_of(&tenant, account);
    struct found found;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    query(f, &filter, 0, LIMIT_PAGE, &found);
    store_read_end(f->reader);
    return found.count;
}

/* Entries that the index alone has for the account; none when it will not do. */
static bool walked(struct fixture *f, const char *account, uint32_t *count) {
    struct account_walk walk;
    uint64_t last = 0;
    *count = 0;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    uint32_t tenant = store_name_find(f->reader, STORE_NAME_MEMBER, SPAN(TENANT));
    struct account_sought sought = {tenant, span_of_text(account)};
    bool open = account_walk_open(f->reader, &sought, 0, &walk);
    for (; open && walk.live; account_walk_next(&walk)) {
        assert_true(*count == 0 || walk.number > last);
        last = walk.number;
        ++*count;
    }
    if (open)
        account_walk_close(&walk);
    store_read_end(f->reader);
    return open;
}

static void assert_all_same(struct fixture *f) {
    uint64_t size = entries_of(f);
    int64_t start = 0, middle = 0;
    assert_int_equal(timestamp_parse(SPAN(T0), &start), STATUS_OK);
    middle = start + DAY_MS;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    for (size_t t = 0; t < 2; t++) {
        const struct span tenant = span_of_text(tenants[t]);
        for (size_t a = 0; a < ACCOUNTS; a++) {
            struct store_event_filter filter = filter_of(&tenant, accounts[a]);
            assert_same(f, &filter, 0, 1);
            for (uint64_t from = 0; from <= size; from += 5)
                assert_same(f, &filter, from, 3);
            filter.to = middle;
            assert_same(f, &filter, 0, 2);
            filter.from = middle;
            filter.to = INT64_MAX;
            assert_same(f, &filter, 0, 2);
            filter.client = SPAN(APP);
            assert_same(f, &filter, 0, 2);
            filter.disclosures = true;
            assert_same(f, &filter, 0, 2);
        }
    }
    store_read_end(f->reader);
}

static struct store_consent make(struct fixture *f, const char *tenant, const char *provider,
                                 const char *client, const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, tenant);
    fill_draft(f, change, client, account);
    change->draft.provider = keep(change, provider);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return look(f, index);
}

static struct store_consent fill(struct fixture *f) {
    struct store_consent first = make(f, TENANT, TENANT, APP, "acc-0");
    (void)make(f, TENANT, OTHER_TENANT, APP, "acc-0");
    (void)make(f, TENANT, TENANT, OTHER_APP, "acc-0");
    (void)make(f, TENANT, TENANT, APP, "acc-1");
    (void)make(f, OTHER_TENANT, OTHER_TENANT, APP, "acc-0");
    (void)make(f, OTHER_TENANT, TENANT, APP, "acc-1");
    for (size_t a = 0; a < ACCOUNTS; a++) {
        decide(f, accounts[a], 3);
        disclose(f, accounts[a]);
    }
    fixture_set_time(f, "2026-03-14T10:00:00Z");
    for (size_t a = ACCOUNTS; a-- != 0;) {
        disclose(f, accounts[a]);
        decide(f, accounts[a], 2);
    }
    return first;
}

static void the_index_finds_what_a_walk_over_all_finds(void **state) {
    struct fixture *f = *state;
    uint32_t visited;
    struct store_consent first = fill(f);
    assert_all_same(f);
    assert_int_equal(end_consent(f, &first.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_all_same(f);
    assert_true(walked(f, "acc-0", &visited));
    assert_int_equal(visited, count_for(f, "acc-0")); /* no look at anybody else's */
    assert_true(visited < entries_of(f) / 2);
    assert_true(walked(f, "acc-never", &visited));
    assert_int_equal(visited, 7);
    assert_int_equal(count_for(f, "acc-never"), 7);
    assert_true(walked(f, "acc-nobody", &visited));
    assert_int_equal(visited, 0);
}

static void erased_in_part_it_is_found_and_whole_it_is_not(void **state) {
    struct fixture *f = *state;
    struct store_consent own = make(f, TENANT, TENANT, APP, "acc-0");
    struct store_consent foreign = make(f, TENANT, OTHER_TENANT, OTHER_APP, "acc-0");
    const struct uuid *const ids[] = {&own.id, &foreign.id};
    decide(f, "acc-0", 2);
    decide(f, "acc-never", 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(end_consent(f, ids[i], "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint32_t before = count_for(f, "acc-0"), visited;
    uint64_t rows = count_of(f, DB_LOG_BY_TRANSACTION);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            run_and_free(f, erasure_of(f, ids[i], STORE_ERASED_PERSONAL, STORE_GROUND_OBJECTION)),
            STATUS_OK);
    assert_int_equal(count_of(f, DB_BY_ACCOUNT), 0);
    assert_int_equal(count_of(f, DB_LOG_BY_TRANSACTION), rows + 3);
    assert_int_equal(count_for(f, "acc-0"), before);
    assert_all_same(f);
    assert_true(walked(f, "acc-0", &visited));
    assert_int_equal(visited, before);
    fixture_set_time(f, "2027-04-01T00:00:00Z");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(run_and_free(f, erasure_of(f, ids[i], STORE_ERASED_WHOLE,
                                                    STORE_GROUND_NO_LONGER_NECESSARY)),
                         STATUS_OK);
    assert_int_equal(count_of(f, DB_LOG_BY_TRANSACTION), rows + 1);
    assert_int_equal(count_for(f, "acc-0"), 0);
    assert_all_same(f);
    assert_int_equal(count_for(f, "acc-never"), 2);
    assert_int_equal(run_and_free(f, erasure_of_account(f, "acc-never", STORE_ERASED_WHOLE,
                                                        STORE_GROUND_NO_LONGER_NECESSARY)),
                     STATUS_OK);
    assert_int_equal(count_of(f, DB_LOG_BY_TRANSACTION), rows - 1);
    assert_int_equal(count_for(f, "acc-never"), 0);
    assert_all_same(f);
}

static void too_many_consents_are_found_by_the_walk(void **state) {
    struct fixture *f = *state;
    struct mac16 key = store_account_key(f->store, SPAN(TENANT), SPAN("acc-0"));
    struct store_consent c = make(f, TENANT, TENANT, APP, "acc-0");
    uint32_t visited;
    struct db_txn txn;
    assert_true(walked(f, "acc-0", &visited));
    db_write_begin(f->store->db, &txn);
    for (uint64_t i = 1; i <= ACCOUNT_WALK_CONSENTS; i++) {
        struct key row = key_account_consent(&key, c.client, c.index + i);
        db_put(&txn, DB_BY_ACCOUNT, key_span(&row), SPAN(""));
    }
    assert_int_equal(db_write_commit(&txn), STATUS_OK);
    assert_false(walked(f, "acc-0", &visited));
    assert_int_equal(count_for(f, "acc-0"), 1);
    assert_all_same(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_index_finds_what_a_walk_over_all_finds, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(erased_in_part_it_is_found_and_whole_it_is_not,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(too_many_consents_are_found_by_the_walk, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
