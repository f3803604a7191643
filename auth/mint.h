/* Development tokens: an ES256 key pair on disk and JWTs signed with it by libjwt. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_MINT_H
#define AUTH_MINT_H

#include <stdint.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

struct auth_claims {
    struct span issuer, audience, client_id;
    struct span member;       /* absent: none */
    struct span scope;        /* space separated */
    const struct span *roles; /* claim "roles" */
    uint32_t role_count;
    const struct span *providers; /* claim "providers" */
    uint32_t provider_count;
    int64_t issued_at_s, expires_s;
};
/* Makes a P-256 key pair: private key as PEM (mode 0600) and public key as a JWK set whose kid is
 * the RFC 7638 thumbprint. Fails with STATUS_INTERNAL, and *why, when a file exists or cannot be
 * written. */
MUST_CHECK enum status auth_mint_keygen(const char *private_file, const char *jwks_file, char *why,
                                        size_t why_size);
/* Appends a signed token to out. */
MUST_CHECK enum status auth_mint(const char *private_file, const struct auth_claims *claims,
                                 struct buffer *out, char *why, size_t why_size);

#endif
