/* consentctl next-key: makes the key that is to follow the log's present one; docs/keys.md tells
 * the rest. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/options.h"
#include "tlog/key.h"

#define COMMAND "next-key"
#define PATH_SIZE 4096

static const char help[] =
    "Usage: consentctl next-key --data DIR\n"
    "\n"
    "Makes DIR/keys/log.next.key, for the log that DIR/keys/log.key signs, and prints its "
    "verifier\n"
    "key. From the next start of the service on both sign each checkpoint, and the log says so. "
    "To\n"
    "end that, stop the service, move log.next.key over log.key, and start it again.\n"
    "\n"
    "Exit codes: 0 made, 1 it exists or cannot be made, 2 asked wrongly.\n";

static enum cli_exit make(const char *present, const char *next) {
    struct tlog_key *key;
    if (tlog_key_load(present, &key) != STATUS_OK) {
        cli_complain(COMMAND, "%s is not a signing key", present);
        return CLI_FAILED;
    }
    enum status status = tlog_key_create(next, tlog_key_public(key)->name);
    int code = errno;
    tlog_key_free(key);
    if (status != STATUS_OK) {
        cli_complain(COMMAND, "%s cannot be made: %s", next, strerror(code));
        return CLI_FAILED;
    }
    char text[PATH_SIZE];
    if (tlog_key_load(next, &key) != STATUS_OK)
        return CLI_FAILED;
    tlog_key_vkey(key, text, sizeof text);
    tlog_key_free(key);
    puts(text);
    return cli_finish(COMMAND, CLI_OK);
}

static enum cli_exit run(int argc, char **argv) {
    char present[PATH_SIZE], next[PATH_SIZE];
    struct span data = SPAN_NONE;
    const struct cli_option options[] = {{"data", true, &data}};
    if (!cli_options_read(COMMAND, argc, argv, options, 1))
        return CLI_USAGE;
    if (snprintf(present, sizeof present, "%s/keys/log.key", data.data) >= PATH_SIZE ||
        snprintf(next, sizeof next, "%s/keys/log.next.key", data.data) >= PATH_SIZE) {
        cli_complain(COMMAND, "option --data is too long");
        return CLI_USAGE;
    }
    return make(present, next);
}

const struct cli_command cli_next_key_command = {
    .name = COMMAND,
    .summary = "make the key that is to follow the log's present one",
    .help = help,
    .run = run,
};
