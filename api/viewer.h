/* Who is looking: what of a principal outlives the call of auth_verify, and its relation to a
 * consent. Relation decides what may be seen and done (invariant 9). Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_VIEWER_H
#define API_VIEWER_H

#include "api/api.h"

struct api_viewer { /* spans in the call's arena */
    struct span client_id, member, tenant;
    unsigned scopes;
    const struct span *roles;
    uint32_t role_count;
    bool roles_known;
    const struct span *providers;
    uint32_t provider_count;
    bool all_providers;
};

enum api_relation {
    API_RELATION_NONE,
    API_RELATION_TENANT,
    API_RELATION_CLIENT,
    API_RELATION_AUDITOR,
    API_RELATION_RECIPIENT, /* named as an onward recipient: reads its part of one consent */
};

struct api_viewer *api_viewer_copy(struct arena *arena, const struct auth_principal *principal);
/* A list of names and what they name, in the arena. */
const struct span *api_viewer_copy_list(struct arena *arena, const struct span *list,
                                        uint32_t count);
bool api_viewer_may(const struct api_viewer *viewer, unsigned any_of_scopes);
/* audit:read, and the tenant among the providers that the token names. */
bool api_viewer_audits(const struct api_viewer *viewer, struct span tenant);
/* Tenant and client need consents:read or consents:write, an auditor audit:read and the tenant
 * among its providers. The widest relation wins: tenant, auditor, client. Inside a store_read. */
enum api_relation api_viewer_relation(const struct api_viewer *viewer, struct store_reader *reader,
                                      const struct store_consent *consent);
/* The same for writing, which an auditor never does: TENANT, CLIENT or NONE. */
enum api_relation api_viewer_relation_to_write(const struct api_viewer *viewer,
                                               struct store_reader *reader,
                                               const struct store_consent *consent);

#endif
