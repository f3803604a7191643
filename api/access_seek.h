/* What a search finds: candidates, by index and in a fixed order, each asked of the policy as an
 * evaluation would ask; those that are permitted are results, once each. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_SEEK_H
#define API_ACCESS_SEEK_H

#include "api/access_question.h"
#include "api/api.h"
#include "base/json_out.h"

struct api_seeking {
    const struct api_call *call;
    const struct policy_pack *pack;
    enum api_access_kind kind;
    const struct store_question *asked; /* lacks what is looked for */
    uint64_t from;                      /* position; 0 at first */
    uint32_t limit;                     /* results of the page */
    struct json_out *out;               /* entities, as elements of an array */
    /* found */
    uint32_t count, judged;
    bool more; /* go on from next */
    uint64_t next;
};
/* One page: at most LIMIT_EVALUATIONS questions and LIMIT_WALK index rows, so that it may come
 * short, even empty, and have more. Inside a store_read. */
MUST_CHECK enum status api_access_seek(struct api_seeking *seeking);

#endif
