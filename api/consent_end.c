/* Ending consents, one or many, and appending facts. Runs on a loop; the writer judges. */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "base/limits.h"

static enum api_outcome end_with_reason(struct api_call *call, bool refusing) {
    static const char *const known[] = {"reason", "invalidatedToken", NULL};
    static const char *const known_of_refusal[] = {"reason", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_END, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, refusing ? known_of_refusal : known)) {
        api_reason_read(&in, in.root, change->pack, refusing, &change->reason);
        change->invalidated_token =
            api_json_string(&in, in.root, "invalidatedToken", LIMIT_TOKEN, false);
    }
    return api_change_finish(call, change, &in);
}

enum api_outcome api_consent_refuse(struct api_call *call) {
    return end_with_reason(call, true);
}

enum api_outcome api_consent_revoke(struct api_call *call) {
    return end_with_reason(call, false);
}

/* Who deletes says by its relation where the account holder withdrew. */
enum api_outcome api_consent_delete(struct api_call *call) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent consent;
    enum api_relation relation = API_RELATION_NONE;
    struct store_change *change = api_change_new(call, STORE_END, false);
    if (change == NULL)
        return API_DONE;
    enum status status = store_read_begin(reader);
    if (status == STATUS_OK) {
        status = store_consent_by_id(reader, &change->id, &consent);
        if (status == STATUS_OK)
            relation = api_viewer_relation_to_write(call->viewer, reader, &consent);
        store_read_end(reader);
    }
    if (status == STATUS_OK && relation == API_RELATION_NONE)
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK) {
        store_change_free(change);
        return api_problem(call, status, NULL);
    }
    bool by_client = relation == API_RELATION_CLIENT;
    change->reason.code = by_client ? SPAN("withdrawnAtClient") : SPAN("withdrawn");
    change->reason.leads_to = CONSENT_REVOKED;
    return api_change_submit(call, change);
}

/* ---- facts */

enum api_outcome api_consent_tokens(struct api_call *call) {
    static const char *const known[] = {"tokens", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_TOKENS, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known))
        change->tokens = api_tokens_read(&in, in.root, true, &change->token_count);
    return api_change_finish(call, change, &in);
}

enum api_outcome api_consent_proofs(struct api_call *call) {
    static const char *const known[] = {"proofs", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_PROOFS, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known))
        change->proofs_json = api_proofs_read(&in, in.root, true);
    return api_change_finish(call, change, &in);
}

/* ---- many at once */

static void read_ids(struct api_json *in, const json_t *body, struct store_selection *out) {
    const json_t *array = api_json_array(in, body, "ids", LIMIT_BULK, false);
    size_t count = json_array_size(array);
    struct uuid *ids = arena_array(in->arena, count, sizeof *ids);
    size_t outer = api_json_enter(in, "ids");
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        size_t mark = api_json_enter_index(in, i);
        if (!json_is_string(value) ||
            uuid_from_text(span_of(json_string_value(value), json_string_length(value)), &ids[i]) !=
                STATUS_OK)
            api_json_fail(in, NULL, "must be a UUID");
        api_json_leave(in, mark);
    }
    api_json_leave(in, outer);
    out->ids = ids;
    out->id_count = (uint32_t)count;
}

static void read_selection(struct api_json *in, const json_t *body, struct store_selection *out) {
    read_ids(in, body, out);
    out->client = api_json_url(in, body, "client", false);
    out->provider = api_json_url(in, body, "provider", false);
    out->account = api_json_string(in, body, "account", LIMIT_ACCOUNT, false);
    out->resource = api_json_string(in, body, "resource", LIMIT_RESOURCE, false);
    bool by_filter =
        span_present(out->client) || span_present(out->account) || span_present(out->resource);
    if (api_json_failed(in))
        return;
    if (out->id_count != 0 && (by_filter || span_present(out->provider)))
        api_json_fail(in, NULL, "must name ids or a selection, not both");
    else if (out->id_count == 0 && !by_filter)
        api_json_fail(in, NULL, "must name ids, client, account or resource");
}

enum api_outcome api_revocations_create(struct api_call *call) {
    static const char *const known[] = {"ids",      "client", "provider", "account",
                                        "resource", "reason", NULL};
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_END_MANY, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known)) {
        read_selection(&in, in.root, &change->selection);
        api_reason_read(&in, in.root, change->pack, false, &change->reason);
    }
    return api_change_finish(call, change, &in);
}

static void write_result(struct api_call *call, const struct store_done *done,
                         struct json_out *out) {
    struct store_consent c;
    json_out_object_begin(out);
    if (done->status == STATUS_OK &&
        store_consent_by_index(call->loop->reader, done->consent, &c) == STATUS_OK) {
        json_out_member_uuid(out, "consentId", &c.id);
        if (!uuid_is_nil(&done->asked) && !uuid_equal(&done->asked, &c.id))
            json_out_member_uuid(out, "asked", &done->asked);
        json_out_member(out, "status", span_of_text(lifecycle_state_name(c.recorded)));
        json_out_member_int(out, "logIndex", (int64_t)done->log_index);
    } else {
        json_out_member_uuid(out, "consentId", &done->asked);
        json_out_member(out, "problem", span_of_text(status_name(done->status)));
    }
    json_out_object_end(out);
}

enum api_outcome api_revocations_create_reply(struct api_call *call, struct store_change *change) {
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK) {
        store_change_free(change);
        return api_problem(call, status, NULL);
    }
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "results");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < change->result_count; i++)
        write_result(call, &change->results[i], &out);
    json_out_array_end(&out);
    json_out_member_bool(&out, "more", change->more);
    json_out_object_end(&out);
    store_read_end(call->loop->reader);
    store_change_free(change);
    return api_respond(call, 200, "application/json");
}
