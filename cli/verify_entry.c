/* consentctl verify-entry: one entry with its proof, as GET /v1/audit/events/{index} answers and as
 * can be kept for years: whoever has the key needs nothing else. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>

#include "cli/audit_entry.h"
#include "cli/file.h"
#include "cli/options.h"
#include "tlog/proof.h"

#define COMMAND "verify-entry"
#define ANSWER_MAX 33554432

static const char help[] =
    "Usage: consentctl verify-entry FILE --vkey KEY\n"
    "\n"
    "Verifies one entry of a log that was kept with its proof: an answer of\n"
    "GET /v1/audit/events/{index}, in FILE or, for -, on standard input. Its payload must be what "
    "its\n"
    "leaf commits to, its personal part what its payload commits to, and its leaf must be in the "
    "log\n"
    "that a checkpoint signed by KEY speaks of. No service and no other file is asked.\n"
    "\n"
    "  --vkey KEY   the log's verifier key, or a file with its keys, one a line\n"
    "\n"
    "Prints which entry it is, and of how many. That the log still is the same one is for\n"
    "`consentctl verify`.\n"
    "\n"
    "Exit codes: 0 good, 1 bad, and what is wrong is named, 2 it cannot be read, or asked "
    "wrongly.\n";

static bool check_proof(const struct audit_keys *keys, const struct audit_entry *entry,
                        struct span text, uint64_t *size, struct audit_fault *fault) {
    struct tlog_proof proof;
    struct digest hash = tlog_leaf_hash(entry->leaf);
    if (tlog_proof_parse(text, &proof) != STATUS_OK)
        return audit_bad_entry(fault, entry->index, "its proof is none");
    if (proof.index != entry->index)
        return audit_bad_entry(fault, entry->index, "its proof is of entry %llu",
                               (unsigned long long)proof.index);
    if (!span_equal(proof.checkpoint.origin, keys->trust.origin))
        return audit_bad_entry(fault, entry->index, "its proof is of another log, \"%.*s\"",
                               SPAN_ARG(proof.checkpoint.origin));
    if (tlog_proof_verify(&proof, &hash, &keys->trust) != STATUS_OK)
        return audit_bad_entry(fault, entry->index,
                               "its proof does not lead from its leaf to a "
                               "checkpoint that the log's key signed");
    *size = proof.checkpoint.head.size;
    return true;
}

/* The proof is a text with line ends, and so has escapes. */
static bool check(const struct audit_keys *keys, struct span answer, struct audit_entry *entry,
                  uint64_t *size, struct audit_fault *fault) {
    if (!audit_entry_read(answer, 0, entry, fault))
        return false;
    if (!span_present(entry->proof))
        return audit_bad_entry(fault, entry->index, "it comes without a proof");
    json_t *text = json_loadb(entry->proof.data, entry->proof.size, JSON_DECODE_ANY, NULL);
    struct span proof = json_is_string(text)
                            ? span_of(json_string_value(text), json_string_length(text))
                            : SPAN("");
    bool good = check_proof(keys, entry, proof, size, fault);
    json_decref(text);
    if (good && !span_present(entry->payload))
        return audit_bad_entry(fault, entry->index,
                               "its leaf is in the log, and what opens it is "
                               "not here: erased, or withheld");
    return good;
}

static enum cli_exit verify(const struct audit_keys *keys, struct span answer) {
    struct audit_entry entry;
    struct audit_fault fault = {AUDIT_GOOD, ""};
    uint64_t size = 0;
    if (!check(keys, answer, &entry, &size, &fault))
        return audit_tell(COMMAND, &fault);
    printf("good, entry %llu of %llu, %.*s%s\n", (unsigned long long)entry.index,
           (unsigned long long)size, SPAN_ARG(entry.type),
           entry.has_personal && !span_present(entry.personal) ? ", without its personal part"
                                                               : "");
    return cli_finish(COMMAND, CLI_OK);
}

static enum cli_exit run(int argc, char **argv) {
    struct span vkey = SPAN_NONE;
    struct audit_keys keys = {0};
    struct buffer answer = {0};
    const struct cli_option known[] = {{"vkey", true, &vkey}};
    const char *file = cli_operand_take(&argc, argv);
    enum cli_exit ended = CLI_USAGE;
    if (!cli_options_read(COMMAND, argc, argv, known, 1))
        return CLI_USAGE;
    if (file == NULL)
        cli_complain(COMMAND, "FILE is missing; see consentctl " COMMAND " --help");
    else if (audit_keys_read(COMMAND, vkey, &keys) &&
             cli_file_read(COMMAND, strcmp(file, "-") == 0 ? "/dev/stdin" : file, ANSWER_MAX,
                           &answer) == CLI_OK)
        ended = verify(&keys, buffer_span(&answer));
    audit_keys_release(&keys);
    buffer_release(&answer);
    return ended;
}

const struct cli_command cli_verify_entry_command = {
    .name = "verify-entry",
    .summary = "verify one entry that was kept with its proof",
    .help = help,
    .run = run,
};
