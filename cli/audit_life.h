/* The lives of consents, as entries tell them: states that may follow one another, one active
 * consent of an arrangement at most, an end that names the arrangement it frees, a successor that
 * is there at once, an expiry at its time and not before, parties that stay, and nothing permitted
 * by what is not active. Pure, but for the fault. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_AUDIT_LIFE_H
#define CLI_AUDIT_LIFE_H

#include "cli/audit_chain.h"

struct audit_history;

struct audit_lives {
    struct mac16 successor; /* whose grant is due, */
    uint64_t successor_at;  /* as this entry says; AUDIT_NO_INDEX: none is */
};

/* Each returns false when it has set the fault. */

/* Before an entry: it is what the one before has announced. */
bool audit_life_due(struct audit_history *history, const struct audit_entry *entry,
                    struct audit_fault *fault);
/* An entry that is the next of this chain, which is not valid afterwards; gap: links before it are
 * not known. */
bool audit_life_change(struct audit_history *history, struct audit_chain *chain,
                       const struct audit_entry *entry, bool gap, struct audit_fault *fault);
/* Any entry: the consent that it is about was there, and was active where it permits. */
bool audit_life_permit(const struct audit_history *history, const struct audit_entry *entry,
                       struct audit_fault *fault);
/* At a checkpoint, which is a commit's: nothing is due. */
bool audit_life_end(const struct audit_history *history, struct audit_fault *fault);

#endif
