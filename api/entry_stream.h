/* The log as a stream of JSON lines, of any length in bounded memory. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ENTRY_STREAM_H
#define API_ENTRY_STREAM_H

#include "api/api.h"
#include "api/entry.h"
#include "api/query.h"

/* A stream of the entries that match, at most `most`, from query->from up to the log's size now.
 * It copies query with all it points to: the rights of the viewer are those of this moment. Each
 * chunk comes from a snapshot of its own. The service releases the stream. */
struct api_stream *api_entry_stream_new(struct api_loop *loop, const struct api_event_query *query,
                                        uint64_t most, api_entry_writer *write);

#endif
