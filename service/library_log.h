/* h2o 2.2.5 prints to stdio's stderr from the loops, for instance for each HTTP/2 frame of a type
 * it does not know: any peer could fill the log with lines that are no JSON, and a reader of stderr
 * that stands still would block a loop. While this is on, such text becomes log lines, a few a
 * second, through the logger.
 *
 * Threads: start and stop from the main thread, within the logger's life; printing from any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_LIBRARY_LOG_H
#define SERVICE_LIBRARY_LOG_H

/* Puts a stream of ours in the place of stdio's stderr (glibc allows it); descriptor 2 stays. */
void library_log_start(void);
/* Restores it. */
void library_log_stop(void);

#endif
