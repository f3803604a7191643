/* AuthZEN bodies that ask one question, read and made a question of this caller. Private to api/.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_BODY_H
#define API_ACCESS_BODY_H

#include "api/access_question.h"
#include "api/api.h"

/* False when the response was made. What it reads lives in the call's arena. */
bool api_access_body_read(struct api_call *call, enum api_access_kind kind,
                          const struct policy_pack *pack, struct api_access_body *body,
                          struct api_access_ask *ask);

#endif
