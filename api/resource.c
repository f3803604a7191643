/* What a client or an authorization server must know to get a token for this service (RFC 9728).
 * It says nothing that the configuration does not make public: whose tokens are believed, which
 * scopes there are, how tokens are presented and what they may be bound to.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/resource.h"

#include "api/handlers.h"
#include "api/http_out.h"
#include "base/json_out.h"

struct span api_resource_metadata_url(struct arena *arena, struct span public_url) {
    size_t end = span_starts(public_url, SPAN("https://")) ? 8 : 7;
    if (end > public_url.size)
        end = public_url.size;
    while (end < public_url.size && public_url.data[end] != '/')
        end++;
    return arena_format(arena, "%.*s" API_RESOURCE_METADATA "%.*s", (int)end, public_url.data,
                        (int)(public_url.size - end), public_url.data + end);
}

static void write_list(struct json_out *out, const char *name, const char *const *items) {
    json_out_key(out, name);
    json_out_array_begin(out);
    for (; *items != NULL; items++)
        json_out_string(out, span_of_text(*items));
    json_out_array_end(out);
}

static void write_issuers(struct json_out *out, const struct auth_keys *keys) {
    struct auth_issuer_state state;
    json_out_key(out, "authorization_servers");
    json_out_array_begin(out);
    for (uint32_t i = 0; keys != NULL && auth_keys_state(keys, i, &state); i++)
        json_out_string(out, state.issuer);
    json_out_array_end(out);
}

static void write_scopes(struct json_out *out) {
    json_out_key(out, "scopes_supported");
    json_out_array_begin(out);
    for (unsigned bit = 1; bit <= AUTH_ADMIN; bit <<= 1)
        json_out_string(out, span_of_text(auth_scope_name((enum auth_scope)bit)));
    json_out_array_end(out);
}

enum api_outcome api_resource_metadata(struct api_call *call) {
    static const char *const methods[] = {"header", NULL};
    static const char *const algorithms[] = {"ES256", NULL}; /* of receipts */
    static const char *const types[] = {"consent", NULL};
    const struct api_service *service = call->loop->service;
    const struct api_settings *settings = atomic_load(&service->settings);
    struct span url = settings->public_url;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member(&out, "resource", url);
    write_issuers(&out, atomic_load(&service->keys));
    write_scopes(&out);
    write_list(&out, "bearer_methods_supported", methods);
    json_out_member(&out, "jwks_uri",
                    arena_format(call->arena, "%.*s/.well-known/jwks.json", SPAN_ARG(url)));
    write_list(&out, "resource_signing_alg_values_supported", algorithms);
    json_out_member(&out, "resource_documentation",
                    arena_format(call->arena, "%.*s/docs", SPAN_ARG(url)));
    json_out_member_bool(&out, "tls_client_certificate_bound_access_tokens",
                         settings->certificates);
    write_list(&out, "authorization_details_types_supported", types);
    json_out_member_bool(&out, "dpop_bound_access_tokens_required", false);
    json_out_object_end(&out);
    api_header_set(call, "cache-control", SPAN("public, max-age=3600"));
    return api_respond(call, 200, "application/json");
}
