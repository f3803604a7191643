/* From method and path to a handler, by way of token, scopes, body and media types: what every
 * operation has in common stands here once. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <stdio.h>

#include "api/http_in.h"
#include "api/looks.h"
#include "api/http_out.h"
#include "api/problem.h"
#include "api/viewer.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/change.h"

#define SEGMENTS_MAX 10 /* of the longest path: the index of a tile has up to seven */

static bool unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Decodes one segment; false for anything but unreserved characters, plain or encoded. */
static bool decode_segment(struct arena *arena, struct span segment, struct span *out) {
    char *text = arena_alloc(arena, segment.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < segment.size; i++) {
        unsigned char c = (unsigned char)segment.data[i];
        if (c == '%') {
            if (segment.size - i < 3 ||
                decode_hex(span_of(segment.data + i + 1, 2), &c, 1) != STATUS_OK)
                return false;
            i += 2;
        }
        if (!unreserved(c))
            return false;
        text[size++] = (char)c;
    }
    text[size] = '\0';
    *out = span_of(text, size);
    return size > 0 && !span_is(*out, ".") && !span_is(*out, "..");
}

/* The segment after the '/' that path begins with; path moves past it. */
static struct span next_segment(struct span *path) {
    const char *start = path->data + 1;
    size_t left = path->size - 1;
    const char *slash = left != 0 ? memchr(start, '/', left) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - start) : left;
    *path = span_of(start + size, left - size);
    return span_of(start, size);
}

/* A path, decoded. */
struct segments {
    struct span of[SEGMENTS_MAX];
    unsigned count;
};

/* False for what no route can be. */
static bool split(struct arena *arena, struct span path, struct segments *out) {
    out->count = 0;
    while (path.size > 0 && path.data[0] == '/' && out->count < SEGMENTS_MAX)
        if (!decode_segment(arena, next_segment(&path), &out->of[out->count++]))
            return false;
    return path.size == 0;
}

/* template goes on with this segment: moves it past. */
static bool take_segment(const char **template, struct span segment) {
    const char *at = *template;
    if (*at != '/' || strncmp(at + 1, segment.data, segment.size) != 0)
        return false;
    *template = at + 1 + segment.size;
    return **template == '/' || **template == '\0';
}

/* The rest of a path, as it was sent: nothing in it is encoded. */
static struct span rest_of(struct span path, unsigned segments) {
    const char *at = path.data;
    for (unsigned i = 0; i <= segments; i++)
        at = (const char *)memchr(at, '/', path.size - (size_t)(at - path.data)) + 1;
    return span_of(at, path.size - (size_t)(at - path.data));
}

static bool path_matches(const struct api_call *call, const struct segments *path,
                         const char *template, struct span *id) {
    for (unsigned i = 0; i < path->count; i++) {
        if (strcmp(template, "/{tile}") == 0) {
            *id = rest_of(call->path, i);
            return true;
        }
        if (template[0] == '/' && template[1] == '{') {
            *id = path->of[i];
            template = strchr(template, '}') + 1;
        } else if (!take_segment(&template, path->of[i])) {
            return false;
        }
    }
    return *template == '\0';
}

static bool method_matches(struct span method, const char *route) {
    return span_is(method, route) || (span_is(method, "HEAD") && strcmp(route, "GET") == 0);
}

static void allow_add(char allow[64], const char *method) {
    size_t size = strlen(allow);
    snprintf(allow + size, 64 - size, "%s%s%s", size != 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

/* The first template that a path matches is what it stands for, with all its methods: the table has
 * a path without variables before those that cover it. */
enum status api_route_find(struct api_call *call, char allow[64]) {
    struct segments path;
    const char *template = NULL;
    struct span id = SPAN_NONE;
    allow[0] = '\0';
    if (!split(call->arena, call->path, &path))
        return STATUS_NOT_FOUND;
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        if (template == NULL) {
            id = SPAN_NONE;
            if (!path_matches(call, &path, route->path, &id))
                continue;
            template = route->path;
        } else if (strcmp(route->path, template) != 0) {
            continue;
        }
        if (method_matches(call->method, route->method)) {
            call->route = route;
            call->path_id = id;
            return STATUS_OK;
        }
        allow_add(allow, route->method);
    }
    return template != NULL ? STATUS_METHOD_NOT_ALLOWED : STATUS_NOT_FOUND;
}

const char *api_route_template(const struct api_route *route) {
    return route != NULL ? route->path : "(none)";
}

const struct api_route *api_route_at(unsigned number, const char **method) {
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        if (number-- == 0) {
            *method = route->method;
            return route;
        }
    }
    return NULL;
}

unsigned api_route_number(const struct api_route *route) {
    return (unsigned)(route - api_routes);
}

/* ---- before the handler */

static bool is_open(const struct api_call *call) {
    enum api_door door = call->route->door;
    return door == API_OPEN ||
           (door == API_OPEN_LOG && atomic_load(&call->loop->service->settings)->log_public);
}

/* A proxy in front may have looked at the other one. */
static bool has_one_authorization(const struct api_call *call) {
    unsigned count = 0;
    for (uint32_t i = 0; i < call->header_count; i++)
        count += span_is(call->headers[i].name, "authorization");
    return count <= 1;
}

/* The application that the certificate names, with its member and roles: it may do what it may do
 * as the client of a consent, so it has no scopes. A token is not looked at. */
static bool authenticate_by_certificate(struct api_call *call) {
    const struct auth_certificate *certificate = call->certificate;
    if (certificate == NULL) {
        (void)api_problem_certificate(call, "no_certificate",
                                      "a client certificate of the Directory is needed");
        return false;
    }
    if (!span_present(certificate->application)) {
        (void)api_problem_certificate(call, "no_application", certificate->no_application);
        return false;
    }
    const struct auth_principal principal = {
        .client_id = certificate->application,
        .member = certificate->member,
        .roles = certificate->roles,
        .role_count = certificate->role_count,
        .roles_known = true,
    };
    call->viewer = api_viewer_copy(call->arena, &principal);
    call->client_id = call->viewer->client_id;
    return true;
}

/* A static key. Every one is compared, in constant time each; the tenant becomes the call's state.
 */
static bool authenticate_by_key(struct api_call *call) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    struct span key = api_header_get(call, "x-api-key");
    struct digest digest = digest_sha256(key);
    for (uint32_t i = 0; span_present(key) && i < settings->tenant_count; i++) {
        const struct api_tenant_setting *tenant = &settings->tenants[i];
        if (tenant->hook_key_file != NULL && digest_equal(&tenant->hook_key, &digest))
            call->state = (void *)(uintptr_t)tenant;
    }
    if (call->state == NULL)
        (void)api_problem(call, STATUS_UNAUTHENTICATED, "X-API-Key is no key of a hook");
    return call->state != NULL;
}

/* True when the call may go on; else the response is made. */
static bool authenticate(struct api_call *call) {
    struct api_loop *loop = call->loop;
    struct auth_principal principal;
    struct auth_refusal refusal = {.why = NULL};
    if (is_open(call))
        return true;
    if (call->route->door == API_CERTIFICATE)
        return authenticate_by_certificate(call);
    if (call->route->door == API_HOOK)
        return authenticate_by_key(call);
    if (!has_one_authorization(call)) {
        refusal.why = "The request has more than one Authorization header.";
        (void)api_problem_unauthenticated(call, &refusal);
        return false;
    }
    const struct auth_credentials credentials = {
        .authorization = api_header_get(call, "authorization"),
        .peer = call->peer,
        .certificate = call->certificate,
        .now_ms = store_time_ms(loop->service->store),
    };
    enum status status = auth_verify(loop->auth, atomic_load(&loop->service->keys), &credentials,
                                     &principal, &refusal);
    if (refusal.keys_wanted && loop->service->keys_wanted != NULL)
        loop->service->keys_wanted(loop->service->context);
    if (status == STATUS_UNAUTHENTICATED) {
        (void)api_problem_unauthenticated(call, &refusal);
        return false;
    }
    if (status != STATUS_OK) {
        (void)api_problem(call, status, "too many of your tokens were refused");
        return false;
    }
    call->viewer = api_viewer_copy(call->arena, &principal);
    call->client_id = call->viewer->client_id;
    if (call->route->scopes != 0 && !api_viewer_may(call->viewer, call->route->scopes)) {
        (void)api_problem_scope(call, call->route->scopes);
        return false;
    }
    return true;
}

static bool check_body(struct api_call *call) {
    enum api_body body = call->route->body;
    if (call->body_truncated) {
        (void)api_problem(call, STATUS_BODY_TOO_LARGE, "a body has at most 1048576 bytes");
        return false;
    }
    if (body == API_NO_BODY || (body == API_JSON_OPTIONAL && call->body.size == 0))
        return true;
    struct span type = api_header_get(call, "content-type");
    const char *wanted =
        body == API_FORM_BODY ? "application/x-www-form-urlencoded" : "application/json";
    if (api_media_type_is(type, wanted))
        return true;
    enum status status =
        body == API_ACCESS_BODY ? STATUS_INVALID_BODY : STATUS_UNSUPPORTED_MEDIA_TYPE;
    struct span detail = arena_format(call->arena, "the body must be %s", wanted);
    (void)api_problem(call, status, detail.data);
    return false;
}

static bool check_accept(struct api_call *call) {
    if (api_accepts(api_header_get(call, "accept"), call->route->produces))
        return true;
    struct span detail =
        arena_format(call->arena, "this operation produces %s", call->route->produces);
    (void)api_problem(call, STATUS_NOT_ACCEPTABLE, detail.data);
    return false;
}

enum api_outcome api_handle(struct api_call *call) {
    char allow[64];
    enum status found = api_route_find(call, allow);
    if (found == STATUS_OK && call->on_public && !is_open(call)) {
        call->route = NULL;
        found = STATUS_NOT_FOUND;
    }
    if (found == STATUS_METHOD_NOT_ALLOWED && !call->on_public)
        return api_problem_method(call, allow);
    if (found == STATUS_METHOD_NOT_ALLOWED)
        found = STATUS_NOT_FOUND;
    if (found != STATUS_OK)
        return api_problem(call, found, NULL);
    if (!authenticate(call) || !check_body(call) || !check_accept(call))
        return API_DONE;
    enum api_outcome outcome = call->route->handle(call);
    if (outcome == API_DONE)
        api_looks_note(call);
    return outcome;
}

/* Another pack came into force while the change waited: the call is read again, under that one. */
static enum api_outcome handle_again(struct api_call *call, struct store_change *change) {
    store_change_free(change);
    api_response_reset(call);
    call->state = NULL;
    return call->route->handle(call);
}

enum api_outcome api_reply(struct api_call *call, struct store_change *change) {
    return change->outdated ? handle_again(call, change) : call->route->reply(call, change);
}

enum api_outcome api_look_again(struct api_call *call, enum api_wake why) {
    enum api_outcome outcome = call->look(call, why);
    ASSERT(outcome == API_DONE || why == API_WAKE_NEWS);
    return outcome;
}

void api_refuse(struct api_call *call, enum status status, const char *detail) {
    (void)api_problem(call, status, detail);
}

void api_refuse_certificate(struct api_call *call, const char *cause, const char *detail) {
    (void)api_problem_certificate(call, cause, detail);
}
