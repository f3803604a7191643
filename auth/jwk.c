/* JWK to EVP_PKEY: P-256 and RSA through EVP_PKEY_fromdata, Ed25519 from its 32 raw bytes. What is
 * malformed, weak or secret is refused with a reason, what is merely of no use is skipped.
 *
 * Threads: any, one key at a time. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"

#define P256_COORDINATE 32
#define ED25519_SIZE 32
#define RSA_BITS_MIN 2048
#define RSA_BYTES_MAX 1024 /* 8192 bits: a verification stays under a millisecond */
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_BYTES 8

const char *auth_alg_name(enum auth_alg alg) {
    static const char *const names[] = {"ES256", "PS256", "EdDSA", "RS256"};
    return names[alg];
}

bool auth_alg_is(enum auth_alg alg, struct span name) {
    return span_is(name, auth_alg_name(alg)) || (alg == AUTH_ALG_EDDSA && span_is(name, "Ed25519"));
}

static struct span member(const json_t *jwk, const char *name) {
    const json_t *value = json_object_get(jwk, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

static bool decode(const json_t *jwk, const char *name, unsigned char *out, size_t *size) {
    size_t capacity = *size;
    struct span text = member(jwk, name);
    return span_present(text) && text.size > 0 &&
           decode_base64url(text, out, capacity, size) == STATUS_OK;
}

/* NULL, with OpenSSL's error queue left clean, when the parameters are no key. */
static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params) {
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    bool made = context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
                EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(context);
    if (made) {
        context = EVP_PKEY_CTX_new(pkey, NULL);
        made = context != NULL && EVP_PKEY_public_check(context) == 1;
        EVP_PKEY_CTX_free(context);
    }
    ERR_clear_error();
    if (!made) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static enum auth_jwk_outcome read_ec(const json_t *jwk, struct auth_key *out, const char **why) {
    unsigned char point[1 + 2 * P256_COORDINATE + 1]; /* one more, so that 33 bytes are seen */
    size_t x_size = P256_COORDINATE + 1;
    size_t y_size = P256_COORDINATE + 1;
    char group[] = "prime256v1";
    struct span curve = member(jwk, "crv");
    if (!span_is(curve, "P-256")) {
        *why = "an elliptic curve key for ES256 must be on P-256";
        return span_present(member(jwk, "alg")) ? AUTH_JWK_BAD : AUTH_JWK_SKIPPED;
    }
    point[0] = 0x04;
    if (!decode(jwk, "x", point + 1, &x_size) || x_size != P256_COORDINATE ||
        !decode(jwk, "y", point + 1 + P256_COORDINATE, &y_size) || y_size != P256_COORDINATE) {
        *why = "x and y must be the base64url of exactly 32 bytes each";
        return AUTH_JWK_BAD;
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * P256_COORDINATE),
        OSSL_PARAM_construct_end()};
    out->alg = AUTH_ALG_ES256;
    out->pkey = key_from("EC", params);
    *why = "x and y are not a point of P-256";
    return out->pkey != NULL ? AUTH_JWK_USABLE : AUTH_JWK_BAD;
}

static enum auth_jwk_outcome read_ed25519(const json_t *jwk, struct auth_key *out,
                                          const char **why) {
    unsigned char x[ED25519_SIZE + 1];
    size_t size = sizeof x;
    if (!span_is(member(jwk, "crv"), "Ed25519")) {
        *why = "an octet key pair must be Ed25519";
        return AUTH_JWK_SKIPPED;
    }
    if (!decode(jwk, "x", x, &size) || size != ED25519_SIZE) {
        *why = "x must be the base64url of exactly 32 bytes";
        return AUTH_JWK_BAD;
    }
    out->alg = AUTH_ALG_EDDSA;
    out->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, size);
    ERR_clear_error();
    *why = "x is not an Ed25519 key";
    return out->pkey != NULL ? AUTH_JWK_USABLE : AUTH_JWK_BAD;
}

/* Why n and e are not to be trusted, NULL when they are. */
static const char *rsa_weakness(const BIGNUM *n, const BIGNUM *e) {
    if (BN_num_bits(n) < RSA_BITS_MIN) {
        return "an RSA key must have at least 2048 bits";
    }
    if (!BN_is_odd(n) || !BN_is_odd(e) || BN_get_word(e) < RSA_EXPONENT_MIN) {
        return "n must be odd, and e odd and at least 65537";
    }
    return NULL;
}

static EVP_PKEY *rsa_from(const BIGNUM *n, const BIGNUM *e) {
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params != NULL) {
        pkey = key_from("RSA", params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static enum auth_jwk_outcome read_rsa(const json_t *jwk, struct auth_key *out, const char **why) {
    unsigned char n_bytes[RSA_BYTES_MAX];
    unsigned char e_bytes[RSA_EXPONENT_BYTES];
    size_t n_size = sizeof n_bytes;
    size_t e_size = sizeof e_bytes;
    if (!decode(jwk, "n", n_bytes, &n_size) || !decode(jwk, "e", e_bytes, &e_size) ||
        n_bytes[0] == 0 || e_bytes[0] == 0) {
        *why = "n and e must be base64url without leading zero octets, n at most 8192 bits";
        return AUTH_JWK_BAD;
    }
    BIGNUM *n = BN_bin2bn(n_bytes, (int)n_size, NULL);
    BIGNUM *e = BN_bin2bn(e_bytes, (int)e_size, NULL);
    *why = n != NULL && e != NULL ? rsa_weakness(n, e) : "n and e cannot be read";
    if (*why == NULL) {
        out->pkey = rsa_from(n, e);
        *why = "n and e are not an RSA key";
    }
    BN_free(n);
    BN_free(e);
    return out->pkey != NULL ? AUTH_JWK_USABLE : AUTH_JWK_BAD;
}

static enum auth_jwk_outcome read_rsa_for(const json_t *jwk, bool allow_rs256, struct auth_key *out,
                                          const char **why) {
    struct span alg = member(jwk, "alg");
    out->alg = AUTH_ALG_PS256;
    if (span_is(alg, "RS256") || (!span_present(alg) && allow_rs256)) {
        out->alg = AUTH_ALG_RS256;
    }
    if (out->alg == AUTH_ALG_RS256 && !allow_rs256) {
        *why = "RS256 is not allowed for this issuer by its configuration";
        return AUTH_JWK_SKIPPED;
    }
    return read_rsa(jwk, out, why);
}

/* Whether the key says that it is for something else than verifying with an algorithm of ours. */
static bool is_for_other_use(const json_t *jwk, struct span alg_1, struct span alg_2) {
    const json_t *operations = json_object_get(jwk, "key_ops");
    const json_t *operation;
    size_t i;
    bool verifies = operations == NULL;
    json_array_foreach(operations, i, operation) {
        verifies = verifies || (json_is_string(operation) &&
                                span_is(span_of_text(json_string_value(operation)), "verify"));
    }
    struct span use = member(jwk, "use");
    struct span alg = member(jwk, "alg");
    return !verifies || (span_present(use) && !span_is(use, "sig")) ||
           (span_present(alg) && !span_equal(alg, alg_1) && !span_equal(alg, alg_2));
}

static enum auth_jwk_outcome read_by_type(const json_t *jwk, bool allow_rs256, struct auth_key *out,
                                          const char **why) {
    struct span type = member(jwk, "kty");
    *why = "it is not for verifying ES256, PS256, EdDSA (or RS256) signatures";
    if (span_is(type, "EC")) {
        return is_for_other_use(jwk, SPAN("ES256"), SPAN("ES256")) ? AUTH_JWK_SKIPPED
                                                                   : read_ec(jwk, out, why);
    }
    if (span_is(type, "OKP")) {
        return is_for_other_use(jwk, SPAN("EdDSA"), SPAN("Ed25519")) ? AUTH_JWK_SKIPPED
                                                                     : read_ed25519(jwk, out, why);
    }
    if (span_is(type, "RSA")) {
        return is_for_other_use(jwk, SPAN("PS256"), SPAN("RS256"))
                   ? AUTH_JWK_SKIPPED
                   : read_rsa_for(jwk, allow_rs256, out, why);
    }
    return AUTH_JWK_SKIPPED;
}

enum auth_jwk_outcome auth_jwk_read(const json_t *jwk, bool allow_rs256, struct auth_key *out,
                                    const char **why) {
    struct auth_key key = {0};
    const json_t *kid = json_object_get(jwk, "kid");
    if (!span_present(member(jwk, "kty"))) {
        *why = "it is not an object with a kty";
        return AUTH_JWK_BAD;
    }
    if (json_object_get(jwk, "d") != NULL || json_object_get(jwk, "k") != NULL) {
        *why = "it is a private or symmetric key, which has no place in a key set for verifying";
        return AUTH_JWK_BAD;
    }
    if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) == 0 ||
                        json_string_length(kid) > LIMIT_URL)) {
        *why = "kid must be a string of 1 to 256 bytes";
        return AUTH_JWK_BAD;
    }
    enum auth_jwk_outcome outcome = read_by_type(jwk, allow_rs256, &key, why);
    if (outcome == AUTH_JWK_USABLE) {
        key.kid = kid != NULL ? mem_copy_text(span_of_text(json_string_value(kid))) : NULL;
        *out = key;
    }
    return outcome;
}

void auth_key_release(struct auth_key *key) {
    EVP_PKEY_free(key->pkey);
    mem_free(key->kid);
    *key = (struct auth_key){0};
}

void auth_key_copy(const struct auth_key *key, struct auth_key *out) {
    EVP_PKEY_up_ref(key->pkey);
    *out = (struct auth_key){
        .alg = key->alg,
        .pkey = key->pkey,
        .kid = key->kid != NULL ? mem_copy_text(span_of_text(key->kid)) : NULL,
    };
}
