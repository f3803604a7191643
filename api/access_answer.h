/* Decisions as AuthZEN answers them: `decision`, and a context that says as much as was asked for.
 * Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_ANSWER_H
#define API_ACCESS_ANSWER_H

#include "api/api.h"
#include "base/json_out.h"
#include "store/inquiry.h"

/* Where a request for access may be sent. */
#define API_ACCESS_REQUESTS "/access/v1/requests"

struct api_access_answer {
    const struct store *store;
    const struct policy_pack *pack;
    const struct store_question *question;
    const struct store_ruling *ruling;
    const char *decision_id; /* recorded: its id, else NULL */
    uint64_t log_index;
    bool single;  /* not an item of a batch: those say nothing unless asked */
    bool explain; /* all reasons, the clauses, what would have to change */
    bool record;  /* recording was asked for */
    struct span public_url;
    int64_t now;
};
/* One object. Inside a store_read when the ruling has a consent. */
void api_access_answer_write(const struct api_access_answer *answer, struct json_out *out);

/* Its parts, for others who tell of decisions: `reasons`, each with its clause and what would have
 * to change; and, of a permit, what is open where the question did not state it. */
void api_access_answer_reasons(const struct policy_pack *pack, const struct store_ruling *ruling,
                               struct json_out *out);
void api_access_answer_open(const struct policy_pack *pack, const struct policy_request *ask,
                            const struct store_ruling *ruling, struct json_out *out);

#endif
