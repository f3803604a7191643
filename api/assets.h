/* Documents that are part of the program: the contract and its reference page. Private to api/.
 *
 * Threads: constant. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "base/span.h"

/* openapi.yaml, as it stands in the repository. Static. */
struct span api_asset_openapi(void);
/* api/assets/docs.html, made from openapi.yaml by tools/make_docs.py. Static. */
struct span api_asset_docs(void);

#endif
