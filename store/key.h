/* Every key of every table is built and parsed here. Integers are big-endian, so that rows sort by
 * number. Private to store/; FORMAT.md shows each. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <stdint.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/span.h"
#include "base/uuid.h"
#include "store/read.h"

struct key {
    unsigned char bytes[LIMIT_URL + 16];
    size_t size;
};

static inline struct span key_span(const struct key *key) {
    return span_of((const char *)key->bytes, key->size);
}

/* leaf, payload, personal, consent, job: number */
struct key key_number(uint64_t number);
/* by_id */
struct key key_uuid(const struct uuid *id);
/* by_tenant, by_client, log_by_tenant, log_by_client: name number, then the row's first number */
struct key key_name_number(uint32_t name, uint64_t number);
/* tenant */
struct key key_name(uint32_t name);
/* by_account: key of the account, client, creation index; without the index: the prefix of one
 * client, and key_16 that of all */
struct key key_account(const struct mac16 *account, uint32_t client);
struct key key_account_consent(const struct mac16 *account, uint32_t client, uint64_t consent);
/* by_resource, by_arrangement, by_dependency: 16 bytes, then a creation index */
struct key key_16(const unsigned char prefix[16]); /* the prefix */
struct key key_16_number(const unsigned char prefix[16], uint64_t number);
/* by_external: tenant, id, 0, creation index; without the index: the prefix */
struct key key_external_prefix(uint32_t tenant, struct span external_id);
struct key key_external(uint32_t tenant, struct span external_id, uint64_t consent);
/* by_expiry, log_by_consent: two numbers */
struct key key_two_numbers(uint64_t first, uint64_t second);
/* by_token: digest, creation index; without the index: the prefix */
struct key key_digest(const struct digest *digest);
struct key key_token(const struct digest *digest, uint64_t consent);
/* by_dependency: what stands for a token of another store in place of an arrangement */
struct key key_external_link(const struct digest *token, uint64_t consent);
/* name: kind, 's', name -> number */
struct key key_name_text(enum store_name_kind kind, struct span name);
/* name: kind, 'n', number -> name */
struct key key_name_of(enum store_name_kind kind, uint32_t number);
/* hash: the level's complement, so that the lowest stands last, then the first row */
struct key key_hashes(uint32_t level, uint64_t first);
/* idempotency: day since 1970, MAC16 */
struct key key_idempotency(uint32_t day, const struct mac16 *mac);

/* Times as unsigned, so that they sort. */
uint64_t key_time(int64_t time_ms);
int64_t key_time_of(uint64_t number);

/* Big-endian numbers in records and keys. */
void key_put_u16(unsigned char *at, uint16_t value);
void key_put_u32(unsigned char *at, uint32_t value);
void key_put_u64(unsigned char *at, uint64_t value);
uint16_t key_get_u16(const void *at);
uint32_t key_get_u32(const void *at);
uint64_t key_get_u64(const void *at);
/* The number in the last 8 bytes of a key. */
uint64_t key_last_number(struct span key);

#endif
