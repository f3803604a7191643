/* The page behind a problem's `type`: what it means and what to do about it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_PROBLEM_PAGE_H
#define API_PROBLEM_PAGE_H

#include "base/mem.h"
#include "base/status.h"

/* Appends a whole HTML document for a problem (not STATUS_OK). Self-contained: no script, no
 * outside fetch; readable at 320 px. */
void api_problem_page(enum status problem, struct buffer *out);

/* What the problem means, in a static sentence that fits every occurrence of it. */
const char *api_problem_meaning(enum status problem);

#endif
