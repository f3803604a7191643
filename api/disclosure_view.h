/* A disclosure as a JSON document: what the log says of it. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_DISCLOSURE_VIEW_H
#define API_DISCLOSURE_VIEW_H

#include "base/json_out.h"
#include "store/event.h"

/* *event is an entry about a disclosure, a view of the present snapshot; what was erased is left
 * out. */
MUST_CHECK enum status api_disclosure_write(struct store_reader *reader,
                                            const struct store_event *event, struct json_out *out);

#endif
