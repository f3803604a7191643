/* HTTP requests to others, several at a time, each bounded in time and size: whoever hangs,
 * trickles or floods costs a time-out and no more. The door to libcurl.
 *
 * Threads: one, but for fetcher_wake. Redirects are not followed; proxies are those of the
 * environment (https_proxy, no_proxy). */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_FETCH_H
#define SERVICE_FETCH_H

#include <stdatomic.h>

#include "base/mem.h"
#include "base/span.h"

#define FETCH_ANSWER_MAX 65536 /* bytes of a body: 64 signature lines fit many times over */
#define FETCH_MS 9000          /* for the whole, name to last byte; two fit into 20 seconds */
#define FETCH_CONNECT_MS 5000
#define FETCHES_MAX 16 /* at a time */

struct fetch {
    const char *url;      /* borrowed, with body */
    struct span body;     /* to POST */
    int status;           /* of HTTP; 0: there is no answer */
    const char *failure;  /* why there is none, a static text */
    char type[64];        /* media type, "" when there is none or it is longer */
    struct buffer answer; /* the caller's to release */
};

struct fetcher;
struct fetcher *fetcher_open(void);
void fetcher_close(struct fetcher *fetcher);
/* Sends all, FETCHES_MAX at most, and returns when each has an answer or none, at once when *stop
 * has become true. What an earlier call left in them is dropped. */
void fetcher_run(struct fetcher *fetcher, struct fetch *const *fetches, unsigned count,
                 const _Atomic(bool) *stop);
/* Waits for so long, or until it is woken. */
void fetcher_wait(struct fetcher *fetcher, int ms);
/* Ends the present wait, or the next. Any thread. */
void fetcher_wake(struct fetcher *fetcher);

#endif
