/* The evidence page of an arrangement: what its account holder allowed one application, and what
 * became of it, for whoever was given the address. Private to api/.
 *
 * A page of this account and this client only. It never has a token or its digest, an IP address,
 * or another recipient (spec: perseus.md). */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_EVIDENCE_PAGE_H
#define API_EVIDENCE_PAGE_H

#include "api/api.h"

/* One consent of the arrangement, inside the store_read that it came from. */
struct evidence_grant {
    const struct store_consent *consent;
    struct store_terms terms; /* empty where they were erased */
    struct store_facts facts;
    const struct policy_pack *pack; /* that admitted it, else the one in force */
};

/* The SHA-256 of the page's style, as a source of its Content-Security-Policy. */
#define EVIDENCE_STYLE_HASH "sha256-h8EYdvlbhM4HcazdYDFTtZtbItFACiaTp5mCXh9rox0="

/* Title, parties, and the state now, which is this consent's. */
void evidence_page_begin(struct api_call *call, const struct store_consent *consent,
                         struct buffer *out);
/* One grant or request; called newest first. */
void evidence_page_grant(struct api_call *call, const struct evidence_grant *grant,
                         struct buffer *out);
/* more: there are older ones that the page leaves out. */
void evidence_page_end(bool more, struct buffer *out);
/* Instead of all that: there is no such page. */
void evidence_page_missing(struct buffer *out);

#endif
