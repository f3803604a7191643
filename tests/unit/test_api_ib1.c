/* What a Directory certificate alone opens: permission records, revocation, messages. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "tests/unit/support_writing.h"

#define FORM "application/x-www-form-urlencoded"
#define UNKNOWN "token=nobody-knows-this"
#define JWT "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0.c2ln"
#define ISSUER "https://edp.example/issuer"
#define ISSUED_OUT "2026-03-12T11:00:00.000Z"
#define TOKEN_ENDS_OUT "2026-09-12T11:00:00.000Z"

#define ROLE "https://registry.core.trust.ib1.org/scheme/perseus/role/"
static const struct span cap = SPAN(ROLE "carbon-accounting-provider");
static const struct auth_certificate of_app = {
    .application = SPAN(APP), .roles = &cap, .role_count = 1};
static const struct auth_certificate of_other_app = {
    .application = SPAN(OTHER_APP), .roles = &cap, .role_count = 1};

static struct reply send_as(struct world *w, const struct auth_certificate *certificate,
                            const char *target, const char *body) {
    bool json = strcmp(target, "/ib1/messages") == 0;
    return send(w, (struct sending){.target = target,
                                    .body = body,
                                    .type = json ? "application/json" : FORM,
                                    .certificate = certificate});
}

static const char *digest_of(struct world *w, const char *token) {
    char *text = arena_alloc(&w->arena, ENCODE_BASE64URL_SIZE(DIGEST_SIZE) + 1);
    struct digest digest = digest_sha256(span_of_text(token));
    text[encode_base64url(digest.bytes, sizeof digest.bytes, text)] = '\0';
    return text;
}

static const char *token_of(struct world *w, const char *token) {
    return arena_format(&w->arena,
                        "{\"digest\":\"%s\",\"issuedAt\":\"" ISSUED_OUT
                        "\",\"expires\":\"" TOKEN_ENDS_OUT "\"}",
                        digest_of(w, token))
        .data;
}

/* An active consent with this refresh token, and more terms. */
static json_t *with_token(struct world *w, const char *token, const char *more) {
    return created(w, arena_format(&w->arena,
                                   "{" PARTIES ",\"account\":\"acc-1\",\"grant\":" GRANT
                                   ",\"tokens\":[%s]%s}",
                                   token_of(w, token), more)
                          .data);
}

static const char *status_of(struct world *w, const json_t *consent) {
    json_t *now = answered(
        send(w, (struct sending){.as = AS_EDP, .method = "GET", .target = at(w, consent, "")}),
        200);
    const char *status = arena_copy(&w->arena, span_of_text(text_in(now, "status"))).data;
    json_decref(now);
    return status;
}

static const char *pairwise_of(struct world *w, const json_t *consent) {
    json_t *seen = answered(
        send(w, (struct sending){.as = AS_APP, .method = "GET", .target = at(w, consent, "")}),
        200);
    const char *account = arena_copy(&w->arena, span_of_text(text_in(seen, "account"))).data;
    json_decref(seen);
    return account;
}

static void assert_record(struct world *w, const json_t *consent, const char *body,
                          const char *rest) {
    const char *expected =
        arena_format(&w->arena,
                     "{\"permission\":{\"oauthIssuer\":\"" ISSUER "\",\"client\":\"" APP
                     "\",\"license\":\"" CONSUMPTION "\",\"account\":\"%s\",\"lastGranted\":\"%s"
                     "\",\"expires\":\"%s\",\"evidence\":\"" PUBLIC_URL "/evidence/%s\",%s}}",
                     pairwise_of(w, consent), text_in(consent, "lastGranted"),
                     text_in(consent, "expires"), text_in(consent, "evidenceId"), rest)
            .data;
    struct reply reply = send_as(w, &of_app, "/ib1/permission", body);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, expected);
    reply = send_as(w, &of_app, "/api/v1/permissions", body);
    assert_string_equal(reply.body.data, expected);
}

#define OF_TOKEN "\"tokenIssuedAt\":\"" ISSUED_OUT "\",\"tokenExpires\":\"" TOKEN_ENDS_OUT "\""

static void a_record_is_exactly_what_the_scheme_says(void **state) {
    struct world *w = *state;
    json_t *consent = with_token(w, "refresh-1",
                                 ",\"oauthIssuer\":\"" ISSUER "\",\"dataAvailableFrom\":"
                                 "\"2024-01-01T00:00Z\",\"dataFrom\":\"2025-06-01T00:00Z\"");
    assert_record(w, consent, "token=refresh-1",
                  "\"dataAvailableFrom\":\"2024-01-01T00:00:00.000Z\"," OF_TOKEN);
    world_set_time(w, "2026-03-13T10:00:00Z");
    struct reply ended =
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"tenancyChanged\"}}");
    assert_int_equal(ended.status, 200);
    assert_record(w, consent, "token=refresh-1&token_type_hint=refresh_token&client_id=" APP,
                  "\"revoked\":\"2026-03-13T10:00:00.000Z\",\"dataAvailableFrom\":"
                  "\"2024-01-01T00:00:00.000Z\"," OF_TOKEN);
    json_decref(consent);
}

static void what_a_consent_leaves_open_the_record_fills_in(void **state) {
    struct world *w = *state;
    const struct api_tenant_setting of_edp = {.tenant = SPAN(EDP), .oauth_issuer = SPAN(ISSUER)};
    json_t *plain = with_token(w, "refresh-1", "");
    w->settings.tenants = &of_edp; /* said only now */
    w->settings.tenant_count = 1;
    assert_record(w, plain, "token=refresh-1", "\"dataAvailableFrom\":\"" T0_OUT "\"," OF_TOKEN);
    json_t *renewed = answered(send(w, (struct sending){.as = AS_EDP,
                                                        .target = at(w, plain, "/renew"),
                                                        .key = fresh_key(w),
                                                        .body = "{\"grant\":" GRANT ",\"dataFrom\":"
                                                                "\"2025-04-01T00:00:00Z\"}"}),
                               201);
    assert_record(w, renewed, "token=refresh-1",
                  "\"dataAvailableFrom\":\"2025-04-01T00:00:00.000Z\"," OF_TOKEN);
    json_decref(renewed);
    json_decref(plain);
}

static void an_expired_consent_is_not_revoked(void **state) {
    struct world *w = *state;
    json_t *consent = with_token(w, "refresh-1", ",\"oauthIssuer\":\"" ISSUER "\"");
    world_set_time(w, "2027-09-12T10:00:00Z");
    assert_record(w, consent, "token=refresh-1", "\"dataAvailableFrom\":\"" T0_OUT "\"," OF_TOKEN);
    json_decref(consent);
}

static void anothers_token_answers_as_an_unknown_one(void **state) {
    struct world *w = *state;
    json_decref(with_token(w, "refresh-1", ""));
    uint64_t before = entries(w);
    struct reply foreign = send_as(w, &of_other_app, "/ib1/permission", "token=refresh-1");
    struct reply unknown = send_as(w, &of_other_app, "/ib1/permission", UNKNOWN);
    assert_problem(&unknown, 404, "not-found");
    assert_string_equal(foreign.body.data, unknown.body.data);
    assert_int_equal(foreign.header_count, unknown.header_count);
    assert_int_equal(entries(w), before);
    foreign = send_as(w, &of_other_app, "/ib1/revoke", "token=refresh-1");
    unknown = send_as(w, &of_other_app, "/ib1/revoke", UNKNOWN);
    assert_int_equal(unknown.status, 200);
    assert_int_equal(foreign.status, 200);
    assert_string_equal(foreign.body.data, unknown.body.data);
    assert_int_equal(atomic_load(&w->service.unknown_revocations), 2);
}

static void a_client_revokes_and_again(void **state) {
    struct world *w = *state;
    json_t *consent = with_token(w, "refresh-1", "");
    for (int i = 0; i < 2; i++) {
        struct reply reply = send_as(w, &of_app, "/ib1/revoke", "token=refresh-1");
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body.data, "{}");
        assert_string_equal(status_of(w, consent), "revoked");
    }
    assert_int_equal(atomic_load(&w->service.unknown_revocations), 0);
    json_decref(consent);
}

static void a_revocation_may_come_before_its_token(void **state) {
    struct world *w = *state;
    assert_int_equal(send_as(w, &of_app, "/ib1/revoke", "token=refresh-1").status, 200);
    assert_int_equal(atomic_load(&w->service.unknown_revocations), 1);
    json_t *consent = with_token(w, "refresh-1", "");
    assert_string_equal(text_in(consent, "status"), "revoked");
    assert_string_equal(text_in(json_object_get(consent, "statusReason"), "code"),
                        "withdrawnAtClient");
    json_decref(consent);
}

static void an_access_token_is_told_apart(void **state) {
    struct world *w = *state;
    static const char *const targets[] = {"/ib1/permission", "/ib1/revoke"};
    uint64_t before = entries(w);
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = send_as(w, &of_app, targets[i], "token=" JWT);
        assert_problem(&reply, 400, "invalid-parameter");
        assert_non_null(strstr(reply.body.data, "\"error\":\"unsupported_token_type\""));
        assert_non_null(strstr(reply.body.data, "send the refresh token"));
        assert_null(strstr(reply.body.data, "eyJ"));
    }
    assert_int_equal(entries(w), before);
    assert_int_equal(atomic_load(&w->service.unknown_revocations), 0);
    /* some servers' refresh tokens are JWTs: those that were registered are what they are */
    json_t *consent = with_token(w, JWT, "");
    assert_int_equal(send_as(w, &of_app, targets[0], "token=" JWT).status, 200);
    assert_int_equal(send_as(w, &of_app, targets[1], "token=" JWT).status, 200);
    assert_string_equal(status_of(w, consent), "revoked");
    json_decref(consent);
    /* and what only looks like one is none */
    static const char *const others[] = {"token=a.b.c", "token=e30.e30.e30",
                                         "token=eyJhbGciOiJ4In0", "token=eyJhbGciOiJ4In0.x.y.z"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(send_as(w, &of_app, targets[1], others[i]).status, 200);
}

static void forms_are_read_strictly(void **state) {
    struct world *w = *state;
    static const char *const wrong[] = {"",
                                        "token=",
                                        "token=a&token=a",
                                        "token=a&scope=b",
                                        "refresh_token=a",
                                        "token=%00",
                                        "{\"token\":\"a\"}",
                                        ("token=a&client_id=" OTHER_APP)};
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reply reply = send_as(w, &of_app, "/ib1/revoke", wrong[i]);
        assert_problem(&reply, 400, "invalid-body");
        assert_non_null(strstr(reply.body.data, "\"error\":\"invalid_request\""));
    }
    struct reply reply =
        send(w, (struct sending){
                    .target = "/ib1/revoke", .body = "{\"token\":\"a\"}", .certificate = &of_app});
    assert_problem(&reply, 415, "unsupported-media-type");
    reply = send_as(w, &of_app, "/ib1/revoke?token=a", "token=a");
    assert_problem(&reply, 400, "invalid-parameter");
    assert_int_equal(entries(w), before);
}

static void the_certificate_alone_opens(void **state) {
    struct world *w = *state;
    static const struct auth_certificate unnamed = {.no_application = "it names two URIs"};
    static const struct {
        const char *target, *body;
    } doors[] = {
        {"/ib1/permission", "token=refresh-1"},
        {"/api/v1/permissions", "token=refresh-1"},
        {"/ib1/revoke", "token=refresh-1"},
        {"/ib1/messages", "{}"},
    };
    json_t *consent = with_token(w, "refresh-1", "");
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        struct reply reply = send(
            w, (struct sending){
                   .as = AS_APP, .target = doors[i].target, .type = FORM, .body = doors[i].body});
        assert_problem(&reply, 401, "certificate-refused");
        assert_non_null(strstr(reply.body.data, "\"cause\":\"no_certificate\""));
        reply = send_as(w, &unnamed, doors[i].target, doors[i].body);
        assert_problem(&reply, 401, "certificate-refused");
        assert_non_null(strstr(reply.body.data, "\"cause\":\"no_application\""));
        assert_non_null(strstr(reply.body.data, "it names two URIs"));
    }
    assert_string_equal(status_of(w, consent), "active");
    /* a certificate opens nothing that wants a token */
    struct reply reply = send(
        w, (struct sending){.method = "GET", .target = at(w, consent, ""), .certificate = &of_app});
    assert_problem(&reply, 401, "unauthenticated");
    json_decref(consent);
}

static void a_record_is_for_who_may_receive_data(void **state) {
    struct world *w = *state;
    static const struct span edp = SPAN(ROLE "energy-data-provider");
    static const struct span both[] = {SPAN(ROLE "energy-data-provider"),
                                       SPAN(ROLE "financial-service-provider")};
    const struct auth_certificate bare = {.application = SPAN(APP)};
    const struct auth_certificate wrong = {
        .application = SPAN(APP), .roles = &edp, .role_count = 1};
    const struct auth_certificate right = {
        .application = SPAN(APP), .roles = both, .role_count = 2};
    json_t *consent = with_token(w, "refresh-1", "");
    struct reply reply = send_as(w, &bare, "/ib1/permission", "token=refresh-1");
    assert_problem(&reply, 403, "wrong-role");
    assert_non_null(strstr(reply.body.data, "\"the certificate must show one of the roles " ROLE
                                            "carbon-accounting-provider " ROLE
                                            "financial-service-provider; presented: none\""));
    assert_string_equal(header_of(&reply, "www-authenticate"), "");
    reply = send_as(w, &wrong, "/ib1/permission", "token=refresh-1");
    assert_problem(&reply, 403, "wrong-role");
    assert_non_null(strstr(reply.body.data, "presented: " ROLE "energy-data-provider\""));
    assert_int_equal(send_as(w, &right, "/ib1/permission", "token=refresh-1").status, 200);
    /* to withdraw takes no role */
    assert_int_equal(send_as(w, &bare, "/ib1/revoke", "token=refresh-1").status, 200);
    assert_string_equal(status_of(w, consent), "revoked");
    json_decref(consent);
}

#define MESSAGE(token)                                                                      \
    "{\"ib1:message\":\"https://registry.core.trust.ib1.org/trust-framework\",\"subject\":" \
    "\"https://registry.trust.ib1.org/message/withdrawal-of-permission/2025-03-16\","       \
    "\"body\":{\"token\":" token "}}"

static void a_message_ends_what_depends_on_another_store(void **state) {
    struct world *w = *state;
    const char *external =
        arena_format(&w->arena,
                     ",\"dependsOn\":[[{\"external\":{\"oauthIssuer\":\"" ISSUER
                     "\",\"tokenDigest\":\"%s\",\"expires\":\"" YEAR_LATER "\"}}]]",
                     digest_of(w, "their \xc3\xa9 token"))
            .data;
    json_t *consent = with_token(w, "ours", external);
    struct reply reply = send_as(w, &of_other_app, "/ib1/messages", MESSAGE("\"another\""));
    assert_int_equal(reply.status, 200);
    assert_string_equal(status_of(w, consent), "active");
    struct reply hit =
        send_as(w, &of_other_app, "/ib1/messages", MESSAGE("\"their \\u00e9 token\""));
    assert_int_equal(hit.status, 200);
    assert_string_equal(hit.body.data, reply.body.data);
    assert_string_equal(status_of(w, consent), "terminated");
    json_decref(consent);
}

static void messages_are_read_strictly(void **state) {
    struct world *w = *state;
    static const struct {
        const char *body, *name, *pointers;
    } wrong[] = {
        {"{}", "invalid-body", "/ib1:message /subject /body"},
        {MESSAGE("\"\""), "invalid-body", "/body/token"},
        {MESSAGE("7"), "invalid-body", "/body/token"},
        {MESSAGE("\"a\",\"more\":1"), "unknown-member", "/body/more"},
        {"{\"ib1:message\":\"https://registry.core.trust.ib1.org/other\",\"subject\":"
         "\"https://registry.trust.ib1.org/message/another\",\"body\":{\"token\":\"a\"}}",
         "invalid-body", "/ib1:message /subject"},
    };
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reply reply = send_as(w, &of_app, "/ib1/messages", wrong[i].body);
        assert_errors(&reply, wrong[i].name, wrong[i].pointers);
    }
    assert_int_equal(entries(w), before);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_record_is_exactly_what_the_scheme_says),
        IN_A_WORLD(what_a_consent_leaves_open_the_record_fills_in),
        IN_A_WORLD(an_expired_consent_is_not_revoked),
        IN_A_WORLD(anothers_token_answers_as_an_unknown_one),
        IN_A_WORLD(a_client_revokes_and_again),
        IN_A_WORLD(a_revocation_may_come_before_its_token),
        IN_A_WORLD(an_access_token_is_told_apart),
        IN_A_WORLD(forms_are_read_strictly),
        IN_A_WORLD(the_certificate_alone_opens),
        IN_A_WORLD(a_record_is_for_who_may_receive_data),
        IN_A_WORLD(a_message_ends_what_depends_on_another_store),
        IN_A_WORLD(messages_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
