/* Whose account an auditor asks about. It may be named as its provider names it, or by the pairwise
 * id that a client knows and that provenance records carry. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PAST_SUBJECT_H
#define API_PAST_SUBJECT_H

#include "api/past_question.h"
#include "api/viewer.h"

/* Views until store_read_end, or in the call's arena. STATUS_NOT_FOUND for a consent that the
 * caller may not see, as for one that does not exist; STATUS_INVALID_PARAMETER with *why, static,
 * when it is not clear whose account is meant. Inside a store_read. */
MUST_CHECK enum status api_past_subject_find(struct api_call *call,
                                             const struct api_past_query *query,
                                             struct api_past_subject *out, const char **why);

#endif
