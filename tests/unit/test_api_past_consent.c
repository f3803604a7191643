/* GET /v1/consents/{id}?at=TIME: the consent as it was, by the clock of then. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

static struct reply consent_at(struct world *w, struct who as, const struct store_consent *c,
                               const char *time) {
    return get(w, as, path_of(w, &c->id, arena_format(&w->arena, "?at=%s", time).data));
}

/* Version, status and tag of then: "1 active \"1\"". */
static void assert_then(struct world *w, const struct store_consent *c, const char *time,
                        const char *expected) {
    struct reply reply = consent_at(w, AS_EDP, c, time);
    json_t *json = answered(reply, 200);
    struct span said = arena_format(&w->arena, "%d %s %s",
                                    (int)json_integer_value(json_object_get(json, "version")),
                                    text_in(json, "status"), header_of(&reply, "etag"));
    assert_string_equal(said.data, expected);
    json_decref(json);
}

static void each_state_is_shown_at_its_time(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    world_set_time(w, "2026-03-13T10:00:00.250Z");
    add_token(w, &c, "t");
    world_set_time(w, "2026-03-14T10:00:00.000Z");
    end(w, &c, "withdrawn", CONSENT_REVOKED, "");
    world_set_time(w, "2026-06-01T00:00:00Z");
    assert_then(w, &c, "2026-03-12T10:00:00.000Z", "1 active \"1\"");
    assert_then(w, &c, "2026-03-13T10:00:00.249Z", "1 active \"1\"");
    assert_then(w, &c, "2026-03-13T10:00:00.250Z", "2 active \"2\"");
    assert_then(w, &c, "2026-03-14T09:59:59.999Z", "2 active \"2\"");
    assert_then(w, &c, "2026-03-14T10:00:00.000Z", "3 revoked \"3\"");
    assert_then(w, &c, "2026-06-01T00:00:00.000Z", "3 revoked \"3\"");
}

static void facts_and_reasons_that_came_later_are_not_there(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply at_first = get(w, AS_EDP, path_of(w, &c.id, ""));
    world_set_time(w, "2026-03-13T10:00:00Z");
    add_token(w, &c, "t");
    add_proofs(w, &c, "{\"type\":\"bill\"}");
    end(w, &c, "withdrawn", CONSENT_REVOKED, "\"text\":\"later\"");
    struct reply then = consent_at(w, AS_EDP, &c, T0);
    assert_string_equal(then.body.data, at_first.body.data);
}

static void before_it_existed_there_was_none(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply reply = consent_at(w, AS_EDP, &c, "2026-03-12T09:59:59.999Z");
    assert_problem(&reply, 404, "not-found");
    reply = consent_at(w, AS_EDP, &c, "1970-01-01T00:00Z");
    assert_problem(&reply, 404, "not-found");
}

/* The sweep has not run, or ran later: the clock of then decides (invariant 7). */
static void it_expires_by_the_clock_of_then(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.expires = "2026-04-01T00:00:00Z"});
    world_set_time(w, "2026-04-02T00:00:00Z");
    make(w, (struct making){.account = "wakes the writer"});
    assert_then(w, &c, "2026-03-31T23:59:59.999Z", "1 active \"1\"");
    assert_then(w, &c, "2026-04-01T00:00:00.000Z", "1 expired \"1-expired\"");
    assert_then(w, &c, "2026-04-01T23:59:59.999Z", "1 expired \"1-expired\"");
    assert_then(w, &c, "2026-04-02T00:00:00.000Z", "2 expired \"2\"");
}

static void a_time_without_a_fraction_is_that_whole_second(void **state) {
    struct world *w = *state;
    world_set_time(w, "2026-03-12T10:00:00.700Z");
    struct store_consent c = make(w, (struct making){.account = NULL});
    assert_then(w, &c, "2026-03-12T10:00:00Z", "1 active \"1\"");
    assert_then(w, &c, "2026-03-12T10:00Z", "1 active \"1\"");
    struct reply reply = consent_at(w, AS_EDP, &c, "2026-03-12T10:00:00.0Z");
    assert_problem(&reply, 404, "not-found");
}

static void the_future_is_not_told(void **state) {
    struct world *w = *state;
    world_set_time(w, "2026-03-12T10:00:00.700Z");
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply reply = consent_at(w, AS_EDP, &c, "2026-03-12T10:00:00.701Z");
    assert_problem(&reply, 400, "invalid-parameter");
    json_t *json = json_of(&reply);
    assert_string_equal(text_in(json, "detail"), "at lies in the future");
    json_decref(json);
    assert_then(w, &c, "2026-03-12T10:00:00.700Z", "1 active \"1\"");
    /* the second that is now: as far as it has gone */
    assert_then(w, &c, "2026-03-12T10:00:00Z", "1 active \"1\"");
}

static void what_is_no_time_is_refused(void **state) {
    static const char *const texts[] = {"", "yesterday", "2026-03-12", "2026-03-12T10:00:00+01:00",
                                        "2026-02-30T10:00:00Z"};
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reply reply = consent_at(w, AS_EDP, &c, texts[i]);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    struct reply reply = consent_at(w, AS_EDP, &c, "2026-03-12T10:00Z&at=2026-03-12T10:00Z");
    assert_problem(&reply, 400, "invalid-parameter");
}

static void a_request_is_shown_as_it_was_asked_for(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, "{" PARTIES "}");
    const char *path = at(w, asked, "");
    struct reply at_first = get(w, AS_EDP, path);
    world_set_time(w, "2026-03-12T11:00:00Z");
    struct reply granted = post(w, AS_EDP, at(w, asked, "/grant"),
                                "{\"account\":\"acc-1\",\"permissions\":[{\"code\":\"tariff\"}],"
                                "\"grant\":" GRANT "}");
    assert_int_equal(granted.status, 200);
    struct reply then = get(w, AS_EDP, arena_format(&w->arena, "%s?at=" T0, path).data);
    assert_int_equal(then.status, 200);
    assert_string_equal(then.body.data, at_first.body.data);
    assert_string_equal(header_of(&then, "etag"), "\"1\"");
    json_decref(asked);
}

static void a_request_timed_out_by_the_clock_of_then(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.requested = true});
    world_set_time(w, "2027-01-01T00:00:00Z");
    assert_then(w, &c, "2026-03-12T10:00:00.000Z", "1 requested \"1\"");
    assert_then(w, &c, "2026-12-31T00:00:00.000Z", "1 timedOut \"1-timedOut\"");
}

static void a_successor_is_named_from_its_grant_on(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    world_set_time(w, "2026-03-13T10:00:00Z");
    make(w, (struct making){.account = NULL});
    struct reply reply = consent_at(w, AS_EDP, &c, T0);
    assert_null(strstr(reply.body.data, "supersededBy"));
    reply = consent_at(w, AS_EDP, &c, "2026-03-13T10:00:00Z");
    assert_non_null(strstr(reply.body.data, "supersededBy"));
}

static void who_may_see_it_now_may_see_what_it_was(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply now = get(w, AS_APP, path_of(w, &c.id, ""));
    world_set_time(w, "2026-03-13T10:00:00Z");
    end(w, &c, "withdrawn", CONSENT_REVOKED, "");
    struct reply reply = consent_at(w, AS_APP, &c, T0);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, now.body.data); /* reduced */
    reply = consent_at(w, AS_AUDITOR, &c, T0);
    assert_int_equal(reply.status, 200);
    struct who strangers[] = {AS_OTHER_EDP, AS_OTHER_APP};
    for (size_t i = 0; i < 2; i++) {
        reply = consent_at(w, strangers[i], &c, T0);
        assert_problem(&reply, 404, "not-found");
    }
}

static void a_tag_of_then_saves_the_body(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    world_set_time(w, "2026-03-13T10:00:00Z");
    end(w, &c, "withdrawn", CONSENT_REVOKED, "");
    struct reply reply = ask(w, (struct asking){.as = AS_EDP,
                                                .target = path_of(w, &c.id, "?at=" T0),
                                                .header = "if-none-match",
                                                .value = "\"1\""});
    assert_int_equal(reply.status, 304);
    assert_string_equal(header_of(&reply, "etag"), "\"1\"");
    assert_int_equal(reply.body.size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_state_is_shown_at_its_time),
        TEST(facts_and_reasons_that_came_later_are_not_there),
        TEST(before_it_existed_there_was_none),
        TEST(it_expires_by_the_clock_of_then),
        TEST(a_time_without_a_fraction_is_that_whole_second),
        TEST(the_future_is_not_told),
        TEST(what_is_no_time_is_refused),
        TEST(a_request_is_shown_as_it_was_asked_for),
        TEST(a_request_timed_out_by_the_clock_of_then),
        TEST(a_successor_is_named_from_its_grant_on),
        TEST(who_may_see_it_now_may_see_what_it_was),
        TEST(a_tag_of_then_saves_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
