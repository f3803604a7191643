/* Rounds among the witnesses, a job of the courier: it brings them the log's checkpoints, and keeps
 * their cosignatures.
 *
 * A witness that has cosigned more entries than the log has shows that an old copy of the log was
 * put back: then the store takes nothing any more (store_fail), so that two histories never grow.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_ROUNDS_H
#define SERVICE_ROUNDS_H

#include "service/config.h"
#include "service/courier.h"
#include "service/reply.h"

struct rounds;
/* Opens a reader and becomes a job of the courier, of its first turn too: a log that was put back
 * takes no change before it is found. store and config are borrowed. */
MUST_CHECK enum status rounds_open(struct store *store, const struct config *config,
                                   struct courier *courier, struct rounds **out);
/* After courier_stop. NULL is right. */
void rounds_close(struct rounds *rounds);
/* A witness was ahead of the log. Any thread. */
bool rounds_rolled_back(const struct rounds *rounds);

struct rounds_stats {
    struct span witness; /* its name */
    uint64_t replies[REPLY_KINDS];
    uint64_t size; /* of the log, as it cosigned it last; 0: not since the start */
    uint64_t time; /* when, in seconds since 1970 */
};
/* Of the witness at index; false past the last. Any thread. */
bool rounds_stats_get(const struct rounds *rounds, unsigned index, struct rounds_stats *out);

#endif
