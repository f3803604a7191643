/* POST /v1/erasures: what the log holds of a consent or an account is erased, the personal part
 * alone or the whole, at once or when retention allows it. The leaves stay.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "store/erasure.h"

#include "api/addressed.h"
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_out.h"

static enum store_erased read_part(struct api_json *in) {
    struct span part = api_json_string(in, in->root, "part", 16, false);
    if (span_is(part, "personal"))
        return STORE_ERASED_PERSONAL;
    if (span_present(part) && !span_is(part, "whole"))
        api_json_fail(in, "part", "must be personal or whole");
    return STORE_ERASED_WHOLE;
}

static enum store_ground read_ground(struct api_json *in) {
    enum store_ground ground = STORE_GROUND_NO_LONGER_NECESSARY;
    struct span name = api_json_string(in, in->root, "ground", 32, true);
    if (span_present(name) && store_ground_parse(name, &ground) != STATUS_OK)
        api_json_fail(in, "ground",
                      "must be noLongerNecessary, consentWithdrawn, objection, unlawfulProcessing "
                      "or legalObligation");
    return ground;
}

enum status api_erasure_read(const struct api_call *call, struct api_json *in,
                             struct store_change *change) {
    static const char *const known[] = {"tenant", "provider", "account",   "consentId",
                                        "part",   "ground",   "requestId", NULL};
    struct api_addressed whose;
    if (!api_json_object(in, in->root, known))
        return STATUS_OK;
    api_addressed_read(call, in, &whose);
    change->erasure = arena_array(&change->arena, 1, sizeof *change->erasure);
    *change->erasure = (struct store_erasure){
        .role = whose.acting.role,
        .by_account = whose.by_account,
        .provider = arena_copy(&change->arena, whose.provider),
        .account = whose.account,
        .part = read_part(in),
        .ground = read_ground(in),
        .request_id = api_addressed_code(in, "requestId"),
    };
    change->id = whose.consent;
    change->tenant = arena_copy(&change->arena, whose.acting.tenant);
    return whose.status == STATUS_INSUFFICIENT_SCOPE ? whose.status : STATUS_OK;
}

enum api_outcome api_erasure_create(struct api_call *call) {
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_ERASE, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    enum status status = api_erasure_read(call, &in, change);
    if (status == STATUS_OK || api_json_failed(&in))
        return api_change_finish(call, change, &in);
    api_json_end(&in);
    store_change_free(change);
    return api_acting_refuse(call, status);
}

/* ---- the answer */

static const char *part_name(enum store_erased part) {
    static const char *const names[] = {"nothing", "personal", "whole"};
    return names[part];
}

static void put_consent(struct json_out *out, const struct store_erased_consent *consent) {
    json_out_object_begin(out);
    json_out_member_uuid(out, "consentId", &consent->id);
    json_out_member(out, "erased", span_of_text(part_name(consent->done)));
    if (consent->due != INT64_MIN)
        json_out_member_time(out, "dueAt", consent->due);
    json_out_object_end(out);
}

/* When the last of it is due; INT64_MIN when nothing waits. */
static int64_t last_due(const struct store_erasure *erasure) {
    int64_t last = INT64_MIN;
    for (uint32_t i = 0; i < erasure->consent_count; i++)
        last = erasure->consents[i].due > last ? erasure->consents[i].due : last;
    return last;
}

static void put_answer(struct json_out *out, const struct store_change *change, int64_t due) {
    const struct store_erasure *erasure = change->erasure;
    const char *status = due != INT64_MIN ? "scheduled" : erasure->goes_on ? "goesOn" : "erased";
    json_out_object_begin(out);
    json_out_member(out, "status", span_of_text(status));
    json_out_member(out, "requestId", erasure->request_id);
    if (due != INT64_MIN)
        json_out_member_time(out, "dueAt", due);
    json_out_key(out, "consents");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < erasure->consent_count; i++)
        put_consent(out, &erasure->consents[i]);
    json_out_array_end(out);
    if (change->done.log_index != STORE_INDEX_NONE)
        json_out_member_int(out, "logIndex", (int64_t)change->done.log_index);
    json_out_member_bool(out, "more", erasure->more);
    json_out_object_end(out);
}

enum api_outcome api_erasure_create_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    struct json_out out = json_out_to(&call->response.body);
    int64_t due = last_due(change->erasure);
    bool all = due == INT64_MIN && !change->erasure->goes_on;
    put_answer(&out, change, due);
    store_change_free(change);
    api_header_set(call, "cache-control", SPAN("no-store"));
    return api_respond(call, all ? 200 : 202, "application/json");
}
