/* The life of an exchange; see exchange.h for the one rule. */
// SPDX-License-Identifier: Apache-2.0
#include "service/exchange.h"

#include "base/log.h"
#include "service/access_log.h"
#include "service/loop.h"
#include "service/request_id.h"
#include "service/respond.h"
#include "service/resting.h"
#include "service/waiting.h"
#include "store/change.h"

/* Exchanges are used again, with the room their bodies and arenas had. Not in checking builds,
 * where ASan must see who touches one that has ended. */
#ifdef STORE_CHECK_VIEWS
#define SPARES_MAX 0
#else
#define SPARES_MAX 256 /* with 20 KiB each: 5 MiB a loop */
#endif
#define SPARE_BODY_MAX 16384

static void retire(struct exchange *exchange) {
    struct loop *loop = exchange->loop;
    struct buffer body = exchange->call.response.body;
    if (loop->spare_count + 1 > SPARES_MAX || body.capacity > SPARE_BODY_MAX) {
        buffer_release(&body);
        arena_release(&exchange->arena);
        mem_free(exchange);
        return;
    }
    arena_reset(&exchange->arena);
    struct arena arena = exchange->arena;
    memset(exchange, 0, sizeof *exchange);
    buffer_clear(&body);
    exchange->call.response.body = body;
    exchange->arena = arena;
    exchange->next = loop->spares;
    loop->spares = exchange;
    loop->spare_count++;
}

static struct exchange *take_spare(struct loop *loop) {
    struct exchange *exchange = loop->spares;
    if (exchange == NULL)
        return mem_alloc_zeroed(1, sizeof *exchange);
    loop->spares = exchange->next;
    loop->spare_count--;
    return exchange;
}

static void release(struct exchange *exchange) {
    if (exchange->counted)
        atomic_fetch_sub(&exchange->loop->service->in_flight, 1);
    if (exchange->connection != NULL)
        connection_leave(exchange->connection);
    *exchange->link = exchange->next;
    if (exchange->next != NULL)
        exchange->next->link = exchange->link;
    retire(exchange);
}

/* HTTP/2 of h2o 2.2.5 disposes of a cancelled stream like of a finished one; what tells them apart
 * is how much went into DATA frames. Answers without a body are completed in a second step for the
 * same reason (respond.c). */
bool exchange_delivered(const struct exchange *exchange) {
    if (!exchange->complete || exchange->req->version < 0x200 || exchange->head_only)
        return exchange->complete;
    return exchange->call.response.status == 304 || exchange->call.response.status == 204 ||
           exchange->req->bytes_sent >= respond_body(exchange).size;
}

/* Destructor in the request's pool: h2o disposes of the request, for whatever reason. The request
 * itself is still readable. */
static void on_request_gone(void *guard) {
    struct exchange *exchange = *(struct exchange **)guard;
    struct counters *counters = &exchange->loop->counters;
    if (exchange->call.response.stream != NULL)
        exchange->call.response.stream->release(exchange->call.response.stream);
    exchange->call.response.stream = NULL;
    waiting_end(exchange);
    resting_end(exchange);
    bool delivered = exchange_delivered(exchange);
    if (!delivered)
        counter_add(&counters->vanished, 1);
    if (exchange->connection != NULL) {
        if (delivered)
            exchange->connection->answered++;
        else if (exchange->req->version >= 0x200)
            connection_note_reset(exchange->connection);
    }
    access_log_write(exchange);
    if (exchange->connection != NULL && exchange->connection->tls.failure != TLS_FAILURE_NONE)
        connection_doom(exchange->connection);
    exchange->req = NULL;
    if (!exchange->pending)
        release(exchange);
}

static void fill_headers(struct exchange *exchange) {
    const h2o_headers_t *from = &exchange->req->headers;
    struct api_call *call = &exchange->call;
    struct api_header *headers = arena_array(&exchange->arena, from->size, sizeof *headers);
    struct span offered = SPAN_NONE, parent = SPAN_NONE;
    uint32_t count = 0;
    for (size_t i = 0; i < from->size; i++) {
        struct span name = transport_span(*from->entries[i].name);
        struct span value = transport_span(from->entries[i].value);
        if (forwarded_is_header(name)) {
            if (span_is(name, "client-cert") && exchange->forwarded.count++ == 0)
                exchange->forwarded.client_cert = value;
            continue;
        }
        headers[count++] = (struct api_header){name, value};
        if (span_is(name, "x-request-id"))
            offered = value;
        else if (span_is(name, "traceparent"))
            parent = value;
        else if (span_is(name, "x-fapi-interaction-id") && request_id_valid(value))
            exchange->fapi_id = value;
    }
    call->headers = headers;
    call->header_count = count;
    exchange->trace_id = request_id_trace(parent);
    call->request_id = request_id_choose(offered, exchange->trace_id, &exchange->arena);
}

static void fill_target(struct exchange *exchange) {
    h2o_req_t *req = exchange->req;
    struct api_call *call = &exchange->call;
    struct span target = transport_span(req->input.path);
    size_t mark = req->input.query_at;
    call->method = transport_span(req->input.method);
    exchange->head_only = span_is(call->method, "HEAD");
    if (exchange->head_only)
        call->method = SPAN("GET");
    call->path = target;
    if (mark != SIZE_MAX && mark < target.size) {
        call->path.size = mark;
        call->query = span_of(target.data + mark + 1, target.size - mark - 1);
    }
    call->body = transport_span(req->entity);
    if (call->body.size > LIMIT_BODY) {
        call->body = span_of(call->body.data, 0);
        call->body_truncated = true;
    }
}

/* Of h2o 2.2.5: the request that asked for HTTP/2 is handled as the first one in it, and has kept
 * the header that HTTP/2 itself has no use for. */
static bool is_upgrade(const h2o_req_t *req) {
    return req->version >= 0x200 &&
           h2o_find_header(&req->headers, H2O_TOKEN_HTTP2_SETTINGS, -1) != -1;
}

static void fill_peer(struct exchange *exchange) {
    struct connection *connection = connection_of(exchange->req);
    exchange->connection = connection;
    if (connection == NULL)
        return;
    connection_enter(connection);
    connection->upgraded = connection->upgraded || is_upgrade(exchange->req);
    exchange->call.peer = connection->peer;
    exchange->from_proxy =
        forwarded_is_from_proxy(atomic_load(&connection->endpoint->config), &connection->address);
    /* a proxy on this host speaks for clients that are not, also one that did not notice */
    exchange->call.peer_is_loopback =
        connection->loopback && !exchange->from_proxy && !connection->upgraded;
    exchange->call.on_public = endpoint_is_public(connection->endpoint);
    exchange->call.on_admin = endpoint_is_admin(connection->endpoint);
}

/* The client's: of the connection or, behind a proxy, of what that says. */
static void fill_certificate(struct exchange *exchange) {
    struct connection *connection = exchange->connection;
    if (connection == NULL)
        return;
    if (!connection_check_peer(connection)) {
        exchange->refused = connection->tls.failure;
        exchange->why_refused = connection->tls.why;
    } else if (exchange->from_proxy) {
        int64_t now_s = store_time_ms(exchange->loop->service->store) / 1000;
        exchange->refused = forwarded_read(&exchange->forwarded, now_s, &exchange->arena,
                                           &exchange->call.certificate, &exchange->why_refused);
    } else {
        exchange->call.certificate = connection->tls.certificate;
    }
}

struct exchange *exchange_new(struct loop *loop, h2o_req_t *req) {
    struct exchange *exchange = take_spare(loop);
    struct exchange **guard =
        h2o_mem_alloc_shared(&req->pool, sizeof(struct exchange *), on_request_gone);
    *guard = exchange;
    exchange->req = req;
    exchange->loop = loop;
    exchange->started_us = service_now_us();
    exchange->call.loop = &loop->api;
    exchange->call.arena = &exchange->arena;
    exchange->call.exchange = exchange;
    exchange->next = loop->exchanges;
    exchange->link = &loop->exchanges;
    if (exchange->next != NULL)
        exchange->next->link = &exchange->next;
    loop->exchanges = exchange;
    fill_peer(exchange);
    fill_target(exchange);
    fill_headers(exchange);
    fill_certificate(exchange);
    return exchange;
}

void exchange_wait(struct exchange *exchange) {
    exchange->pending = true;
}

void exchange_resume(struct store_change *change) {
    struct exchange *exchange = change->owner;
    ASSERT(exchange->pending);
    exchange->pending = false;
    if (exchange->req == NULL || exchange->answered) {
        counter_add(&exchange->loop->counters.dropped, 1);
        store_change_free(change);
        if (exchange->req == NULL)
            release(exchange);
        return;
    }
    enum api_outcome outcome = api_reply(&exchange->call, change);
    ASSERT(outcome != API_WAITING); /* who writes does not wait for news */
    if (outcome == API_PENDING)
        exchange_wait(exchange);
    else
        respond(exchange);
}

void exchange_abandon_all(struct loop *loop) {
    struct exchange *next;
    for (struct exchange *exchange = loop->exchanges; exchange != NULL; exchange = next) {
        next = exchange->next;
        if (!exchange->pending || exchange->req == NULL || exchange->answered)
            continue;
        exchange->req->http1_is_persistent = 0;
        api_refuse(&exchange->call, STATUS_OUTCOME_UNKNOWN,
                   "the service stopped before the change was confirmed; repeat it to learn more");
        respond(exchange);
    }
}

void exchange_release_all(struct loop *loop) {
    while (loop->exchanges != NULL) {
        ASSERT(loop->exchanges->req == NULL);
        release(loop->exchanges);
    }
    while (loop->spares != NULL) {
        struct exchange *exchange = take_spare(loop);
        buffer_release(&exchange->call.response.body);
        arena_release(&exchange->arena);
        mem_free(exchange);
    }
}
