/* Sending a response. Bodies in memory go out in one piece; a stream gives chunk after chunk, the
 * next one only when h2o has passed the last on (its back-pressure). */
// SPDX-License-Identifier: Apache-2.0
#include "service/respond.h"

#include "base/log.h"
#include "service/loop.h"
#include "service/resting.h"

#define SHARE 262144 /* bytes of a stream in one turn of the loop: about a millisecond's work */

static const char *reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    case 507:
        return "Insufficient Storage";
    default:
        return status < 400 ? "OK" : status < 500 ? "Client Error" : "Server Error";
    }
}

/* No value may end its line: one that would is an error of ours, and left out. */
static bool value_safe(struct span value) {
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == '\x7f')
            return false;
    return true;
}

static void add_header(h2o_req_t *req, struct span name, struct span value) {
    if (!value_safe(value)) {
        log_event(LOG_ERROR, "service.unsafe_header", LOG_SPAN("name", name));
        return;
    }
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.data, name.size, 1, NULL, value.data,
                          value.size);
}

void respond_set_head(struct exchange *exchange) {
    const struct api_response *response = &exchange->call.response;
    h2o_req_t *req = exchange->req;
    bool has_cache_control = false;
    req->res.status = response->status;
    req->res.reason = reason_of(response->status);
    for (uint32_t i = 0; i < response->header_count; i++) {
        const struct api_header *header = &response->headers[i];
        has_cache_control |= span_is(header->name, "cache-control");
        add_header(req, header->name, header->value);
    }
    if (!has_cache_control)
        add_header(req, SPAN("cache-control"), SPAN("no-store"));
    add_header(req, SPAN("x-content-type-options"), SPAN("nosniff"));
    add_header(req, SPAN("x-request-id"), exchange->call.request_id);
    if (span_present(exchange->fapi_id))
        add_header(req, SPAN("x-fapi-interaction-id"), exchange->fapi_id);
}

struct span respond_body(const struct exchange *exchange) {
    const struct api_response *response = &exchange->call.response;
    return span_present(response->fixed_body) ? response->fixed_body : buffer_span(&response->body);
}

static void finish(struct exchange *exchange, struct span bytes) {
    h2o_iovec_t last = h2o_iovec_init(bytes.data, bytes.size);
    exchange->complete = true;
    h2o_send(exchange->req, &last, last.len != 0 ? 1 : 0, H2O_SEND_STATE_FINAL);
}

void respond_go_on(struct exchange *exchange) {
    struct api_response *response = &exchange->call.response;
    buffer_clear(&response->body);
    bool more = response->stream->next(response->stream, &response->body);
    ASSERT(!more || response->body.size != 0); /* an empty chunk would end an HTTP/1.0 response */
    exchange->share += response->body.size;
    if (more) {
        h2o_iovec_t chunk = h2o_iovec_init(response->body.data, response->body.size);
        h2o_send(exchange->req, &chunk, 1, H2O_SEND_STATE_IN_PROGRESS);
        return;
    }
    response->stream->release(response->stream);
    response->stream = NULL;
    finish(exchange, buffer_span(&response->body));
}

/* h2o calls it when what was sent has left: the next chunk of a stream, or the end of an answer
 * without a body. */
static void proceed(h2o_generator_t *generator, h2o_req_t *req) {
    struct exchange *exchange = (struct exchange *)(void *)generator;
    (void)req;
    if (exchange->call.response.stream == NULL) {
        finish(exchange, SPAN_NONE);
    } else if (exchange->share < SHARE) {
        respond_go_on(exchange);
    } else {
        exchange->share = 0;
        resting_begin(exchange);
    }
}

static bool has_no_body(const struct exchange *exchange) {
    int status = exchange->call.response.status;
    return status == 204 || status == 304 || status < 200;
}

void respond(struct exchange *exchange) {
    struct api_response *response = &exchange->call.response;
    h2o_req_t *req = exchange->req;
    bool streamed = response->stream != NULL;
    struct span body = respond_body(exchange);
    ASSERT(!exchange->answered);
    exchange->answered = true;
    respond_set_head(exchange);
    exchange->generator = (h2o_generator_t){proceed, NULL};
    if (!streamed && !has_no_body(exchange))
        req->res.content_length = body.size;
    /* Without chunks only the end of the connection can end a stream. */
    if (streamed && req->version < 0x101)
        req->http1_is_persistent = 0;
    exchange->loop->sending = exchange;
    h2o_start_response(req, &exchange->generator);
    exchange->loop->sending = NULL;
    if (exchange->head_only || has_no_body(exchange)) {
        if (streamed)
            response->stream->release(response->stream);
        response->stream = NULL;
        if (req->version >= 0x200) /* proceed comes when the head has left: exchange_delivered */
            h2o_send(req, NULL, 0, H2O_SEND_STATE_IN_PROGRESS);
        else
            finish(exchange, SPAN_NONE);
    } else if (streamed) {
        proceed(&exchange->generator, req);
    } else {
        finish(exchange, body);
    }
}
