/* The names a request goes by: X-Request-ID, W3C traceparent and x-fapi-interaction-id. Pure but
 * for random bytes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_REQUEST_ID_H
#define SERVICE_REQUEST_ID_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/span.h"

#define REQUEST_ID_SIZE_MAX 128

/* 1 to REQUEST_ID_SIZE_MAX visible ASCII characters: safe in a header, in a log line, in JSON. */
bool request_id_valid(struct span text);
/* The 32 hex digits of a valid traceparent (W3C Trace Context level 1), else absent. Borrows. */
struct span request_id_trace(struct span traceparent);
/* The id of a request: the caller's X-Request-ID when valid, else its trace id, else a random one
 * of 32 hex digits. Borrowed from the arguments or copied to arena. */
struct span request_id_choose(struct span offered, struct span trace, struct arena *arena);

#endif
