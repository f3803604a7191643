/* consentctl policy test: runs the case table of a pack. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/policy_table.h"

#define COMMAND "policy test"

static const char help[] =
    "Usage: consentctl policy test PACK TESTS\n"
    "\n"
    "Judges every case of the table TESTS (docs/packs.md, Case tables) by PACK, as the service\n"
    "would: requests for consents, decisions, and the matrix of every purpose with every\n"
    "permission, in which all that is not listed as permitted must be denied. Prints each case\n"
    "that failed in a line, then how many cases each clause, reason and rule decided; one that\n"
    "decided none has failed too, unless the table gives a reason under notApplicable.\n"
    "\n"
    "Exit codes: 0 all as expected, 1 something failed or the pack is not valid, 2 a file cannot\n"
    "be read or the table is wrong.\n"
    "\n"
    "  consentctl policy test policy/packs/perseus-2026-03-12.json \\\n"
    "      policy/packs/perseus-2026-03-12.test.json\n";

static enum cli_exit run_table(struct table *t, struct policy_pack *pack) {
    if (!table_open(t, pack)) {
        return CLI_USAGE;
    }
    table_run_admissions(t);
    table_run_decisions(t);
    table_run_matrix(t);
    if (t->wrong) {
        return CLI_USAGE;
    }
    table_print_coverage(t);
    printf("%u cases, %u failed\n", t->cases, t->failed);
    return t->failed == 0 ? CLI_OK : CLI_FAILED;
}

static enum cli_exit run(int argc, char **argv) {
    const char *pack_path = NULL, *path = NULL;
    const struct cli_word words[] = {{"PACK", &pack_path}, {"TESTS", &path}};
    struct policy_pack *pack = NULL;
    if (!cli_words_take(COMMAND, &argc, &argv, words, 2) ||
        !cli_options_read(COMMAND, argc, argv, NULL, 0)) {
        return CLI_USAGE;
    }
    enum cli_exit ended = cli_pack_read(COMMAND, pack_path, &pack);
    if (ended == CLI_OK) {
        struct table *t = mem_alloc_zeroed(1, sizeof *t);
        t->command = COMMAND;
        t->path = path;
        ended = run_table(t, pack);
        table_close(t);
        mem_free(t);
    }
    policy_pack_free(pack);
    return cli_finish(COMMAND, ended);
}

const struct cli_command cli_policy_test_command = {
    .name = "test",
    .summary = "run the case table of a pack",
    .help = help,
    .run = run,
};
