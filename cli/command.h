/* A subcommand of consentctl: a row of the table in cli/main.c and a file of its own. One that has
 * parts (`consentctl policy check`) only leads to them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* What a command ends with. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* asked rightly, and it could not be done */
    CLI_USAGE = 2,  /* asked wrongly: an option, a value, a file that cannot be read */
    /* the auditor's commands */
    CLI_UNAVAILABLE = 2, /* what was to be verified cannot be read: nothing is known about it */
    CLI_STALE = 3,       /* nothing is wrong with it, but it is old */
};

struct cli_command {
    const char *name;
    const char *summary; /* one line of `consentctl --help` */
    const char *help;    /* all of `consentctl NAME --help` */
    /* argv[0] is the first word after the command's name; --help has been dealt with. What the
     * command is asked for goes to stdout, everything else to stderr. */
    enum cli_exit (*run)(int argc, char **argv);
    const struct cli_command *const *parts; /* instead of run: ends with NULL */
};

extern const struct cli_command cli_token_command;
extern const struct cli_command cli_policy_command;
extern const struct cli_command cli_export_command;
extern const struct cli_command cli_verify_command;
extern const struct cli_command cli_verify_entry_command;
extern const struct cli_command cli_monitor_command;
extern const struct cli_command cli_verify_receipt_command;
extern const struct cli_command cli_next_key_command;
extern const struct cli_command cli_scrub_command;
extern const struct cli_command cli_policy_check_command;
extern const struct cli_command cli_policy_test_command;
extern const struct cli_command cli_policy_diff_command;
extern const struct cli_command cli_policy_import_text_command;

#endif
