/* The log as other people's software reads it (C2SP tlog-tiles): the checkpoint, the tiles of its
 * tree, and bundles of its entries, which are leaves and relate to nobody. What stands in a tile
 * that a tree has never changes (invariant 3).
 *
 * Runs on a loop; one snapshot per call (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/problem.h"
#include "store/cosigned.h"
#include "store/log.h"
#include "tlog/bundle.h"

/* Who needs a token to read must not find it in a cache that asks for none. */
static enum api_outcome answer(struct api_call *call, struct span when_public, struct span when_not,
                               const char *type) {
    bool public = atomic_load(&call->loop->service->settings)->log_public;
    api_header_set(call, "cache-control", public ? when_public : when_not);
    return api_respond(call, 200, type);
}

/* Where witnesses cosign, the newest that a quorum of them has: who asks for a log's checkpoint may
 * need their word, and has no way to say so in the path that the specification knows. */
enum api_outcome api_log_checkpoint(struct api_call *call) {
    static const struct api_param list[] = {{"newest", API_PARAM_FLAG, 0, 0}};
    bool newest = false;
    struct api_params params = {.list = list, .count = 1, .into = &newest};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    struct buffer *body = &call->response.body;
    uint32_t quorum = atomic_load(&call->loop->service->settings)->witness_quorum;
    if (newest || quorum == 0 || !store_cosigned_newest(call->loop->reader, quorum, body))
        buffer_append_span(body, store_log_checkpoint(call->loop->reader));
    store_read_end(call->loop->reader);
    return answer(call, SPAN("no-cache"), SPAN("private, no-cache"), "text/plain; charset=utf-8");
}

static enum status put_bundle(struct store_reader *reader, const struct tlog_tile *tile,
                              struct buffer *out) {
    unsigned char leaves[TLOG_TILE_WIDTH * STORE_LEAF_SIZE];
    enum status status =
        store_log_leaves(reader, tile->index * TLOG_TILE_WIDTH, tile->width, leaves);
    for (uint32_t i = 0; i < tile->width && status == STATUS_OK; i++)
        tlog_bundle_append(out,
                           span_of((const char *)leaves + i * STORE_LEAF_SIZE, STORE_LEAF_SIZE));
    return status;
}

static enum status put_tile(struct store_reader *reader, const struct tlog_tile *tile,
                            struct buffer *out) {
    struct digest hashes[TLOG_TILE_WIDTH];
    struct tlog_reader rows = store_log_rows(reader);
    enum status status =
        rows.read(rows.context, tile->level, tile->index * TLOG_TILE_WIDTH, tile->width, hashes);
    if (status == STATUS_OK)
        buffer_append(out, hashes, tile->width * sizeof *hashes);
    return status;
}

enum api_outcome api_log_tile(struct api_call *call) {
    struct store_reader *reader = call->loop->reader;
    struct tlog_tile tile;
    if (!api_params_none(call))
        return API_DONE;
    if (tlog_tile_parse(call->path_id, &tile) != STATUS_OK)
        return api_problem(call, STATUS_NOT_FOUND, NULL);
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    if (!tlog_tile_in_tree(&tile, store_log_size(reader)))
        status = STATUS_NOT_FOUND;
    else
        status = tile.entries ? put_bundle(reader, &tile, &call->response.body)
                              : put_tile(reader, &tile, &call->response.body);
    store_read_end(reader);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    return answer(call, SPAN("public, max-age=31536000, immutable"),
                  SPAN("private, max-age=31536000, immutable"), "application/octet-stream");
}
