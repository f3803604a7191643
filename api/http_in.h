/* Reading the parts of a request that are not JSON: headers, query strings, tags. Private to api/.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_HTTP_IN_H
#define API_HTTP_IN_H

#include "api/api.h"

/* The first header of this (lower-case) name; absent span when there is none. */
struct span api_header_get(const struct api_call *call, const char *name);
/* Takes the next parameter off *query ("a=b&c=d", '+' is a space), percent-decoded into the arena.
 * False at the end. STATUS_INVALID_PARAMETER in *status for a malformed one. */
bool api_query_next(struct arena *arena, struct span *query, struct span *name, struct span *value,
                    enum status *status);
/* Whether Accept allows one of the comma-separated media types (RFC 9110 section 12.5.1; an absent
 * or empty header allows all). */
bool api_accepts(struct span accept, const char *media_types);
/* Like api_accepts, but only when Accept names the type itself, without a wildcard. */
bool api_accepts_exactly(struct span accept, const char *media_type);
/* Whether a Content-Type is this one, parameters aside. */
bool api_media_type_is(struct span content_type, const char *media_type);
/* Idempotency-Key: bare or in quotes, 1 to 128 visible ASCII characters; the key without quotes.
 * STATUS_MISSING_IDEMPOTENCY_KEY or STATUS_INVALID_PARAMETER. */
MUST_CHECK enum status api_idempotency_key(const struct api_call *call, struct span *out);
/* If-Match into the change: up to STORE_MATCH_MAX tags of the form "3" or "3-expired", or *. A tag
 * that is none of ours matches nothing. STATUS_INVALID_PARAMETER for a header that is no list of
 * entity tags. */
MUST_CHECK enum status api_if_match(const struct api_call *call, struct store_change *change);

#endif
