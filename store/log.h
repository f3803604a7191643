/* The log as a Merkle tree (RFC 6962; C2SP tlog-tiles), from a reader's snapshot: what proofs,
 * tiles and the checkpoint are served from. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "store/read.h"
#include "tlog/merkle.h"

/* The number of entries. */
uint64_t store_log_size(struct store_reader *reader);
/* The signed checkpoint of that size: a view. */
struct span store_log_checkpoint(struct store_reader *reader);
/* The verifier keys of those that sign it, each with a newline: a view. */
struct span store_log_verifier_keys(struct store_reader *reader);
/* Rows of tiles, for proofs at that size or any before. Until store_read_end. */
struct tlog_reader store_log_rows(struct store_reader *reader);
/* Leaves first to first + count - 1, each of STORE_LEAF_SIZE bytes, behind one another in out.
 * STATUS_INTERNAL when one is not there. */
MUST_CHECK enum status store_log_leaves(struct store_reader *reader, uint64_t first, uint32_t count,
                                        unsigned char *out);

/* Appends a signed note that says how many entries about a tenant the log of this size has: lines
 * name, size, tenant, number; the name is the origin and "/heads". 0 for a tenant it never heard
 * of. STATUS_INVALID_PARAMETER when the tenant has control characters, which no note can carry. Not
 * in a store that is open to read only. */
MUST_CHECK enum status store_log_head(struct store_reader *reader, struct span tenant,
                                      struct buffer *out);

#endif
