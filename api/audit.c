/* The log for auditors: GET /v1/audit/events, as JSON pages or as a stream of lines.
 *
 * Runs on a loop; one snapshot per page or chunk (invariant 5); an auditor sees the entries about
 * the tenants its token names and no others (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"
#include "api/entry_stream.h"
#include "api/handlers.h"
#include "api/http_in.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/query.h"
#include "api/reading.h"
#include "api/sight.h"

#define LINES "application/x-ndjson"

static enum status write_page(struct api_call *call, const struct api_event_query *query) {
    struct store_event_page page;
    enum status status = store_event_query(call->loop->reader, &query->filter, query->from,
                                           query->limit, call->arena, &page);
    if (status != STATUS_OK) {
        return status;
    }
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page.count; i++) {
        api_entry_write_audit(&page.items[i], &out);
    }
    json_out_array_end(&out);
    api_reading_entries_end(call, &page, &out);
    return STATUS_OK;
}

static enum api_outcome answer_page(struct api_call *call, const struct api_event_query *query) {
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = write_page(call, query);
        store_read_end(call->loop->reader);
    }
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}

static enum api_outcome answer_lines(struct api_call *call, const struct api_event_query *query,
                                     bool limited) {
    uint64_t most = limited ? query->limit : UINT64_MAX;
    if (!span_is(call->method, "HEAD")) {
        call->response.stream = api_entry_stream_new(call->loop, query, most);
    }
    api_header_set(call, "cache-control", SPAN("private, no-cache"));
    return api_respond(call, 200, LINES);
}

enum api_outcome api_audit_events(struct api_call *call) {
    struct api_event_query query;
    struct api_params params = api_event_query_begin(&query);
    if (!api_params_from_url(call, &params)) {
        return API_DONE;
    }
    struct api_sight sight = api_sight_audit(call);
    query.filter.everyone = sight.everyone;
    query.filter.tenants = sight.tenants;
    query.filter.tenant_count = sight.tenant_count;
    api_header_set(call, "vary", SPAN("Accept"));
    if (api_accepts_exactly(api_header_get(call, "accept"), LINES)) {
        return answer_lines(call, &query, api_param_was_set(&params, SPAN("limit")));
    }
    return answer_page(call, &query);
}
