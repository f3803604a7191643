/* The issuers a loop trusts and their keys, as one immutable set that is replaced by pointer.
 *
 * Threads: immutable after loading, shared by all loops. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stdint.h>

#include "auth/auth.h"
#include "auth/jwk.h"
#include "base/mem.h"

/* Spans are NUL-terminated and live as long as the set. */
struct auth_keys_issuer {
    struct span issuer, audience;
    struct span client_claim, member_claim, roles_claim; /* absent as in struct auth_issuer */
    struct auth_key *keys;                               /* owned; never empty in a loaded set */
    uint32_t key_count;
};

struct auth_keys {
    uint64_t generation; /* never the same for two sets of a process, unlike their address */
    struct arena arena;
    struct auth_keys_issuer *issuers;
    uint32_t issuer_count;
};

/* Reads the keys of one issuer from the text of a JWK set or a single JWK; `name` is the file's
 * name for the sentence in why. The issuer's keys are released by auth_keys_free. */
MUST_CHECK enum status auth_keys_read(struct auth_keys_issuer *issuer, bool allow_rs256,
                                      struct span text, const char *name, struct buffer *why);

/* NULL when no such issuer is configured. */
const struct auth_keys_issuer *auth_keys_find_issuer(const struct auth_keys *keys,
                                                     struct span issuer);
/* The key with this kid; without a kid (absent span) the issuer's only key, if it has just one.
 * NULL when there is none. */
const struct auth_key *auth_keys_find(const struct auth_keys_issuer *issuer, struct span kid);

#endif
