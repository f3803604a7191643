/* What happened to the consents of one caller, its own and those that name it as their client, in
 * the order of the log; and a filter by which who waits for more sleeps through what is about
 * others. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include "store/event.h"

struct store_feed_ask {
    struct span tenant, client; /* the caller's two names; either may be absent */
    uint64_t from;              /* the first entry to look at */
    uint32_t limit;             /* 1 to LIMIT_PAGE */
};
/* Entries that changed a consent of the caller (leaf type 1), rising, from ask->from on: their
 * columns, without leaf and payload. Visits at most LIMIT_WALK entries, all of them about the
 * caller's consents: a page may be short, even empty, and have more. page->next goes on where this
 * ended; it is ask->from or follows an entry of the caller's, so that it tells nothing of others
 * (invariant 9). page->items come from the arena, of which a page without any takes nothing. */
MUST_CHECK enum status store_feed_read(struct store_reader *reader,
                                       const struct store_feed_ask *ask, struct arena *arena,
                                       struct store_event_page *out);

/* The bits by which store_options.committed names these two, or all bits while one of them was
 * never stored. Different names may share a bit. */
uint64_t store_feed_bits(struct store_reader *reader, const struct store_feed_ask *ask);

#endif
