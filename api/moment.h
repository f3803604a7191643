/* Times that are asked about: they must have been. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_MOMENT_H
#define API_MOMENT_H

#include "api/api.h"
#include "api/param.h"

/* Makes moment->last the last millisecond of it that has been. False when none has: then the
 * response is made, and names the parameter. Before the store_read that looks back, so that its
 * snapshot reaches as far. */
bool api_moment_past(struct api_call *call, const char *parameter, struct api_moment *moment);

#endif
