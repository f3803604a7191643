/* consentctl policy: what people who write packs work with. Each part has a file of its own.
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "cli/command.h"

static const char help[] =
    "Usage: consentctl policy check PACK\n"
    "       consentctl policy test PACK TESTS\n"
    "       consentctl policy diff OLD NEW [--data DIR]\n"
    "       consentctl policy import-text PACK --license URL --language TAG --file TEXT --out NEW\n"
    "       consentctl policy COMMAND --help\n"
    "\n"
    "Works on policy packs (docs/packs.md) before a service loads them.\n"
    "\n"
    "  check        whether a pack is valid, and what it holds\n"
    "  test         whether a pack decides as its case table says\n"
    "  diff         what a new pack changes, and which consents of a store it would break\n"
    "  import-text  put a licence's wording into a pack\n";

static const struct cli_command *const parts[] = {
    &cli_policy_check_command,
    &cli_policy_test_command,
    &cli_policy_diff_command,
    &cli_policy_import_text_command,
    NULL,
};

const struct cli_command cli_policy_command = {
    .name = "policy",
    .summary = "check, test, compare and complete policy packs",
    .help = help,
    .parts = parts,
};
