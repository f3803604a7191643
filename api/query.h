/* The filters of a consent query, whether they came as parameters of a URL or as members of a JSON
 * body: one table of names, one meaning. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_QUERY_H
#define API_QUERY_H

#include "base/digest.h"
#include "store/read.h"

struct api_query {
    struct store_filter filter; /* who may see is left to the caller */
    uint32_t limit;
    struct span cursor; /* absent: from the beginning */
    uint32_t seen;      /* which names were set already: the table's own */
};

/* An empty query: everything, in pages of the default size. */
void api_query_init(struct api_query *query);

/* Sets the filter `name` to text, which must live as long as the query. STATUS_NOT_FOUND when there
 * is no such name; STATUS_INVALID_PARAMETER when it was given before (only status may be repeated)
 * or its text is not valid. *why then gets a static sentence that goes on after the name. */
MUST_CHECK enum status api_query_set(struct api_query *query, struct span name, struct span text,
                                     const char **why);
/* True when `name` may be given several times, each time another value. */
bool api_query_repeats(struct span name);

/* Whether text may be given as a filter that holds for any text stored: 1 to size_max bytes of
 * UTF-8 without NUL. */
bool api_query_text_valid(struct span text, size_t size_max);
/* A number from 1 to LIMIT_PAGE in plain decimal. */
MUST_CHECK enum status api_query_limit(struct span text, uint32_t *out);

/* Collision-resistant identity of the filters, whatever form they came in; the page size and the
 * cursor are no part of it. */
struct digest api_query_digest(const struct api_query *query);

#endif
