/* Verifies one signature with a parsed key. Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/signature.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define ES256_HALF 32
#define ES256_DER_MAX 72 /* SEQUENCE of two INTEGERs of at most 33 bytes */

/* JOSE's r || s as the DER that OpenSSL wants; 0 when it is none. */
static size_t es256_der(struct span raw, unsigned char out[ES256_DER_MAX]) {
    if (raw.size != (size_t)2 * ES256_HALF) {
        return 0;
    }
    const unsigned char *bytes = (const unsigned char *)raw.data;
    int size = 0;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, ES256_HALF, NULL);
    BIGNUM *s = BN_bin2bn(bytes + ES256_HALF, ES256_HALF, NULL);
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        unsigned char *end = out;
        size = i2d_ECDSA_SIG(pair, &end); /* the pair owns r and s now */
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return size > 0 ? (size_t)size : 0;
}

static bool set_padding(EVP_PKEY_CTX *context, enum auth_alg alg) {
    if (alg == AUTH_ALG_RS256) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    }
    if (alg == AUTH_ALG_PS256) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
    }
    return true;
}

static bool verify(const struct auth_key *key, struct span message, struct span signature) {
    EVP_PKEY_CTX *context; /* owned by digest */
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const EVP_MD *md = key->alg == AUTH_ALG_EDDSA ? NULL : EVP_sha256();
    bool valid = digest != NULL &&
                 EVP_DigestVerifyInit(digest, &context, md, NULL, key->pkey) == 1 &&
                 set_padding(context, key->alg) &&
                 EVP_DigestVerify(digest, (const unsigned char *)signature.data, signature.size,
                                  (const unsigned char *)message.data, message.size) == 1;
    EVP_MD_CTX_free(digest);
    return valid;
}

bool auth_signature_verify(const struct auth_key *key, struct span message, struct span signature) {
    unsigned char der[ES256_DER_MAX];
    if (key->alg == AUTH_ALG_ES256) {
        signature = span_of((const char *)der, es256_der(signature, der));
    }
    bool valid = signature.size > 0 && verify(key, message, signature);
    ERR_clear_error();
    return valid;
}
