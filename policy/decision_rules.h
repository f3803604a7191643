/* Rules as decisions evaluate them. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DECISION_RULES_H
#define POLICY_DECISION_RULES_H

#include "policy/directory.h"

/* What the conditions of a rule are held against. consent may be NULL. */
struct rule_facts {
    const struct policy_pack *pack;
    const struct policy_consent *consent;
    const struct policy_request *request;
    const struct policy_entity *subject, *resource; /* as the pack knows them, or NULL */
    enum consent_state status;                      /* of the consent, by the clock */
};
/* The first rule of this effect whose conditions all hold, or -1. */
int rule_first(const struct rule_facts *facts, bool deny);

#endif
