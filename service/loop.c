/* The loop's thread and its orders.
 *
 * Of h2o 2.2.5: h2o_evloop_run returns non-zero on EINTR (ignored: the loop simply runs again); a
 * context's queue is not freed by h2o_context_dispose; idle HTTP/1 connections are not closed by a
 * shutdown request, so drain does it. */
// SPDX-License-Identifier: Apache-2.0
#include "service/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "service/courier.h"
#include "service/respond.h"
#include "service/resting.h"
#include "service/waiting.h"
#include "store/change.h"

#define HEAD_SIZE_MAX 65536 /* a token of 8 KiB, a path and headers of a proxy */

/* h2o_accept makes the SSL at once and so takes its own reference to the context. */
static void begin(struct loop_entrance *entrance, h2o_socket_t *socket) {
    struct tls *tls = endpoint_tls(entrance->endpoint);
    connection_open(entrance, socket, tls);
    entrance->accept.ssl_ctx = tls != NULL ? tls->context : NULL;
    h2o_accept(&entrance->accept, socket);
}

static void on_accept(h2o_socket_t *listener, const char *error) {
    struct loop_entrance *entrance = listener->data;
    struct loop *loop = entrance->loop;
    if (error != NULL)
        return;
    /* One at a time: loops share the listener, and a greedy one would take them all. */
    h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
    if (socket == NULL) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            h2o_socket_read_stop(listener);
            loop->listeners_paused = true;
        }
        return;
    }
    if (atomic_load(&loop->service->connections) >= loop->service->connections_max) {
        counter_add(&loop->counters.turned_away, 1);
        h2o_socket_close(socket);
        return;
    }
    begin(entrance, socket);
}

/* Nobody waits for it. */
static void look_written(struct store_change *change) {
    if (change->done.status != STATUS_OK)
        log_event(LOG_WARN, "audit.look_lost", LOG_TEXT("why", status_name(change->done.status)));
    store_change_free(change);
}

static void take_answers(struct loop *loop) {
    struct store_change *change = store_take(loop->service->store, loop->number);
    while (change != NULL) {
        struct store_change *next = change->next;
        if (change->owner != NULL)
            exchange_resume(change);
        else
            look_written(change);
        change = next;
    }
}

/* No handler runs here, so nothing that a handler read is held. */
static void pass(struct loop *loop) {
    atomic_store(&loop->passed, atomic_load(&loop->service->epoch));
    courier_wake(loop->service->courier);
}

/* An idle HTTP/1 connection ends now; one with a request ends with its answer. Requests that are
 * still arriving have until the deadline. */
static int drain_http1(h2o_req_t *req, void *context) {
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    (void)context;
    req->http1_is_persistent = 0;
    if (socket != NULL && req->version == 0 && socket->input->size == 0)
        shutdown(h2o_socket_get_fd(socket), SHUT_RD);
    return 0;
}

static void close_listeners(struct loop *loop) {
    for (uint32_t i = 0; i < loop->entrance_count; i++) {
        struct loop_entrance *entrance = &loop->entrances[i];
        h2o_socket_t *socket;
        /* Who has connected already is served: the last close would reset them. */
        while ((socket = h2o_evloop_socket_accept(entrance->socket)) != NULL)
            begin(entrance, socket);
        h2o_socket_read_stop(entrance->socket);
        h2o_socket_close(entrance->socket);
    }
    loop->entrance_count = 0;
}

static void drain(struct loop *loop) {
    if (loop->draining)
        return;
    loop->draining = true;
    close_listeners(loop);
    h2o_timeout_unlink(&loop->sweep);
    loop->context.globalconf->http1.callbacks.foreach_request(&loop->context, drain_http1, NULL);
    waiting_end_all(loop);
    h2o_context_request_shutdown(&loop->context);
}

static void close_all(struct loop *loop) {
    struct connection *connection;
    for (connection = loop->connections; connection != NULL; connection = connection->next)
        connection_doom(connection);
}

static void on_orders(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages) {
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, receiver, receiver);
    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
    /* The message is free again before the orders are: who orders next may link it. */
    unsigned orders = atomic_exchange(&loop->orders, 0);
    if (orders & LOOP_PASS)
        pass(loop);
    if (orders & LOOP_ANSWERS)
        take_answers(loop);
    if (orders & LOOP_NEWS)
        waiting_wake(loop);
    if (orders & LOOP_STREAMS)
        resting_wake(loop);
    if (orders & LOOP_DRAIN)
        drain(loop);
    if (orders & LOOP_ANSWER)
        exchange_abandon_all(loop);
    if (orders & LOOP_CLOSE)
        close_all(loop);
}

void loop_tell(struct loop *loop, enum loop_order order) {
    if (atomic_fetch_or(&loop->orders, (unsigned)order) == 0)
        h2o_multithread_send_message(&loop->receiver, &loop->message);
}

/* HTTP/2's idle timer starts anew with every byte: a request that arrives drop by drop would stay
 * for ever. HTTP/1's covers head and body. */
static int close_overdue(h2o_req_t *req, void *context) {
    struct loop *loop = context;
    struct timeval now = *h2o_get_timestamp(&loop->context, NULL, NULL);
    struct connection *connection;
    if (req->pathconf != NULL || req->timestamps.request_begin_at.tv_sec == 0 ||
        now.tv_sec - req->timestamps.request_begin_at.tv_sec <= (time_t)loop->service->idle_seconds)
        return 0;
    connection = connection_of(req);
    if (connection != NULL && !connection->doomed) {
        counter_add(&loop->counters.overdue, 1);
        connection_doom(connection);
    }
    return 0;
}

/* h2o reads heads of up to 417,792 bytes; ours fit 64 KiB many times over. */
static int close_overlong(h2o_req_t *req, void *context) {
    struct loop *loop = context;
    struct connection *connection = connection_of(req);
    if (req->version != 0 || connection == NULL || connection->doomed ||
        connection->socket->input->size <= HEAD_SIZE_MAX)
        return 0;
    counter_add(&loop->counters.overdue, 1);
    connection_doom(connection);
    return 0;
}

/* Twice: a request may begin at the end of one idle time and take another to arrive. */
static void close_useless(struct loop *loop) {
    int64_t now_s = service_now_us() / 1000000;
    struct connection *connection;
    for (connection = loop->connections; connection != NULL; connection = connection->next)
        connection_close_useless(connection, now_s, 2 * loop->service->idle_seconds);
}

static void on_sweep(h2o_timeout_entry_t *entry) {
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, sweep, entry);
    const h2o_globalconf_t *http = loop->context.globalconf;
    http->http1.callbacks.foreach_request(&loop->context, close_overlong, loop);
    http->http2.callbacks.foreach_request(&loop->context, close_overdue, loop);
    waiting_sweep(loop);
    close_useless(loop);
    if (loop->listeners_paused)
        for (uint32_t i = 0; i < loop->entrance_count; i++)
            h2o_socket_read_start(loop->entrances[i].socket, on_accept);
    loop->listeners_paused = false;
    if (++loop->sweeps_since_looks >= atomic_load(&loop->service->api.settings)->note_reads_s) {
        loop->sweeps_since_looks = 0;
        api_looks_flush(&loop->api);
    }
    h2o_timeout_link(loop->context.loop, &loop->context.one_sec_timeout, &loop->sweep);
}

static void add_entrance(struct loop *loop, struct endpoint *endpoint) {
    struct loop_entrance *entrance = &loop->entrances[loop->entrance_count++];
    int fd = fcntl(endpoint->listener.fd, F_DUPFD_CLOEXEC, 3);
    ASSERT(fd >= 0);
    h2o_socket_t *socket =
        h2o_evloop_socket_create(loop->context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    *entrance = (struct loop_entrance){
        loop, endpoint, socket, {&loop->context, loop->http->hosts, NULL, 0, NULL}};
    socket->data = entrance;
    h2o_socket_read_start(socket, on_accept);
}

/* On the loop's own thread: h2o's buffers come from and go back to lists of the thread that made
 * their socket, without a lock. */
static void open_context(struct loop *loop) {
    h2o_globalconf_t *http = loop->http;
    h2o_context_init(&loop->context, h2o_evloop_create(), http);
    h2o_multithread_register_receiver(loop->context.queue, &loop->receiver, on_orders);
    loop->sweep.cb = on_sweep;
    h2o_timeout_link(loop->context.loop, &loop->context.one_sec_timeout, &loop->sweep);
    for (uint32_t i = 0; i < loop->service->endpoint_count; i++)
        add_entrance(loop, &loop->service->endpoints[i]);
}

static void close_context(struct loop *loop) {
    h2o_multithread_queue_t *queue = loop->context.queue;
    h2o_loop_t *evloop = loop->context.loop;
    for (uint32_t i = 0; i < loop->entrance_count; i++)
        h2o_socket_close(loop->entrances[i].socket);
    if (h2o_linklist_is_linked(&loop->message.link))
        h2o_linklist_unlink(&loop->message.link);
    h2o_timeout_unlink(&loop->sweep);
    h2o_timeout_unlink(&loop->context.http2._graceful_shutdown_timeout);
    h2o_multithread_unregister_receiver(queue, &loop->receiver);
    h2o_context_dispose(&loop->context);
    free(queue);
    h2o_evloop_destroy(evloop);
}

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0)
        ASSERT(errno == EINTR);
}

static void *run(void *context) {
    struct loop *loop = context;
    char name[16];
    snprintf(name, sizeof name, "loop-%u", loop->number);
    pthread_setname_np(pthread_self(), name);
    logger_attach(loop->service->logger, loop->number);
    open_context(loop);
    sem_post(&loop->opened);
    while (!loop->draining || loop->connections != NULL)
        h2o_evloop_run(loop->context.loop, INT32_MAX);
    api_looks_flush(&loop->api);
    api_loop_release(&loop->api);
    store_reader_close(loop->api.reader);
    loop->api.reader = NULL;
    sem_post(&loop->ended);
    /* the store may still tell of answers until it is closed */
    wait_for(&loop->released);
    exchange_release_all(loop);
    close_context(loop);
    return NULL;
}

void loop_init(struct loop *loop, struct service *service, unsigned number,
               h2o_globalconf_t *http) {
    loop->service = service;
    loop->number = number;
    loop->http = http;
    loop->api =
        (struct api_loop){.service = &service->api, .number = number, .auth = auth_loop_new()};
    sem_init(&loop->opened, 0, 0);
    sem_init(&loop->ended, 0, 0);
    sem_init(&loop->released, 0, 0);
}

enum status loop_start(struct loop *loop) {
    enum status status = store_reader_open(loop->service->store, &loop->api.reader);
    if (status != STATUS_OK)
        return status;
    int code = pthread_create(&loop->thread, NULL, run, loop);
    ASSERT(code == 0);
    wait_for(&loop->opened);
    loop->started = loop->serving = true;
    return STATUS_OK;
}

bool loop_join(struct loop *loop, const struct timespec *deadline) {
    while (loop->serving && sem_clockwait(&loop->ended, CLOCK_MONOTONIC, deadline) != 0)
        if (errno != EINTR)
            return false;
    loop->serving = false;
    return true;
}

void loop_release(struct loop *loop) {
    if (loop->started) {
        sem_post(&loop->released);
        ASSERT(pthread_join(loop->thread, NULL) == 0);
    }
    auth_loop_free(loop->api.auth);
    sem_destroy(&loop->opened);
    sem_destroy(&loop->ended);
    sem_destroy(&loop->released);
}
