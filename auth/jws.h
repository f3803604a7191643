/* The shape of a signed token: three parts of strict base64url, two of them JSON objects (RFC 7515
 * section 7.1). Nothing in it is trusted before the signature is verified.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_JWS_H
#define AUTH_JWS_H

#include <jansson.h>

#include "base/span.h"
#include "base/status.h"

#define AUTH_JWS_SIGNATURE_MAX 1024 /* RSA of 8192 bits */

struct auth_jws {
    struct span signing_input; /* borrowed from the token */
    json_t *header, *payload;  /* owned; objects */
    struct span alg;           /* borrowed from header, present */
    struct span kid;           /* borrowed from header, may be absent */
    unsigned char signature[AUTH_JWS_SIGNATURE_MAX];
    size_t signature_size;
};
/* Reads a token of at most LIMIT_TOKEN bytes and checks its header: typ is at+jwt or JWT, no crit;
 * jku, x5u, x5c and jwk are ignored. STATUS_UNAUTHENTICATED and a static sentence in why. Caller
 * releases with auth_jws_release after STATUS_OK. */
MUST_CHECK enum status auth_jws_parse(struct span token, struct auth_jws *out, const char **why);
void auth_jws_release(struct auth_jws *jws);

#endif
