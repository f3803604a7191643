/* Whether a token comes from whom it was issued to: a stolen one must be worth nothing without the
 * certificate that it is bound to (RFC 8705 section 3, RFC 7800; IB1 by the application's URL).
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_BINDING_H
#define AUTH_BINDING_H

#include <jansson.h>

#include "auth/auth.h"
#include "auth/keys.h"

/* Checks cnf, and what the issuer's binding asks for; certificate is that of the caller, NULL when
 * there is none. With AUTH_BINDING_DIRECTORY the principal gets the member and the roles of the
 * certificate, borrowed from it: the Directory knows better than the token. STATUS_UNAUTHENTICATED
 * and a static sentence in why; the principal is untouched then. */
MUST_CHECK enum status auth_binding_check(const json_t *payload,
                                          const struct auth_keys_issuer *issuer,
                                          const struct auth_certificate *certificate,
                                          struct auth_principal *principal, const char **why);

#endif
