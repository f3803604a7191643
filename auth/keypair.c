/* Makes, reads and shows a P-256 key pair. A failure of OpenSSL on a key of our own making is out
 * of memory or a broken library: both are fatal. Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/keypair.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/json_out.h"
#include "base/log.h"

#define COORDINATE 32
#define POINT_SIZE (1 + 2 * COORDINATE)

/* Empty instead of a question at the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context) {
    (void)writing;
    (void)context;
    if (size > 0) {
        buffer[0] = '\0';
    }
    return 0;
}

static bool read_point(const EVP_PKEY *pair, unsigned char point[POINT_SIZE]) {
    size_t size = 0;
    char group[32];
    bool read = EVP_PKEY_get_group_name(pair, group, sizeof group, NULL) == 1 &&
                span_is(span_of_text(group), "prime256v1") &&
                EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_SIZE,
                                                &size) == 1 &&
                size == POINT_SIZE && point[0] == 0x04;
    ERR_clear_error();
    return read;
}

EVP_PKEY *auth_keypair_make(void) {
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    ASSERT(pair != NULL);
    return pair;
}

EVP_PKEY *auth_keypair_read(struct span pem) {
    unsigned char point[POINT_SIZE];
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *pair = PEM_read_bio_PrivateKey(in, NULL, no_pass_phrase, NULL);
    BIO_free(in);
    ERR_clear_error();
    if (pair != NULL && !read_point(pair, point)) {
        EVP_PKEY_free(pair);
        return NULL;
    }
    return pair;
}

void auth_keypair_write_pem(const EVP_PKEY *pair, struct buffer *out) {
    char *text;
    BIO *to = BIO_new(BIO_s_mem());
    ASSERT(to != NULL && PEM_write_bio_PKCS8PrivateKey(to, pair, NULL, NULL, 0, NULL, NULL) == 1);
    long size = BIO_get_mem_data(to, &text);
    buffer_append(out, text, (size_t)size);
    BIO_free(to);
}

/* The members that RFC 7638 hashes, in its order. */
static void write_members(const EVP_PKEY *pair, struct json_out *json) {
    unsigned char point[POINT_SIZE];
    ASSERT(read_point(pair, point));
    json_out_member(json, "crv", SPAN("P-256"));
    json_out_member(json, "kty", SPAN("EC"));
    json_out_key(json, "x");
    json_out_base64url(json, point + 1, COORDINATE);
    json_out_key(json, "y");
    json_out_base64url(json, point + 1 + COORDINATE, COORDINATE);
}

void auth_keypair_kid(const EVP_PKEY *pair, char out[AUTH_KID_SIZE + 1]) {
    struct buffer text = {0};
    struct json_out json = json_out_to(&text);
    json_out_object_begin(&json);
    write_members(pair, &json);
    json_out_object_end(&json);
    struct digest thumbprint = digest_sha256(buffer_span(&text));
    out[encode_base64url(thumbprint.bytes, DIGEST_SIZE, out)] = '\0';
    buffer_release(&text);
}

void auth_keypair_write_jwks(const EVP_PKEY *pair, struct buffer *out) {
    char kid[AUTH_KID_SIZE + 1];
    struct json_out json = json_out_to(out);
    auth_keypair_kid(pair, kid);
    json_out_object_begin(&json);
    json_out_key(&json, "keys");
    json_out_array_begin(&json);
    json_out_object_begin(&json);
    write_members(pair, &json);
    json_out_member(&json, "alg", SPAN("ES256"));
    json_out_member(&json, "use", SPAN("sig"));
    json_out_member(&json, "kid", span_of_text(kid));
    json_out_object_end(&json);
    json_out_array_end(&json);
    json_out_object_end(&json);
    buffer_append_text(out, "\n");
}
