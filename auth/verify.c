/* The way of a token: cache, limit of the peer, shape, issuer, key, signature, claims, principal.
 * The cache comes before the limit, so that nobody who fails can shut out a caller behind the same
 * address whose token is known; the signature comes before any claim but iss, so that a refusal
 * says nothing about what a forger wrote.
 *
 * Threads: struct auth_loop belongs to one loop. */
// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include "auth/binding.h"
#include "auth/cache.h"
#include "auth/certificate.h"
#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/keys.h"
#include "auth/refuse.h"
#include "auth/signature.h"
#include "auth/throttle.h"
#include "base/mem.h"
#include "base/siphash.h"

struct auth_loop {
    struct auth_cache cache;
    struct auth_throttle throttle;
    struct auth_counters counters;
    unsigned char name_key[SIPHASH_KEY_SIZE];
    uint64_t generation; /* of the keys that verified what the cache holds */
};

struct auth_loop *auth_loop_new(void) {
    struct auth_loop *loop = mem_alloc_zeroed(1, sizeof *loop);
    auth_throttle_init(&loop->throttle);
    digest_random(loop->name_key, sizeof loop->name_key);
    return loop;
}

void auth_loop_free(struct auth_loop *loop) {
    if (loop != NULL) {
        auth_cache_clear(&loop->cache);
        mem_free(loop);
    }
}

void auth_loop_counters(const struct auth_loop *loop, struct auth_counters *out) {
    *out = loop->counters;
}

static bool has_scheme(struct span authorization, struct span scheme) {
    return authorization.size >= scheme.size &&
           strncasecmp(authorization.data, scheme.data, scheme.size) == 0 &&
           (authorization.size == scheme.size || authorization.data[scheme.size] == ' ');
}

/* RFC 6750 section 2.1 and RFC 9110 section 11.4: the scheme without case, spaces, the token. */
static enum status read_bearer(struct span authorization, struct span *out,
                               struct auth_refusal *refusal) {
    const struct span bearer = SPAN("Bearer");
    *refusal = (struct auth_refusal){.missing = true};
    if (authorization.size == 0) {
        return auth_refuse(&refusal->why, "The request has no Authorization header.");
    }
    if (has_scheme(authorization, SPAN("DPoP"))) {
        refusal->missing = false;
        return auth_refuse(&refusal->why, "DPoP is not accepted yet: present a bearer token.");
    }
    if (!has_scheme(authorization, bearer)) {
        return auth_refuse(&refusal->why, "The Authorization header must be a bearer token.");
    }
    struct span token = span_of(authorization.data + bearer.size, authorization.size - bearer.size);
    while (token.size > 0 && token.data[0] == ' ') {
        token = span_of(token.data + 1, token.size - 1);
    }
    if (token.size == 0) {
        return auth_refuse(&refusal->why, "The Authorization header has no token after Bearer.");
    }
    refusal->missing = false;
    *out = token;
    return STATUS_OK;
}

/* No key was tried, so that this is not held against the peer: a gateway that brings everybody's
 * tokens would be limited when a key rotates. */
static enum status refuse_without_key(const struct auth_keys_issuer *issuer, struct span kid,
                                      struct auth_refusal *refusal) {
    refusal->key_lacking = issuer->renewed && span_present(kid);
    refusal->keys_wanted = refusal->key_lacking && !atomic_exchange(&issuer->notes->wanted, true);
    return auth_refuse(&refusal->why, issuer->key_count != 0
                                          ? "The token's kid names no key of its issuer."
                                          : "The keys of the token's issuer are not known yet.");
}

/* The key that this token's header and issuer point to, if the token's alg is that key's own. */
static enum status find_key(const struct auth_jws *jws, const struct auth_keys *keys,
                            const struct auth_keys_issuer **out_issuer,
                            const struct auth_key **out_key, struct auth_refusal *refusal) {
    const char **why = &refusal->why;
    const json_t *iss = json_object_get(jws->payload, "iss");
    if (!json_is_string(iss)) {
        return auth_refuse(why, "The token has no iss.");
    }
    const struct auth_keys_issuer *issuer =
        auth_keys_find_issuer(keys, span_of(json_string_value(iss), json_string_length(iss)));
    if (issuer == NULL) {
        return auth_refuse(why, "The token's issuer is not one that is configured.");
    }
    const struct auth_key *key = auth_keys_find(issuer, jws->kid);
    if (key == NULL) {
        return refuse_without_key(issuer, jws->kid, refusal);
    }
    if (!auth_alg_is(key->alg, jws->alg)) {
        return auth_refuse(why, "The token's alg is not that of its issuer's key.");
    }
    *out_issuer = issuer;
    *out_key = key;
    return STATUS_OK;
}

/* A verification that has come to a principal, which borrows from the rest. */
struct finding {
    struct auth_jws jws;
    struct auth_principal_room room;
    struct auth_principal principal;
};

static enum status judge(struct finding *finding, const struct auth_keys *keys,
                         const struct auth_credentials *credentials, struct auth_refusal *refusal) {
    const char **why = &refusal->why;
    const struct auth_jws *jws = &finding->jws;
    const struct auth_keys_issuer *issuer;
    const struct auth_key *key;
    int64_t expires_ms;
    enum status status = find_key(jws, keys, &issuer, &key, refusal);
    if (status != STATUS_OK) {
        return status;
    }
    struct span signature = span_of((const char *)jws->signature, jws->signature_size);
    if (!auth_signature_verify(key, jws->signing_input, signature)) {
        return auth_refuse(why, "The token's signature does not verify.");
    }
    status = auth_claims_check(jws->payload, issuer, credentials->now_ms, &expires_ms, why);
    if (status == STATUS_OK) {
        status =
            auth_principal_read(jws->payload, issuer, &finding->room, &finding->principal, why);
    }
    if (status == STATUS_OK) {
        status = auth_binding_check(jws->payload, issuer, credentials->certificate,
                                    &finding->principal, why);
    }
    if (status == STATUS_OK) {
        finding->principal.expires_ms = expires_ms;
    }
    return status;
}

struct presented {
    struct span token;
    struct mac16 name; /* what the cache knows it by */
    bool too_large;    /* not hashed, so that nobody makes us hash a megabyte */
};

/* What the cache knows is a token together with the certificate that came with it: with another
 * one, or none, it is another matter. */
static struct mac16 name_of(const struct auth_loop *loop, struct span token,
                            const struct auth_certificate *certificate) {
    struct mac16 name = siphash(loop->name_key, token);
    if (certificate == NULL) {
        return name;
    }
    unsigned char both[sizeof name.bytes + sizeof certificate->sha256];
    memcpy(both, name.bytes, sizeof name.bytes);
    memcpy(both + sizeof name.bytes, certificate->sha256, sizeof certificate->sha256);
    return siphash(loop->name_key, span_of((const char *)both, sizeof both));
}

static struct presented presented_of(const struct auth_loop *loop, struct span token,
                                     const struct auth_certificate *certificate) {
    struct presented presented = {.token = token, .too_large = token.size > LIMIT_TOKEN};
    if (!presented.too_large) {
        presented.name = name_of(loop, token, certificate);
    }
    return presented;
}

/* Verifies a token that the cache does not know, and puts it there. */
static enum status verify_new(struct auth_loop *loop, const struct auth_keys *keys,
                              const struct presented *presented,
                              const struct auth_credentials *credentials,
                              struct auth_refusal *refusal) {
    struct finding finding;
    enum status status = auth_jws_parse(presented->token, &finding.jws, &refusal->why);
    if (status != STATUS_OK) {
        return status;
    }
    status = judge(&finding, keys, credentials, refusal);
    if (status == STATUS_OK) {
        auth_cache_put(&loop->cache, &presented->name, &finding.principal);
    }
    auth_jws_release(&finding.jws);
    return status;
}

static const struct auth_principal *find_cached(struct auth_loop *loop,
                                                const struct auth_keys *keys,
                                                const struct presented *presented, int64_t now_ms) {
    if (loop->generation != keys->generation) {
        auth_cache_clear(&loop->cache);
        loop->generation = keys->generation;
    }
    return presented->too_large ? NULL : auth_cache_find(&loop->cache, &presented->name, now_ms);
}

/* Whose failures are counted. Behind a proxy all have one address: who has a certificate is known
 * by that instead, so that he locks out nobody but himself. */
static struct span peer_of(const struct auth_credentials *credentials) {
    const struct auth_certificate *certificate = credentials->certificate;
    return certificate == NULL
               ? credentials->peer
               : span_of((const char *)certificate->sha256, sizeof certificate->sha256);
}

enum status auth_verify(struct auth_loop *loop, const struct auth_keys *keys,
                        const struct auth_credentials *credentials, struct auth_principal *out,
                        struct auth_refusal *refusal) {
    const int64_t now_ms = credentials->now_ms;
    struct span token;
    enum status status = read_bearer(credentials->authorization, &token, refusal);
    if (status == STATUS_OK && keys == NULL) {
        status = auth_refuse(&refusal->why, "No issuer of tokens is configured.");
    }
    if (status != STATUS_OK) {
        loop->counters.refused++;
        return status;
    }
    struct presented presented = presented_of(loop, token, credentials->certificate);
    const struct auth_principal *known = find_cached(loop, keys, &presented, now_ms);
    if (known != NULL) {
        loop->counters.cached++;
        *out = *known;
        return STATUS_OK;
    }
    if (auth_throttle_limited(&loop->throttle, peer_of(credentials), now_ms)) {
        loop->counters.limited++;
        refusal->why = "Too many tokens of this peer have failed; try again in a second.";
        return STATUS_RATE_LIMITED;
    }
    status = verify_new(loop, keys, &presented, credentials, refusal);
    if (status != STATUS_OK) {
        if (!refusal->key_lacking) {
            auth_throttle_fail(&loop->throttle, peer_of(credentials), now_ms);
        }
        loop->counters.refused++;
        return status;
    }
    loop->counters.verified++;
    *out = *auth_cache_find(&loop->cache, &presented.name, now_ms);
    return STATUS_OK;
}
