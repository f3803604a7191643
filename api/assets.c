/* The bytes that assets_data.S embeds. Threads: constant. */
// SPDX-License-Identifier: Apache-2.0
#include "api/assets.h"

extern const char api_assets_openapi_begin[], api_assets_openapi_end[];
extern const char api_assets_docs_begin[], api_assets_docs_end[];

struct span api_asset_openapi(void) {
    return span_of(api_assets_openapi_begin,
                   (size_t)(api_assets_openapi_end - api_assets_openapi_begin));
}

struct span api_asset_docs(void) {
    return span_of(api_assets_docs_begin, (size_t)(api_assets_docs_end - api_assets_docs_begin));
}
