/* Rules: conditions held against a request and a consent. What is not there equals nothing, so `ne`
 * and `notIn` hold for it and every other comparison fails: a denial written with `ne` denies those
 * who say nothing. Pure; allocates nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/decision_rules.h"

#include "base/limits.h"
#include "policy/pack_private.h"

/* ---- what stands at the end of a path */

static struct policy_attribute text(struct span value) {
    return span_present(value) ? (struct policy_attribute){.kind = POLICY_IS_TEXT, .text = value}
                               : (struct policy_attribute){.kind = POLICY_ABSENT};
}

static struct policy_attribute number_unless(int64_t value, int64_t absent) {
    return value != absent ? (struct policy_attribute){.kind = POLICY_IS_NUMBER, .number = value}
                           : (struct policy_attribute){.kind = POLICY_ABSENT};
}

static struct policy_attribute of_consent(const struct rule_facts *facts,
                                          enum policy_operand operand) {
    const struct policy_consent *c = facts->consent;
    if (c == NULL)
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    switch (operand) {
    case POLICY_CONSENT_STATUS:
        return text(span_of_text(lifecycle_state_name(facts->status)));
    case POLICY_CONSENT_TENANT:
        return text(c->tenant);
    case POLICY_CONSENT_PROVIDER:
        return text(c->provider);
    case POLICY_CONSENT_CLIENT:
        return text(c->client);
    case POLICY_CONSENT_LICENSE:
        return text(c->license_url);
    case POLICY_CONSENT_PRINCIPAL_TYPE:
        return text(c->principal);
    case POLICY_CONSENT_LAST_GRANTED:
        return number_unless(c->granted_at, INT64_MIN);
    case POLICY_CONSENT_EXPIRES:
        return number_unless(c->expires, INT64_MAX);
    case POLICY_CONSENT_DATA_FROM:
        return number_unless(c->data_from, INT64_MIN);
    case POLICY_CONSENT_DATA_TO:
        return number_unless(c->data_to, INT64_MIN);
    case POLICY_CONSENT_MAX_USES:
        return number_unless(c->max_uses, 0);
    default:
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    }
}

static struct policy_attribute of_license(const struct rule_facts *facts,
                                          enum policy_operand operand) {
    const struct policy_license *license = facts->consent != NULL ? facts->consent->license : NULL;
    if (license == NULL)
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    switch (operand) {
    case POLICY_LICENSE_URL:
        return text(license->url);
    case POLICY_LICENSE_FROM:
        return text(facts->pack->roles[license->from_role].code);
    case POLICY_LICENSE_TO:
        return text(facts->pack->roles[license->to_role].code);
    default:
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    }
}

/* What the caller says goes before what the directory of the pack says. */
static struct policy_attribute stated_or_known(const struct policy_request *request,
                                               const struct policy_entity *entity, uint32_t slot) {
    if (request->attributes != NULL && request->attributes[slot].kind != POLICY_ABSENT)
        return request->attributes[slot];
    return policy_entity_attribute(entity, slot);
}

static struct policy_attribute look(const struct rule_facts *facts,
                                    const struct policy_condition *condition) {
    const struct policy_request *request = facts->request;
    switch (condition->operand) {
    case POLICY_SUBJECT_TYPE:
        return text(request->subject_type);
    case POLICY_SUBJECT_ID:
        return text(request->subject_id);
    case POLICY_ACTION_NAME:
        return text(request->action_name);
    case POLICY_RESOURCE_TYPE:
        return text(request->resource_type);
    case POLICY_RESOURCE_ID:
        return text(request->resource_id);
    case POLICY_SUBJECT_PROPERTY:
        return stated_or_known(request, facts->subject, condition->slot);
    case POLICY_RESOURCE_PROPERTY:
        return stated_or_known(request, facts->resource, condition->slot);
    case POLICY_ACTION_PROPERTY:
    case POLICY_CONTEXT:
        return stated_or_known(request, NULL, condition->slot);
    case POLICY_LICENSE_URL:
    case POLICY_LICENSE_FROM:
    case POLICY_LICENSE_TO:
        return of_license(facts, condition->operand);
    default:
        return of_consent(facts, condition->operand);
    }
}

/* ---- comparing */

/* The order of a caller's value against the rule's: -1, 0, 1, or 2 when they do not compare. */
static int order(const struct policy_attribute *have, const struct policy_value *want) {
    int64_t number = have->number;
    bool fraction = have->fraction;
    switch (want->type) {
    case POLICY_TEXT:
        return have->kind == POLICY_IS_TEXT && span_equal(have->text, want->text) ? 0 : 2;
    case POLICY_TRUTH:
        return have->kind == POLICY_IS_TRUTH && number == want->number ? 0 : 2;
    case POLICY_TIME:
        if (have->kind == POLICY_IS_TEXT) { /* what a caller sends is a text */
            fraction = false;
            if (timestamp_parse(have->text, &number) != STATUS_OK)
                return 2;
        } else if (have->kind != POLICY_IS_NUMBER) {
            return 2;
        }
        break;
    case POLICY_NUMBER:
        if (have->kind != POLICY_IS_NUMBER)
            return 2;
        break;
    }
    if (number != want->number)
        return number < want->number ? -1 : 1;
    return fraction ? 1 : 0; /* number is the floor */
}

static bool is_one_of(const struct policy_attribute *have, const struct policy_condition *c) {
    for (uint32_t i = 0; i < c->value_count; i++)
        if (order(have, &c->values[i]) == 0)
            return true;
    return false;
}

static bool all_among(const struct policy_attribute *have, const struct policy_condition *c) {
    if (have->kind != POLICY_IS_TEXTS)
        return false;
    for (uint32_t i = 0; i < have->text_count; i++) {
        struct policy_attribute one = text(have->texts[i]);
        if (!is_one_of(&one, c))
            return false;
    }
    return true;
}

static bool compare(const struct policy_attribute *have, const struct policy_condition *c) {
    int found;
    switch (c->op) {
    case POLICY_EXISTS:
        return (have->kind != POLICY_ABSENT) == (c->values[0].number != 0);
    case POLICY_EQ:
    case POLICY_IN:
        return is_one_of(have, c);
    case POLICY_NE:
    case POLICY_NOT_IN:
        return !is_one_of(have, c);
    case POLICY_SUBSET_OF:
        return all_among(have, c);
    case POLICY_STARTS_WITH:
        return have->kind == POLICY_IS_TEXT && span_starts(have->text, c->values[0].text);
    case POLICY_LT:
        return order(have, &c->values[0]) == -1;
    case POLICY_LTE:
        found = order(have, &c->values[0]);
        return found == -1 || found == 0;
    case POLICY_GT:
        return order(have, &c->values[0]) == 1;
    case POLICY_GTE:
        found = order(have, &c->values[0]);
        return found == 1 || found == 0;
    }
    return false;
}

/* ---- sets: purposes and permissions by their bits, recipients by their URLs */

static struct span code_of(const struct policy_pack *pack, enum policy_operand operand,
                           unsigned bit) {
    return operand == POLICY_CONSENT_PURPOSES || operand == POLICY_LICENSE_PURPOSES
               ? pack->purposes[bit].code
               : pack->permissions[bit].code;
}

static bool bits_among(const struct rule_facts *facts, const struct policy_condition *c,
                       uint64_t bits) {
    for (unsigned bit = 0; bit < LIMIT_SET; bit++) {
        if ((bits >> bit & 1U) == 0)
            continue;
        struct policy_attribute code = text(code_of(facts->pack, c->operand, bit));
        if (!is_one_of(&code, c))
            return false;
    }
    return true;
}

static bool compare_bits(const struct rule_facts *facts, const struct policy_condition *c,
                         bool there, uint64_t bits) {
    if (c->op == POLICY_EXISTS)
        return there == (c->values[0].number != 0);
    return there && bits_among(facts, c, bits);
}

static bool compare_onward(const struct policy_consent *consent, const struct policy_condition *c) {
    struct policy_attribute urls = {.kind = POLICY_ABSENT};
    if (consent != NULL && (consent->onward_urls != NULL || consent->onward_count == 0))
        urls = (struct policy_attribute){.kind = POLICY_IS_TEXTS,
                                         .texts = consent->onward_urls,
                                         .text_count = consent->onward_count};
    return compare(&urls, c);
}

static bool holds(const struct rule_facts *facts, const struct policy_condition *c) {
    const struct policy_consent *consent = facts->consent;
    const struct policy_license *license = consent != NULL ? consent->license : NULL;
    switch (c->operand) {
    case POLICY_CONSENT_PURPOSES:
        return compare_bits(facts, c, consent != NULL, consent != NULL ? consent->purposes : 0);
    case POLICY_CONSENT_PERMISSIONS:
        return compare_bits(facts, c, consent != NULL, consent != NULL ? consent->permissions : 0);
    case POLICY_LICENSE_PURPOSES:
        return compare_bits(facts, c, license != NULL, license != NULL ? license->purposes : 0);
    case POLICY_LICENSE_PERMISSIONS:
        return compare_bits(facts, c, license != NULL, license != NULL ? license->permissions : 0);
    case POLICY_CONSENT_ONWARD_RECIPIENTS:
        return compare_onward(consent, c);
    default:
        break;
    }
    struct policy_attribute have = look(facts, c);
    /* A caller's number is no time: nobody knows whether it counts seconds. */
    if (have.kind == POLICY_IS_NUMBER && c->values[0].type == POLICY_TIME &&
        c->operand <= POLICY_CONTEXT)
        have.kind = POLICY_IS_OTHER;
    return compare(&have, c);
}

int rule_first(const struct rule_facts *facts, bool deny) {
    for (uint32_t i = 0; i < facts->pack->rule_count; i++) {
        const struct policy_rule *rule = &facts->pack->rules[i];
        uint32_t held = 0;
        if (rule->deny != deny)
            continue;
        while (held < rule->condition_count && holds(facts, &rule->when[held]))
            held++;
        if (held == rule->condition_count)
            return (int)i;
    }
    return -1;
}
