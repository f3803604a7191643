/* What a log sends to a witness (C2SP tlog-witness, "add-checkpoint"): a checkpoint, and the proof
 * that its tree began as the one that the witness saw last. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_SUBMISSION_H
#define TLOG_SUBMISSION_H

#include "tlog/checkpoint.h"

#define TLOG_SUBMISSION_PATH_MAX 63 /* lines that a client may send */

struct tlog_submission {
    uint64_t old_size; /* at most the checkpoint's */
    struct tlog_path path;
    struct tlog_checkpoint checkpoint; /* views into bytes */
};

/* Reads a request body; believes nothing yet: the checkpoint is for tlog_checkpoint_verify (403,
 * 404), the path for tlog_consistency_verify against the root at old_size (422).
 * STATUS_INVALID_PARAMETER when bytes are none, or the old size is above the new (400). */
MUST_CHECK enum status tlog_submission_parse(struct span bytes, struct tlog_submission *out);
/* Of the answers, 200 has signature lines (tlog_note_parse_apart, over the checkpoint's text), 409
 * the witness's size in a line (tlog_text_number, with an empty label). */

/* Appends a request body; path has at most TLOG_SUBMISSION_PATH_MAX hashes, checkpoint is the whole
 * signed note. */
void tlog_submission_put(struct buffer *out, uint64_t old_size, const struct tlog_path *path,
                         struct span checkpoint);

#endif
