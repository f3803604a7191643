/* Keys that change while the service runs: a set is never changed, but copied with the keys of one
 * issuer replaced. Keys themselves are shared by the copies.
 *
 * Threads: copying on any one thread; what is copied may be read by others meanwhile. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/keys.h"

static void copy_keys(const struct auth_keys_issuer *from, struct auth_keys_issuer *to) {
    to->keys = mem_alloc_zeroed(from->key_count, sizeof *to->keys);
    to->key_count = from->key_count;
    for (uint32_t i = 0; i < from->key_count; i++) {
        auth_key_copy(&from->keys[i], &to->keys[i]);
    }
    atomic_store(&to->notes->renewed_s, atomic_load(&from->notes->renewed_s));
}

static void copy_issuer(const struct auth_keys_issuer *from, struct auth_keys *keys) {
    const struct auth_issuer config = {
        .issuer = from->issuer,
        .audience = from->audience,
        .allow_rs256 = from->allow_rs256,
        .renewed = from->renewed,
        .binding = from->binding,
        .client_claim = from->client_claim,
        .member_claim = from->member_claim,
        .roles_claim = from->roles_claim,
    };
    copy_keys(from, auth_keys_add(keys, &config));
}

enum status auth_keys_renew(const struct auth_keys *keys, uint32_t index, struct span text,
                            struct auth_keys **out, struct auth_renewal *renewal) {
    struct auth_keys *copy = auth_keys_new(keys->issuer_count);
    struct buffer why = {0}; /* names the fault of a key; the caller knows that none was left */
    for (uint32_t i = 0; i < keys->issuer_count; i++) {
        copy_issuer(&keys->issuers[i], copy);
    }
    struct auth_keys_issuer *issuer = &copy->issuers[index];
    auth_keys_issuer_clear(issuer);
    issuer->lenient = true;
    enum status status = auth_keys_read(issuer, text, "set", &why);
    buffer_release(&why);
    if (status != STATUS_OK) {
        auth_keys_free(copy);
        return status;
    }
    *renewal = (struct auth_renewal){issuer->key_count, issuer->left_out};
    *out = copy;
    return STATUS_OK;
}

void auth_keys_inherit(struct auth_keys *keys, uint32_t index, const struct auth_keys *from) {
    struct auth_keys_issuer *issuer = &keys->issuers[index];
    const struct auth_keys_issuer *known = auth_keys_find_issuer(from, issuer->issuer);
    if (known != NULL && known->key_count != 0) {
        auth_keys_issuer_clear(issuer);
        copy_keys(known, issuer);
    }
}

void auth_keys_confirm(const struct auth_keys *keys, uint32_t index, int64_t time_s) {
    atomic_store(&keys->issuers[index].notes->renewed_s, time_s);
}

bool auth_keys_take_wanted(const struct auth_keys *keys, uint32_t index) {
    return atomic_exchange(&keys->issuers[index].notes->wanted, false);
}

bool auth_keys_state(const struct auth_keys *keys, uint32_t index, struct auth_issuer_state *out) {
    if (index >= keys->issuer_count) {
        return false;
    }
    const struct auth_keys_issuer *issuer = &keys->issuers[index];
    *out = (struct auth_issuer_state){
        .issuer = issuer->issuer,
        .key_count = issuer->key_count,
        .renewed = issuer->renewed,
        .renewed_s = atomic_load(&issuer->notes->renewed_s),
    };
    return true;
}

bool auth_keys_complete(const struct auth_keys *keys) {
    for (uint32_t i = 0; i < keys->issuer_count; i++) {
        if (keys->issuers[i].key_count == 0) {
            return false;
        }
    }
    return true;
}
