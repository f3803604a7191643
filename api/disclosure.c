/* Disclosures over HTTP: recording that data went, POST /v1/disclosures, which is judged and logged
 * durably before the answer; and what was recorded, GET /v1/disclosures, for auditors.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "api/disclosure_read.h"
#include "api/disclosure_view.h"
#include "api/entry_list.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/log_proof.h"
#include "api/params_in.h"

static enum api_outcome give_up(struct api_call *call, struct store_change *change,
                                struct api_json *in, enum status status) {
    api_json_end(in);
    store_change_free(change);
    return api_problem(call, status, NULL);
}

enum api_outcome api_disclosure_create(struct api_call *call) {
    const struct store *store = call->loop->service->store;
    struct store_reader *reader = call->loop->reader;
    int64_t now = store_time_ms(store);
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_DISCLOSE, true);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    enum status status = api_disclosure_pack(in.root, now, reader, change);
    if (status != STATUS_OK)
        return give_up(call, change, &in, status);
    api_disclosure_read(&in, store, now, change);
    if (!api_json_failed(&in))
        status = api_disclosure_address(reader, change);
    return status == STATUS_OK ? api_change_finish(call, change, &in)
                               : give_up(call, change, &in, status);
}

/* The answer is what the log says, the first time as when it is replayed. */
static enum status render(struct api_call *call, uint64_t log_index) {
    struct store_reader *reader = call->loop->reader;
    struct store_event event;
    struct json_out out = json_out_to(&call->response.body);
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    status = store_event_get(reader, log_index, &event);
    if (status == STATUS_OK && event.payload.size == 0)
        status = STATUS_ERASED;
    if (status == STATUS_OK)
        status = api_disclosure_write(reader, &event, &out);
    store_read_end(reader);
    return status;
}

enum api_outcome api_disclosure_create_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = render(call, change->done.log_index);
    if (status == STATUS_OK)
        api_change_replayed(call, change);
    if (status == STATUS_OK)
        status = api_log_proof_add(call, change->done.log_index);
    store_change_free(change);
    if (status != STATUS_OK) {
        api_response_reset(call);
        return api_problem(call, status, NULL);
    }
    api_header_set(call, "cache-control", SPAN("no-store"));
    return api_respond(call, 201, "application/json");
}

enum api_outcome api_disclosures_list(struct api_call *call) {
    struct api_event_query query;
    struct api_params params = api_disclosure_query_begin(&query);
    if (!api_params_from_url(call, &params))
        return API_DONE;
    return api_entries_list(call, &query, api_param_was_set(&params, SPAN("limit")),
                            api_disclosure_write);
}
