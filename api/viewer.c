/* Viewers and their relation to a consent. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/viewer.h"

const struct span *api_viewer_copy_list(struct arena *arena, const struct span *list,
                                        uint32_t count) {
    struct span *copy = arena_array(arena, count, sizeof *copy);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = arena_copy(arena, list[i]);
    return copy;
}

struct api_viewer *api_viewer_copy(struct arena *arena, const struct auth_principal *principal) {
    struct api_viewer *viewer = arena_array(arena, 1, sizeof *viewer);
    *viewer = (struct api_viewer){
        .client_id = arena_copy(arena, principal->client_id),
        .member = arena_copy(arena, principal->member),
        .tenant = arena_copy(arena, principal->tenant),
        .scopes = principal->scopes,
        .roles = api_viewer_copy_list(arena, principal->roles, principal->role_count),
        .role_count = principal->role_count,
        .roles_known = principal->roles_known,
        .providers = api_viewer_copy_list(arena, principal->providers, principal->provider_count),
        .provider_count = principal->provider_count,
        .all_providers = principal->all_providers,
    };
    return viewer;
}

bool api_viewer_may(const struct api_viewer *viewer, unsigned any_of_scopes) {
    return (viewer->scopes & any_of_scopes) != 0;
}

bool api_viewer_audits(const struct api_viewer *viewer, struct span tenant) {
    if (!api_viewer_may(viewer, AUTH_AUDIT_READ))
        return false;
    for (uint32_t i = 0; i < viewer->provider_count; i++)
        if (span_equal(viewer->providers[i], tenant))
            return true;
    return viewer->all_providers;
}

enum api_relation api_viewer_relation(const struct api_viewer *viewer, struct store_reader *reader,
                                      const struct store_consent *consent) {
    struct span tenant = store_name(reader, STORE_NAME_MEMBER, consent->tenant);
    struct span client = store_name(reader, STORE_NAME_MEMBER, consent->client);
    bool party = api_viewer_may(viewer, AUTH_CONSENTS_READ | AUTH_CONSENTS_WRITE);
    if (party && span_equal(viewer->tenant, tenant))
        return API_RELATION_TENANT;
    if (api_viewer_audits(viewer, tenant))
        return API_RELATION_AUDITOR;
    if (party && span_equal(viewer->client_id, client))
        return API_RELATION_CLIENT;
    return API_RELATION_NONE;
}

enum api_relation api_viewer_relation_to_write(const struct api_viewer *viewer,
                                               struct store_reader *reader,
                                               const struct store_consent *consent) {
    struct api_viewer writer = *viewer;
    writer.scopes &= AUTH_CONSENTS_WRITE;
    return api_viewer_relation(&writer, reader, consent);
}
