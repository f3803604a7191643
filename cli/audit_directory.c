/* A log in a directory, as `consentctl export` writes it. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/audit_source.h"

#define LINE_MAX_BYTES 33554432 /* a pack of LIMIT_PACK, escaped, and some */
#define CHUNK 65536
#define NAME_MAX_BYTES 512

struct directory {
    struct audit_source source; /* first: what others hold */
    int folder, lines;          /* lines: -1 until one is asked for */
    struct buffer ahead;        /* of lines, read and not given yet from `at` on */
    size_t at;
};

static bool fail(struct directory *self, const char *name, struct audit_fault *fault) {
    return audit_unavailable(fault, "%s/%s: %s", self->source.name, name, strerror(errno));
}

/* Appends up to max + 1 bytes; false with errno. */
static bool read_all(int fd, size_t max, struct buffer *out) {
    ssize_t got = 1;
    size_t end = out->size + max + 1;
    while (got > 0 && out->size < end) {
        size_t room = end - out->size < CHUNK ? end - out->size : CHUNK;
        got = read(fd, buffer_reserve(out, room), room);
        out->size += got > 0 ? (size_t)got : 0;
    }
    return got >= 0;
}

static enum audit_got get(struct audit_source *source, const char *path, size_t max,
                          struct buffer *out, struct audit_fault *fault) {
    struct directory *self = (struct directory *)source;
    size_t before = out->size;
    int fd = openat(self->folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return AUDIT_MISSING;
    bool good = fd >= 0 && read_all(fd, max, out);
    if (!good)
        (void)fail(self, path, fault);
    if (fd >= 0)
        close(fd);
    if (good && out->size - before > max)
        good = audit_bad(fault, "%s: it has more than %zu bytes", path, max);
    return good ? AUDIT_GOT : AUDIT_FAILED;
}

/* ---- lines */

static bool open_lines(struct directory *self, struct audit_fault *fault) {
    self->lines = openat(self->folder, "events.ndjson", O_RDONLY | O_CLOEXEC);
    return self->lines >= 0 || fail(self, "events.ndjson", fault);
}

/* Reads on, behind what was not given yet; *end tells that there is no more. */
static bool read_ahead(struct directory *self, bool *end, struct audit_fault *fault) {
    struct buffer *ahead = &self->ahead;
    size_t left = ahead->size - self->at;
    if (left != 0)
        memmove(ahead->data, ahead->data + self->at, left);
    ahead->size = left;
    self->at = 0;
    if (left > LINE_MAX_BYTES)
        return audit_bad(fault, "events.ndjson: a line has more than %d bytes", LINE_MAX_BYTES);
    size_t room = left < CHUNK ? CHUNK : left; /* a long line is not moved again for each chunk */
    ssize_t got = read(self->lines, buffer_reserve(ahead, room), room);
    if (got < 0)
        return fail(self, "events.ndjson", fault);
    ahead->size += (size_t)got;
    *end = got == 0;
    return true;
}

/* A line without its newline, which must be there. */
static bool next_line(struct audit_source *source, struct span *line, struct audit_fault *fault) {
    struct directory *self = (struct directory *)source;
    size_t seen = 0; /* of what is ahead, without a newline */
    *line = SPAN_NONE;
    if (self->lines < 0 && !open_lines(self, fault))
        return false;
    for (bool end = false; !end;) {
        const char *from = self->ahead.data + self->at;
        size_t left = self->ahead.size - self->at;
        const char *newline = left > seen ? memchr(from + seen, '\n', left - seen) : NULL;
        seen = left;
        if (newline == NULL && !read_ahead(self, &end, fault))
            return false;
        if (newline == NULL)
            continue;
        size_t size = (size_t)(newline - from);
        self->at += size + 1;
        seen = 0;
        if (size != 0) {
            *line = span_of(from, size);
            return true;
        }
    }
    return self->ahead.size == self->at ||
           audit_bad(fault, "events.ndjson: the last line does not end");
}

/* ---- what else is there */

static bool is_expected(const char *path, uint64_t size) {
    struct tlog_tile tile;
    return tlog_tile_parse(span_of_text(path), &tile) == STATUS_OK &&
           tlog_tile_width(size, tile.level, tile.index) == tile.width;
}

static bool check_folder(struct directory *self, const char *name, uint64_t size,
                         struct audit_fault *fault);

static bool check_one(struct directory *self, const char *name, uint64_t size,
                      struct audit_fault *fault) {
    struct stat stat;
    if (fstatat(self->folder, name, &stat, 0) != 0)
        return fail(self, name, fault);
    if (S_ISDIR(stat.st_mode))
        return check_folder(self, name, size, fault);
    return is_expected(name + strlen("tile/"), size) ||
           audit_bad(fault, "%s: a tree of %llu entries has no such tile", name,
                     (unsigned long long)size);
}

static bool check_folder(struct directory *self, const char *name, uint64_t size,
                         struct audit_fault *fault) {
    bool good = true;
    int fd = openat(self->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL)
        return errno == ENOENT || fail(self, name, fault);
    for (const struct dirent *at; good && (at = readdir(list)) != NULL;) {
        char path[NAME_MAX_BYTES];
        if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
            continue;
        int length = snprintf(path, sizeof path, "%s/%s", name, at->d_name);
        good = (size_t)length < sizeof path ? check_one(self, path, size, fault)
                                            : audit_bad(fault, "%s: no tile is so deep", name);
    }
    closedir(list);
    return good;
}

static bool check_rest(struct audit_source *source, uint64_t size, struct audit_fault *fault) {
    return check_folder((struct directory *)source, "tile", size, fault);
}

/* ---- life */

static void release(struct audit_source *source) {
    struct directory *self = (struct directory *)source;
    if (self->lines >= 0)
        close(self->lines);
    if (self->folder >= 0)
        close(self->folder);
    buffer_release(&self->ahead);
    mem_free(self);
}

static const struct audit_source_kind kind = {get, next_line, check_rest, release};

struct audit_source *audit_directory_open(const char *path, struct audit_fault *fault) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        (void)audit_unavailable(fault, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct directory *self = mem_alloc_zeroed(1, sizeof *self);
    self->source = (struct audit_source){&kind, path, false, AUDIT_NO_INDEX};
    self->folder = folder;
    self->lines = -1;
    return &self->source;
}
