/* What the cases of a table covered: every clause of admissibility for each licence that can fail
 * it, every reason for a denial, every rule, and a permit for each licence, purpose and permission.
 * What none covered is a failure, unless the table says why it does not apply. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/limits.h"
#include "cli/policy_table.h"
#include "policy/rule.h"

static json_t *notes(const struct table *t, const char *part) {
    return json_object_get(json_object_get(t->root, "notApplicable"), part);
}

/* Whether the table says that this does not apply. */
static bool is_excused(const struct table *t, const char *part, struct span code) {
    return json_object_getn(notes(t, part), code.data, code.size) != NULL;
}

static uint32_t sum(const struct table *t, const uint32_t counts[TABLE_LICENSES_MAX]) {
    uint32_t all = 0;
    for (uint32_t i = 0; i <= policy_pack_license_count(t->base); i++) {
        all += counts[i];
    }
    return all;
}

static void print_license_numbers(const struct table *t, const char *last) {
    printf("  %-26s", "");
    for (uint32_t i = 0; i < policy_pack_license_count(t->base); i++) {
        printf("%5u", i);
    }
    printf("%5s\n", last);
}

/* ---- admissibility */

/* Whether there is something that is not denied and not of the licence. */
static bool leaves_out_permissions(const struct policy_pack *pack,
                                   const struct policy_license *license) {
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        if (!policy_pack_permission(pack, i)->denied && (license->permissions >> i & 1U) == 0) {
            return true;
        }
    }
    return false;
}

static bool some_permission(const struct policy_pack *pack, uint64_t of,
                            bool is_so(const struct policy_permission *)) {
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++) {
        if ((of >> i & 1U) != 0 && is_so(policy_pack_permission(pack, i))) {
            return true;
        }
    }
    return false;
}

static bool is_denied(const struct policy_permission *permission) {
    return permission->denied;
}

static bool needs_another(const struct policy_permission *permission) {
    return permission->only_with != 0;
}

static bool has_granularity(const struct policy_permission *permission) {
    return permission->has_granularity;
}

static bool can_refuse(const struct policy_pack *pack, enum policy_clause clause,
                       const struct policy_license *license) {
    switch ((int)clause) {
    case CLAUSE_LICENSE_UNKNOWN:
        return false;
    case CLAUSE_PURPOSE_NOT_IN_LICENSE:
        return __builtin_popcountll(license->purposes) < (int)policy_pack_purpose_count(pack);
    case CLAUSE_PERMISSION_NOT_IN_LICENSE:
        return leaves_out_permissions(pack, license);
    case CLAUSE_PERMISSION_DENIED:
        return some_permission(pack, UINT64_MAX, is_denied);
    case CLAUSE_PERMISSION_NEEDS_ANOTHER:
        return some_permission(pack, UINT64_MAX, needs_another);
    case CLAUSE_GRANULARITY_TOO_FINE:
        return some_permission(pack, UINT64_MAX, has_granularity);
    case CLAUSE_TERM_TOO_LONG:
        return license->has_term;
    case CLAUSE_LOOK_BACK_TOO_LONG:
        return license->has_look_back;
    case CLAUSE_WINDOW_NOT_WHOLE_MONTHS:
    case CLAUSE_WINDOW_NOT_COMPLETED:
        return license->whole_months;
    case CLAUSE_ONWARD_RECIPIENT_MISSING:
        return license->onward_min > 0;
    case CLAUSE_DEPENDENCY_MISSING:
    case CLAUSE_DEPENDENCY_WRONG_LICENSE:
        return license->depends_on_count > 0;
    default:
        return true;
    }
}

/* Whether a case is missing that shows the clause under some licence that can fail it. */
static bool is_missing(const struct table *t, enum policy_clause clause) {
    uint32_t licenses = policy_pack_license_count(t->base);
    if (clause == CLAUSE_LICENSE_UNKNOWN) {
        return t->refused[clause][licenses] == 0;
    }
    for (uint32_t i = 0; i < licenses; i++) {
        if (t->refused[clause][i] == 0 &&
            can_refuse(t->base, clause, policy_pack_license(t->base, i))) {
            return true;
        }
    }
    return false;
}

/* A clause that some case must show to refuse under this licence. */
static bool must_refuse(const struct table *t, enum policy_clause clause, uint32_t license) {
    return can_refuse(t->base, clause, policy_pack_license(t->base, license)) &&
           !is_excused(t, "admission", span_of_text(policy_clause_code(clause)));
}

static void print_count(uint32_t count, bool wanted) {
    if (count != 0) {
        printf("%5u", count);
    } else {
        printf("%5c", wanted ? '!' : '.');
    }
}

static void print_admission(const struct table *t) {
    uint32_t licenses = policy_pack_license_count(t->base);
    printf("refusals by clause and licence (. cannot be, ! not covered)\n");
    print_license_numbers(t, "none");
    for (unsigned clause = 0; clause < CLAUSE_COUNT; clause++) {
        printf("  %-26s", policy_clause_code(clause));
        for (uint32_t i = 0; i < licenses; i++) {
            print_count(t->refused[clause][i], must_refuse(t, clause, i));
        }
        print_count(t->refused[clause][licenses], clause == CLAUSE_LICENSE_UNKNOWN);
        putchar('\n');
    }
    printf("  %-26s", "admitted");
    for (uint32_t i = 0; i < licenses; i++) {
        print_count(t->admitted[i], true);
    }
    putchar('\n');
}

static void check_admission(struct table *t) {
    uint32_t licenses = policy_pack_license_count(t->base);
    for (unsigned clause = 0; clause < CLAUSE_COUNT; clause++) {
        for (uint32_t i = 0; i < licenses; i++) {
            if (t->refused[clause][i] == 0 && must_refuse(t, clause, i)) {
                table_fail(t, "no case is refused by %s under licenses/%u",
                           policy_clause_code(clause), i);
            }
        }
    }
    if (t->refused[CLAUSE_LICENSE_UNKNOWN][licenses] == 0 &&
        !is_excused(t, "admission", SPAN("licenseUnknown"))) {
        table_fail(t, "no case is refused by licenseUnknown");
    }
    for (uint32_t i = 0; i < licenses; i++) {
        if (t->admitted[i] == 0 &&
            !is_excused(t, "permits", policy_pack_license(t->base, i)->url)) {
            table_fail(t, "no case is admitted under licenses/%u", i);
        }
    }
}

/* ---- decisions */

static bool some_type_needs_consent(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_resource_type_count(pack); i++) {
        if (policy_pack_resource_type_at(pack, i)->needs_consent) {
            return true;
        }
    }
    return false;
}

static bool some_license_depends(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_license_count(pack); i++) {
        if (policy_pack_license(pack, i)->depends_on_count != 0) {
            return true;
        }
    }
    return false;
}

static bool can_deny(const struct policy_pack *pack, enum policy_denial denial) {
    uint32_t territories;
    switch ((int)denial) {
    case DENIAL_MALFORMED_REQUEST:
    case DENIAL_CLIENT_BLOCKED:
    case DENIAL_DENIED_BY_RULE:
        return true;
    case DENIAL_TERRITORY:
        (void)policy_pack_territory(pack, &territories);
        return territories != 0 && some_type_needs_consent(pack);
    case DENIAL_LINKED_CONSENT_ENDED:
        return some_license_depends(pack);
    default:
        return some_type_needs_consent(pack);
    }
}

static bool must_deny(const struct table *t, enum policy_denial denial) {
    return sum(t, t->denied[denial]) == 0 && can_deny(t->base, denial) &&
           !is_excused(t, "decisions", span_of_text(policy_denial_code(denial)));
}

static void print_decisions(const struct table *t) {
    uint32_t licenses = policy_pack_license_count(t->base);
    printf("denials by reason and licence (. none, ! not covered)\n");
    print_license_numbers(t, "none");
    for (unsigned denial = 0; denial < DENIAL_COUNT; denial++) {
        printf("  %-26s", policy_denial_code(denial));
        for (uint32_t i = 0; i <= licenses; i++) {
            print_count(t->denied[denial][i], must_deny(t, denial));
        }
        putchar('\n');
    }
    printf("  %-26s", "permitted");
    for (uint32_t i = 0; i <= licenses; i++) {
        print_count(t->permitted[i], i < licenses);
    }
    putchar('\n');
}

static void check_permit(struct table *t, struct span what) {
    if (!is_excused(t, "permits", what)) {
        table_fail(t, "no decision permits %.*s", SPAN_ARG(what));
    }
}

static void check_decisions(struct table *t) {
    uint64_t purposes = 0, permissions = 0;
    for (unsigned denial = 0; denial < DENIAL_COUNT; denial++) {
        if (must_deny(t, denial)) {
            table_fail(t, "no case is denied by %s", policy_denial_code(denial));
        }
    }
    for (uint32_t i = 0; i < policy_pack_license_count(t->base); i++) {
        const struct policy_license *license = policy_pack_license(t->base, i);
        purposes |= license->purposes;
        permissions |= license->permissions;
        if (t->permitted[i] == 0) {
            check_permit(t, license->url);
        }
    }
    for (uint32_t i = 0; i < LIMIT_SET; i++) {
        if (((purposes & ~t->purposes_permitted) >> i & 1U) != 0) {
            check_permit(t, policy_pack_purpose(t->base, i)->code);
        }
        if (((permissions & ~t->permissions_permitted) >> i & 1U) != 0) {
            check_permit(t, policy_pack_permission(t->base, i)->code);
        }
    }
}

static bool must_apply(const struct table *t, uint32_t rule) {
    return t->rules_applied[rule] == 0 &&
           !is_excused(t, "rules", policy_pack_rule(t->base, rule)->id);
}

static void print_rules(const struct table *t) {
    uint32_t count = policy_pack_rule_count(t->base);
    if (count != 0) {
        printf("decisions by rule (! not covered)\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        printf("  %-26.*s", SPAN_ARG(policy_pack_rule(t->base, i)->id));
        print_count(t->rules_applied[i], must_apply(t, i));
        putchar('\n');
    }
}

static void check_rules(struct table *t) {
    for (uint32_t i = 0; i < policy_pack_rule_count(t->base); i++) {
        if (must_apply(t, i)) {
            table_fail(t, "no case is decided by rule %.*s",
                       SPAN_ARG(policy_pack_rule(t->base, i)->id));
        }
    }
}

/* ---- what the table says does not apply */

/* What a name under notApplicable is good for. */
enum excuse {
    EXCUSE_NEEDED,
    EXCUSE_IDLE,    /* cases cover it */
    EXCUSE_UNKNOWN, /* there is no such thing */
};

static enum excuse judge_excuse(const struct table *t, const char *part, struct span code) {
    for (unsigned i = 0; i < CLAUSE_COUNT && strcmp(part, "admission") == 0; i++) {
        if (span_is(code, policy_clause_code(i))) {
            return is_missing(t, i) ? EXCUSE_NEEDED : EXCUSE_IDLE;
        }
    }
    if (strcmp(part, "decisions") == 0 && policy_denial_parse(code) != DENIAL_COUNT) {
        return sum(t, t->denied[policy_denial_parse(code)]) == 0 ? EXCUSE_NEEDED : EXCUSE_IDLE;
    }
    for (uint32_t i = 0; i < policy_pack_rule_count(t->base) && strcmp(part, "rules") == 0; i++) {
        if (span_equal(code, policy_pack_rule(t->base, i)->id)) {
            return t->rules_applied[i] == 0 ? EXCUSE_NEEDED : EXCUSE_IDLE;
        }
    }
    return EXCUSE_UNKNOWN;
}

static enum excuse judge_permit_excuse(const struct table *t, struct span code) {
    int purpose = policy_pack_purpose_find(t->base, code);
    int permission = policy_pack_permission_find(t->base, code);
    bool idle = false;
    if (policy_pack_license_find(t->base, code) != NULL) {
        idle = t->permitted[table_column(t, code)] != 0;
    } else if (purpose >= 0) {
        idle = (t->purposes_permitted >> purpose & 1U) != 0;
    } else if (permission >= 0) {
        idle = (t->permissions_permitted >> permission & 1U) != 0;
    } else {
        return EXCUSE_UNKNOWN;
    }
    return idle ? EXCUSE_IDLE : EXCUSE_NEEDED;
}

static void check_notes(struct table *t) {
    const char *part, *code;
    json_t *list, *reason;
    json_object_foreach(json_object_get(t->root, "notApplicable"), part, list) {
        json_object_foreach(list, code, reason) {
            struct span name = span_of_text(code);
            enum excuse excuse = strcmp(part, "permits") == 0 ? judge_permit_excuse(t, name)
                                                              : judge_excuse(t, part, name);
            if (excuse == EXCUSE_UNKNOWN) {
                table_fail(t, "notApplicable names %s, which is not there", code);
            } else if (excuse == EXCUSE_IDLE) {
                table_fail(t, "notApplicable names %s, which cases cover", code);
            }
        }
    }
}

void table_print_coverage(struct table *t) {
    snprintf(t->where, sizeof t->where, "coverage");
    bool admits = policy_pack_license_count(t->base) != 0;
    if (admits) {
        print_admission(t);
    }
    print_decisions(t);
    print_rules(t);
    if (admits) {
        check_admission(t);
    }
    check_decisions(t);
    check_rules(t);
    check_notes(t);
    t->where[0] = '\0';
}
