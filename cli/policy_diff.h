/* consentctl policy diff, in two parts: what two packs say, and what stored consents would feel.
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_POLICY_DIFF_H
#define CLI_POLICY_DIFF_H

#include "cli/command.h"
#include "policy/pack.h"

#define POLICY_DIFF "policy diff"

/* Prints a line for each thing that was added (+), removed (-) or changed (~). */
void policy_diff_print(const struct policy_pack *old, const struct policy_pack *new);

#endif
