/* What entries say of each other: numbers of consents and of tenants without gaps, lives of
 * consents that are legal (audit_life.h), time that does not go back, and a notice for whatever
 * cannot be opened. Memory grows with the number of consents, by 80 to 160 bytes each. Threads:
 * one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_HISTORY_H
#define CLI_AUDIT_HISTORY_H

#include "cli/audit_chain.h"
#include "cli/audit_entry.h"
#include "cli/audit_life.h"

struct audit_history {
    uint64_t from; /* the first entry that was looked at: what began before goes on */
    int64_t last_at;
    struct audit_chains consents, tenants;
    struct audit_lives lives;
    uint64_t consent_count;
    struct audit_erased erased;
};

void audit_history_begin(struct audit_history *history, uint64_t from);
/* The next entry, in order; each is looked at once. */
bool audit_history_add(struct audit_history *history, const struct audit_entry *entry,
                       struct audit_fault *fault);
/* Whether each entry so far is open, or a notice says that it was erased. */
bool audit_history_explained(const struct audit_history *history);
/* The same, with a fault that names the first one. */
bool audit_history_end(const struct audit_history *history, struct audit_fault *fault);
void audit_history_release(struct audit_history *history);

#endif
