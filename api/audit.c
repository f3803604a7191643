/* The log for auditors: GET /v1/audit/events. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"
#include "api/entry_list.h"
#include "api/handlers.h"
#include "api/params_in.h"

enum api_outcome api_audit_events(struct api_call *call) {
    struct api_event_query query;
    struct api_params params = api_event_query_begin(&query);
    if (!api_params_from_url(call, &params)) {
        return API_DONE;
    }
    return api_entries_list(call, &query, api_param_was_set(&params, SPAN("limit")),
                            api_entry_write_audit);
}
