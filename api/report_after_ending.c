/* GET /v1/audit/reports/after-ending: every decision that permitted, and every disclosure of data
 * that went, after the consent it rested on had ended, in the order of the log; and how long after.
 * It is empty where decisions are right and data APIs do as they are told. A page is one bounded
 * walk.
 *
 * Runs on a loop; one snapshot (invariant 5); an auditor sees its tenants (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#include "api/handlers.h"
#include "api/json_value.h"
#include "api/params_in.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/reading.h"
#include "api/sight.h"
#include "base/timestamp.h"

#define AT(member) offsetof(struct api_event_query, member)
static const struct api_param PARAMS[] = {
    {"limit", API_PARAM_LIMIT, AT(limit), 0},
    {"after", API_PARAM_INDEX, AT(from), 0},
    {"tenant", API_PARAM_NAME, AT(filter.tenant), LIMIT_URL},
    {"client", API_PARAM_NAME, AT(filter.client), LIMIT_URL},
    {"consentId", API_PARAM_UUID, AT(filter.consent), AT(filter.has_consent)},
    {"from", API_PARAM_TIME, AT(filter.from), 0},
    {"to", API_PARAM_TIME, AT(filter.to), 0},
};
#undef AT

/* One consent of a page, and the last time that data of it went. */
struct ended {
    struct store_consent consent;
    uint32_t permits, disclosures;
    int64_t last_disclosure; /* INT64_MIN: none on this page */
};
struct report {
    struct store_reader *reader;
    struct json_out *out;
    struct ended *consents;
    uint32_t count;
};

/* What an entry says happened, and when: a disclosure tells when the data went, which is judged up
 * to its own time. */
struct use {
    const struct store_event *event;
    json_t *payload; /* NULL when erased */
    const json_t *body;
    bool disclosed;
    int64_t at;
};

static struct span text_of(const json_t *object, const char *name) {
    return span_of_text(json_string_value(json_object_get(object, name)));
}

static struct use use_of(const struct store_event *event) {
    struct use use = {
        .event = event, .disclosed = event->code != STORE_DECISION_PERMITTED, .at = event->at};
    int64_t at;
    if (event->payload.size != 0)
        use.payload = json_loadb(event->payload.data, event->payload.size, JSON_ALLOW_NUL, NULL);
    use.body = json_object_get(use.payload, "body");
    if (use.disclosed && timestamp_parse(text_of(use.body, "at"), &at) == STATUS_OK &&
        at < event->at)
        use.at = at;
    return use;
}

static void put_name(const struct report *r, const char *key, uint32_t number) {
    if (number != STORE_NAME_NONE)
        json_out_member(r->out, key, store_name(r->reader, STORE_NAME_MEMBER, number));
}

static void put_ending(const struct store_consent *c, struct json_out *out) {
    json_out_member_uuid(out, "consentId", &c->id);
    json_out_member(out, "status", span_of_text(lifecycle_state_name(c->status)));
    json_out_member_time(out, "endedAt", c->status_at);
    if (c->status == c->recorded)
        json_out_member_int(out, "endedIndex", (int64_t)c->status_entry);
}

static void put_use(const struct report *r, const struct use *use, const struct store_consent *c) {
    const struct store_event *event = use->event;
    struct json_out *out = r->out;
    json_out_object_begin(out);
    json_out_member_int(out, "index", (int64_t)event->index);
    json_out_member(out, "event", span_of_text(store_event_name(event->code)));
    json_out_member_time(out, "recordedAt", event->at);
    json_out_member_time(out, "at", use->at);
    put_name(r, "tenant", event->tenant);
    put_name(r, "client", event->client);
    if (use->disclosed) {
        json_out_member_optional(out, "transaction", text_of(use->body, "transaction"));
        json_out_member_optional(out, "recipient", text_of(use->body, "recipient"));
    }
    put_ending(c, out);
    json_out_member_int(out, "lagMs", use->at - c->status_at);
    json_out_object_end(out);
}

static struct ended *ended_of(struct report *r, const struct store_consent *consent) {
    for (uint32_t i = 0; i < r->count; i++)
        if (r->consents[i].consent.index == consent->index)
            return &r->consents[i];
    r->consents[r->count] = (struct ended){.consent = *consent, .last_disclosure = INT64_MIN};
    return &r->consents[r->count++];
}

static void count(struct report *r, const struct use *use, const struct store_consent *consent) {
    struct ended *ended = ended_of(r, consent);
    ended->permits += !use->disclosed;
    ended->disclosures += use->disclosed;
    if (use->disclosed && use->at > ended->last_disclosure)
        ended->last_disclosure = use->at;
}

/* The entry was recorded after the ending; whether the data went after it, its body tells. */
static enum status look_at(struct report *r, const struct store_event *event) {
    struct store_consent consent;
    enum status status = store_consent_by_index(r->reader, event->consent, &consent);
    if (status != STATUS_OK)
        return status;
    struct use use = use_of(event);
    if (store_consent_had_ended(&consent, event->index, use.at)) {
        put_use(r, &use, &consent);
        count(r, &use, &consent);
    }
    json_decref(use.payload);
    return STATUS_OK;
}

static void put_consents(const struct report *r) {
    json_out_key(r->out, "consents");
    json_out_array_begin(r->out);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ended *ended = &r->consents[i];
        json_out_object_begin(r->out);
        put_ending(&ended->consent, r->out);
        json_out_member_int(r->out, "permits", ended->permits);
        json_out_member_int(r->out, "disclosures", ended->disclosures);
        if (ended->disclosures != 0) {
            json_out_member_time(r->out, "lastDisclosureAt", ended->last_disclosure);
            json_out_member_int(r->out, "lagMs", ended->last_disclosure - ended->consent.status_at);
        }
        json_out_object_end(r->out);
    }
    json_out_array_end(r->out);
}

static enum status write_report(struct api_call *call, const struct api_event_query *query) {
    struct store_event_page page;
    struct json_out out = json_out_to(&call->response.body);
    struct report r = {.reader = call->loop->reader, .out = &out};
    enum status status =
        store_event_query(r.reader, &query->filter, query->from, query->limit, call->arena, &page);
    if (status != STATUS_OK)
        return status;
    r.consents = arena_array(call->arena, page.count, sizeof *r.consents);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page.count && status == STATUS_OK; i++)
        status = look_at(&r, &page.items[i]);
    json_out_array_end(&out);
    put_consents(&r);
    api_reading_entries_end(call, &page, &out);
    return status;
}

enum api_outcome api_report_after_ending(struct api_call *call) {
    struct api_sight sight = api_sight_audit(call);
    struct api_event_query query = {.limit = LIMIT_PAGE_DEFAULT};
    struct api_params params = {PARAMS, sizeof PARAMS / sizeof *PARAMS, &query, 0, NULL};
    query.filter = (struct store_event_filter){.everyone = sight.everyone,
                                               .tenants = sight.tenants,
                                               .tenant_count = sight.tenant_count,
                                               .after_ending = true,
                                               .from = INT64_MIN,
                                               .to = INT64_MAX};
    if (!api_params_from_url(call, &params))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = write_report(call, &query);
        store_read_end(call->loop->reader);
    }
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
