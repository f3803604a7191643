/* The life of a consent: its states, the reasons that end it, and which state may follow which.
 * A pure table; it knows nothing of time or storage. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_LIFECYCLE_H
#define POLICY_LIFECYCLE_H

#include <stdbool.h>

#include "base/span.h"
#include "base/status.h"

/* Values are stored: never renumber. */
enum consent_state {
    CONSENT_REQUESTED = 1,
    CONSENT_ACTIVE = 2,
    CONSENT_REFUSED = 3,
    CONSENT_TIMED_OUT = 4,
    CONSENT_REVOKED = 5,
    CONSENT_TERMINATED = 6,
    CONSENT_EXPIRED = 7,
    CONSENT_FULFILLED = 8,
    CONSENT_SUPERSEDED = 9,
    CONSENT_STATE_END
};

/* "requested" "active" "refused" "timedOut" … : static, the API's words. */
const char *lifecycle_state_name(enum consent_state state);
/* STATUS_INVALID_PARAMETER when there is no such state. */
MUST_CHECK enum status lifecycle_state_parse(struct span name, enum consent_state *out);
bool lifecycle_is_final(enum consent_state state);
/* Whether `to` may follow `from` directly. */
bool lifecycle_may_follow(enum consent_state from, enum consent_state to);

/* Who ended a consent (statusReason.by.role). Values are stored: never renumber. */
enum consent_role {
    CONSENT_BY_NONE = 0,
    CONSENT_BY_ACCOUNT_HOLDER = 1,
    CONSENT_BY_CLIENT = 2,
    CONSENT_BY_TENANT = 3,
    CONSENT_BY_SCHEME = 4,
    CONSENT_BY_SYSTEM = 5
};
/* "accountHolder" "client" "tenant" "scheme" "system"; NULL for CONSENT_BY_NONE. */
const char *lifecycle_role_name(enum consent_role role);
MUST_CHECK enum status lifecycle_role_parse(struct span name, enum consent_role *out);

/* The built-in reasons: code, the state it leads to, whether a caller may state it (the others are
 * the service's own). */
struct lifecycle_reason {
    const char *code;
    enum consent_state leads_to;
    bool by_caller;
};
/* The built-in reason with this code, or NULL. Packs may add reasons: see policy_pack_reason. */
const struct lifecycle_reason *lifecycle_reason_find(struct span code);

#endif
