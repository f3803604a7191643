/* What all writing handlers have in common: starting a change, and answering it. Private to api/.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_CHANGE_H
#define API_CHANGE_H

#include "api/terms.h"

/* A change of the caller for the consent of the path, when there is one. NULL when a response was
 * made instead: the id, the query or If-Match is not valid, or the Idempotency-Key is missing. */
struct store_change *api_change_new(struct api_call *call, enum store_op op, bool with_key);
/* The same, without a key, for an operation that takes parameters, which are set. */
struct api_params;
struct store_change *api_change_with(struct api_call *call, enum store_op op,
                                     struct api_params *params);
/* Begins reading the body into the change's arena. False when the response was made; then the
 * change is freed. */
bool api_change_body(struct api_call *call, struct store_change *change, struct api_json *in);
/* Hands it to the writer, or refuses with 503. Takes the change. */
enum api_outcome api_change_submit(struct api_call *call, struct store_change *change);
/* Submits when the body was read without error, else refuses. Takes the change; ends in. */
enum api_outcome api_change_finish(struct api_call *call, struct store_change *change,
                                   struct api_json *in);
/* The problem for a change that the writer refused. Takes the change. */
enum api_outcome api_change_refuse(struct api_call *call, struct store_change *change);
/* Says in the response that the answer was given before, when it was. */
void api_change_replayed(struct api_call *call, const struct store_change *change);
/* What terms are read with, for this caller now. */
struct api_terms api_terms_for(const struct api_call *call, const struct store_change *change);
/* The consent of the path as the caller may change it: its tenant. STATUS_NOT_FOUND, or
 * STATUS_INSUFFICIENT_SCOPE for its client. Inside a store_read. */
MUST_CHECK enum status api_change_target(const struct api_call *call, const struct uuid *id,
                                         struct store_consent *out);
/* Reads "reason" of a body: `refusing` allows only codes that refuse, else only those that end. */
void api_reason_read(struct api_json *in, const json_t *body, const struct policy_pack *pack,
                     bool refusing, struct store_reason *out);

#endif
