/* Keeping what witnesses said. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_COSIGNING_H
#define STORE_COSIGNING_H

#include "store/internal.h"

/* STORE_COSIGN, in the writer's transaction. */
MUST_CHECK enum status change_cosign(struct write *w, struct store_change *change);

#endif
