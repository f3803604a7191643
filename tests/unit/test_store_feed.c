/* Feeds: what changed a caller's consents, against the whole log; bounded walks; and whom a commit
 * names. */
// SPDX-License-Identifier: Apache-2.0
#include "store/feed.h"

#include "store/erasure.h"
#include "store/inquiry.h"
#include "store/look.h"
#include "tests/unit/support_store.h"

#define ALL_MAX 400

/* The feed from `from` on, page by page, as indexes. */
static size_t feed(struct fixture *f, struct store_feed_ask ask, uint64_t out[ALL_MAX]) {
    struct arena arena = {0};
    size_t count = 0;
    bool more = true;
    while (more) {
        struct store_event_page page;
        assert_int_equal(store_read_begin(f->reader), STATUS_OK);
        assert_int_equal(store_feed_read(f->reader, &ask, &arena, &page), STATUS_OK);
        store_read_end(f->reader);
        for (uint32_t i = 0; i < page.count; i++) {
            assert_true(page.items[i].index >= ask.from && page.items[i].index < page.next);
            out[count++] = page.items[i].index;
        }
        assert_true(page.count <= ask.limit);
        assert_true(page.next > ask.from || !page.more);
        ask.from = page.next;
        more = page.more;
    }
    arena_release(&arena);
    return count;
}

/* The same out of the log itself. */
static size_t expected(struct fixture *f, const struct store_feed_ask *ask, uint64_t out[ALL_MAX]) {
    struct store_stats stats;
    size_t count = 0;
    store_stats_get(f->store, &stats);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    for (uint64_t i = ask->from; i < stats.entries; i++) {
        struct store_event event;
        assert_int_equal(store_event_get(f->reader, i, &event), STATUS_OK);
        struct span tenant = store_name(f->reader, STORE_NAME_MEMBER, event.tenant);
        struct span client = store_name(f->reader, STORE_NAME_MEMBER, event.client);
        bool own = event.consent != STORE_INDEX_NONE &&
                   ((span_present(ask->tenant) && span_equal(tenant, ask->tenant)) ||
                    (span_present(ask->client) && span_equal(client, ask->client)));
        if (own && event.leaf.data[1] == 1)
            out[count++] = i;
    }
    store_read_end(f->reader);
    return count;
}

static void assert_feed(struct fixture *f, struct store_feed_ask ask) {
    uint64_t got[ALL_MAX], want[ALL_MAX];
    size_t count = feed(f, ask, got), wanted = expected(f, &ask, want);
    assert_int_equal(count, wanted);
    assert_memory_equal(got, want, count * sizeof *got);
}

static void block(struct fixture *f, const char *tenant, const char *client) {
    struct store_change *change = new_change(f, STORE_BLOCK, tenant);
    change->block = arena_array(&change->arena, 1, sizeof *change->block);
    *change->block = (struct store_block){
        .client = keep(change, client), .reason = SPAN("fraud"), .until = INT64_MAX};
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

static void create_as(struct fixture *f, const char *tenant, const char *client,
                      const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, tenant);
    fill_draft(f, change, client, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    store_change_free(change);
}

/* Two tenants, two clients, one that is both, endings, and entries that change no consent. */
static void fill(struct fixture *f) {
    static const char *const tenants[] = {TENANT, OTHER_TENANT, APP};
    static const char *const clients[] = {APP, OTHER_APP};
    char account[16];
    for (unsigned n = 0; n < 60; n++) {
        snprintf(account, sizeof account, "acc-%u", n);
        create_as(f, tenants[n % 3], clients[n % 2], account);
        if (n % 7 == 3)
            block(f, tenants[n % 3], clients[n % 2]);
        if (n % 5 == 2) {
            struct store_consent c = create(f, clients[n % 2], account);
            assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
        }
    }
}

static void a_feed_has_what_changed_the_callers_consents_and_nothing_else(void **state) {
    struct fixture *f = *state;
    static const char *const tenants[] = {NULL, TENANT, OTHER_TENANT, APP, "https://n.example"};
    static const char *const clients[] = {NULL, APP, OTHER_APP, TENANT, "https://n.example"};
    fill(f);
    for (unsigned t = 0; t < 5; t++)
        for (unsigned c = 0; c < 5; c++)
            for (unsigned limit = 1; limit < 100; limit = 2 * limit + 3)
                for (uint64_t from = 0; from < 90; from += 17)
                    assert_feed(f, (struct store_feed_ask){span_of_text(tenants[t]),
                                                           span_of_text(clients[c]), from, limit});
}

/* The next place is the caller's own, however much the log goes on. */
static void where_a_feed_goes_on_tells_nothing_of_others(void **state) {
    struct fixture *f = *state;
    struct arena arena = {0};
    struct store_event_page page;
    struct store_consent c = create(f, APP, "acc-1");
    for (unsigned n = 0; n < 5; n++)
        create_as(f, OTHER_TENANT, OTHER_APP, "acc-1");
    const struct store_feed_ask asks[] = {
        {SPAN(TENANT), SPAN_NONE, 0, 10},
        {SPAN(TENANT), SPAN_NONE, c.last_entry + 1, 10},
        {SPAN("https://stranger.example"), SPAN("https://stranger.example"), 0, 10},
    };
    static const uint64_t zero = 0;
    const uint64_t next[] = {c.last_entry + 1, c.last_entry + 1, zero};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_feed_read(f->reader, &asks[i], &arena, &page), STATUS_OK);
        assert_int_equal(page.next, next[i]);
        assert_false(page.more);
    }
    assert_null(page.items); /* and what waits takes no memory with each look */
    store_read_end(f->reader);
    arena_release(&arena);
}

/* More than a page may visit, none of which changed a consent. */
static void a_page_ends_after_so_many_entries(void **state) {
    struct fixture *f = *state;
    struct arena arena = {0};
    struct store_event_page page;
    struct store_consent c = create(f, APP, "acc-1");
    for (unsigned sent = 0; sent <= LIMIT_WALK; sent += 64) {
        struct store_change *change = new_change(f, STORE_LOOK, TENANT);
        change->look_count = 64;
        change->looks = arena_array(&change->arena, 64, sizeof *change->looks);
        for (unsigned i = 0; i < 64; i++)
            change->looks[i] = (struct store_look){.client_id = SPAN("https://auditor.example"),
                                                   .role = STORE_BY_AUDITOR,
                                                   .operation = SPAN("GET /v1/x"),
                                                   .has_consent = true,
                                                   .consent = c.id,
                                                   .entry = STORE_INDEX_NONE,
                                                   .count = 1};
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        store_change_free(change);
    }
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    struct store_feed_ask ask = {SPAN(TENANT), SPAN(APP), c.last_entry + 1, 10};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_feed_read(f->reader, &ask, &arena, &page), STATUS_OK);
    assert_int_equal(page.count, 0);
    assert_true(page.more);
    assert_int_equal(page.next, c.last_entry + 1 + LIMIT_WALK);
    ask.from = page.next;
    assert_int_equal(store_feed_read(f->reader, &ask, &arena, &page), STATUS_OK);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.items[0].code, STORE_CONSENT_REVOKED);
    assert_false(page.more);
    store_read_end(f->reader);
    arena_release(&arena);
}

static uint64_t bits_of(struct fixture *f, const char *tenant, const char *client) {
    const struct store_feed_ask ask = {span_of_text(tenant), span_of_text(client), 0, 1};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    uint64_t bits = store_feed_bits(f->reader, &ask);
    store_read_end(f->reader);
    return bits;
}

static void a_commit_names_those_whose_consents_it_changed(void **state) {
    struct fixture *f = *state;
    assert_true(bits_of(f, TENANT, APP) == UINT64_MAX); /* nobody knows them yet */
    f->fed = 0;
    struct store_consent c = create(f, APP, "acc-1");
    uint64_t tenant = bits_of(f, TENANT, NULL), client = bits_of(f, NULL, APP);
    assert_true(tenant != 0 && client != 0 && tenant != client);
    assert_true(f->fed == (tenant | client));
    assert_true(bits_of(f, TENANT, APP) == (tenant | client));
    assert_true(bits_of(f, TENANT, "https://n.example") == UINT64_MAX);
    f->fed = 0;
    block(f, TENANT, APP);
    assert_true(f->fed == 0);
    struct uuid unknown = c.id;
    unknown.bytes[15] ^= 1;
    assert_int_equal(end_consent(f, &unknown, "withdrawn", CONSENT_REVOKED), STATUS_NOT_FOUND);
    assert_true(f->fed == 0);
    create_as(f, OTHER_TENANT, OTHER_APP, "acc-1");
    assert_true((f->fed & (tenant | client)) == 0);
    f->fed = 0;
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_true(f->fed == (tenant | client));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_feed_has_what_changed_the_callers_consents_and_nothing_else),
        TEST(where_a_feed_goes_on_tells_nothing_of_others),
        TEST(a_page_ends_after_so_many_entries),
        TEST(a_commit_names_those_whose_consents_it_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
