/* GET /v1/changes without its wait: what each kind of caller is told, where it goes on, and what is
 * refused; then the wait, as the service drives it. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

static json_t *changes(struct world *w, struct who as, const char *query) {
    struct span target = arena_format(&w->arena, "/v1/changes%s", query);
    struct reply reply = get(w, as, target.data);
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    return answered(reply, 200);
}

static const json_t *item(const json_t *page, size_t at) {
    return json_array_get(json_object_get(page, "items"), at);
}

static void assert_change(const json_t *page, size_t at, const char *event, const char *status,
                          const char *reason, const char *message) {
    assert_string_equal(text_in(item(page, at), "event"), event);
    assert_string_equal(text_in(item(page, at), "status"), status);
    assert_string_equal(text_in(item(page, at), "reason"), reason);
    assert_string_equal(text_in(item(page, at), "withdrawalMessage"), message);
    assert_int_equal(json_integer_value(json_object_get(item(page, at), "version")), at + 1);
}

/* requested, granted, token, revoked, each as of then; others' entries in between */
static json_t *live(struct world *w) {
    json_t *asked = created(w, REQUESTED);
    make(w, (struct making){.tenant = OTHER_EDP, .client = OTHER_APP});
    json_decref(answered(send(w, (struct sending){.as = AS_EDP,
                                                  .target = at(w, asked, "/grant"),
                                                  .body = "{\"account\":\"acc-1\",\"grant\":" GRANT
                                                          ",\"tokens\":[" TOKEN_1 "]}"}),
                         200));
    world_set_time(w, "2026-03-13T00:00:00Z");
    json_decref(answered(send(w, (struct sending){.as = AS_EDP,
                                                  .target = at(w, asked, "/revoke"),
                                                  .body = "{\"reason\":{\"code\":\"withdrawn\","
                                                          "\"text\":\"no more\"}}"}),
                         200));
    return asked;
}

static void a_tenant_is_told_what_happened_in_order_each_as_of_then(void **state) {
    struct world *w = *state;
    json_t *asked = live(w);
    json_t *page = changes(w, AS_EDP, "");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 4);
    assert_change(page, 0, "consent.requested", "requested", "", "");
    assert_change(page, 1, "consent.granted", "active", "", "");
    assert_change(page, 2, "consent.tokenAdded", "active", "", "");
    assert_change(page, 3, "consent.revoked", "revoked", "withdrawn", "owed");
    const json_t *last = item(page, 3);
    assert_string_equal(text_in(last, "at"), "2026-03-13T00:00:00.000Z");
    assert_string_equal(text_in(last, "statusAt"), "2026-03-13T00:00:00.000Z");
    assert_string_equal(text_in(last, "consentId"), text_in(asked, "consentId"));
    assert_string_equal(text_in(last, "arrangementId"), text_in(asked, "arrangementId"));
    assert_string_equal(text_in(last, "tenant"), EDP);
    assert_string_equal(text_in(last, "client"), APP);
    assert_string_equal(text_in(last, "license"), CONSUMPTION);
    assert_int_equal(json_integer_value(json_object_get(page, "next")),
                     json_integer_value(json_object_get(last, "index")));
    assert_true(json_is_false(json_object_get(page, "more")));
    json_decref(page);
    json_decref(asked);
}

static void a_client_is_told_the_same_without_what_is_owed_to_it(void **state) {
    struct world *w = *state;
    json_decref(live(w));
    struct reply reply = get(w, AS_APP, "/v1/changes");
    json_t *page = json_of(&reply);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 4);
    assert_change(page, 3, "consent.revoked", "revoked", "withdrawn", "");
    assert_null(strstr(reply.body.data, "no more"));
    assert_null(strstr(reply.body.data, "acc-1"));
    assert_null(strstr(reply.body.data, DIGEST_1));
    json_decref(page);
}

static void nothing_is_owed_to_a_client_that_ended_it_nor_for_what_the_clock_ends(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    make(w, (struct making){.account = "acc-2", .expires = "2026-03-12T11:00:00Z"});
    json_decref(answered(
        send(w,
             (struct sending){.as = AS_APP, .method = "DELETE", .target = path_of(w, &c.id, "")}),
        200));
    world_set_time(w, "2026-03-13T00:00:00Z");
    make(w, (struct making){.account = "acc-3"}); /* the writer sweeps first */
    json_t *page = changes(w, AS_EDP, "");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 5);
    assert_string_equal(text_in(item(page, 2), "event"), "consent.revoked");
    assert_string_equal(text_in(item(page, 3), "event"), "consent.expired");
    for (size_t i = 0; i < 5; i++)
        assert_null(json_object_get(item(page, i), "withdrawalMessage"));
    json_decref(page);
}

static void pages_go_on_behind_the_last_item_and_end_with_it(void **state) {
    struct world *w = *state;
    json_decref(live(w));
    json_t *whole = changes(w, AS_EDP, "");
    char query[64] = "?limit=1";
    for (size_t seen = 0; seen < 4; seen++) {
        json_t *page = changes(w, AS_EDP, query);
        assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
        assert_true(json_equal(item(page, 0), item(whole, seen)));
        assert_int_equal(json_is_true(json_object_get(page, "more")), seen < 3);
        snprintf(query, sizeof query, "?limit=1&after=%lld",
                 (long long)json_integer_value(json_object_get(page, "next")));
        json_decref(page);
    }
    json_t *end = changes(w, AS_EDP, query);
    assert_int_equal(json_array_size(json_object_get(end, "items")), 0);
    assert_int_equal(json_integer_value(json_object_get(end, "next")),
                     json_integer_value(json_object_get(whole, "next")));
    json_decref(end);
    json_decref(whole);
}

static void who_has_nothing_is_told_nothing_not_even_how_long_the_log_is(void **state) {
    struct world *w = *state;
    json_decref(live(w));
    make(w, (struct making){.tenant = OTHER_EDP});
    struct who stranger = {.role = "tenant", .id = "https://directory.example/member/edp-3"};
    struct reply reply = get(w, stranger, "/v1/changes");
    assert_string_equal(reply.body.data, "{\"items\":[],\"more\":false}");
    reply = get(w, stranger, "/v1/changes?after=1");
    assert_string_equal(reply.body.data, "{\"items\":[],\"next\":1,\"more\":false}");
}

static void what_is_not_understood_is_refused(void **state) {
    struct world *w = *state;
    static const char *const wrong[] = {"wait=61",  "wait=-1",   "wait=x",   "wait=1&wait=1",
                                        "limit=0",  "limit=501", "after=-1", "since=1",
                                        "tenant=x", "after="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct span target = arena_format(&w->arena, "/v1/changes?%s", wrong[i]);
        struct reply reply = get(w, AS_EDP, target.data);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    struct reply reply = get(w, AS_AUDITOR, "/v1/changes");
    assert_problem(&reply, 403, "insufficient-scope");
}

/* ---- the wait */

static void begin(struct world *w, struct who as, const char *target, struct sent *sent) {
    send_begin(w, &(struct sending){.as = as, .method = "GET", .target = target}, sent);
}

static json_t *answer(struct world *w, struct sent *sent) {
    sent->outcome = API_DONE;
    return answered(send_end(w, sent), 200);
}

static void who_waits_is_answered_by_the_first_look_that_finds_something(void **state) {
    struct world *w = *state;
    struct sent sent;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    struct span target =
        arena_format(&w->arena, "/v1/changes?wait=60&after=%llu", (unsigned long long)c.last_entry);
    begin(w, AS_EDP, target.data, &sent);
    assert_int_equal(sent.outcome, API_WAITING);
    assert_int_equal(sent.call.wait.seconds, 60);
    assert_true(sent.call.wait.fed != 0 && sent.call.wait.fed != UINT64_MAX);
    assert_int_equal(api_look_again(&sent.call, API_WAKE_NEWS), API_WAITING);
    make(w, (struct making){.tenant = OTHER_EDP, .client = OTHER_APP});
    assert_int_equal(api_look_again(&sent.call, API_WAKE_NEWS), API_WAITING);
    make(w, (struct making){.account = "acc-2"});
    assert_int_equal(api_look_again(&sent.call, API_WAKE_NEWS), API_DONE);
    json_t *page = answer(w, &sent);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_string_equal(text_in(item(page, 0), "event"), "consent.granted");
    json_decref(page);
}

static void when_the_time_is_up_the_page_is_empty_and_goes_on_where_it_was(void **state) {
    struct world *w = *state;
    struct sent sent;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    struct span target =
        arena_format(&w->arena, "/v1/changes?wait=1&after=%llu", (unsigned long long)c.last_entry);
    begin(w, AS_APP, target.data, &sent);
    assert_int_equal(sent.outcome, API_WAITING);
    assert_int_equal(api_look_again(&sent.call, API_WAKE_LAST), API_DONE);
    json_t *page = answer(w, &sent);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    assert_int_equal(json_integer_value(json_object_get(page, "next")), c.last_entry);
    json_decref(page);
}

static void what_is_there_is_told_without_a_wait(void **state) {
    struct world *w = *state;
    make(w, (struct making){.account = "acc-1"});
    json_t *page = changes(w, AS_EDP, "?wait=60");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    json_decref(page);
    page = changes(w, AS_OTHER_EDP, "?wait=0");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    json_decref(page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_tenant_is_told_what_happened_in_order_each_as_of_then),
        TEST(a_client_is_told_the_same_without_what_is_owed_to_it),
        TEST(nothing_is_owed_to_a_client_that_ended_it_nor_for_what_the_clock_ends),
        TEST(pages_go_on_behind_the_last_item_and_end_with_it),
        TEST(who_has_nothing_is_told_nothing_not_even_how_long_the_log_is),
        TEST(what_is_not_understood_is_refused),
        TEST(who_waits_is_answered_by_the_first_look_that_finds_something),
        TEST(when_the_time_is_up_the_page_is_empty_and_goes_on_where_it_was),
        TEST(what_is_there_is_told_without_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
