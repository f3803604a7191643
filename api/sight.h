/* What a caller may read: its own as a tenant, what names it as a client, and, for an auditor, what
 * belongs to the tenants that its token names (invariant 9). Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_SIGHT_H
#define API_SIGHT_H

#include "api/viewer.h"

/* The caller's relation to a consent for reading: like api_viewer_relation, but consents:write
 * alone opens nothing. Inside a store_read. */
enum api_relation api_sight_of(const struct api_call *call, const struct store_consent *consent);

/* The same as members of a filter. Spans and array live as long as the call. */
struct api_sight {
    bool everyone;
    const struct span *tenants;
    uint32_t tenant_count;
    struct span client; /* absent: nothing is seen as a client */
};
struct api_sight api_sight_all(const struct api_call *call);
/* Only what audit:read opens. */
struct api_sight api_sight_audit(const struct api_call *call);

/* Identity of who sees what, for cursors. */
struct digest api_sight_digest(const struct api_sight *sight);

#endif
