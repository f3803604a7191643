/* What recorded decisions and disclosures share. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_INQUIRING_H
#define STORE_INQUIRING_H

#include "base/json_out.h"
#include "store/entry.h"

/* Judges as of `at` (now, when it is not before this transaction's time). */
MUST_CHECK enum status inquiry_rule(struct write *w, const struct store_change *change, int64_t at,
                                    struct store_inquiry *inquiry);
/* What the entry is about: the consent that answered, else the caller's own tenant; with the
 * decision's purposes. */
struct store_consent inquiry_subject(struct write *w, const struct store_change *change,
                                     const struct store_ruling *ruling);
struct actor inquiry_actor(struct write *w, const struct store_change *change,
                           const struct store_consent *about);
void inquiry_put_reasons(struct json_out *out, uint32_t denials);
void inquiry_put_policy(struct json_out *out, const struct policy_pack *pack);
/* The name of the first reason, for the log's filter columns. */
uint32_t inquiry_first_reason(struct write *w, uint32_t denials);

#endif
