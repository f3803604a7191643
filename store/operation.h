/* The kinds of changes: what each does, and what the writer has to know of it. Private to store/.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include "store/internal.h"

/* Inside the write transaction. */
MUST_CHECK enum status operation_run(struct write *w, struct store_change *change);
/* Whether it is judged by the pack it was read under. */
bool operation_is_judged(const struct store_change *change);
/* Whether it is taken while there is only room for endings. */
bool operation_is_ending(const struct store_change *change);
/* The entries that it may write, not counting cascades, which are bounded over all. */
uint32_t operation_weight(const struct store_change *change);

#endif
