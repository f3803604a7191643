/* One public key of an issuer: a JWK (RFC 7517, RFC 7518 section 6, RFC 8037) becomes an EVP_PKEY
 * with the one algorithm it may be used for. The algorithm belongs to the key, never to the token.
 *
 * Threads: reading is for one thread; a key that was read is immutable and shared. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "base/span.h"

enum auth_alg { AUTH_ALG_ES256, AUTH_ALG_PS256, AUTH_ALG_EDDSA, AUTH_ALG_RS256 };
/* Its name. */
const char *auth_alg_name(enum auth_alg alg);
/* Whether a token's header may call it so: Ed25519 is EdDSA by its own name (RFC 9864). */
bool auth_alg_is(enum auth_alg alg, struct span name);

struct auth_key {
    enum auth_alg alg;
    EVP_PKEY *pkey; /* owned */
    char *kid;      /* owned; NULL when the key has none */
};

enum auth_jwk_outcome {
    AUTH_JWK_USABLE,
    AUTH_JWK_SKIPPED, /* a key we have no use for, as RFC 7517 section 5 asks to ignore */
    AUTH_JWK_BAD,     /* malformed, weak or secret: the set is refused */
};
/* Fills *out only when AUTH_JWK_USABLE; caller releases it with auth_key_release. Otherwise *why is
 * a static phrase to be put after "key 3: ". */
enum auth_jwk_outcome auth_jwk_read(const json_t *jwk, bool allow_rs256, struct auth_key *out,
                                    const char **why);
void auth_key_release(struct auth_key *key);
/* Another hold on the same key; caller releases it. */
void auth_key_copy(const struct auth_key *key, struct auth_key *out);

#endif
