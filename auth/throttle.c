/* Failures per peer as one time each: every failure moves the moment at which the peer is clear by
 * one interval, and a peer whose moment is more than the burst away is limited.
 *
 * Threads: one loop. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/throttle.h"

#include <arpa/inet.h>
#include <string.h>

#define INTERVAL_MS 1000
#define BURST_MS ((int64_t)LIMIT_FAILURES * INTERVAL_MS)
#define NETWORK_SIZE 8 /* bytes of an IPv6 address that name the subscriber */

static struct mac16 name_of(const struct auth_throttle *throttle, struct span peer) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (peer.size < sizeof text) {
        memcpy(text, peer.size > 0 ? peer.data : "", peer.size);
        text[peer.size] = '\0';
        if (inet_pton(AF_INET6, text, &address) == 1 && !IN6_IS_ADDR_V4MAPPED(&address)) {
            peer = span_of((const char *)address.s6_addr, NETWORK_SIZE);
        }
    }
    return digest_mac16(throttle->key, &peer, 1);
}

static size_t set_of(const struct mac16 *name) {
    uint32_t hash;
    memcpy(&hash, name->bytes, sizeof hash);
    return hash % AUTH_THROTTLE_SETS;
}

/* How long until the peer is clear. More than a burst can only be owed when the clock was set back,
 * and must not lock the peer out for as long as it went back. */
static int64_t debt(const struct auth_throttle_peer *peer, int64_t now_ms) {
    int64_t left = peer->clear_ms - now_ms;
    return peer->clear_ms != 0 && left > 0 && left <= BURST_MS ? left : 0;
}

void auth_throttle_init(struct auth_throttle *throttle) {
    memset(throttle, 0, sizeof *throttle);
    digest_random(throttle->key, sizeof throttle->key);
}

bool auth_throttle_limited(const struct auth_throttle *throttle, struct span peer, int64_t now_ms) {
    struct mac16 name = name_of(throttle, peer);
    const struct auth_throttle_peer *set = throttle->peers[set_of(&name)];
    for (size_t i = 0; i < AUTH_THROTTLE_WAYS; i++) {
        if (memcmp(&set[i].name, &name, sizeof name) == 0) {
            return debt(&set[i], now_ms) > BURST_MS - INTERVAL_MS;
        }
    }
    return false;
}

void auth_throttle_fail(struct auth_throttle *throttle, struct span peer, int64_t now_ms) {
    struct mac16 name = name_of(throttle, peer);
    struct auth_throttle_peer *set = throttle->peers[set_of(&name)];
    struct auth_throttle_peer *place = &set[0];
    for (size_t i = 0; i < AUTH_THROTTLE_WAYS; i++) {
        if (memcmp(&set[i].name, &name, sizeof name) == 0) {
            place = &set[i];
            break;
        }
        if (debt(&set[i], now_ms) < debt(place, now_ms)) {
            place = &set[i];
        }
    }
    if (memcmp(&place->name, &name, sizeof name) != 0) {
        *place = (struct auth_throttle_peer){.name = name};
    }
    int64_t owed = debt(place, now_ms) + INTERVAL_MS;
    place->clear_ms = now_ms + (owed < BURST_MS ? owed : BURST_MS);
}
