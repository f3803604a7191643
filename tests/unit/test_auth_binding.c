/* Tokens and the certificates that they are bound to: a stolen token is worth nothing with another
 * certificate or none, not even right after its owner has used it. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "auth/certificate.h"
#include "base/encode.h"
#include "base/limits.h"

#define APPLICATION "https://directory.core.pilot.trust.ib1.org/member/28364528/application/1"
#define MEMBER "https://directory.core.pilot.trust.ib1.org/member/28364528"
#define ROLE "https://registry.core.pilot.trust.ib1.org/scheme/perseus/role/carbon-accounting"
#define OTHER_ROLE "https://registry.core.pilot.trust.ib1.org/scheme/perseus/role/finance"
#define NO_CERTIFICATE \
    "The token is bound to a client certificate (cnf.x5t#S256), and this connection has none."
#define OTHER_CERTIFICATE                                                                \
    "The token is bound to another client certificate (cnf.x5t#S256) than that of this " \
    "connection."
#define OTHER_APPLICATION \
    "The client certificate is that of another application than the token's client."

static const struct span roles[] = {SPAN(ROLE)};
/* Mine, and one of somebody else; mine again, renewed. */
static struct auth_certificate mine = {.sha256 = {1, 2, 3},
                                       .application = SPAN(APPLICATION),
                                       .member = SPAN(MEMBER),
                                       .roles = roles,
                                       .role_count = 1,
                                       .roles_present = true};
static struct auth_certificate other = {.sha256 = {1, 2, 4}, .application = SPAN(CLIENT)};
static struct auth_certificate renewed = {.sha256 = {9}, .application = SPAN(APPLICATION)};
static struct auth_certificate nameless = {
    .sha256 = {7}, .no_application = "The client certificate names two URIs."};

static void reconfigure(struct rig *rig, enum auth_binding binding) {
    struct auth_issuer config = issuer_config();
    config.binding = binding;
    auth_keys_free(rig->keys);
    rig->keys = keys_from(config, rig_set(rig));
}

/* A token of the application with these members more. */
static char *token_with(const struct rig *rig, const char *more) {
    struct buffer payload = {0};
    buffer_append_format(&payload,
                         "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
                         "\",\"exp\":1711933200,\"iat\":1711929600,\"nbf\":1711929600,"
                         "\"scope\":\"consents:read\",\"client_id\":\"" APPLICATION "\"%s}",
                         more);
    char *token = rig_sign(rig, text_take(&payload));
    buffer_release(&payload);
    return token;
}

/* As RFC 8705 section 3.1 has it. */
static char *token_bound_to(const struct rig *rig, const struct auth_certificate *certificate) {
    char more[128];
    char *text = base64url(certificate->sha256, sizeof certificate->sha256);
    snprintf(more, sizeof more, ",\"cnf\":{\"x5t#S256\":\"%s\"}", text);
    free(text);
    return token_with(rig, more);
}

static const char *present(struct rig *rig, const char *token,
                           const struct auth_certificate *certificate, struct auth_principal *out) {
    struct auth_refusal refusal = {0};
    rig->certificate = certificate;
    enum status status = rig_token(rig, token, NOW_MS, out, &refusal);
    rig->certificate = NULL;
    assert_int_equal(status == STATUS_OK, refusal.why == NULL);
    return refusal.why;
}

static void accept(struct rig *rig, const char *token, const struct auth_certificate *certificate) {
    struct auth_principal principal;
    const char *why = present(rig, token, certificate, &principal);
    if (why != NULL)
        fail_msg("%s", why);
}

static void refuse(struct rig *rig, const char *token, const struct auth_certificate *certificate,
                   const char *why) {
    struct auth_principal principal = {.scopes = 77};
    assert_string_equal(present(rig, token, certificate, &principal), why);
    assert_int_equal(principal.scopes, 77);
}

/* The thief comes before, between and after: the cache must not help him. */
static void a_stolen_token_is_worth_nothing(void **state) {
    static const enum auth_binding bindings[] = {AUTH_BINDING_NONE, AUTH_BINDING_X5T};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        reconfigure(rig, bindings[i]);
        char *token = token_bound_to(rig, &mine);
        for (int round = 0; round < 3; round++) {
            refuse(rig, token, NULL, NO_CERTIFICATE);
            refuse(rig, token, &other, OTHER_CERTIFICATE);
            refuse(rig, token, &renewed, OTHER_CERTIFICATE);
            accept(rig, token, &mine);
        }
        free(token);
    }
    reconfigure(rig, AUTH_BINDING_NONE);
}

static void the_cache_knows_a_token_with_its_certificate(void **state) {
    struct rig *rig = *state;
    struct auth_counters before, after;
    char *token = token_bound_to(rig, &mine);
    auth_loop_counters(rig->loop, &before);
    for (int i = 0; i < 5; i++)
        accept(rig, token, &mine);
    auth_loop_counters(rig->loop, &after);
    assert_int_equal(after.verified - before.verified, 1);
    assert_int_equal(after.cached - before.cached, 4);
    free(token);
}

static void a_token_of_an_issuer_without_binding_needs_none(void **state) {
    struct rig *rig = *state;
    char *token = token_with(rig, "");
    struct auth_principal principal;
    accept(rig, token, NULL);
    assert_null(present(rig, token, &mine, &principal));
    assert_false(principal.roles_known); /* somebody's certificate says nothing about the client */
    assert_int_equal(principal.role_count, 0);
    assert_span(principal.tenant, APPLICATION);
    free(token);
}

static void an_issuer_may_demand_that_its_tokens_are_bound(void **state) {
    struct rig *rig = *state;
    reconfigure(rig, AUTH_BINDING_X5T);
    char *token = token_with(rig, "");
    refuse(rig, token, &mine,
           "Tokens of this issuer must be bound to a client certificate "
           "(cnf.x5t#S256).");
    refuse(rig, token, NULL,
           "Tokens of this issuer must be bound to a client certificate "
           "(cnf.x5t#S256).");
    free(token);
    reconfigure(rig, AUTH_BINDING_NONE);
}

static void a_directory_binds_to_the_application_whichever_certificate_it_has(void **state) {
    struct rig *rig = *state;
    reconfigure(rig, AUTH_BINDING_DIRECTORY);
    char *token = token_with(rig, "");
    for (int round = 0; round < 2; round++) {
        refuse(rig, token, NULL,
               "Tokens of this issuer need the client certificate of the "
               "application, and this connection has none.");
        refuse(rig, token, &other, OTHER_APPLICATION);
        refuse(rig, token, &nameless, nameless.no_application);
        accept(rig, token, &mine);
        accept(rig, token, &renewed);
    }
    free(token);
    token = token_bound_to(rig, &mine);
    refuse(rig, token, &renewed, OTHER_CERTIFICATE); /* what the token says holds as well */
    accept(rig, token, &mine);
    free(token);
    reconfigure(rig, AUTH_BINDING_NONE);
}

/* The shape of the Perseus demonstrator: ES256, client_id a Directory URL, bound. */
static void roles_and_member_are_those_of_the_directory(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_issuer config = issuer_config();
    config.binding = AUTH_BINDING_DIRECTORY;
    config.roles_claim = SPAN("roles");
    auth_keys_free(rig->keys);
    rig->keys = keys_from(config, rig_set(rig));
    char *token = token_with(rig, ",\"roles\":[\"" OTHER_ROLE "\"]");
    for (int round = 0; round < 2; round++) { /* verified, then cached */
        assert_null(present(rig, token, &mine, &principal));
        assert_span(principal.client_id, APPLICATION);
        assert_span(principal.member, MEMBER);
        assert_span(principal.tenant, MEMBER);
        assert_true(principal.roles_known);
        assert_int_equal(principal.role_count, 1);
        assert_span(principal.roles[0], ROLE);
    }
    assert_null(present(rig, token, &renewed, &principal)); /* it has no roles extension */
    assert_span(principal.roles[0], OTHER_ROLE);
    assert_span(principal.tenant, APPLICATION);
    free(token);
    struct auth_certificate none = mine;
    none.role_count = 0; /* the Directory says: no role */
    none.sha256[0] = 77;
    token = token_with(rig, ",\"roles\":[\"" OTHER_ROLE "\"]");
    assert_null(present(rig, token, &none, &principal));
    assert_true(principal.roles_known);
    assert_int_equal(principal.role_count, 0);
    free(token);
    reconfigure(rig, AUTH_BINDING_NONE);
}

static void a_certificate_of_the_directory_without_roles_has_none(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    reconfigure(rig, AUTH_BINDING_DIRECTORY);
    char *token = token_with(rig, "");
    assert_null(present(rig, token, &renewed, &principal));
    assert_true(principal.roles_known);
    assert_int_equal(principal.role_count, 0);
    free(token);
}

static void a_certificate_that_contradicts_or_cannot_be_a_name_is_refused(void **state) {
    struct rig *rig = *state;
    static struct span many[LIMIT_ROLES + 1];
    static const struct span spaced[] = {SPAN("a role")};
    reconfigure(rig, AUTH_BINDING_DIRECTORY);
    char *token = token_with(rig, ",\"member\":\"https://other.example\"");
    refuse(rig, token, &mine,
           "The client certificate is that of another member than the "
           "token's.");
    free(token);
    token = token_with(rig, "");
    for (size_t i = 0; i <= LIMIT_ROLES; i++)
        many[i] = SPAN("r");
    struct auth_certificate bad[] = {mine, mine, mine};
    bad[0].roles = many;
    bad[0].role_count = LIMIT_ROLES + 1;
    bad[1].roles = spaced;
    bad[2].member = SPAN("");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(rig, token, &bad[i],
               "The client certificate has more than 16 roles, or a role or member that is not 1 "
               "to 256 printable characters.");
    bad[0].role_count = LIMIT_ROLES;
    accept(rig, token, &bad[0]);
    free(token);
    reconfigure(rig, AUTH_BINDING_NONE);
}

static void a_confirmation_that_is_not_understood_is_refused(void **state) {
    static const char not_base64[] = "The token's cnf.x5t#S256 is not the base64url of 32 bytes.";
    static const char unknown[] = "The token has a confirmation (cnf) that is not understood.";
    static const char dpop[] =
        "The token is bound to a DPoP key (cnf.jkt), and DPoP is not accepted yet.";
    static const char *const rows[][2] = {
        {"{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}", dpop},
        {"{\"jkt\":\"x\",\"x5t#S256\":\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0\"}", dpop},
        {"{\"jwk\":{}}", unknown},
        {"{\"x5t\":\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0\"}", unknown},
        {"{}", unknown},
        {"null", unknown},
        {"\"jkt\"", unknown},
        {"[]", unknown},
        {"{\"x5t#S256\":\"\"}", not_base64},
        {"{\"x5t#S256\":7}", not_base64},
        {"{\"x5t#S256\":null}", not_base64},
        {"{\"x5t#S256\":\"AQID\"}", not_base64},
        {"{\"x5t#S256\":\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0=\"}", not_base64},
        {"{\"x5t#S256\":\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0AAAA\"}", not_base64},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char more[160];
        snprintf(more, sizeof more, ",\"cnf\":%s", rows[i][0]);
        char *token = token_with(rig, more);
        refuse(rig, token, &mine, rows[i][1]);
        refuse(rig, token, NULL, rows[i][1]);
        free(token);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stolen_token_is_worth_nothing),
        cmocka_unit_test(the_cache_knows_a_token_with_its_certificate),
        cmocka_unit_test(a_token_of_an_issuer_without_binding_needs_none),
        cmocka_unit_test(an_issuer_may_demand_that_its_tokens_are_bound),
        cmocka_unit_test(a_directory_binds_to_the_application_whichever_certificate_it_has),
        cmocka_unit_test(roles_and_member_are_those_of_the_directory),
        cmocka_unit_test(a_certificate_of_the_directory_without_roles_has_none),
        cmocka_unit_test(a_certificate_that_contradicts_or_cannot_be_a_name_is_refused),
        cmocka_unit_test(a_confirmation_that_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
