/* Values of stored JSON, parsed where somebody wants less than all of it. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_JSON_VALUE_H
#define API_JSON_VALUE_H

#include <jansson.h>

#include "base/json_out.h"

/* The object whose members these are. They are the store's own bytes: anything but an object is
 * our own fault. Caller decrefs. */
json_t *api_json_value_members(struct span members);
/* As an array element, or after json_out_key. */
void api_json_value_write(const json_t *value, struct json_out *out);

#endif
