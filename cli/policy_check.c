/* consentctl policy check: whether a pack is valid, by the very loader of the service, and what it
 * holds. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/encode.h"
#include "cli/file.h"
#include "cli/options.h"
#include "policy/rule.h"

#define COMMAND "policy check"

static const char help[] =
    "Usage: consentctl policy check PACK\n"
    "\n"
    "Loads a policy pack as strictly as the service does and prints its name, its version, the\n"
    "SHA-256 that identifies it, and how much of what it holds. A pack that is not valid is named\n"
    "with the JSON pointer of the value at fault.\n"
    "\n"
    "Exit codes: 0 valid, 1 not valid, 2 the file cannot be read.\n"
    "\n"
    "  consentctl policy check policy/packs/perseus-2026-03-12.json\n";

static void print_licenses(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++) {
        const struct policy_license *license = policy_pack_license(pack, i);
        printf("license        %.*s: %d purposes, %d permissions, %u texts\n",
               SPAN_ARG(license->url), __builtin_popcountll(license->purposes),
               __builtin_popcountll(license->permissions), license->text_count);
    }
}

static void print(const struct policy_pack *pack) {
    char digest[2 * DIGEST_SIZE + 1];
    uint32_t denied = 0;
    const struct digest *found = policy_pack_digest(pack);
    encode_hex(found->bytes, sizeof found->bytes, digest);
    digest[2 * DIGEST_SIZE] = '\0';
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        denied += policy_pack_permission(pack, i)->denied;
    }
    printf("pack           %.*s\n", SPAN_ARG(policy_pack_name(pack)));
    printf("version        %.*s\n", SPAN_ARG(policy_pack_version(pack)));
    printf("digest         %s\n", digest);
    printf("bytes          %zu\n", policy_pack_bytes(pack).size);
    printf("roles          %u\n", policy_pack_role_count(pack));
    printf("purposes       %u\n", policy_pack_purpose_count(pack));
    printf("permissions    %u, %u of them denied\n", policy_pack_permission_count(pack), denied);
    printf("licenses       %u\n", policy_pack_license_count(pack));
    printf("rules          %u\n", policy_pack_rule_count(pack));
    print_licenses(pack);
}

static enum cli_exit run(int argc, char **argv) {
    const char *path = NULL;
    struct policy_pack *pack = NULL;
    const struct cli_word words[] = {{"PACK", &path}};
    if (!cli_words_take(COMMAND, &argc, &argv, words, 1) ||
        !cli_options_read(COMMAND, argc, argv, NULL, 0)) {
        return CLI_USAGE;
    }
    enum cli_exit ended = cli_pack_read(COMMAND, path, &pack);
    if (ended == CLI_OK) {
        print(pack);
    }
    policy_pack_free(pack);
    return cli_finish(COMMAND, ended);
}

const struct cli_command cli_policy_check_command = {
    .name = "check",
    .summary = "whether a pack is valid, and what it holds",
    .help = help,
    .run = run,
};
