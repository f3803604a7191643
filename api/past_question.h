/* What an auditor asks about a time that is over (docs/past.md): the parameters, and the question
 * that a data API would have asked then. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PAST_QUESTION_H
#define API_PAST_QUESTION_H

#include "api/access_question.h"
#include "api/param.h"

struct api_past_query {
    struct api_moment time;
    struct span tenant, client, account, purpose, granularity, license, onward, territory;
    bool has_consent;
    struct uuid consent;
    struct api_texts roles, permissions, resources;
    int64_t from, to;
};
struct api_params api_past_query_begin(struct api_past_query *query);
/* What is missing, or one too many, or of the wrong form: a static sentence, or NULL. */
const char *api_past_query_wrong(const struct api_params *params,
                                 const struct api_past_query *query);

/* Whose consents are asked about, and which account at its provider; an account is absent where a
 * consent is asked about. */
struct api_past_subject {
    struct span tenant, account;
    int64_t recorded; /* of a grant that was found by when a person said yes: when it was recorded;
                         INT64_MIN otherwise */
};
/* The question as api/access_question.h makes it of an AuthZEN request that says the same. */
void api_past_question(struct api_access_asker *asker, const struct api_past_query *query,
                       const struct api_past_subject *subject, struct api_access_ask *out);

#endif
