/* Reading and replacing the state file; see audit_state.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_state.h"

#include <errno.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/timestamp.h"
#include "cli/file.h"
#include "cli/options.h"
#include "tlog/text.h"

#define FIRST_LINE "consentctl audit state 1"
#define UNCOSIGNED "uncosigned "
#define STATE_MAX 131072

/* "SIZE TIME" */
static bool parse_uncosigned(struct span line, struct audit_state *out) {
    const char *space = memchr(line.data, ' ', line.size);
    size_t digits = space != NULL ? (size_t)(space - line.data) : line.size;
    return space != NULL &&
           decode_decimal(span_of(line.data, digits), &out->uncosigned) == STATUS_OK &&
           timestamp_parse(span_of(space + 1, line.size - digits - 1), &out->uncosigned_seen) ==
               STATUS_OK;
}

static bool parse(struct span text, struct audit_state *out, struct span *checkpoint) {
    struct span line;
    size_t label = strlen(UNCOSIGNED);
    if (tlog_text_line(&text, &line) != STATUS_OK || !span_is(line, FIRST_LINE) ||
        tlog_text_line(&text, &line) != STATUS_OK ||
        timestamp_parse(line, &out->seen) != STATUS_OK || tlog_text_line(&text, &line) != STATUS_OK)
        return false;
    if (span_starts(line, SPAN(UNCOSIGNED)) &&
        (!parse_uncosigned(span_of(line.data + label, line.size - label), out) ||
         tlog_text_line(&text, &line) != STATUS_OK))
        return false;
    *checkpoint = text;
    return line.size == 0;
}

static bool read_known(const char *command, const char *path, const struct audit_keys *keys,
                       struct audit_state *out) {
    struct buffer text = {0};
    struct span checkpoint;
    struct audit_fault fault;
    bool good = cli_file_read(command, path, STATE_MAX, &text) == CLI_OK;
    if (good && !parse(buffer_span(&text), out, &checkpoint)) {
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

bool audit_state_write(const char *command, const char *path, const struct audit_state *state,
                       struct span checkpoint) {
    struct buffer text = {0};
    char time[TIMESTAMP_SIZE + 1];
    timestamp_format(state->seen, time);
    buffer_append_format(&text, FIRST_LINE "\n%s\n", time);
    if (state->uncosigned != 0) {
        timestamp_format(state->uncosigned_seen, time);
        buffer_append_format(&text, UNCOSIGNED "%llu %s\n", (unsigned long long)state->uncosigned,
                             time);
    }
    buffer_append_format(&text, "\n%.*s", SPAN_ARG(checkpoint));
    bool good = file_replace(path, buffer_span(&text));
    if (!good)
        cli_complain(command, "%s: %s", path, strerror(errno));
    buffer_release(&text);
    return good;
}
