/* An api_response becomes h2o's: status, headers, body or stream. Loops only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_RESPOND_H
#define SERVICE_RESPOND_H

#include "service/exchange.h"

/* Sends exchange->call.response. Once per exchange, whose request must be alive. The exchange may
 * be freed when this returns. */
void respond(struct exchange *exchange);
/* The next chunk of a stream that has rested. The exchange may be freed when this returns. */
void respond_go_on(struct exchange *exchange);
/* Puts status, reason and headers of the response, and those that every response has, on the
 * request; for respond and for the filter that dresses h2o's own refusals. */
void respond_set_head(struct exchange *exchange);
/* The bytes of a response that is not streamed. */
struct span respond_body(const struct exchange *exchange);

#endif
