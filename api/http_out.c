/* Writing responses. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/http_out.h"

#include "base/encode.h"
#include "base/log.h"

void api_header_set(struct api_call *call, const char *name, struct span value) {
    struct api_response *response = &call->response;
    struct span wanted = span_of_text(name);
    for (uint32_t i = 0; i < response->header_count; i++) {
        if (span_equal(response->headers[i].name, wanted)) {
            response->headers[i].value = value;
            return;
        }
    }
    ASSERT(response->header_count < API_RESPONSE_HEADERS_MAX);
    response->headers[response->header_count++] = (struct api_header){wanted, value};
}

enum api_outcome api_respond(struct api_call *call, int status, const char *content_type) {
    call->response.status = status;
    if (content_type != NULL)
        api_header_set(call, "content-type", span_of_text(content_type));
    return API_DONE;
}

void api_response_reset(struct api_call *call) {
    buffer_clear(&call->response.body);
    call->response = (struct api_response){.body = call->response.body};
}

/* The usual form without printf, which would be a tenth of a read's rendering. */
static struct span plain_tag(struct arena *arena, uint32_t version) {
    char *tag = arena_alloc(arena, ENCODE_DECIMAL_SIZE + 2);
    size_t size = 1 + encode_decimal(version, tag + 1);
    tag[0] = tag[size] = '"';
    return span_of(tag, size + 1);
}

struct span api_etag_set(struct api_call *call, const struct store_consent *consent) {
    struct span tag = consent->status == consent->recorded
                          ? plain_tag(call->arena, consent->version)
                          : arena_format(call->arena, "\"%u-%s\"", consent->version,
                                         lifecycle_state_name(consent->status));
    api_header_set(call, "etag", tag);
    return tag;
}
