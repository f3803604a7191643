/* Starting a change, handing it over, and what to say when the writer refused it. Runs on a loop.
 */
// SPDX-License-Identifier: Apache-2.0
#include "api/change.h"

#include "api/http_in.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/router.h"

static enum status take_key(struct api_call *call, struct store_change *change) {
    struct span key;
    enum status status = api_idempotency_key(call, &key);
    if (status != STATUS_OK)
        return status;
    const struct span parts[] = {SPAN("idempotency"), change->actor, key};
    /* one client may act for several members: a key of one is no key of another (invariant 9) */
    const struct span request[] = {
        SPAN("fingerprint"), call->method,   span_of_text(call->route->path),
        call->path_id,       change->tenant, call->body};
    change->has_key = true;
    change->key = store_mac16(call->loop->service->store, parts, 3);
    change->fingerprint =
        store_mac16(call->loop->service->store, request, sizeof request / sizeof *request);
    return STATUS_OK;
}

static enum api_outcome drop(struct api_call *call, struct store_change *change, enum status status,
                             const char *detail) {
    store_change_free(change);
    return api_problem(call, status, detail);
}

static struct store_change *begin(struct api_call *call, enum store_op op, bool with_key) {
    struct store_change *change = store_change_new();
    change->op = op;
    change->owner = call->exchange;
    change->actor = arena_copy(&change->arena, call->viewer->client_id);
    change->tenant = arena_copy(&change->arena, call->viewer->tenant);
    change->pack = atomic_load(&call->loop->service->pack);
    if (span_present(call->path_id) && uuid_from_text(call->path_id, &change->id) != STATUS_OK) {
        (void)drop(call, change, STATUS_NOT_FOUND, NULL);
        return NULL;
    }
    if (api_if_match(call, change) != STATUS_OK) {
        (void)drop(call, change, STATUS_INVALID_PARAMETER,
                   "If-Match must be * or up to 4 entity tags");
        return NULL;
    }
    enum status status = with_key ? take_key(call, change) : STATUS_OK;
    if (status != STATUS_OK) {
        (void)drop(call, change, status,
                   "Idempotency-Key must have 1 to 128 visible ASCII characters");
        return NULL;
    }
    return change;
}

struct store_change *api_change_new(struct api_call *call, enum store_op op, bool with_key) {
    return api_params_none(call) ? begin(call, op, with_key) : NULL;
}

struct store_change *api_change_with(struct api_call *call, enum store_op op,
                                     struct api_params *params) {
    return api_params_from_url(call, params) ? begin(call, op, false) : NULL;
}

bool api_change_body(struct api_call *call, struct store_change *change, struct api_json *in) {
    const char *why;
    enum status status = api_json_begin(in, &change->arena, call->body, &why);
    if (status == STATUS_OK)
        return true;
    (void)api_problem(call, status, why);
    store_change_free(change);
    return false;
}

enum api_outcome api_change_submit(struct api_call *call, struct store_change *change) {
    struct api_service *service = call->loop->service;
    enum status status = store_submit(service->store, call->loop->number, change);
    if (status == STATUS_OK)
        return API_PENDING;
    return drop(call, change, status,
                store_ready(service->store) ? "too many changes are waiting"
                                            : "the store does not take changes now");
}

enum api_outcome api_change_finish(struct api_call *call, struct store_change *change,
                                   struct api_json *in) {
    if (!api_json_failed(in)) {
        api_json_end(in);
        return api_change_submit(call, change);
    }
    enum api_outcome outcome = api_json_refuse(in, call);
    store_change_free(change);
    return outcome;
}

enum api_outcome api_change_refuse(struct api_call *call, struct store_change *change) {
    enum status status = change->done.status;
    enum api_outcome outcome = status == STATUS_NOT_ADMISSIBLE && change->reasons != NULL
                                   ? api_problem_reasons(call, change->reasons)
                                   : api_problem(call, status, change->detail);
    store_change_free(change);
    return outcome;
}

void api_change_replayed(struct api_call *call, const struct store_change *change) {
    if (change->replayed)
        api_header_set(call, "idempotency-replayed", SPAN("true"));
}

struct api_terms api_terms_for(const struct api_call *call, const struct store_change *change) {
    const struct api_service *service = call->loop->service;
    return (struct api_terms){.pack = change->pack,
                              .settings = atomic_load(&service->settings),
                              .viewer = call->viewer,
                              .now = store_time_ms(service->store)};
}

enum status api_change_target(const struct api_call *call, const struct uuid *id,
                              struct store_consent *out) {
    struct store_consent c;
    enum status status = store_consent_by_id(call->loop->reader, id, &c);
    if (status != STATUS_OK)
        return status;
    enum api_relation relation = api_viewer_relation_to_write(call->viewer, call->loop->reader, &c);
    if (relation == API_RELATION_NONE)
        return STATUS_NOT_FOUND;
    if (relation != API_RELATION_TENANT)
        return STATUS_INSUFFICIENT_SCOPE;
    if (c.erased != STORE_KEPT)
        return STATUS_ERASED;
    *out = c;
    return STATUS_OK;
}
