/* consentctl policy diff: what a new pack changes. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_diff.h"

#include "cli/file.h"
#include "cli/options.h"

#define COMMAND POLICY_DIFF

static const char help[] =
    "Usage: consentctl policy diff OLD NEW\n"
    "\n"
    "Prints what the pack NEW adds (+), removes (-) and changes (~) against OLD: roles, purposes,\n"
    "permissions, licences, reasons, rules and resource types by their codes, and each of their\n"
    "members; lists of codes by what joined and left them. Order does not count.\n"
    "\n"
    "Exit codes: 0 compared, 1 a pack is not valid, 2 a file cannot be read.\n"
    "\n"
    "  consentctl policy diff policy/packs/perseus-2026-03-12.json my-pack.json\n";

static enum cli_exit run(int argc, char **argv) {
    const char *old_path = NULL, *new_path = NULL;
    struct policy_pack *old = NULL, *new = NULL;
    const struct cli_word words[] = {{"OLD", &old_path}, {"NEW", &new_path}};
    if (!cli_words_take(COMMAND, &argc, &argv, words, 2) ||
        !cli_options_read(COMMAND, argc, argv, NULL, 0)) {
        return CLI_USAGE;
    }
    enum cli_exit ended = cli_pack_read(COMMAND, old_path, &old);
    if (ended == CLI_OK) {
        ended = cli_pack_read(COMMAND, new_path, &new);
    }
    if (ended == CLI_OK) {
        policy_diff_print(old, new);
    }
    policy_pack_free(old);
    policy_pack_free(new);
    return cli_finish(COMMAND, ended);
}

const struct cli_command cli_policy_diff_command = {
    .name = "diff",
    .summary = "what a new pack changes",
    .help = help,
    .run = run,
};
