/* Small whole files: key sets and key pairs. Blocking: for start-up, reload and tools, never for a
 * loop. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_FILE_H
#define AUTH_FILE_H

#include <stddef.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

#define AUTH_FILE_MAX 1048576 /* a key set of 100 RSA keys has 60 KiB */

/* Appends the whole file to out. STATUS_INTERNAL, and a sentence in why, when it cannot be read or
 * is larger than AUTH_FILE_MAX. */
MUST_CHECK enum status auth_file_read(const char *path, struct buffer *out, char *why,
                                      size_t why_size);
/* Writes a new file with the permissions of mode; one that exists is left alone and is a failure.
 * What was half written is removed. */
MUST_CHECK enum status auth_file_create(const char *path, unsigned mode, struct span content,
                                        char *why, size_t why_size);

#endif
