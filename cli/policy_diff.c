/* consentctl policy diff: what a new pack changes. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_diff.h"

#include "base/mem.h"
#include "base/timestamp.h"
#include "cli/file.h"
#include "cli/options.h"

#define COMMAND POLICY_DIFF

static const char help[] =
    "Usage: consentctl policy diff OLD NEW [--data DIR [--at TIME] [--examples N]]\n"
    "\n"
    "Prints what the pack NEW adds (+), removes (-) and changes (~) against OLD: roles, purposes,\n"
    "permissions, licences, reasons, rules and resource types by their codes, and each of their\n"
    "members; lists of codes by what joined and left them. Order does not count.\n"
    "\n"
    "With --data, prints which active consents of a store NEW would break: each is asked for "
    "every\n"
    "purpose and permission that it holds, the last month and as far back as it goes, coarse and\n"
    "fine; broken is one of which OLD permits a question that NEW denies. The store may be in "
    "use;\n"
    "nothing in it is changed. Also tells when the store cannot number NEW's purposes and\n"
    "permissions, 64 of each over all packs that were ever in force.\n"
    "\n"
    "  --data DIR     the data directory of the service\n"
    "  --at TIME      as of this time (2027-01-01T00:00Z), which is not before the last change of\n"
    "                 the store; the default is now\n"
    "  --examples N   so many consents are named for each clause, 0 to 1000; the default is 5\n"
    "\n"
    "Exit codes: 0 compared and nothing would break, 1 something would break or not fit, a pack is "
    "not\n"
    "valid or the store cannot be read, 2 a file cannot be read.\n"
    "\n"
    "  consentctl policy diff policy/packs/perseus-2026-03-12.json my-pack.json --data var/dev\n";

struct arguments {
    const char *old, *new;
    struct span data, at, examples;
    struct clock clock;
    uint32_t example_count;
};

static bool read_count(struct span text, uint32_t max, uint32_t *out) {
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || count > max) {
            return false;
        }
        count = count * 10 + (uint32_t)(text.data[i] - '0');
    }
    *out = count;
    return count <= max;
}

/* The wall clock, or one that stands still at a time. */
static bool set_clock(struct arguments *arguments) {
    int64_t at;
    clock_init(&arguments->clock);
    if (!span_present(arguments->at)) {
        return true;
    }
    if (timestamp_parse(arguments->at, &at) != STATUS_OK) {
        return false;
    }
    struct buffer text = {0};
    buffer_append_span(&text, arguments->at);
    buffer_append_text(&text, "x0");
    enum status status = clock_init_injected(&arguments->clock, buffer_span(&text));
    buffer_release(&text);
    return status == STATUS_OK;
}

static bool read_arguments(int argc, char **argv, struct arguments *out) {
    const struct cli_word words[] = {{"OLD", &out->old}, {"NEW", &out->new}};
    const struct cli_option options[] = {
        {"data", false, &out->data},
        {"at", false, &out->at},
        {"examples", false, &out->examples},
    };
    if (!cli_words_take(COMMAND, &argc, &argv, words, 2) ||
        !cli_options_read(COMMAND, argc, argv, options, sizeof options / sizeof options[0])) {
        return false;
    }
    if (!span_present(out->data) && (span_present(out->at) || span_present(out->examples))) {
        cli_complain(COMMAND, "options --at and --examples go with --data");
        return false;
    }
    if (!set_clock(out)) {
        cli_complain(COMMAND, "option --at must be a UTC time like 2024-03-31T23:30Z");
        return false;
    }
    out->example_count = POLICY_DIFF_EXAMPLES;
    if (span_present(out->examples) &&
        !read_count(out->examples, POLICY_DIFF_EXAMPLES_MAX, &out->example_count)) {
        cli_complain(COMMAND, "option --examples must be from 0 to %d", POLICY_DIFF_EXAMPLES_MAX);
        return false;
    }
    return true;
}

static enum cli_exit compare(const struct arguments *arguments, const struct policy_pack *old,
                             const struct policy_pack *new) {
    if (!span_present(arguments->data)) {
        policy_diff_print(old, new);
        return CLI_OK;
    }
    const struct policy_diff_survey survey = {
        .old = old,
        .new = new,
        .directory = arguments->data.data,
        .clock = &arguments->clock,
        .examples = arguments->example_count,
    };
    return policy_diff_survey(&survey);
}

static enum cli_exit run(int argc, char **argv) {
    struct arguments arguments = {.old = NULL};
    struct policy_pack *old = NULL, *new = NULL;
    if (!read_arguments(argc, argv, &arguments)) {
        return CLI_USAGE;
    }
    enum cli_exit ended = cli_pack_read(COMMAND, arguments.old, &old);
    if (ended == CLI_OK) {
        ended = cli_pack_read(COMMAND, arguments.new, &new);
    }
    if (ended == CLI_OK) {
        ended = compare(&arguments, old, new);
    }
    policy_pack_free(old);
    policy_pack_free(new);
    return cli_finish(COMMAND, ended);
}

const struct cli_command cli_policy_diff_command = {
    .name = "diff",
    .summary = "what a new pack changes, and which consents it breaks",
    .help = help,
    .run = run,
};
