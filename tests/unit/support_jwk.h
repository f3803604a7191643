/* Public keys as JWK text, and key files that are really loaded. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_JWK_H
#define TESTS_UNIT_SUPPORT_JWK_H

#include <stdlib.h>
#include <unistd.h>

#include "auth/auth.h"
#include "tests/unit/support_token.h"

#define ISSUER "https://as.example"
#define AUDIENCE "consentd"

UNUSED static char *bn_base64url(const EVP_PKEY *key, const char *name) {
    BIGNUM *number = NULL;
    unsigned char bytes[1024];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int size = BN_bn2bin(number, bytes);
    BN_free(number);
    return base64url(bytes, (size_t)size);
}

/* The public half as a JWK; extra is put before the closing brace (",\"kid\":\"ec\""). Caller frees
 * with free. */
UNUSED static char *jwk_of(const EVP_PKEY *key, const char *extra) {
    struct buffer out = {0};
    unsigned char bytes[133];
    size_t size = sizeof bytes;
    if (EVP_PKEY_is_a(key, "RSA")) {
        char *n = bn_base64url(key, OSSL_PKEY_PARAM_RSA_N);
        char *e = bn_base64url(key, OSSL_PKEY_PARAM_RSA_E);
        buffer_append_format(&out, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", n, e, extra);
        free(n);
        free(e);
    } else if (EVP_PKEY_is_a(key, "ED25519")) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, bytes, &size), 1);
        char *x = base64url(bytes, size);
        buffer_append_format(&out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}", x,
                             extra);
        free(x);
    } else {
        assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, bytes,
                                                         sizeof bytes, &size),
                         1);
        char *x = base64url(bytes + 1, (size - 1) / 2);
        char *y = base64url(bytes + 1 + (size - 1) / 2, (size - 1) / 2);
        buffer_append_format(&out, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}",
                             size == 65 ? "P-256" : "P-384", x, y, extra);
        free(x);
        free(y);
    }
    return text_take(&out);
}

/* Writes text to a new file; its name, which the caller frees and unlinks. */
UNUSED static char *file_with(const char *text) {
    char *path = mem_copy_text(SPAN("/tmp/consentd-test-XXXXXX"));
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    return path;
}

/* Loads one issuer from the text of its key file; config's key_file is set here. */
UNUSED static enum status keys_load_text(struct auth_issuer config, const char *text,
                                         struct auth_keys **out, char *why, size_t why_size) {
    char *path = file_with(text);
    config.key_file = path;
    enum status status = auth_keys_load(&config, 1, out, why, why_size);
    unlink(path);
    free(path);
    return status;
}

UNUSED static struct auth_issuer issuer_config(void) {
    return (struct auth_issuer){.issuer = SPAN(ISSUER), .audience = SPAN(AUDIENCE)};
}

/* Loads sets that must be good. Frees text. */
UNUSED static struct auth_keys *keys_from(struct auth_issuer config, char *text) {
    char why[512] = "";
    struct auth_keys *keys = NULL;
    if (keys_load_text(config, text, &keys, why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
    free(text);
    return keys;
}

#endif
