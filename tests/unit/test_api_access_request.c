/* Requests for access without sockets: what a binding token is tied to, and what the writer and the
 * caller are told. The whole way through: tests/e2e/test_access_request.py. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#include "api/access_binding.h"
#include "api/access_question.h"

#define REQUESTS "/access/v1/requests"
#define QUESTION(purpose, more)                                                             \
    "\"subject\":{\"type\":\"application\",\"id\":\"" APP                                   \
    "\"},\"action\":{\"name\":\"read\",\"properties\":{\"purpose\":\"" purpose "\"}},"      \
    "\"resource\":{\"type\":\"account\",\"id\":\"acc-1\",\"properties\":{\"permissions\":[" \
    "\"tariff\"]}}" more
#define ESTIMATE QUESTION("estimate-emissions", "")

/* ---- tokens */

struct binding {
    struct arena arena;
    struct api_access_ask ask;
    struct api_binding of;
};

static void bind_to(struct world *w, const char *members, struct binding *out) {
    const char *why = NULL;
    struct api_access_body body;
    *out = (struct binding){.of = {.store = w->store, .pack = w->pack}};
    struct span text = arena_format(&out->arena, "{%s}", members);
    struct api_access_asker asker = {.arena = &out->arena,
                                     .store = w->store,
                                     .pack = w->pack,
                                     .tenant = SPAN(EDP),
                                     .client_id = SPAN(EDP)};
    if (api_access_read(&out->arena, text, API_ACCESS_EVALUATION, &body, &why) != STATUS_OK)
        fail_msg("%s: %s", members, why);
    api_access_question(&asker, &body.defaults, &out->ask);
    out->of.question = &out->ask.question;
    out->of.license = api_access_requestable(w->pack, out->of.question, time_of(T0));
}

static void release(struct binding *binding) {
    arena_release(&binding->arena);
}

/* Spaces, the order of members and what no decision looks at make no difference. */
static void a_token_is_tied_to_what_decisions_look_at(void **state) {
    struct world *w = *state;
    static const struct {
        const char *members;
        bool same;
    } rows[] = {
        {ESTIMATE, true},
        {QUESTION("estimate-emissions", ",\"context\":{\"why\":\"renewal\"}"), true},
        {QUESTION("corroborate-savings", ""), false},
        {QUESTION("estimate-emissions", ",\"context\":{\"onwardRecipient\":\"" FSP "\"}"), false},
        {" \"resource\" : {\"properties\": {\"permissions\": [\"tariff\"], \"colour\": 7},"
         "\"id\":\"acc-1\", \"type\":\"account\"}, \"action\":{\"properties\":{\"purpose\":"
         "\"estimate-emissions\"},\"name\":\"read\"},\"subject\":{\"id\":\"" APP
         "\",\"type\":\"application\"}",
         true},
    };
    struct binding first;
    char token[API_BINDING_SIZE + 1];
    bind_to(w, ESTIMATE, &first);
    api_access_binding_seal(&first.of, 1234567890123, token);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct binding other;
        int64_t expires = 7;
        bind_to(w, rows[i].members, &other);
        other.of.license = first.of.license;
        assert_int_equal(api_access_binding_open(&other.of, span_of_text(token), &expires),
                         rows[i].same);
        assert_int_equal(expires, rows[i].same ? 1234567890123 : 7);
        release(&other);
    }
    release(&first);
}

static void a_token_that_was_touched_opens_nothing(void **state) {
    struct world *w = *state;
    struct binding binding;
    char token[API_BINDING_SIZE + 1];
    int64_t expires;
    bind_to(w, ESTIMATE, &binding);
    api_access_binding_seal(&binding.of, 1, token);
    for (size_t at = 0; at < API_BINDING_SIZE; at++) {
        char kept = token[at];
        token[at] = kept == 'A' ? 'Q' : 'A';
        assert_false(api_access_binding_open(&binding.of, span_of_text(token), &expires));
        token[at] = kept;
    }
    assert_true(api_access_binding_open(&binding.of, span_of_text(token), &expires));
    assert_false(
        api_access_binding_open(&binding.of, span_of(token, API_BINDING_SIZE - 4), &expires));
    const struct policy_license *license = binding.of.license;
    binding.of.license = policy_pack_license_find(w->pack, SPAN(COMBINED));
    assert_ptr_not_equal(binding.of.license, license);
    assert_false(api_access_binding_open(&binding.of, span_of_text(token), &expires));
    release(&binding);
}

/* ---- the handler */

static struct reply request(struct world *w, const char *token, const char *key) {
    struct span body =
        arena_format(&w->arena, "{" ESTIMATE ",\"denial\":{\"binding_token\":\"%s\"}}", token);
    return send(w,
                (struct sending){.as = AS_EDP, .target = REQUESTS, .body = body.data, .key = key});
}

/* A question that the default pack records: it goes by way of the writer. */
static const char *denied(struct world *w) {
    struct reply reply =
        send(w, (struct sending){
                    .as = AS_EDP, .target = "/access/v1/evaluation", .body = "{" ESTIMATE "}"});
    json_t *answer = json_of(&reply);
    const char *token = text_in(
        json_object_get(json_object_get(answer, "context"), "access_request"), "binding_token");
    assert_int_equal(strlen(token), API_BINDING_SIZE);
    token = arena_copy(&w->arena, span_of_text(token)).data;
    json_decref(answer);
    return token;
}

static void assert_fault(const struct reply *reply, int http, const char *name) {
    char type[96];
    json_t *problem = json_of(reply);
    snprintf(type, sizeof type, "urn:openid:authzen:access-request:error:%s", name);
    assert_int_equal(reply->status, http);
    assert_string_equal(text_in(problem, "type"), type);
    assert_string_equal(text_in(problem, "instance"), "r-1");
    assert_string_equal(header_of(reply, "content-type"), "application/problem+json");
    json_decref(problem);
}

static void a_request_is_answered_with_its_task(void **state) {
    struct world *w = *state;
    struct reply reply = request(w, denied(w), NULL);
    assert_int_equal(reply.status, 202);
    json_t *answer = json_of(&reply), *task = json_object_get(answer, "task");
    char expected[512];
    snprintf(
        expected, sizeof expected,
        "{\"task\":{\"id\":\"%s\",\"status\":\"pending\",\"status_endpoint\":\"" PUBLIC_URL REQUESTS
        "/%s\",\"expires_at\":\"2026-04-11T10:00:00.000Z\"}}",
        text_in(task, "id"), text_in(task, "id"));
    assert_string_equal(reply.body.data, expected);
    struct reply again =
        get(w, AS_EDP, arena_format(&w->arena, REQUESTS "/%s", text_in(task, "id")).data);
    assert_int_equal(again.status, 200);
    assert_string_equal(again.body.data, expected);
    assert_string_equal(header_of(&again, "cache-control"), "private, no-cache");
    json_decref(answer);
}

static void what_does_not_follow_a_denial_changes_nothing(void **state) {
    struct world *w = *state;
    const char *token = denied(w);
    uint64_t before = entries(w);
    struct reply reply = request(w, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL);
    assert_fault(&reply, 400, "invalid_denial_binding");
    world_set_time(w, "2026-03-12T10:10:00.001Z");
    reply = request(w, token, NULL);
    assert_fault(&reply, 410, "expired_denial");
    reply = get(w, AS_EDP, REQUESTS "/019ecaa7-fb38-7c41-8d27-6f0a92b1c35e");
    assert_fault(&reply, 404, "unknown_task");
    assert_int_equal(entries(w), before);
}

static void a_key_that_was_used_otherwise_is_a_duplicate(void **state) {
    struct world *w = *state;
    const char *token = denied(w);
    struct reply first = request(w, token, "one");
    struct reply again = request(w, token, "one");
    assert_string_equal(again.body.data, first.body.data);
    assert_string_equal(header_of(&again, "idempotency-replayed"), "true");
    struct span other = arena_format(
        &w->arena, "{\"x\":1," ESTIMATE ",\"denial\":{\"binding_token\":\"%s\"}}", token);
    struct reply reply = send(
        w, (struct sending){.as = AS_EDP, .target = REQUESTS, .body = other.data, .key = "one"});
    assert_fault(&reply, 409, "duplicate_request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_tied_to_what_decisions_look_at),
        TEST(a_token_that_was_touched_opens_nothing),
        TEST(a_request_is_answered_with_its_task),
        TEST(what_does_not_follow_a_denial_changes_nothing),
        TEST(a_key_that_was_used_otherwise_is_a_duplicate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
