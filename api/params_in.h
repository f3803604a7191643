/* Query parameters of a request, from its URL or its body, into a table's struct. Private to api/.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PARAMS_IN_H
#define API_PARAMS_IN_H

#include "api/json_in.h"
#include "api/param.h"

/* Sets every parameter of the URL. False when one is refused: then the response is made. The
 * detail names parameters of the table only, never what the caller wrote (invariant 10). */
bool api_params_from_url(struct api_call *call, struct api_params *params);
/* The same for a route that takes no parameters at all. */
bool api_params_none(struct api_call *call);
/* Sets the members of the body, and records what is wrong in `in`. */
void api_params_from_body(struct api_json *in, struct api_params *params);

/* Sets Link: rel="next" to the URL of this request with parameter `name` set to value, all others
 * kept. */
void api_params_link_next(struct api_call *call, const char *name, struct span value);

#endif
