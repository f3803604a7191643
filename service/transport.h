/* The door to h2o 2.2.5, and the only place that includes it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_TRANSPORT_H
#define SERVICE_TRANSPORT_H

#ifndef H2O_USE_LIBUV
#define H2O_USE_LIBUV 0 /* the library is built with its own event loop */
#endif
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <h2o/multithread.h>

#include "base/span.h"

static inline struct span transport_span(h2o_iovec_t bytes) {
    return span_of(bytes.base, bytes.len);
}

#endif
