/* See runs.h. Threads: one at a time. */
// SPDX-License-Identifier: Apache-2.0
#include "store/runs.h"

#include "base/log.h"
#include "base/mem.h"

#define ROOM_AT_FIRST 16

static void swap(struct runs *runs, size_t a, size_t b) {
    struct run run = runs->items[a];
    runs->items[a] = runs->items[b];
    runs->items[b] = run;
}

static void sink(struct runs *runs) {
    size_t at = 0, child;
    while ((child = 2 * at + 1) < runs->count) {
        if (child + 1 < runs->count && runs->items[child + 1].number < runs->items[child].number)
            child++;
        if (runs->items[at].number <= runs->items[child].number)
            return;
        swap(runs, at, child);
        at = child;
    }
}

void runs_add(struct runs *runs, const struct run *run) {
    if (runs->count == runs->room) {
        runs->room = runs->room != 0 ? 2 * runs->room : ROOM_AT_FIRST;
        runs->items = mem_resize(runs->items, runs->room * sizeof *runs->items);
    }
    size_t at = runs->count++;
    runs->items[at] = *run;
    for (; at != 0 && runs->items[at].number < runs->items[(at - 1) / 2].number; at = (at - 1) / 2)
        swap(runs, at, (at - 1) / 2);
}

void runs_settle(struct runs *runs, bool ended) {
    ASSERT(runs->count > 0);
    if (ended)
        runs->items[0] = runs->items[--runs->count];
    sink(runs);
}

void runs_release(struct runs *runs) {
    mem_free(runs->items);
    *runs = (struct runs){.items = NULL};
}
