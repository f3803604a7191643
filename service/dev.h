/* What --dev says to whoever starts it: three commands to paste. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_DEV_H
#define SERVICE_DEV_H

#include "service/service.h"

/* Appends commands that grant, query and revoke a consent under the active pack, each complete with
 * a token of 24 hours. STATUS_INTERNAL, with why, when no token can be made. */
MUST_CHECK enum status dev_welcome(const struct service *service, struct buffer *out, char *why,
                                   size_t why_size);

#endif
