/* consentctl verify-receipt: a receipt against the keys that sign receipts and the log's own, from
 * outside. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>

#include "auth/signed.h"
#include "base/encode.h"
#include "cli/audit.h"
#include "cli/file.h"
#include "cli/options.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"

#define COMMAND "verify-receipt"
#define RECEIPT_MAX 1048576
#define KEYS_MAX 1048576

static const char help[] =
    "Usage: consentctl verify-receipt FILE --keys JWKS --vkey KEY\n"
    "\n"
    "Verifies a receipt, as GET /v1/consents/{id}/receipt answers it: its signature, and that the\n"
    "entry it names is in the log. Prints what it says.\n"
    "\n"
    "  --keys JWKS   a file with the keys that sign receipts (/.well-known/jwks.json)\n"
    "  --vkey KEY    the log's verifier key, or a file with its keys, one a line. Take both from\n"
    "                where you would believe them\n"
    "\n"
    "A receipt tells how a consent was when it was made; whether it still stands, only a new one\n"
    "tells.\n"
    "\n"
    "Exit codes: 0 good, 1 bad, 2 asked wrongly or something cannot be read.\n";

struct given {
    struct buffer receipt, jwks;
    struct audit_keys keys;
};

static bool read_all(int argc, char **argv, struct given *out) {
    struct span keys, vkey;
    const struct cli_option options[] = {{"keys", true, &keys}, {"vkey", true, &vkey}};
    keys = vkey = SPAN_NONE;
    const char *file = cli_operand_take(&argc, argv);
    if (file == NULL) {
        cli_complain(COMMAND, "a file with a receipt is missing; see consentctl %s --help",
                     COMMAND);
        return false;
    }
    return cli_options_read(COMMAND, argc, argv, options, 2) &&
           cli_file_read(COMMAND, file, RECEIPT_MAX, &out->receipt) == CLI_OK &&
           cli_file_read(COMMAND, keys.data, KEYS_MAX, &out->jwks) == CLI_OK &&
           audit_keys_read(COMMAND, vkey, &out->keys);
}

/* A member that is a text; absent otherwise. */
static struct span text_of(const json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    return json_is_string(text) ? span_of(json_string_value(text), json_string_length(text))
                                : SPAN_NONE;
}

/* What is wrong with the receipt's place in the log, or NULL. */
static const char *log_fault(const json_t *log, const struct audit_keys *keys) {
    unsigned char leaf[TLOG_LEAF_SIZE];
    struct tlog_proof proof;
    size_t size = 0;
    struct span bytes = text_of(log, "proof"), leaf_text = text_of(log, "leaf");
    if (!span_present(bytes) || !span_present(leaf_text))
        return "it has no proof that it is in a log";
    if (decode_base64(leaf_text, leaf, sizeof leaf, &size) != STATUS_OK || size != sizeof leaf)
        return "its leaf is none";
    if (tlog_proof_parse(bytes, &proof) != STATUS_OK)
        return "its proof is none";
    if (proof.index != (uint64_t)json_integer_value(json_object_get(log, "index")))
        return "its proof is of another entry";
    struct digest hash = tlog_leaf_hash(leaf);
    return tlog_proof_verify(&proof, &hash, &keys->trust) == STATUS_OK
               ? NULL
               : "its entry is not in a log that the key has signed";
}

static enum cli_exit bad(const char *why) {
    struct audit_fault fault = {0};
    (void)audit_bad(&fault, "%s", why);
    return audit_tell(COMMAND, &fault);
}

static void print(const json_t *claims) {
    const json_t *consent = json_object_get(claims, "consent");
    struct span id = text_of(consent, "consentId"), status = text_of(consent, "status"),
                at = text_of(consent, "statusAt"), issuer = text_of(claims, "iss");
    printf("good: consent %.*s, %.*s since %.*s\n", SPAN_ARG(id), SPAN_ARG(status), SPAN_ARG(at));
    printf("issued by %.*s, bound to entry %lld of the log\n", SPAN_ARG(issuer),
           (long long)json_integer_value(json_object_get(json_object_get(claims, "log"), "index")));
}

static enum cli_exit verify(const struct given *given) {
    struct buffer payload = {0};
    const char *why = NULL;
    struct span receipt = buffer_span(&given->receipt);
    while (receipt.size > 0 && receipt.data[receipt.size - 1] == '\n')
        receipt.size--;
    if (auth_signed_read(buffer_span(&given->jwks), receipt, &payload, &why) != STATUS_OK) {
        buffer_release(&payload);
        return bad(why);
    }
    json_t *claims = json_loadb(payload.data, payload.size, JSON_REJECT_DUPLICATES, NULL);
    buffer_release(&payload);
    if (!json_is_object(json_object_get(claims, "consent")))
        why = "it is no receipt";
    else
        why = log_fault(json_object_get(claims, "log"), &given->keys);
    if (why == NULL)
        print(claims);
    json_decref(claims);
    return why == NULL ? cli_finish(COMMAND, CLI_OK) : bad(why);
}

static enum cli_exit run(int argc, char **argv) {
    struct given given = {.receipt = {0}};
    enum cli_exit ended = read_all(argc, argv, &given) ? verify(&given) : CLI_USAGE;
    buffer_release(&given.receipt);
    buffer_release(&given.jwks);
    audit_keys_release(&given.keys);
    return ended;
}

const struct cli_command cli_verify_receipt_command = {
    .name = COMMAND,
    .summary = "verify a receipt",
    .help = help,
    .run = run,
};
