/* Connections: attached at accept, detached when h2o closes the socket. */
// SPDX-License-Identifier: Apache-2.0
#include "service/connection.h"

#include <netinet/tcp.h>

#include "base/log.h"
#include "base/mem.h"
#include "service/loop.h"
#include "store/store.h"

/* A writer that makes no progress for so long is gone: HTTP/1 of h2o 2.2.5 has no write time-out.
 * Counts probes of a closed window too. */
#define UNACKNOWLEDGED_MS_MAX 30000

static void free_when_unused(struct connection *connection) {
    if (connection->socket != NULL || connection->exchanges != 0)
        return;
    tls_peer_release(&connection->tls);
    mem_free(connection);
}

static void on_close(void *context) {
    struct connection *connection = context;
    struct service *service = connection->loop->service;
    connection->socket = NULL;
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    atomic_fetch_sub(&service->connections, 1);
    if (connection->tls.tls != NULL && !connection->tls.established) {
        enum tls_failure failure =
            connection->tls.alerted ? TLS_FAILURE_PROTOCOL : TLS_FAILURE_ABANDONED;
        counter_add(&connection->loop->counters.handshakes_failed[failure], 1);
    }
    free_when_unused(connection);
}

void connection_open(struct loop_entrance *entrance, h2o_socket_t *socket, struct tls *tls) {
    struct loop *loop = entrance->loop;
    struct connection *connection = mem_alloc_zeroed(1, sizeof *connection);
    struct sockaddr_storage address;
    uint16_t port;
    unsigned int timeout_ms = UNACKNOWLEDGED_MS_MAX;
    memset(&address, 0, sizeof address);
    connection->loop = loop;
    connection->endpoint = entrance->endpoint;
    connection->active_s = service_now_us() / 1000000;
    connection->tls.tls = tls;
    connection->tls.required = tls != NULL && tls->required;
    connection->socket = socket;
    if (h2o_socket_getpeername(socket, (struct sockaddr *)&address) != 0) {
        listener_format(&address, connection->peer_text, sizeof connection->peer_text, &port);
        connection->loopback = listener_is_loopback(&address);
        connection->address = network_address_of(&address);
    }
    connection->peer = span_of_text(connection->peer_text);
    setsockopt(h2o_socket_get_fd(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
               sizeof timeout_ms);
    socket->on_close.cb = on_close;
    socket->on_close.data = connection;
    connection->next = loop->connections;
    connection->link = &loop->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    loop->connections = connection;
    counter_add(&loop->counters.connections, 1);
    atomic_fetch_add(&loop->service->connections, 1);
}

struct connection *connection_of(h2o_req_t *req) {
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    return socket != NULL ? connection_of_socket(socket) : NULL;
}

struct connection *connection_of_socket(h2o_socket_t *socket) {
    return socket->on_close.cb == on_close ? socket->on_close.data : NULL;
}

static void note_use(struct connection *connection) {
    connection->active_s = service_now_us() / 1000000;
}

void connection_enter(struct connection *connection) {
    note_use(connection);
    connection->exchanges++;
}

void connection_leave(struct connection *connection) {
    ASSERT(connection->exchanges > 0);
    note_use(connection);
    connection->exchanges--;
    free_when_unused(connection);
}

bool connection_check_peer(struct connection *connection) {
    struct tls_peer *peer = &connection->tls;
    struct tls *now = NULL;
    if (peer->certificate == NULL || peer->failure != TLS_FAILURE_NONE)
        return peer->failure == TLS_FAILURE_NONE;
    int64_t now_s = store_time_ms(connection->loop->service->store) / 1000;
    if (tls_peer_aged(peer, atomic_load(&connection->endpoint->tls_generation), now_s))
        now = endpoint_tls(connection->endpoint);
    bool good = tls_peer_check(peer, now, now_s);
    tls_unref(now);
    return good;
}

void connection_close_useless(struct connection *connection, int64_t now_s, uint64_t seconds) {
    if (connection->doomed || connection->exchanges != 0 ||
        now_s - connection->active_s <= (int64_t)seconds)
        return;
    counter_add(&connection->loop->counters.overdue, 1);
    connection_doom(connection);
}

void connection_note_reset(struct connection *connection) {
    connection->resets++;
    if (connection->doomed || connection->socket == NULL ||
        connection->resets <= connection->answered + CONNECTION_RESETS_MAX)
        return;
    counter_add(&connection->loop->counters.reset_closed, 1);
    log_event(LOG_WARN, "service.rapid_reset", LOG_SPAN("peer", connection->peer),
              LOG_INT("resets", connection->resets), LOG_INT("answered", connection->answered));
    connection_doom(connection);
}

void connection_doom(struct connection *connection) {
    connection->doomed = true;
    if (connection->socket != NULL)
        shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}
