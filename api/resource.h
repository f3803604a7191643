/* The service as a protected resource: where its metadata are (RFC 9728). Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_RESOURCE_H
#define API_RESOURCE_H

#include "api/api.h"

#define API_RESOURCE_METADATA "/.well-known/oauth-protected-resource"

/* The URL of the metadata of a service reached by public_url, in the arena: the well-known path
 * stands between host and path (section 3.1). */
struct span api_resource_metadata_url(struct arena *arena, struct span public_url);

#endif
