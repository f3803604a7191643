/* Replacing: written beside, synced, renamed, the directory synced. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/directory.h"

#define PATH_SIZE 4096
#define CHUNK 4096

bool file_read(const char *path, size_t size_max, struct buffer *out) {
    size_t before = out->size;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    do {
        got = read(fd, buffer_reserve(out, CHUNK), CHUNK);
        if (got > 0)
            out->size += (size_t)got;
    } while ((got > 0 && out->size - before <= size_max) || (got < 0 && errno == EINTR));
    int code = got > 0 ? EFBIG : errno;
    close(fd);
    errno = code;
    return got == 0;
}

static bool sync_directory_of(const char *path) {
    char copy[PATH_SIZE];
    snprintf(copy, sizeof copy, "%s", path);
    return directory_sync(dirname(copy));
}

bool file_replace(const char *path, struct span bytes) {
    char beside[PATH_SIZE];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool written = write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    return written && rename(beside, path) == 0 && sync_directory_of(path);
}

int file_lock(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}
