/* The REST surface as plain functions: a call goes in, a response comes out. It knows no socket and
 * no LMDB, so that handlers are tested and fuzzed without either.
 *
 * Threads: struct api_service is shared and, but for its atomic pointers, constant after start;
 * everything else belongs to one loop. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "auth/auth.h"
#include "auth/certificate.h"
#include "base/mem.h"
#include "store/event.h"
#include "store/read.h"

/* Settings the api needs; replaced as a whole on reload, never changed in place. */
struct api_tenant_setting {
    struct span tenant, oauth_issuer;
    const char *cert_file, *key_file; /* of its Directory certificate, for messages; NULL: none */
    const char *hook_key_file;        /* of its Hydra's token hook; NULL: none … */
    struct digest hook_key;           /* … else the SHA-256 of what stands there */
};
struct api_settings {
    struct span public_url;   /* no trailing slash; base of problem types and Location */
    struct span oauth_issuer; /* default for consents without one; may be absent */
    const struct api_tenant_setting *tenants;
    uint32_t tenant_count;
    unsigned note_reads_s;   /* how often reads of auditors are logged; 0: never */
    bool log_public;         /* serve /log/ without a token */
    uint32_t witness_quorum; /* of the witnesses that cosign the log; 0: there are none */
    bool certificates;       /* callers can show a client certificate, to which tokens are bound */
    bool metrics_public;     /* serve /metrics to a peer that is not loopback */
};

struct api_service {
    struct store *store;
    const struct auth_signer *receipts; /* signs them */
    _Atomic(const struct auth_keys *) keys;
    _Atomic(const struct policy_pack *) pack;
    _Atomic(const struct api_settings *) settings;
    _Atomic(const char *) reload_refused; /* why the last reload was, NULL when it was not */
    const char *version;                  /* of the software */
    /* Supplied by the service; context is its own. */
    void *context;
    void (*metrics)(void *context, struct buffer *out); /* Prometheus text of the process */
    bool (*draining)(void *context);
    void (*keys_wanted)(void *context); /* a token named a key that its issuer may have by now */
    /* Counted by the api. */
    _Atomic(uint64_t) unknown_revocations; /* of tokens that nobody had registered: an alarm */
};

struct api_packs;
struct api_loop {
    struct api_service *service;
    unsigned number;
    struct store_reader *reader;
    struct auth_loop *auth;
    struct api_packs *packs;    /* of the past; the api's own, NULL at first */
    struct store_change *looks; /* reads of auditors, gathered; likewise */
};
/* Hands the writer what auditors and administrators have read on this loop. Its answer has no
 * owner: who takes it frees it. */
void api_looks_flush(struct api_loop *loop);
/* What the api keeps for the loop. */
void api_loop_release(struct api_loop *loop);

struct api_header {
    struct span name; /* lower case */
    struct span value;
};

/* A streamed body: next() appends the next chunk to out, never an empty one before the end, and
 * returns false when this was the last. release() is called exactly once, also when the client
 * left. Both on the loop. */
struct api_stream {
    bool (*next)(struct api_stream *stream, struct buffer *out);
    void (*release)(struct api_stream *stream);
};

#define API_RESPONSE_HEADERS_MAX 12
struct api_response {
    int status;
    struct api_header headers[API_RESPONSE_HEADERS_MAX]; /* content-type included; spans from the
                                                            call's arena or static */
    uint32_t header_count;
    struct buffer body;        /* released by the service */
    struct span fixed_body;    /* static bytes instead of body, when present */
    struct api_stream *stream; /* instead of body, when not NULL */
};

/* What a call waits for that found nothing yet. */
enum api_wake { API_WAKE_NEWS, API_WAKE_LAST /* the time is up: it must answer now */ };
struct api_wait {
    uint64_t fed;     /* a commit with one of these bits may be it (store_options.committed) */
    uint32_t seconds; /* how long at most */
};
struct api_route;
struct api_call {
    /* in: borrowed, valid until the response is taken */
    struct api_loop *loop;
    struct span method, path, query; /* path raw, without query; query without '?' */
    const struct api_header *headers;
    uint32_t header_count;
    struct span body;
    bool body_truncated; /* larger than LIMIT_BODY: answer 413 */
    struct span peer;    /* address text */
    bool peer_is_loopback;
    bool on_public, on_admin; /* by a listener for everybody, without credentials; for operators */
    const struct auth_certificate *certificate; /* of the client, its chain verified; NULL: none */
    struct span request_id;                     /* echoed X-Request-ID, or one the service made */
    struct arena *arena;                        /* lives until the response is sent */
    void *exchange;                             /* the service's; becomes store_change.owner */
    /* out */
    struct api_response response;
    const struct api_route *route; /* NULL when none matched; for logs and metrics */
    struct span path_id;   /* the variable segment of the path, decoded; absent when it has none */
    struct span client_id; /* of the principal once known, in the arena; for the access log */
    struct api_wait wait;  /* with API_WAITING */
    /* the api's own between handle and reply, or wake */
    enum api_outcome (*look)(struct api_call *call, enum api_wake why);
    struct api_viewer *viewer;
    void *state;
};

/* DONE: call->response is complete. PENDING: a change was submitted; api_reply will be called with
 * it on this loop, unless the call dies first (then the service frees the change). WAITING: nothing
 * happened yet that the caller wants to know; api_look_again will be called, at once and with each
 * commit that call->wait names, until the time is up. */
enum api_outcome { API_DONE, API_PENDING, API_WAITING };

enum api_outcome api_handle(struct api_call *call);
/* Takes change (frees it). */
enum api_outcome api_reply(struct api_call *call, struct store_change *change);
/* Looks again, for a call that is WAITING: DONE or, with API_WAKE_NEWS, WAITING. */
enum api_outcome api_look_again(struct api_call *call, enum api_wake why);
/* 401, the certificate of the connection is not good: cause for programs, detail for people. */
void api_refuse_certificate(struct api_call *call, const char *cause, const char *detail);
/* A problem response for conditions the service finds itself (busy, draining, body limits). */
void api_refuse(struct api_call *call, enum status status, const char *detail);

/* The route's template, e.g. "/v1/consents/{id}"; "(none)" for NULL. Static. */
const char *api_route_template(const struct api_route *route);
/* Routes by number, for metrics and the test that holds them against openapi.yaml; NULL past the
 * last. *method is static. */
const struct api_route *api_route_at(unsigned number, const char **method);
unsigned api_route_number(const struct api_route *route);

#endif
