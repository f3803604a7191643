/* The one handler of h2o: every request comes here and becomes a struct api_call. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include "service/config.h"
#include "service/transport.h"

/* Fills in h2o's configuration: time-outs, body limit, our handler and filter. Shared by all
 * loops; release after all contexts. */
void http_init(h2o_globalconf_t *http, const struct config *config);
void http_release(h2o_globalconf_t *http);

#endif
