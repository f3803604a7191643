/* The terms of a consent: from a caller's JSON to a draft, and from the draft's JSON to the bytes
 * that are stored and shown. A grant and a renewal are the stored terms with the caller's laid over
 * them, read again by the same rules. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_TERMS_H
#define API_TERMS_H

#include "api/json_in.h"
#include "api/viewer.h"

struct api_terms {
    const struct policy_pack *pack;
    const struct api_settings *settings;
    const struct api_viewer *viewer;
    int64_t now; /* service time */
};

/* Reads `body`, the whole of a consent's terms, into *draft: defaults are resolved, codes of the
 * licence filled in, and the JSON members composed. Errors go to `in`, whose arena must be the
 * change's. With a member "grant" the draft is granted. */
void api_terms_read(struct api_json *in, const json_t *body, const struct api_terms *terms,
                    struct store_draft *draft);
/* The grant object (api_terms_read calls it). */
void api_grant_read(struct api_json *in, const json_t *body, struct store_draft *draft);
/* tokens[] of a body: at most LIMIT_TOKENS. */
const struct store_token *api_tokens_read(struct api_json *in, const json_t *body, bool required,
                                          uint32_t *count);
/* proofs[]: checks, and composes the elements without brackets. */
struct span api_proofs_read(struct api_json *in, const json_t *object, bool required);

/* The terms that the header holds: provider, client and license. */
struct json_out;
void api_terms_parties(struct store_reader *reader, const struct store_consent *consent,
                       struct json_out *out);
/* The terms of a consent as a JSON object the caller of this releases; what the service adds
 * (policy, licenseDigest) is left out. Inside a store_read. */
MUST_CHECK enum status api_terms_stored(struct store_reader *reader,
                                        const struct store_consent *consent, json_t **out);
/* Checks that a grant changes `asked` only by narrowing it or by setting what was absent. */
void api_terms_narrow(struct api_json *in, const json_t *asked, const json_t *granted);

/* Composes the stored JSON of a draft whose body was read without error. */
void api_terms_write(struct arena *arena, const json_t *body, const struct api_terms *terms,
                     struct store_draft *draft);
void api_grant_write(struct arena *arena, const json_t *body, struct store_draft *draft);
/* Writes any JSON value compactly; strings under the keys at, expires, shownAt and issuedAt are
 * times and are written with milliseconds. */
void api_json_write(struct json_out *out, const char *key, const json_t *value);

#endif
