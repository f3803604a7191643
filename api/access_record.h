/* A question as the log keeps it, and read again from there. What is about persons is kept by
 * keyed digests; what rules look at, and the names that rules alone judge, in the personal part.
 * Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_RECORD_H
#define API_ACCESS_RECORD_H

#include "store/inquiry.h"

/* Fills request_json and personal_json, in arena. */
void api_access_record_write(const struct policy_pack *pack, struct arena *arena,
                             struct store_inquiry *inquiry);
/* The question of an entry that was written so, under the same pack; personal may be absent (it was
 * erased): then what it held is absent. STATUS_INTERNAL when the entry has no such form. */
MUST_CHECK enum status api_access_record_read(const struct policy_pack *pack, struct arena *arena,
                                              struct span payload, struct span personal,
                                              struct store_question *out);

#endif
