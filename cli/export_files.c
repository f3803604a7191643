/* Writing the files of an export; see export_files.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/export_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"

#define PATH_MAX_SIZE 256 /* of a name below the directory: a tile's has some 60 bytes */

static void fail(struct export_files *files, const char *what) {
    if (files->code == 0) {
        files->code = errno;
        files->failed = what;
    }
}

static char *joined(const char *path, const char *more) {
    struct buffer text = {0};
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    buffer_append(&text, path, size);
    buffer_append_text(&text, more);
    buffer_append(&text, "", 1);
    return text.data; /* the buffer's, whose owner the caller becomes */
}

void export_files_begin(struct export_files *files, const char *path) {
    struct stat there;
    *files = (struct export_files){joined(path, ""), joined(path, ".partial"), -1, 0, NULL};
    if (lstat(files->path, &there) == 0) {
        errno = EEXIST;
        fail(files, files->path);
        return;
    }
    if (mkdir(files->partial, 0700) != 0) {
        fail(files, files->partial);
        return;
    }
    files->folder = open(files->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->folder < 0)
        fail(files, files->partial);
}

/* A full disk must not look like success, and what was written by then is no use. */
static FILE *make(struct export_files *files, const char *name, mode_t mode) {
    if (files->code != 0)
        return NULL;
    int fd = openat(files->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL)
        fail(files, "a file cannot be made");
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

FILE *export_files_open(struct export_files *files, const char *name) {
    return make(files, name, 0600);
}

void export_files_close(struct export_files *files, FILE *file) {
    if (file == NULL)
        return;
    bool wrong = ferror(file) != 0;
    if (fclose(file) != 0 || wrong)
        fail(files, "a file cannot be written");
}

static void make_folders(struct export_files *files, const char *name) {
    char path[PATH_MAX_SIZE];
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
        if (mkdirat(files->folder, path, 0755) != 0 && errno != EEXIST)
            fail(files, "a folder cannot be made");
    }
}

void export_files_put(struct export_files *files, const char *name, struct span content) {
    if (files->code == 0)
        make_folders(files, name);
    FILE *file = make(files, name, 0644);
    if (file == NULL)
        return;
    if (fwrite(content.data, 1, content.size, file) != content.size)
        fail(files, "a file cannot be written");
    export_files_close(files, file);
}

static void publish(struct export_files *files) {
    /* one call for ten thousands of small files */
    if (syncfs(files->folder) != 0)
        fail(files, "the disk cannot be written");
    else if (renameat2(AT_FDCWD, files->partial, AT_FDCWD, files->path, RENAME_NOREPLACE) != 0)
        fail(files, files->path);
}

static void sync_parent(struct export_files *files) {
    char *parent = mem_copy_text(span_of_text(files->path));
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        slash[slash == parent] = '\0'; /* "/" stays */
    if (!directory_sync(slash != NULL ? parent : "."))
        fail(files, "the folder's name may not be on disk");
    mem_free(parent);
}

bool export_files_end(struct export_files *files) {
    if (files->code == 0)
        publish(files);
    if (files->code == 0)
        sync_parent(files);
    return files->code == 0;
}

void export_files_release(struct export_files *files) {
    if (files->folder >= 0)
        close(files->folder);
    mem_free(files->path);
    mem_free(files->partial);
}
