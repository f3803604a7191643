/* POST /v1/audit/decisions/{id}/replay: a recorded decision, judged again by the pack that judged
 * it, as of its place in the log. Who may not see the decision gets the answer of an id that does
 * not exist (invariant 9).
 *
 * Runs on a loop; one snapshot (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>

#include "api/access_answer.h"
#include "api/access_record.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/json_value.h"
#include "api/packs.h"
#include "api/params_in.h"
#include "api/policy_view.h"
#include "api/reading.h"
#include "api/viewer.h"
#include "base/encode.h"

/* A decision as it stands in the log. */
struct recorded {
    struct store_event event;
    json_t *payload;
    const json_t *body;
    struct store_moment moment;
    struct digest pack;
};

static bool is_decision(const struct store_event *event) {
    return event->code == STORE_DECISION_PERMITTED || event->code == STORE_DECISION_DENIED;
}

static enum status find(const struct api_call *call, struct store_event *out) {
    struct store_reader *reader = call->loop->reader;
    enum status status = store_event_by_id(reader, call->path_id, out);
    if (status != STATUS_OK)
        return status;
    struct span tenant = store_name(reader, STORE_NAME_MEMBER, out->tenant);
    if (!is_decision(out) || !api_viewer_audits(call->viewer, tenant))
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

/* What has been erased, whole or in its personal part, cannot be judged again. */
static enum status parse(struct recorded *recorded) {
    const struct store_event *event = &recorded->event;
    if (event->payload.size == 0)
        return STATUS_ERASED;
    recorded->payload = json_loadb(event->payload.data, event->payload.size, JSON_ALLOW_NUL, NULL);
    recorded->body = json_object_get(recorded->payload, "body");
    if (json_object_get(recorded->payload, "personal") != NULL && event->personal_payload.size == 0)
        return STATUS_ERASED;
    const json_t *digest = json_object_get(recorded->body, "policyDigest");
    struct span hex = span_of_text(json_string_value(digest));
    recorded->moment = (struct store_moment){
        .position = (uint64_t)json_integer_value(json_object_get(recorded->body, "position")),
        .time = event->at,
    };
    return decode_hex(hex, recorded->pack.bytes, DIGEST_SIZE) == STATUS_OK ? STATUS_OK
                                                                           : STATUS_INTERNAL;
}

/* ---- both outcomes in one shape: codes, and the consent that they rest on */

static json_t *outcome_recorded(const struct recorded *recorded) {
    static const char *const members[] = {"decision", "reasons", "purposeStated", "purposes",
                                          "consentVersion"};
    json_t *outcome = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        (void)json_object_set(outcome, members[i], json_object_get(recorded->body, members[i]));
    (void)json_object_set(outcome, "consentId", json_object_get(recorded->payload, "consentId"));
    return outcome;
}

static json_t *text_of(struct span text) {
    return json_stringn(text.data, text.size);
}

static json_t *reasons_of(const struct policy_decision *decision) {
    json_t *reasons = json_array();
    for (unsigned d = 0; d < DENIAL_COUNT; d++)
        if ((decision->denials >> d & 1U) != 0)
            (void)json_array_append_new(reasons, json_string(policy_denial_code(d)));
    return reasons;
}

static json_t *purposes_of(const struct policy_pack *pack, uint64_t set) {
    json_t *purposes = json_array();
    for (; set != 0; set &= set - 1)
        (void)json_array_append_new(
            purposes, text_of(policy_pack_purpose(pack, (uint32_t)__builtin_ctzll(set))->code));
    return purposes;
}

static json_t *outcome_replayed(const struct policy_pack *pack, const struct policy_request *ask,
                                const struct store_ruling *ruling) {
    const struct policy_decision *decision = &ruling->decision;
    char id[UUID_TEXT_SIZE + 1];
    json_t *outcome = json_object();
    (void)json_object_set_new(outcome, "decision", json_boolean(decision->permitted));
    (void)json_object_set_new(outcome, "reasons", reasons_of(decision));
    (void)json_object_set_new(outcome, "purposeStated", json_boolean(ask->has_purpose));
    if (!ask->has_purpose && decision->permitted)
        (void)json_object_set_new(outcome, "purposes", purposes_of(pack, decision->purposes));
    if (ruling->has_consent) {
        uuid_to_text(&ruling->consent.id, id);
        (void)json_object_set_new(outcome, "consentVersion", json_integer(ruling->consent.version));
        (void)json_object_set_new(outcome, "consentId", json_string(id));
    }
    return outcome;
}

/* ---- the answer */

static void put_outcome(const char *key, const json_t *outcome, struct json_out *out) {
    json_out_key(out, key);
    api_json_value_write(outcome, out);
}

static void write_answer(struct api_call *call, const struct recorded *recorded,
                         const struct policy_pack *pack, const struct store_question *question,
                         const struct store_ruling *ruling) {
    struct json_out out = json_out_to(&call->response.body);
    json_t *then = outcome_recorded(recorded);
    json_t *again = outcome_replayed(pack, &question->ask, ruling);
    json_out_object_begin(&out);
    json_out_member(&out, "decisionId", call->path_id);
    json_out_member_int(&out, "logIndex", (int64_t)recorded->event.index);
    json_out_member_time(&out, "at", recorded->event.at);
    json_out_member_int(&out, "position", (int64_t)recorded->moment.position);
    json_out_key(&out, "policy");
    json_out_object_begin(&out);
    api_policy_view_identity(pack, &out);
    json_out_object_end(&out);
    json_out_member_bool(&out, "agrees", json_equal(then, again) == 1);
    put_outcome("recorded", then, &out);
    put_outcome("replayed", again, &out);
    json_out_key(&out, "explanation");
    json_out_object_begin(&out);
    api_access_answer_reasons(pack, ruling, &out);
    json_out_object_end(&out);
    json_out_object_end(&out);
    json_decref(then);
    json_decref(again);
}

static enum status judge(struct api_call *call, const struct recorded *recorded) {
    const struct policy_pack *pack;
    struct store_question question;
    struct store_ruling ruling;
    enum status status = api_packs_get(call->loop, &recorded->pack, &pack);
    if (status == STATUS_OK)
        status = api_access_record_read(pack, call->arena, recorded->event.payload,
                                        recorded->event.personal_payload, &question);
    if (status == STATUS_OK)
        status =
            store_decide_as_of(call->loop->reader, pack, &question, &recorded->moment, &ruling);
    if (status == STATUS_OK)
        write_answer(call, recorded, pack, &question, &ruling);
    return status;
}

static enum status replay(struct api_call *call) {
    struct recorded recorded = {.payload = NULL};
    enum status status = find(call, &recorded.event);
    if (status == STATUS_OK)
        status = parse(&recorded);
    if (status == STATUS_OK)
        status = judge(call, &recorded);
    json_decref(recorded.payload);
    return status;
}

enum api_outcome api_decision_replay(struct api_call *call) {
    if (!api_params_none(call))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = replay(call);
        store_read_end(call->loop->reader);
    }
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
