/* The questions by which one consent is tried under two packs. Pure.
 *
 * Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_POLICY_DIFF_ASK_H
#define CLI_POLICY_DIFF_ASK_H

#include "policy/decision.h"

/* One consent as both packs see it. Borrowed for the calls. */
struct policy_diff_case {
    const struct policy_pack *old_pack, *new_pack;
    const struct policy_consent *old, *new;
    struct span client, license, id; /* id: of the consent, as text */
    int64_t now;
};
enum policy_diff_outcome {
    DIFF_DENIED_BEFORE, /* the old pack permits no question about the pair */
    DIFF_KEPT,          /* whatever the old pack permits, the new one does */
    DIFF_BROKEN,        /* *decision is the new pack's denial of what the old one permits */
};
/* Asks for a purpose and a permission, by their positions in the old pack, in the ways that data
 * are asked for: from the mildest on, the last month by coarse granularity, to the furthest back
 * and the finest. */
enum policy_diff_outcome policy_diff_ask(const struct policy_diff_case *one, uint32_t purpose,
                                         uint32_t permission, struct policy_decision *decision);

#endif
