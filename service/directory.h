/* Making the data directory. Main thread. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_DIRECTORY_H
#define SERVICE_DIRECTORY_H

#include <stdbool.h>

/* Makes path and its parents where they are absent; path itself for its owner only, because keys
 * will lie in it. False, with errno, when the file system refuses. */
bool directory_make(const char *path);

#endif
