/* Admissibility: may this consent be created, granted or renewed under this pack? A pure function
 * of (pack, request, time); every clause that fails is named, not only the first. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_ADMISSION_H
#define POLICY_ADMISSION_H

#include "base/limits.h"
#include "policy/pack.h"

struct policy_permission_ask {
    struct span code;
    const struct span *resources; /* resource_count 0: all */
    uint32_t resource_count;
    bool has_granularity;
    struct duration granularity; /* maxGranularity */
};
struct policy_substitution {
    struct span placeholder, value;
};
struct policy_notice {
    bool present;
    struct span url, language;
    struct digest rendered_digest;
    bool has_rendered_digest;
    int64_t shown_at; /* INT64_MIN when absent */
    const struct policy_substitution *substitutions;
    uint32_t substitution_count;
};
/* What the store found about one group of dependsOn. */
struct policy_dependency {
    bool active;     /* some member is active now */
    bool of_license; /* … and one such is under a licence this one may depend on; true for
                        external members, whose licence cannot be seen from here */
};
/* All spans borrowed for the call. Times are Unix ms; INT64_MIN = absent. */
struct policy_admission {
    struct span license;
    bool renewal;                /* replacement of a consent in the same arrangement … */
    struct span renewed_license; /* … that was under this licence */
    const struct span *purposes;
    uint32_t purpose_count;
    const struct policy_permission_ask *permissions;
    uint32_t permission_count;
    const struct span *onward;
    uint32_t onward_count;
    /* Scheme roles as presented; known = false (no source configured) skips the role clauses. */
    const struct span *client_roles;
    uint32_t client_role_count;
    bool client_roles_known;
    const struct span *tenant_roles;
    uint32_t tenant_role_count;
    bool tenant_roles_known;
    bool granted;            /* false: only requested; grant clauses are skipped */
    bool asserted_by_client; /* grant.method */
    int64_t granted_at;      /* grant.at */
    int64_t expires;         /* INT64_MAX: no end, or none named yet by a request */
    int64_t data_from, data_to;
    struct policy_notice notice;
    const struct policy_dependency *dependencies;
    uint32_t dependency_count;
    bool dependencies_required; /* false while requested */
};

/* One failed clause. code is static; clause names the pack's part, e.g. "licenses/0/term". */
struct policy_reason {
    const char *code;
    char clause[96];
    char detail[160]; /* never personal data */
};
struct policy_reasons {
    uint32_t count;
    struct policy_reason items[LIMIT_REASONS];
};

/* STATUS_OK, or STATUS_NOT_ADMISSIBLE with *reasons filled. now is service time. */
MUST_CHECK enum status policy_admit(const struct policy_pack *pack,
                                    const struct policy_admission *ask, int64_t now,
                                    struct policy_reasons *reasons);
/* The expiry when the caller names none: granted_at plus the licence's term; INT64_MAX without. */
int64_t policy_default_expiry(const struct policy_license *license, int64_t granted_at);

#endif
