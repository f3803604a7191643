/* The last good key set of each URL in a file of the data directory, so that a restart while an
 * authorization server does not answer shuts nobody out.
 *
 * A file is believed no more than the URL: it is read by the same rules as what was fetched, only
 * for the source that it names, and only as long as KEPT_KEYS_S since the URL said so last.
 *
 * Threads: the main thread reads, the courier's writes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_KEPT_KEYS_H
#define SERVICE_KEPT_KEYS_H

#include "service/key_source.h"

#define KEPT_KEYS_S \
    86400 /* a night and who mends it in the morning; a withdrawn key not for ever */

/* Keeps the set of a source as its URL gave it at time_s; without a set, the one that is kept, with
 * another time. On disk when it returns. False with errno set when it could not be written, or
 * there was none to keep on. */
bool kept_keys_write(const char *directory, const struct key_source *source, struct span set,
                     int64_t time_s);
/* Appends what is kept of the source, and says when its URL gave it. False when there is nothing,
 * or nothing of this source, or it is too old. */
bool kept_keys_read(const char *directory, const struct key_source *source, int64_t now_s,
                    struct buffer *set, int64_t *time_s);

#endif
