/* Options of a subcommand: --name VALUE or --name=VALUE, each at most once, in any order. Anything
 * else fails with a sentence that names it.
 *
 * Threads: one; a command line is read once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/span.h"

struct cli_option {
    const char *name;   /* without the dashes */
    bool required;      /* its absence is a failure */
    struct span *value; /* borrowed from argv; stays absent when the option is not given */
};
/* false after a sentence on stderr that begins with "consentctl COMMAND:". */
bool cli_options_read(const char *command, int argc, char **argv, const struct cli_option *options,
                      size_t count);

/* Takes the word --name, which has no value, out of argv; whether it was there. */
bool cli_flag_take(int *argc, char **argv, const char *name);

#define CLI_VALUES_MAX 16
struct cli_values {
    struct span items[CLI_VALUES_MAX]; /* borrowed from argv */
    size_t count;
};
/* Takes an option that may be given more than once out of argv, with its values; false after a
 * sentence. */
bool cli_values_take(const char *command, int *argc, char **argv, const char *name,
                     struct cli_values *out);

/* Takes the first word that is neither an option nor an option's value out of argv, wherever it
 * stands; NULL when there is none. Flags have been taken. */
const char *cli_operand_take(int *argc, char **argv);

/* A word that a command wants before its options. */
struct cli_word {
    const char *name; /* "PACK" */
    const char **value;
};
/* Takes count words from the front of argv, which then begins at the options; false after a
 * sentence that names the missing one. */
bool cli_words_take(const char *command, int *argc, char ***argv, const struct cli_word *words,
                    size_t count);

/* One sentence on stderr in the same form. */
void cli_complain(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The parts of "a,b,c", in arena; none of an absent span. */
struct cli_list {
    const struct span *items;
    uint32_t count;
};
struct cli_list cli_list_split(struct span text, struct arena *arena);
/* Seconds of "90s", "30m", "1h", "7d": 1 s to 36500 d; false for anything else. */
bool cli_seconds_read(struct span text, int64_t *out);

#endif
