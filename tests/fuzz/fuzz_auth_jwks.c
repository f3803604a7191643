/* Any bytes as a key file: it is refused with a sentence, or every key in it can be used. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "auth/keys.h"
#include "auth/signature.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct auth_keys *keys = mem_alloc_zeroed(1, sizeof *keys);
    struct buffer why = {0};
    char signature[64] = {0};
    keys->issuers = arena_array(&keys->arena, 1, sizeof *keys->issuers);
    keys->issuer_count = 1;
    struct auth_keys_issuer *issuer = &keys->issuers[0];
    if (auth_keys_read(issuer, true, span_of((const char *)data, size), "set", &why) == STATUS_OK) {
        ASSERT(issuer->key_count > 0 && why.size == 0);
        for (uint32_t i = 0; i < issuer->key_count; i++) {
            ASSERT(issuer->keys[i].pkey != NULL);
            auth_signature_verify(&issuer->keys[i], SPAN("message"),
                                  span_of(signature, sizeof signature));
        }
    } else {
        ASSERT(why.size > 0);
    }
    buffer_release(&why);
    auth_keys_free(keys);
    return 0;
}
