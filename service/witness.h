/* A witness (C2SP tlog-witness): for each log it knows it remembers the newest tree that it has
 * cosigned, and cosigns only what that one grew into. Knows no socket.
 *
 * Its directory holds witness.key, made with `create` and never again; lock; and logs/, with one
 * file for each log: the checkpoint as it was cosigned last. Who loses that directory makes a new
 * key: a witness that forgot what it cosigned could be led to cosign another history.
 *
 * Threads: one at a time, so that comparing with the state and replacing it are one step. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_WITNESS_H
#define SERVICE_WITNESS_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

#define WITNESS_SUBMISSION_MAX 65536 /* bytes: 63 hashes and 64 signatures fit twice */

struct witness;

struct witness_options {
    const char *directory;
    const char *logs; /* a file with a verifier key of a log in each line; several of one name are
                         keys of one log; lines that are empty or begin with '#' are left out */
    const char *name; /* of the key, with create */
    bool create;      /* make key and directory; without it they must be there */
    const struct clock *clock;
};

/* Reads key, logs and state. On failure STATUS_INTERNAL and one sentence in why. Caller closes with
 * witness_close. */
MUST_CHECK enum status witness_open(const struct witness_options *options, struct witness **out,
                                    char *why, size_t why_size);
void witness_close(struct witness *witness);
/* Its verifier key, with a NUL; until it is closed. */
const char *witness_vkey(const struct witness *witness);
size_t witness_log_count(const struct witness *witness);

struct witness_answer {
    int status; /* of HTTP, as the specification has them */
    struct span type;
    struct buffer body; /* the caller's to release */
};
/* Answers the body of an add-checkpoint request: 200 with the cosignature's line, once the new
 * state is on disk; 400 when the body is none, 404 when the log is unknown, 403 when none of its
 * keys has signed, 409 with the size it knows when that is not the old one, or when it knows
 * another tree of the same size, 422 when the proof does not prove, 500 when the disk fails: then
 * it knows what it knew before. */
void witness_add_checkpoint(struct witness *witness, struct span body, struct witness_answer *out);

#endif
