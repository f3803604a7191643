/* An event loop: a thread with its own h2o context, listeners, store reader, token cache and
 * counters. It blocks on nothing but its sockets.
 *
 * Threads: init and release on the main thread while the loop does not run; everything between on
 * its own; wake and tell from any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_LOOP_H
#define SERVICE_LOOP_H

#include <semaphore.h>

#include "service/counters.h"
#include "service/exchange.h"
#include "service/service.h"
#include "service/transport.h"

enum loop_order {
    LOOP_DRAIN = 1,    /* stop accepting, close what is idle, end when nothing is left */
    LOOP_ANSWER = 2,   /* the deadline has passed: answer what still waits for the writer */
    LOOP_CLOSE = 4,    /* close all connections */
    LOOP_ANSWERS = 8,  /* the writer has answered changes of this loop */
    LOOP_NEWS = 16,    /* commits may concern who waits for them */
    LOOP_PASS = 32,    /* note that nothing of before is read any more (retired.h) */
    LOOP_STREAMS = 64, /* a turn is over: streams that rest go on */
};

/* The loop's own copy of an endpoint's socket, and how connections from it begin. */
struct loop_entrance {
    struct loop *loop;
    struct endpoint *endpoint;
    h2o_socket_t *socket;
    h2o_accept_ctx_t accept; /* h2o points to it until the handshake is done */
};

struct loop {
    struct service *service;
    unsigned number;
    h2o_globalconf_t *http;
    pthread_t thread;
    bool started; /* thread is valid */
    bool serving; /* and has not ended yet */
    sem_t opened, ended, released;
    h2o_context_t context; /* the thread's: made and disposed of there */
    struct loop_entrance entrances[ENDPOINTS_MAX];
    uint32_t entrance_count;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t message; /* linked while orders wait */
    _Atomic(unsigned) orders;          /* bits of enum loop_order */
    _Atomic(uint64_t) passed;          /* the last epoch of what was retired before */
    h2o_timeout_entry_t sweep;         /* every second */
    unsigned sweeps_since_looks;       /* were handed to the writer */
    struct api_loop api;
    struct counters counters;
    struct connection *connections; /* all that are open */
    struct exchange *exchanges;     /* all that live */
    struct exchange *spares;        /* ended, for use again */
    unsigned spare_count;
    struct exchange *waiting;        /* long polls (waiting.h) … */
    struct exchange *next_waiting;   /* … and where a walk over them stands */
    _Atomic(uint32_t) waiting_count; /* how many; the writer reads it */
    _Atomic(uint64_t) fed;           /* whom commits since the last wake concern */
    struct exchange *resting;        /* streams between two turns (resting.h) */
    struct exchange *sending;        /* whose response h2o_start_response is setting up */
    bool draining;
    bool listeners_paused; /* accept failed for want of resources: again at the next sweep */
};

/* http outlives the loop. */
void loop_init(struct loop *loop, struct service *service, unsigned number, h2o_globalconf_t *http);
/* Opens the reader and starts the thread, which makes the loop's context and its copies of the
 * listeners; returns when it has. */
MUST_CHECK enum status loop_start(struct loop *loop);
/* Gives an order; orders add up. Never blocks. */
void loop_tell(struct loop *loop, enum loop_order order);
/* Waits for the thread's end until the deadline (CLOCK_MONOTONIC); true when it has ended. */
bool loop_join(struct loop *loop, const struct timespec *deadline);
/* After loop_join and store_close: ends the thread. */
void loop_release(struct loop *loop);

static inline struct loop *loop_of(h2o_context_t *context) {
    return H2O_STRUCT_FROM_MEMBER(struct loop, context, context);
}

#endif
