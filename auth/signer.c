/* Signing JWTs. The only file that knows libjwt. Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/signer.h"

#include <errno.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/file.h"
#include "auth/keypair.h"

struct auth_signer {
    struct buffer pem;
    struct buffer jwks;
    char kid[AUTH_KID_SIZE + 1];
};

enum status auth_signer_load(const char *private_file, struct auth_signer **out, char *why,
                             size_t why_size) {
    struct buffer pem = {0};
    enum status status = auth_file_read(private_file, &pem, why, why_size);
    EVP_PKEY *pair = status == STATUS_OK ? auth_keypair_read(buffer_span(&pem)) : NULL;
    if (pair == NULL) {
        if (status == STATUS_OK)
            snprintf(why, why_size, "%s is not a P-256 private key in PEM", private_file);
        if (pem.size != 0)
            OPENSSL_cleanse(pem.data, pem.size);
        buffer_release(&pem);
        return STATUS_INTERNAL;
    }
    struct auth_signer *signer = mem_alloc_zeroed(1, sizeof *signer);
    signer->pem = pem;
    auth_keypair_kid(pair, signer->kid);
    auth_keypair_write_jwks(pair, &signer->jwks);
    EVP_PKEY_free(pair);
    *out = signer;
    return STATUS_OK;
}

static enum status make(const char *private_file, char *why, size_t why_size) {
    struct buffer pem = {0};
    EVP_PKEY *pair = auth_keypair_make();
    auth_keypair_write_pem(pair, &pem);
    EVP_PKEY_free(pair);
    enum status status = auth_file_create(private_file, 0600, buffer_span(&pem), why, why_size);
    OPENSSL_cleanse(pem.data, pem.size);
    buffer_release(&pem);
    return status;
}

enum status auth_signer_load_or_make(const char *private_file, struct auth_signer **out, char *why,
                                     size_t why_size) {
    enum status status = STATUS_OK;
    if (access(private_file, F_OK) != 0 && errno == ENOENT)
        status = make(private_file, why, why_size);
    return status == STATUS_OK ? auth_signer_load(private_file, out, why, why_size) : status;
}

void auth_signer_free(struct auth_signer *signer) {
    if (signer == NULL)
        return;
    OPENSSL_cleanse(signer->pem.data, signer->pem.size);
    buffer_release(&signer->pem);
    buffer_release(&signer->jwks);
    mem_free(signer);
}

/* libjwt writes typ JWT, whatever is set. */
enum status auth_signer_sign(const struct auth_signer *signer, const char *claims,
                             struct buffer *out) {
    jwt_t *jwt = NULL;
    char *token = NULL;
    if (jwt_new(&jwt) == 0 && jwt_add_header(jwt, "kid", signer->kid) == 0 &&
        jwt_add_grants_json(jwt, claims) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)signer->pem.data,
                    (int)signer->pem.size) == 0)
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    if (token == NULL)
        return STATUS_INTERNAL;
    buffer_append_text(out, token);
    free(token);
    return STATUS_OK;
}

struct span auth_signer_jwks(const struct auth_signer *signer) {
    return buffer_span(&signer->jwks);
}
