/* Asking for a consent that a decision missed: POST /access/v1/requests makes a requested consent
 * for exactly what was denied, and is answered with a task; GET /access/v1/requests/{id} tells how
 * it stands (OpenID AuthZEN Access Request and Approval Profile, draft 1). The task is the consent:
 * whoever grants or refuses it approves or denies the request, and the PEP then asks again.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_answer.h"
#include "api/access_binding.h"
#include "api/access_body.h"
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_in.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/reading.h"
#include "api/sight.h"
#include "base/limits.h"

/* ---- the profile's own problems */

struct fault {
    const char *name, *title, *detail;
    int http;
};
static const struct fault wrong_binding = {
    "invalid_denial_binding", "The request does not belong to a denial",
    "binding_token is not of a denial of this question to this caller", 400};
static const struct fault expired_denial = {"expired_denial", "The denial has expired",
                                            "ask for a decision again and follow that one", 410};
static const struct fault duplicate = {"duplicate_request",
                                       "The request was made before, otherwise",
                                       "the Idempotency-Key was used with another body", 409};
static const struct fault unknown_task = {"unknown_task", "There is no such task",
                                          "no task of this id is the caller's to see", 404};

static enum api_outcome refuse(struct api_call *call, const struct fault *fault) {
    buffer_clear(&call->response.body);
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member(
        &out, "type",
        arena_format(call->arena, "urn:openid:authzen:access-request:error:%s", fault->name));
    json_out_member(&out, "title", span_of_text(fault->title));
    json_out_member_int(&out, "status", fault->http);
    json_out_member(&out, "detail", span_of_text(fault->detail));
    json_out_member(&out, "instance", call->request_id);
    json_out_object_end(&out);
    return api_respond(call, fault->http, "application/problem+json");
}

/* ---- the task */

static const char *task_status(const struct store_consent *consent) {
    if (consent->granted_entry != STORE_INDEX_NONE)
        return "approved"; /* whatever became of it since: a task ends once */
    return consent->status == CONSENT_REQUESTED   ? "pending"
           : consent->status == CONSENT_REFUSED   ? "denied"
           : consent->status == CONSENT_TIMED_OUT ? "expired"
                                                  : "cancelled";
}

static void put_result(const struct store_consent *consent, struct json_out *out) {
    bool ended = consent->status != CONSENT_ACTIVE;
    int64_t until = ended ? consent->status_at : consent->expires;
    json_out_key(out, "result");
    json_out_object_begin(out);
    json_out_member(out, "mode", SPAN("reevaluate"));
    json_out_key(out, "approval");
    json_out_object_begin(out);
    json_out_member_uuid(out, "id", &consent->id);
    json_out_member_time(out, "approved_at", consent->granted_at);
    json_out_member_time(out, "approved_until", until < TIMESTAMP_MAX ? until : TIMESTAMP_MAX);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void write_task(struct api_call *call, const struct store_consent *consent) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    struct json_out out = json_out_to(&call->response.body);
    char id[UUID_TEXT_SIZE + 1];
    uuid_to_text(&consent->id, id);
    struct span place = arena_format(call->arena, "%.*s" API_ACCESS_REQUESTS "/%s",
                                     SPAN_ARG(settings->public_url), id);
    json_out_object_begin(&out);
    json_out_key(&out, "task");
    json_out_object_begin(&out);
    json_out_member(&out, "id", span_of_text(id));
    json_out_member(&out, "status", span_of_text(task_status(consent)));
    json_out_member(&out, "status_endpoint", place);
    if (consent->status == CONSENT_REQUESTED)
        json_out_member_time(&out, "expires_at", consent->answer_due);
    json_out_object_end(&out);
    if (consent->granted_entry != STORE_INDEX_NONE)
        put_result(consent, &out);
    json_out_object_end(&out);
}

/* ---- a request: the terms of a consent that would have permitted what was denied */

static json_t *text(struct span value) {
    return json_stringn(value.data, value.size);
}

static json_t *resources_of(const struct store_question *question) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < question->ask.resource_count; i++)
        json_array_append_new(list, text(question->resource_ids[i]));
    return list;
}

static json_t *permissions_of(const struct policy_pack *pack,
                              const struct store_question *question) {
    json_t *list = json_array();
    for (uint64_t left = question->ask.permissions; left != 0; left &= left - 1) {
        json_t *one = json_object();
        uint32_t at = (uint32_t)__builtin_ctzll(left);
        json_object_set_new(one, "code", text(policy_pack_permission(pack, at)->code));
        if (question->ask.resource_count != 0)
            json_object_set_new(one, "resources", resources_of(question));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *terms_of(const struct policy_pack *pack, const struct store_question *question,
                        const struct policy_license *license, struct span until) {
    json_t *terms = json_object();
    json_object_set_new(terms, "client", text(question->client));
    json_object_set_new(terms, "license", text(license->url));
    json_object_set_new(terms, "account", text(question->ask.resource_id));
    if (question->ask.has_purpose)
        json_object_set_new(
            terms, "purposes",
            json_pack("[o]",
                      text(policy_pack_purpose(pack, (uint32_t)question->ask.purpose)->code)));
    if (question->ask.has_permissions)
        json_object_set_new(terms, "permissions", permissions_of(pack, question));
    if (question->ask.has_onward)
        json_object_set_new(terms, "onwardRecipients", json_pack("[o]", text(question->onward)));
    if (span_present(until))
        json_object_set_new(terms, "expires", text(until));
    return terms;
}

/* ---- the operations */

/* What the body says beside the question. */
struct submission {
    struct span token, template, until;
};

static void read_submission(struct api_json *in, struct submission *out) {
    const json_t *wanted = api_json_member_object(in, in->root, "requested_access", false);
    const json_t *denial = api_json_member_object(in, in->root, "denial", true);
    if (json_object_get(in->root, "items") != NULL)
        api_json_fail(in, "items", "are not taken: a consent is asked for one by one");
    *out = (struct submission){.token = SPAN_NONE};
    if (denial != NULL) {
        size_t mark = api_json_enter(in, "denial");
        out->token = api_json_string(in, denial, "binding_token", LIMIT_URL, true);
        out->template = api_json_string(in, denial, "template", LIMIT_URL, false);
        api_json_leave(in, mark);
    }
    if (wanted != NULL) {
        size_t mark = api_json_enter(in, "requested_access");
        (void)api_json_time(in, wanted, "requested_until", INT64_MIN);
        out->until = api_json_string(in, wanted, "requested_until", LIMIT_URL, false);
        api_json_leave(in, mark);
    }
}

/* NULL when this request follows its denial. *license is the one it is for. */
static const struct fault *check_binding(struct api_call *call, const struct policy_pack *pack,
                                         const struct store_question *question,
                                         const struct submission *submission,
                                         const struct policy_license **license) {
    struct store *store = call->loop->service->store;
    int64_t now = store_time_ms(store), expires;
    *license = api_access_requestable(pack, question, now);
    const struct api_binding binding = {store, pack, question, *license};
    if (*license == NULL || !api_access_binding_open(&binding, submission->token, &expires))
        return &wrong_binding;
    if (span_present(submission->template) && !span_equal(submission->template, (*license)->url))
        return &wrong_binding;
    return now > expires ? &expired_denial : NULL;
}

/* Without a key of the caller's, the denial is the key: asked twice, it is one task. */
static struct store_change *new_change(struct api_call *call, struct span token) {
    bool has_key = api_header_get(call, "idempotency-key").size != 0;
    struct store_change *change = api_change_new(call, STORE_CREATE, has_key);
    if (change == NULL || has_key)
        return change;
    const struct span key[] = {SPAN("idempotency of a denial"), change->actor, token};
    const struct span request[] = {SPAN("fingerprint of a denial"), change->tenant, call->body};
    change->has_key = true;
    change->key = store_mac16(call->loop->service->store, key, 3);
    change->fingerprint = store_mac16(call->loop->service->store, request, 3);
    return change;
}

enum api_outcome api_access_request(struct api_call *call) {
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack);
    const struct policy_license *license;
    struct api_access_body body;
    struct api_access_ask ask;
    struct submission submission;
    struct api_json in;
    const char *why;
    if (pack == NULL)
        return api_problem(call, STATUS_BUSY, "no policy is active yet");
    enum status status = api_json_begin(&in, call->arena, call->body, &why);
    if (status != STATUS_OK)
        return api_problem(call, status, why);
    read_submission(&in, &submission);
    if (api_json_failed(&in))
        return api_json_refuse(&in, call);
    api_json_end(&in);
    if (!api_access_body_read(call, API_ACCESS_EVALUATION, pack, &body, &ask))
        return API_DONE;
    const struct fault *fault = check_binding(call, pack, &ask.question, &submission, &license);
    if (fault != NULL)
        return refuse(call, fault);
    struct store_change *change = new_change(call, submission.token);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    change->pack = pack; /* one from the question to the consent, whatever comes into force */
    struct api_terms terms = api_terms_for(call, change);
    json_t *wanted = terms_of(pack, &ask.question, license, submission.until);
    api_terms_read(&in, wanted, &terms, &change->draft);
    json_decref(wanted);
    return api_change_finish(call, change, &in);
}

enum api_outcome api_access_request_reply(struct api_call *call, struct store_change *change) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent consent;
    if (change->done.status == STATUS_IDEMPOTENCY_MISMATCH) {
        store_change_free(change);
        return refuse(call, &duplicate);
    }
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = store_read_begin(reader);
    if (status == STATUS_OK) {
        status = store_consent_by_index(reader, change->done.consent, &consent);
        if (status == STATUS_OK)
            write_task(call, &consent);
        store_read_end(reader);
    }
    if (status == STATUS_OK)
        api_change_replayed(call, change);
    store_change_free(change);
    return status == STATUS_OK ? api_respond(call, 202, "application/json")
                               : api_problem(call, status, NULL);
}

enum api_outcome api_access_request_get(struct api_call *call) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent consent;
    struct uuid id;
    if (!api_params_none(call))
        return API_DONE;
    if (uuid_from_text(call->path_id, &id) != STATUS_OK)
        return refuse(call, &unknown_task);
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    status = store_consent_by_id(reader, &id, &consent);
    if (status == STATUS_OK && api_sight_of(call, &consent) == API_RELATION_NONE)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        write_task(call, &consent);
    store_read_end(reader);
    if (status == STATUS_NOT_FOUND)
        return refuse(call, &unknown_task);
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, NULL);
}
