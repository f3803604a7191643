/* Whether verified claims are for us and for now, and whom they name.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include <jansson.h>

#include "auth/auth.h"
#include "auth/keys.h"
#include "base/limits.h"

/* aud, exp, nbf and iat (RFC 7519 section 4.1). A token is valid while now < exp;
 * the leeway is for nbf and iat alone. STATUS_UNAUTHENTICATED and a static sentence in why. */
MUST_CHECK enum status auth_claims_check(const json_t *payload,
                                         const struct auth_keys_issuer *issuer, int64_t now_ms,
                                         int64_t *out_expires_ms, const char **why);

/* Where the arrays of a principal lie until it is copied. */
struct auth_principal_room {
    struct span roles[LIMIT_ROLES];
    struct span providers[LIMIT_PROVIDERS];
};
/* The principal of claims that were checked; borrows from payload and room; expires_ms is left 0.
 * A claim that is there but malformed is a refusal, never an absent claim. */
MUST_CHECK enum status auth_principal_read(const json_t *payload,
                                           const struct auth_keys_issuer *issuer,
                                           struct auth_principal_room *room,
                                           struct auth_principal *out, const char **why);

#endif
