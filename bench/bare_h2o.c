/* The yardstick: the same h2o with a handler that returns a constant. What consentd reaches is
 * stated as a ratio to it, since absolutes differ from machine to machine.
 *
 * bare_h2o [--loops N] [--port P] [--size BYTES]: prints "listening PORT", serves until it is
 * killed. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef H2O_USE_LIBUV
#define H2O_USE_LIBUV 0
#endif
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#define LOOPS_MAX 64

struct loop {
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    pthread_t thread;
};

static char *body;
static size_t body_size;
static h2o_globalconf_t http;
static struct loop loops[LOOPS_MAX];

static int on_request(h2o_handler_t *handler, h2o_req_t *req) {
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t bytes = h2o_iovec_init(body, body_size);
    (void)handler;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = bytes.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_start_response(req, &generator);
    h2o_send(req, &bytes, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error) {
    struct loop *loop = listener->data;
    h2o_socket_t *socket;
    if (error == NULL && (socket = h2o_evloop_socket_accept(listener)) != NULL)
        h2o_accept(&loop->accept, socket);
}

static void *run(void *argument) {
    struct loop *loop = argument;
    for (;;)
        h2o_evloop_run(loop->context.loop, INT32_MAX);
    return NULL;
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("bare_h2o");
        exit(1);
    }
    printf("listening %u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void make_body(size_t size) {
    static const char start[] = "{\"terms\":\"", end[] = "\"}";
    body_size = size < sizeof start + sizeof end ? sizeof start + sizeof end : size;
    body = malloc(body_size);
    memset(body, 'x', body_size);
    memcpy(body, start, sizeof start - 1);
    memcpy(body + body_size - (sizeof end - 1), end, sizeof end - 1);
}

static void start(struct loop *loop, int fd) {
    h2o_context_init(&loop->context, h2o_evloop_create(), &http);
    loop->accept = (h2o_accept_ctx_t){&loop->context, http.hosts, NULL, 0, NULL};
    h2o_socket_t *socket =
        h2o_evloop_socket_create(loop->context.loop, dup(fd), H2O_SOCKET_FLAG_DONT_READ);
    socket->data = loop;
    h2o_socket_read_start(socket, on_accept);
    pthread_create(&loop->thread, NULL, run, loop);
}

int main(int count, char **arguments) {
    static const struct option known[] = {{"loops", required_argument, NULL, 'l'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"size", required_argument, NULL, 's'},
                                          {0}};
    long loop_count = 1, port = 0, size = 1500;
    int option;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
        long number = optarg != NULL ? strtol(optarg, NULL, 10) : 0;
        if (option == 'l' && number >= 1 && number <= LOOPS_MAX)
            loop_count = number;
        else if (option == 'p' && number >= 0 && number <= 65535)
            port = number;
        else if (option == 's' && number >= 1)
            size = number;
        else
            return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    make_body((size_t)size);
    h2o_config_init(&http);
    h2o_hostconf_t *host =
        h2o_config_register_host(&http, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
    int fd = listen_on((uint16_t)port);
    for (long i = 0; i < loop_count; i++)
        start(&loops[i], fd);
    for (long i = 0; i < loop_count; i++)
        pthread_join(loops[i].thread, NULL);
    return 0;
}
