/* Any bytes as a key file: it is refused with a sentence, or every key in it can be used. The same
 * bytes as a set that was fetched: what a file may hold, that may hold, and more. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "auth/keys.h"
#include "auth/signature.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct auth_keys_issuer *issuer) {
    char signature[64] = {0};
    ASSERT(issuer->key_count > 0);
    for (uint32_t i = 0; i < issuer->key_count; i++) {
        ASSERT(issuer->keys[i].pkey != NULL);
        bool valid = auth_signature_verify(&issuer->keys[i], SPAN("message"),
                                           span_of(signature, sizeof signature));
        ASSERT(!valid || issuer->keys[i].alg == AUTH_ALG_EDDSA); /* of a point of small order */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct auth_issuer config = {
        .issuer = SPAN("https://as.example"), .allow_rs256 = true, .renewed = true};
    struct auth_keys *keys = auth_keys_new(1);
    struct auth_keys *renewed = NULL;
    struct auth_renewal renewal;
    struct buffer why = {0};
    struct span text = span_of((const char *)data, size);
    struct auth_keys_issuer *issuer = auth_keys_add(keys, &config);
    bool strict = auth_keys_read(issuer, text, "set", &why) == STATUS_OK;
    ASSERT(strict == (why.size == 0));
    if (strict) {
        use(issuer);
    }
    if (auth_keys_renew(keys, 0, text, &renewed, &renewal) == STATUS_OK) {
        use(&renewed->issuers[0]);
        ASSERT(renewal.used == renewed->issuers[0].key_count);
        ASSERT(!strict || (renewal.used == issuer->key_count && renewal.left_out == 0));
        auth_keys_free(renewed);
    } else {
        ASSERT(!strict);
    }
    buffer_release(&why);
    auth_keys_free(keys);
    return 0;
}
