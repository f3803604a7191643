/* The table of the kinds of changes. Pure, but for what they do: writer thread. */
// SPDX-License-Identifier: Apache-2.0
#include "store/operation.h"

#include "store/cosigning.h"
#include "store/erasing.h"
#include "store/granting.h"
#include "store/look.h"
#include "store/outbox.h"
#include "store/outboxing.h"

struct operation {
    enum status (*run)(struct write *w, struct store_change *change);
    bool judged, ending;
    uint32_t weight; /* 0: 1 */
};
static const struct operation operations[] = {
    [STORE_CREATE] = {.run = change_create, .judged = true},
    [STORE_GRANT] = {.run = change_grant, .judged = true},
    [STORE_RENEW] = {.run = change_renew, .judged = true},
    [STORE_END] = {.run = change_end, .ending = true},
    [STORE_END_MANY] = {.run = change_end_many, .ending = true, .weight = LIMIT_BULK},
    [STORE_TOKENS] = {.run = change_tokens},
    [STORE_PROOFS] = {.run = change_proofs},
    [STORE_STEP] = {.run = change_step},
    [STORE_DECIDE] = {.run = change_decide, .judged = true},
    [STORE_DISCLOSE] = {.run = change_disclose, .judged = true},
    [STORE_BLOCK] = {.run = change_block, .ending = true},
    [STORE_UNBLOCK] = {.run = change_unblock},
    /* by its retention; leaves more room than it takes */
    [STORE_ERASE] = {.run = change_erase, .judged = true, .ending = true, .weight = LIMIT_BULK},
    [STORE_HOLD] = {.run = change_hold, .ending = true},
    [STORE_RELEASE] = {.run = change_release},
    [STORE_LOOK] = {.run = change_look, .weight = STORE_LOOKS_MAX},
    [STORE_COSIGN] = {.run = change_cosign},
    [STORE_DELIVER] = {.run = change_deliver, .ending = true, .weight = STORE_DELIVERIES_MAX},
    [STORE_READ_PERMISSION] = {.run = change_read_permission},
    [STORE_REVOKE_TOKEN] = {.run = change_revoke_token, .ending = true},
    [STORE_MESSAGE] = {.run = change_message, .ending = true},
};

enum status operation_run(struct write *w, struct store_change *change) {
    return operations[change->op].run(w, change);
}

bool operation_is_judged(const struct store_change *change) {
    return operations[change->op].judged;
}

bool operation_is_ending(const struct store_change *change) {
    return operations[change->op].ending;
}

uint32_t operation_weight(const struct store_change *change) {
    uint32_t weight = operations[change->op].weight;
    return (weight != 0 ? weight : 1) + (change->op == STORE_DECIDE ? change->inquiry_count : 0);
}
