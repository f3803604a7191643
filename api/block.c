/* A tenant's stop-list: PUT, GET and DELETE /v1/blocks. A block denies every decision about a
 * client from the commit on; it is set in place of the one that stands, and setting it again just
 * so changes nothing.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/addressed.h"
#include "api/change.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/reading.h"
#include "store/inquiry.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ---- set */

static void read_block(struct api_json *in, int64_t now, struct store_block *out) {
    static const char *const known[] = {"client", "reason", "until", NULL};
    if (!api_json_object(in, in->root, known))
        return;
    out->client = api_json_url(in, in->root, "client", true);
    out->reason = api_addressed_code(in, "reason");
    out->until = api_json_time(in, in->root, "until", INT64_MAX);
    if (out->until <= now)
        api_json_fail(in, "until", "must lie in the future");
}

enum api_outcome api_block_set(struct api_call *call) {
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_BLOCK, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    change->block = arena_array(&change->arena, 1, sizeof *change->block);
    read_block(&in, store_time_ms(call->loop->service->store), change->block);
    return api_change_finish(call, change, &in);
}

static void write_block(struct json_out *out, const struct store_block_view *block) {
    json_out_object_begin(out);
    json_out_member(out, "client", block->client);
    json_out_member(out, "reason", block->reason);
    if (block->until != INT64_MAX)
        json_out_member_time(out, "until", block->until);
    json_out_member_time(out, "since", block->since);
    json_out_member_int(out, "logIndex", (int64_t)block->log_index);
    json_out_object_end(out);
}

/* When the entry was written. */
static enum status time_of(struct api_call *call, uint64_t log_index, int64_t *at) {
    struct store_event event;
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return status;
    status = store_event_get(call->loop->reader, log_index, &event);
    if (status == STATUS_OK)
        *at = event.at;
    store_read_end(call->loop->reader);
    return status;
}

enum api_outcome api_block_set_reply(struct api_call *call, struct store_change *change) {
    int64_t since;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = time_of(call, change->done.log_index, &since);
    if (status == STATUS_OK) {
        const struct store_block_view block = {change->block->client, change->block->reason,
                                               change->block->until, since, change->done.log_index};
        struct json_out out = json_out_to(&call->response.body);
        write_block(&out, &block);
    }
    store_change_free(change);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}

/* ---- lifted */

struct lifting {
    struct span client;
};
static const struct api_param LIFT_PARAMS[] = {
    {"client", API_PARAM_NAME, offsetof(struct lifting, client), LIMIT_URL},
};

enum api_outcome api_block_lift(struct api_call *call) {
    struct lifting lifting = {SPAN_NONE};
    struct api_params params = {LIFT_PARAMS, COUNT(LIFT_PARAMS), &lifting, 0, NULL};
    struct store_change *change = api_change_with(call, STORE_UNBLOCK, &params);
    if (change == NULL)
        return API_DONE;
    if (!span_present(lifting.client)) {
        store_change_free(change);
        return api_problem(call, STATUS_INVALID_PARAMETER, "client is required");
    }
    change->block = arena_array(&change->arena, 1, sizeof *change->block);
    change->block->client = arena_copy(&change->arena, lifting.client);
    return api_change_submit(call, change);
}

enum api_outcome api_block_lift_reply(struct api_call *call, struct store_change *change) {
    int64_t at;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = time_of(call, change->done.log_index, &at);
    if (status == STATUS_OK) {
        struct json_out out = json_out_to(&call->response.body);
        json_out_object_begin(&out);
        json_out_member(&out, "client", change->block->client);
        json_out_member_time(&out, "liftedAt", at);
        json_out_member_int(&out, "logIndex", (int64_t)change->done.log_index);
        json_out_object_end(&out);
    }
    store_change_free(change);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}

/* ---- listed */

struct listing {
    struct store_block_query query;
    struct span cursor;
    struct digest of; /* whose list it is: cursors are bound to it */
};
static const struct api_param LIST_PARAMS[] = {
    {"limit", API_PARAM_LIMIT, offsetof(struct listing, query.limit), 0},
    {"cursor", API_PARAM_TEXT, offsetof(struct listing, cursor), API_CURSOR_SIZE},
};

static void write_page(struct api_call *call, const struct listing *listing,
                       const struct store_block_page *page) {
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page->count; i++)
        write_block(&out, &page->items[i]);
    json_out_array_end(&out);
    api_reading_list_end(call, &listing->of, page->more, page->next, &out);
}

static enum status list(struct api_call *call, const struct listing *listing) {
    struct store_reader *reader = call->loop->reader;
    struct store_block_page page;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    status = store_blocks(reader, &listing->query, call->arena, &page);
    if (status == STATUS_OK)
        write_page(call, listing, &page);
    store_read_end(reader);
    return status;
}

enum api_outcome api_blocks_list(struct api_call *call) {
    struct listing listing = {.query = {call->viewer->tenant, 0, LIMIT_PAGE_DEFAULT}};
    struct api_params params = {LIST_PARAMS, COUNT(LIST_PARAMS), &listing, 0, NULL};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    const struct span of[] = {SPAN("blocks"), call->viewer->tenant};
    listing.of = digest_sha256_parts(of, COUNT(of));
    if (span_present(listing.cursor) &&
        api_cursor_open(call->loop->service->store, &listing.of, listing.cursor,
                        &listing.query.from) != STATUS_OK)
        return api_problem(call, STATUS_INVALID_PARAMETER, "cursor does not continue this list");
    enum status status = list(call, &listing);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
