/* HTTP requests to others, several at a time, each bounded in time and size: whoever hangs,
 * trickles or floods costs a time-out and no more. The door to libcurl.
 *
 * Threads: one, but for fetcher_wake. Redirects are not followed; proxies are those of the
 * environment (https_proxy, no_proxy). TLS is 1.2 or later, the peer's certificate and name are
 * always checked. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_FETCH_H
#define SERVICE_FETCH_H

#include <stdatomic.h>

#include "base/mem.h"
#include "base/span.h"

#define FETCH_ANSWER_MAX 65536 /* bytes of a body where the caller says no other bound */
#define FETCH_MS 9000          /* for the whole, name to last byte; two fit into 20 seconds */
#define FETCH_CONNECT_MS 5000
#define FETCHES_MAX 32 /* at a time: all issuers */

struct fetch {
    /* in: all borrowed while fetcher_run runs */
    const char *url;
    struct span body;           /* to POST; absent: GET */
    const char *const *headers; /* lines "Name: value", NULL behind the last; NULL: none */
    const char *cert_file;      /* PEM, with key_file: what to show to who asks for a certificate */
    const char *key_file;
    const char *ca_file; /* PEM; whom alone to trust. NULL: whom the system trusts */
    size_t answer_max;   /* bytes of the answer's body; 0: FETCH_ANSWER_MAX */
    bool status_alone;   /* a whole head is an answer, whatever becomes of the body */
    /* out */
    int status;              /* of HTTP; 0: there is no answer */
    const char *failure;     /* why there is none, a static text */
    char type[64];           /* media type, "" when there is none or it is longer */
    char etag[128];          /* the same */
    char cache_control[256]; /* the same */
    struct buffer answer;    /* the caller's to release */
    bool has_head;           /* the last head of the answer has come to its end */
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
