/* A subcommand of consentctl: a row of the table in cli/main.c and a file of its own. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* What a command ends with. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* asked rightly, and it could not be done */
    CLI_USAGE = 2,  /* asked wrongly: an option, a value */
};

struct cli_command {
    const char *name;
    const char *summary; /* one line of `consentctl --help` */
    const char *help;    /* all of `consentctl NAME --help` */
    /* argv[0] is the first word after the command's name; --help has been dealt with. What the
     * command is asked for goes to stdout, everything else to stderr. */
    enum cli_exit (*run)(int argc, char **argv);
};

extern const struct cli_command cli_token_command;

#endif
