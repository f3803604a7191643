/* Requests to witnesses. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/submission.h"

#include "base/log.h"
#include "tlog/text.h"

#define OLD "old "

enum status tlog_submission_parse(struct span bytes, struct tlog_submission *out) {
    struct tlog_submission read = {.old_size = 0};
    if (tlog_text_number(&bytes, SPAN(OLD), &read.old_size) != STATUS_OK ||
        tlog_text_path(&bytes, TLOG_SUBMISSION_PATH_MAX, &read.path) != STATUS_OK ||
        tlog_checkpoint_parse(bytes, &read.checkpoint) != STATUS_OK ||
        read.old_size > read.checkpoint.head.size)
        return STATUS_INVALID_PARAMETER;
    *out = read;
    return STATUS_OK;
}

void tlog_submission_put(struct buffer *out, uint64_t old_size, const struct tlog_path *path,
                         struct span checkpoint) {
    ASSERT(path->count <= TLOG_SUBMISSION_PATH_MAX);
    tlog_text_put_number(out, SPAN(OLD), old_size);
    tlog_text_put_path(out, path);
    buffer_append_span(out, checkpoint);
}
