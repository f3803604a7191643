/* A consent as a JSON document, as much of it as the reader may see. Tenants and auditors get the
 * stored bytes copied between the header's members, without parsing; clients get a whitelist.
 *
 * Runs on a loop, inside a store_read: what it reads are views, what it writes are copies. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_RENDER_H
#define API_RENDER_H

#include "api/api.h"
#include "api/viewer.h"
#include "base/json_out.h"

/* Writes *consent as one JSON object. relation decides which members appear (spec "What others
 * see"); it must not be the one of a stranger. consent comes from the reader's present snapshot,
 * possibly after store_consent_as_of. Besides the buffer, only late proofs and tokens take memory
 * (the call's arena). On failure, which is the store's, the buffer may hold half a document: the
 * caller clears it. */
MUST_CHECK enum status api_render_consent(const struct api_call *call, enum api_relation relation,
                                          const struct store_consent *consent,
                                          struct json_out *out);

/* The pairwise id by which a client knows an account: base64url of 16 bytes of a keyed hash. */
#define API_PAIRWISE_SIZE 22
/* Writes it for the consent's account, client and provider, and a NUL. STATUS_NOT_FOUND while the
 * consent has no account. */
MUST_CHECK enum status api_render_pairwise(const struct api_call *call,
                                           const struct store_consent *consent,
                                           char out[API_PAIRWISE_SIZE + 1]);

/* The status code that statusReason shows: the recorded one, or the state's own name when only the
 * clock has ended the consent. Absent while nothing ended it. View until store_read_end. */
struct span api_render_reason_code(struct store_reader *reader,
                                   const struct store_consent *consent);

#endif
