/* From h2o to the api: bounds first, then the handler, and a filter that dresses the refusals which
 * h2o makes without asking us (a body beyond its limit, broken chunks) as problems of ours.
 *
 * What it cannot dress: h2o answers a head that is no HTTP with a plain 400 of its own. */
// SPDX-License-Identifier: Apache-2.0
#include "service/http.h"

#include "base/limits.h"
#include "base/log.h"
#include "service/loop.h"
#include "service/respond.h"
#include "service/waiting.h"

/* Counts the exchange in; false when one of the bounds is reached. */
static bool admit(struct exchange *exchange) {
    struct service *service = exchange->loop->service;
    uint32_t all = atomic_fetch_add(&service->in_flight, 1) + 1;
    exchange->counted = true;
    if (all > atomic_load_explicit(&service->limits.in_flight, memory_order_relaxed))
        return false;
    return exchange->connection == NULL ||
           exchange->connection->exchanges <=
               atomic_load_explicit(&service->limits.in_flight_per_connection,
                                    memory_order_relaxed);
}

static void note_auth(struct loop *loop) {
    struct auth_counters now;
    auth_loop_counters(loop->api.auth, &now);
    counter_set(&loop->counters.auth_verified, now.verified);
    counter_set(&loop->counters.auth_cached, now.cached);
    counter_set(&loop->counters.auth_refused, now.refused);
    counter_set(&loop->counters.auth_limited, now.limited);
}

/* The gate before everything: who is asked for a certificate and shows none that is good, at the
 * handshake or by now, gets to know why, and its connection ends; one of a proxy's clients too, but
 * the proxy's connection stays. */
static bool refuse_certificate(struct exchange *exchange) {
    if (exchange->refused == TLS_FAILURE_NONE)
        return false;
    if (exchange->connection->tls.failure != TLS_FAILURE_NONE)
        exchange->req->http1_is_persistent = 0;
    api_refuse_certificate(&exchange->call, tls_failure_name(exchange->refused),
                           tls_failure_sentence(exchange->refused, exchange->why_refused));
    respond(exchange);
    return true;
}

/* A proxy that hands a client's `Upgrade: h2c` on becomes a tunnel: what comes through it is the
 * client's own, Client-Cert included. The request that switched is the first of the connection, so
 * the others are known as well. */
static bool refuse_tunnel(struct exchange *exchange) {
    if (!exchange->from_proxy || !exchange->connection->upgraded)
        return false;
    api_refuse(&exchange->call, STATUS_INVALID_PARAMETER, "Upgrade: h2c is not taken from a proxy");
    respond(exchange);
    return true;
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req) {
    struct loop *loop = loop_of(req->conn->ctx);
    struct exchange *exchange = exchange_new(loop, req);
    (void)handler;
    if (loop->draining)
        req->http1_is_persistent = 0;
    if (!admit(exchange)) {
        counter_add(&loop->counters.busy, 1);
        api_refuse(&exchange->call, STATUS_BUSY, "too many requests are in flight");
        respond(exchange);
        return 0;
    }
    if (refuse_tunnel(exchange) || refuse_certificate(exchange))
        return 0;
    enum api_outcome outcome = api_handle(&exchange->call);
    note_auth(loop);
    if (outcome == API_PENDING)
        exchange_wait(exchange);
    else if (outcome == API_WAITING)
        waiting_begin(exchange);
    else
        respond(exchange);
    return 0;
}

struct replaced_body {
    h2o_ostream_t super;
    struct exchange *exchange;
};

/* In place of h2o's own text. It came in one piece, so this does too. */
static void send_replaced(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *bytes, size_t count,
                          h2o_send_state_t state) {
    struct exchange *exchange = ((struct replaced_body *)(void *)stream)->exchange;
    struct span body = respond_body(exchange);
    h2o_iovec_t ours = h2o_iovec_init(body.data, body.size);
    exchange->complete = true;
    h2o_ostream_send_next(stream, req, count != 0 ? &ours : bytes, count != 0 ? 1 : 0, state);
}

static void dress(h2o_req_t *req, h2o_ostream_t **slot) {
    struct loop *loop = loop_of(req->conn->ctx);
    struct exchange *exchange = exchange_new(loop, req);
    bool too_large = req->res.status == 413;
    counter_add(&loop->counters.transport, 1);
    exchange->answered = true;
    api_refuse(&exchange->call, too_large ? STATUS_BODY_TOO_LARGE : STATUS_INVALID_PARAMETER,
               too_large ? "the body is larger than the service reads"
                         : "the request is not well-formed HTTP");
    memset(&req->res.headers, 0, sizeof req->res.headers);
    respond_set_head(exchange);
    req->res.content_length = respond_body(exchange).size;
    struct replaced_body *replaced =
        (struct replaced_body *)(void *)h2o_add_ostream(req, sizeof *replaced, slot);
    replaced->super.do_send = send_replaced;
    replaced->exchange = exchange;
    h2o_setup_next_ostream(req, &replaced->super.next);
}

static void on_setup_ostream(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot) {
    struct loop *loop = loop_of(req->conn->ctx);
    (void)filter;
    if (loop->sending != NULL && loop->sending->req == req)
        h2o_setup_next_ostream(req, slot);
    else
        dress(req, slot);
}

void http_init(h2o_globalconf_t *http, const struct config *config) {
    h2o_config_init(http);
    http->server_name = h2o_iovec_init(NULL, 0);
    http->max_request_entity_size = LIMIT_BODY_TRANSPORT;
    http->http1.req_timeout = config->idle_seconds * 1000;
    http->handshake_timeout = (config->idle_seconds < 10 ? config->idle_seconds : 10) * 1000;
    http->http1.upgrade_to_http2 = config->http2;
    http->http2.idle_timeout = config->idle_seconds * 1000;
    h2o_hostconf_t *host =
        h2o_config_register_host(http, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    host->http2.push_preload = 0;
    host->fallback_path.error_log.emit_request_errors = 0; /* h2o would print the raw path */
    h2o_handler_t *handler = h2o_create_handler(&host->fallback_path, sizeof *handler);
    handler->on_req = on_request;
    h2o_filter_t *filter = h2o_create_filter(&host->fallback_path, sizeof *filter);
    filter->on_setup_ostream = on_setup_ostream;
}

void http_release(h2o_globalconf_t *http) {
    h2o_config_dispose(http);
}
