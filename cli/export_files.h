/* A directory in the making: it has another name until all of it is written and on disk, so that
 * nobody takes half an export for a whole one. Errors stick; one test at the end. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_EXPORT_FILES_H
#define CLI_EXPORT_FILES_H

#include <stdio.h>

#include "base/mem.h"

struct export_files {
    char *path, *partial; /* its name, and the one that it has until then */
    int folder;           /* of partial */
    int code;             /* errno of the first failure, 0: none */
    const char *failed;   /* what was attempted then */
};

/* Makes "PATH.partial", private to its owner; neither may exist. */
void export_files_begin(struct export_files *files, const char *path);
/* Opens a new file, private to its owner, to be written in order; NULL after a failure. */
FILE *export_files_open(struct export_files *files, const char *name);
/* Closes it. */
void export_files_close(struct export_files *files, FILE *file);
/* Writes a whole new file, with the folders above it. */
void export_files_put(struct export_files *files, const char *name, struct span content);
/* All of it is on disk, and then has its name. False after a failure, whenever that was; what is
 * there then keeps the name "PATH.partial". */
bool export_files_end(struct export_files *files);
/* Frees; to be called in any case, after a look at code. */
void export_files_release(struct export_files *files);

#endif
