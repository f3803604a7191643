/* Log lines leave the process on a thread of their own: a loop puts a line on its ring and goes on,
 * whatever the reader of stderr does. A full ring drops the line and counts it.
 *
 * Threads: start and stop from the main thread, before the first and after the last other thread;
 * attach from the loop; the sink (base/log.h) from any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_LOGGER_H
#define SERVICE_LOGGER_H

#include <stdint.h>

struct logger;

/* Becomes the sink of base/log.h and drains to fd. One at a time. */
struct logger *logger_start(unsigned loops, int fd);
/* From now on this thread's lines go through the ring of `loop`; other threads share one. */
void logger_attach(struct logger *logger, unsigned loop);
/* Lines that found their ring full. Any thread. */
uint64_t logger_dropped(const struct logger *logger);
/* Writes what waits, stops the thread, restores direct output. */
void logger_stop(struct logger *logger);

#endif
