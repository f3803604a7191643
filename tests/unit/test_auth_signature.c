/* Signatures of each algorithm, the confusions between them, and what libjwt 1.10.2 lets pass. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#define BAD_SIGNATURE "The token's signature does not verify."
#define BAD_ALG "The token's alg is not that of its issuer's key."
#define BAD_KID "The token's kid names no key of its issuer."
#define NOT_SIGNED                                                                               \
    "Opaque and encrypted tokens are not accepted yet: the token must be a JWT of three parts, " \
    "signed by a configured issuer."

static char *header(const char *alg, const char *kid) {
    struct buffer out = {0};
    buffer_append_format(&out, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg, kid);
    return text_take(&out);
}

static char *sign_as(const struct signer *signer, const char *alg, const char *kid) {
    char *text = header(alg, kid);
    char *token = token_sign(signer, text, PAYLOAD);
    free(text);
    return token;
}

static void each_algorithm_verifies(void **state) {
    struct rig *rig = *state;
    const struct signer ec = {.key = rig->ec, .signing = SIGN_ES256};
    const struct signer ps = {.key = rig->rsa, .signing = SIGN_PS256};
    const struct signer rs = {.key = rig->rsa, .signing = SIGN_RS256};
    const struct signer ed = {.key = rig->ed, .signing = SIGN_EDDSA};
    assert_span(rig_accept(rig, sign_as(&ec, "ES256", "ec")).client_id, CLIENT);
    assert_span(rig_accept(rig, sign_as(&ps, "PS256", "rsa")).client_id, CLIENT);
    assert_span(rig_accept(rig, sign_as(&rs, "RS256", "rs")).client_id, CLIENT);
    assert_span(rig_accept(rig, sign_as(&ed, "EdDSA", "ed")).client_id, CLIENT);
    assert_span(rig_accept(rig, sign_as(&ed, "Ed25519", "ed")).client_id, CLIENT); /* RFC 9864 */
}

/* Short r and s (leading zero bytes) come up once in 128 signatures. */
static void es256_signatures_verify_whatever_the_size_of_r_and_s(void **state) {
    struct rig *rig = *state;
    for (int i = 0; i < 600; i++) {
        rig_accept(rig, rig_sign(rig, PAYLOAD));
    }
}

static void the_algorithm_belongs_to_the_key(void **state) {
    static const char *const algs[] = {"ES256", "PS256", "RS256", "EdDSA", "ES384",  "none",
                                       "None",  "HS256", "es256", "",      "Ed25519"};
    static const char *const kids[] = {"ec", "rsa", "rs", "ed"};
    static const char *const own[] = {"ES256", "PS256", "RS256", "EdDSA"};
    struct rig *rig = *state;
    EVP_PKEY *const pairs[] = {rig->ec, rig->rsa, rig->rsa, rig->ed};
    static const enum signing signing[] = {SIGN_ES256, SIGN_PS256, SIGN_RS256, SIGN_EDDSA};
    for (size_t k = 0; k < 4; k++) {
        const struct signer signer = {.key = pairs[k], .signing = signing[k]};
        for (size_t a = 0; a < sizeof algs / sizeof algs[0]; a++) {
            bool other_name = k == 3 && strcmp(algs[a], "Ed25519") == 0;
            if (strcmp(algs[a], own[k]) != 0 && !other_name) {
                rig_refuse(rig, sign_as(&signer, algs[a], kids[k]), BAD_ALG);
            }
        }
    }
}

static void rsa_paddings_are_not_interchangeable(void **state) {
    struct rig *rig = *state;
    const struct signer ps = {.key = rig->rsa, .signing = SIGN_PS256};
    const struct signer rs = {.key = rig->rsa, .signing = SIGN_RS256};
    rig_refuse(rig, sign_as(&rs, "PS256", "rsa"), BAD_SIGNATURE);
    rig_refuse(rig, sign_as(&ps, "RS256", "rs"), BAD_SIGNATURE);
}

static void ps256_means_a_salt_of_32_bytes_and_mgf1_with_sha256(void **state) {
    struct rig *rig = *state;
    const struct signer salts[] = {
        {.key = rig->rsa, .signing = SIGN_PS256, .salt = 20},
        {.key = rig->rsa, .signing = SIGN_PS256, .salt = 31},
        {.key = rig->rsa, .signing = SIGN_PS256, .salt = 33},
        {.key = rig->rsa, .signing = SIGN_PS256, .salt = 222},
        {.key = rig->rsa, .signing = SIGN_PS256, .mgf1 = EVP_sha1()},
        {.key = rig->rsa, .signing = SIGN_PS256, .mgf1 = EVP_sha512()},
    };
    for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
        rig_refuse(rig, sign_as(&salts[i], "PS256", "rsa"), BAD_SIGNATURE);
    }
}

static void the_kid_decides_the_key(void **state) {
    struct rig *rig = *state;
    EVP_PKEY *other = EVP_EC_gen("P-256");
    const struct signer stranger = {.key = other};
    const struct signer ec = {.key = rig->ec};
    rig_refuse(rig, sign_as(&stranger, "ES256", "ec"), BAD_SIGNATURE);
    rig_refuse(rig, sign_as(&ec, "ES256", "EC"), BAD_KID);
    rig_refuse(rig, sign_as(&ec, "ES256", ""), BAD_KID);
    rig_refuse(rig, token_sign(&ec, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", PAYLOAD), BAD_KID);
    EVP_PKEY_free(other);
}

/* h.p of a signed token, with another signature. Takes signature. */
static char *with_signature(const char *token, char *signature) {
    struct buffer out = {0};
    const char *dot = strrchr(token, '.');
    buffer_append(&out, token, (size_t)(dot + 1 - token));
    buffer_append_text(&out, signature);
    free(signature);
    return text_take(&out);
}

static void es256_signatures_are_64_raw_bytes(void **state) {
    struct rig *rig = *state;
    unsigned char bytes[65] = {0};
    char *token = rig_sign(rig, PAYLOAD);
    struct buffer longer = {0}; /* its last digit has four bits to spare, and "A" six more */
    buffer_append_text(&longer, token);
    buffer_append_text(&longer, "A");
    rig_refuse(rig, text_take(&longer), BAD_SIGNATURE);
    const struct signer der = {.key = rig->ec, .der = true};
    rig_refuse(rig, sign_as(&der, "ES256", "ec"), BAD_SIGNATURE);
    rig_refuse(rig, with_signature(token, base64url(bytes, 64)), BAD_SIGNATURE); /* r = s = 0 */
    rig_refuse(rig, with_signature(token, base64url(bytes, 63)), BAD_SIGNATURE);
    rig_refuse(rig, with_signature(token, base64url(bytes, 65)), BAD_SIGNATURE);
    rig_refuse(rig, with_signature(token, base64url(bytes, 1)), BAD_SIGNATURE);
    memset(bytes, 0xff, sizeof bytes); /* beyond the order of the curve */
    rig_refuse(rig, with_signature(token, base64url(bytes, 64)), BAD_SIGNATURE);
    free(token);
}

/* What OpenSSL leaves in its queue, TLS code would take for its own failure. */
static void no_refusal_leaves_an_error_behind(void **state) {
    struct rig *rig = *state;
    unsigned char bytes[64];
    memset(bytes, 0xff, sizeof bytes);
    char *token = rig_sign(rig, PAYLOAD);
    const struct signer rs = {.key = rig->rsa, .signing = SIGN_RS256};
    ERR_clear_error();
    rig_refuse(rig, with_signature(token, base64url(bytes, 64)), BAD_SIGNATURE);
    assert_int_equal(ERR_peek_error(), 0);
    rig_refuse(rig, sign_as(&rs, "PS256", "rsa"), BAD_SIGNATURE);
    assert_int_equal(ERR_peek_error(), 0);
    free(token);
}

static void a_signature_longer_than_any_key_is_refused(void **state) {
    struct rig *rig = *state;
    unsigned char bytes[1025] = {0};
    char *token = rig_sign(rig, PAYLOAD);
    rig_refuse(rig, with_signature(token, base64url(bytes, 1024)), BAD_SIGNATURE);
    rig_refuse(rig, with_signature(token, base64url(bytes, 1025)),
               "The token's signature is not base64url.");
    free(token);
}

static void an_empty_signature_is_no_signature(void **state) {
    struct rig *rig = *state;
    char *token = rig_sign(rig, PAYLOAD);
    rig_refuse(rig, with_signature(token, strdup("")), NOT_SIGNED);
    free(token);
}

/* libjwt 1.10.2 takes the public key it was given as the secret of a token that says HS256. */
static void hs256_with_the_public_key_as_secret_is_refused(void **state) {
    struct rig *rig = *state;
    EVP_PKEY *const pairs[] = {rig->ec, rig->rsa};
    static const char *const kids[] = {"ec", "rsa"};
    for (size_t i = 0; i < 2; i++) {
        char *pem;
        BIO *out = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PUBKEY(out, pairs[i]), 1);
        size_t size = (size_t)BIO_get_mem_data(out, &pem);
        char *jwk = jwk_of(pairs[i], "");
        char *text = header("HS256", kids[i]);
        rig_refuse(rig, token_hmac(text, PAYLOAD, pem, size), BAD_ALG);
        rig_refuse(rig, token_hmac(text, PAYLOAD, jwk, strlen(jwk)), BAD_ALG);
        free(text);
        text = header(i == 0 ? "ES256" : "PS256", kids[i]);
        rig_refuse(rig, token_hmac(text, PAYLOAD, pem, size), BAD_SIGNATURE);
        free(text);
        free(jwk);
        BIO_free(out);
    }
}

/* libjwt 1.10.2 verifies nothing when its key is NULL. */
static void without_keys_nothing_is_accepted(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token = rig_sign(rig, PAYLOAD);
    struct buffer text = {0};
    buffer_append_format(&text, "Bearer %s", token);
    const struct auth_credentials credentials = {
        .authorization = buffer_span(&text), .peer = SPAN("192.0.2.250"), .now_ms = NOW_MS};
    assert_int_equal(auth_verify(rig->loop, NULL, &credentials, &principal, &refusal),
                     STATUS_UNAUTHENTICATED);
    assert_string_equal(refusal.why, "No issuer of tokens is configured.");
    buffer_release(&text);
    free(token);
}

static void alg_none_is_refused_with_any_signature(void **state) {
    struct rig *rig = *state;
    char *text = header("none", "ec");
    char *token = token_hmac(text, PAYLOAD, "", 0);
    rig_refuse(rig, with_signature(token, strdup("")), NOT_SIGNED);
    rig_refuse(rig, token, BAD_ALG);
    free(text);
}

/* libjwt 1.10.2 writes one byte past its buffer on "..". */
static void tokens_of_empty_parts_are_refused(void **state) {
    static const char *const tokens[] = {".",  "..",  "...",  "a..",  ".a.", "..a",
                                         "a.", "a.b", "a.b.", ".b.c", "a..c"};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        rig_refuse(rig, strdup(tokens[i]), NOT_SIGNED);
    }
}

/* libjwt 1.10.2 refuses at+jwt, the type RFC 9068 prescribes; rig_sign uses it. */
static void tokens_of_type_at_jwt_are_read(void **state) {
    struct rig *rig = *state;
    assert_non_null(strstr(ES256_HEADER, "\"typ\":\"at+jwt\""));
    assert_span(rig_accept(rig, rig_sign(rig, PAYLOAD)).client_id, CLIENT);
}

static void a_key_of_one_issuer_says_nothing_about_another(void **state) {
    struct rig *rig = *state;
    char why[512];
    struct auth_keys *keys = NULL;
    EVP_PKEY *other = EVP_EC_gen("P-256");
    char *text_1 = jwk_of(rig->ec, ",\"kid\":\"ec\"");
    char *text_2 = jwk_of(other, ",\"kid\":\"ec\"");
    char *path_1 = file_with(text_1);
    char *path_2 = file_with(text_2);
    struct auth_issuer issuers[2] = {issuer_config(), issuer_config()};
    issuers[0].key_file = path_1;
    issuers[1].key_file = path_2;
    issuers[1].issuer = SPAN("https://other.example");
    assert_int_equal(auth_keys_load(issuers, 2, &keys, why, sizeof why), STATUS_OK);
    struct auth_keys *own = rig->keys;
    rig->keys = keys;
    const struct signer stranger = {.key = other};
    rig_accept(rig, rig_sign(rig, PAYLOAD));
    rig_refuse(rig, token_sign(&stranger, ES256_HEADER, PAYLOAD), BAD_SIGNATURE);
    rig_accept(rig, token_sign(&stranger, ES256_HEADER,
                               "{\"iss\":\"https://other.example\",\"aud\":\"consentd\","
                               "\"exp\":1711933200,\"client_id\":\"c\"}"));
    rig->keys = own;
    auth_keys_free(keys);
    unlink(path_1);
    unlink(path_2);
    free(path_1);
    free(path_2);
    free(text_1);
    free(text_2);
    EVP_PKEY_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_verifies),
        cmocka_unit_test(es256_signatures_verify_whatever_the_size_of_r_and_s),
        cmocka_unit_test(the_algorithm_belongs_to_the_key),
        cmocka_unit_test(rsa_paddings_are_not_interchangeable),
        cmocka_unit_test(ps256_means_a_salt_of_32_bytes_and_mgf1_with_sha256),
        cmocka_unit_test(the_kid_decides_the_key),
        cmocka_unit_test(es256_signatures_are_64_raw_bytes),
        cmocka_unit_test(no_refusal_leaves_an_error_behind),
        cmocka_unit_test(a_signature_longer_than_any_key_is_refused),
        cmocka_unit_test(an_empty_signature_is_no_signature),
        cmocka_unit_test(hs256_with_the_public_key_as_secret_is_refused),
        cmocka_unit_test(without_keys_nothing_is_accepted),
        cmocka_unit_test(alg_none_is_refused_with_any_signature),
        cmocka_unit_test(tokens_of_empty_parts_are_refused),
        cmocka_unit_test(tokens_of_type_at_jwt_are_read),
        cmocka_unit_test(a_key_of_one_issuer_says_nothing_about_another),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
