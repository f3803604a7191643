/* Any bytes as a request to a witness: what is taken is the one text of what it says, and
 * believed only of the checkpoints in its corpus. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "tests/fuzz/support_tlog.h"
#include "tlog/submission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span bytes = span_of((const char *)data, size);
    struct tlog_submission read;
    struct buffer written = {0};
    const struct tlog_trust trust = fuzz_trust();
    if (tlog_submission_parse(bytes, &read) != STATUS_OK)
        return 0;
    ASSERT(read.old_size <= read.checkpoint.head.size);
    tlog_submission_put(&written, read.old_size, &read.path, read.checkpoint.bytes);
    ASSERT(span_equal(buffer_span(&written), bytes));
    if (tlog_checkpoint_verify(&read.checkpoint, &trust) == STATUS_OK)
        ASSERT(read.checkpoint.head.size == 7 || read.checkpoint.head.size == 70000);
    buffer_release(&written);
    return 0;
}
