/* Directories whose names survive power loss: a file that was fsynced is lost all the same when
 * the directory that names it was not. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include <stdbool.h>

/* Makes path with all that is missing above it; the last one is its owner's alone. Each name that
 * it makes is on disk when it returns. Existing ones are right. False with errno set. */
bool directory_make(const char *path);
/* Waits until what is in the directory, by name, is on disk. False with errno set. */
bool directory_sync(const char *path);

#endif
