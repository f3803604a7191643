/* Runs of an index walked as one, in the order of their numbers: rows are prefix || name (4) ||
 * number (8), and each name under the prefix has a run of rising numbers. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_FAN_H
#define STORE_FAN_H

#include "store/db.h"
#include "store/key.h"
#include "store/runs.h"

/* Finds each run's first number >= from: a seek or two for each. Its runs are of names; end with
 * runs_release. */
void fan_open(struct db_cursor *cursor, const struct key *prefix, uint64_t from, struct runs *out);
/* Past the lowest number. */
void fan_next(struct db_cursor *cursor, const struct key *prefix, struct runs *runs);

#endif
