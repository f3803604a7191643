/* Denials that a request for access may follow (OpenID AuthZEN Access Request and Approval Profile,
 * draft 1): which they are, for which licence, and the token that ties the request to the denied
 * question. The token is a MAC over what decisions look at, so that nothing is kept. Private to
 * api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_BINDING_H
#define API_ACCESS_BINDING_H

#include "store/inquiry.h"

/* The first licence of the pack under which a consent would answer what was asked for; NULL when
 * there is none. */
const struct policy_license *api_access_requestable(const struct policy_pack *pack,
                                                    const struct store_question *question,
                                                    int64_t now);

struct api_binding {
    const struct store *store;
    const struct policy_pack *pack;
    const struct store_question *question;
    const struct policy_license *license;
};
#define API_BINDING_SIZE 32
/* Writes API_BINDING_SIZE characters and a NUL. */
void api_access_binding_seal(const struct api_binding *binding, int64_t expires,
                             char out[API_BINDING_SIZE + 1]);
/* False unless text was sealed by this store for the same question and licence. */
MUST_CHECK bool api_access_binding_open(const struct api_binding *binding, struct span text,
                                        int64_t *expires);

#endif
