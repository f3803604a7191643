/* The active policy pack as the document of GET /v1/policy. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_POLICY_VIEW_H
#define API_POLICY_VIEW_H

#include "base/json_out.h"
#include "policy/pack.h"

/* Writes the pack as one JSON object. Pure; the texts of licences are left to the pack's bytes. */
void api_policy_view(const struct policy_pack *pack, struct json_out *out);

/* Which pack: the members pack, version and digest. */
void api_policy_view_identity(const struct policy_pack *pack, struct json_out *out);

#endif
