/* Long polls: exchanges that wait for news of the log. They hold no snapshot and no thread; a
 * commit wakes those it may concern, and each looks again for itself.
 *
 * Nobody sleeps through a commit: who waits is counted before it looks, and the writer commits
 * before it reads the count.
 *
 * Threads: all on the loop, but for waiting_tell, the writer's. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_WAITING_H
#define SERVICE_WAITING_H

#include "service/exchange.h"

struct loop;

/* The handler found nothing to tell yet: waits, or answers at once when the loop drains or too many
 * wait already. */
void waiting_begin(struct exchange *exchange);
/* The request has gone, or is about to be answered. */
void waiting_end(struct exchange *exchange);
/* A commit changed consents of these (store_options.committed). Writer thread; never blocks. */
void waiting_tell(struct loop *loop, uint64_t fed);
/* Wakes those whom what was told may concern. */
void waiting_wake(struct loop *loop);
/* Every second: answers those whose time is up, or whose peer has closed. */
void waiting_sweep(struct loop *loop);
/* Answers all: the loop drains. */
void waiting_end_all(struct loop *loop);

#endif
