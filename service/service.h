/* The process as its parts see it: what all loops share, and its start, reload and stop.
 *
 * Threads: the main thread starts, reloads and stops; loops read `api` and the atomics. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <pthread.h>

#include "service/config.h"
#include "service/endpoint.h"
#include "service/logger.h"
#include "service/retired.h"
#include "service/settings.h"

struct loop;
struct courier;
struct rounds;
struct keyring;
struct deliveries;
struct lag;

/* Bounds that a reload may change, read by loops at every request. */
struct service_limits {
    _Atomic(uint32_t) in_flight;
    _Atomic(uint32_t) in_flight_per_connection;
    _Atomic(bool) access_log;
};

struct service {
    /* set before the loops start, then constant */
    struct config_source source;
    struct clock clock;
    struct store *store;
    struct auth_signer *receipts;
    struct api_service api; /* its pointers are atomic: reload.c and the writer change them */
    struct logger *logger;
    struct courier *courier;
    struct rounds *rounds;         /* NULL without witnesses */
    struct deliveries *deliveries; /* NULL before the courier starts */
    struct lag *lag;               /* likewise */
    struct keyring *keyring;       /* of api.keys, the owner */
    struct loop *loops;
    unsigned loop_count;
    struct endpoint endpoints[ENDPOINTS_MAX];
    uint32_t endpoint_count;
    uint64_t idle_seconds;
    uint32_t connections_max; /* what the limit of file descriptors leaves */
    int64_t started_ms;       /* CLOCK_MONOTONIC */
    pthread_t main_thread;
    /* the main thread's */
    struct settings *settings; /* the newest; older ones behind it */
    uint32_t reloads;          /* that were not refused */
    struct arena refusals;     /* texts that loops may still read */
    bool create, clock_confirmed;
    /* any thread's */
    struct retired retired;
    _Atomic(uint64_t) epoch; /* the newest of retired */
    struct service_limits limits;
    _Atomic(uint32_t) in_flight;   /* exchanges, in all loops */
    _Atomic(uint32_t) waiting;     /* of those, long polls */
    _Atomic(uint32_t) connections; /* open, in all loops */
    _Atomic(bool) draining;        /* no new work: not ready */
    _Atomic(bool) failed;          /* a commit's outcome is unknown: stop */
};

struct service_options {
    struct config_source source;
    const char *clock; /* NULL: the system's */
    bool create;
    bool clock_confirmed;
};

/* Serves until SIGTERM or SIGINT. Returns the exit status; every refusal has been logged. */
int service_run(const struct service_options *options);
/* Validates configuration, key files and pack without serving; prints the outcome. */
int service_check(const struct service_options *options);

/* Microseconds of CLOCK_MONOTONIC. */
int64_t service_now_us(void);

#endif
