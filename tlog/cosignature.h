/* Cosignatures of checkpoints by witnesses, version 1 over Ed25519 (C2SP tlog-cosignature,
 * "Format" and "Ed25519 signed message"): the time of signing in a u64 big-endian, and the
 * signature of two lines with that time and the checkpoint's text. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_COSIGNATURE_H
#define TLOG_COSIGNATURE_H

#include <stdint.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/key.h"

#define TLOG_COSIGNATURE_SIZE (8 + TLOG_SIGNATURE_SIZE)

/* Appends the signature line of a key of type TLOG_KEY_COSIGNATURE over the text of a checkpoint;
 * time is in seconds since 1970, from 1 to INT64_MAX. */
void tlog_cosignature_put(struct buffer *out, const struct tlog_key *key, uint64_t time,
                          struct span text);
/* Verifies what follows the key ID. STATUS_INVALID_PARAMETER when it is not the key's. */
MUST_CHECK enum status tlog_cosignature_verify(const struct tlog_vkey *key, struct span text,
                                               struct span bytes, uint64_t *time);

#endif
