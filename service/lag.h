/* How long data went on flowing after consents had ended, out of the log, a job of the courier: for
 * the metric consentd_withdrawal_lag_seconds (Perseus: a withdrawal reaches the data API within 60
 * minutes). It reads on from where it was, a bounded piece at a time, in a snapshot each.
 *
 * Threads: the courier's, but for stats. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_LAG_H
#define SERVICE_LAG_H

#include "service/courier.h"

struct lag;
/* Opens a reader and becomes a job of the courier. store is borrowed. */
MUST_CHECK enum status lag_open(struct store *store, struct courier *courier, struct lag **out);
/* After courier_stop. NULL is right. */
void lag_close(struct lag *lag);

struct lag_stats {
    uint64_t longest_ms;  /* from the end of a consent to a disclosure after it */
    uint64_t disclosures; /* after their consents had been revoked or terminated */
};
/* Of what was recorded in the 30 days before the start and since. */
void lag_stats_get(const struct lag *lag, struct lag_stats *out);

#endif
