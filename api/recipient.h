/* What an onward recipient sees of a consent that names it: its part, and nothing that the client
 * is told for itself. Private to the rendering of consents. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_RECIPIENT_H
#define API_RECIPIENT_H

#include <jansson.h>

#include "api/viewer.h"

/* By which of its URLs the caller, who must have consents:read, is named in onwardRecipients: its
 * own or its member's. Absent when it is not. View into the viewer. */
struct span api_recipient_named(const struct api_viewer *viewer, const struct store_terms *terms);
/* Leaves of the terms what the licence means for onward recipients, by the pack in force: of a
 * licence that it does not have, nothing. */
void api_recipient_reduce(const struct policy_pack *pack, struct span license, struct span url,
                          json_t *terms);

#endif
