/* What the answers of reading operations share: conditional requests, caching, pages of entries.
 * Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_READING_H
#define API_READING_H

#include "api/api.h"
#include "base/json_out.h"

/* 200 with the JSON in the body. What it shows belongs to the caller alone: caches that are shared
 * must not keep it, the caller's own must ask before using it again. */
enum api_outcome api_reading_json(struct api_call *call);
/* 304 without a body; the headers set so far stay. */
enum api_outcome api_reading_not_modified(struct api_call *call);
/* Whether If-None-Match names this tag, which comes with its quotes (RFC 9110 section 13.1.2:
 * comparison is weak). */
bool api_reading_none_match(const struct api_call *call, struct span tag);

/* Ends the object of a page of entries: its `next` and the Link header, if there is more. */
void api_reading_entries_end(struct api_call *call, const struct store_event_page *page,
                             struct json_out *out);
/* Ends the object of a page of a list whose cursors are bound to `of`: its `next`, a cursor, and
 * the Link header, if there is more. */
void api_reading_list_end(struct api_call *call, const struct digest *of, bool more, uint64_t next,
                          struct json_out *out);

#endif
