/* Packs that were in force once, compiled: what is asked about the past is judged by the pack of
 * then. A loop keeps a few; decisions of now never come here. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PACKS_H
#define API_PACKS_H

#include "api/api.h"

/* The pack with this digest, if it was ever activated; valid until the loop asks for another one.
 * Inside a store_read. STATUS_NOT_FOUND; STATUS_INTERNAL when it does not load any more. */
MUST_CHECK enum status api_packs_get(struct api_loop *loop, const struct digest *digest,
                                     const struct policy_pack **out);

#endif
