/* Withdrawal messages on their way, a job of the courier: each application's Directory document
 * says where it takes them; there they go over mutual TLS with their tenant's certificate
 * (Icebreaker One, Message Delivery and Withdrawal of Permission). Who does not take one is asked
 * again, later and later, until it is given up.
 *
 * Threads: the courier's, but for put, the main thread's, and stats. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_DELIVERIES_H
#define SERVICE_DELIVERIES_H

#include "service/config.h"
#include "service/courier.h"

struct deliveries;
/* Opens a reader. store is borrowed. */
MUST_CHECK enum status deliveries_open(struct store *store, const struct config *config,
                                       struct deliveries **out);
/* Before the courier starts. */
void deliveries_join(struct deliveries *deliveries, struct courier *courier);
/* After courier_stop. NULL is right. */
void deliveries_close(struct deliveries *deliveries);
/* What the configuration says from now on; it is copied. */
void deliveries_put(struct deliveries *deliveries, const struct config *config);

struct deliveries_stats {
    uint64_t waiting;   /* messages */
    uint64_t oldest_ms; /* since when the oldest of them waits */
    uint64_t sent, failed, given_up;
};
void deliveries_stats_get(const struct deliveries *deliveries, struct deliveries_stats *out);

#endif
