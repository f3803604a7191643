/* A key pair that signs JWTs with ES256, by libjwt, which signs here and verifies nowhere (see
 * auth/signature.h). Thread-safe once loaded. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_SIGNER_H
#define AUTH_SIGNER_H

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

struct auth_signer;

/* Reads a P-256 private key in PEM. STATUS_INTERNAL with one sentence in why. Caller frees with
 * auth_signer_free. */
MUST_CHECK enum status auth_signer_load(const char *private_file, struct auth_signer **out,
                                        char *why, size_t why_size);
/* The same, of a key that is made when there is no such file (mode 0600). */
MUST_CHECK enum status auth_signer_load_or_make(const char *private_file, struct auth_signer **out,
                                                char *why, size_t why_size);
/* Wipes the key. NULL is right. */
void auth_signer_free(struct auth_signer *signer);
/* Appends the JWT of claims, a JSON object with a NUL behind it. STATUS_INTERNAL when libjwt
 * refuses. libjwt 1.10.2 parses the key again each time (about 400 us) and sorts the claims. */
MUST_CHECK enum status auth_signer_sign(const struct auth_signer *signer, const char *claims,
                                        struct buffer *out);
/* {"keys":[...]}, for who verifies. A view, until auth_signer_free. */
struct span auth_signer_jwks(const struct auth_signer *signer);

#endif
