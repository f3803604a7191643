/* Reads of auditors and administrators, gathered; see looks.h. What is noted is the operation and,
 * where the path or a parameter names one, the consent or the entry: never an account or another
 * filter (invariant 10). Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/looks.h"

#include "api/http_in.h"
#include "api/router.h"
#include "api/viewer.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/look.h"

/* Reads of what the log holds. Proofs and heads show nothing of it. */
static bool is_noted(const struct api_call *call) {
    const struct api_route *route = call->route;
    struct span path = span_of_text(route->path);
    return call->response.status == 200 && route->reply == NULL && call->viewer != NULL &&
           api_viewer_may(call->viewer, AUTH_AUDIT_READ | AUTH_ADMIN) &&
           (route->scopes & (AUTH_AUDIT_READ | AUTH_ADMIN)) != 0 &&
           span_starts(path, SPAN("/v1/")) && !span_starts(path, SPAN("/v1/audit/proofs/")) &&
           !span_is(path, "/v1/audit/heads");
}

/* The text behind the last point of a decision's id is its entry. */
static uint64_t entry_of(struct span id) {
    const char *point = id.size != 0 ? memrchr(id.data, '.', id.size) : NULL;
    uint64_t index;
    if (point != NULL)
        id = span_of(point + 1, id.size - (size_t)(point + 1 - id.data));
    return decode_decimal(id, &index) == STATUS_OK ? index : STORE_INDEX_NONE;
}

static void name_what(struct api_call *call, struct store_look *look) {
    enum status status = STATUS_OK;
    struct span query = call->query, name, value;
    struct span path = span_of_text(call->route->path);
    look->entry = STORE_INDEX_NONE;
    if (span_starts(path, SPAN("/v1/consents/{id}")))
        look->has_consent = uuid_from_text(call->path_id, &look->consent) == STATUS_OK;
    else if (span_present(call->path_id))
        look->entry = entry_of(call->path_id);
    while (!look->has_consent && api_query_next(call->arena, &query, &name, &value, &status))
        if (span_is(name, "consentId"))
            look->has_consent = uuid_from_text(value, &look->consent) == STATUS_OK;
}

static bool is_same(const struct store_look *a, const struct store_look *b) {
    return a->role == b->role && a->entry == b->entry && a->has_consent == b->has_consent &&
           (!a->has_consent || uuid_equal(&a->consent, &b->consent)) &&
           span_equal(a->operation, b->operation) && span_equal(a->client_id, b->client_id);
}

/* Copies what names whom it is about: the caller's tenants, unless a thing was named. */
static void keep(struct store_change *change, const struct api_viewer *viewer,
                 const struct store_look *seen) {
    struct store_look *look = &change->looks[change->look_count++];
    *look = *seen;
    look->client_id = arena_copy(&change->arena, seen->client_id);
    look->operation = arena_copy(&change->arena, seen->operation);
    if (seen->has_consent || seen->entry != STORE_INDEX_NONE || viewer->all_providers)
        return;
    struct span *tenants = arena_array(&change->arena, viewer->provider_count + 1, sizeof *tenants);
    for (uint32_t i = 0; i < viewer->provider_count; i++)
        tenants[i] = arena_copy(&change->arena, viewer->providers[i]);
    look->tenants = tenants;
    look->tenant_count = viewer->provider_count;
}

static struct store_change *gathering(struct api_loop *loop) {
    if (loop->looks == NULL) {
        loop->looks = store_change_new();
        loop->looks->op = STORE_LOOK;
        loop->looks->looks =
            arena_array(&loop->looks->arena, STORE_LOOKS_MAX, sizeof *loop->looks->looks);
    }
    return loop->looks;
}

/* Counts it with what is the same, or adds it. */
static void note(struct api_call *call, struct store_look *seen) {
    seen->count = 1;
    seen->first = seen->last = store_time_ms(call->loop->service->store);
    seen->operation =
        arena_format(call->arena, "%.*s %s", SPAN_ARG(call->method), call->route->path);
    struct store_change *change = gathering(call->loop);
    for (uint32_t i = 0; i < change->look_count; i++) {
        if (is_same(&change->looks[i], seen)) {
            change->looks[i].count++;
            change->looks[i].last = seen->last;
            return;
        }
    }
    if (change->look_count == STORE_LOOKS_MAX) {
        log_event(LOG_WARN, "audit.look_lost", LOG_TEXT("why", "the writer is busy"));
        return;
    }
    keep(change, call->viewer, seen);
    if (change->look_count == STORE_LOOKS_MAX)
        api_looks_flush(call->loop);
}

static bool is_off(const struct api_call *call) {
    return atomic_load(&call->loop->service->settings)->note_reads_s == 0;
}

void api_looks_note(struct api_call *call) {
    if (is_off(call) || !is_noted(call))
        return;
    struct store_look seen = {
        .client_id = call->viewer->client_id,
        .role = api_viewer_may(call->viewer, AUTH_AUDIT_READ) ? STORE_BY_AUDITOR : STORE_BY_ADMIN,
    };
    name_what(call, &seen);
    note(call, &seen);
}

void api_looks_note_evidence(struct api_call *call, const struct uuid *consent) {
    struct store_look seen = {.role = STORE_BY_SYSTEM,
                              .has_consent = true,
                              .consent = *consent,
                              .entry = STORE_INDEX_NONE};
    if (!is_off(call))
        note(call, &seen);
}

void api_looks_flush(struct api_loop *loop) {
    if (loop->looks != NULL &&
        store_submit(loop->service->store, loop->number, loop->looks) == STATUS_OK)
        loop->looks = NULL;
}
