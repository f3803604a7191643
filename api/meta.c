/* What the service says about itself, to anybody: liveness, readiness, metrics, version, the
 * contract and the pages behind it. Nothing here needs a token, so nothing here tells who uses it.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/assets.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/policy_view.h"
#include "api/problem.h"
#include "api/problem_page.h"
#include "base/json_out.h"
#include "base/timestamp.h"

#define NOT_STORED SPAN("no-store")
#define AN_HOUR SPAN("public, max-age=3600")
/* The pages bring everything with them: nothing is fetched from anywhere. */
#define PAGE_RULES SPAN("default-src 'none'; style-src 'unsafe-inline'; img-src data:")

static enum api_outcome answer_page(struct api_call *call) {
    api_header_set(call, "cache-control", AN_HOUR);
    api_header_set(call, "content-security-policy", PAGE_RULES);
    return api_respond(call, 200, "text/html; charset=utf-8");
}

/* The process answers: that is all that liveness means. */
enum api_outcome api_healthz(struct api_call *call) {
    call->response.fixed_body = SPAN("{\"status\":\"ok\"}");
    api_header_set(call, "cache-control", NOT_STORED);
    return api_respond(call, 200, "application/json");
}

/* Whose tokens can be verified, and since when their URLs have been silent. */
static void write_issuers(struct api_call *call, struct json_out *out) {
    const struct auth_keys *keys = atomic_load(&call->loop->service->keys);
    struct auth_issuer_state state;
    char time[TIMESTAMP_SIZE + 1];
    json_out_key(out, "issuers");
    json_out_array_begin(out);
    for (uint32_t i = 0; keys != NULL && auth_keys_state(keys, i, &state); i++) {
        json_out_object_begin(out);
        json_out_member(out, "issuer", state.issuer);
        json_out_member_int(out, "keys", state.key_count);
        if (state.renewed_s != 0) {
            timestamp_format(state.renewed_s * 1000, time);
            json_out_member(out, "renewedAt", span_of(time, TIMESTAMP_SIZE));
        }
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* What is in force, and what a reload would have put in force: for who may see metrics. */
static void write_details(struct api_call *call, struct json_out *out) {
    struct api_service *service = call->loop->service;
    const struct policy_pack *pack = atomic_load(&service->pack);
    const char *refused = atomic_load(&service->reload_refused);
    json_out_key(out, "details");
    json_out_object_begin(out);
    if (pack != NULL) {
        json_out_key(out, "policy");
        json_out_object_begin(out);
        api_policy_view_identity(pack, out);
        json_out_object_end(out);
    }
    write_issuers(call, out);
    json_out_member_optional(out, "reloadRefused", span_of_text(refused));
    json_out_object_end(out);
}

static bool is_operator(const struct api_call *call) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    return call->on_admin ||
           (!call->on_public && (call->peer_is_loopback || settings->metrics_public));
}

/* Every check is named with its outcome, so that an operator sees which one it is. */
enum api_outcome api_readyz(struct api_call *call) {
    struct api_service *service = call->loop->service;
    struct store_stats stats;
    store_stats_get(service->store, &stats);
    const struct auth_keys *keys = atomic_load(&service->keys);
    const struct {
        const char *name;
        bool fine;
    } checks[] = {
        {"store", !stats.failed},
        {"writer", store_ready(service->store)},
        {"pack", atomic_load(&service->pack) != NULL},
        {"keys", keys != NULL && auth_keys_complete(keys)},
        {"accepting", service->draining == NULL || !service->draining(service->context)},
    };
    enum { COUNT = sizeof checks / sizeof checks[0] };
    bool ready = true;
    for (size_t i = 0; i < COUNT; i++) {
        ready = ready && checks[i].fine;
    }
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member(&out, "status", ready ? SPAN("ready") : SPAN("notReady"));
    json_out_key(&out, "checks");
    json_out_object_begin(&out);
    for (size_t i = 0; i < COUNT; i++) {
        json_out_member_bool(&out, checks[i].name, checks[i].fine);
    }
    json_out_object_end(&out);
    if (is_operator(call)) {
        write_details(call, &out);
    }
    json_out_object_end(&out);
    if (!ready) {
        api_header_set(call, "retry-after", SPAN("1"));
    }
    api_header_set(call, "cache-control", NOT_STORED);
    return api_respond(call, ready ? 200 : 503, "application/json");
}

/* Counts show how much happens in all: for the operator only (invariant 9). Elsewhere there is no
 * such page. */
enum api_outcome api_metrics(struct api_call *call) {
    struct api_service *service = call->loop->service;
    if (!is_operator(call)) {
        return api_problem(call, STATUS_NOT_FOUND, NULL);
    }
    if (service->metrics != NULL) {
        service->metrics(service->context, &call->response.body);
    }
    api_header_set(call, "cache-control", NOT_STORED);
    return api_respond(call, 200, "text/plain; version=0.0.4");
}

enum api_outcome api_version(struct api_call *call) {
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member(&out, "name", SPAN("consentd"));
    json_out_member(&out, "version", span_of_text(call->loop->service->version));
    json_out_object_end(&out);
    api_header_set(call, "cache-control", NOT_STORED);
    return api_respond(call, 200, "application/json");
}

enum api_outcome api_openapi(struct api_call *call) {
    call->response.fixed_body = api_asset_openapi();
    api_header_set(call, "cache-control", AN_HOUR);
    return api_respond(call, 200, "application/yaml");
}

enum api_outcome api_docs(struct api_call *call) {
    call->response.fixed_body = api_asset_docs();
    return answer_page(call);
}

enum api_outcome api_problem_type(struct api_call *call) {
    enum status problem = status_by_name(call->path_id.data, call->path_id.size);
    if (problem == STATUS_OK) {
        return api_problem(call, STATUS_NOT_FOUND, NULL);
    }
    api_problem_page(problem, &call->response.body);
    return answer_page(call);
}
