/* Which entries feeds show, and how a commit names whose they are (feed.h). Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_FEEDING_H
#define STORE_FEEDING_H

#include "store/event.h"

static inline bool feed_has(enum store_event_code code) {
    return code >= STORE_CONSENT_REQUESTED && code < STORE_DECISION_PERMITTED;
}

static inline uint64_t feed_bit(uint32_t name) {
    return name == STORE_NAME_NONE ? 0 : UINT64_C(1) << (name & 63);
}

#endif
