/* mkdir -p, with the last directory private. */
// SPDX-License-Identifier: Apache-2.0
#include "service/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

bool directory_make(const char *path) {
    char *copy = mem_copy_text(span_of_text(path));
    bool good = true;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && good;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = mkdir(copy, 0755) == 0 || errno == EEXIST;
        *slash = '/';
    }
    good = good && (mkdir(copy, 0700) == 0 || errno == EEXIST);
    int code = errno;
    mem_free(copy);
    errno = code;
    return good;
}
