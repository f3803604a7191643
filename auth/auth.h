/* Who is calling: a bearer token becomes a principal, or a reason why not (FAPI 2.0 resource server
 * rules; RFC 6750, RFC 9068, RFC 8725). The only room that judges tokens.
 *
 * Threads: struct auth_keys is immutable after loading, but for notes about its issuers, and
 * shared; struct auth_loop belongs to one loop and holds its verified-token cache and its failure
 * limits. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
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

/* What an issuer's tokens have to do with the certificate of their bearer. A token that names a
 * certificate (cnf.x5t#S256, RFC 8705) needs it, whichever of these holds. */
enum auth_binding {
    AUTH_BINDING_NONE,      /* nothing more */
    AUTH_BINDING_X5T,       /* each token must name one */
    AUTH_BINDING_DIRECTORY, /* the certificate's only URI must be the token's client (IB1) */
};

/* One issuer of tokens, as configured. Spans borrowed for the call of auth_keys_load. A claim that
 * is not at the top of a token is also looked for in `ext`, where Ory Hydra has what its operator
 * adds. */
struct auth_issuer {
    struct span issuer;   /* exact `iss` */
    struct span audience; /* what `aud` must be or contain */
    const char *key_file; /* JWK set (RFC 7517) or a single JWK; NULL only when renewed */
    bool renewed;         /* its keys come, or come anew, by auth_keys_renew */
    bool allow_rs256;     /* RSA keys whose alg is RS256, and those without alg, verify RS256;
                             otherwise RSA verifies PS256 alone */
    enum auth_binding binding;
    struct span client_claim; /* absent: client_id, then azp, then ext.client_id */
    struct span member_claim; /* absent: member */
    struct span roles_claim;  /* absent: no source of roles */
};
struct auth_certificate; /* certificate.h */
struct auth_keys;
/* Reads and checks every key file. On failure `why` gets one sentence naming file and cause, never
 * key material. Caller frees with auth_keys_free, after no loop uses it. */
MUST_CHECK enum status auth_keys_load(const struct auth_issuer *issuers, uint32_t count,
                                      struct auth_keys **out, char *why, size_t why_size);
void auth_keys_free(struct auth_keys *keys);

/* What came of a set of keys that was fetched. */
struct auth_renewal {
    uint32_t used, left_out; /* keys: left out are those that are malformed, weak or secret */
};
/* A copy of the set in which the keys of the issuer at index, which is renewed, are those of text,
 * a JWK set as it came from its URL. What is wrong with one key is not the end of the others (RFC
 * 7517 section 5); without any that can be used STATUS_INVALID_PARAMETER, and *out and *renewal are
 * untouched. Otherwise as auth_keys_load. */
MUST_CHECK enum status auth_keys_renew(const struct auth_keys *keys, uint32_t index,
                                       struct span text, struct auth_keys **out,
                                       struct auth_renewal *renewal);
/* Gives the issuer at index, in a set that nobody reads yet, the keys that another set has for the
 * issuer of the same name, and its time. Nothing when that has none. */
void auth_keys_inherit(struct auth_keys *keys, uint32_t index, const struct auth_keys *from);
/* What a URL said is what it says still: notes the time, in seconds. Any thread. */
void auth_keys_confirm(const struct auth_keys *keys, uint32_t index, int64_t time_s);
/* Whether a token has named a key of the issuer at index that is not there; then, until it happens
 * again, the next call says no. Any thread. */
bool auth_keys_take_wanted(const struct auth_keys *keys, uint32_t index);

struct auth_issuer_state {
    struct span issuer; /* as long as the set */
    uint32_t key_count;
    bool renewed;
    int64_t renewed_s; /* when its URL last said that these are its keys; 0: never */
};
/* False past the last issuer. Any thread. */
bool auth_keys_state(const struct auth_keys *keys, uint32_t index, struct auth_issuer_state *out);
/* Each issuer has a key. */
bool auth_keys_complete(const struct auth_keys *keys);

/* What an authorization server says of itself (RFC 8414, OpenID Connect Discovery): its jwks_uri,
 * copied to the arena, if it is the metadata of this issuer, exactly. STATUS_INVALID_PARAMETER and
 * a static sentence in why. */
MUST_CHECK enum status auth_metadata_read(struct span text, struct span issuer, struct arena *arena,
                                          struct span *jwks_uri, const char **why);

struct auth_loop;
struct auth_loop *auth_loop_new(void);
void auth_loop_free(struct auth_loop *loop);

/* What a request brings to say who it is from. All borrowed for the call of auth_verify. */
struct auth_credentials {
    struct span authorization;                  /* the header's value; size 0: none */
    struct span peer;                           /* an address; counts without a certificate */
    const struct auth_certificate *certificate; /* of the client, verified; NULL: none */
    int64_t now_ms;
};
struct auth_refusal {
    bool missing;     /* there was no credential at all (RFC 6750 section 3.1) */
    bool key_lacking; /* its issuer may have the key by now, in its URL */
    bool keys_wanted; /* the same, and somebody should look: once, until the set changes */
    const char *why;  /* a static sentence without token content */
};
/* STATUS_OK and *out; STATUS_UNAUTHENTICATED and *refusal; STATUS_RATE_LIMITED when this peer has
 * failed too often, which never concerns a token that is in the cache. A change of `keys` since the
 * last call empties the cache. `keys` may be NULL: nobody is known then. */
MUST_CHECK enum status auth_verify(struct auth_loop *loop, const struct auth_keys *keys,
                                   const struct auth_credentials *credentials,
                                   struct auth_principal *out, struct auth_refusal *refusal);

struct auth_counters {
    uint64_t verified, cached, refused, limited;
};
void auth_loop_counters(const struct auth_loop *loop, struct auth_counters *out);

#endif
