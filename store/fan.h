/* Runs of an index walked as one, in the order of their numbers: rows are prefix || name (4) ||
 * number (8), and each name under the prefix has a run of rising numbers. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_FAN_H
#define STORE_FAN_H

#include "store/db.h"
#include "store/key.h"

struct fan_run {
    uint64_t number; /* the next of this run */
    unsigned char name[4];
};
struct fan {
    struct fan_run *runs; /* a heap, the one with the lowest number first */
    size_t count, room;
};
/* Finds each run's first number >= from: a seek or two for each. Close with fan_close. */
void fan_open(struct db_cursor *cursor, const struct key *prefix, uint64_t from, struct fan *out);
/* Past the lowest number. */
void fan_next(struct db_cursor *cursor, const struct key *prefix, struct fan *fan);
void fan_close(struct fan *fan);

#endif
