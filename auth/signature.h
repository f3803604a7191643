/* Whether a signature is that of a key. By OpenSSL directly: libjwt 1.10.2 accepts HS256 forged
 * with the public PEM as secret and verifies nothing when its key is NULL.
 *
 * Threads: any; a key may be used by several threads at once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_SIGNATURE_H
#define AUTH_SIGNATURE_H

#include <stdbool.h>

#include "auth/jwk.h"
#include "base/span.h"

/* The key's own algorithm decides: ES256 as raw r || s of 64 bytes, PS256 with a salt of 32 bytes
 * and MGF1 with SHA-256, EdDSA, RS256. OpenSSL's error queue is left empty. */
bool auth_signature_verify(const struct auth_key *key, struct span message, struct span signature);

#endif
