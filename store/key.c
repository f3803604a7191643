/* The keys of store/key.h, byte by byte. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "store/key.h"

#include <endian.h>

#include "base/log.h"

void key_put_u16(unsigned char *at, uint16_t value) {
    value = htobe16(value);
    memcpy(at, &value, sizeof value);
}

void key_put_u32(unsigned char *at, uint32_t value) {
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

void key_put_u64(unsigned char *at, uint64_t value) {
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

uint16_t key_get_u16(const void *at) {
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return be16toh(value);
}

uint32_t key_get_u32(const void *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

uint64_t key_get_u64(const void *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return be64toh(value);
}

uint64_t key_last_number(struct span key) {
    ASSERT(key.size >= 8);
    return key_get_u64(key.data + key.size - 8);
}

uint64_t key_time(int64_t time_ms) {
    return (uint64_t)time_ms ^ (1ULL << 63);
}

int64_t key_time_of(uint64_t number) {
    return (int64_t)(number ^ (1ULL << 63));
}

static void add(struct key *key, const void *data, size_t size) {
    ASSERT(key->size + size <= sizeof key->bytes);
    if (size != 0)
        memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static void add_u32(struct key *key, uint32_t value) {
    value = htobe32(value);
    add(key, &value, sizeof value);
}

static void add_u64(struct key *key, uint64_t value) {
    value = htobe64(value);
    add(key, &value, sizeof value);
}

struct key key_number(uint64_t number) {
    struct key key;
    key.size = 0;
    add_u64(&key, number);
    return key;
}

struct key key_uuid(const struct uuid *id) {
    struct key key;
    key.size = 0;
    add(&key, id->bytes, sizeof id->bytes);
    return key;
}

struct key key_name_number(uint32_t name, uint64_t number) {
    struct key key;
    key.size = 0;
    add_u32(&key, name);
    add_u64(&key, number);
    return key;
}

struct key key_name(uint32_t name) {
    struct key key;
    key.size = 0;
    add_u32(&key, name);
    return key;
}

struct key key_16(const unsigned char prefix[16]) {
    struct key key;
    key.size = 0;
    add(&key, prefix, 16);
    return key;
}

struct key key_account(const struct mac16 *account, uint32_t client) {
    struct key key = key_16(account->bytes);
    add_u32(&key, client);
    return key;
}

struct key key_account_consent(const struct mac16 *account, uint32_t client, uint64_t consent) {
    struct key key = key_account(account, client);
    add_u64(&key, consent);
    return key;
}

struct key key_16_number(const unsigned char prefix[16], uint64_t number) {
    struct key key;
    key.size = 0;
    add(&key, prefix, 16);
    add_u64(&key, number);
    return key;
}

struct key key_external_prefix(uint32_t tenant, struct span external_id) {
    struct key key;
    key.size = 0;
    add_u32(&key, tenant);
    add(&key, external_id.data, external_id.size);
    add(&key, "", 1);
    return key;
}

struct key key_external(uint32_t tenant, struct span external_id, uint64_t consent) {
    struct key key = key_external_prefix(tenant, external_id);
    add_u64(&key, consent);
    return key;
}

struct key key_two_numbers(uint64_t first, uint64_t second) {
    struct key key;
    key.size = 0;
    add_u64(&key, first);
    add_u64(&key, second);
    return key;
}

struct key key_digest(const struct digest *digest) {
    struct key key;
    key.size = 0;
    add(&key, digest->bytes, sizeof digest->bytes);
    return key;
}

struct key key_token(const struct digest *digest, uint64_t consent) {
    struct key key = key_digest(digest);
    add_u64(&key, consent);
    return key;
}

struct key key_external_link(const struct digest *token, uint64_t consent) {
    return key_16_number(token->bytes, consent);
}

struct key key_name_text(enum store_name_kind kind, struct span name) {
    struct key key;
    key.size = 0;
    add(&key, &(unsigned char){(unsigned char)kind}, 1);
    add(&key, "s", 1);
    add(&key, name.data, name.size);
    return key;
}

struct key key_name_of(enum store_name_kind kind, uint32_t number) {
    struct key key;
    key.size = 0;
    add(&key, &(unsigned char){(unsigned char)kind}, 1);
    add(&key, "n", 1);
    add_u32(&key, number);
    return key;
}

struct key key_hashes(uint32_t level, uint64_t first) {
    struct key key;
    unsigned char complement = (unsigned char)(UINT8_MAX - level);
    key.size = 0;
    add(&key, &complement, sizeof complement);
    add_u64(&key, first);
    return key;
}

struct key key_idempotency(uint32_t day, const struct mac16 *mac) {
    struct key key;
    key.size = 0;
    add_u32(&key, day);
    add(&key, mac->bytes, sizeof mac->bytes);
    return key;
}
