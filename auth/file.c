/* Reads and creates small whole files. Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 4096

static enum status explain(const char *path, const char *what, char *why, size_t why_size) {
    snprintf(why, why_size, "%s: %s", path, what);
    return STATUS_INTERNAL;
}

/* Bytes read, 0 at the end, negative on failure. */
static ssize_t read_some(int file, struct buffer *out) {
    ssize_t got;
    do {
        got = read(file, buffer_reserve(out, READ_SIZE), READ_SIZE);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        out->size += (size_t)got;
    }
    return got;
}

enum status auth_file_read(const char *path, struct buffer *out, char *why, size_t why_size) {
    ssize_t got;
    size_t before = out->size;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return explain(path, strerror(errno), why, why_size);
    }
    do {
        got = read_some(file, out);
    } while (got > 0 && out->size - before <= AUTH_FILE_MAX);
    const char *what = got < 0 ? strerror(errno) : "the file is larger than 1 MiB";
    close(file);
    if (got != 0) {
        out->size = before;
        return explain(path, what, why, why_size);
    }
    return STATUS_OK;
}

static bool write_all(int file, struct span content) {
    while (content.size > 0) {
        ssize_t put = write(file, content.data, content.size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            content = span_of(content.data + put, content.size - (size_t)put);
        }
    }
    return fsync(file) == 0;
}

enum status auth_file_create(const char *path, unsigned mode, struct span content, char *why,
                             size_t why_size) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (file < 0) {
        return explain(path, strerror(errno), why, why_size);
    }
    bool written = write_all(file, content);
    int error = errno;
    if (close(file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (!written) {
        unlink(path);
        return explain(path, strerror(error), why, why_size);
    }
    return STATUS_OK;
}
