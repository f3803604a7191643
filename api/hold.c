/* Legal holds: POST, GET and DELETE /v1/holds. What is held is not erased, whoever asks, until the
 * hold is lifted.
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
#include "store/erasure.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void write_hold(struct json_out *out, const struct store_hold_view *hold) {
    json_out_object_begin(out);
    if (uuid_is_nil(&hold->consent)) {
        json_out_member(out, "provider", hold->provider);
        json_out_key(out, "accountRef");
        json_out_base64url(out, hold->account.bytes, sizeof hold->account.bytes);
    } else {
        json_out_member_uuid(out, "consentId", &hold->consent);
    }
    json_out_member(out, "reason", hold->reason);
    json_out_member_time(out, "since", hold->since);
    json_out_member_int(out, "logIndex", (int64_t)hold->log_index);
    json_out_object_end(out);
}

/* ---- set */

enum status api_hold_read(const struct api_call *call, struct api_json *in,
                          struct store_change *change) {
    static const char *const known[] = {"tenant",    "provider", "account",
                                        "consentId", "reason",   NULL};
    struct api_addressed whose;
    if (!api_json_object(in, in->root, known))
        return STATUS_OK;
    api_addressed_read(call, in, &whose);
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){
        .role = whose.acting.role,
        .by_account = whose.by_account,
        .provider = arena_copy(&change->arena, whose.provider),
        .account = whose.account,
        .reason = api_addressed_code(in, "reason"),
    };
    change->id = whose.consent;
    change->tenant = arena_copy(&change->arena, whose.acting.tenant);
    return whose.status == STATUS_INSUFFICIENT_SCOPE ? whose.status : STATUS_OK;
}

enum api_outcome api_hold_set(struct api_call *call) {
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_HOLD, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    enum status status = api_hold_read(call, &in, change);
    if (status == STATUS_OK || api_json_failed(&in))
        return api_change_finish(call, change, &in);
    api_json_end(&in);
    store_change_free(change);
    return api_acting_refuse(call, status);
}

/* 201, or 200 for one that stood already. */
enum api_outcome api_hold_set_reply(struct api_call *call, struct store_change *change) {
    struct store_reader *reader = call->loop->reader;
    struct store_hold_view hold;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = store_read_begin(reader);
    if (status == STATUS_OK) {
        struct json_out out = json_out_to(&call->response.body);
        status = store_hold_get(reader, change->tenant, change->done.log_index, &hold);
        if (status == STATUS_OK)
            write_hold(&out, &hold);
        store_read_end(reader);
    }
    bool stood = change->replayed;
    store_change_free(change);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    api_header_set(call, "cache-control", SPAN("no-store"));
    return api_respond(call, stood ? 200 : 201, "application/json");
}

/* ---- lifted */

struct lifting {
    struct span tenant;
    uint64_t log_index;
};
static const struct api_param LIFT_PARAMS[] = {
    {"tenant", API_PARAM_NAME, offsetof(struct lifting, tenant), LIMIT_URL},
    {"logIndex", API_PARAM_NUMBER, offsetof(struct lifting, log_index), 0},
};

enum api_outcome api_hold_lift(struct api_call *call) {
    struct lifting lifting = {.tenant = SPAN_NONE};
    struct api_acting acting;
    struct api_params params = {LIFT_PARAMS, COUNT(LIFT_PARAMS), &lifting, 0, NULL};
    struct store_change *change = api_change_with(call, STORE_RELEASE, &params);
    if (change == NULL)
        return API_DONE;
    enum status status = api_acting_for(call->viewer, lifting.tenant, &acting);
    if (status != STATUS_OK || !api_param_was_set(&params, SPAN("logIndex"))) {
        store_change_free(change);
        return status != STATUS_OK
                   ? api_acting_refuse(call, status)
                   : api_problem(call, STATUS_INVALID_PARAMETER, "logIndex is required");
    }
    change->tenant = arena_copy(&change->arena, acting.tenant);
    change->hold = arena_array(&change->arena, 1, sizeof *change->hold);
    *change->hold = (struct store_hold){.role = acting.role, .log_index = lifting.log_index};
    return api_change_submit(call, change);
}

enum api_outcome api_hold_lift_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member_int(&out, "setIndex", (int64_t)change->hold->log_index);
    json_out_member_int(&out, "logIndex", (int64_t)change->done.log_index);
    json_out_object_end(&out);
    store_change_free(change);
    return api_reading_json(call);
}

/* ---- listed */

struct listing {
    struct store_hold_query query;
    struct span tenant, cursor;
    struct digest of; /* whose list it is: cursors are bound to it */
};
static const struct api_param LIST_PARAMS[] = {
    {"tenant", API_PARAM_NAME, offsetof(struct listing, tenant), LIMIT_URL},
    {"limit", API_PARAM_LIMIT, offsetof(struct listing, query.limit), 0},
    {"cursor", API_PARAM_TEXT, offsetof(struct listing, cursor), API_CURSOR_SIZE},
};

static void write_page(struct api_call *call, const struct listing *listing,
                       const struct store_hold_page *page) {
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page->count; i++)
        write_hold(&out, &page->items[i]);
    json_out_array_end(&out);
    api_reading_list_end(call, &listing->of, page->more, page->next, &out);
}

static enum status list(struct api_call *call, const struct listing *listing) {
    struct store_reader *reader = call->loop->reader;
    struct store_hold_page page;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    status = store_holds(reader, &listing->query, call->arena, &page);
    if (status == STATUS_OK)
        write_page(call, listing, &page);
    store_read_end(reader);
    return status;
}

enum api_outcome api_holds_list(struct api_call *call) {
    struct api_acting acting;
    struct listing listing = {.query = {.limit = LIMIT_PAGE_DEFAULT}};
    struct api_params params = {LIST_PARAMS, COUNT(LIST_PARAMS), &listing, 0, NULL};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    enum status status = api_acting_for(call->viewer, listing.tenant, &acting);
    if (status != STATUS_OK)
        return api_acting_refuse(call, status);
    const struct span of[] = {SPAN("holds"), acting.tenant};
    listing.query.tenant = acting.tenant;
    listing.of = digest_sha256_parts(of, COUNT(of));
    if (span_present(listing.cursor) &&
        api_cursor_open(call->loop->service->store, &listing.of, listing.cursor,
                        &listing.query.from) != STATUS_OK)
        return api_problem(call, STATUS_INVALID_PARAMETER, "cursor does not continue this list");
    status = list(call, &listing);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
