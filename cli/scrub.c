/* consentctl scrub: what was erased leaves the data directory for good. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "store/scrub.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/options.h"

#define COMMAND "scrub"

static const char help[] =
    "Usage: consentctl scrub --data DIR\n"
    "\n"
    "Erased bytes stay in free pages of the data file until others are written over them. This\n"
    "copies the store row by row, compares and checks the copy and puts it in the place of the\n"
    "data file; nothing that was erased is in it. The service must be stopped, and the disk needs\n"
    "room for the copy. Whenever it is killed, a store that opens is there.\n"
    "\n"
    "Backups, and blocks that the file system or the disk has not yet used again, are not "
    "touched.\n"
    "\n"
    "  --data DIR   the data directory of the service\n"
    "\n"
    "Exit codes: 0 done, 1 it could not be done and the store is as it was, 2 asked wrongly.\n";

static enum cli_exit run(int argc, char **argv) {
    struct span data = SPAN_NONE;
    char why[512];
    const struct cli_option known[] = {{"data", true, &data}};
    if (!cli_options_read(COMMAND, argc, argv, known, 1))
        return CLI_USAGE;
    struct store_scrub scrub = {.directory = data.data};
    if (store_scrub(&scrub, why, sizeof why) != STATUS_OK) {
        cli_complain(COMMAND, "%s", why);
        return CLI_FAILED;
    }
    printf("%llu rows; the data file had %llu bytes and has %llu\n", (unsigned long long)scrub.rows,
           (unsigned long long)scrub.size_before, (unsigned long long)scrub.size_after);
    return cli_finish(COMMAND, CLI_OK);
}

const struct cli_command cli_scrub_command = {
    .name = "scrub",
    .summary = "take what was erased off the disk",
    .help = help,
    .run = run,
};
