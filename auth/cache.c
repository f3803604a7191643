/* A hash table of verified tokens with a list in order of use. The key is a MAC,
 * so its own bytes are the hash; each entry is one allocation with its principal's bytes at the
 * tail.
 *
 * Threads: one loop. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/cache.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct auth_cache_entry {
    struct mac16 token;
    struct auth_cache_entry *next; /* in its bucket */
    struct auth_cache_entry *newer, *older;
    size_t size; /* of the allocation */
    struct auth_principal principal;
    struct span names[]; /* roles, then providers; then their bytes */
};

static struct auth_cache_entry **bucket_of(struct auth_cache *cache, const struct mac16 *token) {
    uint64_t hash;
    memcpy(&hash, token->bytes, sizeof hash);
    return &cache->buckets[hash % AUTH_CACHE_BUCKETS];
}

static void list_remove(struct auth_cache *cache, struct auth_cache_entry *entry) {
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_push(struct auth_cache *cache, struct auth_cache_entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct auth_cache *cache, struct auth_cache_entry *entry) {
    struct auth_cache_entry **at = bucket_of(cache, &entry->token);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    list_remove(cache, entry);
    cache->count--;
    cache->bytes -= entry->size;
    mem_free(entry);
}

static size_t text_size(const struct auth_principal *principal) {
    size_t size = principal->client_id.size + principal->member.size;
    for (uint32_t i = 0; i < principal->role_count; i++) {
        size += principal->roles[i].size;
    }
    for (uint32_t i = 0; i < principal->provider_count; i++) {
        size += principal->providers[i].size;
    }
    return size;
}

/* Moves text to *at and advances it; an absent span stays absent. */
static struct span copy(struct span text, char **at) {
    if (!span_present(text)) {
        return SPAN_NONE;
    }
    char *start = *at;
    memcpy(start, text.data, text.size);
    *at += text.size;
    return span_of(start, text.size);
}

static void copy_principal(struct auth_cache_entry *entry, const struct auth_principal *from) {
    struct auth_principal *to = &entry->principal;
    char *at = (char *)(entry->names + from->role_count + from->provider_count);
    *to = *from;
    to->client_id = copy(from->client_id, &at);
    to->member = copy(from->member, &at);
    to->tenant = span_present(to->member) ? to->member : to->client_id;
    to->roles = entry->names;
    to->providers = entry->names + from->role_count;
    for (uint32_t i = 0; i < from->role_count; i++) {
        entry->names[i] = copy(from->roles[i], &at);
    }
    for (uint32_t i = 0; i < from->provider_count; i++) {
        entry->names[from->role_count + i] = copy(from->providers[i], &at);
    }
}

void auth_cache_clear(struct auth_cache *cache) {
    while (cache->oldest != NULL) {
        drop(cache, cache->oldest);
    }
}

const struct auth_principal *auth_cache_find(struct auth_cache *cache, const struct mac16 *token,
                                             int64_t now_ms) {
    struct auth_cache_entry *entry = *bucket_of(cache, token);
    while (entry != NULL && memcmp(&entry->token, token, sizeof *token) != 0) {
        entry = entry->next;
    }
    if (entry == NULL) {
        return NULL;
    }
    if (entry->principal.expires_ms <= now_ms) {
        drop(cache, entry);
        return NULL;
    }
    list_remove(cache, entry);
    list_push(cache, entry);
    return &entry->principal;
}

void auth_cache_put(struct auth_cache *cache, const struct mac16 *token,
                    const struct auth_principal *principal) {
    size_t names = (size_t)principal->role_count + principal->provider_count;
    size_t size =
        sizeof(struct auth_cache_entry) + names * sizeof(struct span) + text_size(principal);
    ASSERT(size <= LIMIT_AUTH_CACHE_BYTES);
    while (cache->count >= LIMIT_AUTH_CACHE || cache->bytes + size > LIMIT_AUTH_CACHE_BYTES) {
        drop(cache, cache->oldest);
    }
    struct auth_cache_entry *entry = mem_alloc(size);
    struct auth_cache_entry **bucket = bucket_of(cache, token);
    entry->token = *token;
    entry->size = size;
    copy_principal(entry, principal);
    entry->next = *bucket;
    *bucket = entry;
    list_push(cache, entry);
    cache->count++;
    cache->bytes += size;
}
