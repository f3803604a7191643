/* What we keep of a connection beside h2o's own: who the peer is, how much of it is in flight, and
 * how often it has cancelled (CVE-2023-44487, "rapid reset": h2o 2.2.5 predates the fix).
 *
 * It hangs on the socket (h2o_socket_t.on_close), which HTTP/1 and HTTP/2 connections both have,
 * and outlives it while an exchange still waits for the writer. One loop's. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_CONNECTION_H
#define SERVICE_CONNECTION_H

#include "service/endpoint.h"
#include "service/tls_peer.h"
#include "service/transport.h"

/* How many more requests a connection may cancel than it has let be answered: cancelling is then at
 * most as cheap for a peer as asking properly. A browser that leaves a page cancels some tens. */
#define CONNECTION_RESETS_MAX 100

struct loop;
struct loop_entrance;

struct connection {
    struct loop *loop;
    struct endpoint *endpoint; /* it came in by */
    struct tls_peer tls;
    h2o_socket_t *socket; /* NULL once closed */
    uint32_t exchanges;   /* in flight, those whose request vanished included */
    uint64_t answered, resets;
    int64_t active_s; /* when a request last began or ended, or it was opened; CLOCK_MONOTONIC */
    bool doomed;      /* is being closed: answer nothing more */
    bool loopback;
    bool upgraded; /* HTTP/2 in clear text that began as HTTP/1.1 (Upgrade: h2c) */
    struct network_address address;
    struct span peer; /* text below */
    char peer_text[INET6_ADDRSTRLEN];
    struct connection *next, **link; /* of the loop's open ones */
};

/* Attaches to a socket that was just accepted; takes the reference to tls, NULL on a plain one. */
void connection_open(struct loop_entrance *entrance, h2o_socket_t *socket, struct tls *tls);
struct connection *connection_of_socket(h2o_socket_t *socket);
/* Of a request that is alive; NULL for a request without a socket. */
struct connection *connection_of(h2o_req_t *req);
/* An exchange begins or has ended. The last end after the close frees the connection. */
void connection_enter(struct connection *connection);
void connection_leave(struct connection *connection);
/* Whether the peer has shown the certificate that it is asked for, and it is still good
 * (tls_peer_check). Otherwise the connection is closed once the answer that says so has left. */
bool connection_check_peer(struct connection *connection);
/* Ends the connection if no request has come of it for so long, whatever it has sent: HTTP/2's idle
 * timer starts anew with every byte, and neither a PING nor a CONTINUATION is a request. */
void connection_close_useless(struct connection *connection, int64_t now_s, uint64_t seconds);
/* Counts a cancelled request; closes above the bound. */
void connection_note_reset(struct connection *connection);
/* Ends the connection soon, from any callback: h2o sees its end of file at the next turn of the
 * loop. Closing inside h2o's frame handlers would free what they still use. */
void connection_doom(struct connection *connection);

#endif
