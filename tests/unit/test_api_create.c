/* Creating consents: what is stored of what was sent, what the licence fills in, what is refused,
 * and keys that make the second request the first. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

/* Every member, in another order and with other white space and times than are stored. */
static const char EVERYTHING[] =
    " { \"tokens\" : [{\"expires\":\"2027-03-12T10:00Z\",\"issuedAt\":\"2026-03-12T10:00:00Z\","
    "\"digest\":\"" DIGEST_1 "\"}],\n"
    "\"grant\":{\"proofs\":[{\"type\":\"bill\",\"digest\":\"" DIGEST_2 "\","
    "\"at\":\"2026-03-01T00:00Z\"}],\"userAgent\":\"Browser \\\"1\\\"\",\"ip\":\"192.0.2.7\","
    "\"appVersion\":\"1.2\",\"by\":{\"ref\":\"person-1\",\"authority\":\"director\"},"
    "\"notice\":{\"url\":\"https://n.example/1\",\"language\":\"en\",\"substitutions\":"
    "{\"[at]\":\"2026-03-12T10:00Z\",\"name\":\"caf\\u00e9\\n\"},\"renderedDigest\":\"" DIGEST_1
    "\",\"shownAt\":\"2026-03-12T09:59:59.9999Z\"},\"method\":\"session\","
    "\"at\":\"2026-03-12T10:00Z\"},"
    "\"request\":{\"at\":\"2026-03-12T09:00Z\",\"digest\":\"" DIGEST_2
    "\",\"redirectUri\":\"https://app.example/back\",\"certificate\":{\"sha256\":\"" DIGEST_1
    "\",\"member\":\"https://directory.example/member/9\",\"roles\":[\"https://role.example/"
    "cap\"]}},"
    "\"dependsOn\":[[{\"external\":{\"oauthIssuer\":\"https://other.example\",\"tokenDigest\":"
    "\"" DIGEST_2 "\",\"expires\":\"2027-01-01T00:00Z\"}}]],"
    "\"expires\":\"2026-09-01T00:00Z\",\"dataLife\":\"P6M\",\"maxUses\":12,"
    "\"dataAvailableFrom\":\"2026-03-13T00:00Z\",\"dataTo\":\"2026-08-01T00:00Z\","
    "\"dataFrom\":\"2025-03-01T00:00Z\",\"principal\":{\"type\":\"soleTrader\"},"
    "\"permissions\":[{\"code\":\"electricity.import.halfhourly\",\"resources\":[\"m1\",\"m2\"],"
    "\"maxGranularity\":\"P1D\"},{\"code\":\"tariff\"}],"
    "\"purposes\":[\"corroborate-savings\",\"estimate-emissions\"],"
    "\"license\":\"" COMBINED "\",\"onwardRecipients\":[\"" FSP "\"],"
    "\"clientRoles\":[\"https://role.example/cap\"],"
    "\"clientMember\":\"https://directory.example/member/9\",\"client\":\"" APP "\","
    "\"oauthIssuer\":\"https://as.example\",\"provider\":\"" OTHER_EDP "\","
    "\"externalId\":\"e/1\",\"account\":\"acc \\u0001 1\" }\n";

/* Between the header's members and evidenceId: the parties, then the stored bytes. */
#define STORED_TERMS                                                                               \
    "\"provider\":\"" OTHER_EDP "\",\"client\":\"" APP "\",\"license\":\"" COMBINED                \
    "\",\"externalId\":\"e/1\",\"oauthIssuer\":\"https://as.example\","                            \
    "\"clientMember\":\"https://directory.example/member/9\",\"clientRoles\":["                    \
    "\"https://role.example/cap\"],\"onwardRecipients\":[\"" FSP "\"],"                            \
    "\"purposes\":[\"corroborate-savings\",\"estimate-emissions\"],\"permissions\":[{\"code\":"    \
    "\"electricity.import.halfhourly\",\"resources\":[\"m1\",\"m2\"],\"maxGranularity\":\"P1D\"}," \
    "{\"code\":\"tariff\"}],\"principal\":{\"type\":\"soleTrader\"},"                              \
    "\"dataFrom\":\"2025-03-01T00:00:00.000Z\",\"dataTo\":\"2026-08-01T00:00:00.000Z\","           \
    "\"dataAvailableFrom\":\"2026-03-13T00:00:00.000Z\",\"maxUses\":12,\"dataLife\":\"P6M\","      \
    "\"expires\":\"2026-09-01T00:00:00.000Z\",\"dependsOn\":[[{\"external\":{\"oauthIssuer\":"     \
    "\"https://other.example\",\"tokenDigest\":\"" DIGEST_2                                        \
    "\",\"expires\":\"2027-01-01T00:00:00.000Z\"}}]],\"request\":{"                                \
    "\"at\":\"2026-03-12T09:00:00.000Z\",\"digest\":\"" DIGEST_2                                   \
    "\",\"redirectUri\":\"https://app.example/back\",\"certificate\":{\"sha256\":\"" DIGEST_1      \
    "\",\"member\":\"https://directory.example/member/9\",\"roles\":["                             \
    "\"https://role.example/cap\"]}},\"policy\":{\"pack\":\"perseus\",\"version\":\"2026-03-12\""
#define STORED_GRANT                                                                               \
    "\"account\":\"acc \\u0001 1\",\"grant\":{\"at\":\"" T0_OUT                                    \
    "\",\"method\":\"session\",\"notice\":{\"url\":\"https://n.example/1\",\"language\":\"en\","   \
    "\"substitutions\":{\"[at]\":\"2026-03-12T10:00Z\",\"name\":\"café\\n\"},\"renderedDigest\":" \
    "\"" DIGEST_1 "\",\"shownAt\":\"2026-03-12T09:59:59.999Z\"},\"appVersion\":\"1.2\",\"by\":{"   \
    "\"ref\":\"person-1\",\"authority\":\"director\"},\"ip\":\"192.0.2.7\",\"userAgent\":"         \
    "\"Browser \\\"1\\\"\",\"proofs\":[{\"type\":\"bill\",\"digest\":\"" DIGEST_2                  \
    "\",\"at\":\"2026-03-01T00:00:00.000Z\"}]},\"tokens\":[" TOKEN_1 "],\"evidenceId\":\""

static void everything_sent_is_stored_compactly_and_shown(void **state) {
    struct reply reply = create(*state, EVERYTHING);
    json_t *consent = answered(reply, 201);
    const char *header = strstr(reply.body.data, "\"lastGranted\":\"" T0_OUT "\"," STORED_TERMS);
    if (header == NULL || strstr(header, STORED_GRANT) == NULL) {
        fail_msg("%s", reply.body.data);
    }
    assert_string_equal(text_in(consent, "status"), "active");
    assert_string_equal(text_in(consent, "tenant"), EDP);
    assert_string_equal(text_in(consent, "consentId"), text_in(consent, "arrangementId"));
    json_decref(consent);
}

static void the_answer_says_where_it_is_and_which_version(void **state) {
    char location[128];
    struct reply reply = create(*state, GRANTED);
    json_t *consent = answered(reply, 201);
    snprintf(location, sizeof location, PUBLIC_URL "/v1/consents/%s",
             text_in(consent, "consentId"));
    assert_string_equal(header_of(&reply, "location"), location);
    assert_string_equal(header_of(&reply, "etag"), "\"1\"");
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_string_equal(header_of(&reply, "idempotency-replayed"), "");
    struct reply read = get(*state, AS_EDP, at(*state, consent, ""));
    assert_string_equal(read.body.data, reply.body.data);
    json_decref(consent);
}

static void the_licence_fills_in_what_is_not_said(void **state) {
    json_t *consent = created(*state, GRANTED);
    json_t *purposes = json_object_get(consent, "purposes");
    json_t *permissions = json_object_get(consent, "permissions");
    assert_int_equal(json_array_size(purposes), 5);
    assert_string_equal(json_string_value(json_array_get(purposes, 0)), "estimate-emissions");
    assert_int_equal(json_array_size(permissions), 4);
    assert_string_equal(text_in(json_array_get(permissions, 3), "code"), "location.outcode");
    assert_string_equal(text_in(consent, "expires"), YEAR_LATER);
    assert_string_equal(text_in(consent, "provider"), EDP);
    assert_string_equal(text_in(json_object_get(consent, "principal"), "type"), "unknown");
    assert_null(json_object_get(consent, "oauthIssuer"));
    json_decref(consent);
}

static void the_issuer_is_the_tenants_setting_or_the_services(void **state) {
    struct world *w = *state;
    const struct api_tenant_setting tenants[] = {
        {.tenant = SPAN(OTHER_EDP), .oauth_issuer = SPAN("https://other.as.example")},
        {.tenant = SPAN(EDP), .oauth_issuer = SPAN("https://edp.as.example")},
    };
    w->settings.oauth_issuer = SPAN("https://as.example");
    json_t *consent = created(w, GRANTED);
    assert_string_equal(text_in(consent, "oauthIssuer"), "https://as.example");
    json_decref(consent);
    w->settings.tenants = tenants;
    w->settings.tenant_count = 2;
    consent = created(w, GRANTED);
    assert_string_equal(text_in(consent, "oauthIssuer"), "https://edp.as.example");
    json_decref(consent);
}

static void without_a_grant_it_is_only_requested(void **state) {
    json_t *consent = created(*state, REQUESTED);
    static const char *const absent[] = {"account", "grant", "lastGranted", "expires", "tokens"};
    assert_string_equal(text_in(consent, "status"), "requested");
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_null(json_object_get(consent, absent[i]));
    }
    assert_int_equal(json_array_size(json_object_get(consent, "purposes")), 5);
    json_decref(consent);
}

/* A tenant without a Directory URL goes by its client id. */
static void a_tenant_need_not_have_a_url(void **state) {
    struct world *w = *state;
    struct who plain = {.role = "tenant", .id = "edp-1"};
    struct reply reply = send(
        w, (struct sending){.as = plain, .target = "/v1/consents", .body = REQUESTED, .key = "k"});
    json_t *consent = answered(reply, 201);
    assert_string_equal(text_in(consent, "provider"), "edp-1");
    reply = post(w, plain, at(w, consent, "/grant"),
                 "{\"account\":\"a\",\"provider\":\"edp-1\",\"grant\":" GRANT "}");
    json_decref(answered(reply, 200));
    reply = send(w, (struct sending){.as = plain,
                                     .target = at(w, consent, "/renew"),
                                     .body = "{\"grant\":" GRANT "}",
                                     .key = "k2"});
    json_decref(answered(reply, 201));
    reply = send(w, (struct sending){.as = plain,
                                     .target = "/v1/consents",
                                     .body = "{" PARTIES ",\"provider\":\"edp-2\"}",
                                     .key = "k3"});
    assert_errors(&reply, "invalid-body", "/provider");
    json_decref(consent);
}

/* ---- refused */

static void nothing_refused_changes_anything(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    static const char *const bodies[] = {"{", "[]", "null", "{}", "{\"colour\":1}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_int_equal(create(w, bodies[i]).status, 400);
    }
    assert_int_equal(entries(w), before);
}

static void everything_that_is_wrong_is_named(void **state) {
    struct reply reply = create(*state, "{\"account\":7,\"maxUses\":0,\"purposes\":[\"a\",1],"
                                        "\"grant\":{\"at\":\"today\",\"by\":{}},\"colour\":1}");
    assert_errors(&reply, "invalid-body",
                  "/colour /license /client /account /purposes/1 /maxUses /grant/at "
                  "/grant/method /grant/by/ref /grant/by/authority");
    reply = create(*state, "[]");
    assert_errors(&reply, "invalid-body", "");
}

static void unknown_members_alone_are_unknown_members(void **state) {
    struct reply reply =
        create(*state, "{" PARTIES ",\"colour\":1,\"principal\":{\"type\":\"company\",\"x\":1},"
                       "\"permissions\":[{\"code\":\"tariff\",\"y\":1}]}");
    assert_errors(&reply, "unknown-member", "/colour /principal/x /permissions/0/y");
}

static void what_is_no_json_is_told_by_its_place_alone(void **state) {
    struct reply reply = create(*state, "{\"account\":\"secret\",}");
    assert_problem(&reply, 400, "malformed-json");
    assert_null(strstr(reply.body.data, "secret"));
    json_t *json = json_of(&reply);
    assert_string_equal(text_in(json, "detail"), "line 1, column 21");
    json_decref(json);
}

/* Each body has one thing wrong, at this place. */
static void each_rule_of_a_member_is_kept(void **state) {
    static const struct {
        const char *more, *pointer;
    } cases[] = {
        {"\"account\":\"\"", "/account"},
        {"\"provider\":\"not a url\"", "/provider"},
        {"\"provider\":7", "/provider"},
        {"\"oauthIssuer\":\"x\"", "/oauthIssuer"},
        {"\"clientMember\":\"x\"", "/clientMember"},
        {"\"clientRoles\":[]", "/clientRoles"},
        {"\"clientRoles\":[\"a:b\",\"cap\"]", "/clientRoles/1"},
        {"\"onwardRecipients\":[\"a:b c\"]", "/onwardRecipients/0"},
        {"\"onwardRecipients\":[\"a:b\",\"a:b\"]", "/onwardRecipients/1"},
        {"\"purposes\":[]", "/purposes"},
        {"\"purposes\":\"estimate-emissions\"", "/purposes"},
        {"\"permissions\":[]", "/permissions"},
        {"\"permissions\":[\"tariff\"]", "/permissions/0"},
        {"\"permissions\":[{}]", "/permissions/0/code"},
        {"\"permissions\":[{\"code\":\"tariff\"},{\"code\":\"tariff\"}]", "/permissions/1/code"},
        {"\"permissions\":[{\"code\":\"tariff\",\"resources\":[]}]", "/permissions/0/resources"},
        {"\"permissions\":[{\"code\":\"tariff\",\"maxGranularity\":\"30M\"}]",
         "/permissions/0/maxGranularity"},
        {"\"principal\":{}", "/principal/type"},
        {"\"principal\":{\"type\":\"charity\"}", "/principal/type"},
        {"\"principal\":\"company\"", "/principal"},
        {"\"dataFrom\":\"2026\"", "/dataFrom"},
        {"\"dataTo\":1}", NULL},
        {"\"dataLife\":\"P\"", "/dataLife"},
        {"\"maxUses\":1.0", "/maxUses"},
        {"\"expires\":null", "/expires"},
        {"\"dependsOn\":[[]]", "/dependsOn/0"},
        {"\"dependsOn\":[{}]", "/dependsOn/0"},
        {"\"dependsOn\":[[{}]]", "/dependsOn/0/0"},
        {"\"dependsOn\":[[{\"arrangementId\":\"x\"}]]", "/dependsOn/0/0/arrangementId"},
        {"\"dependsOn\":[[{\"arrangementId\":\"00000000-0000-7000-8000-000000000000\","
         "\"external\":{\"oauthIssuer\":\"a:b\",\"tokenDigest\":\"" DIGEST_1 "\",\"expires\":\"" T0
         "\"}}]]",
         "/dependsOn/0/0"},
        {"\"dependsOn\":[[{\"external\":{\"oauthIssuer\":\"a:b\",\"tokenDigest\":\"" DIGEST_1
         "\"}}]]",
         "/dependsOn/0/0/external/expires"},
        {"\"request\":{\"at\":\"" T0 "\"}", "/request/digest"},
        {"\"request\":{\"digest\":\"" DIGEST_1 "\"}", "/request/at"},
        {"\"request\":{\"at\":\"" T0 "\",\"digest\":\"" DIGEST_1 "\",\"certificate\":{}}",
         "/request/certificate/sha256"},
        {"\"grant\":null", "/grant"},
        {"\"tokens\":[" TOKEN_1 "]", "/tokens"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = *state;
        struct span body =
            arena_format(&w->arena, "{" PARTIES ",%s%s}",
                         strcmp(cases[i].more, "\"grant\":null") == 0 ? "\"account\":\"a\"," : "",
                         cases[i].more);
        struct reply reply = create(w, body.data);
        if (cases[i].pointer == NULL) {
            assert_problem(&reply, 400, "malformed-json");
        } else {
            assert_errors(&reply, "invalid-body", cases[i].pointer);
        }
    }
}

#define GRANT_OF(at, method, more) \
    "{" PARTIES ",\"account\":\"a\",\"grant\":{\"at\":" at ",\"method\":" method more "}}"

static void each_rule_of_a_grant_is_kept(void **state) {
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {GRANT_OF("\"" T0 "\"", "\"session\"", ""), "/grant/by"},
        {GRANT_OF("\"" T0 "\"", "\"session\"", ",\"by\":{\"ref\":\"a\"}"), "/grant/by/authority"},
        {GRANT_OF("\"" T0 "\"", "\"assertedByClient\"", ""), "/grant/method"},
        {GRANT_OF("7", "\"session\"", "," BY), "/grant/at"},
        {GRANT_OF("\"" T0 "\"", "\"session\"", "," BY ",\"notice\":{}"),
         "/grant/notice/url /grant/notice/language"},
        {GRANT_OF("\"" T0 "\"", "\"session\"",
                  "," BY ",\"notice\":{\"url\":\"a:b\",\"language\":\"en\",\"substitutions\":[]}"),
         "/grant/notice/substitutions"},
        {GRANT_OF("\"" T0 "\"", "\"session\"",
                  "," BY ",\"notice\":{\"url\":\"a:b\",\"language\":\"en\",\"substitutions\":"
                  "{\"x\":7}}"),
         "/grant/notice/substitutions/x"},
        {GRANT_OF("\"" T0 "\"", "\"session\"",
                  "," BY ",\"notice\":{\"url\":\"a:b\",\"language\":\"en\",\"renderedDigest\":"
                  "\"0000000000000000000000000000000000000000000000000000000000000000\"}"),
         "/grant/notice/renderedDigest"},
        {GRANT_OF("\"" T0 "\"", "\"session\"", "," BY ",\"proofs\":[{\"at\":\"" T0 "\"}]"),
         "/grant/proofs/0/type"},
        {GRANT_OF("\"" T0 "\"", "\"session\"", "," BY ",\"ip\":\"\""), "/grant/ip"},
        {"{" PARTIES ",\"grant\":" GRANT "}", "/account"},
        {"{" PARTIES ",\"account\":\"a\",\"grant\":" GRANT ",\"tokens\":[{\"digest\":\"abc\"}]}",
         "/tokens/0/digest /tokens/0/issuedAt /tokens/0/expires"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = create(*state, cases[i].body);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    /* a token itself is no member: it is neither accepted nor repeated */
    struct reply reply =
        create(*state, "{" PARTIES ",\"account\":\"a\",\"grant\":" GRANT
                       ",\"tokens\":[{\"digest\":\"" DIGEST_1 "\",\"issuedAt\":\"" T0
                       "\",\"expires\":\"" T0 "\",\"token\":\"raw-token\"}]}");
    assert_errors(&reply, "unknown-member", "/tokens/0/token");
    assert_null(strstr(reply.body.data, "raw-token"));
}

static const json_t *reason_with(const json_t *reasons, const char *code) {
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        if (strcmp(text_in(json_array_get(reasons, i), "code"), code) == 0) {
            return json_array_get(reasons, i);
        }
    }
    fail_msg("no reason %s", code);
    return NULL;
}

static void the_policy_names_every_clause_that_fails(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct reply reply = create(
        w, "{" PARTIES ",\"account\":\"a\",\"expires\":\"2027-03-12T10:00:00.001Z\","
           "\"purposes\":[\"green-finance-eligibility\",\"marketing\"],\"grant\":{\"at\":\"" T0
           "\",\"method\":\"session\"," BY "}}");
    assert_problem(&reply, 422, "not-admissible");
    json_t *json = json_of(&reply);
    const json_t *reasons = json_object_get(json, "reasons");
    static const char *const codes[] = {"termTooLong", "purposeNotInLicense", "purposeUnknown",
                                        "noticeMissing"};
    assert_int_equal(json_array_size(reasons), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *reason = reason_with(reasons, codes[i]);
        assert_string_not_equal(text_in(reason, "clause"), "");
        assert_string_not_equal(text_in(reason, "detail"), "");
    }
    json_decref(json);
    assert_int_equal(entries(w), before);
    reply = create(w, "{\"client\":\"" APP "\",\"license\":\"urn:none\"}");
    assert_problem(&reply, 422, "not-admissible");
}

static void an_external_id_is_used_once(void **state) {
    json_decref(created(*state, "{" PARTIES ",\"externalId\":\"e\"}"));
    struct reply reply = create(*state, "{" PARTIES ",\"externalId\":\"e\"}");
    assert_problem(&reply, 409, "wrong-state");
}

/* ---- keys */

static struct reply create_with(struct world *w, struct who as, const char *key, const char *body) {
    return send(w, (struct sending){.as = as, .target = "/v1/consents", .body = body, .key = key});
}

static void a_key_is_required_and_must_be_one(void **state) {
    struct reply reply = create_with(*state, AS_EDP, NULL, GRANTED);
    assert_problem(&reply, 400, "missing-idempotency-key");
    reply = create_with(*state, AS_EDP, "two words", GRANTED);
    assert_problem(&reply, 400, "invalid-parameter");
}

static void the_same_key_and_body_are_the_same_request(void **state) {
    struct world *w = *state;
    struct reply first = create_with(w, AS_EDP, "k", GRANTED);
    json_t *consent = answered(first, 201);
    uint64_t before = entries(w);
    struct reply second = create_with(w, AS_EDP, "\"k\"", GRANTED);
    assert_int_equal(second.status, 201);
    assert_string_equal(second.body.data, first.body.data);
    assert_string_equal(header_of(&second, "idempotency-replayed"), "true");
    assert_string_equal(header_of(&second, "etag"), header_of(&first, "etag"));
    assert_string_equal(header_of(&second, "location"), header_of(&first, "location"));
    assert_int_equal(entries(w), before);
    /* and still is, as it was then, when the consent has gone on */
    json_decref(answered(
        send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")}),
        200));
    struct reply third = create_with(w, AS_EDP, "k", GRANTED);
    assert_string_equal(third.body.data, first.body.data);
    json_decref(consent);
}

static void the_same_key_with_another_body_is_another_request(void **state) {
    struct world *w = *state;
    json_decref(answered(create_with(w, AS_EDP, "k", GRANTED), 201));
    uint64_t before = entries(w);
    struct reply reply = create_with(w, AS_EDP, "k", GRANTED " ");
    assert_problem(&reply, 422, "idempotency-mismatch");
    assert_int_equal(entries(w), before);
}

static void a_refusal_is_not_remembered(void **state) {
    struct reply reply = create_with(*state, AS_EDP, "k", "{}");
    assert_problem(&reply, 400, "invalid-body");
    reply = create_with(*state, AS_EDP, "k", "{\"client\":\"a:b\",\"license\":\"a:b\"}");
    assert_problem(&reply, 422, "not-admissible");
    json_decref(answered(create_with(*state, AS_EDP, "k", GRANTED), 201));
}

static void keys_of_two_callers_are_two(void **state) {
    json_t *one = answered(create_with(*state, AS_EDP, "k", GRANTED), 201);
    json_t *other = answered(create_with(*state, AS_OTHER_EDP, "k", GRANTED), 201);
    assert_string_not_equal(text_in(one, "consentId"), text_in(other, "consentId"));
    json_decref(one);
    json_decref(other);
}

/* Invariant 9: one client that acts for two members learns nothing of one through the other. */
static void a_key_of_one_member_replays_nothing_for_another(void **state) {
    struct who for_one = {.role = "tenant", .id = "https://agent.example", .member = EDP};
    struct who for_other = {.role = "tenant", .id = "https://agent.example", .member = OTHER_EDP};
    json_decref(answered(create_with(*state, for_one, "k", GRANTED), 201));
    struct reply reply = create_with(*state, for_other, "k", GRANTED);
    assert_problem(&reply, 422, "idempotency-mismatch");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(everything_sent_is_stored_compactly_and_shown),
        IN_A_WORLD(the_answer_says_where_it_is_and_which_version),
        IN_A_WORLD(the_licence_fills_in_what_is_not_said),
        IN_A_WORLD(the_issuer_is_the_tenants_setting_or_the_services),
        IN_A_WORLD(without_a_grant_it_is_only_requested),
        IN_A_WORLD(a_tenant_need_not_have_a_url),
        IN_A_WORLD(nothing_refused_changes_anything),
        IN_A_WORLD(everything_that_is_wrong_is_named),
        IN_A_WORLD(unknown_members_alone_are_unknown_members),
        IN_A_WORLD(what_is_no_json_is_told_by_its_place_alone),
        IN_A_WORLD(each_rule_of_a_member_is_kept),
        IN_A_WORLD(each_rule_of_a_grant_is_kept),
        IN_A_WORLD(the_policy_names_every_clause_that_fails),
        IN_A_WORLD(an_external_id_is_used_once),
        IN_A_WORLD(a_key_is_required_and_must_be_one),
        IN_A_WORLD(the_same_key_and_body_are_the_same_request),
        IN_A_WORLD(the_same_key_with_another_body_is_another_request),
        IN_A_WORLD(a_refusal_is_not_remembered),
        IN_A_WORLD(keys_of_two_callers_are_two),
        IN_A_WORLD(a_key_of_one_member_replays_nothing_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
