/* Answers to queries of the log: pages of JSON, or lines without end. What an item looks like is
 * the caller's. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ENTRY_LIST_H
#define API_ENTRY_LIST_H

#include "api/entry_stream.h"

/* The entries that match, of the tenants that the auditor may see: a page or, when Accept names
 * application/x-ndjson, a stream, then of at most query->limit when `limited`. */
enum api_outcome api_entries_list(struct api_call *call, struct api_event_query *query,
                                  bool limited, api_entry_writer *write);

#endif
