/* POST /v1/audit/decisions/{id}/replay: whatever happened since, a recorded decision comes out as
 * it was recorded. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#define ABOUT_ACCOUNT(id) "\"type\":\"account\",\"id\":\"" id "\""
#define ABOUT(kind)                                                                     \
    "{\"subject\":{\"type\":\"application\",\"id\":\"" APP "\"},\"action\":{\"name\":"  \
    "\"read\",\"properties\":{\"purpose\":\"estimate-emissions\"}},\"resource\":{" kind \
    ",\"properties\":{\"permissions\":[\"tariff\"]}}}"

/* Asks, and the answer is recorded: its id, in the world's arena. */
static const char *decide(struct world *w, struct who as, const char *body, bool permitted) {
    json_t *answer = answered(post(w, as, "/access/v1/evaluation", body), 200);
    const json_t *context = json_object_get(answer, "context");
    assert_int_equal(json_is_true(json_object_get(answer, "decision")), permitted);
    const char *id = arena_copy(&w->arena, span_of_text(text_in(context, "decisionId"))).data;
    assert_string_not_equal(id, "");
    json_decref(answer);
    return id;
}

static struct reply replay(struct world *w, struct who as, const char *id) {
    return send(
        w,
        (struct sending){
            .as = as, .target = arena_format(&w->arena, "/v1/audit/decisions/%s/replay", id).data});
}

/* The caller decrefs. */
static json_t *agreeing(struct world *w, const char *id) {
    json_t *answer = answered(replay(w, AS_AUDITOR, id), 200);
    if (!json_is_true(json_object_get(answer, "agrees")))
        fail_msg("%s", json_dumps(answer, 0));
    assert_true(
        json_equal(json_object_get(answer, "recorded"), json_object_get(answer, "replayed")));
    return answer;
}

static void assert_agrees(struct world *w, const char *id) {
    json_decref(agreeing(w, id));
}

/* The replayed reasons, with spaces between. */
static void assert_reasons(struct world *w, const char *id, const char *expected) {
    json_t *answer = agreeing(w, id);
    const json_t *reasons = json_object_get(json_object_get(answer, "replayed"), "reasons");
    const json_t *told = json_object_get(json_object_get(answer, "explanation"), "reasons");
    struct buffer said = {0};
    assert_int_equal(json_array_size(reasons), json_array_size(told));
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *code = json_string_value(json_array_get(reasons, i));
        buffer_append_format(&said, "%s%s", i != 0 ? " " : "", code);
        assert_string_equal(text_in(json_array_get(told, i), "code"), code);
    }
    buffer_append(&said, "", 1);
    assert_string_equal(said.data, expected);
    buffer_release(&said);
    json_decref(answer);
}

static json_t *made(struct world *w) {
    return created(w, GRANTED);
}

static const char *about(struct world *w, const json_t *consent) {
    return arena_format(&w->arena, ABOUT("\"type\":\"consent\",\"id\":\"%s\""),
                        text_in(consent, "consentId"))
        .data;
}

static void a_permit_stays_one_after_the_revocation(void **state) {
    struct world *w = *state;
    json_t *consent = made(w);
    const char *before = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), true);
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    const char *after = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), false);
    /* all in one millisecond: the place in the log tells them apart */
    json_t *answer = agreeing(w, before);
    const json_t *replayed = json_object_get(answer, "replayed");
    assert_true(json_is_true(json_object_get(replayed, "decision")));
    assert_string_equal(text_in(replayed, "consentId"), text_in(consent, "consentId"));
    assert_int_equal(json_integer_value(json_object_get(replayed, "consentVersion")), 1);
    assert_string_equal(text_in(answer, "decisionId"), before);
    assert_int_equal(json_integer_value(json_object_get(answer, "logIndex")),
                     json_integer_value(json_object_get(answer, "position")));
    assert_string_equal(text_in(json_object_get(answer, "policy"), "pack"), "perseus");
    json_decref(answer);
    assert_reasons(w, after, "notActive");
    json_decref(consent);
}

/* What the grant sets and narrows was not so before it. */
static void a_request_is_judged_as_it_was_asked_for(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, REQUESTED);
    const char *by_account = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), false);
    const char *by_consent = decide(w, AS_EDP, about(w, asked), false);
    world_set_time(w, "2026-03-12T11:00:00Z");
    json_t *granted = answered(
        post(w, AS_EDP, at(w, asked, "/grant"),
             "{\"account\":\"acc-1\",\"permissions\":[{\"code\":\"gas.import.halfhourly\"}],"
             "\"purposes\":[\"corroborate-savings\"],\"grant\":" GRANT "}"),
        200);
    assert_reasons(w, by_account, "consentNotFound");
    assert_reasons(w, by_consent, "notActive");
    const char *now = decide(w, AS_EDP, about(w, asked), false);
    assert_reasons(w, now, "purposeNotPermitted permissionNotPermitted");
    json_decref(granted);
    json_decref(asked);
}

static void expiry_is_judged_by_the_clock_of_then(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"expires\":"
                                 "\"2026-04-01T00:00Z\",\"grant\":" GRANT "}");
    world_set_time(w, "2026-03-31T23:59:59.999Z");
    const char *before = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), true);
    world_set_time(w, "2026-04-01T00:00:00.000Z");
    const char *after = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), false);
    world_set_time(w, "2026-05-01T00:00:00.000Z");
    assert_agrees(w, before);
    assert_reasons(w, after, "expired");
    json_decref(consent);
}

/* A pack that denies what the other permits. */
static struct policy_pack *stricter_pack(struct world *w) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    struct span bytes = policy_pack_bytes(w->pack);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    json_object_set_new(json_object_get(json, "settings"), "purposeMustBeStated", json_true());
    char *text = json_dumps(json, 0);
    assert_int_equal(policy_pack_load(span_of_text(text), &pack, &error), STATUS_OK);
    free(text);
    json_decref(json);
    return pack;
}

#define NO_PURPOSE                                                                            \
    "{\"subject\":{\"type\":\"application\",\"id\":\"" APP                                    \
    "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":\"account\",\"id\":\"acc-1\"," \
    "\"properties\":{\"permissions\":[\"tariff\"]}}}"

static void each_is_judged_by_the_pack_that_judged_it(void **state) {
    struct world *w = *state;
    struct policy_pack *first = w->pack;
    json_t *consent = made(w);
    const char *lax = decide(w, AS_EDP, NO_PURPOSE, true);
    struct policy_pack *second = stricter_pack(w);
    assert_int_equal(store_pack_activate(w->store, second), STATUS_OK);
    atomic_store(&w->service.pack, second);
    const char *strict = decide(w, AS_EDP, NO_PURPOSE, false);
    for (int i = 0; i < 2; i++) { /* from the store, then kept */
        assert_agrees(w, lax);
        assert_reasons(w, strict, "purposeNotPermitted");
    }
    assert_int_equal(store_pack_activate(w->store, first), STATUS_OK);
    atomic_store(&w->service.pack, first);
    assert_agrees(w, lax);
    assert_reasons(w, strict, "purposeNotPermitted");
    json_t *answer = agreeing(w, lax);
    const json_t *replayed = json_object_get(answer, "replayed");
    assert_int_equal(json_array_size(json_object_get(replayed, "purposes")), 5);
    assert_true(json_is_false(json_object_get(replayed, "purposeStated")));
    json_decref(answer);
    json_decref(consent);
    policy_pack_free(second);
}

/* More packs than a loop keeps: each is found again. */
static void packs_come_and_go(void **state) {
    enum { PACKS = LIMIT_PAST_PACKS + 3 };
    struct world *w = *state;
    struct policy_pack *packs[PACKS];
    const char *ids[PACKS];
    json_t *consent = made(w);
    for (int i = 0; i < PACKS; i++) {
        struct policy_error error;
        struct span bytes = policy_pack_bytes(w->pack);
        struct span other = arena_format(&w->arena, "%.*s%*s", SPAN_ARG(bytes), i + 1, "");
        assert_int_equal(policy_pack_load(other, &packs[i], &error), STATUS_OK);
        assert_int_equal(store_pack_activate(w->store, packs[i]), STATUS_OK);
        atomic_store(&w->service.pack, packs[i]);
        ids[i] = decide(w, AS_EDP, i % 2 == 0 ? ABOUT(ABOUT_ACCOUNT("acc-1")) : NO_PURPOSE, true);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < PACKS; i++)
            assert_agrees(w, ids[(i * 5 + round) % PACKS]);
    atomic_store(&w->service.pack, w->pack);
    for (int i = 0; i < PACKS; i++)
        policy_pack_free(packs[i]);
    json_decref(consent);
}

static void a_client_that_asked_about_itself(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"permissions\":[{\"code\":"
                                 "\"tariff\",\"resources\":[\"m1\"]}],\"grant\":" GRANT "}");
    const char *body =
        arena_format(&w->arena,
                     "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                     "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":\"consent\","
                     "\"id\":\"%s\",\"properties\":{\"resources\":[\"m1\"]}}}",
                     text_in(consent, "consentId"))
            .data;
    const char *id = decide(w, AS_APP, body, true);
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    assert_agrees(w, id);
    json_decref(consent);
}

static void what_is_not_there_and_what_is_not_ones_own_answer_alike(void **state) {
    struct world *w = *state;
    json_t *consent = made(w);
    const char *id = decide(w, AS_EDP, ABOUT(ABOUT_ACCOUNT("acc-1")), true);
    struct span name = span_of(id, strcspn(id, "."));
    const char *index = id + name.size + 1;
    const char *const unknown[] = {
        "x",
        ".",
        name.data != NULL ? arena_format(&w->arena, "%.*s", SPAN_ARG(name)).data : "",
        arena_format(&w->arena, "%.*s.", SPAN_ARG(name)).data,
        arena_format(&w->arena, "%.*s.0%s", SPAN_ARG(name), index).data,
        arena_format(&w->arena, "%.*s.1", SPAN_ARG(name)).data,      /* the pack's activation */
        arena_format(&w->arena, "%.*s.999999", SPAN_ARG(name)).data, /* not written yet */
        arena_format(&w->arena, "%.*sx.%s", SPAN_ARG(name), index).data,
        arena_format(&w->arena, "%.*s.%s", (int)name.size - 1, id, index).data,
        arena_format(&w->arena, ".%s", index).data,
        arena_format(&w->arena, "%.*s.18446744073709551615", SPAN_ARG(name)).data,
        text_in(consent, "consentId"),
    };
    struct who foreign = {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP};
    struct reply stranger = replay(w, foreign, id);
    assert_problem(&stranger, 404, "not-found");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct reply reply = replay(w, AS_AUDITOR, unknown[i]);
        assert_string_equal(reply.body.data, stranger.body.data);
    }
    struct reply reply = replay(w, AS_EVERYBODYS_AUDITOR, id);
    assert_int_equal(reply.status, 200);
    reply = replay(w, AS_EDP, id);
    assert_problem(&reply, 403, "insufficient-scope");
    json_decref(consent);
}

static void an_entry_that_is_no_decision_is_not_replayed(void **state) {
    struct world *w = *state;
    json_t *consent = made(w);
    struct reply log = get(w, AS_AUDITOR, "/v1/audit/events");
    json_t *page = json_of(&log);
    const json_t *entry = json_array_get(json_object_get(page, "items"), 0);
    const char *id =
        arena_format(&w->arena, "%s.%d", text_in(json_object_get(entry, "payload"), "id"),
                     (int)json_integer_value(json_object_get(entry, "index")))
            .data;
    struct reply reply = replay(w, AS_AUDITOR, id);
    assert_problem(&reply, 404, "not-found");
    json_decref(page);
    json_decref(consent);
}

static void it_takes_no_parameters(void **state) {
    struct reply reply = send(
        *state, (struct sending){.as = AS_AUDITOR, .target = "/v1/audit/decisions/x/replay?a=b"});
    assert_problem(&reply, 400, "invalid-parameter");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_permit_stays_one_after_the_revocation),
        TEST(a_request_is_judged_as_it_was_asked_for),
        TEST(expiry_is_judged_by_the_clock_of_then),
        TEST(each_is_judged_by_the_pack_that_judged_it),
        TEST(packs_come_and_go),
        TEST(a_client_that_asked_about_itself),
        TEST(what_is_not_there_and_what_is_not_ones_own_answer_alike),
        TEST(an_entry_that_is_no_decision_is_not_replayed),
        TEST(it_takes_no_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
