/* The metadata of an authorization server, of which we use one member. It must name the issuer that
 * it was asked of, or somebody else's keys would be taken for this issuer's (RFC 8414 section 3.3).
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/auth.h"

#include <jansson.h>

static struct span text_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_NONE;
}

enum status auth_metadata_read(struct span text, struct span issuer, struct arena *arena,
                               struct span *jwks_uri, const char **why) {
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    struct span named = text_member(root, "issuer");
    struct span uri = text_member(root, "jwks_uri");
    *why = NULL;
    if (!json_is_object(root)) {
        *why = "the metadata are no JSON object whose members each stand once";
    } else if (!span_present(named) || !span_equal(named, issuer)) {
        *why = "the metadata are those of another issuer";
    } else if (!span_present(uri)) {
        *why = "the metadata have no jwks_uri";
    } else {
        *jwks_uri = arena_copy(arena, uri);
    }
    json_decref(root);
    return *why == NULL ? STATUS_OK : STATUS_INVALID_PARAMETER;
}
