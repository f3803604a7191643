/* Writing responses. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/http_out.h"

#include "base/log.h"

void api_header_set(struct api_call *call, const char *name, struct span value) {
    struct api_response *response = &call->response;
    for (uint32_t i = 0; i < response->header_count; i++) {
        if (span_is(response->headers[i].name, name)) {
            response->headers[i].value = value;
            return;
        }
    }
    ASSERT(response->header_count < API_RESPONSE_HEADERS_MAX);
    response->headers[response->header_count++] = (struct api_header){span_of_text(name), value};
}

enum api_outcome api_respond(struct api_call *call, int status, const char *content_type) {
    call->response.status = status;
    if (content_type != NULL)
        api_header_set(call, "content-type", span_of_text(content_type));
    return API_DONE;
}

struct span api_etag_set(struct api_call *call, const struct store_consent *consent) {
    struct span tag = consent->status != consent->recorded
                          ? arena_format(call->arena, "\"%u-%s\"", consent->version,
                                         lifecycle_state_name(consent->status))
                          : arena_format(call->arena, "\"%u\"", consent->version);
    api_header_set(call, "etag", tag);
    return tag;
}
