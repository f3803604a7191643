/* One page of a consent query, as one viewer may have it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_CONSENT_PAGE_H
#define API_CONSENT_PAGE_H

#include "api/api.h"

/* Fills *out with the consents that match `filter`, viewer's members included, from creation index
 * `from` on; items from the call's arena, in creation order. What a client cannot see of a consent
 * cannot be asked for either: for it `account` compares pairwise ids, and `externalId` matches
 * nothing; otherwise the filters would tell which hidden values its consents have. Inside a
 * store_read; may be short or empty and have more. */
MUST_CHECK enum status api_consent_page(const struct api_call *call,
                                        const struct store_filter *filter, uint64_t from,
                                        uint32_t limit, struct store_page *out);

#endif
