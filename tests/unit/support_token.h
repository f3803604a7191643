/* Tokens and keys for the tests of auth/, made with OpenSSL directly, so that signer and verifier
 * share no code. Everything is for one test program: helpers are static, failures end the test. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_TOKEN_H
#define TESTS_UNIT_SUPPORT_TOKEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/span.h"

#define UNUSED __attribute__((unused))

enum signing { SIGN_ES256, SIGN_PS256, SIGN_RS256, SIGN_EDDSA };

UNUSED static void append_base64url(struct buffer *out, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < size ? bytes[i + 2] : 0;
        size_t count = size - i < 3 ? size - i + 1 : 4;
        for (size_t k = 0; k < count; k++) {
            buffer_append(out, &digits[group >> (18 - 6 * k) & 63], 1);
        }
    }
}

/* NUL-terminated; caller frees with free. */
UNUSED static char *text_take(struct buffer *buffer) {
    buffer_append(buffer, "", 1);
    return buffer->data;
}

UNUSED static char *base64url(const void *data, size_t size) {
    struct buffer out = {0};
    append_base64url(&out, data, size);
    return text_take(&out);
}

UNUSED static void append_es256(struct buffer *out, const unsigned char *der, size_t size) {
    unsigned char raw[64];
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32), 32);
    ECDSA_SIG_free(pair);
    append_base64url(out, raw, sizeof raw);
}

/* How to sign: salt and md_mgf1 only for PS256, 0 and NULL for what the algorithm prescribes. */
struct signer {
    EVP_PKEY *key;
    enum signing signing;
    int salt;
    const EVP_MD *mgf1;
    bool der; /* leave an ES256 signature as it comes from OpenSSL */
};

UNUSED static void set_signing(EVP_PKEY_CTX *context, const struct signer *signer) {
    if (signer->signing == SIGN_PS256) {
        int salt = signer->salt != 0 ? signer->salt : 32;
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(context, signer->mgf1 != NULL ? signer->mgf1
                                                                                    : EVP_sha256()),
                         1);
    }
}

UNUSED static void append_signature(struct buffer *token, const struct signer *signer) {
    unsigned char bytes[1024];
    size_t size = sizeof bytes;
    EVP_PKEY_CTX *context;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const EVP_MD *md = signer->signing == SIGN_EDDSA ? NULL : EVP_sha256();
    assert_int_equal(EVP_DigestSignInit(digest, &context, md, NULL, signer->key), 1);
    set_signing(context, signer);
    assert_int_equal(
        EVP_DigestSign(digest, bytes, &size, (const unsigned char *)token->data, token->size), 1);
    EVP_MD_CTX_free(digest);
    buffer_append_text(token, ".");
    if (signer->signing == SIGN_ES256 && !signer->der) {
        append_es256(token, bytes, size);
    } else {
        append_base64url(token, bytes, size);
    }
}

/* A signed token; caller frees with free. */
UNUSED static char *token_sign(const struct signer *signer, const char *header,
                               const char *payload) {
    struct buffer token = {0};
    append_base64url(&token, header, strlen(header));
    buffer_append_text(&token, ".");
    append_base64url(&token, payload, strlen(payload));
    append_signature(&token, signer);
    return text_take(&token);
}

/* "h.p." with HMAC-SHA-256 over it under secret, as HS256 has it. */
UNUSED static char *token_hmac(const char *header, const char *payload, const void *secret,
                               size_t secret_size) {
    unsigned char mac[32];
    unsigned int mac_size = sizeof mac;
    struct buffer token = {0};
    append_base64url(&token, header, strlen(header));
    buffer_append_text(&token, ".");
    append_base64url(&token, payload, strlen(payload));
    HMAC(EVP_sha256(), secret, (int)secret_size, (const unsigned char *)token.data, token.size, mac,
         &mac_size);
    buffer_append_text(&token, ".");
    append_base64url(&token, mac, mac_size);
    return text_take(&token);
}

#endif
