/* What was replaced while loops may still read it. A loop reads shared sets (keys of issuers) only
 * while it handles a request, never over a return to its event loop; so what was replaced before
 * every loop has returned to it once is read by nobody, and is freed.
 *
 * Threads: main and courier retire, the courier collects; a loop passes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_RETIRED_H
#define SERVICE_RETIRED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct service;

enum retired_readers {
    RETIRED_NO_READERS,  /* no loop runs yet: what is replaced is read by nobody */
    RETIRED_UNKNOWN,     /* loops are being started: nothing is freed */
    RETIRED_READERS_RUN, /* all loops run and take orders */
};
struct retired_item;
struct retired {
    pthread_mutex_t lock;
    struct retired_item *items;
    uint64_t epoch; /* of the last that was retired */
    enum retired_readers readers;
    _Atomic(uint64_t) count; /* of items */
};

void retired_init(struct retired *retired);
/* Frees all that is left; no loop runs. */
void retired_release(struct retired *retired);
/* Takes what nobody can find any more: its successor is published. release frees it, on the
 * courier's thread or in retired_release. */
void retired_add(struct service *service, void *what, void (*release)(void *what));
/* Frees what is read by nobody. */
void retired_collect(struct service *service);
/* The main thread tells how far the loops are. */
void retired_set_readers(struct service *service, enum retired_readers readers);

#endif
