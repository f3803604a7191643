/* See fan.h. Threads: as the transactions it is given. */
// SPDX-License-Identifier: Apache-2.0
#include "store/fan.h"

#include "base/log.h"

/* The first row at or after name and number; false when no name under the prefix has one. */
static bool seek(struct db_cursor *cursor, const struct key *prefix, uint32_t name, uint64_t number,
                 struct run *out) {
    struct key key = *prefix;
    ASSERT(key.size + 12 <= sizeof key.bytes);
    key_put_u32(key.bytes + key.size, name);
    key_put_u64(key.bytes + key.size + 4, number);
    key.size += 12;
    if (!db_cursor_seek(cursor, key_span(&key)) || cursor->key.size != key.size ||
        memcmp(cursor->key.data, prefix->bytes, prefix->size) != 0)
        return false;
    out->of = key_get_u32(cursor->key.data + prefix->size);
    out->number = key_last_number(cursor->key);
    return true;
}

void fan_open(struct db_cursor *cursor, const struct key *prefix, uint64_t from, struct runs *out) {
    struct run run = {0};
    uint32_t name = 0;
    *out = (struct runs){.items = NULL};
    while (seek(cursor, prefix, name, from, &run)) {
        uint32_t found = (uint32_t)run.of;
        if (run.number >= from)
            runs_add(out, &run);
        /* a name behind the one that was sought: its run may begin before `from` */
        name = run.number >= from ? found + 1 : found;
        if (run.number >= from && found == UINT32_MAX)
            break;
    }
}

void fan_next(struct db_cursor *cursor, const struct key *prefix, struct runs *runs) {
    ASSERT(runs->count > 0);
    struct run *first = runs->items, next = *first;
    bool goes_on = first->number != UINT64_MAX &&
                   seek(cursor, prefix, (uint32_t)first->of, first->number + 1, &next) &&
                   next.of == first->of;
    if (goes_on)
        *first = next;
    runs_settle(runs, !goes_on);
}
