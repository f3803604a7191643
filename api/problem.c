/* Problem documents. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/problem.h"

#include "api/http_out.h"
#include "api/problem_page.h"
#include "api/resource.h"
#include "api/router.h"
#include "api/viewer.h"
#include "policy/clause.h"

#define RETRY_AFTER SPAN("1")

static void begin(struct api_call *call, struct json_out *out, enum status status,
                  const char *detail) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    buffer_clear(&call->response.body);
    *out = json_out_to(&call->response.body);
    json_out_object_begin(out);
    json_out_key(out, "type");
    struct span type = arena_format(call->arena, "%.*s/problems/%s", SPAN_ARG(settings->public_url),
                                    status_name(status));
    json_out_string(out, type);
    json_out_member(out, "title", span_of_text(status_title(status)));
    json_out_member_int(out, "status", status_http(status));
    bool told = detail != NULL && detail[0] != '\0';
    json_out_member(out, "detail", span_of_text(told ? detail : api_problem_meaning(status)));
    if (call->request_id.size != 0)
        json_out_member(out, "instance", call->request_id);
}

static enum api_outcome end(struct api_call *call, struct json_out *out, enum status status) {
    json_out_object_end(out);
    int http = status_http(status);
    if (http == 429 || http == 503 || http == 507)
        api_header_set(call, "retry-after", RETRY_AFTER);
    return api_respond(call, http, "application/problem+json");
}

/* RFC 6750 section 3: scheme, then the error; RFC 9728 section 5.1: where to learn more. why is a
 * sentence of ours without quotes. */
static void challenge(struct api_call *call, const char *error, const char *why,
                      struct span scope) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    struct span metadata = api_resource_metadata_url(call->arena, settings->public_url);
    struct buffer text = {0};
    buffer_append_text(&text, "Bearer realm=\"consentd\"");
    if (error != NULL)
        buffer_append_format(&text, ", error=\"%s\"", error);
    if (why != NULL)
        buffer_append_format(&text, ", error_description=\"%s\"", why);
    if (scope.size != 0)
        buffer_append_format(&text, ", scope=\"%.*s\"", SPAN_ARG(scope));
    buffer_append_format(&text, ", resource_metadata=\"%.*s\"", SPAN_ARG(metadata));
    api_header_set(call, "www-authenticate", arena_copy(call->arena, buffer_span(&text)));
    buffer_release(&text);
}

/* Names separated by spaces, in the arena; size 0 for no scope. */
static struct span scope_names(struct api_call *call, unsigned scopes) {
    struct buffer names = {0};
    for (unsigned bit = 1; bit <= AUTH_ADMIN; bit <<= 1)
        if ((scopes & bit) != 0)
            buffer_append_format(&names, "%s%s", names.size != 0 ? " " : "",
                                 auth_scope_name((enum auth_scope)bit));
    buffer_append(&names, "", 1);
    struct span list = arena_copy(call->arena, span_of(names.data, names.size - 1));
    buffer_release(&names);
    return list;
}

enum api_outcome api_problem(struct api_call *call, enum status status, const char *detail) {
    struct json_out out;
    begin(call, &out, status, detail);
    if (status == STATUS_INSUFFICIENT_SCOPE)
        challenge(call, "insufficient_scope", NULL, SPAN_NONE);
    if (status == STATUS_UNAUTHENTICATED)
        challenge(call, "invalid_token", NULL, SPAN_NONE);
    return end(call, &out, status);
}

enum api_outcome api_problem_errors(struct api_call *call, enum status status, const char *detail,
                                    const struct api_errors *errors) {
    struct json_out out;
    begin(call, &out, status, detail);
    json_out_key(&out, "errors");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < errors->count; i++) {
        json_out_object_begin(&out);
        json_out_member(&out, "pointer", errors->items[i].pointer);
        json_out_member(&out, "detail", errors->items[i].detail);
        json_out_object_end(&out);
    }
    json_out_array_end(&out);
    return end(call, &out, status);
}

static void write_reasons(struct json_out *out, const struct policy_reasons *reasons) {
    json_out_key(out, "reasons");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < reasons->count; i++) {
        json_out_object_begin(out);
        json_out_member(out, "code", span_of_text(reasons->items[i].code));
        json_out_member(out, "clause", span_of_text(reasons->items[i].clause));
        json_out_member(out, "detail", span_of_text(reasons->items[i].detail));
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* The clause about who calls, NULL when that is not what is wrong. */
static const char *wrong_role(const struct policy_reasons *reasons) {
    for (uint32_t i = 0; i < reasons->count; i++)
        if (strcmp(reasons->items[i].code, policy_clause_code(CLAUSE_TENANT_ROLE_WRONG)) == 0)
            return reasons->items[i].detail;
    return NULL;
}

/* Roles are URLs of the scheme: no person's. */
static const char *with_presented(struct api_call *call, const char *needed) {
    const struct api_viewer *viewer = call->viewer;
    struct buffer text = {0};
    buffer_append_format(&text, "%s; presented: ", needed);
    for (uint32_t i = 0; i < viewer->role_count; i++)
        buffer_append_format(&text, "%s%.*s", i != 0 ? ", " : "", SPAN_ARG(viewer->roles[i]));
    if (viewer->role_count == 0)
        buffer_append_text(&text, "none");
    struct span copy = arena_copy(call->arena, buffer_span(&text));
    buffer_release(&text);
    return copy.data;
}

enum api_outcome api_problem_reasons(struct api_call *call, const struct policy_reasons *reasons) {
    struct json_out out;
    const char *needed = wrong_role(reasons);
    enum status status = needed != NULL ? STATUS_WRONG_ROLE : STATUS_NOT_ADMISSIBLE;
    begin(call, &out, status, needed != NULL ? with_presented(call, needed) : NULL);
    write_reasons(&out, reasons);
    return end(call, &out, status);
}

enum api_outcome api_problem_unauthenticated(struct api_call *call,
                                             const struct auth_refusal *refusal) {
    struct json_out out;
    const char *why = refusal->missing ? "a bearer token is needed" : refusal->why;
    begin(call, &out, STATUS_UNAUTHENTICATED, why);
    if (refusal->missing)
        challenge(call, NULL, NULL, scope_names(call, call->route->scopes));
    else
        challenge(call, "invalid_token", why, SPAN_NONE);
    return end(call, &out, STATUS_UNAUTHENTICATED);
}

enum api_outcome api_problem_certificate(struct api_call *call, const char *cause,
                                         const char *detail) {
    struct json_out out;
    begin(call, &out, STATUS_CERTIFICATE_REFUSED, detail);
    json_out_member(&out, "cause", span_of_text(cause));
    challenge(call, NULL, NULL, SPAN_NONE);
    return end(call, &out, STATUS_CERTIFICATE_REFUSED);
}

enum api_outcome api_problem_scope(struct api_call *call, unsigned scopes) {
    struct json_out out;
    struct span list = scope_names(call, scopes);
    struct span detail =
        arena_format(call->arena, "the token needs one of the scopes: %s", list.data);
    begin(call, &out, STATUS_INSUFFICIENT_SCOPE, detail.data);
    challenge(call, "insufficient_scope", NULL, list);
    return end(call, &out, STATUS_INSUFFICIENT_SCOPE);
}

enum api_outcome api_problem_oauth(struct api_call *call, enum status status, const char *error,
                                   const char *detail) {
    struct json_out out;
    begin(call, &out, status, detail);
    json_out_member(&out, "error", span_of_text(error));
    json_out_member(&out, "error_description", span_of_text(detail));
    return end(call, &out, status);
}

enum api_outcome api_problem_method(struct api_call *call, const char *allow) {
    api_header_set(call, "allow", arena_copy(call->arena, span_of_text(allow)));
    return api_problem(call, STATUS_METHOD_NOT_ALLOWED, NULL);
}
