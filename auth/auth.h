/* Who is calling: a bearer token becomes a principal, or a reason why not (FAPI 2.0 resource server
 * rules; RFC 6750, RFC 9068, RFC 8725). The only room that judges tokens.
 *
 * Threads: struct auth_keys is immutable after loading and shared; struct auth_loop belongs to one
 * loop and holds its verified-token cache and its failure limits. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "base/uuid.h"

enum auth_scope {                               /* bits */
                  AUTH_CONSENTS_WRITE = 1 << 0, /* consents:write */
                  AUTH_CONSENTS_READ = 1 << 1,  /* consents:read */
                  AUTH_DECISIONS = 1 << 2,      /* decisions:evaluate */
                  AUTH_AUDIT_READ = 1 << 3,     /* audit:read */
                  AUTH_ADMIN = 1 << 4,          /* admin */
};
/* Bit of a scope's name, 0 when it is none of ours. */
unsigned auth_scope_parse(struct span name);
const char *auth_scope_name(enum auth_scope scope);

/* What a principal may do follows from its scopes and from its relation to the consent: its tenant
 * (principal.tenant == consent.tenant) or its client (principal.client_id == consent.client).
 * Borrowed from the cache: valid until the next auth_verify on this loop. Copy what must last. */
struct auth_principal {
    struct span client_id;
    struct span member;       /* member URL, absent when the token has none */
    struct span tenant;       /* the member URL, else the client id */
    unsigned scopes;          /* bits of enum auth_scope */
    const struct span *roles; /* scheme roles as presented */
    uint32_t role_count;
    bool roles_known;             /* a source of roles is configured for this issuer */
    const struct span *providers; /* tenants an auditor may read */
    uint32_t provider_count;
    bool all_providers;  /* "*" */
    bool has_consent_id; /* from RAR authorization_details[type=consent].consent_id */
    struct uuid consent_id;
    int64_t expires_ms;
};

/* One issuer of tokens, as configured. Spans borrowed for the call of auth_keys_load. A claim that
 * is not at the top of a token is also looked for in `ext`, where Ory Hydra has what its operator
 * adds. */
struct auth_issuer {
    struct span issuer;       /* exact `iss` */
    struct span audience;     /* what `aud` must be or contain */
    const char *key_file;     /* JWK set (RFC 7517) or a single JWK */
    bool allow_rs256;         /* RSA keys whose alg is RS256, and those without alg, verify RS256;
                                 otherwise RSA verifies PS256 alone */
    struct span client_claim; /* absent: client_id, then azp, then ext.client_id */
    struct span member_claim; /* absent: member */
    struct span roles_claim;  /* absent: no source of roles */
};
struct auth_keys;
/* Reads and checks every key file. On failure `why` gets one sentence naming file and cause, never
 * key material. Caller frees with auth_keys_free, after no loop uses it. */
MUST_CHECK enum status auth_keys_load(const struct auth_issuer *issuers, uint32_t count,
                                      struct auth_keys **out, char *why, size_t why_size);
void auth_keys_free(struct auth_keys *keys);

struct auth_loop;
struct auth_loop *auth_loop_new(void);
void auth_loop_free(struct auth_loop *loop);

/* Verifies the value of an Authorization header from `peer` (an address, any text) at now_ms.
 * STATUS_OK and *out; STATUS_UNAUTHENTICATED with *why a static sentence without token content (and
 * *missing when there was no credential at all, RFC 6750 section 3.1); STATUS_RATE_LIMITED when
 * this peer has failed too often, which never concerns a token that is in the cache. A change of
 * `keys` since the last call empties the cache. `keys` may be NULL: nobody is known then. */
struct auth_refusal {
    bool missing;
    const char *why;
};
MUST_CHECK enum status auth_verify(struct auth_loop *loop, const struct auth_keys *keys,
                                   struct span authorization, struct span peer, int64_t now_ms,
                                   struct auth_principal *out, struct auth_refusal *refusal);

struct auth_counters {
    uint64_t verified, cached, refused, limited;
};
void auth_loop_counters(const struct auth_loop *loop, struct auth_counters *out);

#endif
