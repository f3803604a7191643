/* See fan.h. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/fan.h"

#include "base/log.h"
#include "base/mem.h"

/* ---- a heap by number */

static void swap(struct fan *fan, size_t a, size_t b) {
    struct fan_run run = fan->runs[a];
    fan->runs[a] = fan->runs[b];
    fan->runs[b] = run;
}

static void sink(struct fan *fan) {
    size_t at = 0, child;
    while ((child = 2 * at + 1) < fan->count) {
        if (child + 1 < fan->count && fan->runs[child + 1].number < fan->runs[child].number)
            child++;
        if (fan->runs[at].number <= fan->runs[child].number)
            return;
        swap(fan, at, child);
        at = child;
    }
}

static void add(struct fan *fan, const struct fan_run *run) {
    if (fan->count == fan->room) {
        fan->room = fan->room != 0 ? 2 * fan->room : 8;
        fan->runs = mem_resize(fan->runs, fan->room * sizeof *fan->runs);
    }
    size_t at = fan->count++;
    fan->runs[at] = *run;
    for (; at != 0 && fan->runs[at].number < fan->runs[(at - 1) / 2].number; at = (at - 1) / 2)
        swap(fan, at, (at - 1) / 2);
}

/* ---- runs */

/* The first row at or after name and number; false when no name under the prefix has one. */
static bool seek(struct db_cursor *cursor, const struct key *prefix, uint32_t name, uint64_t number,
                 struct fan_run *out) {
    struct key key = *prefix;
    ASSERT(key.size + 12 <= sizeof key.bytes);
    key_put_u32(key.bytes + key.size, name);
    key_put_u64(key.bytes + key.size + 4, number);
    key.size += 12;
    if (!db_cursor_seek(cursor, key_span(&key)) || cursor->key.size != key.size ||
        memcmp(cursor->key.data, prefix->bytes, prefix->size) != 0)
        return false;
    memcpy(out->name, cursor->key.data + prefix->size, sizeof out->name);
    out->number = key_last_number(cursor->key);
    return true;
}

void fan_open(struct db_cursor *cursor, const struct key *prefix, uint64_t from, struct fan *out) {
    struct fan_run run;
    uint32_t name = 0;
    *out = (struct fan){.runs = NULL};
    while (seek(cursor, prefix, name, from, &run)) {
        uint32_t found = key_get_u32(run.name);
        if (run.number >= from)
            add(out, &run);
        /* a name behind the one that was sought: its run may begin before `from` */
        name = run.number >= from ? found + 1 : found;
        if (run.number >= from && found == UINT32_MAX)
            break;
    }
}

void fan_next(struct db_cursor *cursor, const struct key *prefix, struct fan *fan) {
    ASSERT(fan->count > 0);
    struct fan_run *first = fan->runs, next;
    if (first->number != UINT64_MAX &&
        seek(cursor, prefix, key_get_u32(first->name), first->number + 1, &next) &&
        memcmp(next.name, first->name, sizeof next.name) == 0)
        *first = next;
    else
        *first = fan->runs[--fan->count];
    sink(fan);
}

void fan_close(struct fan *fan) {
    mem_free(fan->runs);
    *fan = (struct fan){.runs = NULL};
}
