/* Proofs that stand alone (C2SP tlog-proof): that an entry is in the log whose checkpoint comes
 * with it. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_LOG_PROOF_H
#define API_LOG_PROOF_H

#include "api/api.h"
#include "base/json_out.h"

/* Writes a member "proof" for the entry, against the snapshot's checkpoint. Inside a store_read. */
MUST_CHECK enum status api_log_proof_member(const struct api_call *call, uint64_t index,
                                            struct json_out *out);
/* Where the caller prefers it (Prefer: proof; RFC 7240): adds that member to the JSON object that
 * is the response's body, and says so in Preference-Applied. To be called outside a store_read. */
MUST_CHECK enum status api_log_proof_add(struct api_call *call, uint64_t index);

#endif
