/* Any bytes as an Authorization header: nothing but a token that the fixed key signed is accepted,
 * a principal keeps its bounds, and the cache says what the verification said. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdio.h>

#include "auth/auth.h"
#include "auth/keys.h"
#include "auth/name.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1711929600000)

/* The public half of a key whose private half signed the corpus and was thrown away. */
static const char jwk[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"CF27pqIdh5-gdq_IYtyjDI98BCd7YnR3zB-"
    "VPBkZRdc\",\"y\":\"-gKRIlgH4vXjhYNId9vuqphF66qoWGgkxFpdn6si674\"}";

static struct auth_keys *keys_make(void) {
    struct buffer why = {0};
    struct auth_keys *keys = auth_keys_new(1);
    const struct auth_issuer config = {.issuer = SPAN("https://as.example"),
                                       .audience = SPAN("consentd"),
                                       .roles_claim = SPAN("roles"),
                                       .renewed = true};
    auth_keys_add(keys, &config);
    ASSERT(auth_keys_read(&keys->issuers[0], span_of_text(jwk), "jwk", &why) == STATUS_OK);
    return keys;
}

static void check_names(const struct span *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ASSERT(auth_name_valid(names[i]));
    }
}

static void check_principal(const struct auth_principal *principal) {
    ASSERT(auth_name_valid(principal->client_id));
    ASSERT(auth_name_valid(principal->tenant));
    ASSERT(!span_present(principal->member) || auth_name_valid(principal->member));
    ASSERT(principal->expires_ms > NOW_MS);
    ASSERT(principal->role_count <= LIMIT_ROLES && principal->provider_count <= LIMIT_PROVIDERS);
    check_names(principal->roles, principal->role_count);
    check_names(principal->providers, principal->provider_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct auth_keys *keys;
    static struct auth_loop *loop;
    static unsigned peers; /* each input comes from another peer: the limit is not what is tested */
    char peer[32];
    struct auth_principal first;
    struct auth_principal second;
    struct auth_refusal refusal = {0};
    if (keys == NULL) {
        keys = keys_make();
        loop = auth_loop_new();
    }
    struct span header = span_of((const char *)data, size);
    int peer_size = snprintf(peer, sizeof peer, "peer %u", peers++);
    struct span from = span_of(peer, (size_t)peer_size);
    const struct auth_credentials credentials = {
        .authorization = header, .peer = from, .now_ms = NOW_MS};
    enum status status = auth_verify(loop, keys, &credentials, &first, &refusal);
    ASSERT(status == STATUS_OK || (status == STATUS_UNAUTHENTICATED && refusal.why != NULL));
    ASSERT(auth_verify(loop, keys, &credentials, &second, &refusal) == status);
    if (status == STATUS_OK) {
        check_principal(&second);
        ASSERT(second.scopes == first.scopes && second.role_count == first.role_count);
    }
    return 0;
}
