/* Erasure over HTTP: who may ask for what, what is answered, and what reads answer afterwards. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#define ERASURES "/v1/erasures"
#define WHY "\"ground\":\"consentWithdrawn\",\"requestId\":\"dsr-1\""
#define ENDED "2026-04-01T00:00:00.000Z"
#define DUE "2027-04-01T00:00:00.000Z" /* the pack keeps a year after the end */

static const char *of_consent(struct world *w, const json_t *consent, const char *more) {
    return arena_format(&w->arena, "{\"consentId\":\"%s\",%s%s}", text_in(consent, "consentId"),
                        WHY, more)
        .data;
}

static json_t *ended(struct world *w) {
    json_t *consent = created(w, GRANTED);
    world_set_time(w, ENDED);
    struct reply reply = post(w, AS_EDP, at(w, consent, "/revoke"),
                              "{\"reason\":{\"code\":\"withdrawn\",\"text\":\"moved\"}}");
    json_decref(answered(reply, 200));
    return consent;
}

static void what_may_go_goes_at_once(void **state) {
    struct world *w = *state;
    json_t *consent = ended(w);
    world_set_time(w, DUE);
    struct reply reply = post(w, AS_EDP, ERASURES, of_consent(w, consent, ""));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data,
                        arena_format(&w->arena,
                                     "{\"status\":\"erased\",\"requestId\":\"dsr-1\",\"consents\":["
                                     "{\"consentId\":\"%s\",\"erased\":\"whole\"}],\"logIndex\":4,"
                                     "\"more\":false}",
                                     text_in(consent, "consentId"))
                            .data);
    assert_string_equal(header_of(&reply, "cache-control"), "no-store");
    json_decref(consent);
}

static void what_must_wait_is_scheduled(void **state) {
    struct world *w = *state;
    json_t *consent = ended(w);
    struct reply reply = post(w, AS_EDP, ERASURES, of_consent(w, consent, ""));
    assert_int_equal(reply.status, 202);
    assert_string_equal(
        reply.body.data,
        arena_format(
            &w->arena,
            "{\"status\":\"scheduled\",\"requestId\":\"dsr-1\",\"dueAt\":\"" DUE
            "\",\"consents\":[{\"consentId\":\"%s\",\"erased\":\"personal\",\"dueAt\":\"" DUE
            "\"}],\"logIndex\":4,\"more\":false}",
            text_in(consent, "consentId"))
            .data);
    json_t *left = answered(get(w, AS_EDP, at(w, consent, "")), 200);
    assert_null(json_object_get(left, "account"));
    assert_null(json_object_get(json_object_get(left, "grant"), "by"));
    assert_null(json_object_get(json_object_get(left, "statusReason"), "text"));
    assert_string_equal(text_in(left, "status"), "revoked");
    json_decref(left);
    json_decref(consent);
}

/* Without its personal part a consent is shown wherever it was, to the client without the pairwise
 * id that nobody can make any more. */
static void what_is_left_is_shown_everywhere(void **state) {
    struct world *w = *state;
    json_t *consent = ended(w);
    const char *id = text_in(consent, "consentId");
    json_t *seen = answered(get(w, AS_APP, at(w, consent, "")), 200);
    const char *by_account =
        arena_format(&w->arena, "/v1/consents?account=%s", text_in(seen, "account")).data;
    json_t *page = answered(get(w, AS_APP, by_account), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    json_decref(page);
    json_decref(answered(post(w, AS_EDP, ERASURES, of_consent(w, consent, "")), 202));
    page = answered(get(w, AS_APP, by_account), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    json_decref(page);
    page = answered(get(w, AS_EDP, "/v1/consents?account=acc-1"), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    json_decref(page);
    const struct who seeing[] = {AS_EDP, AS_APP, AS_AUDITOR};
    for (size_t i = 0; i < 3; i++) {
        json_t *left = answered(get(w, seeing[i], at(w, consent, "")), 200);
        assert_null(json_object_get(left, "account"));
        json_decref(left);
        json_decref(answered(get(w, seeing[i], at(w, consent, "?at=2026-03-13T00:00Z")), 200));
        page = answered(get(w, seeing[i], "/v1/consents"), 200);
        assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
        json_decref(page);
        json_decref(answered(get(w, seeing[i], at(w, consent, "/events")), 200));
    }
    json_decref(answered(
        get(w, AS_AUDITOR,
            arena_format(&w->arena,
                         "/v1/audit/at?time=2026-03-13T00:00Z&client=" APP "&consentId=%s", id)
                .data),
        200));
    assert_int_equal(get(w, AS_EDP, at(w, consent, "/receipt")).status, 200);
    uint64_t before = entries(w);
    struct reply reply = send(w, (struct sending){.as = AS_EDP,
                                                  .target = at(w, consent, "/renew"),
                                                  .body = "{\"grant\":" GRANT "}",
                                                  .key = "k"});
    assert_problem(&reply, 410, "erased");
    assert_int_equal(entries(w), before);
    json_decref(seen);
    json_decref(consent);
}

/* Who could see it is told that it is gone; for others it never was (invariant 9). */
static void it_is_gone_for_who_could_see_it(void **state) {
    struct world *w = *state;
    json_t *consent = ended(w);
    world_set_time(w, DUE);
    json_decref(answered(post(w, AS_EDP, ERASURES, of_consent(w, consent, "")), 200));
    const struct who seeing[] = {AS_EDP, AS_APP, AS_AUDITOR};
    const struct who others[] = {AS_OTHER_EDP, AS_OTHER_APP};
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = get(w, seeing[i], at(w, consent, ""));
        assert_problem(&reply, 410, "erased");
        reply = get(w, seeing[i], at(w, consent, "?at=2026-03-13T00:00Z"));
        assert_problem(&reply, 410, "erased");
        json_t *page = answered(get(w, seeing[i], "/v1/consents"), 200);
        assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
        json_decref(page);
        page = answered(get(w, seeing[i], at(w, consent, "/events")), 200);
        assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
        json_decref(page);
    }
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = get(w, others[i], at(w, consent, ""));
        assert_problem(&reply, 404, "not-found");
    }
    struct reply receipt = get(w, AS_EDP, at(w, consent, "/receipt"));
    assert_problem(&receipt, 410, "erased");
    uint64_t before = entries(w);
    static const char *const writes[] = {"/revoke", "/proofs"};
    static const char *const bodies[] = {"{\"reason\":{\"code\":\"withdrawn\"}}",
                                         "{\"proofs\":[{\"type\":\"x\"}]}"};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = post(w, AS_EDP, at(w, consent, writes[i]), bodies[i]);
        assert_problem(&reply, 410, "erased");
    }
    struct reply reply = post(w, AS_EDP, ERASURES, of_consent(w, consent, ""));
    assert_problem(&reply, 410, "erased");
    assert_int_equal(entries(w), before);
    json_decref(consent);
}

static void an_active_consent_is_refused(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    uint64_t before = entries(w);
    struct reply reply = post(w, AS_EDP, ERASURES, of_consent(w, consent, ""));
    assert_problem(&reply, 409, "wrong-state");
    reply = post(w, AS_EDP, ERASURES, "{\"account\":\"acc-1\"," WHY "}");
    assert_problem(&reply, 409, "wrong-state");
    assert_int_equal(entries(w), before);
    json_decref(consent);
}

static void administrators_name_the_tenant(void **state) {
    struct world *w = *state;
    json_t *consent = ended(w);
    uint64_t before = entries(w);
    struct reply reply = post(w, AS_ADMIN, ERASURES, of_consent(w, consent, ""));
    assert_errors(&reply, "invalid-body", "/tenant");
    reply = post(w, AS_ADMIN, ERASURES, of_consent(w, consent, ",\"tenant\":\"" OTHER_EDP "\""));
    assert_problem(&reply, 404, "not-found");
    reply = post(w, AS_OTHER_EDP, ERASURES, of_consent(w, consent, ",\"tenant\":\"" EDP "\""));
    assert_problem(&reply, 403, "insufficient-scope");
    reply = post(w, AS_OTHER_EDP, ERASURES, of_consent(w, consent, ""));
    assert_problem(&reply, 404, "not-found");
    reply = post(w, AS_AUDITOR, ERASURES, of_consent(w, consent, ""));
    assert_problem(&reply, 403, "insufficient-scope");
    assert_int_equal(entries(w), before);
    reply = post(w, AS_ADMIN, ERASURES, of_consent(w, consent, ",\"tenant\":\"" EDP "\""));
    assert_int_equal(reply.status, 202);
    json_t *event = answered(get(w, AS_AUDITOR, "/v1/audit/events/4"), 200);
    const json_t *payload = json_object_get(event, "payload");
    assert_string_equal(text_in(payload, "type"), "erasure.personal");
    assert_string_equal(text_in(json_object_get(payload, "actor"), "role"), "admin");
    json_decref(event);
    json_decref(consent);
}

static void each_rule_of_an_erasure_is_kept(void **state) {
#define ID "\"consentId\":\"019ce17d-2100-7efa-8b49-ef6c353931e1\""
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{}", " /ground /requestId"},
        {"[]", ""},
        {"{" WHY "}", ""},
        {"{" ID ",\"account\":\"a\"," WHY "}", ""},
        {"{" ID ",\"provider\":\"" EDP "\"," WHY "}", "/provider"},
        {"{\"consentId\":\"x\"," WHY "}", "/consentId"},
        {"{\"consentId\":7," WHY "}", "/consentId"},
        {"{\"account\":\"\"," WHY "}", "/account"},
        {"{\"account\":\"a\",\"provider\":\"edp\"," WHY "}", "/provider"},
        {"{" ID ",\"part\":\"half\"," WHY "}", "/part"},
        {"{" ID ",\"ground\":\"because\",\"requestId\":\"1\"}", "/ground"},
        {"{" ID ",\"ground\":\"objection\"}", "/requestId"},
        {"{" ID ",\"ground\":\"objection\",\"requestId\":\"John Doe\"}", "/requestId"},
        {"{" ID ",\"tenant\":\"\"," WHY "}", "/tenant"},
    };
    struct world *w = *state;
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = post(w, AS_EDP, ERASURES, cases[i].body);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    struct reply reply = post(w, AS_EDP, ERASURES, "{" ID "," WHY ",\"x\":1}");
    assert_errors(&reply, "unknown-member", "/x");
    reply = post(w, AS_EDP, ERASURES "?x=1", "{" ID "," WHY "}");
    assert_problem(&reply, 400, "invalid-parameter");
    assert_int_equal(entries(w), before);
}

static void a_limit_is_reached_and_not_passed(void **state) {
    struct world *w = *state;
    char account[LIMIT_ACCOUNT + 2] = "", id[66] = "";
    memset(account, 'a', LIMIT_ACCOUNT + 1);
    memset(id, 'r', 65);
    for (int over = 1; over >= 0; over--) {
        const char *body =
            arena_format(&w->arena,
                         "{\"account\":\"%s\",\"ground\":\"objection\",\"requestId\":\"%s\"}",
                         account + 1 - over, id + 1 - over)
                .data;
        struct reply reply = post(w, AS_EDP, ERASURES, body);
        if (over)
            assert_errors(&reply, "invalid-body", "/account /requestId");
        else
            assert_problem(&reply, 404, "not-found");
    }
}

/* The answer of then cannot be given again. */
static void a_replayed_request_is_told_that_it_was_erased(void **state) {
    struct world *w = *state;
    struct sending first = {
        .as = AS_EDP, .target = "/v1/consents", .body = GRANTED, .key = "key-1"};
    json_t *consent = answered(send(w, first), 201);
    struct reply reply =
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"withdrawn\"}}");
    json_decref(answered(reply, 200));
    json_decref(answered(post(w, AS_EDP, ERASURES, of_consent(w, consent, "")), 202));
    reply = send(w, first);
    assert_problem(&reply, 410, "erased");
    json_decref(consent);
}

/* Decisions, questions about the past and the report go on without what is gone. */
static void the_log_is_read_on(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    const char *question = arena_format(&w->arena,
                                        "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                                        "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":"
                                        "\"consent\",\"id\":\"%s\"},\"context\":{\"record\":true}}",
                                        text_in(consent, "consentId"))
                               .data;
    json_t *decided = answered(post(w, AS_EDP, "/access/v1/evaluation", question), 200);
    const char *decision = text_in(json_object_get(decided, "context"), "decisionId");
    const char *replay = arena_format(&w->arena, "/v1/audit/decisions/%s/replay", decision).data;
    json_decref(answered(post(w, AS_AUDITOR, replay, NULL), 200));
    world_set_time(w, ENDED);
    json_decref(answered(
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"withdrawn\"}}"), 200));
    world_set_time(w, DUE);
    json_decref(answered(post(w, AS_EDP, ERASURES, of_consent(w, consent, "")), 200));
    struct reply reply = post(w, AS_AUDITOR, replay, NULL);
    assert_problem(&reply, 410, "erased");
    json_t *again = answered(post(w, AS_EDP, "/access/v1/evaluation", question), 200);
    assert_true(json_is_false(json_object_get(again, "decision")));
    json_decref(again);
    reply = get(w, AS_AUDITOR,
                arena_format(&w->arena,
                             "/v1/audit/at?time=2026-03-13T00:00Z&client=" APP "&consentId=%s",
                             text_in(consent, "consentId"))
                    .data);
    assert_problem(&reply, 410, "erased");
    json_decref(answered(get(w, AS_AUDITOR, "/v1/audit/reports/after-ending"), 200));
    json_t *page = answered(get(w, AS_AUDITOR, "/v1/audit/events?tenant=" EDP), 200);
    const json_t *items = json_object_get(page, "items");
    assert_int_equal(json_array_size(items), 5);
    for (size_t i = 0; i < 3; i++)
        assert_null(json_object_get(json_array_get(items, i), "payload"));
    json_decref(page);
    json_decref(decided);
    json_decref(consent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        T(what_may_go_goes_at_once),
        T(what_must_wait_is_scheduled),
        T(what_is_left_is_shown_everywhere),
        T(it_is_gone_for_who_could_see_it),
        T(an_active_consent_is_refused),
        T(administrators_name_the_tenant),
        T(each_rule_of_an_erasure_is_kept),
        T(a_limit_is_reached_and_not_passed),
        T(a_replayed_request_is_told_that_it_was_erased),
        T(the_log_is_read_on),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
