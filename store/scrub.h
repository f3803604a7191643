/* Scrubbing: what was deleted leaves the disk. LMDB leaves deleted bytes in free pages and in the
 * slack of used ones, and a compacting copy takes them along; copied row by row they are left
 * behind. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_SCRUB_H
#define STORE_SCRUB_H

#include "store/store.h"

struct store_scrub {
    const char *directory;
    /* Called now and then, at least once between any two steps that change the disk; or NULL. */
    void (*step)(void *context, uint64_t rows);
    void *context;
    /* out */
    uint64_t rows;
    uint64_t size_before, size_after; /* of the data file */
};
/* Puts a copy of the rows in place of the data file, with the service stopped: the directory's lock
 * is held meanwhile. The copy is compared row by row and passes the checks of a start before it is
 * swapped in; whenever the process dies, a store that opens is there. On failure `why` (of size
 * why_size) gets one sentence, and the store is as it was. */
MUST_CHECK enum status store_scrub(struct store_scrub *scrub, char *why, size_t why_size);
/* Removes what a scrub that died has left beside the data. Under the directory's lock. */
void store_scrub_discard(const char *directory);

#endif
