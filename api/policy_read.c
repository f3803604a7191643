/* The policy in force, as a document, and every policy that ever was, as the exact bytes that were
 * loaded: consents name the one that admitted them by digest.
 *
 * Runs on a loop. A pack that is replaced on reload outlives the store, so what is read here stays
 * valid. */
// SPDX-License-Identifier: Apache-2.0
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/policy_view.h"
#include "api/reading.h"
#include "base/encode.h"

#define FOR_EVER SPAN("private, max-age=31536000, immutable")

static const struct policy_pack *active_pack(const struct api_call *call) {
    return atomic_load(&call->loop->service->pack);
}

/* A pack's digest in quotes: its bytes never change, so the tag is strong. */
static struct span tag_of(struct api_call *call, const struct digest *digest) {
    char hex[2 * DIGEST_SIZE];
    size_t size = encode_hex(digest->bytes, DIGEST_SIZE, hex);
    struct span tag = arena_format(call->arena, "\"%.*s\"", (int)size, hex);
    api_header_set(call, "etag", tag);
    return tag;
}

enum api_outcome api_policy_get(struct api_call *call) {
    const struct policy_pack *pack = active_pack(call);
    if (!api_params_none(call)) {
        return API_DONE;
    }
    if (pack == NULL) {
        return api_problem(call, STATUS_BUSY, "no policy is active yet");
    }
    if (api_reading_none_match(call, tag_of(call, policy_pack_digest(pack)))) {
        return api_reading_not_modified(call);
    }
    struct json_out out = json_out_to(&call->response.body);
    api_policy_view(pack, &out);
    return api_reading_json(call);
}

static enum status read_bytes(struct api_call *call, const struct digest *digest) {
    struct span bytes;
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK) {
        return status;
    }
    status = store_pack_bytes(call->loop->reader, digest, &bytes);
    if (status == STATUS_OK) {
        buffer_append_span(&call->response.body, bytes);
    }
    store_read_end(call->loop->reader);
    return status;
}

enum api_outcome api_policy_by_digest(struct api_call *call) {
    struct digest asked;
    if (!api_params_none(call)) {
        return API_DONE;
    }
    enum status status = decode_hex(call->path_id, asked.bytes, DIGEST_SIZE) == STATUS_OK
                             ? read_bytes(call, &asked)
                             : STATUS_NOT_FOUND;
    if (status != STATUS_OK) {
        return api_problem(call, status, NULL);
    }
    api_header_set(call, "cache-control", FOR_EVER);
    return api_reading_none_match(call, tag_of(call, &asked))
               ? api_reading_not_modified(call)
               : api_respond(call, 200, "application/json");
}
