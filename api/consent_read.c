/* Reading one consent, and its history. Who stands in no relation to a consent gets the answer of
 * an id that does not exist, byte for byte but the request's id (invariant 9).
 *
 * Runs on a loop; one snapshot per call (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/moment.h"
#include "api/params_in.h"
#include "api/query.h"
#include "api/reading.h"
#include "api/recipient.h"
#include "api/render.h"
#include "api/sight.h"

/* The header tells in a moment that somebody is none: what others see of a stranger's consent must
 * not take longer than what they see of none. */
static bool is_recipient(const struct api_call *call, const struct store_consent *consent) {
    struct store_terms terms;
    struct store_reader *reader = call->loop->reader;
    if (!store_consent_has_onward(reader, consent, call->viewer->client_id) &&
        !store_consent_has_onward(reader, consent, call->viewer->tenant))
        return false;
    return store_consent_terms(call->loop->reader, consent, &terms) == STATUS_OK &&
           span_present(api_recipient_named(call->viewer, &terms));
}

/* The consent that the path names, if the caller may see it; `itself`, and not its history, may be
 * seen by onward recipients too. */
static enum status find_seen(const struct api_call *call, bool itself,
                             struct store_consent *consent, enum api_relation *relation) {
    struct uuid id;
    if (uuid_from_text(call->path_id, &id) != STATUS_OK) {
        return STATUS_NOT_FOUND;
    }
    enum status status = store_consent_by_id(call->loop->reader, &id, consent);
    if (status != STATUS_OK) {
        return status;
    }
    *relation = api_sight_of(call, consent);
    if (*relation == API_RELATION_NONE && itself && is_recipient(call, consent)) {
        *relation = API_RELATION_RECIPIENT;
    }
    return *relation == API_RELATION_NONE ? STATUS_NOT_FOUND : STATUS_OK;
}

/* Which state of it is asked for: that of now, unless a time is given. */
struct reading {
    struct api_moment at;
    bool past;
};
static const struct api_param READING_PARAMS[] = {
    {"at", API_PARAM_MOMENT, offsetof(struct reading, at), 0},
};

static enum status rewind_to(const struct api_call *call, const struct reading *reading,
                             struct store_consent *consent) {
    struct store_moment moment;
    if (!reading->past) {
        return STATUS_OK;
    }
    enum status status = store_moment_at(call->loop->reader, reading->at.last, &moment);
    return status == STATUS_OK ? store_consent_at(call->loop->reader, &moment, consent) : status;
}

static enum status get(struct api_call *call, const struct reading *reading, bool *unchanged) {
    struct store_consent consent;
    enum api_relation relation;
    enum status status = find_seen(call, true, &consent, &relation);
    if (status == STATUS_OK) {
        status = rewind_to(call, reading, &consent);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct json_out out = json_out_to(&call->response.body);
    status = api_render_consent(call, relation, &consent, &out);
    if (status == STATUS_OK) {
        *unchanged = api_reading_none_match(call, api_etag_set(call, &consent));
    }
    return status;
}

enum api_outcome api_consent_get(struct api_call *call) {
    bool unchanged = false;
    struct reading reading = {.past = false};
    struct api_params params = {READING_PARAMS, 1, &reading, 0, NULL};
    if (!api_params_from_url(call, &params)) {
        return API_DONE;
    }
    reading.past = api_param_was_set(&params, SPAN("at"));
    if (reading.past && !api_moment_past(call, "at", &reading.at)) {
        return API_DONE;
    }
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = get(call, &reading, &unchanged);
        store_read_end(call->loop->reader);
    }
    if (status != STATUS_OK) {
        return api_problem(call, status, NULL);
    }
    return unchanged ? api_reading_not_modified(call) : api_reading_json(call);
}

static enum status events(struct api_call *call, struct api_event_query *query) {
    struct store_consent consent;
    struct store_event_page page;
    enum api_relation relation;
    enum status status = find_seen(call, false, &consent, &relation);
    if (status != STATUS_OK) {
        return status;
    }
    query->filter.everyone = true; /* of this consent, which the caller may see */
    query->filter.has_consent = true;
    query->filter.history = true;
    query->filter.consent = consent.id;
    status = store_event_query(call->loop->reader, &query->filter, query->from, query->limit,
                               call->arena, &page);
    if (status != STATUS_OK) {
        return status;
    }
    bool whole = relation != API_RELATION_CLIENT;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page.count; i++) {
        api_entry_write_history(call->loop->reader, &page.items[i], whole, &out);
    }
    json_out_array_end(&out);
    api_reading_entries_end(call, &page, &out);
    return STATUS_OK;
}

enum api_outcome api_consent_events(struct api_call *call) {
    struct api_event_query query;
    struct api_params params = api_history_query_begin(&query);
    if (!api_params_from_url(call, &params)) {
        return API_DONE;
    }
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = events(call, &query);
        store_read_end(call->loop->reader);
    }
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
