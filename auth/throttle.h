/* How often a peer may present tokens that fail: LIMIT_FAILURES at once, then one a second. Time is
 * only what the caller passes in.
 *
 * Threads: one table per loop, no locks; a peer that spreads over n loops gets n times the limit.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/span.h"

#define AUTH_THROTTLE_WAYS 4
#define AUTH_THROTTLE_SETS (LIMIT_PEERS / AUTH_THROTTLE_WAYS)

struct auth_throttle_peer {
    struct mac16 name;
    int64_t clear_ms; /* when its failures are forgotten; 0: a free place */
};
struct auth_throttle {
    unsigned char key[MAC_KEY_SIZE]; /* random, so that peers cannot choose whom they displace */
    struct auth_throttle_peer peers[AUTH_THROTTLE_SETS][AUTH_THROTTLE_WAYS];
};

void auth_throttle_init(struct auth_throttle *throttle);
/* Whether the peer has failed too often to be heard now. IPv6 addresses of one /64 are one peer. */
bool auth_throttle_limited(const struct auth_throttle *throttle, struct span peer, int64_t now_ms);
/* One more failure. A full set forgets the peer that has least to answer for. */
void auth_throttle_fail(struct auth_throttle *throttle, struct span peer, int64_t now_ms);

#endif
