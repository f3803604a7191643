/* Where callers come in: a listening socket, what it is for, and the TLS in force on it.
 *
 * Threads: opened, reloaded and closed on the main thread; loops take the TLS in force for a new
 * connection, under a lock that is held for no more than counting. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_ENDPOINT_H
#define SERVICE_ENDPOINT_H

#include <pthread.h>

#include "service/config.h"
#include "service/listener.h"
#include "service/tls.h"

#define ENDPOINTS_MAX (2 * CONFIG_LISTEN_MAX)

struct endpoint {
    struct listener listener;
    uint64_t kind;          /* enum config_kind_of_listener */
    struct span configured; /* its address in `listeners`; absent for one of `listen` */
    uint32_t place;         /* there, at the start */
    _Atomic(const struct config_listener *) config; /* NULL for one of `listen` */
    pthread_mutex_t lock;
    struct tls *tls; /* in force, under the lock; NULL without TLS */
    _Atomic(uint64_t) tls_generation;
};

struct settings;
/* Opens what LISTEN_FDS passes and what the settings name. An inherited socket with the address of
 * one of `listeners` is that one; the others are plain and replace `listen`. On failure why says
 * what; what was opened is counted all the same. */
MUST_CHECK enum status endpoints_open(const struct settings *settings, struct endpoint *endpoints,
                                      uint32_t *count, char *why, size_t why_size);
/* The same judgement without opening anything. */
MUST_CHECK enum status endpoints_check(const struct settings *settings, char *why, size_t why_size);
/* New certificates, keys, authorities, lists and flags of listeners that are open. Warns of what is
 * out of date at now_s, or will be within 30 days. */
void endpoints_follow(struct endpoint *endpoints, uint32_t count, const struct settings *settings,
                      int64_t now_s);
/* Closes the sockets; loops may still serve what they accepted. */
void endpoints_close(struct endpoint *endpoints, uint32_t count);
/* When no loop runs. */
void endpoints_release(struct endpoint *endpoints, uint32_t count);

/* Counted, ended by tls_unref; NULL without TLS. Any thread. */
struct tls *endpoint_tls(struct endpoint *endpoint);
bool endpoint_is_public(const struct endpoint *endpoint);
bool endpoint_is_admin(const struct endpoint *endpoint);
/* "https" or "http" */
const char *endpoint_scheme(const struct endpoint *endpoint);
const char *endpoint_kind_name(const struct endpoint *endpoint);

#endif
