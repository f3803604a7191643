/* Whom a token names: client, member, tenant, scopes, roles, tenants of an auditor, the consent of
 * a rich authorization request; and the tokens of three authorization servers as they come. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "base/limits.h"

#define BAD_CLIENT "The token names no client, or one that is not 1 to 256 printable characters."
#define BAD_MEMBER "The token's member is not 1 to 256 printable characters."
#define NO_CLIENT "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1711933200"

static void scopes_have_names_and_bits(void **state) {
    static const struct {
        const char *name;
        enum auth_scope scope;
    } rows[] = {
        {"consents:write", AUTH_CONSENTS_WRITE},
        {"consents:read", AUTH_CONSENTS_READ},
        {"decisions:evaluate", AUTH_DECISIONS},
        {"audit:read", AUTH_AUDIT_READ},
        {"admin", AUTH_ADMIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(auth_scope_parse(span_of_text(rows[i].name)), rows[i].scope);
        assert_string_equal(auth_scope_name(rows[i].scope), rows[i].name);
    }
    assert_int_equal(auth_scope_parse(SPAN("")), 0);
    assert_int_equal(auth_scope_parse(SPAN("consents:writ")), 0);
    assert_int_equal(auth_scope_parse(SPAN("consents:writes")), 0);
    assert_int_equal(auth_scope_parse(SPAN("Admin")), 0);
}

static unsigned scopes_of(struct rig *rig, const char *claims) {
    struct buffer payload = {0};
    buffer_append_format(&payload, "{" CLAIMS "%s}", claims);
    unsigned scopes = rig_accept(rig, rig_sign(rig, text_take(&payload))).scopes;
    buffer_release(&payload);
    return scopes;
}

static void scopes_come_from_scope_or_scp(void **state) {
    struct rig *rig = *state;
    const unsigned both = AUTH_CONSENTS_READ | AUTH_CONSENTS_WRITE;
    assert_int_equal(scopes_of(rig, ""), 0);
    assert_int_equal(scopes_of(rig, ",\"scope\":\"\""), 0);
    assert_int_equal(scopes_of(rig, ",\"scope\":\"consents:read consents:write\""), both);
    assert_int_equal(scopes_of(rig, ",\"scope\":\" consents:read  openid consents:write \""), both);
    assert_int_equal(scopes_of(rig, ",\"scope\":\"consents:read,consents:write\""), 0);
    assert_int_equal(scopes_of(rig, ",\"scope\":\"consents:read\\tadmin\""), 0);
    assert_int_equal(scopes_of(rig, ",\"scp\":[\"consents:read\",\"openid\",\"consents:write\"]"),
                     both);
    assert_int_equal(scopes_of(rig, ",\"scp\":[\"consents:read consents:write\"]"), 0);
    assert_int_equal(scopes_of(rig, ",\"scope\":\"audit:read\",\"scp\":[\"admin\"]"),
                     AUTH_AUDIT_READ);
}

static void scopes_of_another_shape_are_refused(void **state) {
    struct rig *rig = *state;
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"scope\":[\"admin\"]}"),
               "The token's scope is not a string.");
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"scope\":null,\"scp\":[\"admin\"]}"),
               "The token's scope is not a string.");
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"scp\":\"admin\"}"),
               "The token's scp is not an array of strings.");
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"scp\":[\"admin\",7]}"),
               "The token's scp is not an array of strings.");
}

static void the_client_is_client_id_then_azp_then_that_of_hydra(void **state) {
    struct rig *rig = *state;
    assert_span(rig_accept(rig, rig_sign(rig, "{" NO_CLIENT ",\"client_id\":\"a\",\"azp\":\"b\","
                                              "\"ext\":{\"client_id\":\"c\"}}"))
                    .client_id,
                "a");
    assert_span(rig_accept(rig, rig_sign(rig, "{" NO_CLIENT ",\"azp\":\"b\","
                                              "\"ext\":{\"client_id\":\"c\"}}"))
                    .client_id,
                "b");
    assert_span(
        rig_accept(rig, rig_sign(rig, "{" NO_CLIENT ",\"ext\":{\"client_id\":\"c\"}}")).client_id,
        "c");
    rig_refuse(rig, rig_sign(rig, "{" NO_CLIENT ",\"sub\":\"s\"}"), BAD_CLIENT);
    rig_refuse(rig, rig_sign(rig, "{" NO_CLIENT ",\"client_id\":7,\"azp\":\"b\"}"), BAD_CLIENT);
    rig_refuse(rig, rig_sign(rig, "{" NO_CLIENT ",\"client_id\":null,\"azp\":\"b\"}"), BAD_CLIENT);
}

static void names_are_bounded_and_printable(void **state) {
    static const char *const bad[] = {"", " ", "a b", "a ", "\\n", "a\\u007f", "caf\xc3\xa9"};
    struct rig *rig = *state;
    struct buffer payload = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buffer_clear(&payload);
        buffer_append_format(&payload, "{" NO_CLIENT ",\"client_id\":\"%s\"}", bad[i]);
        rig_refuse(rig, rig_sign(rig, text_take(&payload)), BAD_CLIENT);
        buffer_clear(&payload);
        buffer_append_format(&payload, "{" CLAIMS ",\"member\":\"%s\"}", bad[i]);
        rig_refuse(rig, rig_sign(rig, text_take(&payload)), BAD_MEMBER);
    }
    for (int size = LIMIT_URL; size <= LIMIT_URL + 1; size++) {
        buffer_clear(&payload);
        buffer_append_format(&payload, "{" NO_CLIENT ",\"client_id\":\"%0*d\"}", size, 7);
        char *token = rig_sign(rig, text_take(&payload));
        if (size == LIMIT_URL) {
            assert_int_equal(rig_accept(rig, token).client_id.size, 256);
        } else {
            rig_refuse(rig, token, BAD_CLIENT);
        }
    }
    buffer_release(&payload);
}

static void the_tenant_is_the_member_else_the_client(void **state) {
    struct rig *rig = *state;
    struct auth_principal alone = rig_accept(rig, rig_sign(rig, PAYLOAD));
    assert_span(alone.tenant, CLIENT);
    assert_false(span_present(alone.member));
    struct auth_principal member =
        rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"member\":\"https://m.example\"}"));
    assert_span(member.tenant, "https://m.example");
    assert_span(member.member, "https://m.example");
    assert_span(member.client_id, CLIENT);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"member\":null}"), BAD_MEMBER);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"member\":[\"m\"]}"), BAD_MEMBER);
}

/* Replaces the rig's keys by the same keys under another configuration. */
static void reconfigure(struct rig *rig, struct auth_issuer config) {
    auth_keys_free(rig->keys);
    rig->keys = keys_from(config, rig_set(rig));
}

static void names_of_claims_are_configured(void **state) {
    struct rig *rig = *state;
    struct auth_issuer config = issuer_config();
    config.client_claim = SPAN("https://claims.example/app");
    config.member_claim = SPAN("org");
    config.roles_claim = SPAN("scheme_roles");
    reconfigure(rig, config);
    struct auth_principal principal = rig_accept(
        rig, rig_sign(rig, "{" CLAIMS ",\"https://claims.example/app\":\"x\",\"member\":\"no\","
                           "\"org\":\"https://m.example\",\"scheme_roles\":[\"r1\",\"r2\"]}"));
    assert_span(principal.client_id, "x");
    assert_span(principal.tenant, "https://m.example");
    assert_true(principal.roles_known);
    assert_int_equal(principal.role_count, 2);
    assert_span(principal.roles[0], "r1");
    assert_span(principal.roles[1], "r2");
    principal =
        rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"ext\":{\"https://claims.example/app\":\"y\","
                                      "\"org\":\"m\",\"scheme_roles\":\"only\"}}"));
    assert_span(principal.client_id, "y");
    assert_span(principal.tenant, "m");
    assert_int_equal(principal.role_count, 1);
    assert_span(principal.roles[0], "only");
    rig_refuse(rig, rig_sign(rig, PAYLOAD), BAD_CLIENT); /* client_id is not asked */
    reconfigure(rig, issuer_config());
}

static void roles_are_known_only_where_a_source_is_configured(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal =
        rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"roles\":[\"r\"]}"));
    assert_false(principal.roles_known);
    assert_int_equal(principal.role_count, 0);
    struct auth_issuer config = issuer_config();
    config.roles_claim = SPAN("roles");
    reconfigure(rig, config);
    principal = rig_accept(rig, rig_sign(rig, PAYLOAD));
    assert_true(principal.roles_known);
    assert_int_equal(principal.role_count, 0);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"roles\":[\"r\",7]}"),
               "The token's roles are not an array of at most 16 names.");
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"roles\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]}"),
               "The token's roles are not an array of at most 16 names.");
    reconfigure(rig, issuer_config());
}

/* A payload whose claim `name` has `count` names n0, n1, … Caller frees with free. */
static char *payload_of_names(const char *name, unsigned count) {
    struct buffer payload = {0};
    buffer_append_format(&payload, "{" CLAIMS ",\"%s\":[", name);
    for (unsigned i = 0; i < count; i++) {
        buffer_append_format(&payload, "%s\"n%u\"", i > 0 ? "," : "", i);
    }
    buffer_append_text(&payload, "]}");
    return text_take(&payload);
}

static void lists_are_bounded(void **state) {
    struct rig *rig = *state;
    struct auth_issuer config = issuer_config();
    config.roles_claim = SPAN("roles");
    reconfigure(rig, config);
    char *payload = payload_of_names("roles", LIMIT_ROLES);
    assert_span(rig_accept(rig, rig_sign(rig, payload)).roles[15], "n15");
    free(payload);
    payload = payload_of_names("roles", LIMIT_ROLES + 1);
    rig_refuse(rig, rig_sign(rig, payload),
               "The token's roles are not an array of at most 16 names.");
    free(payload);
    payload = payload_of_names("providers", LIMIT_PROVIDERS);
    assert_span(rig_accept(rig, rig_sign(rig, payload)).providers[255], "n255");
    free(payload);
    payload = payload_of_names("providers", LIMIT_PROVIDERS + 1);
    rig_refuse(rig, rig_sign(rig, payload),
               "The token's providers are not an array of at most 256 names.");
    free(payload);
    reconfigure(rig, issuer_config());
}

static void providers_name_tenants_or_all(void **state) {
    struct rig *rig = *state;
    struct auth_principal none = rig_accept(rig, rig_sign(rig, PAYLOAD));
    assert_int_equal(none.provider_count, 0);
    assert_false(none.all_providers);
    struct auth_principal two =
        rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":[\"https://a\",\"https://b\"]}"));
    assert_int_equal(two.provider_count, 2);
    assert_span(two.providers[0], "https://a");
    assert_span(two.providers[1], "https://b");
    assert_false(two.all_providers);
    assert_true(rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":[\"*\"]}")).all_providers);
    assert_true(rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":\"*\"}")).all_providers);
    assert_false(
        rig_accept(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":[\"**\"]}")).all_providers);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":{\"*\":true}}"),
               "The token's providers are not an array of at most 256 names.");
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"providers\":[\"*\",null]}"),
               "The token's providers are not an array of at most 256 names.");
}

#define CONSENT "0190163d-8694-739b-aea5-966c26f8ad91"
#define DETAIL(id) "{\"type\":\"consent\",\"consent_id\":\"" id "\"}"
#define DETAILS(list) "{" CLAIMS ",\"authorization_details\":" list "}"

static void the_consent_of_a_rich_authorization_request_is_read(void **state) {
    struct rig *rig = *state;
    static const char *const good[] = {
        DETAILS("[" DETAIL(CONSENT) "]"),
        DETAILS("[{\"type\":\"payment\",\"consent_id\":7}," DETAIL(CONSENT) "]"),
        DETAILS("[" DETAIL(CONSENT) "," DETAIL("0190163D-8694-739B-AEA5-966C26F8AD91") "]"),
    };
    static const char *const without[] = {
        PAYLOAD,
        DETAILS("[]"),
        DETAILS("[{\"type\":\"consent\"}]"),
        DETAILS("[{\"type\":\"payment\",\"consent_id\":\"" CONSENT "\"}]"),
        DETAILS("[7,{\"consent_id\":\"" CONSENT "\"}]"),
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[UUID_TEXT_SIZE + 1];
        struct auth_principal principal = rig_accept(rig, rig_sign(rig, good[i]));
        assert_true(principal.has_consent_id);
        uuid_to_text(&principal.consent_id, text);
        assert_string_equal(text, CONSENT);
    }
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        assert_false(rig_accept(rig, rig_sign(rig, without[i])).has_consent_id);
    }
}

static void a_consent_that_is_not_clear_is_refused(void **state) {
    struct rig *rig = *state;
    rig_refuse(rig, rig_sign(rig, DETAILS("{}")),
               "The token's authorization_details are not an array.");
    rig_refuse(rig, rig_sign(rig, DETAILS("[" DETAIL("7") "]")),
               "The token's consent_id is not a UUID.");
    rig_refuse(rig, rig_sign(rig, DETAILS("[{\"type\":\"consent\",\"consent_id\":7}]")),
               "The token's consent_id is not a UUID.");
    rig_refuse(rig,
               rig_sign(rig, DETAILS("[" DETAIL(CONSENT) "," DETAIL(
                                 "0190163d-8694-739b-aea5-966c26f8ad92") "]")),
               "The token's authorization_details name two consents.");
}

/* npm oidc-provider with resource indicators and RAR. */
static void a_token_of_oidc_provider_is_read(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal = rig_accept(
        rig, token_sign(&(struct signer){.key = rig->ec},
                        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"ec\"}",
                        "{\"jti\":\"0yAUOSGSlbe6PMrqWGZP9\",\"sub\":\"account-1\","
                        "\"iat\":1711929590,\"exp\":1711933190,"
                        "\"scope\":\"consents:read consents:write\",\"client_id\":\"" CLIENT "\","
                        "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\","
                        "\"authorization_details\":[" DETAIL(CONSENT) "]}"));
    assert_span(principal.client_id, CLIENT);
    assert_int_equal(principal.scopes, AUTH_CONSENTS_READ | AUTH_CONSENTS_WRITE);
    assert_true(principal.has_consent_id);
    assert_int_equal(principal.expires_ms, INT64_C(1711933190000));
}

/* Ory Hydra: RS256 as it comes, typ JWT, scp and aud as arrays, the operator's claims under ext. */
static void a_token_of_ory_hydra_is_read(void **state) {
    struct rig *rig = *state;
    struct auth_issuer config = issuer_config();
    config.allow_rs256 = true;
    reconfigure(rig, config);
    struct auth_principal principal = rig_accept(
        rig, token_sign(&(struct signer){.key = rig->rsa, .signing = SIGN_RS256},
                        "{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"JWT\"}",
                        "{\"aud\":[\"other\",\"" AUDIENCE "\"],\"client_id\":\"" CLIENT "\","
                        "\"exp\":1711933199,\"ext\":{\"member\":\"https://m.example\","
                        "\"providers\":[\"https://m.example\"]},\"iat\":1711929599,"
                        "\"iss\":\"" ISSUER "\",\"jti\":\"5b1c0a7e\",\"nbf\":1711929599,"
                        "\"scp\":[\"audit:read\",\"offline\"],\"sub\":\"" CLIENT "\"}"));
    assert_span(principal.client_id, CLIENT);
    assert_span(principal.tenant, "https://m.example");
    assert_int_equal(principal.scopes, AUTH_AUDIT_READ);
    assert_int_equal(principal.provider_count, 1);
    reconfigure(rig, issuer_config());
    rig_refuse(rig,
               token_sign(&(struct signer){.key = rig->rsa, .signing = SIGN_RS256},
                          "{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"JWT\"}", PAYLOAD),
               "The token's kid names no key of its issuer.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_have_names_and_bits),
        cmocka_unit_test(scopes_come_from_scope_or_scp),
        cmocka_unit_test(scopes_of_another_shape_are_refused),
        cmocka_unit_test(the_client_is_client_id_then_azp_then_that_of_hydra),
        cmocka_unit_test(names_are_bounded_and_printable),
        cmocka_unit_test(the_tenant_is_the_member_else_the_client),
        cmocka_unit_test(names_of_claims_are_configured),
        cmocka_unit_test(roles_are_known_only_where_a_source_is_configured),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(providers_name_tenants_or_all),
        cmocka_unit_test(the_consent_of_a_rich_authorization_request_is_read),
        cmocka_unit_test(a_consent_that_is_not_clear_is_refused),
        cmocka_unit_test(a_token_of_oidc_provider_is_read),
        cmocka_unit_test(a_token_of_ory_hydra_is_read),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
