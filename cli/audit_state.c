/* Reading and replacing the state file; see audit_state.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_state.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
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

bool audit_state_write(const char *command, const char *path, int64_t seen,
                       struct span checkpoint) {
    struct buffer text = {0};
    char time[TIMESTAMP_SIZE + 1];
    timestamp_format(seen, time);
    buffer_append_format(&text, FIRST_LINE "\n%s\n\n%.*s", time, SPAN_ARG(checkpoint));
    bool good = file_replace(path, buffer_span(&text));
    if (!good)
        cli_complain(command, "%s: %s", path, strerror(errno));
    buffer_release(&text);
    return good;
}
