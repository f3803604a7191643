/* What the text formats of C2SP share: lines, decimal numbers, and hashes one a line in base64.
 * Each reader cuts what it read off the front of `left`, and is strict: one text for one value.
 * Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_TEXT_H
#define TLOG_TEXT_H

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/merkle.h"

/* All fail with STATUS_INVALID_PARAMETER and then leave `left` as it was. */

/* A line, as a view without the newline that must end it. */
MUST_CHECK enum status tlog_text_line(struct span *left, struct span *line);
/* A line that is a tree size or an index behind `label`: ASCII decimal without leading zeros, at
 * most TLOG_SIZE_MAX. */
MUST_CHECK enum status tlog_text_number(struct span *left, struct span label, uint64_t *out);
/* A line that is a hash. */
MUST_CHECK enum status tlog_text_hash(struct span *left, struct digest *out);
/* At most count_max hashes and the empty line behind them. */
MUST_CHECK enum status tlog_text_path(struct span *left, uint32_t count_max, struct tlog_path *out);

/* The same, written. */
void tlog_text_put_number(struct buffer *out, struct span label, uint64_t value);
void tlog_text_put_hash(struct buffer *out, const struct digest *hash);
void tlog_text_put_path(struct buffer *out, const struct tlog_path *path);

#endif
