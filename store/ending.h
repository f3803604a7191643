/* One consent ends, and what depends on it. Private to store/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_ENDING_H
#define STORE_ENDING_H

#include "store/entry.h"

struct ending {
    enum consent_state state;
    struct span reason;
    enum consent_role by;
    struct actor actor;
    int64_t status_at;
    struct span text_json;    /* personal members, or empty */
    const struct uuid *cause; /* consent that caused it, nil when only an entry did; or NULL */
    uint64_t cause_entry;
    const struct uuid *superseded_by; /* id, or NULL */
};
/* Ends *consent (its recorded state must allow it) and returns the entry. No cascade. */
uint64_t ending_write(struct write *w, struct store_consent *consent, const struct ending *ending);
/* The same, with the cascade, to at most LIMIT_BULK entries; the rest becomes a job. */
void ending_cascade(struct write *w, const struct store_consent *ended);
/* What depends on a token of another store, which the entry tells was withdrawn. */
void ending_cascade_external(struct write *w, const struct digest *token, uint64_t cause_entry);
/* Records that the clock has ended *consent, with the cascade. */
void ending_by_clock(struct write *w, struct store_consent *consent);
/* Ends what the clock has ended, at most `limit` consents, and goes on with jobs. Returns whether
 * there may be more. */
bool ending_sweep(struct write *w, uint32_t limit);
/* Whether some member of the group is active now. */
bool ending_group_active(struct write *w, const struct store_group *group);
/* What depended on `from` depends, from now on, on `to` as well. */
void ending_dependants_follow(struct write *w, const struct uuid *from, const struct uuid *to);

#endif
