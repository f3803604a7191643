/* See waiting.h. HTTP/2 tells of a client that has left (the request goes); HTTP/1 of h2o 2.2.5
 * does not read while it has a request, so the sweep asks the sockets. */
// SPDX-License-Identifier: Apache-2.0
#include "service/waiting.h"

#include <poll.h>

#include "base/limits.h"
#include "base/log.h"
#include "service/loop.h"
#include "service/respond.h"

/* At most a quarter of what may be in flight waits: the rest is for those who ask. */
static bool too_many(const struct exchange *exchange) {
    const struct loop *loop = exchange->loop;
    struct service *service = loop->service;
    uint32_t most = atomic_load(&service->limits.in_flight) / 4;
    uint32_t own = 0;
    if (atomic_load(&service->waiting) >= (most < LIMIT_WAITING ? most : LIMIT_WAITING))
        return true;
    for (const struct exchange *at = loop->waiting; at != NULL; at = at->next_waiting)
        own += span_equal(at->call.client_id, exchange->call.client_id);
    return own >= LIMIT_WAITING_ONE;
}

static void look(struct exchange *exchange, enum api_wake why) {
    if (api_look_again(&exchange->call, why) == API_WAITING)
        return;
    waiting_end(exchange);
    respond(exchange);
}

static void add(struct exchange *exchange) {
    struct loop *loop = exchange->loop;
    exchange->next_waiting = loop->waiting;
    exchange->link_waiting = &loop->waiting;
    if (loop->waiting != NULL)
        loop->waiting->link_waiting = &exchange->next_waiting;
    loop->waiting = exchange;
    exchange->waits_until_us = service_now_us() + (int64_t)exchange->call.wait.seconds * 1000000;
    atomic_fetch_add(&loop->waiting_count, 1);
    atomic_fetch_add(&loop->service->waiting, 1);
}

void waiting_begin(struct exchange *exchange) {
    if (too_many(exchange)) {
        counter_add(&exchange->loop->counters.busy, 1);
        api_refuse(&exchange->call, STATUS_BUSY, "too many requests wait for changes");
        respond(exchange);
        return;
    }
    add(exchange);
    /* again: what was committed between the first look and the count told nobody */
    look(exchange, exchange->loop->draining ? API_WAKE_LAST : API_WAKE_NEWS);
}

void waiting_end(struct exchange *exchange) {
    if (exchange->link_waiting == NULL)
        return;
    *exchange->link_waiting = exchange->next_waiting;
    if (exchange->next_waiting != NULL)
        exchange->next_waiting->link_waiting = exchange->link_waiting;
    if (exchange->loop->next_waiting == exchange)
        exchange->loop->next_waiting = exchange->next_waiting;
    exchange->link_waiting = NULL;
    exchange->started_us = service_now_us(); /* what counts is how long news take */
    atomic_fetch_sub(&exchange->loop->waiting_count, 1);
    atomic_fetch_sub(&exchange->loop->service->waiting, 1);
}

void waiting_tell(struct loop *loop, uint64_t fed) {
    if (atomic_load(&loop->waiting_count) == 0)
        return;
    atomic_fetch_or(&loop->fed, fed);
    loop_tell(loop, LOOP_NEWS);
}

/* The next one to visit: an answer may end any of those behind it. */
static struct exchange *step(struct loop *loop) {
    struct exchange *at = loop->next_waiting;
    if (at != NULL)
        loop->next_waiting = at->next_waiting;
    return at;
}

void waiting_wake(struct loop *loop) {
    uint64_t fed = atomic_exchange(&loop->fed, 0);
    struct exchange *at;
    loop->next_waiting = loop->waiting;
    while ((at = step(loop)) != NULL)
        if ((at->call.wait.fed & fed) != 0)
            look(at, API_WAKE_NEWS);
}

/* A client that only ends its sending gets its answer early; to one that is gone it is lost. */
static bool peer_closed(const struct exchange *exchange) {
    const struct connection *connection = exchange->connection;
    if (connection == NULL || connection->socket == NULL)
        return false;
    struct pollfd at = {.fd = h2o_socket_get_fd(connection->socket), .events = POLLRDHUP};
    return poll(&at, 1, 0) == 1;
}

void waiting_sweep(struct loop *loop) {
    int64_t now_us = service_now_us();
    struct exchange *at;
    loop->next_waiting = loop->waiting;
    while ((at = step(loop)) != NULL)
        if (now_us >= at->waits_until_us || peer_closed(at))
            look(at, API_WAKE_LAST);
}

void waiting_end_all(struct loop *loop) {
    while (loop->waiting != NULL)
        look(loop->waiting, API_WAKE_LAST);
}
