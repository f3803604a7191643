/* A request that is granted, narrowed and never widened; and a consent that is renewed. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

#define ANSWER "\"account\":\"acc-1\",\"grant\":" GRANT
#define EXTERNAL(time)                                                     \
    "[[{\"external\":{\"oauthIssuer\":\"a:b\",\"tokenDigest\":\"" DIGEST_1 \
    "\",\"expires\":\"" time "\"}}]]"

static json_t *requested(struct world *w, const char *more) {
    return created(w, arena_format(&w->arena, "{" PARTIES "%s}", more).data);
}

static struct reply grant(struct world *w, const json_t *consent, const char *more) {
    struct span body = arena_format(&w->arena, "{" ANSWER "%s}", more);
    return post(w, AS_EDP, at(w, consent, "/grant"), body.data);
}

static void a_grant_sets_what_was_absent(void **state) {
    json_t *asked = requested(*state, "");
    struct reply reply =
        grant(*state, asked,
              ",\"externalId\":\"e\",\"dataFrom\":\"2026-01-01T00:00Z\",\"dataTo\":"
              "\"2026-02-01T00:00Z\",\"dataAvailableFrom\":\"2026-03-13T00:00Z\",\"maxUses\":3,"
              "\"dataLife\":\"P1M\",\"clientMember\":\"a:b\",\"clientRoles\":[\"a:b\"],"
              "\"dependsOn\":" EXTERNAL(
                  "2027-01-01T00:00Z") ",\"principal\":{\"type\":\"company\"},"
                                       "\"onwardRecipients\":[],\"tokens\":[" TOKEN_1 "]");
    json_t *granted = answered(reply, 200);
    assert_string_equal(text_in(granted, "consentId"), text_in(asked, "consentId"));
    assert_string_equal(text_in(granted, "status"), "active");
    assert_string_equal(text_in(granted, "account"), "acc-1");
    assert_string_equal(text_in(granted, "externalId"), "e");
    assert_string_equal(text_in(granted, "dataFrom"), "2026-01-01T00:00:00.000Z");
    assert_string_equal(text_in(granted, "dataLife"), "P1M");
    assert_string_equal(text_in(json_object_get(granted, "principal"), "type"), "company");
    assert_string_equal(text_in(granted, "expires"), YEAR_LATER);
    assert_int_equal(json_array_size(json_object_get(granted, "tokens")), 1);
    /* requested, granted, token added */
    assert_string_equal(header_of(&reply, "etag"), "\"3\"");
    assert_string_equal(header_of(&reply, "location"), "");
    json_decref(granted);
    json_decref(asked);
}

/* What is asked for, and what the grant says instead. */
struct narrowing {
    const char *asked, *granted;
};

static void a_grant_may_narrow(void **state) {
    static const struct narrowing cases[] = {
        {",\"purposes\":[\"estimate-emissions\",\"corroborate-savings\"]",
         ",\"purposes\":[\"corroborate-savings\"]"},
        {"", ",\"purposes\":[\"corroborate-savings\"]"},
        {"", ",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m1\"]}]"},
        {",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m1\",\"m2\"]}]",
         ",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m2\"]}]"},
        {",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"PT1H\"}]",
         ",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1D\"}]"},
        {",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1D\"}]",
         ",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1M\"}]"},
        {",\"expires\":\"2026-09-01T00:00Z\"", ",\"expires\":\"2026-08-31T23:59:59.999Z\""},
        {",\"dataFrom\":\"2026-01-01T00:00Z\"", ",\"dataFrom\":\"2026-01-01T00:00:00.001Z\""},
        {",\"dataTo\":\"2026-02-01T00:00Z\"", ",\"dataTo\":\"2026-01-31T23:59:59.999Z\""},
        {",\"maxUses\":5", ",\"maxUses\":4"},
        {",\"dataLife\":\"P6M\"", ",\"dataLife\":\"P5M\""},
        {",\"dataLife\":\"P2D\"", ",\"dataLife\":\"PT47H\""},
        {",\"account\":\"acc-1\"", ""},
        {",\"principal\":{\"type\":\"unknown\"}", ",\"principal\":{\"type\":\"individual\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *asked = requested(*state, cases[i].asked);
        struct reply reply = grant(*state, asked, cases[i].granted);
        if (reply.status != 200) {
            fail_msg("%s: %s", cases[i].granted, reply.body.data);
        }
        json_decref(asked);
    }
}

static void what_is_said_again_as_it_was_is_no_change(void **state) {
    json_t *asked = requested(
        *state,
        ",\"externalId\":\"e\",\"provider\":\"a:p\",\"oauthIssuer\":\"a:i\",\"clientMember\":"
        "\"a:m\",\"clientRoles\":[\"a:r\"],\"expires\":\"2026-09-01T00:00Z\",\"dataFrom\":"
        "\"2026-01-01T00:00Z\",\"dataAvailableFrom\":\"2026-03-13T00:00Z\",\"dataLife\":\"P6M\","
        "\"dependsOn\":" EXTERNAL("2027-01-01T00:00Z") ",\"request\":{\"at\":\"2026-03-12T09:00Z\","
                                                       "\"digest\":\"" DIGEST_1 "\"}");
    struct reply reply = grant(
        *state, asked,
        "," PARTIES ",\"externalId\":\"e\",\"provider\":\"a:p\",\"oauthIssuer\":\"a:i\","
        "\"clientMember\":\"a:m\",\"clientRoles\":[\"a:r\"],\"expires\":\"2026-09-01T00:00:00Z\","
        "\"dataFrom\":\"2026-01-01T00:00Z\",\"dataAvailableFrom\":\"2026-03-13T00:00:00Z\","
        "\"dataLife\":\"P6M\",\"dependsOn\":" EXTERNAL(
            "2027-01-01T00:00:00.0Z") ",\"request\":{"
                                      "\"digest\":\"" DIGEST_1
                                      "\",\"at\":\"2026-03-12T09:00:00Z\"}");
    json_decref(answered(reply, 200));
    json_decref(asked);
}

static void a_grant_never_widens(void **state) {
    static const struct {
        const char *asked, *granted, *pointer;
    } cases[] = {
        {",\"purposes\":[\"estimate-emissions\"]", ",\"purposes\":[\"corroborate-savings\"]",
         "/purposes"},
        {",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m1\"]}]",
         ",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m1\",\"m2\"]}]", "/permissions"},
        {",\"permissions\":[{\"code\":\"tariff\",\"resources\":[\"m1\"]}]",
         ",\"permissions\":[{\"code\":\"tariff\"}]", "/permissions"},
        {",\"permissions\":[{\"code\":\"tariff\"}]",
         ",\"permissions\":[{\"code\":\"location.outcode\"}]", "/permissions"},
        {",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1D\"}]",
         ",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"PT1H\"}]",
         "/permissions"},
        {",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1M\"}]",
         ",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P31D\"}]",
         "/permissions"},
        {",\"permissions\":[{\"code\":\"gas.import.halfhourly\",\"maxGranularity\":\"P1D\"}]",
         ",\"permissions\":[{\"code\":\"gas.import.halfhourly\"}]", "/permissions"},
        {",\"expires\":\"2026-09-01T00:00Z\"", ",\"expires\":\"2026-09-01T00:00:00.001Z\"",
         "/expires"},
        {",\"dataFrom\":\"2026-01-01T00:00Z\"", ",\"dataFrom\":\"2025-12-31T23:59:59.999Z\"",
         "/dataFrom"},
        {",\"dataTo\":\"2026-02-01T00:00Z\"", ",\"dataTo\":\"2026-02-01T00:00:00.001Z\"",
         "/dataTo"},
        {",\"dataAvailableFrom\":\"2026-02-01T00:00Z\"",
         ",\"dataAvailableFrom\":\"2026-01-01T00:00Z\"", "/dataAvailableFrom"},
        {",\"maxUses\":5", ",\"maxUses\":6", "/maxUses"},
        {",\"dataLife\":\"P5M\"", ",\"dataLife\":\"P6M\"", "/dataLife"},
        {",\"dataLife\":\"P1M\"", ",\"dataLife\":\"P1D\"", "/dataLife"}, /* who knows */
        {",\"account\":\"other\"", "", "/account"},
        {",\"principal\":{\"type\":\"company\"}", ",\"principal\":{\"type\":\"individual\"}",
         "/principal"},
        {"", ",\"client\":\"" OTHER_APP "\"", "/client"},
        {"", ",\"license\":\"" EMISSIONS "\"", "/license"},
        {"", ",\"provider\":\"" OTHER_EDP "\"", "/provider"},
        {"", ",\"onwardRecipients\":[\"" FSP "\"]", "/onwardRecipients"},
        {",\"externalId\":\"e-1\"", ",\"externalId\":\"e-2\"", "/externalId"},
        {",\"clientRoles\":[\"a:b\"]", ",\"clientRoles\":[\"a:c\"]", "/clientRoles"},
        {",\"dependsOn\":" EXTERNAL("2027-01-01T00:00Z"),
         ",\"dependsOn\":" EXTERNAL("2027-01-02T00:00Z"), "/dependsOn"},
        {",\"maxUses\":5,\"dataTo\":\"2026-02-01T00:00Z\"",
         ",\"maxUses\":6,\"dataTo\":\"2026-02-02T00:00Z\"", "/maxUses /dataTo"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *asked = requested(w, cases[i].asked);
        uint64_t before = entries(w);
        struct reply reply = grant(w, asked, cases[i].granted);
        if (reply.status != 400) {
            fail_msg("%s: %s", cases[i].granted, reply.body.data);
        }
        assert_errors(&reply, "invalid-body", cases[i].pointer);
        assert_int_equal(entries(w), before);
        /* it still waits: the external id is free again */
        json_decref(answered(
            post(w, AS_EDP, at(w, asked, "/refuse"), "{\"reason\":{\"code\":\"refused\"}}"), 200));
        json_decref(asked);
    }
}

static void the_recipient_asked_for_is_the_one_granted(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, "{\"client\":\"" APP "\",\"license\":\"" COMBINED
                               "\",\"onwardRecipients\":[\"" FSP "\"]}");
    struct reply reply = grant(w, asked, ",\"onwardRecipients\":[\"" OTHER_APP "\"]");
    assert_errors(&reply, "invalid-body", "/onwardRecipients");
    reply = grant(w, asked, ",\"onwardRecipients\":[\"" FSP "\"]");
    json_decref(answered(reply, 200));
    json_decref(asked);
}

static void a_grant_needs_its_parts(void **state) {
    struct world *w = *state;
    json_t *asked = requested(w, "");
    const char *target = at(w, asked, "/grant");
    struct reply reply = post(w, AS_EDP, target, "{}");
    assert_errors(&reply, "invalid-body", "/grant");
    reply = post(w, AS_EDP, target, "[]");
    assert_errors(&reply, "invalid-body", "");
    reply = post(w, AS_EDP, target, "{\"grant\":" GRANT "}");
    assert_errors(&reply, "invalid-body", "/account");
    reply = post(w, AS_EDP, target, "{" ANSWER ",\"colour\":1}");
    assert_errors(&reply, "unknown-member", "/colour");
    reply = post(w, AS_EDP, target, "{" ANSWER ",\"policy\":{}}");
    assert_errors(&reply, "unknown-member", "/policy");
    reply = post(w, AS_EDP, target,
                 "{\"account\":\"a\",\"grant\":{\"at\":\"" T0 "\",\"method\":\"session\"," BY "}}");
    assert_problem(&reply, 422, "not-admissible");
    json_decref(asked);
}

static void only_a_request_is_granted_and_once(void **state) {
    struct world *w = *state;
    json_t *asked = requested(w, "");
    json_decref(answered(grant(w, asked, ""), 200));
    struct reply reply = grant(w, asked, "");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(asked);
    asked = requested(w, "");
    world_set_time(w, "2026-04-11T10:00:00Z"); /* the pack waits thirty days */
    reply = grant(w, asked, "");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(asked);
}

static void a_stale_version_is_not_granted(void **state) {
    struct world *w = *state;
    json_t *asked = requested(w, "");
    struct sending sending = {
        .as = AS_EDP, .target = at(w, asked, "/grant"), .body = "{" ANSWER "}", .match = "\"2\""};
    struct reply reply = send(w, sending);
    assert_problem(&reply, 412, "version-mismatch");
    sending.match = "2";
    reply = send(w, sending);
    assert_problem(&reply, 400, "invalid-parameter");
    sending.match = "\"2\", \"1\"";
    json_decref(answered(send(w, sending), 200));
    json_decref(asked);
}

static void others_do_not_grant(void **state) {
    struct world *w = *state;
    struct who auditor = {.id = AUDITOR, .scope = "audit:read consents:write", .provider = "*"};
    json_t *asked = requested(w, "");
    const char *target = at(w, asked, "/grant");
    struct reply reply = post(w, AS_OTHER_EDP, target, "{" ANSWER "}");
    struct reply unknown = post(
        w, AS_OTHER_EDP, "/v1/consents/00000000-0000-7000-8000-000000000000/grant", "{" ANSWER "}");
    assert_problem(&reply, 404, "not-found");
    assert_string_equal(reply.body.data, unknown.body.data); /* invariant 9 */
    reply = post(w, AS_APP, target, "{" ANSWER "}");
    assert_problem(&reply, 403, "insufficient-scope");
    reply = post(w, auditor, target, "{" ANSWER "}");
    assert_problem(&reply, 404, "not-found");
    reply = post(w, AS_EDP, "/v1/consents/no-uuid/grant", "{" ANSWER "}");
    assert_problem(&reply, 404, "not-found");
    json_decref(asked);
}

/* ---- renewal */

static struct reply renew(struct world *w, const json_t *consent, const char *more) {
    struct span body = arena_format(&w->arena, "{\"grant\":" GRANT "%s}", more);
    return send(w, (struct sending){.as = AS_EDP,
                                    .target = at(w, consent, "/renew"),
                                    .body = body.data,
                                    .key = fresh_key(w)});
}

#define FIRST                                                                                     \
    "{" PARTIES ",\"externalId\":\"e\",\"account\":\"acc-1\",\"expires\":\"2026-09-01T00:00Z\","  \
    "\"purposes\":[\"corroborate-savings\"],\"permissions\":[{\"code\":\"tariff\",\"resources\":" \
    "[\"m1\"]}],\"maxUses\":7,\"request\":{\"at\":\"" T0 "\",\"digest\":\"" DIGEST_1              \
    "\"},\"grant\":" GRANT ",\"tokens\":[" TOKEN_1 "]}"

static void a_renewal_is_the_old_terms_with_a_new_end(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    struct reply reply = renew(w, old, "");
    json_t *new = answered(reply, 201);
    static const char *const same[] = {"arrangementId", "client",    "license", "purposes",
                                       "permissions",   "account",   "maxUses", "provider",
                                       "evidenceId",    "principal", "tenant"};
    static const char *const gone[] = {"externalId", "request", "tokens"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(json_equal(json_object_get(new, same[i]), json_object_get(old, same[i])));
    }
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        assert_null(json_object_get(new, gone[i]));
    }
    assert_string_equal(text_in(new, "expires"), YEAR_LATER);
    assert_string_equal(text_in(new, "supersedes"), text_in(old, "consentId"));
    assert_string_not_equal(text_in(new, "consentId"), text_in(old, "consentId"));
    assert_non_null(strstr(header_of(&reply, "location"), text_in(new, "consentId")));
    json_t *ended = answered(get(w, AS_EDP, at(w, old, "")), 200);
    assert_string_equal(text_in(ended, "status"), "superseded");
    assert_string_equal(text_in(ended, "supersededBy"), text_in(new, "consentId"));
    json_decref(ended);
    json_decref(new);
    json_decref(old);
}

static void a_renewal_says_what_may_differ(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    json_t *new = answered(renew(w, old,
                                 ",\"expires\":\"2026-10-01T00:00Z\",\"dataFrom\":"
                                 "\"2026-01-01T00:00Z\",\"license\":\"" CONSUMPTION
                                 "\",\"onwardRecipients\":[],\"tokens\":[{\"digest\":\"" DIGEST_2
                                 "\",\"issuedAt\":\"" T0 "\",\"expires\":\"" YEAR_LATER "\"}]"),
                           201);
    assert_string_equal(text_in(new, "expires"), "2026-10-01T00:00:00.000Z");
    assert_string_equal(text_in(new, "dataFrom"), "2026-01-01T00:00:00.000Z");
    assert_int_equal(json_array_size(json_object_get(new, "tokens")), 1);
    json_decref(new);
    json_decref(old);
}

static void a_renewal_takes_nothing_else(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    uint64_t before = entries(w);
    struct reply reply = renew(w, old, ",\"maxUses\":8,\"account\":\"b\",\"purposes\":[\"x\"]");
    assert_errors(&reply, "unknown-member", "/maxUses /account /purposes");
    reply = renew(w, old, ",\"expires\":\"2027-03-12T10:00:00.001Z\"");
    assert_problem(&reply, 422, "not-admissible");
    reply = renew(w, old, ",\"license\":\"" EMISSIONS "\"");
    assert_problem(&reply, 422, "not-admissible");
    assert_non_null(strstr(reply.body.data, "\"licenseNotReplacement\""));
    struct sending sending = {
        .as = AS_EDP, .target = at(w, old, "/renew"), .body = "{}", .key = "k"};
    reply = send(w, sending);
    assert_errors(&reply, "invalid-body", "/grant");
    sending.body = "[]";
    reply = send(w, sending);
    assert_errors(&reply, "invalid-body", "");
    sending.key = NULL;
    reply = send(w, sending);
    assert_problem(&reply, 400, "missing-idempotency-key");
    assert_int_equal(entries(w), before);
    json_decref(old);
}

static void an_expired_consent_is_renewed_and_a_revoked_one_is_not(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    world_set_time(w, "2026-09-01T00:00:00Z");
    json_t *new = answered(renew(w, old, ",\"expires\":\"2026-10-01T00:00Z\""), 201);
    struct reply reply = renew(w, old, ",\"expires\":\"2026-10-01T00:00Z\"");
    assert_problem(&reply, 409, "wrong-state");
    reply = send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, new, "")});
    json_decref(answered(reply, 200));
    reply = renew(w, new, ",\"expires\":\"2026-10-01T00:00Z\"");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(new);
    json_decref(old);
    json_t *asked = requested(w, "");
    reply = renew(w, asked, "");
    assert_problem(&reply, 409, "wrong-state");
    json_decref(asked);
}

static void a_renewal_is_replayed_by_its_key(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    json_t *other = created(w, "{" PARTIES ",\"account\":\"acc-2\",\"grant\":" GRANT "}");
    struct sending sending = {
        .as = AS_EDP, .target = at(w, old, "/renew"), .body = "{\"grant\":" GRANT "}", .key = "k"};
    struct reply first = send(w, sending), second = send(w, sending);
    assert_int_equal(first.status, 201);
    assert_int_equal(second.status, 201);
    assert_string_equal(second.body.data, first.body.data);
    assert_string_equal(header_of(&second, "idempotency-replayed"), "true");
    /* the id belongs to the request: the same body for another consent is another */
    sending.target = at(w, other, "/renew");
    struct reply third = send(w, sending);
    assert_problem(&third, 422, "idempotency-mismatch");
    json_decref(other);
    json_decref(old);
}

static void others_do_not_renew(void **state) {
    struct world *w = *state;
    json_t *old = created(w, FIRST);
    struct sending sending = {.as = AS_OTHER_EDP,
                              .target = at(w, old, "/renew"),
                              .body = "{\"grant\":" GRANT "}",
                              .key = "k"};
    struct reply reply = send(w, sending);
    assert_problem(&reply, 404, "not-found");
    sending.as = AS_APP;
    reply = send(w, sending);
    assert_problem(&reply, 403, "insufficient-scope");
    json_decref(old);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_grant_sets_what_was_absent),
        IN_A_WORLD(a_grant_may_narrow),
        IN_A_WORLD(what_is_said_again_as_it_was_is_no_change),
        IN_A_WORLD(a_grant_never_widens),
        IN_A_WORLD(the_recipient_asked_for_is_the_one_granted),
        IN_A_WORLD(a_grant_needs_its_parts),
        IN_A_WORLD(only_a_request_is_granted_and_once),
        IN_A_WORLD(a_stale_version_is_not_granted),
        IN_A_WORLD(others_do_not_grant),
        IN_A_WORLD(a_renewal_is_the_old_terms_with_a_new_end),
        IN_A_WORLD(a_renewal_says_what_may_differ),
        IN_A_WORLD(a_renewal_takes_nothing_else),
        IN_A_WORLD(an_expired_consent_is_renewed_and_a_revoked_one_is_not),
        IN_A_WORLD(a_renewal_is_replayed_by_its_key),
        IN_A_WORLD(others_do_not_renew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
