/* Cursors: where a query goes on, sealed so that a caller can neither read nor make one. What is
 * inside counts the consents of all tenants and must not show (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "base/digest.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "store/store.h"

#define API_CURSOR_SIZE 22

/* Writes API_CURSOR_SIZE characters and a NUL. `of` identifies query and viewer. */
void api_cursor_seal(const struct store *store, const struct digest *of, uint64_t next,
                     char out[API_CURSOR_SIZE + 1]);
/* STATUS_INVALID_PARAMETER unless text was sealed by this store for the same `of`. */
MUST_CHECK enum status api_cursor_open(const struct store *store, const struct digest *of,
                                       struct span text, uint64_t *next);

#endif
