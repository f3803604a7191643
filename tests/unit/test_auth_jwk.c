/* Which public keys are taken, and which refused or skipped. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_jwk.h"

#include "auth/jwk.h"

static const char x31[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const char x32[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const char x33[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* Takes text. The key is released; its algorithm's name is returned when it was usable. */
static enum auth_jwk_outcome outcome_of(char *text, bool allow_rs256, const char **alg) {
    struct auth_key key = {0};
    const char *why = NULL;
    json_t *jwk = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    assert_non_null(jwk);
    enum auth_jwk_outcome outcome = auth_jwk_read(jwk, allow_rs256, &key, &why);
    if (outcome == AUTH_JWK_USABLE) {
        *alg = auth_alg_name(key.alg);
        assert_non_null(key.pkey);
        auth_key_release(&key);
    } else {
        assert_null(key.pkey);
        assert_non_null(why);
    }
    json_decref(jwk);
    free(text);
    return outcome;
}

static void expect(enum auth_jwk_outcome expected, char *text) {
    const char *alg = NULL;
    char *shown = strdup(text);
    enum auth_jwk_outcome outcome = outcome_of(text, false, &alg);
    if (outcome != expected) {
        fail_msg("%s: %d instead of %d", shown, (int)outcome, (int)expected);
    }
    free(shown);
}

static void expect_alg(const char *expected, char *text, bool allow_rs256) {
    const char *alg = NULL;
    assert_int_equal(outcome_of(text, allow_rs256, &alg), AUTH_JWK_USABLE);
    assert_string_equal(alg, expected);
}

static char *ec_jwk(const char *curve, const char *x, const char *y, const char *extra) {
    struct buffer out = {0};
    buffer_append_format(&out, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", curve,
                         x, y, extra);
    return text_take(&out);
}

static void each_kind_of_key_has_its_one_algorithm(void **state) {
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    expect_alg("ES256", jwk_of(ec, ""), false);
    expect_alg("ES256", jwk_of(ec, ",\"alg\":\"ES256\",\"use\":\"sig\",\"kid\":\"1\""), false);
    expect_alg("PS256", jwk_of(rsa, ""), false);
    expect_alg("PS256", jwk_of(rsa, ",\"alg\":\"PS256\""), true);
    expect_alg("EdDSA", jwk_of(ed, ",\"key_ops\":[\"verify\"]"), false);
    expect_alg("EdDSA", jwk_of(ed, ",\"alg\":\"Ed25519\""), false);
    expect(AUTH_JWK_SKIPPED, jwk_of(ed, ",\"alg\":\"Ed448\""));
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
}

static void rs256_needs_the_configuration_to_say_so(void **state) {
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    expect(AUTH_JWK_SKIPPED, jwk_of(rsa, ",\"alg\":\"RS256\""));
    expect_alg("RS256", jwk_of(rsa, ",\"alg\":\"RS256\""), true);
    expect_alg("RS256", jwk_of(rsa, ""), true);
    EVP_PKEY_free(rsa);
}

static void keys_for_something_else_are_skipped(void **state) {
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    EVP_PKEY *p384 = EVP_EC_gen("P-384");
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    expect(AUTH_JWK_SKIPPED, jwk_of(ec, ",\"use\":\"enc\""));
    expect(AUTH_JWK_SKIPPED, jwk_of(ec, ",\"key_ops\":[\"sign\"]"));
    expect(AUTH_JWK_SKIPPED, jwk_of(ec, ",\"alg\":\"ECDH-ES\""));
    expect(AUTH_JWK_SKIPPED, jwk_of(rsa, ",\"alg\":\"RSA-OAEP\""));
    expect(AUTH_JWK_SKIPPED, jwk_of(rsa, ",\"alg\":\"HS256\""));
    expect(AUTH_JWK_SKIPPED, jwk_of(rsa, ",\"alg\":\"none\""));
    expect(AUTH_JWK_SKIPPED, jwk_of(p384, ""));
    expect(AUTH_JWK_SKIPPED, jwk_of(p384, ",\"alg\":\"ES384\""));
    expect(AUTH_JWK_SKIPPED, strdup("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}"));
    expect(AUTH_JWK_SKIPPED, strdup("{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AAAA\"}"));
    EVP_PKEY_free(ec);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(rsa);
}

static void a_curve_other_than_p256_cannot_claim_es256(void **state) {
    (void)state;
    EVP_PKEY *p384 = EVP_EC_gen("P-384");
    expect(AUTH_JWK_BAD, jwk_of(p384, ",\"alg\":\"ES256\""));
    expect(AUTH_JWK_BAD, ec_jwk("secp256k1", x32, x32, ",\"alg\":\"ES256\""));
    expect(AUTH_JWK_BAD, ec_jwk("p-256", x32, x32, ",\"alg\":\"ES256\""));
    EVP_PKEY_free(p384);
}

static void coordinates_have_exactly_32_bytes_and_lie_on_the_curve(void **state) {
    (void)state;
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x31, x32, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x33, x32, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x32, x31, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x32, x33, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x32, "", ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x32, x32, "")); /* (0, 0) is not on P-256 */
    expect(AUTH_JWK_BAD, strdup("{\"kty\":\"EC\",\"crv\":\"P-256\"}"));
}

static void coordinates_that_lost_or_gained_a_byte_are_refused(void **state) {
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    unsigned char point[66];
    size_t size = 0;
    assert_int_equal(EVP_PKEY_get_octet_string_param(ec, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &size),
                     1);
    char *x = base64url(point + 1, 32);
    char *y = base64url(point + 33, 32);
    char *x_short = base64url(point + 2, 31); /* the rest shifted would fill 65 bytes again */
    point[65] = 0;
    char *y_long = base64url(point + 33, 33);
    expect(AUTH_JWK_USABLE, ec_jwk("P-256", x, y, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x_short, y_long, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", x, y_long, ""));
    expect(AUTH_JWK_BAD, ec_jwk("P-256", y, x, ""));
    free(x);
    free(y);
    free(x_short);
    free(y_long);
    EVP_PKEY_free(ec);
}

static void rsa_keys_have_at_least_2048_bits(void **state) {
    (void)state;
    EVP_PKEY *small = EVP_RSA_gen(1024);
    EVP_PKEY *almost = EVP_RSA_gen(2047);
    EVP_PKEY *enough = EVP_RSA_gen(2048);
    expect(AUTH_JWK_BAD, jwk_of(small, ""));
    expect(AUTH_JWK_BAD, jwk_of(almost, ""));
    expect(AUTH_JWK_USABLE, jwk_of(enough, ""));
    EVP_PKEY_free(small);
    EVP_PKEY_free(almost);
    EVP_PKEY_free(enough);
}

static char *rsa_jwk(const char *n, const char *e) {
    struct buffer out = {0};
    buffer_append_format(&out, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, e);
    return text_take(&out);
}

/* The modulus to the fourth power: composite, without small factors, about 8192 bits. */
static char *modulus_of_8192_bits(const EVP_PKEY *rsa) {
    unsigned char bytes[1024];
    BIGNUM *n = NULL;
    BN_CTX *context = BN_CTX_new();
    assert_int_equal(EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_sqr(n, n, context), 1);
    assert_int_equal(BN_sqr(n, n, context), 1);
    int size = BN_bn2bin(n, bytes);
    BN_free(n);
    BN_CTX_free(context);
    return base64url(bytes, (size_t)size);
}

static void rsa_numbers_are_odd_minimal_and_bounded(void **state) {
    unsigned char wide[1025];
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    char *n = bn_base64url(rsa, OSSL_PKEY_PARAM_RSA_N);
    char *n_largest = modulus_of_8192_bits(rsa);
    (void)state;
    memset(wide, 0xff, sizeof wide);
    char *n_too_large = base64url(wide, 1025);
    char *n_of_small_factors = base64url(wide, 256);
    wide[255] = 0xfe;
    char *n_even = base64url(wide, 256);
    expect(AUTH_JWK_USABLE, rsa_jwk(n, "AQAB"));
    expect(AUTH_JWK_BAD, rsa_jwk(n, "Aw"));           /* 3 */
    expect(AUTH_JWK_BAD, rsa_jwk(n, "AQAA"));         /* 65536 */
    expect(AUTH_JWK_BAD, rsa_jwk(n, "AAEAAQ"));       /* 65537 with a leading zero */
    expect(AUTH_JWK_BAD, rsa_jwk(n, "AQAAAAAAAAAB")); /* 9 bytes */
    expect(AUTH_JWK_BAD, rsa_jwk(n, ""));
    expect(AUTH_JWK_USABLE, rsa_jwk(n_largest, "AQAB"));
    expect(AUTH_JWK_BAD, rsa_jwk(n_too_large, "AQAB"));
    expect(AUTH_JWK_BAD, rsa_jwk(n_of_small_factors, "AQAB"));
    expect(AUTH_JWK_BAD, rsa_jwk(n_even, "AQAB"));
    free(n);
    free(n_largest);
    free(n_too_large);
    free(n_of_small_factors);
    free(n_even);
    EVP_PKEY_free(rsa);
}

static void a_modulus_with_a_leading_zero_is_refused(void **state) {
    unsigned char bytes[257] = {0};
    BIGNUM *n = NULL;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_bn2bin(n, bytes + 1), 256);
    char *plain = base64url(bytes + 1, 256);
    char *padded = base64url(bytes, 257);
    expect(AUTH_JWK_USABLE, rsa_jwk(plain, "AQAB"));
    expect(AUTH_JWK_BAD, rsa_jwk(padded, "AQAB"));
    free(plain);
    free(padded);
    BN_free(n);
    EVP_PKEY_free(rsa);
}

static void ed25519_keys_have_exactly_32_bytes(void **state) {
    static const char *const wrong[] = {x31, x33, ""};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buffer out = {0};
        buffer_append_format(&out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}", wrong[i]);
        expect(AUTH_JWK_BAD, text_take(&out));
    }
}

static void secret_keys_are_refused(void **state) {
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    expect(AUTH_JWK_BAD, jwk_of(ec, ",\"d\":\"AAAA\""));
    expect(AUTH_JWK_BAD, strdup("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"}"));
    EVP_PKEY_free(ec);
}

static void members_of_the_wrong_type_are_refused(void **state) {
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    expect(AUTH_JWK_BAD, jwk_of(ec, ",\"kid\":7"));
    expect(AUTH_JWK_BAD, jwk_of(ec, ",\"kid\":\"\""));
    expect(AUTH_JWK_BAD, strdup("{}"));
    expect(AUTH_JWK_BAD, strdup("[]"));
    expect(AUTH_JWK_BAD, strdup("\"EC\""));
    expect(AUTH_JWK_BAD, strdup("{\"kty\":5}"));
    expect(AUTH_JWK_BAD, strdup("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2}"));
    EVP_PKEY_free(ec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_has_its_one_algorithm),
        cmocka_unit_test(rs256_needs_the_configuration_to_say_so),
        cmocka_unit_test(keys_for_something_else_are_skipped),
        cmocka_unit_test(a_curve_other_than_p256_cannot_claim_es256),
        cmocka_unit_test(coordinates_have_exactly_32_bytes_and_lie_on_the_curve),
        cmocka_unit_test(coordinates_that_lost_or_gained_a_byte_are_refused),
        cmocka_unit_test(rsa_keys_have_at_least_2048_bits),
        cmocka_unit_test(rsa_numbers_are_odd_minimal_and_bounded),
        cmocka_unit_test(a_modulus_with_a_leading_zero_is_refused),
        cmocka_unit_test(ed25519_keys_have_exactly_32_bytes),
        cmocka_unit_test(secret_keys_are_refused),
        cmocka_unit_test(members_of_the_wrong_type_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
