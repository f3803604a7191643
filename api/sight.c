/* From a caller's scopes and claims to the consents and entries it may read. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/sight.h"

enum api_relation api_sight_of(const struct api_call *call, const struct store_consent *consent) {
    struct api_viewer reader = *call->viewer;
    reader.scopes &= AUTH_CONSENTS_READ | AUTH_AUDIT_READ;
    return api_viewer_relation(&reader, call->loop->reader, consent);
}

struct api_sight api_sight_audit(const struct api_call *call) {
    const struct api_viewer *viewer = call->viewer;
    struct api_sight sight = {.client = SPAN_NONE};
    if (api_viewer_may(viewer, AUTH_AUDIT_READ)) {
        sight.everyone = viewer->all_providers;
        sight.tenants = viewer->providers;
        sight.tenant_count = viewer->provider_count;
    }
    return sight;
}

struct api_sight api_sight_all(const struct api_call *call) {
    const struct api_viewer *viewer = call->viewer;
    struct api_sight sight = api_sight_audit(call);
    if (!api_viewer_may(viewer, AUTH_CONSENTS_READ)) {
        return sight;
    }
    struct span *tenants = arena_array(call->arena, sight.tenant_count + 1, sizeof *tenants);
    for (uint32_t i = 0; i < sight.tenant_count; i++) {
        tenants[i] = sight.tenants[i];
    }
    tenants[sight.tenant_count] = viewer->tenant;
    sight.tenants = tenants;
    sight.tenant_count++;
    sight.client = viewer->client_id;
    return sight;
}

struct digest api_sight_digest(const struct api_sight *sight) {
    struct buffer text = {0};
    buffer_append_format(&text, "%d %u\n%.*s\n", sight->everyone, sight->tenant_count,
                         SPAN_ARG(sight->client));
    for (uint32_t i = 0; i < sight->tenant_count; i++) {
        buffer_append_format(&text, "%.*s\n", SPAN_ARG(sight->tenants[i]));
    }
    struct digest digest = digest_sha256(buffer_span(&text));
    buffer_release(&text);
    return digest;
}
