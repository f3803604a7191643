/* Entries of the log as JSON: whole, with what an auditor needs to open the commitment, or as a
 * line of one consent's history. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ENTRY_H
#define API_ENTRY_H

#include "base/json_out.h"
#include "store/event.h"

/* How an entry is shown; *event is a view of the reader's present snapshot. Only the store fails;
 * then half a document may have been written. */
typedef enum status api_entry_writer(struct store_reader *reader, const struct store_event *event,
                                     struct json_out *out);
/* An object for an auditor: leaf, r and the payload's exact bytes (store_event_write_members). */
MUST_CHECK enum status api_entry_write_audit(struct store_reader *reader,
                                             const struct store_event *event, struct json_out *out);

/* The member that says who wrote it; whole: with the client id. */
void api_entry_write_actor(struct store_reader *reader, const struct store_event *event, bool whole,
                           struct json_out *out);

/* An entry of a consent's history. whole: for tenant or auditor, with the payload; otherwise what
 * its client may see of it. */
void api_entry_write_history(struct store_reader *reader, const struct store_event *event,
                             bool whole, struct json_out *out);

#endif
