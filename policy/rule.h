/* The rules and resource types of a pack in the form that decisions evaluate: paths resolved,
 * operators and values typed, nothing left to parse. Validated when the pack is loaded; admission
 * does not read them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "policy/pack.h"

enum policy_operator {
    POLICY_EQ,
    POLICY_NE,
    POLICY_IN,
    POLICY_NOT_IN,
    POLICY_EXISTS,
    POLICY_LT,
    POLICY_LTE,
    POLICY_GT,
    POLICY_GTE,
    POLICY_SUBSET_OF,
    POLICY_STARTS_WITH,
};

/* What a path points at: the first word, and the member when that is fixed. Of the others, which
 * callers name freely, `steps` holds the words after the member. */
enum policy_operand {
    POLICY_SUBJECT_TYPE,
    POLICY_SUBJECT_ID,
    POLICY_SUBJECT_PROPERTY,
    POLICY_ACTION_NAME,
    POLICY_ACTION_PROPERTY,
    POLICY_RESOURCE_TYPE,
    POLICY_RESOURCE_ID,
    POLICY_RESOURCE_PROPERTY,
    POLICY_CONTEXT,
    POLICY_CONSENT_STATUS,
    POLICY_CONSENT_TENANT,
    POLICY_CONSENT_PROVIDER,
    POLICY_CONSENT_CLIENT,
    POLICY_CONSENT_LICENSE,
    POLICY_CONSENT_PRINCIPAL_TYPE,
    POLICY_CONSENT_PURPOSES,
    POLICY_CONSENT_PERMISSIONS,
    POLICY_CONSENT_ONWARD_RECIPIENTS,
    POLICY_CONSENT_LAST_GRANTED,
    POLICY_CONSENT_EXPIRES,
    POLICY_CONSENT_DATA_FROM,
    POLICY_CONSENT_DATA_TO,
    POLICY_CONSENT_MAX_USES,
    POLICY_LICENSE_URL,
    POLICY_LICENSE_FROM,
    POLICY_LICENSE_TO,
    POLICY_LICENSE_PURPOSES,
    POLICY_LICENSE_PERMISSIONS,
};

enum policy_value_type { POLICY_TEXT, POLICY_NUMBER, POLICY_TRUTH, POLICY_TIME };
struct policy_value {
    enum policy_value_type type;
    struct span text; /* POLICY_TEXT */
    int64_t number;   /* POLICY_NUMBER; POLICY_TRUTH: 0 or 1; POLICY_TIME: Unix ms */
};

struct policy_condition {
    enum policy_operand operand;
    const struct span *steps;
    uint32_t step_count;
    uint32_t slot; /* where steps lead: policy_pack_slot; of paths whose words are free */
    enum policy_operator op;
    const struct policy_value *values; /* one, or the list of in, notIn and subsetOf */
    uint32_t value_count;
};

/* Applies when all its conditions hold. Deny overrides. */
struct policy_rule {
    struct span id, reason; /* reason: one sentence, or absent */
    bool deny;
    const struct policy_condition *when;
    uint32_t condition_count; /* at least 1 */
};

/* What kind of resource is asked for, and whether a consent must permit it or rules alone do. */
struct policy_resource_type {
    struct span type;
    bool needs_consent;
};

/* A place where some rule looks for what a caller sent: what it asks for once is a slot once. */
struct policy_slot {
    enum policy_operand operand; /* one of the three properties, or the context */
    const struct span *steps;
    uint32_t step_count;
};
uint32_t policy_pack_slot_count(const struct policy_pack *pack);
const struct policy_slot *policy_pack_slot(const struct policy_pack *pack, uint32_t index);
/* Whether some rule reads the consent's own words: its URLs and names must be given then. */
bool policy_pack_reads_consent(const struct policy_pack *pack);

uint32_t policy_pack_rule_count(const struct policy_pack *pack);
const struct policy_rule *policy_pack_rule(const struct policy_pack *pack, uint32_t index);
uint32_t policy_pack_resource_type_count(const struct policy_pack *pack);
const struct policy_resource_type *policy_pack_resource_type_at(const struct policy_pack *pack,
                                                                uint32_t index);
/* NULL when the pack does not know it: to be denied. */
const struct policy_resource_type *policy_pack_resource_type(const struct policy_pack *pack,
                                                             struct span type);

#endif
