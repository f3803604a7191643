/* Any JSON as the verified claims of a token: a signature keeps a fuzzer of whole tokens from ever
 * coming here. What is accepted keeps its bounds. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "auth/claims.h"
#include "auth/name.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1711929600000)

static void read_claims(const json_t *payload) {
    const struct auth_keys_issuer issuer = {.audience = SPAN("consentd"),
                                            .roles_claim = SPAN("roles")};
    struct auth_principal_room room;
    struct auth_principal principal;
    int64_t expires_ms = 0;
    const char *why = NULL;
    if (auth_claims_check(payload, &issuer, NOW_MS, &expires_ms, &why) == STATUS_OK) {
        ASSERT(expires_ms > NOW_MS && expires_ms <= INT64_C(253402300800000));
    } else {
        ASSERT(why != NULL);
    }
    why = NULL;
    if (auth_principal_read(payload, &issuer, &room, &principal, &why) != STATUS_OK) {
        ASSERT(why != NULL);
        return;
    }
    ASSERT(auth_name_valid(principal.client_id) && auth_name_valid(principal.tenant));
    ASSERT(principal.role_count <= LIMIT_ROLES && principal.provider_count <= LIMIT_PROVIDERS);
    for (uint32_t i = 0; i < principal.provider_count; i++) {
        ASSERT(auth_name_valid(principal.providers[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *payload = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(payload)) {
        read_claims(payload);
    }
    json_decref(payload);
    return 0;
}
