/* The outbox: what goes in with an ending, what comes out when it is due, how it is settled, and
 * that a token stands nowhere in the clear. */
// SPDX-License-Identifier: Apache-2.0
#include "store/outbox.h"

#include "base/seal.h"
#include "store/erasure.h"
#include "store/internal.h"
#include "tests/unit/support_store.h"

#define TOKEN "refresh-token-5f1c0de"

static struct store_change *withdraw(struct fixture *f, const struct uuid *id, const char *token) {
    struct store_change *change = new_change(f, STORE_END, TENANT);
    change->id = *id;
    change->reason.code = keep(change, "withdrawn");
    change->reason.leads_to = CONSENT_REVOKED;
    change->invalidated_token = keep(change, token);
    return change;
}

static enum status run(struct fixture *f, struct store_change *change) {
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

/* ---- reading */

struct seen {
    struct arena arena;
    struct store_outbox box;
    unsigned asked;
    bool wanted;
};

static bool want(void *context, const struct store_message *message) {
    struct seen *seen = context;
    seen->asked++;
    assert_false(span_present(message->token)); /* not before it is wanted */
    return seen->wanted;
}

static struct seen see_from(struct fixture *f, struct store_outbox_place from, uint32_t limit,
                            bool wanted) {
    struct seen seen = {.wanted = wanted};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    const struct store_outbox_ask ask = {from, limit, want, &seen};
    assert_int_equal(store_outbox_read(f->reader, &ask, &seen.arena, &seen.box), STATUS_OK);
    store_read_end(f->reader);
    return seen;
}

static struct seen see(struct fixture *f, uint32_t limit, bool wanted) {
    return see_from(f, (struct store_outbox_place){.due = 0}, limit, wanted);
}

static void assert_waiting(struct fixture *f, uint32_t due, uint64_t waiting) {
    struct seen seen = see(f, 16, true);
    assert_int_equal(seen.box.count, due);
    assert_int_equal(seen.box.waiting, waiting);
    arena_release(&seen.arena);
}

static enum store_message_state state_of(struct fixture *f, uint64_t index) {
    struct store_consent c;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, index, &c), STATUS_OK);
    enum store_message_state state = store_message_state(f->reader, &c);
    store_read_end(f->reader);
    return state;
}

static void settle(struct fixture *f, struct store_delivery delivery) {
    struct store_change *change = new_change(f, STORE_DELIVER, TENANT);
    struct store_delivery *list = arena_array(&change->arena, 1, sizeof *list);
    *list = delivery;
    change->deliveries = list;
    change->delivery_count = 1;
    assert_int_equal(run(f, change), STATUS_OK);
}

static uint64_t entries(struct fixture *f) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    return stats.entries;
}

static bool file_has(struct fixture *f, const char *text) {
    char path[128];
    struct buffer all = {0};
    size_t got;
    snprintf(path, sizeof path, "%s/data.mdb", f->directory);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    while ((got = fread(buffer_reserve(&all, 65536), 1, 65536, file)) > 0)
        all.size += got;
    fclose(file);
    bool found = memmem(all.data, all.size, text, strlen(text)) != NULL;
    buffer_release(&all);
    return found;
}

/* ---- tests */

static void a_message_goes_in_with_the_ending_and_comes_out_sealed_in_between(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_NONE);
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_WAITING);
    assert_int_equal(f->queued, 1);
    for (int times = 0; times < 2; times++) { /* and after a restart */
        struct seen seen = see(f, 16, true);
        assert_int_equal(seen.box.count, 1);
        const struct store_message *message = &seen.box.items[0];
        assert_true(span_is(message->token, TOKEN));
        assert_true(span_is(message->tenant, TENANT) && span_is(message->client, APP));
        assert_int_equal(message->consent, c.index);
        assert_int_equal(message->attempts, 0);
        assert_int_equal(seen.box.oldest, message->queued_at);
        arena_release(&seen.arena);
        fixture_close(f);
        assert_false(file_has(f, TOKEN));
        assert_false(file_has(f, "refresh-token"));
        fixture_open(f, false);
    }
}

static void without_a_token_nothing_goes_in_and_the_tenant_owes_it(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_OWED);
    assert_waiting(f, 0, 0);
    uint64_t before = entries(f);
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK); /* later, by ending again */
    assert_int_equal(entries(f), before);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_WAITING);
    assert_int_equal(run(f, withdraw(f, &c.id, "another")), STATUS_OK); /* the first one stays */
    struct seen seen = see(f, 16, true);
    assert_int_equal(seen.box.waiting, 1);
    assert_true(span_is(seen.box.items[0].token, TOKEN));
    arena_release(&seen.arena);
}

static void what_the_client_ended_owes_nothing(void **state) {
    struct fixture *f = *state;
    struct store_consent a = create(f, APP, "acc-1"), b = create(f, APP, "acc-2");
    struct store_change *change = withdraw(f, &a.id, "");
    change->invalidated_token = SPAN_NONE;
    change->actor = change->tenant = keep(change, APP);
    change->reason.by = CONSENT_BY_ACCOUNT_HOLDER; /* whoever it says that it was */
    assert_int_equal(run(f, change), STATUS_OK);
    assert_int_equal(state_of(f, a.index), STORE_MESSAGE_NONE);
    change = withdraw(f, &b.id, TOKEN);
    change->reason.code = keep(change, "withdrawnAtClient");
    assert_int_equal(run(f, change), STATUS_OK);
    assert_int_equal(state_of(f, b.index), STORE_MESSAGE_NONE);
    assert_int_equal(run(f, withdraw(f, &a.id, TOKEN)), STATUS_OK);
    assert_waiting(f, 0, 0);
    assert_int_equal(f->queued, 0);
}

static void a_client_or_a_token_of_another_arrangement_changes_nothing(void **state) {
    struct fixture *f = *state;
    struct store_consent a = create(f, APP, "acc-1"), b = create(f, OTHER_APP, "acc-2");
    struct store_change *change = new_change(f, STORE_TOKENS, TENANT);
    struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
    token->digest = digest_sha256(SPAN(TOKEN));
    token->issued_at = token->expires = store_time_ms(f->store);
    change->id = b.id;
    change->tokens = token;
    change->token_count = 1;
    assert_int_equal(run(f, change), STATUS_OK);
    assert_int_equal(run(f, withdraw(f, &a.id, TOKEN)), STATUS_INVALID_BODY);
    change = withdraw(f, &b.id, TOKEN);
    change->actor = change->tenant = keep(change, OTHER_APP);
    assert_int_equal(run(f, change), STATUS_INSUFFICIENT_SCOPE);
    assert_int_equal(look(f, a.index).status, CONSENT_ACTIVE);
    assert_int_equal(look(f, b.index).status, CONSENT_ACTIVE);
    assert_waiting(f, 0, 0);
    assert_int_equal(run(f, withdraw(f, &b.id, TOKEN)), STATUS_OK);
    assert_waiting(f, 1, 1);
}

static void what_failed_is_due_later_and_what_was_sent_never_again(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    uint64_t before = entries(f);
    int64_t due = store_time_ms(f->store) + 1000;
    settle(f, (struct store_delivery){
                  .consent = c.index, .state = STORE_MESSAGE_WAITING, .due = due, .http = 500});
    assert_int_equal(entries(f), before); /* attempts are no entries */
    struct seen seen = see(f, 16, true);
    assert_int_equal(seen.box.count, 0);
    assert_int_equal(seen.box.next_due, due);
    arena_release(&seen.arena);
    f->clock.start_ms += 1000;
    seen = see(f, 16, true);
    assert_int_equal(seen.box.count, 1);
    assert_int_equal(seen.box.items[0].attempts, 1);
    assert_true(span_is(seen.box.items[0].token, TOKEN));
    arena_release(&seen.arena);
    struct store_delivery sent = {.consent = c.index,
                                  .state = STORE_MESSAGE_SENT,
                                  .endpoint = SPAN("https://n.example/m"),
                                  .http = 202};
    settle(f, sent);
    settle(f, sent); /* settled twice, as after a crash: once is enough */
    assert_int_equal(entries(f), before + 1);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_SENT);
    assert_waiting(f, 0, 0);
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, before, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_DELIVERY_SENT);
    assert_non_null(
        memmem(event.payload.data, event.payload.size, "\"attempts\":2,\"status\":202", 25));
    assert_null(memmem(event.payload.data, event.payload.size, "accountRef", 10));
    store_read_end(f->reader);
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    assert_waiting(f, 0, 0);
}

static void what_was_given_up_says_so_and_may_be_given_again(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    uint64_t before = entries(f);
    settle(f, (struct store_delivery){.consent = c.index,
                                      .state = STORE_MESSAGE_GIVEN_UP,
                                      .cause = SPAN("nobody is there")});
    assert_int_equal(entries(f), before + 1);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_GIVEN_UP);
    assert_waiting(f, 0, 0);
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    assert_waiting(f, 1, 1);
}

static void the_longest_due_come_first_and_what_is_not_wanted_stays(void **state) {
    struct fixture *f = *state;
    uint64_t order[20];
    for (unsigned i = 0; i < 20; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%u", i);
        struct store_consent c = create(f, APP, account);
        order[i] = c.index;
        assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
        f->clock.start_ms += 10;
    }
    struct seen seen = see(f, 16, true);
    assert_int_equal(seen.box.count, 16);
    assert_int_equal(seen.box.waiting, 20);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(seen.box.items[i].consent, order[i]);
    arena_release(&seen.arena);
    seen = see(f, 16, false);
    assert_int_equal(seen.box.count, 0);
    assert_int_equal(seen.asked, 20);
    arena_release(&seen.arena);
}

/* Whoever cannot be sent to, and so is not wanted, hides nobody behind it. */
static void behind_many_that_are_not_wanted_it_says_where_to_go_on(void **state) {
    struct fixture *f = *state;
    struct store_consent last;
    for (unsigned i = 0; i < LIMIT_WALK + 2; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%u", i);
        last = create(f, APP, account);
        assert_int_equal(run(f, withdraw(f, &last.id, TOKEN)), STATUS_OK);
    }
    struct seen seen = see(f, 16, false);
    assert_int_equal(seen.asked, LIMIT_WALK);
    assert_true(seen.box.more);
    struct store_outbox_place next = seen.box.next;
    arena_release(&seen.arena);
    seen = see_from(f, next, 16, true);
    assert_int_equal(seen.box.count, 2);
    assert_int_equal(seen.box.items[1].consent, last.index);
    assert_false(seen.box.more);
    arena_release(&seen.arena);
}

static size_t row_size(struct fixture *f, uint64_t consent) {
    struct span value = {NULL, 0};
    struct key key = {.bytes = {'c'}, .size = 9};
    key_put_u64(key.bytes + 1, consent);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(db_get(&f->reader->txn, DB_OUTBOX, key_span(&key), &value));
    store_read_end(f->reader);
    return value.size;
}

static void a_sealed_token_stays_until_its_message_was_taken_or_given_up(void **state) {
    struct fixture *f = *state;
    static const enum store_message_state ends[] = {STORE_MESSAGE_SENT, STORE_MESSAGE_GIVEN_UP};
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct store_consent c = create(f, APP, i == 0 ? "acc-1" : "acc-2");
        assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
        size_t waiting = row_size(f, c.index);
        settle(f, (struct store_delivery){
                      .consent = c.index, .state = STORE_MESSAGE_WAITING, .http = 500});
        assert_int_equal(row_size(f, c.index), waiting);
        settle(f, (struct store_delivery){
                      .consent = c.index, .state = ends[i], .cause = SPAN("nobody is there")});
        assert_int_equal(row_size(f, c.index), waiting - strlen(TOKEN) - SEAL_OVERHEAD);
    }
}

static void of_what_was_erased_nothing_is_sent(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(run(f, withdraw(f, &c.id, TOKEN)), STATUS_OK);
    f->clock.start_ms += 400 * DAY_MS;
    struct store_change *change = new_change(f, STORE_ERASE, TENANT);
    change->id = c.id;
    change->erasure = arena_array(&change->arena, 1, sizeof *change->erasure);
    *change->erasure = (struct store_erasure){.role = STORE_BY_TENANT,
                                              .part = STORE_ERASED_WHOLE,
                                              .ground = STORE_GROUND_UNLAWFUL_PROCESSING,
                                              .request_id = SPAN("case-1")};
    assert_int_equal(run(f, change), STATUS_OK);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_waiting(f, 0, 0);
    uint64_t before = entries(f);
    settle(f, (struct store_delivery){.consent = c.index, .state = STORE_MESSAGE_SENT});
    assert_int_equal(entries(f), before);
    assert_int_equal(state_of(f, c.index), STORE_MESSAGE_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_in_with_the_ending_and_comes_out_sealed_in_between),
        TEST(without_a_token_nothing_goes_in_and_the_tenant_owes_it),
        TEST(what_the_client_ended_owes_nothing),
        TEST(a_client_or_a_token_of_another_arrangement_changes_nothing),
        TEST(what_failed_is_due_later_and_what_was_sent_never_again),
        TEST(what_was_given_up_says_so_and_may_be_given_again),
        TEST(the_longest_due_come_first_and_what_is_not_wanted_stays),
        TEST(behind_many_that_are_not_wanted_it_says_where_to_go_on),
        TEST(a_sealed_token_stays_until_its_message_was_taken_or_given_up),
        TEST(of_what_was_erased_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
