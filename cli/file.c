/* Reading files and packs, and whether the output could be written. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/file.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "cli/options.h"

#define CHUNK 65536

enum cli_exit cli_file_read(const char *command, const char *path, size_t max, struct buffer *out) {
    FILE *file = fopen(path, "rbe");
    size_t before = out->size, got = 1;
    if (file == NULL) {
        cli_complain(command, "%s: %s", path, strerror(errno));
        return CLI_USAGE;
    }
    while (got != 0 && out->size - before <= max) {
        got = fread(buffer_reserve(out, CHUNK), 1, CHUNK, file);
        out->size += got;
    }
    int code = ferror(file) ? errno : 0;
    fclose(file);
    if (code != 0) {
        cli_complain(command, "%s: %s", path, strerror(code));
        return CLI_USAGE;
    }
    if (out->size - before > max) {
        cli_complain(command, "%s: has more than %zu bytes", path, max);
        return CLI_USAGE;
    }
    return CLI_OK;
}

/* What stands in a file is shown on a terminal: without what would steer it. */
static void make_printable(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 127) {
            *text = '?';
        }
    }
}

enum cli_exit cli_pack_load(const char *command, const char *path, struct span bytes,
                            struct policy_pack **out) {
    struct policy_error error;
    if (policy_pack_load(bytes, out, &error) == STATUS_OK) {
        return CLI_OK;
    }
    make_printable(error.pointer);
    make_printable(error.detail);
    cli_complain(command, "%s: at \"%s\": %s", path, error.pointer, error.detail);
    return CLI_FAILED;
}

enum cli_exit cli_pack_read(const char *command, const char *path, struct policy_pack **out) {
    struct buffer bytes = {0};
    enum cli_exit ended = cli_file_read(command, path, LIMIT_PACK, &bytes);
    if (ended == CLI_OK) {
        ended = cli_pack_load(command, path, buffer_span(&bytes), out);
    }
    buffer_release(&bytes);
    return ended;
}

enum cli_exit cli_finish(const char *command, enum cli_exit ended) {
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return ended;
    }
    cli_complain(command, "cannot write to standard output");
    return CLI_FAILED;
}
