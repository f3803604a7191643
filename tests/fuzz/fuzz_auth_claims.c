/* Any JSON as the verified claims of a token: a signature keeps a fuzzer of whole tokens from ever
 * coming here. What is accepted keeps its bounds. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "auth/binding.h"
#include "auth/certificate.h"
#include "auth/claims.h"
#include "auth/name.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1711929600000)

/* A token that says nothing of a certificate is as good without one, and no other. */
static void check_binding(const json_t *payload, const struct auth_principal *principal) {
    static const struct span roles[] = {SPAN("role")};
    const struct auth_certificate certificate = {.application = SPAN("client"),
                                                 .member = SPAN("member"),
                                                 .roles = roles,
                                                 .role_count = 1,
                                                 .roles_present = true};
    const char *why = NULL;
    for (int i = AUTH_BINDING_NONE; i <= AUTH_BINDING_DIRECTORY; i++) {
        const struct auth_keys_issuer issuer = {.binding = (enum auth_binding)i};
        bool bound = json_object_get(payload, "cnf") != NULL;
        struct auth_principal with = *principal;
        struct auth_principal without = *principal;
        if (auth_binding_check(payload, &issuer, &certificate, &with, &why) == STATUS_OK) {
            ASSERT(i != AUTH_BINDING_X5T || bound);
            ASSERT(i != AUTH_BINDING_DIRECTORY ||
                   (span_is(with.client_id, "client") && span_is(with.tenant, "member")));
            ASSERT(i == AUTH_BINDING_DIRECTORY || span_equal(with.tenant, principal->tenant));
        } else {
            ASSERT(why != NULL && span_equal(with.tenant, principal->tenant));
        }
        bool good = auth_binding_check(payload, &issuer, NULL, &without, &why) == STATUS_OK;
        ASSERT(good == (i == AUTH_BINDING_NONE && !bound));
    }
}

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
    check_binding(payload, &principal);
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
