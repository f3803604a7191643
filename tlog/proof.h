/* Proofs that stand alone (C2SP tlog-proof): a checkpoint, and the path from one entry to its root.
 * Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_PROOF_H
#define TLOG_PROOF_H

#include "tlog/checkpoint.h"

/* All spans are views into bytes. */
struct tlog_proof {
    struct span extra; /* base64, which nothing vouches for; absent when there is none */
    uint64_t index;
    struct tlog_path path;
    struct tlog_checkpoint checkpoint;
};

/* Reads a proof ("Format"); believes nothing yet. STATUS_INVALID_PARAMETER when bytes are none. */
MUST_CHECK enum status tlog_proof_parse(struct span bytes, struct tlog_proof *out);
/* STATUS_OK when trust believes the checkpoint and the path leads from this leaf hash to its root
 * ("Verifying a tlog proof"). */
MUST_CHECK enum status tlog_proof_verify(struct tlog_proof *proof, const struct digest *leaf_hash,
                                         const struct tlog_trust *trust);
/* Appends a proof; extra is bytes, SPAN_NONE for none; checkpoint is the whole signed note. */
void tlog_proof_put(struct buffer *out, struct span extra, uint64_t index,
                    const struct tlog_path *path, struct span checkpoint);

#endif
