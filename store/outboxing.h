/* The outbox in the writer's transaction. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_OUTBOXING_H
#define STORE_OUTBOXING_H

#include "store/granting.h"

/* Puts the change's invalidated token into the outbox for a consent that has ended, unless nothing
 * is owed or a message is there already. */
void outbox_put(struct write *w, const struct store_change *change, const struct store_consent *c);
/* STATUS_OK, or why the change may not give this token: it is registered with another arrangement,
 * or the caller is not the tenant. */
MUST_CHECK enum status outbox_check(struct write *w, struct store_change *change,
                                    const struct store_consent *c, enum store_role role);
/* Nothing is sent about what was erased. */
void outbox_drop(struct write *w, uint64_t consent);
/* STORE_DELIVER. */
MUST_CHECK enum status change_deliver(struct write *w, struct store_change *change);

#endif
