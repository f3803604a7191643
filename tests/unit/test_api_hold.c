/* Legal holds over HTTP: set, listed, lifted, whose they are, and what they refuse. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#define HOLDS "/v1/holds"
#define BY_ACCOUNT "{\"account\":\"acc-1\",\"reason\":\"court-17\"}"

static struct reply lift(struct world *w, struct who as, const char *query) {
    const char *target = arena_format(&w->arena, HOLDS "?%s", query).data;
    return send(w, (struct sending){.as = as, .method = "DELETE", .target = target});
}

static void assert_listed(struct world *w, struct who as, const char *items) {
    struct reply reply = get(w, as, HOLDS);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, arena_format(&w->arena, "{\"items\":[%s]}", items).data);
}

static json_t *revoked(struct world *w) {
    json_t *consent = created(w, GRANTED);
    json_decref(answered(
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"withdrawn\"}}"), 200));
    return consent;
}

static void a_hold_refuses_erasure_until_it_is_lifted(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    const char *id = text_in(consent, "consentId");
    const char *hold =
        arena_format(&w->arena, "{\"consentId\":\"%s\",\"reason\":\"court-17\"}", id).data;
    const char *erasure = arena_format(&w->arena,
                                       "{\"consentId\":\"%s\",\"ground\":\"objection\","
                                       "\"requestId\":\"1\"}",
                                       id)
                              .data;
    const char *view = arena_format(&w->arena,
                                    "{\"consentId\":\"%s\",\"reason\":\"court-17\",\"since\":"
                                    "\"" T0_OUT "\",\"logIndex\":4}",
                                    id)
                           .data;
    struct reply reply = post(w, AS_EDP, HOLDS, hold);
    assert_int_equal(reply.status, 201);
    assert_string_equal(reply.body.data, view);
    assert_listed(w, AS_EDP, view);
    uint64_t before = entries(w);
    reply = post(w, AS_EDP, "/v1/erasures", erasure);
    assert_problem(&reply, 409, "legal-hold");
    reply = post(w, AS_EDP, "/v1/erasures",
                 "{\"account\":\"acc-1\",\"ground\":\"objection\",\"requestId\":\"1\"}");
    assert_problem(&reply, 409, "legal-hold");
    reply = post(w, AS_EDP, HOLDS, hold);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, view);
    assert_int_equal(entries(w), before);
    reply = lift(w, AS_EDP, "logIndex=4");
    assert_string_equal(reply.body.data, "{\"setIndex\":4,\"logIndex\":5}");
    reply = lift(w, AS_EDP, "logIndex=4");
    assert_problem(&reply, 404, "not-found");
    assert_listed(w, AS_EDP, "");
    assert_int_equal(post(w, AS_EDP, "/v1/erasures", erasure).status, 202);
    json_decref(consent);
}

/* The account itself is kept nowhere for it. */
static void an_account_is_held_by_its_keyed_digest(void **state) {
    struct world *w = *state;
    struct reply reply = post(w, AS_EDP, HOLDS, BY_ACCOUNT);
    json_t *hold = answered(reply, 201);
    assert_int_equal(strlen(text_in(hold, "accountRef")), 22);
    assert_string_equal(text_in(hold, "provider"), EDP);
    assert_null(json_object_get(hold, "consentId"));
    json_decref(hold);
    json_t *consent = revoked(w);
    reply = post(w, AS_EDP, "/v1/erasures",
                 arena_format(&w->arena,
                              "{\"consentId\":\"%s\",\"ground\":\"objection\",\"requestId\":\"1\"}",
                              text_in(consent, "consentId"))
                     .data);
    assert_problem(&reply, 409, "legal-hold");
    json_t *page = answered(get(w, AS_AUDITOR, "/v1/audit/events?type=hold.set"), 200);
    char *text = json_dumps(page, JSON_COMPACT);
    assert_null(strstr(text, "acc-1"));
    assert_non_null(strstr(text, "\"body\":{\"reason\":\"court-17\"}"));
    free(text);
    json_decref(page);
    json_decref(consent);
}

static void everybody_has_holds_of_their_own(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    const char *hold = arena_format(&w->arena, "{\"consentId\":\"%s\",\"reason\":\"court-17\"}",
                                    text_in(consent, "consentId"))
                           .data;
    uint64_t before = entries(w);
    const struct who strangers[] = {AS_OTHER_EDP, AS_APP};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = post(w, strangers[i], HOLDS, hold);
        assert_problem(&reply, 404, "not-found");
    }
    struct reply reply = post(w, AS_AUDITOR, HOLDS, hold);
    assert_problem(&reply, 403, "insufficient-scope");
    assert_int_equal(entries(w), before);
    assert_int_equal(post(w, AS_EDP, HOLDS, hold).status, 201);
    assert_listed(w, AS_OTHER_EDP, "");
    reply = lift(w, AS_OTHER_EDP, "logIndex=3");
    assert_problem(&reply, 404, "not-found");
    reply = lift(w, AS_OTHER_EDP, "logIndex=3&tenant=" EDP);
    assert_problem(&reply, 403, "insufficient-scope");
    reply = get(w, AS_OTHER_EDP, HOLDS "?tenant=" EDP);
    assert_problem(&reply, 403, "insufficient-scope");
    json_decref(consent);
}

static void administrators_name_the_tenant(void **state) {
    struct world *w = *state;
    struct reply reply = post(w, AS_ADMIN, HOLDS, BY_ACCOUNT);
    assert_errors(&reply, "invalid-body", "/tenant");
    reply = get(w, AS_ADMIN, HOLDS);
    assert_problem(&reply, 400, "invalid-parameter");
    reply = lift(w, AS_ADMIN, "logIndex=2");
    assert_problem(&reply, 400, "invalid-parameter");
    reply = post(w, AS_ADMIN, HOLDS,
                 "{\"account\":\"acc-1\",\"reason\":\"court-17\",\"tenant\":\"" EDP "\"}");
    json_decref(answered(reply, 201));
    json_t *page = answered(get(w, AS_ADMIN, HOLDS "?tenant=" EDP), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    json_decref(page);
    assert_int_equal(lift(w, AS_ADMIN, "logIndex=2&tenant=" EDP).status, 200);
}

static void each_rule_of_a_hold_is_kept(void **state) {
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{}", " /reason"},
        {"{\"reason\":\"r\"}", ""},
        {"{\"account\":\"a\"}", "/reason"},
        {"{\"account\":\"a\",\"reason\":\"the court\"}", "/reason"},
        {"{\"account\":\"a\",\"reason\":7}", "/reason"},
        {"{\"account\":7,\"reason\":\"r\"}", "/account"},
        {"{\"account\":\"a\",\"consentId\":\"x\",\"reason\":\"r\"}", "/consentId "},
    };
    struct world *w = *state;
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = post(w, AS_EDP, HOLDS, cases[i].body);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    struct reply reply = post(w, AS_EDP, HOLDS, "{\"account\":\"a\",\"reason\":\"r\",\"x\":1}");
    assert_errors(&reply, "unknown-member", "/x");
    static const char *const queries[] = {"",
                                          "logIndex=",
                                          "logIndex=-1",
                                          "logIndex=x",
                                          "logIndex=1&logIndex=2",
                                          "other=1",
                                          "logIndex=9223372036854775808"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        reply = lift(w, AS_EDP, queries[i]);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    static const char *const lists[] = {"?limit=0", "?limit=501", "?cursor=x", "?logIndex=1"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        reply = get(w, AS_EDP, arena_format(&w->arena, HOLDS "%s", lists[i]).data);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    assert_int_equal(entries(w), before);
}

static void a_long_list_comes_in_pages(void **state) {
    struct world *w = *state;
    const char *target = HOLDS "?limit=2";
    size_t seen = 0, pages = 0;
    for (int i = 0; i < 5; i++) {
        const char *body =
            arena_format(&w->arena, "{\"account\":\"acc-%d\",\"reason\":\"r\"}", i).data;
        assert_int_equal(post(w, AS_EDP, HOLDS, body).status, 201);
    }
    for (; target != NULL; pages++) {
        json_t *page = answered(get(w, AS_EDP, target), 200);
        seen += json_array_size(json_object_get(page, "items"));
        const char *next = text_in(page, "next");
        target =
            next[0] != '\0' ? arena_format(&w->arena, HOLDS "?limit=2&cursor=%s", next).data : NULL;
        if (pages == 0) { /* a cursor is bound to its list */
            struct reply reply = get(w, AS_OTHER_EDP, target);
            assert_problem(&reply, 400, "invalid-parameter");
        }
        json_decref(page);
    }
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        T(a_hold_refuses_erasure_until_it_is_lifted),
        T(an_account_is_held_by_its_keyed_digest),
        T(everybody_has_holds_of_their_own),
        T(administrators_name_the_tenant),
        T(each_rule_of_a_hold_is_kept),
        T(a_long_list_comes_in_pages),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
