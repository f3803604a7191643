/* What recorded decisions and disclosures share. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_INQUIRING_H
#define STORE_INQUIRING_H

#include "base/json_out.h"
#include "store/entry.h"

/* Where questions are judged from: here and now or, for a disclosure (which may be NULL), when it
 * happened, unless that is not before this transaction's time. */
struct vantage inquiry_vantage(struct write *w, const struct store_disclosure *disclosure);
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
