/* consentctl: the operator's tool. A table of subcommands, each in a file of its own; exit codes
 * are 0 done, 1 could not be done, 2 asked wrongly. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const struct cli_command *const commands[] = {
    &cli_token_command,          &cli_policy_command,
    &cli_export_command,         &cli_verify_command,
    &cli_verify_entry_command,   &cli_monitor_command,
    &cli_verify_receipt_command, &cli_next_key_command,
    &cli_scrub_command,          NULL,
};

static const char introduction[] = "consentctl works on the data directory and the log of "
                                   "consentd, a service that keeps consents.\n"
                                   "\n"
                                   "Usage: consentctl COMMAND [--option VALUE]...\n"
                                   "       consentctl COMMAND --help\n"
                                   "\n"
                                   "Commands:\n";

static const char conclusion[] =
    "\n"
    "  --help     this text\n"
    "  --version  the version of the software\n"
    "\n"
    "What a command is asked for goes to standard output, everything else to standard error.\n"
    "Exit codes: 0 done, 1 it could not be done (or what was checked is not right), 2 the command\n"
    "line is wrong or names a file that cannot be read.\n"
    "\n"
    "A first token, for a service started with `consentd --dev --data var/dev`:\n"
    "  consentctl token --data var/dev --role tenant --id https://provider.example/app\n";

static void print_help(FILE *to) {
    fputs(introduction, to);
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(to, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs(conclusion, to);
}

/* A full pipe or disk must not look like success. */
static enum cli_exit finish(void) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("consentctl: cannot write to standard output\n", stderr);
        return CLI_FAILED;
    }
    return CLI_OK;
}

static const struct cli_command *find(const struct cli_command *const *list, const char *name) {
    while (*list != NULL && strcmp((*list)->name, name) != 0) {
        list++;
    }
    return *list;
}

static enum cli_exit run_command(const struct cli_command *command, int argc, char **argv) {
    while (command->parts != NULL && argc > 0 && argv[0][0] != '-') {
        const struct cli_command *part = find(command->parts, argv[0]);
        if (part == NULL) {
            fprintf(stderr, "consentctl %s: unknown command %s; see consentctl %s --help\n",
                    command->name, argv[0], command->name);
            return CLI_USAGE;
        }
        command = part;
        argc--;
        argv++;
    }
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(command->help, stdout);
            return finish();
        }
    }
    if (command->run == NULL) {
        fputs(command->help, stderr);
        return CLI_USAGE;
    }
    return command->run(argc, argv);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return (int)finish();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("consentctl " CONSENTD_VERSION);
        return (int)finish();
    }
    const struct cli_command *command = find(commands, argv[1]);
    if (command != NULL) {
        return (int)run_command(command, argc - 2, argv + 2);
    }
    fprintf(stderr, "consentctl: unknown %s %s; see consentctl --help\n",
            argv[1][0] == '-' ? "option" : "command", argv[1]);
    return CLI_USAGE;
}
