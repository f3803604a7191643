/* A P-256 key pair as the development issuer needs it: PEM for the signer, a JWK set for verifiers.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_KEYPAIR_H
#define AUTH_KEYPAIR_H

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

#define AUTH_KID_SIZE ENCODE_BASE64URL_SIZE(DIGEST_SIZE)

/* Caller frees with EVP_PKEY_free. */
EVP_PKEY *auth_keypair_make(void);
/* The private key of a PEM without a pass phrase; NULL when it is not a P-256 private key. Caller
 * frees with EVP_PKEY_free. */
EVP_PKEY *auth_keypair_read(struct span pem);
/* PKCS #8. */
void auth_keypair_write_pem(const EVP_PKEY *pair, struct buffer *out);
/* {"keys":[…]} with the public half, its kid the RFC 7638 thumbprint. */
void auth_keypair_write_jwks(const EVP_PKEY *pair, struct buffer *out);
void auth_keypair_kid(const EVP_PKEY *pair, char out[AUTH_KID_SIZE + 1]);

#endif
