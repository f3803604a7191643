/* Small files, whole: read within a bound, and replaced so that after a crash either the old or the
 * new one is there, never a part; and the one that keeps a second process out. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>

#include "base/mem.h"

/* Appends the file at path to out. False with errno set: EFBIG when it has more than size_max
 * bytes. */
bool file_read(const char *path, size_t size_max, struct buffer *out);
/* Makes bytes the contents of path, of its owner alone; on disk, by name, when it returns. Written
 * to path.new first. False with errno set: then path may be the old file or the new. */
bool file_replace(const char *path, struct span bytes);
/* Opens path, made when it is missing, and holds it for this process alone until the descriptor is
 * closed, at the latest with the process. -1 with errno set, EWOULDBLOCK when another holds it. */
int file_lock(const char *path);

#endif
