/* Creating, granting and renewing consents. Runs on a loop; the writer judges (api/change.h). */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/log_proof.h"
#include "api/render.h"

static enum api_outcome refuse(struct api_call *call, struct store_change *change,
                               struct api_json *in, enum status status, const char *detail) {
    api_json_end(in);
    store_change_free(change);
    return api_problem(call, status, detail);
}

enum api_outcome api_consent_create(struct api_call *call) {
    struct api_json in;
    struct store_change *change = api_change_new(call, STORE_CREATE, true);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    struct api_terms terms = api_terms_for(call, change);
    api_terms_read(&in, in.root, &terms, &change->draft);
    return api_change_finish(call, change, &in);
}

/* The stored terms of the path's consent; what else must hold is the caller's to check. */
static enum status load_stored(struct api_call *call, const struct uuid *id,
                               struct store_consent *consent, json_t **stored) {
    struct store_reader *reader = call->loop->reader;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    status = api_change_target(call, id, consent);
    if (status == STATUS_OK)
        status = api_terms_stored(reader, consent, stored);
    consent->tail = SPAN_NONE;
    store_read_end(reader);
    return status;
}

enum api_outcome api_consent_grant(struct api_call *call) {
    struct api_json in;
    struct store_consent consent;
    json_t *asked;
    struct store_change *change = api_change_new(call, STORE_GRANT, false);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (!json_is_object(in.root))
        api_json_fail(&in, NULL, "must be an object");
    else if (json_object_get(in.root, "grant") == NULL)
        api_json_fail(&in, "grant", "is required");
    if (api_json_failed(&in))
        return api_change_finish(call, change, &in);
    enum status status = load_stored(call, &change->id, &consent, &asked);
    if (status != STATUS_OK)
        return refuse(call, change, &in, status, NULL);
    if (consent.status != CONSENT_REQUESTED) {
        json_decref(asked);
        return refuse(call, change, &in, STATUS_WRONG_STATE,
                      "only a requested consent can be granted");
    }
    struct api_terms terms = api_terms_for(call, change);
    json_t *merged = json_copy(asked);
    json_object_update(merged, in.root);
    api_terms_read(&in, merged, &terms, &change->draft);
    if (!api_json_failed(&in))
        api_terms_narrow(&in, asked, in.root);
    json_decref(merged);
    json_decref(asked);
    return api_change_finish(call, change, &in);
}

/* What a renewal takes over from the consent it renews, with what the caller says laid over it. */
static json_t *renewed(const json_t *stored, const json_t *body) {
    static const char *const not_taken[] = {"externalId", "request", "expires"};
    json_t *merged = json_copy((json_t *)(uintptr_t)stored);
    for (size_t i = 0; i < sizeof not_taken / sizeof *not_taken; i++)
        json_object_del(merged, not_taken[i]);
    json_object_update(merged, (json_t *)(uintptr_t)body);
    return merged;
}

enum api_outcome api_consent_renew(struct api_call *call) {
    static const char *const known[] = {"grant",    "expires", "license", "onwardRecipients",
                                        "dataFrom", "tokens",  NULL};
    struct api_json in;
    struct store_consent consent;
    json_t *stored;
    struct store_change *change = api_change_new(call, STORE_RENEW, true);
    if (change == NULL || !api_change_body(call, change, &in))
        return API_DONE;
    if (api_json_object(&in, in.root, known) && json_object_get(in.root, "grant") == NULL)
        api_json_fail(&in, "grant", "is required");
    if (api_json_failed(&in))
        return api_change_finish(call, change, &in);
    enum status status = load_stored(call, &change->id, &consent, &stored);
    if (status != STATUS_OK)
        return refuse(call, change, &in, status, NULL);
    if (consent.granted_entry == STORE_INDEX_NONE) {
        json_decref(stored);
        return refuse(call, change, &in, STATUS_WRONG_STATE,
                      "only a consent that was granted can be renewed");
    }
    struct api_terms terms = api_terms_for(call, change);
    json_t *merged = renewed(stored, in.root);
    const json_t *license = json_object_get(stored, "license");
    change->draft.ask.renewal = true;
    change->draft.ask.renewed_license = arena_copy(
        &change->arena, span_of(json_string_value(license), json_string_length(license)));
    api_terms_read(&in, merged, &terms, &change->draft);
    json_decref(merged);
    json_decref(stored);
    return api_change_finish(call, change, &in);
}

/* ---- answers */

/* Renders the consent as it was right after the change, for whoever asked. */
static enum status render(struct api_call *call, const struct store_change *change,
                          struct store_consent *consent) {
    struct store_reader *reader = call->loop->reader;
    enum status status = store_read_begin(reader);
    if (status != STATUS_OK)
        return status;
    struct json_out out = json_out_to(&call->response.body);
    status = store_consent_by_index(reader, change->done.consent, consent);
    if (status == STATUS_OK)
        status = store_consent_as_of(reader, change->done.log_index, consent);
    if (status == STATUS_OK)
        status = api_render_consent(call, api_viewer_relation(call->viewer, reader, consent),
                                    consent, &out);
    consent->tail = SPAN_NONE;
    store_read_end(reader);
    return status;
}

static enum api_outcome answer(struct api_call *call, struct store_change *change, int http) {
    struct store_consent consent;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    enum status status = render(call, change, &consent);
    if (status == STATUS_OK)
        api_change_replayed(call, change);
    if (status == STATUS_OK)
        status = api_log_proof_add(call, change->done.log_index);
    store_change_free(change);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    (void)api_etag_set(call, &consent);
    if (http == 201) {
        const struct api_settings *settings = atomic_load(&call->loop->service->settings);
        char id[UUID_TEXT_SIZE + 1];
        uuid_to_text(&consent.id, id);
        api_header_set(
            call, "location",
            arena_format(call->arena, "%.*s/v1/consents/%s", SPAN_ARG(settings->public_url), id));
    }
    return api_respond(call, http, "application/json");
}

enum api_outcome api_consent_create_reply(struct api_call *call, struct store_change *change) {
    return answer(call, change, 201);
}

enum api_outcome api_consent_changed_reply(struct api_call *call, struct store_change *change) {
    return answer(call, change, 200);
}
