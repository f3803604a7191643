/* The Authorization header and the shape of a token: what is read, and that nothing which could be
 * read in two ways is. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "base/limits.h"

#define BAD_HEADER \
    "The token's header is not the base64url of a JSON object whose members each stand once."
#define BAD_PAYLOAD \
    "The token's payload is not the base64url of a JSON object whose members each stand once."
#define BAD_TYPE "The token's typ must be at+jwt or JWT."
#define NOT_SIGNED                                                                               \
    "Opaque and encrypted tokens are not accepted yet: the token must be a JWT of three parts, " \
    "signed by a configured issuer."

static char *sign_header(const struct rig *rig, const char *header) {
    return token_sign(&(struct signer){.key = rig->ec}, header, PAYLOAD);
}

static void expect_header(struct rig *rig, const char *header, size_t size, bool missing,
                          const char *why) {
    struct auth_principal principal;
    struct auth_refusal refusal = {0};
    assert_int_equal(rig_present(rig, header, size, NOW_MS, &principal, &refusal),
                     STATUS_UNAUTHENTICATED);
    assert_string_equal(refusal.why, why);
    assert_int_equal(refusal.missing, missing);
}

static void a_request_without_a_bearer_token_is_missing_one(void **state) {
    struct rig *rig = *state;
    expect_header(rig, "", 0, true, "The request has no Authorization header.");
    expect_header(rig, "Basic dTpw", 10, true, "The Authorization header must be a bearer token.");
    expect_header(rig, "Bearertoken", 11, true, "The Authorization header must be a bearer token.");
    expect_header(rig, "Beare", 5, true, "The Authorization header must be a bearer token.");
    expect_header(rig, "Bearer", 6, true, "The Authorization header has no token after Bearer.");
    expect_header(rig, "Bearer  ", 8, true, "The Authorization header has no token after Bearer.");
    expect_header(rig, "DPoP a.b.c", 10, false,
                  "DPoP is not accepted yet: present a bearer token.");
}

static void the_scheme_has_no_case(void **state) {
    static const char *const schemes[] = {"Bearer ", "bearer ", "BEARER ", "bEaReR  "};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct auth_principal principal;
        struct auth_refusal refusal;
        struct buffer text = {0};
        char *token = rig_sign(rig, PAYLOAD);
        buffer_append_text(&text, schemes[i]);
        buffer_append_text(&text, token);
        assert_int_equal(rig_present(rig, text.data, text.size, NOW_MS, &principal, &refusal),
                         STATUS_OK);
        buffer_release(&text);
        free(token);
    }
}

static void opaque_and_encrypted_tokens_are_refused_with_a_reason(void **state) {
    struct rig *rig = *state;
    rig_refuse(rig, strdup("2YotnFZFEjr1zCsicMWpAA"), NOT_SIGNED);
    rig_refuse(rig, strdup("ory_at_abc.def"), NOT_SIGNED);
    rig_refuse(rig, strdup("a.b.c.d.e"), NOT_SIGNED);
}

static void every_truncation_is_refused(void **state) {
    struct rig *rig = *state;
    char *token = rig_sign(rig, PAYLOAD);
    struct buffer header = {0};
    buffer_append_format(&header, "Bearer %s", token);
    for (size_t size = 0; size < header.size; size++) {
        struct auth_principal principal;
        struct auth_refusal refusal = {0};
        assert_int_equal(rig_present(rig, header.data, size, NOW_MS, &principal, &refusal),
                         STATUS_UNAUTHENTICATED);
        assert_non_null(refusal.why);
    }
    buffer_release(&header);
    rig_accept(rig, token);
}

static void every_flipped_bit_is_refused(void **state) {
    struct rig *rig = *state;
    char *token = rig_sign(rig, PAYLOAD);
    struct buffer header = {0};
    buffer_append_format(&header, "Bearer %s", token);
    for (size_t bit = strlen("Bearer ") * 8; bit < header.size * 8; bit++) {
        struct auth_principal principal;
        struct auth_refusal refusal = {0};
        header.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(rig_present(rig, header.data, header.size, NOW_MS, &principal, &refusal),
                         STATUS_UNAUTHENTICATED);
        header.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_release(&header);
    rig_accept(rig, token);
}

/* The same bytes, written in another way: every one of these decodes to a valid token in a reader
 * that is not strict. */
static void base64url_has_one_form(void **state) {
    static const char *const tails[] = {"=", "==", " ", "\n", "\t", "."};
    struct rig *rig = *state;
    char *token = rig_sign(rig, PAYLOAD);
    size_t size = strlen(token);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        struct buffer text = {0};
        struct auth_principal principal;
        struct auth_refusal refusal;
        buffer_append_format(&text, "Bearer %s%s", token, tails[i]);
        assert_int_equal(rig_present(rig, text.data, text.size, NOW_MS, &principal, &refusal),
                         STATUS_UNAUTHENTICATED);
        buffer_release(&text);
    }
    /* 64 bytes are 86 digits: the last has four bits to spare, which must be zero. */
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t value = (size_t)(strchr(digits, token[size - 1]) - digits);
    assert_int_equal(value % 16, 0);
    for (size_t spare = 1; spare < 16; spare++) {
        char *other = strdup(token);
        other[size - 1] = digits[value + spare];
        rig_refuse(rig, other, "The token's signature is not base64url.");
    }
    rig_accept(rig, token);
}

static void base64_that_is_not_url_safe_is_refused(void **state) {
    struct rig *rig = *state;
    /* the claim makes the payload's text hold both digits that differ */
    char *token = rig_sign(rig, "{" CLAIMS ",\"x\":\"\xc3\xbf\xc3\xbf?>?>~~\"}");
    size_t changed = 0;
    for (char *at = token; *at != '\0'; at++) {
        changed += *at == '-' || *at == '_';
    }
    assert_true(changed > 0);
    char *standard = strdup(token);
    for (char *at = standard; *at != '\0'; at++) {
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    }
    struct auth_principal principal;
    struct auth_refusal refusal;
    assert_int_equal(rig_token(rig, standard, NOW_MS, &principal, &refusal),
                     STATUS_UNAUTHENTICATED);
    free(standard);
    rig_accept(rig, token);
}

/* A good token of exactly this size, made so by a claim and a header member nobody reads. */
static char *token_of_size(const struct rig *rig, size_t wanted) {
    for (int header_pad = 0; header_pad < 4; header_pad++) {
        struct buffer header = {0};
        struct buffer payload = {0};
        char *token;
        buffer_append_format(&header,
                             "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"x\":\"%.*s\"}",
                             header_pad, "aaaa");
        buffer_append_text(&payload, PAYLOAD);
        token =
            token_sign(&(struct signer){.key = rig->ec}, text_take(&header), text_take(&payload));
        size_t missing = (wanted - strlen(token)) / 4 * 3;
        free(token);
        payload.size = strlen(PAYLOAD) - 1;
        buffer_append_text(&payload, ",\"pad\":\"");
        for (size_t i = 0; i + 12 < missing; i++) {
            buffer_append_text(&payload, "a");
        }
        for (int more = 0; more < 12; more++) {
            size_t size = payload.size;
            buffer_append_text(&payload, "\"}");
            token = token_sign(&(struct signer){.key = rig->ec}, header.data, text_take(&payload));
            if (strlen(token) == wanted) {
                buffer_release(&header);
                buffer_release(&payload);
                return token;
            }
            free(token);
            payload.size = size;
            buffer_append_text(&payload, "a");
        }
        buffer_release(&header);
        buffer_release(&payload);
    }
    fail_msg("no token of %zu bytes", wanted);
    return NULL;
}

static void a_token_has_at_most_8_kib(void **state) {
    struct rig *rig = *state;
    char *largest = token_of_size(rig, LIMIT_TOKEN);
    char *larger = token_of_size(rig, LIMIT_TOKEN + 1);
    assert_int_equal(strlen(largest), 8192);
    rig_accept(rig, largest);
    rig_refuse(rig, larger, "The token is larger than 8 KiB.");
}

static void tokens_of_the_largest_size_are_cached_apart(void **state) {
    struct rig *rig = *state;
    struct auth_counters before;
    struct auth_counters after;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *first = token_of_size(rig, LIMIT_TOKEN); /* ES256 signs no two alike */
    char *second = token_of_size(rig, LIMIT_TOKEN);
    assert_string_not_equal(first, second);
    auth_loop_counters(rig->loop, &before);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_token(rig, first, NOW_MS, &principal, &refusal), STATUS_OK);
        assert_int_equal(rig_token(rig, second, NOW_MS, &principal, &refusal), STATUS_OK);
    }
    auth_loop_counters(rig->loop, &after);
    assert_int_equal(after.verified - before.verified, 2);
    assert_int_equal(after.cached - before.cached, 2);
    free(first);
    free(second);
}

static void a_megabyte_is_refused_before_it_is_read(void **state) {
    struct rig *rig = *state;
    char *token = malloc(1048577);
    memset(token, '.', 1048576);
    token[1048576] = '\0';
    rig_refuse(rig, token, "The token is larger than 8 KiB.");
}

static void typ_is_at_jwt_or_jwt(void **state) {
    static const char *const good[] = {"at+jwt", "AT+JWT", "JWT",
                                       "jwt",    "Jwt",    "application/at+jwt"};
    static const char *const bad[] = {"",          "dpop+jwt", "logout+jwt",       "JWS",   "at+jw",
                                      "at+jwt\\t", "JWTs",     "application/json", "at jwt"};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct buffer header = {0};
        buffer_append_format(&header, "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"ec\"}", good[i]);
        rig_accept(rig, sign_header(rig, text_take(&header)));
        buffer_release(&header);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer header = {0};
        buffer_append_format(&header, "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"ec\"}", bad[i]);
        rig_refuse(rig, sign_header(rig, text_take(&header)), BAD_TYPE);
        buffer_release(&header);
    }
    rig_refuse(rig, sign_header(rig, "{\"alg\":\"ES256\",\"kid\":\"ec\"}"), BAD_TYPE);
    rig_refuse(rig, sign_header(rig, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":[\"JWT\"]}"),
               BAD_TYPE);
}

static void a_critical_parameter_is_not_understood(void **state) {
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"crit\":[]}",
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"crit\":null}",
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rig_refuse(rig, sign_header(rig, headers[i]),
                   "The token has a critical header parameter that is not understood.");
    }
}

static void keys_in_the_token_are_ignored(void **state) {
    struct rig *rig = *state;
    EVP_PKEY *forger = EVP_EC_gen("P-256");
    const struct signer signer = {.key = forger};
    struct buffer header = {0};
    char *jwk = jwk_of(forger, "");
    buffer_append_format(
        &header,
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"jwk\":%s,"
        "\"jku\":\"https://forger.example/jwks\",\"x5u\":\"https://forger.example\","
        "\"x5c\":[\"AAAA\"]}",
        jwk);
    text_take(&header);
    rig_refuse(rig, token_sign(&signer, header.data, PAYLOAD),
               "The token's signature does not verify.");
    rig_accept(rig, sign_header(rig, header.data));
    buffer_release(&header);
    free(jwk);
    EVP_PKEY_free(forger);
}

static void members_stand_once(void **state) {
    struct rig *rig = *state;
    rig_refuse(
        rig, sign_header(rig, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\",\"kid\":\"ec\"}"),
        BAD_HEADER);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"exp\":1711933200}"), BAD_PAYLOAD);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"\\u0065xp\":1}"), BAD_PAYLOAD);
    rig_refuse(rig, rig_sign(rig, "{" CLAIMS ",\"x\":{\"y\":[{\"z\":1,\"z\":2}]}}"), BAD_PAYLOAD);
}

static void parts_are_json_objects(void **state) {
    static const char *const bad[] = {"[]",
                                      "7",
                                      "\"a\"",
                                      "null",
                                      "{",
                                      "{}{}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}",
                                      "{'a':1}",
                                      "{\"a\":1,}",
                                      "{\"a\":01}"};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_refuse(rig, sign_header(rig, bad[i]), BAD_HEADER);
        rig_refuse(rig, rig_sign(rig, bad[i]), BAD_PAYLOAD);
    }
}

static void deep_json_is_refused_and_does_not_overflow(void **state) {
    struct rig *rig = *state;
    struct buffer payload = {0};
    buffer_append_text(&payload, "{" CLAIMS ",\"x\":");
    for (int i = 0; i < 4000; i++) {
        buffer_append_text(&payload, "[");
    }
    rig_refuse(rig, rig_sign(rig, text_take(&payload)), BAD_PAYLOAD);
    buffer_release(&payload);
}

static void alg_and_kid_are_strings(void **state) {
    struct rig *rig = *state;
    rig_refuse(rig, sign_header(rig, "{\"typ\":\"JWT\",\"kid\":\"ec\"}"),
               "The token's header has no alg.");
    rig_refuse(rig, sign_header(rig, "{\"typ\":\"JWT\",\"kid\":\"ec\",\"alg\":[\"ES256\"]}"),
               "The token's header has no alg.");
    rig_refuse(rig, sign_header(rig, "{\"typ\":\"JWT\",\"kid\":7,\"alg\":\"ES256\"}"),
               "The token's kid is not a string.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_a_bearer_token_is_missing_one),
        cmocka_unit_test(the_scheme_has_no_case),
        cmocka_unit_test(opaque_and_encrypted_tokens_are_refused_with_a_reason),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(base64url_has_one_form),
        cmocka_unit_test(base64_that_is_not_url_safe_is_refused),
        cmocka_unit_test(a_token_has_at_most_8_kib),
        cmocka_unit_test(tokens_of_the_largest_size_are_cached_apart),
        cmocka_unit_test(a_megabyte_is_refused_before_it_is_read),
        cmocka_unit_test(typ_is_at_jwt_or_jwt),
        cmocka_unit_test(a_critical_parameter_is_not_understood),
        cmocka_unit_test(keys_in_the_token_are_ignored),
        cmocka_unit_test(members_stand_once),
        cmocka_unit_test(parts_are_json_objects),
        cmocka_unit_test(deep_json_is_refused_and_does_not_overflow),
        cmocka_unit_test(alg_and_kid_are_strings),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
