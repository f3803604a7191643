/* What auditors and administrators read is logged itself: gathered by the loop, handed to the
 * writer every so often (api_settings.note_reads_s), when it is much, and when the loop ends. No
 * read waits for it; what was not handed over yet is lost with a process that dies. Private to
 * api/, but for api_looks_flush. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_LOOKS_H
#define API_LOOKS_H

#include "api/api.h"

/* After a call was answered: notes it, if it is one of those. */
void api_looks_note(struct api_call *call);
/* The evidence page of this consent's arrangement was made for somebody who had its address. */
void api_looks_note_evidence(struct api_call *call, const struct uuid *consent);

#endif
