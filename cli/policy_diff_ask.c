/* Questions that the old pack permits, put to the new one. What a consent limits must be stated
 * (docs/decisions.md): resources, the window, the recipient. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_diff_ask.h"

#include "base/limits.h"

#define BIT64(i) (UINT64_C(1) << (i))
#define WINDOWS_MAX 4
#define GRAINS_MAX 4

struct window {
    int64_t from, to; /* INT64_MIN: not stated */
};
struct grain {
    bool stated;
    struct duration duration;
};
/* What is tried of one purpose and permission. */
struct trial {
    const struct policy_diff_case *one;
    const struct policy_purpose *purpose;
    struct policy_request old, new;
    struct mac16 resources[LIMIT_RESOURCES];
    struct window windows[WINDOWS_MAX];
    struct grain grains[GRAINS_MAX];
    uint32_t window_count, grain_count;
};

static const struct policy_grain *grain_of(const struct policy_consent *consent, int permission) {
    for (uint32_t i = 0; i < consent->grain_count; i++) {
        if (consent->grains[i].permission == permission) {
            return &consent->grains[i];
        }
    }
    return NULL;
}

/* ---- how far back, how fine */

static int64_t next_month_start(int64_t time) {
    int64_t start = timestamp_month_start(time);
    return start == time ? time : timestamp_add_months(start, 1);
}

static void add_window(struct trial *t, int64_t from, int64_t to) {
    if (from == INT64_MIN || from < to) {
        t->windows[t->window_count++] = (struct window){from, to};
    }
}

/* The first day that may be asked for: by the consent or, when that does not say, by the licence;
 * and by the purpose. */
static int64_t first_day(const struct trial *t, int64_t end) {
    const struct policy_consent *c = t->one->old;
    const struct policy_limits *limits = &t->purpose->limits;
    int64_t first = timestamp_add_months(end, -12);
    if (c->data_from != INT64_MIN) {
        first = next_month_start(c->data_from);
    } else if (c->license != NULL && c->license->has_look_back && c->granted_at != INT64_MIN) {
        first = timestamp_add_months(timestamp_month_start(c->granted_at),
                                     -c->license->look_back.months);
    }
    if (limits->has_look_back) {
        int64_t earliest =
            timestamp_add_months(timestamp_month_start(t->one->now), -limits->look_back.months) -
            limits->look_back.seconds * 1000;
        first = first > earliest ? first : earliest;
    }
    return first;
}

static void list_windows(struct trial *t) {
    const struct policy_consent *c = t->one->old;
    int64_t end = timestamp_month_start(t->one->now);
    if (c->data_to != INT64_MIN && c->data_to < end) {
        end = timestamp_month_start(c->data_to);
    }
    int64_t first = first_day(t, end), last = timestamp_add_months(end, -1);
    add_window(t, last > first ? last : first, end);
    if (first < last) {
        add_window(t, first, end);
    }
    if (c->data_from != INT64_MIN || c->data_to != INT64_MIN) {
        add_window(t, c->data_from, c->data_to != INT64_MIN ? c->data_to : t->one->now);
    } else {
        add_window(t, INT64_MIN, INT64_MIN);
    }
}

static void add_grain(struct trial *t, bool given, struct duration duration) {
    if (given) {
        t->grains[t->grain_count++] = (struct grain){true, duration};
    }
}

static void list_grains(struct trial *t, const struct policy_permission *permission,
                        const struct policy_grain *held) {
    const struct policy_limits *limits = &t->purpose->limits;
    const struct duration none = {0, 0};
    add_grain(t, limits->has_granularity, limits->granularity);
    add_grain(t, held != NULL && held->has_granularity, held != NULL ? held->granularity : none);
    t->grains[t->grain_count++] = (struct grain){false, none};
    add_grain(t, permission->has_granularity, permission->finest);
}

/* ---- what is asked for */

static bool is_among(const struct policy_grain *grain, const struct mac16 *resource) {
    for (uint32_t i = 0; i < grain->resource_count; i++) {
        if (memcmp(&grain->resources[i], resource, sizeof *resource) == 0) {
            return true;
        }
    }
    return grain->resource_count == 0;
}

/* The resources that both hold; false when each has some and they share none. */
static bool list_resources(struct trial *t, const struct policy_grain *a,
                           const struct policy_grain *b) {
    const struct policy_grain *list = a->resource_count != 0 ? a : b;
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->resource_count && count < LIMIT_RESOURCES; i++) {
        if (is_among(a, &list->resources[i]) && is_among(b, &list->resources[i])) {
            t->resources[count++] = list->resources[i];
        }
    }
    t->old.resources = t->resources;
    t->old.resource_count = count;
    return count != 0 || list->resource_count == 0;
}

/* The permission, one that it must stand beside if so, and the resources of both. */
static bool ask_for(struct trial *t, uint32_t index) {
    const struct policy_diff_case *one = t->one;
    static const struct policy_grain all = {.permission = -1};
    const struct policy_permission *permission = policy_pack_permission(one->old_pack, index);
    uint64_t company = permission->only_with & one->old->permissions;
    const struct policy_grain *held = grain_of(one->old, (int)index), *other = NULL;
    t->old.permissions = BIT64(index);
    if (permission->only_with != 0) {
        if (company == 0) {
            return false;
        }
        int with = __builtin_ctzll(company);
        t->old.permissions |= BIT64(with);
        other = grain_of(one->old, with);
    }
    list_grains(t, permission, held);
    return list_resources(t, held != NULL ? held : &all, other != NULL ? other : &all);
}

/* A recipient is stated exactly where the licence keeps the permission for one. */
static void name_recipient(struct trial *t, uint32_t permission) {
    const struct policy_consent *c = t->one->old;
    if (c->license != NULL && (c->license->onward_permissions >> permission & 1U) != 0 &&
        c->onward_count != 0) {
        t->old.has_onward = true;
        t->old.onward = c->onward[0];
    }
}

/* The role that the licence was admitted for, as certificates show it. */
static void state_role(struct trial *t) {
    const struct policy_license *license = t->one->old->license;
    if (license != NULL) {
        const struct policy_role *role = policy_pack_role(t->one->old_pack, license->to_role);
        t->old.roles_known = true;
        t->old.roles = role->urls;
        t->old.role_count = role->url_count;
    }
}

static struct span resource_type(const struct policy_pack *pack) {
    for (uint32_t i = 0; i < policy_pack_resource_type_count(pack); i++) {
        const struct policy_resource_type *type = policy_pack_resource_type_at(pack, i);
        if (type->needs_consent) {
            return type->type;
        }
    }
    return SPAN("consent");
}

/* The same question in the words of the new pack. */
static void translate(struct trial *t) {
    const struct policy_diff_case *one = t->one;
    t->new = t->old;
    t->new.purpose = policy_pack_purpose_find(one->new_pack, t->purpose->code);
    t->new.permissions = 0;
    for (uint64_t left = t->old.permissions; left != 0; left &= left - 1) {
        uint32_t at = (uint32_t)__builtin_ctzll(left);
        int found = policy_pack_permission_find(one->new_pack,
                                                policy_pack_permission(one->old_pack, at)->code);
        if (found >= 0) {
            t->new.permissions |= BIT64(found);
        } else {
            t->new.unknown_permission = true;
        }
    }
}

static void set_limits(struct policy_request *request, struct window window, struct grain grain) {
    request->from = window.from;
    request->to = window.to;
    request->has_granularity = grain.stated;
    request->granularity = grain.duration;
}

static enum policy_diff_outcome try_all(struct trial *t, struct policy_decision *decision) {
    const struct policy_diff_case *one = t->one;
    enum policy_diff_outcome outcome = DIFF_DENIED_BEFORE;
    struct policy_decision before;
    for (uint32_t i = 0; i < t->window_count; i++) {
        for (uint32_t j = 0; j < t->grain_count; j++) {
            set_limits(&t->old, t->windows[i], t->grains[j]);
            set_limits(&t->new, t->windows[i], t->grains[j]);
            policy_decide(one->old_pack, one->old, &t->old, one->now, &before);
            if (!before.permitted) {
                continue;
            }
            policy_decide(one->new_pack, one->new, &t->new, one->now, decision);
            if (!decision->permitted) {
                return DIFF_BROKEN;
            }
            outcome = DIFF_KEPT;
        }
    }
    return outcome;
}

enum policy_diff_outcome policy_diff_ask(const struct policy_diff_case *one, uint32_t purpose,
                                         uint32_t permission, struct policy_decision *decision) {
    struct trial t = {.one = one, .purpose = policy_pack_purpose(one->old_pack, purpose)};
    t.old = (struct policy_request){
        .subject_type = SPAN("application"),
        .subject_id = one->client,
        .action_name = SPAN("read"),
        .resource_type = resource_type(one->old_pack),
        .resource_id = one->id,
        .has_purpose = true,
        .purpose = (int)purpose,
        .has_permissions = true,
        .license = one->license,
    };
    if (!ask_for(&t, permission)) {
        return DIFF_DENIED_BEFORE;
    }
    name_recipient(&t, permission);
    state_role(&t);
    list_windows(&t);
    translate(&t);
    return try_all(&t, decision);
}
