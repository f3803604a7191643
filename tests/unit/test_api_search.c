/* Searches without sockets: what is answered, byte for byte, what a page may cost, and whose token
 * is whose. That results are what evaluations permit: tests/e2e/test_search.py. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_letters.h"

#include "base/limits.h"

#define SUBJECT "/access/v1/search/subject"
#define RESOURCE "/access/v1/search/resource"
#define ACTION "/access/v1/search/action"
#define READ "\"action\":{\"name\":\"read\"}"
#define BY(app) "\"subject\":{\"type\":\"application\",\"id\":\"" app "\"}"
#define ANYONE "\"subject\":{\"type\":\"application\"}"
#define ACCOUNT(id) "\"resource\":{\"type\":\"account\",\"id\":\"" id "\"}"
#define ANY(type) "\"resource\":{\"type\":\"" type "\"}"
#define PAGE(page) ",\"page\":{" page "}}"

static struct reply search(struct world *w, struct who as, const char *target, const char *body) {
    return ask(w, (struct asking){.as = as, .method = "POST", .target = target, .body = body});
}

static void assert_found(struct world *w, struct who as, const char *target, const char *body,
                         const char *expected) {
    struct reply reply = search(w, as, target, body);
    assert_string_equal(reply.body.data, expected);
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_string_equal(header_of(&reply, "cache-control"), "no-store");
}

static void assert_refused(struct world *w, struct who as, const char *target, const char *body,
                           const char *detail) {
    struct reply reply = search(w, as, target, body);
    assert_problem(&reply, 400, "invalid-body");
    json_t *problem = json_of(&reply);
    assert_string_equal(text_in(problem, "detail"), detail);
    json_decref(problem);
}

/* The body with the token of the page before; the arena keeps it. */
static const char *next_body(struct world *w, const struct reply *reply, const char *members) {
    json_t *answer = json_of(reply);
    const char *token = text_in(json_object_get(answer, "page"), "next_token");
    assert_int_equal(strlen(token), 22);
    const char *body = arena_format(&w->arena, "{%s" PAGE("\"token\":\"%s\""), members, token).data;
    json_decref(answer);
    return body;
}

/* d's account has its consent under another licence; f has expired, b was revoked. */
static void each_search_answers_exactly(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    char expected[256], id[UUID_TEXT_SIZE + 1];
    assert_found(w, AS_EDP, SUBJECT, "{" ANYONE "," READ "," ACCOUNT("acc-1") "}",
                 "{\"results\":[{\"type\":\"application\",\"id\":\"" APP "\"}]}");
    assert_found(w, AS_EDP, SUBJECT, "{" ANYONE "," READ "," ACCOUNT("acc-2") "}",
                 "{\"results\":[]}");
    assert_found(w, AS_EDP, RESOURCE, "{" BY(APP) "," READ "," ANY("account") "}",
                 "{\"results\":[{\"type\":\"account\",\"id\":\"acc-1\"},"
                 "{\"type\":\"account\",\"id\":\"acc-4\"},"
                 "{\"type\":\"account\",\"id\":\"acc-7\"}]}");
    assert_found(w, AS_OTHER_EDP, RESOURCE, "{" BY(APP) "," READ "," ANY("account") "}",
                 "{\"results\":[{\"type\":\"account\",\"id\":\"acc-1\"}]}");
    uuid_to_text(&l.ids[4], id);
    snprintf(expected, sizeof expected, "{\"results\":[{\"type\":\"consent\",\"id\":\"%s\"}]}", id);
    assert_found(w, AS_OTHER_EDP, RESOURCE, "{" BY(APP) "," READ "," ANY("consent") "}", expected);
    assert_found(w, AS_EDP, ACTION, "{" BY(APP) "," ACCOUNT("acc-7") PAGE(""),
                 "{\"page\":{\"next_token\":\"\",\"count\":1},\"results\":[{\"name\":\"read\","
                 "\"properties\":{\"purpose\":\"corroborate-savings\"}}]}");
    assert_found(w, AS_EDP, ACTION, "{" BY(FSP) "," ACCOUNT("acc-7") "}", "{\"results\":[]}");
}

/* What has the wrong form denies: nothing is found, and nothing fails. */
static void what_is_malformed_finds_nothing(void **state) {
    struct world *w = *state;
    (void)populate(w);
    assert_found(w, AS_EDP, RESOURCE,
                 "{" BY(APP) "," READ ",\"resource\":{\"type\":\"account\",\"properties\":"
                             "{\"from\":\"yesterday\"}}}",
                 "{\"results\":[]}");
    assert_found(w, AS_EDP, SUBJECT,
                 "{" ANYONE "," READ ",\"resource\":{\"type\":\"consent\",\"id\":\"no-uuid\"}}",
                 "{\"results\":[]}");
    assert_found(w, AS_EDP, SUBJECT, "{" ANYONE "," READ "," ACCOUNT("") "}", "{\"results\":[]}");
    assert_found(w, AS_EDP, RESOURCE, "{" BY("") "," READ "," ANY("consent") "}",
                 "{\"results\":[]}");
    assert_found(w, AS_EDP, RESOURCE, "{" BY(APP) "," READ "," ANY("") "}", "{\"results\":[]}");
}

static void a_search_is_not_recorded_and_says_so(void **state) {
    struct world *w = *state;
    (void)populate(w);
    struct store_stats before, after;
    store_stats_get(w->store, &before);
    assert_refused(w, AS_EDP, ACTION,
                   "{" BY(APP) "," ACCOUNT("acc-1") ",\"context\":{\"record\":true}}",
                   "a search is not recorded: context.record must not be true");
    (void)search(w, AS_EDP, ACTION, "{" BY(APP) "," ACCOUNT("acc-1") "}");
    store_stats_get(w->store, &after);
    assert_int_equal(after.entries, before.entries);
}

static void without_a_policy_there_is_no_answer(void **state) {
    struct world *w = *state;
    atomic_store(&w->service.pack, NULL);
    struct reply reply = search(w, AS_EDP, ACTION, "{" BY(APP) "," ACCOUNT("acc-1") "}");
    assert_problem(&reply, 503, "busy");
}

static void a_token_that_was_touched_is_refused(void **state) {
    struct world *w = *state;
    static const char members[] = BY(APP) "," READ "," ANY("account");
    (void)populate(w);
    struct reply reply =
        search(w, AS_EDP, RESOURCE, "{" BY(APP) "," READ "," ANY("account") PAGE("\"limit\":1"));
    const char *body = next_body(w, &reply, members);
    assert_found(w, AS_EDP, RESOURCE, body, search(w, AS_EDP, RESOURCE, body).body.data);
    char *touched = mem_copy_text(span_of_text(body));
    size_t end = strlen(body) - strlen("\"}}");
    for (size_t at = end - 22; at < end; at++) {
        char kept = touched[at];
        touched[at] = kept == 'A' ? 'Q' : 'A';
        assert_refused(w, AS_EDP, RESOURCE, touched,
                       "page.token does not continue this search of this caller");
        touched[at] = kept;
    }
    mem_free(touched);
    struct reply other = search(w, AS_OTHER_EDP, RESOURCE, body);
    assert_problem(&other, 400, "invalid-body");
}

/* Invariant 9: tokens have one size, and others' consents change no page. */
static void others_change_no_page_of_a_search(void **state) {
    struct world *w = *state;
    static const char body[] = "{" BY(APP) "," READ "," ANY("account") PAGE("\"limit\":1");
    make(w, (struct making){.account = "1"});
    make(w, (struct making){.account = "2"});
    struct reply before = search(w, AS_EDP, RESOURCE, body);
    for (int i = 0; i < 3; i++)
        make(w, (struct making){.tenant = OTHER_EDP, .account = "1"});
    assert_found(w, AS_EDP, RESOURCE, body, before.body.data);
    (void)next_body(w, &before, "");
}

/* Ten thousand rows of another client stand before the one that is looked for. */
static void a_page_visits_so_many_rows_and_no_more(void **state) {
    struct world *w = *state;
    static const char members[] = BY(OTHER_APP) "," READ "," ANY("account");
    make_crowd(w, LIMIT_WALK + 1);
    make(w, (struct making){.account = "last", .client = OTHER_APP});
    struct reply reply =
        search(w, AS_EDP, RESOURCE, "{" BY(OTHER_APP) "," READ "," ANY("account") "}");
    json_t *page = json_of(&reply);
    assert_int_equal(json_array_size(json_object_get(page, "results")), 0);
    json_decref(page);
    assert_found(w, AS_EDP, RESOURCE, next_body(w, &reply, members),
                 "{\"page\":{\"next_token\":\"\",\"count\":1},"
                 "\"results\":[{\"type\":\"account\",\"id\":\"last\"}]}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_search_answers_exactly),
        TEST(what_is_malformed_finds_nothing),
        TEST(a_search_is_not_recorded_and_says_so),
        TEST(without_a_policy_there_is_no_answer),
        TEST(a_token_that_was_touched_is_refused),
        TEST(others_change_no_page_of_a_search),
        TEST(a_page_visits_so_many_rows_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
