/* The exact words that were shown: a licence's text with its placeholders filled in. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_NOTICE_H
#define POLICY_NOTICE_H

#include "policy/admission.h"

/* SHA-256 of text in which each "[placeholder]" that the notice substitutes is replaced by its
 * value; other bracketed text stays as it is. Values are not looked into again. Allocates
 * nothing. */
struct digest policy_notice_digest(const struct policy_text *text,
                                   const struct policy_notice *notice);

#endif
