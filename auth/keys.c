/* Key sets: files of JWKs become an immutable set of issuers. A file with a key that is malformed,
 * weak, secret or ambiguous is refused as a whole, so that a mistake is seen at start or reload and
 * not at the first token; of a set that was fetched such keys are left out, because nobody here can
 * mend it. Keys that are merely for something else are skipped.
 *
 * Threads: loading on any one thread; afterwards read-only. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/keys.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/file.h"

#define KEYS_PER_ISSUER_MAX 1000 /* a rotation every day for almost three years */

static bool is_same_kid(const struct auth_key *key, const char *kid) {
    return key->kid != NULL && kid != NULL && strcmp(key->kid, kid) == 0;
}

/* Takes the key: it is part of the issuer, or released. */
static enum status add(struct auth_keys_issuer *issuer, struct auth_key *key, const char **why) {
    for (uint32_t i = 0; i < issuer->key_count; i++) {
        if (is_same_kid(&issuer->keys[i], key->kid)) {
            *why = "its kid is that of another key of the set";
            auth_key_release(key);
            return STATUS_INVALID_PARAMETER;
        }
    }
    size_t size = (issuer->key_count + 1) * sizeof *issuer->keys;
    issuer->keys = mem_resize(issuer->keys, size);
    issuer->keys[issuer->key_count++] = *key;
    return STATUS_OK;
}

/* False when the key spoils the set. *phrase says what is wrong with it, or why it has no use. */
static bool take(struct auth_keys_issuer *issuer, const json_t *jwk, const char **phrase) {
    struct auth_key key;
    enum auth_jwk_outcome outcome = auth_jwk_read(jwk, issuer->allow_rs256, &key, phrase);
    if (outcome == AUTH_JWK_SKIPPED ||
        (outcome == AUTH_JWK_USABLE && add(issuer, &key, phrase) == STATUS_OK)) {
        return true;
    }
    issuer->left_out++;
    return issuer->lenient;
}

static enum status read_all(struct auth_keys_issuer *issuer, const json_t *set, const char *name,
                            struct buffer *why) {
    const json_t *jwk;
    size_t i;
    const char *phrase = "the set is empty";
    json_array_foreach(set, i, jwk) {
        if (!take(issuer, jwk, &phrase)) {
            buffer_append_format(why, "%s: key %zu: %s", name, i + 1, phrase);
            return STATUS_INVALID_PARAMETER;
        }
    }
    if (issuer->key_count == 0) {
        buffer_append_format(why, "%s: holds no key that can verify tokens (%s)", name, phrase);
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_OK;
}

enum status auth_keys_read(struct auth_keys_issuer *issuer, struct span text, const char *name,
                           struct buffer *why) {
    json_error_t error;
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) { /* the parser's own message may quote the file */
        buffer_append_format(why, "%s: not JSON, or a member twice, at line %d column %d", name,
                             error.line, error.column);
        return STATUS_INVALID_PARAMETER;
    }
    json_t *set = json_object_get(root, "keys");
    json_t *single = set == NULL ? json_pack("[O]", root) : NULL;
    set = set == NULL ? single : set;
    enum status status = STATUS_INVALID_PARAMETER;
    if (!json_is_array(set) || json_array_size(set) > KEYS_PER_ISSUER_MAX) {
        buffer_append_format(why, "%s: keys must be an array of at most %d keys", name,
                             KEYS_PER_ISSUER_MAX);
    } else {
        status = read_all(issuer, set, name, why);
    }
    json_decref(single);
    json_decref(root);
    return status;
}

/* Why the settings of an issuer are of no use, NULL when they are. */
static const char *config_fault(const struct auth_keys *keys, const struct auth_issuer *config) {
    if (config->issuer.size == 0) {
        return "an issuer needs its URL";
    }
    if (config->audience.size == 0) {
        return "an issuer needs the audience its tokens are for";
    }
    if (config->key_file == NULL && !config->renewed) {
        return "an issuer needs a key file";
    }
    if (auth_keys_find_issuer(keys, config->issuer) != NULL) {
        return "the issuer is configured twice";
    }
    return NULL;
}

struct auth_keys *auth_keys_new(uint32_t issuer_count) {
    static atomic_uint_fast64_t generations;
    struct auth_keys *keys = mem_alloc_zeroed(1, sizeof *keys);
    keys->generation = atomic_fetch_add(&generations, 1) + 1;
    keys->issuers = arena_array(&keys->arena, issuer_count, sizeof *keys->issuers);
    return keys;
}

struct auth_keys_issuer *auth_keys_add(struct auth_keys *keys, const struct auth_issuer *config) {
    struct auth_keys_issuer *issuer = &keys->issuers[keys->issuer_count++];
    issuer->issuer = arena_copy(&keys->arena, config->issuer);
    issuer->audience = arena_copy(&keys->arena, config->audience);
    issuer->client_claim = arena_copy(&keys->arena, config->client_claim);
    issuer->member_claim = arena_copy(&keys->arena, config->member_claim);
    issuer->roles_claim = arena_copy(&keys->arena, config->roles_claim);
    issuer->allow_rs256 = config->allow_rs256;
    issuer->renewed = config->renewed;
    issuer->binding = config->binding;
    issuer->notes = arena_array(&keys->arena, 1, sizeof *issuer->notes);
    return issuer;
}

static enum status load_issuer(struct auth_keys *keys, const struct auth_issuer *config,
                               struct buffer *why) {
    char reason[512];
    struct buffer text = {0};
    const char *fault = config_fault(keys, config);
    if (fault != NULL) {
        buffer_append_format(why, "%.*s: %s", SPAN_ARG(config->issuer), fault);
        return STATUS_INVALID_PARAMETER;
    }
    struct auth_keys_issuer *issuer = auth_keys_add(keys, config);
    if (config->key_file == NULL) {
        return STATUS_OK;
    }
    enum status status = auth_file_read(config->key_file, &text, reason, sizeof reason);
    if (status == STATUS_OK) {
        status = auth_keys_read(issuer, buffer_span(&text), config->key_file, why);
    } else {
        buffer_append_text(why, reason);
    }
    buffer_release(&text);
    return status;
}

enum status auth_keys_load(const struct auth_issuer *issuers, uint32_t count,
                           struct auth_keys **out, char *why, size_t why_size) {
    struct buffer reason = {0};
    enum status status = STATUS_OK;
    struct auth_keys *keys = auth_keys_new(count);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        status = load_issuer(keys, &issuers[i], &reason);
    }
    if (status != STATUS_OK) {
        snprintf(why, why_size, "%.*s", SPAN_ARG(buffer_span(&reason)));
        auth_keys_free(keys);
    } else {
        *out = keys;
    }
    buffer_release(&reason);
    return status;
}

void auth_keys_issuer_clear(struct auth_keys_issuer *issuer) {
    for (uint32_t i = 0; i < issuer->key_count; i++) {
        auth_key_release(&issuer->keys[i]);
    }
    mem_free(issuer->keys);
    issuer->keys = NULL;
    issuer->key_count = issuer->left_out = 0;
}

void auth_keys_free(struct auth_keys *keys) {
    if (keys == NULL) {
        return;
    }
    for (uint32_t i = 0; i < keys->issuer_count; i++) {
        auth_keys_issuer_clear(&keys->issuers[i]);
    }
    arena_release(&keys->arena);
    mem_free(keys);
}

const struct auth_keys_issuer *auth_keys_find_issuer(const struct auth_keys *keys,
                                                     struct span issuer) {
    for (uint32_t i = 0; i < keys->issuer_count; i++) {
        if (span_equal(keys->issuers[i].issuer, issuer)) {
            return &keys->issuers[i];
        }
    }
    return NULL;
}

const struct auth_key *auth_keys_find(const struct auth_keys_issuer *issuer, struct span kid) {
    if (!span_present(kid)) {
        return issuer->key_count == 1 ? &issuer->keys[0] : NULL;
    }
    for (uint32_t i = 0; i < issuer->key_count; i++) {
        const char *known = issuer->keys[i].kid;
        if (known != NULL && span_is(kid, known)) {
            return &issuer->keys[i];
        }
    }
    return NULL;
}
