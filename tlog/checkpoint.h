/* Checkpoints: notes that say how large a log is and under which root (C2SP tlog-checkpoint), and
 * whom a reader trusts to say so. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_CHECKPOINT_H
#define TLOG_CHECKPOINT_H

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

/* All spans are views into bytes. */
struct tlog_checkpoint {
    struct span bytes;  /* the whole, as it was signed and cosigned */
    struct span origin; /* not empty */
    struct tlog_head head;
    struct span extensions; /* lines, each with its newline and not empty; or none */
    struct tlog_note note;
};

/* Which checkpoints a reader believes: those of this origin that one of the log's keys at least has
 * signed, and `quorum` of the witnesses have cosigned. Witnesses must be keys of different hands,
 * which nobody can see from here. */
struct tlog_trust {
    struct span origin;
    const struct tlog_vkey *keys;
    size_t key_count;
    const struct tlog_vkey *witnesses; /* NULL when there are none */
    size_t witness_count;
    size_t quorum;
};

/* Reads a checkpoint ("Note text"); believes nothing yet. STATUS_INVALID_PARAMETER when bytes are
 * no note or no checkpoint. */
MUST_CHECK enum status tlog_checkpoint_parse(struct span bytes, struct tlog_checkpoint *out);
/* STATUS_OK when trust believes it; its signatures are then marked (note.h). A signature in the
 * name of a key or witness of trust that does not verify spoils the whole, quorum or not. */
MUST_CHECK enum status tlog_checkpoint_verify(struct tlog_checkpoint *checkpoint,
                                              const struct tlog_trust *trust);
/* Appends the note's text: origin, head and extension lines (SPAN_NONE for none). */
void tlog_checkpoint_put_text(struct buffer *out, struct span origin, const struct tlog_head *head,
                              struct span extensions);

#endif
