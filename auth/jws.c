/* Token text to header, payload and signature bytes. A byte that two readers could read in two ways
 * is refused: padding, white space, spare bits in base64url, a member that stands twice.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/jws.h"

#include <string.h>
#include <strings.h>

#include "auth/refuse.h"
#include "base/encode.h"
#include "base/limits.h"

#define PARTS 3
#define DECODED_MAX (LIMIT_TOKEN / 4 * 3)

/* Splits at every dot; false when there are not exactly three parts, none of them empty. */
static bool split(struct span token, struct span parts[PARTS]) {
    size_t count = 0;
    const char *end = token.data + token.size;
    const char *start = token.data;
    for (const char *at = start; at <= end; at++) {
        if (at == end || *at == '.') {
            if (count == PARTS || at == start) {
                return false;
            }
            parts[count++] = span_of(start, (size_t)(at - start));
            start = at + 1;
        }
    }
    return count == PARTS;
}

/* NULL when the part is not strict base64url of a JSON object without duplicate members. */
static json_t *decode_object(struct span part) {
    char text[DECODED_MAX];
    size_t size;
    if (decode_base64url(part, text, sizeof text, &size) != STATUS_OK) {
        return NULL;
    }
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static struct span header_text(const struct auth_jws *jws, const char *name) {
    const json_t *value = json_object_get(jws->header, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

/* RFC 7515 section 4.1.9: a media type, compared without case, "application/" may be left out. */
static bool is_access_token_type(struct span typ) {
    static const char *const types[] = {"at+jwt", "jwt", "application/at+jwt"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (typ.size == strlen(types[i]) && strncasecmp(typ.data, types[i], typ.size) == 0) {
            return true;
        }
    }
    return false;
}

static enum status check_header(struct auth_jws *jws, const char **why) {
    if (json_object_get(jws->header, "crit") != NULL) {
        return auth_refuse(why,
                           "The token has a critical header parameter that is not understood.");
    }
    struct span typ = header_text(jws, "typ");
    if (!span_present(typ) || !is_access_token_type(typ)) {
        return auth_refuse(why, "The token's typ must be at+jwt or JWT.");
    }
    jws->alg = header_text(jws, "alg");
    if (!span_present(jws->alg)) {
        return auth_refuse(why, "The token's header has no alg.");
    }
    jws->kid = header_text(jws, "kid");
    if (!span_present(jws->kid) && json_object_get(jws->header, "kid") != NULL) {
        return auth_refuse(why, "The token's kid is not a string.");
    }
    return STATUS_OK;
}

static enum status parse_parts(const struct span parts[PARTS], struct auth_jws *jws,
                               const char **why) {
    jws->header = decode_object(parts[0]);
    if (jws->header == NULL) {
        return auth_refuse(why,
                           "The token's header is not the base64url of a JSON object whose members "
                           "each stand once.");
    }
    jws->payload = decode_object(parts[1]);
    if (jws->payload == NULL) {
        return auth_refuse(why, "The token's payload is not the base64url of a JSON object whose "
                                "members each stand once.");
    }
    if (decode_base64url(parts[2], jws->signature, sizeof jws->signature, &jws->signature_size) !=
        STATUS_OK) {
        return auth_refuse(why, "The token's signature is not base64url.");
    }
    return check_header(jws, why);
}

enum status auth_jws_parse(struct span token, struct auth_jws *out, const char **why) {
    struct span parts[PARTS];
    if (token.size > LIMIT_TOKEN) {
        return auth_refuse(why, "The token is larger than 8 KiB.");
    }
    if (token.size == 0 || !split(token, parts)) {
        return auth_refuse(why,
                           "Opaque and encrypted tokens are not accepted yet: the token must be a "
                           "JWT of three parts, signed by a configured issuer.");
    }
    struct auth_jws jws = {0};
    jws.signing_input = span_of(token.data, parts[0].size + 1 + parts[1].size);
    enum status status = parse_parts(parts, &jws, why);
    if (status != STATUS_OK) {
        auth_jws_release(&jws);
        return status;
    }
    *out = jws;
    return STATUS_OK;
}

void auth_jws_release(struct auth_jws *jws) {
    json_decref(jws->header);
    json_decref(jws->payload);
    jws->header = NULL;
    jws->payload = NULL;
}
