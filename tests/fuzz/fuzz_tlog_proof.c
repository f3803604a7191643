/* Any bytes as a proof file, for entry 4 of tests/vectors/tlog.json: what is taken is the one text
 * of what it says, and believed only where that entry stands. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/encode.h"
#include "base/log.h"
#include "tests/fuzz/support_tlog.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct tlog_proof *proof, struct span bytes) {
    struct buffer extra = {0}, written = {0};
    size_t size = 0;
    if (span_present(proof->extra))
        ASSERT(decode_base64(proof->extra, buffer_reserve(&extra, proof->extra.size),
                             proof->extra.size, &size) == STATUS_OK &&
               size > 0);
    extra.size = size;
    tlog_proof_put(&written, buffer_span(&extra), proof->index, &proof->path,
                   proof->checkpoint.bytes);
    ASSERT(span_equal(buffer_span(&written), bytes));
    buffer_release(&extra);
    buffer_release(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span bytes = span_of((const char *)data, size);
    struct tlog_proof proof;
    const struct tlog_trust trust = fuzz_trust();
    const struct digest leaf = tlog_entry_hash(SPAN("entry-4"));
    if (tlog_proof_parse(bytes, &proof) != STATUS_OK)
        return 0;
    check_text(&proof, bytes);
    if (tlog_proof_verify(&proof, &leaf, &trust) == STATUS_OK)
        ASSERT(proof.index == 4 && proof.checkpoint.head.size == 7);
    return 0;
}
