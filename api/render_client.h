/* What a client sees of a consent's terms: private to the rendering of consents. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_RENDER_CLIENT_H
#define API_RENDER_CLIENT_H

#include "api/render.h"

/* What stands in the terms, and the names that make the account's pairwise id. */
struct api_client_view {
    const struct store *store;
    const struct store_terms *terms;
    struct span tenant, provider, client; /* client: whose account id it is */
    const struct policy_pack *pack;       /* for an onward recipient, else NULL */
    struct span license;
};
/* The account as its provider knows it, in arena; absent while the consent has none. */
struct span api_render_client_provider_account(const struct store_terms *terms,
                                               struct arena *arena);
/* The pairwise id of the consent's account; false while it has none. */
bool api_render_client_account(const struct api_client_view *view, char out[API_PAIRWISE_SIZE + 1]);
/* Writes the stored terms, the account and the grant, reduced to the whitelist, and for an onward
 * recipient to its part. */
void api_render_client_terms(const struct api_client_view *view, struct json_out *out);

#endif
