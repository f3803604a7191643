/* Streams that rest. h2o 2.2.5 asks for the next chunk as soon as the last has left, before it
 * looks at any other socket: whoever reads as fast as the log is read would have the loop for
 * himself to the end. So a stream that has sent its share goes on only when the loop has been round
 * once (test_log_load).
 *
 * Threads: all on the loop. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_RESTING_H
#define SERVICE_RESTING_H

#include "service/exchange.h"

/* Goes on after the loop's next turn: respond_go_on. */
void resting_begin(struct exchange *exchange);
/* The request has gone. */
void resting_end(struct exchange *exchange);
/* A turn is over: all that rest go on. */
void resting_wake(struct loop *loop);

#endif
