/* A witness behind h2o: one loop on the main thread, so that requests are judged one after another.
 * HTTP/1.1 only: who asks is a log, every half minute or so.
 *
 * Signals come through a descriptor of the loop (signalfd), which so misses none. */
// SPDX-License-Identifier: Apache-2.0
#include "service/witness_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "service/listener.h"
#include "service/notify.h"
#include "service/transport.h"
#include "service/witness.h"

#define VISITORS_MAX 512 /* connections at a time; more wait in the kernel */
#define REQUEST_MS 10000 /* idleness, head and body of a request */
#define WHY_SIZE 1024

/* An open connection. */
struct visitor {
    struct witness_server *server;
    h2o_socket_t *socket;
    struct visitor *next, **link;
};

struct witness_server {
    struct witness *witness;
    struct listener address;
    h2o_globalconf_t http;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener, *signals;
    struct visitor *visitors;
    unsigned visitor_count;
    bool stopping;
};

struct handler {
    h2o_handler_t super;
    struct witness_server *server;
};

static bool refuse(const char *why) {
    log_event(LOG_ERROR, "witness.refused", LOG_TEXT("why", why));
    return false;
}

/* ---- requests */

static void reply(h2o_req_t *req, int status, struct span type, struct span body) {
    static h2o_generator_t generator;
    h2o_iovec_t bytes = h2o_strdup(&req->pool, body.data, body.size);
    req->res.status = status;
    req->res.reason = status == 200 ? "OK" : "Refused";
    req->res.content_length = body.size;
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("content-type"), 1, NULL,
                          type.data, type.size);
    if (status == 405)
        h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("allow"), 1, NULL,
                              H2O_STRLIT("POST"));
    h2o_start_response(req, &generator);
    h2o_send(req, &bytes, 1, H2O_SEND_STATE_FINAL);
}

static int on_request(h2o_handler_t *super, h2o_req_t *req) {
    struct witness_server *server = ((struct handler *)(void *)super)->server;
    struct witness_answer answer;
    struct span plain = SPAN("text/plain; charset=utf-8");
    if (!span_is(transport_span(req->input.path), "/add-checkpoint")) {
        reply(req, 404, plain, SPAN("a witness has /add-checkpoint alone\n"));
    } else if (!span_is(transport_span(req->input.method), "POST")) {
        reply(req, 405, plain, SPAN("a checkpoint is added by POST\n"));
    } else {
        witness_add_checkpoint(server->witness, transport_span(req->entity), &answer);
        reply(req, answer.status, answer.type, buffer_span(&answer.body));
        buffer_release(&answer.body);
    }
    return 0;
}

static void configure(struct witness_server *server) {
    h2o_config_init(&server->http);
    server->http.server_name = h2o_iovec_init(NULL, 0);
    server->http.max_request_entity_size = WITNESS_SUBMISSION_MAX;
    server->http.http1.req_timeout = REQUEST_MS;
    server->http.http1.upgrade_to_http2 = 0;
    h2o_hostconf_t *host =
        h2o_config_register_host(&server->http, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    host->fallback_path.error_log.emit_request_errors = 0; /* h2o would print the raw path */
    struct handler *handler =
        (struct handler *)(void *)h2o_create_handler(&host->fallback_path, sizeof *handler);
    handler->super.on_req = on_request;
    handler->server = server;
}

/* ---- connections */

static void on_accept(h2o_socket_t *listener, const char *error);

static void on_close(void *context) {
    struct visitor *visitor = context;
    struct witness_server *server = visitor->server;
    *visitor->link = visitor->next;
    if (visitor->next != NULL)
        visitor->next->link = visitor->link;
    server->visitor_count--;
    if (!server->stopping && server->visitor_count == VISITORS_MAX - 1)
        h2o_socket_read_start(server->listener, on_accept);
    mem_free(visitor);
}

static void on_accept(h2o_socket_t *listener, const char *error) {
    struct witness_server *server = listener->data;
    h2o_socket_t *socket = error == NULL ? h2o_evloop_socket_accept(listener) : NULL;
    if (socket == NULL)
        return;
    struct visitor *visitor = mem_alloc_zeroed(1, sizeof *visitor);
    *visitor = (struct visitor){server, socket, server->visitors, &server->visitors};
    if (visitor->next != NULL)
        visitor->next->link = &visitor->next;
    server->visitors = visitor;
    socket->on_close.cb = on_close;
    socket->on_close.data = visitor;
    if (++server->visitor_count == VISITORS_MAX)
        h2o_socket_read_stop(listener);
    h2o_accept(&server->accept, socket);
}

/* An answer that was given is in the kernel already: whoever still waits for one asks again. */
static void on_signal(h2o_socket_t *signals, const char *error) {
    struct witness_server *server = signals->data;
    (void)error;
    h2o_socket_read_stop(signals);
    h2o_socket_read_stop(server->listener);
    server->stopping = true;
    for (struct visitor *visitor = server->visitors; visitor != NULL; visitor = visitor->next)
        shutdown(h2o_socket_get_fd(visitor->socket), SHUT_RDWR);
}

/* ---- life */

static h2o_socket_t *watch(struct witness_server *server, int fd, h2o_socket_cb callback) {
    h2o_socket_t *socket =
        h2o_evloop_socket_create(server->context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    socket->data = server;
    h2o_socket_read_start(socket, callback);
    return socket;
}

static void serve(struct witness_server *server, int signals) {
    configure(server);
    h2o_context_init(&server->context, h2o_evloop_create(), &server->http);
    server->accept = (h2o_accept_ctx_t){&server->context, server->http.hosts, NULL, 0, NULL};
    server->listener = watch(server, server->address.fd, on_accept);
    server->signals = watch(server, signals, on_signal);
    log_event(LOG_INFO, "service.listening", LOG_TEXT("address", server->address.address),
              LOG_TEXT("version", CONSENTD_VERSION),
              LOG_INT("logs", witness_log_count(server->witness)));
    notify("READY=1");
    while (!server->stopping || server->visitors != NULL)
        h2o_evloop_run(server->context.loop, INT32_MAX);
    notify("STOPPING=1");
    h2o_multithread_queue_t *queue = server->context.queue;
    h2o_loop_t *loop = server->context.loop;
    h2o_socket_close(server->listener);
    h2o_socket_close(server->signals);
    h2o_context_dispose(&server->context);
    free(queue);
    h2o_evloop_destroy(loop);
    h2o_config_dispose(&server->http);
}

static bool open_listener(struct witness_server *server,
                          const struct witness_server_options *options) {
    char why[WHY_SIZE];
    if (listener_open(span_of_text(options->listen), &server->address, why, sizeof why) !=
        STATUS_OK)
        return refuse(why);
    if (server->address.loopback || options->insecure_http)
        return true;
    listener_close(&server->address);
    snprintf(why, sizeof why,
             "%s is not a loopback address, and plain HTTP beyond loopback needs --insecure-http",
             options->listen);
    return refuse(why);
}

int witness_server_run(const struct witness_server_options *options) {
    struct witness_server server = {.address.fd = -1};
    struct clock clock;
    char why[WHY_SIZE];
    sigset_t ending;
    const struct witness_options witness = {.directory = options->data,
                                            .logs = options->logs,
                                            .name = options->name,
                                            .create = options->create,
                                            .clock = &clock};
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    clock_init(&clock);
    if (witness_open(&witness, &server.witness, why, sizeof why) != STATUS_OK) {
        (void)refuse(why);
        return 1;
    }
    puts(witness_vkey(server.witness));
    fflush(stdout);
    bool good = open_listener(&server, options);
    int signals = good ? signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
    if (good && signals < 0)
        good = refuse(strerror(errno));
    if (good)
        serve(&server, signals);
    witness_close(server.witness);
    return good ? 0 : 1;
}
