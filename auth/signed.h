/* JWTs that a signer made (auth/signer.h), read with its published keys. For tools: of any size,
 * and without the claims that make a token. Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_SIGNED_H
#define AUTH_SIGNED_H

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

/* Verifies an ES256 signature with the key of `jwks` (a JWK set) that the header names, and appends
 * the payload. STATUS_UNAUTHENTICATED with one sentence in why when it does not verify,
 * STATUS_INVALID_PARAMETER when jwt or jwks is none. */
MUST_CHECK enum status auth_signed_read(struct span jwks, struct span jwt, struct buffer *payload,
                                        const char **why);

#endif
