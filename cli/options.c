/* Reads the options of a subcommand and the small values in them. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>

#define SECONDS_DIGITS_MAX 10
#define SECONDS_MAX (INT64_C(36500) * 86400)

void cli_complain(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "consentctl %s: ", command);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
}

static const struct cli_option *find(const struct cli_option *options, size_t count,
                                     struct span name) {
    for (size_t i = 0; i < count; i++) {
        if (span_is(name, options[i].name)) {
            return &options[i];
        }
    }
    return NULL;
}

/* Takes one option, and the next word when that is its value; returns the words used, 0 after a
 * complaint. */
static int read_one(const char *command, int argc, char **argv, const struct cli_option *options,
                    size_t count) {
    struct span word = span_of_text(argv[0]);
    if (!span_starts(word, SPAN("--"))) {
        cli_complain(command, "unexpected argument \"%s\"", argv[0]);
        return 0;
    }
    const char *equals = memchr(word.data, '=', word.size);
    size_t name_size = equals != NULL ? (size_t)(equals - word.data) : word.size;
    struct span name = span_of(word.data + 2, name_size - 2);
    const struct cli_option *option = find(options, count, name);
    if (option == NULL) {
        cli_complain(command, "unknown option --%.*s; see consentctl %s --help", SPAN_ARG(name),
                     command);
        return 0;
    }
    if (span_present(*option->value)) {
        cli_complain(command, "option --%s is given twice", option->name);
        return 0;
    }
    if (equals == NULL && (argc < 2 || span_starts(span_of_text(argv[1]), SPAN("--")))) {
        cli_complain(command, "option --%s needs a value", option->name);
        return 0;
    }
    *option->value = span_of_text(equals != NULL ? equals + 1 : argv[1]);
    if (option->value->size == 0) {
        cli_complain(command, "option --%s must not be empty", option->name);
        return 0;
    }
    return equals != NULL ? 1 : 2;
}

bool cli_options_read(const char *command, int argc, char **argv, const struct cli_option *options,
                      size_t count) {
    while (argc > 0) {
        int used = read_one(command, argc, argv, options, count);
        if (used == 0) {
            return false;
        }
        argc -= used;
        argv += used;
    }
    for (size_t i = 0; i < count; i++) {
        if (options[i].required && !span_present(*options[i].value)) {
            cli_complain(command, "option --%s is required; see consentctl %s --help",
                         options[i].name, command);
            return false;
        }
    }
    return true;
}

bool cli_flag_take(int *argc, char **argv, const char *name) {
    int kept = 0;
    for (int i = 0; i < *argc; i++)
        if (!span_starts(span_of_text(argv[i]), SPAN("--")) || strcmp(argv[i] + 2, name) != 0)
            argv[kept++] = argv[i];
    bool found = kept < *argc;
    *argc = kept;
    return found;
}

/* The value of option --name in this word, or in the next; words used, 0 when it is another. */
static int value_at(int left, char **words, const char *name, struct span *value) {
    struct span word = span_of_text(words[0]);
    size_t size = strlen("--") + strlen(name);
    if (!span_starts(word, SPAN("--")) || strncmp(words[0] + 2, name, strlen(name)) != 0)
        return 0;
    *value = SPAN_NONE;
    if (word.size > size && words[0][size] == '=')
        *value = span_of_text(words[0] + size + 1);
    else if (word.size != size)
        return 0;
    else if (left > 1 && !span_starts(span_of_text(words[1]), SPAN("--")))
        *value = span_of_text(words[1]);
    return word.size != size ? 1 : 2;
}

bool cli_values_take(const char *command, int *argc, char **argv, const char *name,
                     struct cli_values *out) {
    int kept = 0;
    out->count = 0;
    for (int i = 0; i < *argc;) {
        struct span value;
        int used = value_at(*argc - i, argv + i, name, &value);
        if (used == 0) {
            argv[kept++] = argv[i++];
            continue;
        }
        if (!span_present(value) || value.size == 0 || out->count == CLI_VALUES_MAX) {
            cli_complain(command,
                         out->count == CLI_VALUES_MAX ? "option --%s is given too often"
                                                      : "option --%s needs a value",
                         name);
            return false;
        }
        out->items[out->count++] = value;
        i += used;
    }
    *argc = kept;
    return true;
}

const char *cli_operand_take(int *argc, char **argv) {
    for (int i = 0; i < *argc; i++) {
        if (!span_starts(span_of_text(argv[i]), SPAN("--"))) {
            const char *operand = argv[i];
            memmove(argv + i, argv + i + 1, (size_t)(--*argc - i) * sizeof *argv);
            return operand;
        }
        if (strchr(argv[i], '=') == NULL)
            i++; /* its value */
    }
    return NULL;
}

bool cli_words_take(const char *command, int *argc, char ***argv, const struct cli_word *words,
                    size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (*argc == 0 || span_starts(span_of_text((*argv)[0]), SPAN("--"))) {
            cli_complain(command, "%s is missing; see consentctl %s --help", words[i].name,
                         command);
            return false;
        }
        *words[i].value = (*argv)[0];
        (*argc)--;
        (*argv)++;
    }
    return true;
}

struct cli_list cli_list_split(struct span text, struct arena *arena) {
    uint32_t count = 0;
    size_t start = 0;
    if (!span_present(text)) {
        return (struct cli_list){NULL, 0};
    }
    struct span *items = arena_array(arena, text.size + 1, sizeof *items);
    for (size_t i = 0; i <= text.size; i++) {
        if (i == text.size || text.data[i] == ',') {
            items[count++] = span_of(text.data + start, i - start);
            start = i + 1;
        }
    }
    return (struct cli_list){items, count};
}

static int64_t unit_seconds(char unit) {
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 0;
    }
}

bool cli_seconds_read(struct span text, int64_t *out) {
    int64_t number = 0;
    if (text.size < 2 || text.size - 1 > SECONDS_DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    int64_t seconds = number * unit_seconds(text.data[text.size - 1]);
    if (seconds < 1 || seconds > SECONDS_MAX) {
        return false;
    }
    *out = seconds;
    return true;
}
