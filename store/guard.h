/* The guard: a copy of a recent checkpoint in a file outside the data directory, so that an old
 * copy of the directory, put back, is found at start. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include "store/internal.h"

/* At start: the log goes on from the guard's checkpoint, or there is no guard yet. */
MUST_CHECK enum status guard_check(struct store *store, char *why, size_t why_size);
/* Writer thread: replaces the guard when the log has grown and the last time is a while ago, or
 * at_once. now_us is monotonic. A guard that cannot be written is logged once, until it can be. */
void guard_renew(struct store *store, uint64_t now_us, bool at_once);

#endif
