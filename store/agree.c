/* Whether the tables say of a consent what the log tells: an old row that was put back, or one that
 * was changed, is found by whoever reads the log's entries beside it. Any thread. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"

/* The state that the entry sets, or none. */
static enum consent_state state_after(enum store_event_code code) {
    switch (code) {
    case STORE_CONSENT_REQUESTED:
        return CONSENT_REQUESTED;
    case STORE_CONSENT_GRANTED:
        return CONSENT_ACTIVE;
    case STORE_CONSENT_REFUSED:
        return CONSENT_REFUSED;
    case STORE_CONSENT_TIMED_OUT:
        return CONSENT_TIMED_OUT;
    case STORE_CONSENT_REVOKED:
        return CONSENT_REVOKED;
    case STORE_CONSENT_TERMINATED:
        return CONSENT_TERMINATED;
    case STORE_CONSENT_EXPIRED:
        return CONSENT_EXPIRED;
    case STORE_CONSENT_FULFILLED:
        return CONSENT_FULFILLED;
    case STORE_CONSENT_SUPERSEDED:
        return CONSENT_SUPERSEDED;
    default:
        return CONSENT_STATE_END;
    }
}

/* After an end nothing sets another state, and the last that did is the one that the header has. */
static bool fits(const struct store_consent *c, const struct store_event *event) {
    enum consent_state state = state_after(event->code);
    bool ends = state != CONSENT_STATE_END && lifecycle_is_final(state);
    if (c->created_entry > event->index || c->last_entry < event->index)
        return false;
    if (ends || event->index == c->status_entry)
        return event->index == c->status_entry && c->recorded == state;
    return true;
}

bool store_event_agrees(struct store_reader *reader, const struct store_event *event) {
    ASSERT(reader->open);
    struct store_consent c;
    if (event->leaf.data[1] != 1) /* not about what a consent is */
        return true;
    return consent_load(&reader->txn, event->consent, &c) == STATUS_OK && fits(&c, event);
}
