/* The decision, clause by clause (docs/decisions.md). Deny by default (invariant 8): what a consent
 * limits and a request does not state is denied, and so is what the pack does not know. Pure;
 * allocates nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/decision.h"

#include "base/log.h"
#include "policy/decision_cause.h"
#include "policy/decision_rules.h"
#include "policy/finer.h"
#include "policy/pack_private.h"

#define BIT64(i) (UINT64_C(1) << (i))

/* One judgement under way. */
struct judge {
    const struct policy_pack *pack;
    const struct policy_consent *consent; /* NULL: there is none */
    const struct policy_license *license; /* of the consent; NULL when the pack has it no more */
    const struct policy_request *ask;
    int64_t now;
    uint64_t base_purposes, base_permissions; /* in the consent and still in the licence */
    struct policy_decision *out;
};

const char *policy_denial_code(enum policy_denial denial) {
    static const char *const codes[] = {
#define X(name, code) [DENIAL_##name] = code,
        POLICY_DENIALS(X)
#undef X
    };
    ASSERT((unsigned)denial < DENIAL_COUNT);
    return codes[denial];
}

enum policy_denial policy_denial_parse(struct span code) {
    enum policy_denial denial = 0;
    while (denial < DENIAL_COUNT && !span_is(code, policy_denial_code(denial)))
        denial++;
    return denial;
}

/* The first cause under a code stands. */
static void deny(struct judge *j, enum policy_denial denial, enum policy_variant variant,
                 int index) {
    if ((j->out->denials >> denial & 1U) != 0)
        return;
    j->out->denials |= 1U << denial;
    j->out->causes[denial] = (struct policy_cause){(uint8_t)variant, index};
}

static int lowest(uint64_t bits) {
    return bits != 0 ? __builtin_ctzll(bits) : -1;
}

/* ---- the consent itself */

static enum consent_state state_now(const struct policy_consent *consent, int64_t now) {
    return consent->status == CONSENT_ACTIVE && consent->expires <= now ? CONSENT_EXPIRED
                                                                        : consent->status;
}

static void judge_state(struct judge *j) {
    const struct policy_consent *c = j->consent;
    enum consent_state state = state_now(c, j->now);
    if (state == CONSENT_EXPIRED)
        deny(j, DENIAL_EXPIRED, CAUSE_PLAIN, 0);
    else if (state != CONSENT_ACTIVE && state != CONSENT_FULFILLED)
        deny(j, DENIAL_NOT_ACTIVE, CAUSE_PLAIN, (int)state);
    if (state == CONSENT_FULFILLED || (c->max_uses != 0 && c->uses >= c->max_uses))
        deny(j, DENIAL_USES_EXHAUSTED, CAUSE_PLAIN, 0);
    if (c->wrong_client)
        deny(j, DENIAL_WRONG_CLIENT, CAUSE_PLAIN, 0);
    if (c->linked_ended)
        deny(j, DENIAL_LINKED_CONSENT_ENDED, CAUSE_PLAIN, 0);
}

static void judge_license(struct judge *j) {
    const struct policy_license *license = j->license;
    if (license == NULL) {
        deny(j, DENIAL_LICENSE_NOT_AVAILABLE, CAUSE_LICENSE_UNKNOWN, 0);
        return;
    }
    if (j->now < license->available_from)
        deny(j, DENIAL_LICENSE_NOT_AVAILABLE, CAUSE_LICENSE_NOT_YET, 0);
    if (j->now > license->prohibited_after)
        deny(j, DENIAL_LICENSE_PROHIBITED, CAUSE_PLAIN, 0);
    if (span_present(j->ask->license) && !span_equal(j->ask->license, license->url))
        deny(j, DENIAL_LICENSE_NOT_AVAILABLE, CAUSE_LICENSE_OF_TOKEN, 0);
}

/* ---- roles and purposes */

static uint64_t stated_roles(const struct judge *j) {
    uint64_t roles = 0;
    for (uint32_t i = 0; i < j->pack->role_count; i++)
        for (uint32_t u = 0; u < j->pack->roles[i].url_count; u++)
            for (uint32_t s = 0; s < j->ask->role_count; s++)
                if (span_equal(j->pack->roles[i].urls[u], j->ask->roles[s]))
                    roles |= BIT64(i);
    return roles;
}

/* Who acts: the client in today's roles, or in the one its consent was admitted for; and the onward
 * recipient that the question names. */
static uint64_t acting_roles(struct judge *j) {
    const struct policy_license *license = j->license;
    uint64_t roles = j->ask->roles_known ? stated_roles(j) : 0;
    if (license == NULL)
        return j->ask->roles_known ? roles : UINT64_MAX;
    if (!j->ask->roles_known)
        roles = BIT64(license->to_role);
    else if ((roles & BIT64(license->to_role)) == 0)
        deny(j, DENIAL_ROLE_MISSING, CAUSE_ROLE_OF_LICENSE, 0);
    if (j->ask->has_onward && license->onward_max != 0)
        roles |= BIT64(license->onward_role);
    return roles;
}

/* The granularity that is asked for: as fine as the data come, when the request does not say. */
static bool asked_granularity(const struct judge *j, const struct policy_permission *permission,
                              struct duration *out) {
    if (j->ask->has_granularity)
        *out = j->ask->granularity;
    else if (permission->has_granularity)
        *out = permission->finest;
    return j->ask->has_granularity || permission->has_granularity;
}

static bool coarse_enough_for(const struct judge *j, const struct policy_purpose *purpose) {
    struct duration asked = {0, 0};
    if (!purpose->limits.has_granularity)
        return true;
    if (!j->ask->has_permissions)
        return !j->ask->has_granularity ||
               !duration_finer(j->ask->granularity, purpose->limits.granularity);
    for (uint64_t left = j->ask->permissions; left != 0; left &= left - 1)
        if (asked_granularity(j, &j->pack->permissions[lowest(left)], &asked) &&
            duration_finer(asked, purpose->limits.granularity))
            return false;
    return true;
}

/* Counted back from the month that it is. */
static bool recent_enough_for(const struct judge *j, const struct policy_purpose *purpose) {
    const struct policy_limits *limits = &purpose->limits;
    if (!limits->has_look_back || j->ask->from == INT64_MIN)
        return true;
    int64_t earliest =
        timestamp_add_months(timestamp_month_start(j->now), -limits->look_back.months) -
        limits->look_back.seconds * 1000;
    return j->ask->from >= earliest;
}

/* What a purpose must pass beside standing in the consent; each narrows what the one before left.
 */
struct purpose_test {
    enum policy_denial denial;
    enum policy_variant one, all;
};
static const struct purpose_test purpose_tests[] = {
    {DENIAL_ROLE_MISSING, CAUSE_ROLE_OF_PURPOSE, CAUSE_ROLE_OF_ALL},
    {DENIAL_GRANULARITY_TOO_FINE, CAUSE_GRAIN_OF_PURPOSE, CAUSE_GRAIN_OF_ALL},
    {DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_OF_PURPOSE, CAUSE_WINDOW_OF_ALL},
};

static bool purpose_passes(const struct judge *j, enum policy_denial denial, unsigned purpose,
                           uint64_t roles) {
    const struct policy_purpose *p = &j->pack->purposes[purpose];
    if (denial == DENIAL_ROLE_MISSING)
        return (p->roles & roles) != 0;
    return denial == DENIAL_GRANULARITY_TOO_FINE ? coarse_enough_for(j, p)
                                                 : recent_enough_for(j, p);
}

static uint64_t narrow(struct judge *j, uint64_t purposes, uint64_t roles) {
    for (size_t t = 0; t < sizeof purpose_tests / sizeof *purpose_tests; t++) {
        const struct purpose_test *test = &purpose_tests[t];
        uint64_t kept = 0;
        for (uint64_t left = purposes; left != 0; left &= left - 1)
            if (purpose_passes(j, test->denial, (unsigned)lowest(left), roles))
                kept |= BIT64(lowest(left));
        if (kept != 0)
            purposes = kept;
        else if (purposes != 0)
            deny(j, test->denial, j->ask->has_purpose ? test->one : test->all, lowest(purposes));
    }
    return purposes;
}

static void judge_purposes(struct judge *j) {
    uint64_t roles = acting_roles(j);
    uint64_t purposes = j->base_purposes;
    if (j->ask->has_purpose && j->ask->purpose < 0) {
        deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_UNKNOWN, 0);
        return;
    }
    if (j->ask->has_purpose) {
        purposes = BIT64(j->ask->purpose);
        if ((j->base_purposes & purposes) == 0)
            deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_OUTSIDE, j->ask->purpose);
    } else if (j->pack->settings.purpose_must_be_stated) {
        deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_NOT_STATED, 0);
    } else if (purposes == 0) {
        deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_NONE, 0);
    }
    j->out->purposes = narrow(j, purposes, roles);
}

/* ---- permissions, their resources and granularity */

static const struct policy_grain *grain_of(const struct judge *j, int permission) {
    for (uint32_t i = 0; i < j->consent->grain_count; i++)
        if (j->consent->grains[i].permission == permission)
            return &j->consent->grains[i];
    return NULL;
}

static bool resources_among(const struct judge *j, const struct policy_grain *grain) {
    for (uint32_t i = 0; i < j->ask->resource_count; i++) {
        uint32_t at = 0;
        while (at < grain->resource_count &&
               memcmp(&grain->resources[at], &j->ask->resources[i], MAC16_SIZE) != 0)
            at++;
        if (at == grain->resource_count)
            return false;
    }
    return true;
}

static void judge_resources(struct judge *j, const struct policy_grain *grain) {
    if (grain == NULL || grain->resource_count == 0)
        return;
    if (j->ask->resource_count == 0 && j->ask->has_permissions)
        deny(j, DENIAL_RESOURCE_NOT_PERMITTED, CAUSE_RESOURCE_NOT_STATED, grain->permission);
    else if (!resources_among(j, grain))
        deny(j, DENIAL_RESOURCE_NOT_PERMITTED, CAUSE_RESOURCE_OUTSIDE, grain->permission);
}

static void judge_granularity(struct judge *j, int index, const struct policy_grain *grain) {
    const struct policy_permission *permission = &j->pack->permissions[index];
    struct duration asked = {0, 0};
    bool known = asked_granularity(j, permission, &asked);
    if (grain != NULL && grain->has_granularity &&
        (!known || duration_finer(asked, grain->granularity)))
        deny(j, DENIAL_GRANULARITY_TOO_FINE, CAUSE_GRAIN_OF_CONSENT, index);
    if (known && permission->has_granularity && duration_finer(asked, permission->finest))
        deny(j, DENIAL_GRANULARITY_TOO_FINE, CAUSE_GRAIN_OF_PERMISSION, index);
}

/* Data for onward recipients go to them alone, and they get nothing else. */
static void judge_onward_permission(struct judge *j, int index) {
    if (j->license == NULL)
        return;
    bool onward = (j->license->onward_permissions >> index & 1U) != 0;
    if (j->ask->has_onward && !onward)
        deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_ONWARD, index);
    else if (!j->ask->has_onward && onward)
        deny(j, DENIAL_RECIPIENT_NOT_NAMED, CAUSE_RECIPIENT_NOT_STATED, index);
}

static void judge_permission(struct judge *j, int index) {
    const struct policy_permission *permission = &j->pack->permissions[index];
    if (permission->denied)
        deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_DENIED, index);
    else if (j->consent != NULL && (j->base_permissions >> index & 1U) == 0)
        deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_OUTSIDE, index);
    if (permission->only_with != 0 && (permission->only_with & j->ask->permissions) == 0)
        deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_ALONE, index);
    if (j->consent == NULL || (j->base_permissions >> index & 1U) == 0)
        return;
    const struct policy_grain *grain = grain_of(j, index);
    judge_onward_permission(j, index);
    judge_resources(j, grain);
    judge_granularity(j, index, grain);
}

/* Whether the window is of calendar months that are over. Where permissions are not stated, only
 * the ends that are stated count. */
static bool whole_past_months(const struct judge *j) {
    const int64_t from = j->ask->from, to = j->ask->to, month = timestamp_month_start(j->now);
    const bool starts = from != INT64_MIN, ends = to != INT64_MIN;
    if (j->ask->has_permissions && (!starts || !ends))
        return false;
    return (!starts || (from == timestamp_month_start(from) && from < month)) &&
           (!ends || (to == timestamp_month_start(to) && to <= month));
}

/* Those that stand beside one that they need, when only these are asked for. */
static uint64_t not_alone(const struct judge *j, uint64_t permissions) {
    uint64_t kept = permissions;
    for (uint64_t left = permissions; left != 0; left &= left - 1) {
        uint64_t with = j->pack->permissions[lowest(left)].only_with;
        if (with != 0 && (with & permissions) == 0)
            kept &= ~BIT64(lowest(left));
    }
    return kept == permissions ? kept : not_alone(j, kept);
}

/* Without a list of permissions the question is whether there is any, of what else was stated. */
static uint64_t open_permissions(struct judge *j) {
    const bool months = whole_past_months(j);
    uint64_t open = 0;
    for (uint64_t left = j->base_permissions; left != 0; left &= left - 1) {
        struct policy_decision aside = {.denials = 0};
        struct judge one = *j;
        const struct policy_permission *permission = &j->pack->permissions[lowest(left)];
        const struct policy_grain *grain = grain_of(j, lowest(left));
        one.out = &aside;
        if (permission->denied || (permission->whole_months && !months))
            continue;
        judge_onward_permission(&one, lowest(left));
        judge_resources(&one, grain);
        if (j->ask->has_granularity)
            judge_granularity(&one, lowest(left), grain);
        if (aside.denials == 0)
            open |= BIT64(lowest(left));
    }
    return not_alone(j, open);
}

static void judge_permissions(struct judge *j) {
    if (j->ask->unknown_permission)
        deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_UNKNOWN, 0);
    if (j->ask->has_permissions) {
        for (uint64_t left = j->ask->permissions; left != 0; left &= left - 1)
            judge_permission(j, lowest(left));
        j->out->permissions = j->ask->permissions;
    } else if (j->consent != NULL) {
        j->out->permissions = open_permissions(j);
        if (j->out->permissions == 0)
            deny(j, DENIAL_PERMISSION_NOT_PERMITTED, CAUSE_PERMISSION_NONE, 0);
    }
}

/* ---- window, recipient, territory */

static void judge_bounds(struct judge *j) {
    const struct policy_consent *c = j->consent;
    int64_t from = j->ask->from, to = j->ask->to;
    bool stated = j->ask->has_permissions;
    if (c->data_from != INT64_MIN && from == INT64_MIN && stated)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_NO_FROM, 0);
    if (c->data_from != INT64_MIN && from != INT64_MIN && from < c->data_from)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_BEFORE, 0);
    if (c->data_to != INT64_MIN && to == INT64_MIN && stated)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_NO_TO, 0);
    if (c->data_to != INT64_MIN && to != INT64_MIN && to > c->data_to)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_AFTER, 0);
    if (j->license == NULL || !j->license->has_look_back || c->data_from != INT64_MIN ||
        from == INT64_MIN || c->granted_at == INT64_MIN)
        return;
    if (from <
        timestamp_add_months(timestamp_month_start(c->granted_at), -j->license->look_back.months))
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_OF_LICENSE, 0);
}

static void judge_months(struct judge *j) {
    if (whole_past_months(j))
        return;
    if (j->license != NULL && j->license->whole_months)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_MONTHS_OF_LICENSE, 0);
    for (uint64_t left = j->ask->permissions; left != 0; left &= left - 1)
        if (j->pack->permissions[lowest(left)].whole_months)
            deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_MONTHS_OF_PERMISSION, lowest(left));
}

static void judge_window(struct judge *j) {
    if (j->ask->from != INT64_MIN && j->ask->to != INT64_MIN && j->ask->from >= j->ask->to)
        deny(j, DENIAL_OUTSIDE_DATA_WINDOW, CAUSE_WINDOW_EMPTY, 0);
    if (j->consent == NULL)
        return;
    judge_bounds(j);
    judge_months(j);
}

static void judge_recipient(struct judge *j) {
    if (!j->ask->has_onward)
        return;
    for (uint32_t i = 0; i < j->consent->onward_count; i++)
        if (j->consent->onward[i] == j->ask->onward)
            return;
    deny(j, DENIAL_RECIPIENT_NOT_NAMED, CAUSE_RECIPIENT_OTHER, 0);
}

static void judge_territory(struct judge *j) {
    if (!span_present(j->ask->territory) || j->pack->territory_count == 0)
        return;
    for (uint32_t i = 0; i < j->pack->territory_count; i++)
        if (span_equal(j->pack->territory[i], j->ask->territory))
            return;
    deny(j, DENIAL_TERRITORY, CAUSE_PLAIN, 0);
}

/* ---- all of it */

static void judge_consent(struct judge *j) {
    j->license = j->consent->license;
    j->base_purposes = j->consent->purposes;
    j->base_permissions = j->consent->permissions;
    if (j->license != NULL) {
        j->base_purposes &= j->license->purposes;
        j->base_permissions &= j->license->permissions;
    }
    judge_state(j);
    judge_license(j);
    judge_purposes(j);
    judge_recipient(j);
}

/* There is none: what can be said of the question all the same. */
static void judge_absence(struct judge *j) {
    deny(j, DENIAL_CONSENT_NOT_FOUND, CAUSE_PLAIN, 0);
    if (j->ask->has_purpose && j->ask->purpose < 0)
        deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_UNKNOWN, 0);
    else if (!j->ask->has_purpose && j->pack->settings.purpose_must_be_stated)
        deny(j, DENIAL_PURPOSE_NOT_PERMITTED, CAUSE_PURPOSE_NOT_STATED, 0);
}

static void judge_rules(struct judge *j, bool needs_consent) {
    const struct policy_request *ask = j->ask;
    struct rule_facts facts = {
        .pack = j->pack,
        .consent = j->consent,
        .request = ask,
        .subject =
            policy_pack_entity_find(j->pack, POLICY_SUBJECTS, ask->subject_type, ask->subject_id),
        .resource = policy_pack_entity_find(j->pack, POLICY_RESOURCES, ask->resource_type,
                                            ask->resource_id),
    };
    if (j->consent != NULL)
        facts.status = state_now(j->consent, j->now);
    int rule = rule_first(&facts, true);
    if (rule >= 0)
        deny(j, DENIAL_DENIED_BY_RULE, CAUSE_RULE, rule);
    if (needs_consent)
        return;
    rule = rule_first(&facts, false);
    if (rule < 0)
        deny(j, DENIAL_DENIED_BY_RULE, CAUSE_NO_RULE, 0);
    if (j->out->denials == 0)
        j->out->rule = rule;
}

void policy_decide(const struct policy_pack *pack, const struct policy_consent *consent,
                   const struct policy_request *request, int64_t now, struct policy_decision *out) {
    struct judge j = {.pack = pack, .consent = consent, .ask = request, .now = now, .out = out};
    const struct policy_resource_type *type =
        policy_pack_resource_type(pack, request->resource_type);
    *out = (struct policy_decision){.rule = -1, .malformed = request->malformed};
    if (type == NULL) {
        deny(&j, DENIAL_DENIED_BY_RULE, CAUSE_NO_TYPE, 0);
        return;
    }
    if (request->malformed != NULL)
        deny(&j, DENIAL_MALFORMED_REQUEST, CAUSE_PLAIN, 0);
    if (request->blocked)
        deny(&j, DENIAL_CLIENT_BLOCKED, CAUSE_PLAIN, 0);
    if (type->needs_consent) {
        if (consent != NULL)
            judge_consent(&j);
        else
            judge_absence(&j);
        judge_permissions(&j);
        judge_window(&j);
        judge_territory(&j);
    }
    judge_rules(&j, type->needs_consent);
    out->permitted = out->denials == 0;
    /* invariant 8: what permits is known, and holds now */
    ASSERT(!out->permitted || !type->needs_consent ||
           (consent != NULL && state_now(consent, now) == CONSENT_ACTIVE && j.license != NULL));
    ASSERT(!out->permitted || type->needs_consent || out->rule >= 0);
}
