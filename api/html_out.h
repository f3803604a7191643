/* Text into HTML. Whatever callers stored comes out as text: no markup of theirs, no attribute, no
 * control character. Pure. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_HTML_OUT_H
#define API_HTML_OUT_H

#include "base/mem.h"

/* Escaped for element content and quoted attributes: & < > " ' as references; control characters
 * and bytes that are no UTF-8 become U+FFFD. */
void html_text(struct buffer *out, struct span text);
/* The same as an element that keeps its writing direction to itself: names and words of others may
 * be in any script. */
void html_foreign(struct buffer *out, struct span text);
/* A <time> element: 12 March 2026, 10:00:00 UTC. */
void html_time(struct buffer *out, int64_t time_ms);

#endif
