/* What every operation has in common: paths and methods, tokens, scopes, bodies, media types, and
 * the form of problems. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#include "api/router.h"

#define METADATA ", resource_metadata=\"" PUBLIC_URL "/.well-known/oauth-protected-resource\""

/* ---- paths */

static enum status find(const char *method, const char *path, struct api_call *call) {
    static struct arena arena;
    char allow[64];
    char *exact = malloc(strlen(path));
    memcpy(exact, path, strlen(path));
    arena_release(&arena);
    *call = (struct api_call){
        .arena = &arena, .method = span_of_text(method), .path = span_of(exact, strlen(path))};
    enum status status = api_route_find(call, allow);
    free(exact); /* path_id is a copy */
    return status;
}

static void assert_route(const char *method, const char *path, const char *template,
                         const char *id) {
    struct api_call call;
    assert_int_equal(find(method, path, &call), STATUS_OK);
    assert_string_equal(api_route_template(call.route), template);
    assert_true(span_equal(call.path_id, span_of_text(id)));
    assert_int_equal(span_present(call.path_id), id != NULL);
}

static void a_path_leads_to_its_route(void **state) {
    (void)state;
    assert_route("POST", "/v1/consents", "/v1/consents", NULL);
    assert_route("GET", "/v1/consents/7", "/v1/consents/{id}", "7");
    assert_route("POST", "/v1/consents/query", "/v1/consents/query", NULL);
    assert_route("GET", "/v1/consents/quer", "/v1/consents/{id}", "quer");
    assert_route("POST", "/v1/consents/a/grant", "/v1/consents/{id}/grant", "a");
    assert_route("HEAD", "/v1/consents/a/events", "/v1/consents/{id}/events", "a");
    assert_route("GET", "/problems/busy", "/problems/{name}", "busy");
}

static void unreserved_characters_may_be_encoded(void **state) {
    (void)state;
    assert_route("GET", "/v1/consents/%61-%2E~%5f%7E%39", "/v1/consents/{id}", "a-.~_~9");
    assert_route("GET", "/v1/c%6Fnsents/a", "/v1/consents/{id}", "a");
    assert_route("GET", "/healt%68z", "/healthz", NULL);
}

static void tricks_in_a_path_find_nothing(void **state) {
    static const char *const tricks[] = {"",
                                         "/",
                                         "//",
                                         "v1/consents",
                                         "/v1",
                                         "/v1/consents/",
                                         "/v1//consents",
                                         "//v1/consents",
                                         "/v1/consents//grant",
                                         "/v1/consents/a/",
                                         "/v1/consents/a/grant/",
                                         "/v1/consents/a/b",
                                         "/v1/consents/a/grant/c",
                                         "/v1/./consents",
                                         "/v1/x/../consents",
                                         "/v1/consents/.",
                                         "/v1/consents/..",
                                         "/v1/consents/%2e%2E",
                                         "/v1/consents/.%2e",
                                         "/v1/consents/a%2Fb",
                                         "/v1/consents/a%00",
                                         "/v1/consents/a%",
                                         "/v1/consents/a%2",
                                         "/v1/consents/a%zz",
                                         "/v1/consents/%",
                                         "/v1/consents/a%20b",
                                         "/v1/consents/a b",
                                         "/v1/consents/a;b",
                                         "/v1/consents/a+b",
                                         "/v1/consents/\xc3\xa9",
                                         "/v1/consents/%C3%A9",
                                         "/v1/consents/%2561",
                                         "/V1/consents",
                                         "/v1/Consents",
                                         "/v1/consent",
                                         "/v1/consentss",
                                         "http://x/v1/consents",
                                         "*"};
    struct api_call call;
    (void)state;
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        if (find("GET", tricks[i], &call) != STATUS_NOT_FOUND) {
            fail_msg("%s", tricks[i]);
        }
        assert_null(call.route);
    }
}

static void a_path_without_the_method_names_the_methods_it_has(void **state) {
    static const struct {
        const char *method, *path, *allow;
    } cases[] = {{"PATCH", "/v1/consents", "POST, GET, HEAD"},
                 {"POST", "/v1/consents/a", "GET, HEAD, DELETE"},
                 {"GET", "/v1/consents/query", "POST"},
                 {"DELETE", "/v1/consents/query", "POST"},
                 {"OPTIONS", "/v1/consents/a/grant", "POST"},
                 {"post", "/v1/revocations", "POST"},
                 {"GET ", "/healthz", "GET, HEAD"},
                 {"", "/healthz", "GET, HEAD"},
                 {"HEAD", "/v1/revocations", "POST"}};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply =
            send(w, (struct sending){.method = cases[i].method, .target = cases[i].path});
        assert_problem(&reply, 405, "method-not-allowed");
        assert_string_equal(header_of(&reply, "allow"), cases[i].allow);
    }
}

/* ---- who may */

static void an_unknown_path_needs_no_token_to_be_unknown(void **state) {
    struct reply reply = send(*state, (struct sending){.target = "/v1/nothing"});
    assert_problem(&reply, 404, "not-found");
}

static void without_a_token_the_challenge_names_no_error(void **state) {
    struct reply reply = send(*state, (struct sending){.target = "/v1/consents", .body = GRANTED});
    assert_problem(&reply, 401, "unauthenticated");
    assert_string_equal(header_of(&reply, "www-authenticate"),
                        "Bearer realm=\"consentd\", scope=\"consents:write\"" METADATA);
}

static void a_token_that_is_not_good_is_challenged_as_invalid(void **state) {
    struct reply reply =
        send(*state, (struct sending){.target = "/v1/consents", .token = "Bearer a.b.c"});
    assert_problem(&reply, 401, "unauthenticated");
    const char *challenge = header_of(&reply, "www-authenticate");
    assert_non_null(strstr(challenge, "Bearer realm=\"consentd\", error=\"invalid_token\", "
                                      "error_description=\""));
    assert_null(strstr(challenge, "a.b.c"));
    assert_null(strstr(reply.body.data, "a.b.c"));
}

static void too_many_bad_tokens_are_asked_to_wait(void **state) {
    struct reply reply;
    for (int i = 0; i < LIMIT_FAILURES; i++) {
        reply = send(*state, (struct sending){.target = "/v1/consents", .token = "Bearer a.b.c"});
        assert_problem(&reply, 401, "unauthenticated");
    }
    reply = send(*state, (struct sending){.target = "/v1/consents", .token = "Bearer a.b.c"});
    assert_problem(&reply, 429, "rate-limited");
    assert_string_equal(header_of(&reply, "retry-after"), "1");
}

static void a_token_without_the_scope_is_told_which(void **state) {
    struct who reader = {.id = EDP, .scope = "consents:read"};
    struct who writer = {.id = EDP, .scope = "consents:write"};
    struct reply reply = create(*state, GRANTED);
    assert_int_equal(reply.status, 201);
    reply = send(*state, (struct sending){.as = reader, .target = "/v1/consents", .key = "k"});
    assert_problem(&reply, 403, "insufficient-scope");
    assert_string_equal(header_of(&reply, "www-authenticate"),
                        "Bearer realm=\"consentd\", error=\"insufficient_scope\", "
                        "scope=\"consents:write\"" METADATA);
    reply = get(*state, writer, "/v1/consents");
    assert_problem(&reply, 403, "insufficient-scope");
    assert_string_equal(header_of(&reply, "www-authenticate"),
                        "Bearer realm=\"consentd\", error=\"insufficient_scope\", "
                        "scope=\"consents:read audit:read\"" METADATA);
}

/* ---- bodies and media types */

static void a_body_cut_short_is_too_large(void **state) {
    struct reply reply = send(
        *state,
        (struct sending){.as = AS_EDP, .target = "/v1/consents", .body = "{", .truncated = true});
    assert_problem(&reply, 413, "body-too-large");
    /* also where none is read */
    reply =
        send(*state,
             (struct sending){
                 .method = "DELETE", .as = AS_EDP, .target = "/v1/consents/x", .truncated = true});
    assert_problem(&reply, 413, "body-too-large");
}

static void a_body_is_json_by_its_content_type(void **state) {
    static const char *const types[] = {"", "text/plain", "application/problem+json",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct reply reply = send(*state, (struct sending){.as = AS_EDP,
                                                           .target = "/v1/consents",
                                                           .body = GRANTED,
                                                           .type = types[i],
                                                           .key = "k"});
        assert_problem(&reply, 415, "unsupported-media-type");
    }
    struct reply reply = send(*state, (struct sending){.as = AS_EDP,
                                                       .target = "/v1/consents",
                                                       .body = GRANTED,
                                                       .type = "application/json; charset=utf-8",
                                                       .key = "k"});
    assert_int_equal(reply.status, 201);
}

static void what_cannot_be_produced_is_not_done_either(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct reply reply = send(w, (struct sending){.as = AS_EDP,
                                                  .target = "/v1/consents",
                                                  .body = GRANTED,
                                                  .accept = "text/html",
                                                  .key = "k"});
    assert_problem(&reply, 406, "not-acceptable");
    assert_int_equal(entries(w), before);
    reply = send(w, (struct sending){.as = AS_EDP,
                                     .target = "/v1/consents",
                                     .body = GRANTED,
                                     .accept = "text/html, */*;q=0.1",
                                     .key = "k"});
    assert_int_equal(reply.status, 201);
}

static void a_write_takes_no_parameters(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct reply reply = send(
        w, (struct sending){
               .as = AS_EDP, .target = "/v1/consents?dryRun=true", .body = GRANTED, .key = "k"});
    assert_problem(&reply, 400, "invalid-parameter");
    assert_int_equal(entries(w), before);
}

/* ---- problems that the writer or the service finds */

static struct reply reply_with(struct world *w, enum status status) {
    struct sent sent;
    send_begin(w,
               &(struct sending){
                   .as = AS_EDP, .target = "/v1/consents", .body = GRANTED, .key = fresh_key(w)},
               &sent);
    assert_int_equal(sent.outcome, API_PENDING);
    struct store_change *change = world_await(w);
    change->done.status = status;
    struct reply reply = {0};
    assert_int_equal(api_reply(&sent.call, change), API_DONE);
    take_response(w, &sent.call, &reply);
    send_forget(&sent);
    return reply;
}

static void the_writers_problems_say_when_to_come_back(void **state) {
    static const struct {
        enum status status;
        int http;
        const char *name, *retry;
    } cases[] = {{STATUS_OUTCOME_UNKNOWN, 503, "outcome-unknown", "1"},
                 {STATUS_STORAGE_FULL, 507, "storage-full", "1"},
                 {STATUS_BUSY, 503, "busy", "1"},
                 {STATUS_INTERNAL, 500, "internal", ""},
                 {STATUS_LEGAL_HOLD, 409, "legal-hold", ""},
                 {STATUS_ERASED, 410, "erased", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = reply_with(*state, cases[i].status);
        assert_problem(&reply, cases[i].http, cases[i].name);
        assert_string_equal(header_of(&reply, "retry-after"), cases[i].retry);
        assert_string_equal(header_of(&reply, "location"), "");
    }
}

static void a_full_queue_is_busy_and_changes_nothing(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    hold_writer(w);
    for (int i = 0; i < LIMIT_QUEUE - 1; i++) {
        assert_int_equal(store_submit(w->store, 0, nobodys_change(w)), STATUS_OK);
    }
    /* the last place is taken, the next finds none */
    struct sent last, next;
    struct sending sending = {.as = AS_EDP, .target = "/v1/consents", .body = GRANTED, .key = "k"};
    send_begin(w, &sending, &last);
    send_begin(w, &sending, &next);
    let_writer_go(w);
    assert_int_equal(last.outcome, API_PENDING);
    assert_int_equal(next.outcome, API_DONE);
    struct reply reply = send_end(w, &next);
    assert_problem(&reply, 503, "busy");
    assert_string_equal(header_of(&reply, "retry-after"), "1");
    for (int answers = 0; answers < LIMIT_QUEUE;) {
        struct store_change *change = world_await(w);
        for (struct store_change *following; change != NULL; change = following, answers++) {
            following = change->next;
            if (change->op != STORE_CREATE) {
                store_change_free(change);
                continue;
            }
            assert_int_equal(api_reply(&last.call, change), API_DONE);
            assert_int_equal(last.call.response.status, 201);
        }
    }
    send_forget(&last);
    assert_int_equal(entries(w), before + 1);
}

static void a_problem_has_all_its_members_and_the_requests_name(void **state) {
    struct reply reply = send(*state, (struct sending){.as = AS_EDP, .target = "/v1/nothing"});
    assert_problem(&reply, 404, "not-found");
    json_t *json = json_of(&reply);
    assert_int_equal(json_object_size(json), 5);
    assert_string_equal(text_in(json, "title"), status_title(STATUS_NOT_FOUND));
    assert_string_equal(text_in(json, "instance"), "r-1");
    assert_string_not_equal(text_in(json, "detail"), "");
    json_decref(json);
}

static void the_service_refuses_in_the_same_form(void **state) {
    struct world *w = *state;
    struct arena arena = {0};
    struct reply reply = {0};
    struct api_call call = {.loop = &w->loop, .arena = &arena, .request_id = SPAN("r-2")};
    api_refuse(&call, STATUS_BUSY, "the service is going down");
    take_response(w, &call, &reply);
    arena_release(&arena);
    assert_problem(&reply, 503, "busy");
    assert_string_equal(header_of(&reply, "retry-after"), "1");
    json_t *json = json_of(&reply);
    assert_string_equal(text_in(json, "detail"), "the service is going down");
    json_decref(json);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_route),
        cmocka_unit_test(unreserved_characters_may_be_encoded),
        cmocka_unit_test(tricks_in_a_path_find_nothing),
        IN_A_WORLD(a_path_without_the_method_names_the_methods_it_has),
        IN_A_WORLD(an_unknown_path_needs_no_token_to_be_unknown),
        IN_A_WORLD(without_a_token_the_challenge_names_no_error),
        IN_A_WORLD(a_token_that_is_not_good_is_challenged_as_invalid),
        IN_A_WORLD(too_many_bad_tokens_are_asked_to_wait),
        IN_A_WORLD(a_token_without_the_scope_is_told_which),
        IN_A_WORLD(a_body_cut_short_is_too_large),
        IN_A_WORLD(a_body_is_json_by_its_content_type),
        IN_A_WORLD(what_cannot_be_produced_is_not_done_either),
        IN_A_WORLD(a_write_takes_no_parameters),
        IN_A_WORLD(the_writers_problems_say_when_to_come_back),
        IN_A_WORLD(a_full_queue_is_busy_and_changes_nothing),
        IN_A_WORLD(a_problem_has_all_its_members_and_the_requests_name),
        IN_A_WORLD(the_service_refuses_in_the_same_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
