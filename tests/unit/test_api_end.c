/* Ending consents, one or many, and appending tokens and proofs. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#define WITHDRAWN "{\"reason\":{\"code\":\"withdrawn\"}}"
#define NOBODY "/v1/consents/00000000-0000-7000-8000-000000000000"

static struct reply delete_it(struct world *w, struct who as, const json_t *consent) {
    return send(w, (struct sending){.as = as, .method = "DELETE", .target = at(w, consent, "")});
}

static json_t *reason_of(const json_t *consent) {
    return json_object_get(consent, "statusReason");
}

static void a_revocation_says_why_and_by_whom(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct reply reply =
        post(w, AS_EDP, at(w, consent, "/revoke"),
             "{\"reason\":{\"by\":{\"ref\":\"u \\\"1\\\"\",\"role\":\"accountHolder\"},\"text\":"
             "\"moved\\nout\",\"code\":\"withdrawn\"}}");
    json_t *ended = answered(reply, 200);
    assert_string_equal(text_in(ended, "status"), "revoked");
    assert_string_equal(text_in(ended, "revoked"), T0_OUT);
    assert_string_equal(header_of(&reply, "etag"), "\"2\"");
    assert_string_equal(text_in(reason_of(ended), "code"), "withdrawn");
    assert_string_equal(text_in(reason_of(ended), "text"), "moved\nout");
    const json_t *by = json_object_get(reason_of(ended), "by");
    assert_string_equal(text_in(by, "role"), "accountHolder");
    assert_string_equal(text_in(by, "ref"), "u \"1\"");
    json_decref(ended);
    json_decref(consent);
}

static void a_second_revocation_keeps_the_first_result(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct reply first = post(w, AS_EDP, at(w, consent, "/revoke"), WITHDRAWN);
    uint64_t before = entries(w);
    world_set_time(w, "2026-03-13T10:00:00Z");
    struct reply second =
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"withdrawnAtClient\"}}");
    assert_int_equal(second.status, 200);
    assert_string_equal(second.body.data, first.body.data);
    assert_int_equal(entries(w), before);
    struct reply third = post(w, AS_EDP, at(w, consent, "/revoke"),
                              "{\"reason\":{\"code\":\"fraud\"}}"); /* terminated is another end */
    assert_problem(&third, 409, "wrong-state");
    assert_non_null(strstr(third.body.data, "the consent is revoked"));
    json_decref(consent);
}

static void each_reason_leads_to_its_state(void **state) {
    static const struct {
        const char *code, *status;
    } cases[] = {{"withdrawn", "revoked"},         {"withdrawnAtClient", "revoked"},
                 {"tenancyChanged", "terminated"}, {"resourceRemoved", "terminated"},
                 {"accountClosed", "terminated"},  {"recipientStruckOff", "terminated"},
                 {"schemeEnded", "terminated"},    {"grantedInError", "terminated"},
                 {"fraud", "terminated"}};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *consent = created(w, GRANTED);
        struct span body = arena_format(&w->arena, "{\"reason\":{\"code\":\"%s\"}}", cases[i].code);
        json_t *ended = answered(post(w, AS_EDP, at(w, consent, "/revoke"), body.data), 200);
        assert_string_equal(text_in(ended, "status"), cases[i].status);
        assert_string_equal(text_in(ended, "revoked"), T0_OUT);
        assert_string_equal(text_in(json_object_get(reason_of(ended), "by"), "role"), "tenant");
        json_decref(ended);
        json_decref(consent);
    }
}

static void a_caller_states_only_what_a_caller_may(void **state) {
    static const struct {
        const char *operation, *reason, *pointer;
    } cases[] = {
        {"/revoke", "{\"code\":\"expired\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"superseded\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"fulfilled\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"linkedConsentEnded\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"timedOut\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"refused\"}", "/reason/code"},
        {"/revoke", "{\"code\":\"because\"}", "/reason/code"},
        {"/revoke", "{\"code\":7}", "/reason/code"},
        {"/revoke", "{}", "/reason/code"},
        {"/revoke", "\"withdrawn\"", "/reason"},
        {"/revoke", "{\"code\":\"withdrawn\",\"text\":\"\"}", "/reason/text"},
        {"/revoke", "{\"code\":\"withdrawn\",\"by\":{}}", "/reason/by/role"},
        {"/revoke", "{\"code\":\"withdrawn\",\"by\":{\"role\":\"system\"}}", "/reason/by/role"},
        {"/revoke", "{\"code\":\"withdrawn\",\"by\":{\"role\":\"auditor\"}}", "/reason/by/role"},
        {"/refuse", "{\"code\":\"withdrawn\"}", "/reason/code"},
        {"/refuse", "{\"code\":\"timedOut\"}", "/reason/code"},
    };
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span body = arena_format(&w->arena, "{\"reason\":%s}", cases[i].reason);
        struct reply reply = post(w, AS_EDP, at(w, consent, cases[i].operation), body.data);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    struct reply reply = post(w, AS_EDP, at(w, consent, "/revoke"), "{}");
    assert_errors(&reply, "invalid-body", "/reason");
    reply = post(w, AS_EDP, at(w, consent, "/revoke"), "7");
    assert_errors(&reply, "invalid-body", "");
    reply = post(w, AS_EDP, at(w, consent, "/revoke"),
                 "{\"reason\":{\"code\":\"withdrawn\",\"why\":1,\"by\":{\"role\":\"client\","
                 "\"name\":\"x\"}},\"force\":true}");
    assert_errors(&reply, "unknown-member", "/force /reason/why /reason/by/name");
    assert_int_equal(entries(w), before);
    json_decref(consent);
}

static void a_request_is_refused_and_not_revoked(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, REQUESTED);
    struct reply reply = post(w, AS_EDP, at(w, asked, "/revoke"), WITHDRAWN);
    assert_problem(&reply, 409, "wrong-state");
    json_t *refused = answered(
        post(w, AS_EDP, at(w, asked, "/refuse"), "{\"reason\":{\"code\":\"refused\"}}"), 200);
    assert_string_equal(text_in(refused, "status"), "refused");
    assert_null(json_object_get(refused, "revoked"));
    json_decref(refused);
    json_decref(asked);
    json_t *consent = created(w, GRANTED);
    reply = post(w, AS_EDP, at(w, consent, "/refuse"), "{\"reason\":{\"code\":\"refused\"}}");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(consent);
}

static void deleting_is_withdrawing_where_the_caller_is(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *ended = answered(delete_it(w, AS_EDP, consent), 200);
    assert_string_equal(text_in(reason_of(ended), "code"), "withdrawn");
    json_decref(ended);
    json_decref(consent);
    consent = created(w, GRANTED);
    ended = answered(delete_it(w, AS_APP, consent), 200);
    assert_string_equal(text_in(reason_of(ended), "code"), "withdrawnAtClient");
    assert_null(json_object_get(reason_of(ended), "by")); /* a client's view */
    assert_string_not_equal(text_in(ended, "account"), "acc-1");
    json_decref(ended);
    json_decref(consent);
}

/* An auditor writes nothing; one that is the client as well is the client when it writes. */
static void an_auditor_deletes_only_as_the_client_that_it_is(void **state) {
    struct world *w = *state;
    struct who auditor = {.id = AUDITOR, .scope = "audit:read consents:write", .provider = "*"};
    struct who both = {.id = APP, .scope = "audit:read consents:write", .provider = "*"};
    json_t *consent = created(w, GRANTED);
    struct reply reply = delete_it(w, auditor, consent);
    assert_problem(&reply, 404, "not-found");
    reply = post(w, auditor, at(w, consent, "/revoke"), WITHDRAWN);
    assert_problem(&reply, 404, "not-found");
    json_t *ended = answered(delete_it(w, both, consent), 200);
    assert_string_equal(text_in(reason_of(ended), "code"), "withdrawnAtClient");
    assert_string_equal(text_in(ended, "account"), "acc-1"); /* and sees as the auditor */
    json_decref(ended);
    json_decref(consent);
}

static void what_is_not_ones_own_is_not_there(void **state) {
    static const struct {
        const char *method, *operation, *body;
    } cases[] = {
        {"DELETE", "", NULL},
        {"POST", "/revoke", WITHDRAWN},
        {"POST", "/refuse", "{\"reason\":{\"code\":\"refused\"}}"},
        {"POST", "/tokens", "{\"tokens\":[" TOKEN_1 "]}"},
        {"POST", "/proofs", "{\"proofs\":[{\"type\":\"bill\"}]}"},
    };
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sending sending = {.method = cases[i].method, .body = cases[i].body};
        const struct who strangers[] = {AS_OTHER_EDP, AS_OTHER_APP};
        for (size_t j = 0; j < 2; j++) {
            sending.as = strangers[j];
            sending.target = at(w, consent, cases[i].operation);
            struct reply reply = send(w, sending);
            sending.target = arena_format(&w->arena, NOBODY "%s", cases[i].operation).data;
            struct reply unknown = send(w, sending);
            assert_problem(&reply, 404, "not-found");
            assert_string_equal(reply.body.data, unknown.body.data); /* invariant 9 */
        }
        if (i > 1) { /* a client may end a consent, and no more */
            sending.as = AS_APP;
            sending.target = at(w, consent, cases[i].operation);
            struct reply reply = send(w, sending);
            assert_problem(&reply, 403, "insufficient-scope");
        }
    }
    assert_int_equal(entries(w), before);
    json_decref(consent);
}

static void a_stale_version_ends_nothing(void **state) {
    static const char *const stale[] = {"\"2\"", "\"1-expired\"", "W/\"1\"", "\"\""};
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct sending sending = {.as = AS_EDP, .target = at(w, consent, "/revoke"), .body = WITHDRAWN};
    for (size_t i = 0; i < sizeof stale / sizeof *stale; i++) {
        sending.match = stale[i];
        struct reply reply = send(w, sending);
        assert_problem(&reply, 412, "version-mismatch");
    }
    sending.match = "";
    struct reply reply = send(w, sending);
    assert_problem(&reply, 400, "invalid-parameter");
    sending.match = "*";
    json_decref(answered(send(w, sending), 200));
    json_decref(consent);
}

/* ---- tokens and proofs */

static void tokens_are_appended_each_an_entry(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct reply reply =
        post(w, AS_EDP, at(w, consent, "/tokens"),
             "{\"tokens\":[" TOKEN_1 ",{\"digest\":\"" DIGEST_2
             "\",\"issuedAt\":\"2026-03-12T10:00Z\",\"expires\":\"2027-03-12T10:00:00Z\"}]}");
    json_t *changed = answered(reply, 200);
    assert_string_equal(header_of(&reply, "etag"), "\"3\"");
    assert_non_null(strstr(reply.body.data,
                           "\"tokens\":[" TOKEN_1 ",{\"digest\":\"" DIGEST_2
                           "\",\"issuedAt\":\"" T0_OUT "\",\"expires\":\"" YEAR_LATER "\"}]"));
    json_decref(changed);
    /* again: nothing new */
    reply = post(w, AS_EDP, at(w, consent, "/tokens"), "{\"tokens\":[" TOKEN_1 "]}");
    assert_string_equal(header_of(&reply, "etag"), "\"3\"");
    json_decref(answered(delete_it(w, AS_EDP, consent), 200));
    reply = post(w, AS_EDP, at(w, consent, "/tokens"), "{\"tokens\":[" TOKEN_1 "]}");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(consent);
}

static void a_token_is_a_digest_and_never_the_token(void **state) {
    static const struct {
        const char *tokens, *pointers;
    } cases[] = {
        {"null", "/tokens"},
        {"[]", "/tokens"},
        {"[\"eyJhbGciOi\"]", "/tokens/0"},
        {"[{}]", "/tokens/0/digest /tokens/0/issuedAt /tokens/0/expires"},
        {"[{\"digest\":\"eyJhbGciOi\",\"issuedAt\":\"" T0 "\",\"expires\":\"" T0 "\"}]",
         "/tokens/0/digest"},
        {"[" TOKEN_1 ",{\"digest\":\"" DIGEST_2 "\",\"issuedAt\":1,\"expires\":\"x\"}]",
         "/tokens/1/issuedAt /tokens/1/expires"},
    };
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span body = arena_format(&w->arena, "{\"tokens\":%s}", cases[i].tokens);
        struct reply reply = post(w, AS_EDP, at(w, consent, "/tokens"), body.data);
        assert_errors(&reply, "invalid-body", cases[i].pointers);
        assert_null(strstr(reply.body.data, "eyJ")); /* invariant 10 */
    }
    struct reply reply = post(w, AS_EDP, at(w, consent, "/tokens"), "{}");
    assert_errors(&reply, "invalid-body", "/tokens");
    json_decref(consent);
}

static void late_proofs_stand_behind_those_of_the_grant(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"a\",\"grant\":{\"at\":\"" T0
                                 "\",\"method\":\"session\"," NOTICE "," BY
                                 ",\"proofs\":[{\"type\":\"bill\"}]}}");
    struct reply reply = post(w, AS_EDP, at(w, consent, "/proofs"),
                              "{\"proofs\":[{\"at\":\"2026-03-12T10:00Z\",\"type\":\"visit\"},"
                              "{\"type\":\"call\",\"digest\":\"" DIGEST_1 "\"}]}");
    json_decref(answered(reply, 200));
    assert_non_null(strstr(reply.body.data,
                           "\"proofs\":[{\"type\":\"bill\"},{\"at\":\"" T0_OUT
                           "\",\"type\":\"visit\"},{\"type\":\"call\",\"digest\":\"" DIGEST_1
                           "\"}]}"));
    assert_string_equal(header_of(&reply, "etag"), "\"2\"");
    reply = post(w, AS_EDP, at(w, consent, "/proofs"), "{\"proofs\":[{\"digest\":\"x\"}]}");
    assert_errors(&reply, "invalid-body", "/proofs/0/type /proofs/0/digest");
    json_t *asked = created(w, REQUESTED);
    reply = post(w, AS_EDP, at(w, asked, "/proofs"), "{\"proofs\":[{\"type\":\"bill\"}]}");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(asked);
    json_decref(consent);
}

/* ---- many at once */

static json_t *account(struct world *w, const char *account, const char *client,
                       const char *resource) {
    struct span body = arena_format(
        &w->arena,
        "{\"client\":\"%s\",\"license\":\"" CONSUMPTION "\",\"account\":\"%s\",\"permissions\":["
        "{\"code\":\"tariff\",\"resources\":[\"%s\"]}],\"grant\":" GRANT "}",
        client, account, resource);
    return created(w, body.data);
}

static void ids_are_ended_each_with_its_own_result(void **state) {
    struct world *w = *state;
    json_t *first = account(w, "a", APP, "m1"), *second = account(w, "b", APP, "m2");
    json_t *new = answered(send(w, (struct sending){.as = AS_EDP,
                                                    .target = at(w, second, "/renew"),
                                                    .body = "{\"grant\":" GRANT "}",
                                                    .key = "k"}),
                           201);
    struct span body = arena_format(
        &w->arena,
        "{\"ids\":[\"%s\",\"%s\",\"00000000-0000-7000-8000-000000000000\"],\"reason\":{\"code\":"
        "\"fraud\"}}",
        text_in(first, "consentId"), text_in(second, "consentId"));
    struct reply reply = post(w, AS_EDP, "/v1/revocations", body.data);
    json_t *json = answered(reply, 200);
    const json_t *results = json_object_get(json, "results");
    assert_int_equal(json_array_size(results), 3);
    assert_true(json_is_false(json_object_get(json, "more")));
    const json_t *one = json_array_get(results, 0), *two = json_array_get(results, 1);
    assert_string_equal(text_in(one, "consentId"), text_in(first, "consentId"));
    assert_string_equal(text_in(one, "status"), "terminated");
    assert_null(json_object_get(one, "asked"));
    assert_true(json_is_integer(json_object_get(one, "logIndex")));
    /* the old id of an arrangement ends the consent that is active */
    assert_string_equal(text_in(two, "consentId"), text_in(new, "consentId"));
    assert_string_equal(text_in(two, "asked"), text_in(second, "consentId"));
    assert_string_equal(text_in(json_array_get(results, 2), "problem"), "not-found");
    json_decref(json);
    json_decref(new);
    json_decref(second);
    json_decref(first);
}

static void a_selection_ends_what_all_its_members_name(void **state) {
    static const struct {
        const char *selection;
        size_t ended;
    } cases[] = {
        {"\"account\":\"a\"", 2},
        {"\"client\":\"" APP "\"", 2},
        {"\"resource\":\"m1\"", 2},
        {"\"account\":\"a\",\"client\":\"" OTHER_APP "\"", 1},
        {"\"account\":\"a\",\"resource\":\"m3\"", 0},
        {"\"client\":\"" APP "\",\"provider\":\"" OTHER_EDP "\"", 0},
        {"\"client\":\"" APP "\",\"provider\":\"" EDP "\"", 2},
        {"\"account\":\"nobody\"", 0},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_decref(account(w, "a", APP, "m1"));
        json_decref(account(w, "a", OTHER_APP, "m2"));
        json_decref(account(w, "b", APP, "m1"));
        json_decref(account(w, "c", OTHER_APP, "m3"));
        struct span body = arena_format(&w->arena, "{%s,\"reason\":{\"code\":\"tenancyChanged\"}}",
                                        cases[i].selection);
        json_t *json = answered(post(w, AS_EDP, "/v1/revocations", body.data), 200);
        const json_t *results = json_object_get(json, "results");
        if (json_array_size(results) != cases[i].ended) {
            fail_msg("%s: %zu", cases[i].selection, json_array_size(results));
        }
        for (size_t j = 0; j < json_array_size(results); j++) {
            assert_string_equal(text_in(json_array_get(results, j), "status"), "terminated");
        }
        json_decref(json);
    }
}

static void a_selection_reaches_no_other_tenant(void **state) {
    struct world *w = *state;
    json_t *consent = account(w, "a", APP, "m1");
    uint64_t before = entries(w);
    struct reply reply = post(w, AS_OTHER_EDP, "/v1/revocations",
                              "{\"account\":\"a\",\"reason\":{\"code\":\"fraud\"}}");
    assert_string_equal(reply.body.data, "{\"results\":[],\"more\":false}");
    assert_int_equal(entries(w), before);
    /* a client ends what names it, by its id */
    struct span body =
        arena_format(&w->arena, "{\"ids\":[\"%s\"],\"reason\":{\"code\":\"withdrawnAtClient\"}}",
                     text_in(consent, "consentId"));
    reply = post(w, AS_OTHER_APP, "/v1/revocations", body.data);
    assert_non_null(strstr(reply.body.data, "\"problem\":\"not-found\""));
    assert_int_equal(entries(w), before);
    reply = post(w, AS_APP, "/v1/revocations", body.data);
    assert_non_null(strstr(reply.body.data, "\"status\":\"revoked\""));
    json_decref(consent);
}

static void a_selection_is_ids_or_the_rest(void **state) {
    static const struct {
        const char *body, *name, *pointer;
    } cases[] = {
        {"{\"reason\":{\"code\":\"fraud\"}}", "invalid-body", ""},
        {"{\"provider\":\"" EDP "\",\"reason\":{\"code\":\"fraud\"}}", "invalid-body", ""},
        {"{\"account\":\"a\"}", "invalid-body", "/reason"},
        {"{\"account\":\"a\",\"reason\":{\"code\":\"refused\"}}", "invalid-body", "/reason/code"},
        {"{\"ids\":[\"00000000-0000-7000-8000-000000000000\"],\"account\":\"a\",\"reason\":{"
         "\"code\":\"fraud\"}}",
         "invalid-body", ""},
        {"{\"ids\":[],\"reason\":{\"code\":\"fraud\"}}", "invalid-body", "/ids"},
        {"{\"ids\":[7,\"x\"],\"reason\":{\"code\":\"fraud\"}}", "invalid-body", "/ids/0 /ids/1"},
        {"{\"client\":\"x\",\"reason\":{\"code\":\"fraud\"}}", "invalid-body", "/client"},
        {"{\"license\":\"a:b\",\"account\":\"a\",\"reason\":{\"code\":\"fraud\"}}",
         "unknown-member", "/license"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = post(*state, AS_EDP, "/v1/revocations", cases[i].body);
        assert_errors(&reply, cases[i].name, cases[i].pointer);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_revocation_says_why_and_by_whom),
        IN_A_WORLD(a_second_revocation_keeps_the_first_result),
        IN_A_WORLD(each_reason_leads_to_its_state),
        IN_A_WORLD(a_caller_states_only_what_a_caller_may),
        IN_A_WORLD(a_request_is_refused_and_not_revoked),
        IN_A_WORLD(deleting_is_withdrawing_where_the_caller_is),
        IN_A_WORLD(an_auditor_deletes_only_as_the_client_that_it_is),
        IN_A_WORLD(what_is_not_ones_own_is_not_there),
        IN_A_WORLD(a_stale_version_ends_nothing),
        IN_A_WORLD(tokens_are_appended_each_an_entry),
        IN_A_WORLD(a_token_is_a_digest_and_never_the_token),
        IN_A_WORLD(late_proofs_stand_behind_those_of_the_grant),
        IN_A_WORLD(ids_are_ended_each_with_its_own_result),
        IN_A_WORLD(a_selection_ends_what_all_its_members_name),
        IN_A_WORLD(a_selection_reaches_no_other_tenant),
        IN_A_WORLD(a_selection_is_ids_or_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
