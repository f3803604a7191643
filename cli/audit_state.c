/* Reading and replacing the state file; see audit_state.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/timestamp.h"
#include "cli/file.h"
#include "cli/options.h"
#include "tlog/text.h"

#define FIRST_LINE "consentctl audit state 1"
#define STATE_MAX 131072

static bool parse(struct span text, int64_t *seen, struct span *checkpoint) {
    struct span line;
    if (tlog_text_line(&text, &line) != STATUS_OK || !span_is(line, FIRST_LINE) ||
        tlog_text_line(&text, &line) != STATUS_OK || timestamp_parse(line, seen) != STATUS_OK ||
        tlog_text_line(&text, &line) != STATUS_OK || line.size != 0)
        return false;
    *checkpoint = text;
    return true;
}

static bool read_known(const char *command, const char *path, const struct audit_keys *keys,
                       struct audit_state *out) {
    struct buffer text = {0};
    struct span checkpoint;
    struct audit_fault fault;
    bool good = cli_file_read(command, path, STATE_MAX, &text) == CLI_OK;
    if (good && !parse(buffer_span(&text), &out->seen, &checkpoint)) {
        cli_complain(command, "%s: it is no state file", path);
        good = false;
    }
    if (good && !audit_checkpoint_check(keys, checkpoint, path, &out->head, &fault)) {
        cli_complain(command, "%s", fault.text);
        good = false;
    }
    buffer_release(&text);
    return good;
}

bool audit_state_read(const char *command, const char *path, const struct audit_keys *keys,
                      struct audit_state *out) {
    *out = (struct audit_state){.known = access(path, F_OK) == 0 || errno != ENOENT};
    return !out->known || read_known(command, path, keys, out);
}

static bool write_synced(const char *path, struct span text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool good = write(fd, text.data, text.size) == (ssize_t)text.size && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static bool sync_parent(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    char *parent = mem_copy_text(slash == NULL ? SPAN(".") : span_of(path, size != 0 ? size : 1));
    bool good = directory_sync(parent);
    mem_free(parent);
    return good;
}

bool audit_state_write(const char *command, const char *path, int64_t seen,
                       struct span checkpoint) {
    struct buffer text = {0}, next = {0};
    char time[TIMESTAMP_SIZE + 1];
    timestamp_format(seen, time);
    buffer_append_format(&text, FIRST_LINE "\n%s\n\n%.*s", time, SPAN_ARG(checkpoint));
    buffer_append_format(&next, "%s.next", path);
    buffer_append(&next, "", 1);
    bool good = write_synced(next.data, buffer_span(&text)) && rename(next.data, path) == 0 &&
                sync_parent(path);
    if (!good)
        cli_complain(command, "%s: %s", path, strerror(errno));
    buffer_release(&text);
    buffer_release(&next);
    return good;
}
