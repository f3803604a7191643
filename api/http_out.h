/* Writing responses. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_HTTP_OUT_H
#define API_HTTP_OUT_H

#include "api/api.h"
#include "base/json_out.h"

/* name is static and lower case; value from the call's arena or static. */
void api_header_set(struct api_call *call, const char *name, struct span value);
/* Status and content type; the body is written to call->response.body afterwards or before. */
enum api_outcome api_respond(struct api_call *call, int status, const char *content_type);
/* Takes back what was set and written; the body keeps its room. */
void api_response_reset(struct api_call *call);
/* The tag of a consent: "version" or "version-status"; sets the ETag header and returns it. */
struct span api_etag_set(struct api_call *call, const struct store_consent *consent);

#endif
