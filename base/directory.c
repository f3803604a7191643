/* mkdir -p, with the last directory private, and every name on disk. */
// SPDX-License-Identifier: Apache-2.0
#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

bool directory_sync(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return good;
}

/* The directory that names path, which is not "/". */
static bool sync_parent(const char *path) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size > 0 && path[size - 1] != '/')
        size--;
    char *parent = mem_copy_text(size != 0 ? span_of(path, size) : SPAN("."));
    bool good = directory_sync(parent);
    mem_free(parent);
    return good;
}

static bool make_one(const char *path, mode_t mode) {
    return mkdir(path, mode) == 0 ? sync_parent(path) : errno == EEXIST;
}

bool directory_make(const char *path) {
    char *copy = mem_copy_text(span_of_text(path));
    bool good = true;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && good;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = make_one(copy, 0755);
        *slash = '/';
    }
    good = good && make_one(copy, 0700);
    int code = errno;
    mem_free(copy);
    errno = code;
    return good;
}
