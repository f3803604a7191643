/* The issuers a loop trusts and their keys, as one immutable set that is replaced by pointer.
 *
 * Threads: immutable after loading but for the notes, shared by all loops. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stdatomic.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/jwk.h"
#include "base/mem.h"

/* What changes about an issuer while its set stays as it is. */
struct auth_keys_notes {
    _Atomic(bool) wanted; /* a token named a key that is not there */
    _Atomic(int64_t) renewed_s;
};

/* Spans are NUL-terminated and live as long as the set. */
struct auth_keys_issuer {
    struct span issuer, audience;
    struct span client_claim, member_claim, roles_claim; /* absent as in struct auth_issuer */
    enum auth_binding binding;
    bool allow_rs256, renewed;
    bool lenient;          /* reading leaves out what is wrong with single keys */
    struct auth_key *keys; /* owned; empty in a loaded set only for a renewed issuer */
    uint32_t key_count, left_out;
    struct auth_keys_notes *notes; /* the set's */
};

struct auth_keys {
    uint64_t generation; /* never the same for two sets of a process, unlike their address */
    struct arena arena;
    struct auth_keys_issuer *issuers;
    uint32_t issuer_count;
};

/* An empty set with room for so many issuers. */
struct auth_keys *auth_keys_new(uint32_t issuer_count);
/* Adds an issuer without keys, as configured. */
struct auth_keys_issuer *auth_keys_add(struct auth_keys *keys, const struct auth_issuer *config);
void auth_keys_issuer_clear(struct auth_keys_issuer *issuer);

/* Reads the keys of one issuer, which has none, from the text of a JWK set or a single JWK; `name`
 * is the file's name for the sentence in why. The issuer's keys are released by auth_keys_free, or
 * by auth_keys_issuer_clear. */
MUST_CHECK enum status auth_keys_read(struct auth_keys_issuer *issuer, struct span text,
                                      const char *name, struct buffer *why);

/* NULL when no such issuer is configured. */
const struct auth_keys_issuer *auth_keys_find_issuer(const struct auth_keys *keys,
                                                     struct span issuer);
/* The key with this kid; without a kid (absent span) the issuer's only key, if it has just one.
 * NULL when there is none. */
const struct auth_key *auth_keys_find(const struct auth_keys_issuer *issuer, struct span kid);

#endif
