/* Answers to queries of the log, for auditors.
 *
 * Runs on a loop; one snapshot per page or chunk (invariant 5); an auditor sees the entries about
 * the tenants its token names and no others (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry_list.h"

#include "api/http_in.h"
#include "api/http_out.h"
#include "api/problem.h"
#include "api/reading.h"
#include "api/sight.h"

#define LINES "application/x-ndjson"

static enum status write_page(struct api_call *call, const struct api_event_query *query,
                              api_entry_writer *write) {
    struct store_reader *reader = call->loop->reader;
    struct store_event_page page;
    enum status status =
        store_event_query(reader, &query->filter, query->from, query->limit, call->arena, &page);
    struct json_out out = json_out_to(&call->response.body);
    if (status != STATUS_OK) {
        return status;
    }
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page.count && status == STATUS_OK; i++) {
        status = write(reader, &page.items[i], &out);
    }
    json_out_array_end(&out);
    api_reading_entries_end(call, &page, &out);
    return status;
}

static enum api_outcome answer_page(struct api_call *call, const struct api_event_query *query,
                                    api_entry_writer *write) {
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = write_page(call, query, write);
        store_read_end(call->loop->reader);
    }
    if (status == STATUS_OK) {
        return api_reading_json(call);
    }
    api_response_reset(call);
    return api_problem(call, status, NULL);
}

static enum api_outcome answer_lines(struct api_call *call, const struct api_event_query *query,
                                     bool limited, api_entry_writer *write) {
    uint64_t most = limited ? query->limit : UINT64_MAX;
    if (!span_is(call->method, "HEAD")) {
        call->response.stream = api_entry_stream_new(call->loop, query, most, write);
    }
    api_header_set(call, "cache-control", SPAN("private, no-cache"));
    return api_respond(call, 200, LINES);
}

/* Transactions and steps are named by their tenant. */
static bool lacks_tenant(const struct store_event_filter *filter) {
    return (span_present(filter->transaction) || span_present(filter->step)) &&
           !span_present(filter->tenant) && (filter->everyone || filter->tenant_count != 1);
}

enum api_outcome api_entries_list(struct api_call *call, struct api_event_query *query,
                                  bool limited, api_entry_writer *write) {
    struct api_sight sight = api_sight_audit(call);
    query->filter.everyone = sight.everyone;
    query->filter.tenants = sight.tenants;
    query->filter.tenant_count = sight.tenant_count;
    if (lacks_tenant(&query->filter)) {
        return api_problem(call, STATUS_INVALID_PARAMETER,
                           "transaction and stepId need tenant, whose names they are");
    }
    api_header_set(call, "vary", SPAN("Accept"));
    if (api_accepts_exactly(api_header_get(call, "accept"), LINES)) {
        return answer_lines(call, query, limited, write);
    }
    return answer_page(call, query, write);
}
