/* What a caller says it has disclosed, as a question to the policy and as members of the log.
 * Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_DISCLOSURE_READ_H
#define API_DISCLOSURE_READ_H

#include "api/json_in.h"
#include "store/inquiry.h"

/* Finds the rules in force at the body's `at`: change->past_pack, where it is not change->pack.
 * Does nothing when `at` is no time of the past. Inside no store_read. */
MUST_CHECK enum status api_disclosure_pack(const json_t *body, int64_t now,
                                           struct store_reader *reader,
                                           struct store_change *change);
/* Reads in->root into change->disclosure and the change's one inquiry, both in its arena, and
 * records what is wrong in `in`. Only what has no meaning is wrong; what was not allowed is read
 * and judged. `now` is service time. The question is whole but for what api_disclosure_address
 * adds. */
void api_disclosure_read(struct api_json *in, const struct store *store, int64_t now,
                         struct store_change *change);
/* By the consent that was named, when the caller may: whose client it is that got the data, whose
 * keys its resources have; and whether the recipient is another. Inside no store_read. */
MUST_CHECK enum status api_disclosure_address(struct store_reader *reader,
                                              struct store_change *change);

#endif
