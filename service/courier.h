/* The courier: its thread brings the log's checkpoints to the witnesses and their cosignatures
 * back, off the write path. It holds no snapshot while it waits for others.
 *
 * A witness that has cosigned more entries than the log has shows that an old copy of the log was
 * put back: then the store takes nothing any more (store_fail), so that two histories never grow.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_COURIER_H
#define SERVICE_COURIER_H

#include "service/config.h"
#include "service/reply.h"
#include "store/store.h"

struct courier;

/* Opens a reader and starts the thread; returns when each witness was asked once, or did not answer
 * in time, so that a log that was put back takes no change before it is found. STATUS_INTERNAL when
 * it was, or when the store cannot be read. *out is set before the writer tells of answers. config
 * and store are borrowed; lane is the courier's for changes. */
MUST_CHECK enum status courier_start(struct store *store, const struct config *config,
                                     unsigned lane, _Atomic(struct courier *) *out);
/* Ends the thread, whatever it waits for. The store must still be open. NULL is right. */
void courier_stop(struct courier *courier);

/* The writer has answered a change of the courier's lane. Any thread. */
void courier_answered(struct courier *courier);
/* Asks the witnesses at once rather than at the next interval. Any thread. */
void courier_hurry(struct courier *courier);

struct courier_stats {
    struct span witness; /* its name */
    uint64_t replies[REPLY_KINDS];
    uint64_t size; /* of the log, as it cosigned it last; 0: not since the start */
    uint64_t time; /* when, in seconds since 1970 */
};
/* Of the witness at index; false past the last. Any thread. */
bool courier_stats_get(const struct courier *courier, unsigned index, struct courier_stats *out);

#endif
