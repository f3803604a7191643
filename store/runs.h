/* Runs of rising numbers, merged: a heap of them, the one with the lowest number first. Whoever
 * walks it knows where a run goes on. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run {
    uint64_t number; /* the next of this run */
    uint64_t of;     /* whose it is */
    unsigned kind;
};
struct runs {
    struct run *items; /* the first has the lowest number */
    size_t count, room;
};
void runs_add(struct runs *runs, const struct run *run);
/* The first run has another number now, or, when `ended`, none: another may be first. */
void runs_settle(struct runs *runs, bool ended);
void runs_release(struct runs *runs);

#endif
