/* One request and its answer, and the guard for requests that vanish.
 *
 * h2o disposes of a request whenever its client resets or leaves, also while the change it made is
 * with the writer. So the exchange belongs to both sides and goes when both have let go: the
 * request's side ends with a destructor in the request's pool, the writer's when the change comes
 * back. An answer that comes back to a request that has vanished is dropped and counted; the change
 * is committed all the same.
 *
 * Threads: all on the exchange's loop; the writer only carries the pointer (store_change.owner). */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_EXCHANGE_H
#define SERVICE_EXCHANGE_H

#include "api/api.h"
#include "service/connection.h"
#include "service/forwarded.h"

struct exchange {
    h2o_generator_t generator; /* first: h2o gives it back */
    h2o_req_t *req;            /* NULL once the request has gone */
    struct loop *loop;
    struct connection *connection; /* NULL for a request without a socket */
    struct api_call call;
    struct arena arena;
    struct forwarded forwarded;
    bool from_proxy;          /* one of the listener's `proxies` */
    enum tls_failure refused; /* the certificate of the connection, or of the proxy's client */
    const char *why_refused;
    struct span trace_id, fapi_id; /* absent, or in the arena or the request */
    int64_t started_us;
    bool head_only; /* HEAD: the answer of GET without its body */
    bool counted;   /* in service->in_flight */
    bool pending;   /* its change is with the writer */
    bool answered;  /* a response was begun */
    bool complete;  /* the last byte was handed to h2o */
    struct exchange *next, **link;
    int64_t waits_until_us; /* a long poll: waiting.h */
    struct exchange *next_waiting, **link_waiting;
    size_t share; /* bytes of a stream since it rested: resting.h */
    struct exchange *next_resting, **link_resting;
};

/* An exchange for req, linked to its pool; call is filled in. */
struct exchange *exchange_new(struct loop *loop, h2o_req_t *req);
/* The handler has submitted a change: it will come to exchange_resume. */
void exchange_wait(struct exchange *exchange);
/* Whether the whole answer left: false when the client went away or cancelled before. Meaningful
 * when the request ends. */
bool exchange_delivered(const struct exchange *exchange);
/* A change that came back from the writer; takes it. */
void exchange_resume(struct store_change *change);
/* Answers all exchanges of the loop that wait for the writer with outcome-unknown. */
void exchange_abandon_all(struct loop *loop);
/* After the writer's end: frees what waited for it. */
void exchange_release_all(struct loop *loop);

#endif
