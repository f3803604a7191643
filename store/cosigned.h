/* What witnesses say of the log's checkpoints (C2SP tlog-cosignature), as the courier brings it to
 * the writer and readers find it. What is brought has been verified. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_COSIGNED_H
#define STORE_COSIGNED_H

#include "store/read.h"

#define STORE_COSIGNED_KEPT 16 /* checkpoints; the log itself remembers longer */

struct store_cosignature {
    struct span witness; /* its verifier key */
    struct span line;    /* with its newline */
    bool log;            /* with an entry delivery.cosigned */
};
/* Of STORE_COSIGN, with all its bytes in the change's arena. */
struct store_cosigned {
    uint64_t size;
    struct span checkpoint; /* the whole note, as the log signed it */
    const struct store_cosignature *items;
    uint32_t count; /* at least 1 */
};

/* Appends the newest checkpoint kept that `quorum` witnesses have cosigned, with all its
 * cosignatures; where there is none, the newest that any has, since a reader is to see who is
 * missing. False when none is kept. */
bool store_cosigned_newest(struct store_reader *reader, uint32_t quorum, struct buffer *out);
/* The size of the newest checkpoint kept that this witness has cosigned; 0 when there is none. */
uint64_t store_cosigned_by(struct store_reader *reader, struct span witness);

#endif
