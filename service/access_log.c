/* The access log and the counters per route. */
// SPDX-License-Identifier: Apache-2.0
#include "service/access_log.h"

#include "base/log.h"
#include "service/loop.h"

#define STATUS_CLIENT_LEFT 499 /* what nginx logs for it; never sent */
#define FIELDS_MAX 12

const int64_t access_log_bounds_us[COUNTERS_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
};

/* A method that no route has may be any text: it does not go into the log. */
static struct span method_of(const struct exchange *exchange) {
    static const char *const known[] = {"GET",   "POST",    "PUT",  "DELETE",
                                        "PATCH", "OPTIONS", "TRACE"};
    if (exchange->head_only)
        return SPAN("HEAD");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_is(exchange->call.method, known[i]))
            return exchange->call.method;
    return SPAN("(other)");
}

static const char *protocol_of(const h2o_req_t *req) {
    return req->version >= 0x200 ? "HTTP/2" : req->version == 0x100 ? "HTTP/1.0" : "HTTP/1.1";
}

static void count(const struct exchange *exchange, int status, int64_t duration_us) {
    struct counters *counters = &exchange->loop->counters;
    const struct api_route *route = exchange->call.route;
    unsigned number = route != NULL ? api_route_number(route) : COUNTERS_NO_ROUTE;
    unsigned class = status < 100 || status > 599 ? 4 : (unsigned)status / 100 - 1;
    unsigned bucket = 0;
    ASSERT(number <= COUNTERS_ROUTES);
    while (bucket < COUNTERS_BUCKETS && duration_us > access_log_bounds_us[bucket])
        bucket++;
    counter_add(&counters->requests[number][class], 1);
    counter_add(&counters->latency[bucket], 1);
    counter_add(&counters->latency_sum_us, (uint64_t)duration_us);
    counter_add(&counters->bytes_sent, exchange->req->bytes_sent);
}

void access_log_write(const struct exchange *exchange) {
    const struct api_call *call = &exchange->call;
    struct service *service = exchange->loop->service;
    int64_t duration_us = service_now_us() - exchange->started_us;
    int status = exchange_delivered(exchange) ? call->response.status : STATUS_CLIENT_LEFT;
    struct log_field fields[FIELDS_MAX] = {
        LOG_SPAN("method", method_of(exchange)),
        LOG_TEXT("route", api_route_template(call->route)),
        LOG_INT("status", status),
        LOG_INT("bytes", exchange->req->bytes_sent),
        LOG_INT("duration_us", duration_us),
        LOG_SPAN("request_id", call->request_id),
        LOG_TEXT("protocol", protocol_of(exchange->req)),
        LOG_INT("loop", exchange->loop->number),
    };
    unsigned next = 8;
    count(exchange, status, duration_us);
    if (!atomic_load_explicit(&service->limits.access_log, memory_order_relaxed))
        return;
    if (span_present(exchange->trace_id))
        fields[next++] = LOG_SPAN("trace_id", exchange->trace_id);
    if (span_present(call->client_id))
        fields[next++] = LOG_SPAN("client", call->client_id);
    fields[next] = (struct log_field){NULL, SPAN_NONE, 0};
    log_write(LOG_INFO, "http.request", fields);
}
