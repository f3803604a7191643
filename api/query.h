/* What may be asked of consents and of the log: the two tables of parameters. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/param.h"
#include "base/digest.h"
#include "store/event.h"

/* A query of consents. Who may see is left to the caller. */
struct api_consent_query {
    struct store_filter filter;
    struct span cursor; /* absent: from the beginning */
    uint32_t limit;
};
/* Makes *query match everything and returns what sets its members; query is borrowed by it. */
struct api_params api_consent_query_begin(struct api_consent_query *query);
/* Collision-resistant identity of the filters, whatever form they came in; page size and cursor
 * are no part of it. */
struct digest api_consent_query_digest(const struct api_consent_query *query);

/* A query of the log, of its disclosures, or, with two parameters alone, of one consent's history.
 */
struct api_event_query {
    struct store_event_filter filter;
    uint64_t from; /* the first index to look at */
    uint32_t limit;
};
struct api_params api_event_query_begin(struct api_event_query *query);
struct api_params api_disclosure_query_begin(struct api_event_query *query);
struct api_params api_history_query_begin(struct api_event_query *query);

#endif
