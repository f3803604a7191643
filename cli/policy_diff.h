/* consentctl policy diff, in two parts: what two packs say, and what stored consents would feel.
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_POLICY_DIFF_H
#define CLI_POLICY_DIFF_H

#include "base/clock.h"
#include "cli/command.h"
#include "policy/pack.h"

#define POLICY_DIFF "policy diff"
#define POLICY_DIFF_EXAMPLES 5 /* of each clause, when the command line does not say */
#define POLICY_DIFF_EXAMPLES_MAX 1000

/* Prints a line for each thing that was added (+), removed (-) or changed (~). */
void policy_diff_print(const struct policy_pack *old, const struct policy_pack *new);

struct policy_diff_survey {
    const struct policy_pack *old, *new;
    const char *directory; /* of the data */
    const struct clock *clock;
    uint32_t examples;
};
/* Prints what the new pack would break of the store's active consents. CLI_FAILED when something
 * would break, be erased at once or does not fit, or after a sentence. */
enum cli_exit policy_diff_survey(const struct policy_diff_survey *survey);

#endif
