/* Whether the tables say of a consent what the log tells: an old row that was put back, or one that
 * was changed, is found by whoever reads the log's entries beside it. Any thread. */
// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "store/consent.h"

/* After an end nothing sets another state, and the last that did is the one that the header has. */
static bool fits(const struct store_consent *c, const struct store_event *event) {
    enum consent_state state = store_event_state(event->code);
    bool ends = state != 0 && lifecycle_is_final(state);
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
