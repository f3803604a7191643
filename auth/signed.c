/* Reading what a signer made; see signed.h. Nothing of it is used before it is verified, but the
 * name of the key. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/signed.h"

#include <jansson.h>

#include "auth/keys.h"
#include "auth/signature.h"
#include "base/encode.h"

#define SIGNATURE_SIZE 64 /* of ES256: r and s (RFC 7518 section 3.4) */

struct parts {
    struct span head, body, signature, input; /* input: what is signed */
};

static bool split(struct span jwt, struct parts *out) {
    const char *first = jwt.size != 0 ? memchr(jwt.data, '.', jwt.size) : NULL;
    const char *last = jwt.size != 0 ? memrchr(jwt.data, '.', jwt.size) : NULL;
    if (first == NULL || first == last)
        return false;
    out->head = span_of(jwt.data, (size_t)(first - jwt.data));
    out->body = span_of(first + 1, (size_t)(last - first) - 1);
    out->input = span_of(jwt.data, (size_t)(last - jwt.data));
    out->signature = span_of(last + 1, jwt.size - out->input.size - 1);
    return true;
}

static bool decode(struct span text, struct buffer *out) {
    size_t size;
    char *room = buffer_reserve(out, text.size);
    if (decode_base64url(text, (unsigned char *)room, text.size, &size) != STATUS_OK)
        return false;
    out->size += size;
    return true;
}

/* The name of the key in the header, in arena; absent when there is none. */
static struct span kid_of(struct span head, struct arena *arena) {
    struct buffer text = {0};
    json_t *header = NULL;
    if (decode(head, &text))
        header = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *kid = json_object_get(header, "kid");
    struct span name = SPAN_NONE;
    if (json_is_string(kid))
        name = arena_copy(arena, span_of(json_string_value(kid), json_string_length(kid)));
    json_decref(header);
    buffer_release(&text);
    return name;
}

static enum status verify(const struct auth_keys_issuer *signer, const struct parts *parts,
                          struct buffer *payload, const char **why) {
    struct arena arena = {0};
    unsigned char signature[SIGNATURE_SIZE];
    size_t size = 0;
    const struct auth_key *key = NULL;
    struct span kid = kid_of(parts->head, &arena);
    if (span_present(kid))
        key = auth_keys_find(signer, kid);
    arena_release(&arena);
    *why = "no key of the set is the one that the header names";
    if (key == NULL || key->alg != AUTH_ALG_ES256)
        return STATUS_UNAUTHENTICATED;
    *why = "the signature is not that of the key";
    if (decode_base64url(parts->signature, signature, sizeof signature, &size) != STATUS_OK ||
        size != sizeof signature ||
        !auth_signature_verify(key, parts->input, span_of((const char *)signature, size)))
        return STATUS_UNAUTHENTICATED;
    *why = "the payload is not base64url";
    return decode(parts->body, payload) ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

enum status auth_signed_read(struct span jwks, struct span jwt, struct buffer *payload,
                             const char **why) {
    struct auth_keys_issuer signer = {.keys = NULL};
    struct buffer cause = {0};
    struct parts parts;
    enum status status = STATUS_INVALID_PARAMETER;
    *why = "it is no JWT";
    if (!split(jwt, &parts))
        return status;
    *why = "the keys are no JWK set";
    if (auth_keys_read(&signer, jwks, "keys", &cause) == STATUS_OK)
        status = verify(&signer, &parts, payload, why);
    auth_keys_issuer_clear(&signer);
    buffer_release(&cause);
    return status;
}
