/* Decisions: may this client use these data for this purpose now? A pure function of (pack,
 * consent, request, time) that allocates nothing; every clause that fails is named, not only the
 * first. docs/decisions.md says what each reason means. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DECISION_H
#define POLICY_DECISION_H

#include "policy/rule.h"

/* X(NAME, code): the reasons for a denial in the order in which they are told. Codes are a contract
 * with callers and stored: never renamed. */
#define POLICY_DENIALS(X)                                 \
    X(MALFORMED_REQUEST, "malformedRequest")              \
    X(CONSENT_NOT_FOUND, "consentNotFound")               \
    X(WRONG_CLIENT, "wrongClient")                        \
    X(CLIENT_BLOCKED, "clientBlocked")                    \
    X(NOT_ACTIVE, "notActive")                            \
    X(EXPIRED, "expired")                                 \
    X(USES_EXHAUSTED, "usesExhausted")                    \
    X(LINKED_CONSENT_ENDED, "linkedConsentEnded")         \
    X(LICENSE_NOT_AVAILABLE, "licenseNotAvailable")       \
    X(LICENSE_PROHIBITED, "licenseProhibited")            \
    X(ROLE_MISSING, "roleMissing")                        \
    X(PURPOSE_NOT_PERMITTED, "purposeNotPermitted")       \
    X(PERMISSION_NOT_PERMITTED, "permissionNotPermitted") \
    X(RESOURCE_NOT_PERMITTED, "resourceNotPermitted")     \
    X(GRANULARITY_TOO_FINE, "granularityTooFine")         \
    X(OUTSIDE_DATA_WINDOW, "outsideDataWindow")           \
    X(RECIPIENT_NOT_NAMED, "recipientNotNamed")           \
    X(TERRITORY, "territory")                             \
    X(DENIED_BY_RULE, "deniedByRule")

enum policy_denial {
#define X(name, code) DENIAL_##name,
    POLICY_DENIALS(X)
#undef X
        DENIAL_COUNT
};
const char *policy_denial_code(enum policy_denial denial); /* static */
/* The denial with this code, DENIAL_COUNT when there is none. */
enum policy_denial policy_denial_parse(struct span code);

/* What one permission of a consent is limited to. */
struct policy_grain {
    int permission; /* of the pack, -1 when the pack has it no more */
    bool has_granularity;
    struct duration granularity;
    const struct mac16 *resources; /* sorted keyed digests; none: all */
    uint32_t resource_count;
};
/* A consent as a decision sees it; purposes and permissions by their positions in the pack. The
 * spans are read by rules alone (policy_pack_reads_consent) and may be absent otherwise. */
struct policy_consent {
    enum consent_state status;            /* as recorded; the clock is judged here */
    const struct policy_license *license; /* NULL: the pack does not have it */
    uint64_t purposes, permissions;
    const struct policy_grain *grains; /* one for each permission of the consent */
    uint32_t grain_count;
    int64_t granted_at, expires;    /* expires: INT64_MAX none */
    int64_t data_from, data_to;     /* INT64_MIN none */
    uint32_t max_uses, uses;        /* max_uses 0: unlimited */
    const uint32_t *onward;         /* named recipients, as numbers of the store */
    const struct span *onward_urls; /* the same as texts, for rules */
    uint32_t onward_count;
    bool wrong_client; /* it names another client than the one asked about */
    bool linked_ended; /* a group of dependsOn has no active member */
    struct span license_url, tenant, provider, client, principal;
};

enum policy_attribute_kind {
    POLICY_ABSENT,
    POLICY_IS_TEXT,
    POLICY_IS_NUMBER,
    POLICY_IS_TRUTH,
    POLICY_IS_TEXTS,
    POLICY_IS_OTHER, /* null, an object, a mixed list: there, and equal to nothing */
};
/* What a caller sent where a rule looks. */
struct policy_attribute {
    enum policy_attribute_kind kind;
    struct span text;
    int64_t number; /* floor of the value; POLICY_IS_TRUTH: 0 or 1 */
    bool fraction;  /* the value is not whole */
    const struct span *texts;
    uint32_t text_count;
};

/* The question. Times are Unix ms, INT64_MIN when not stated. */
struct policy_request {
    struct span subject_type, subject_id, action_name, resource_type, resource_id;
    const char *malformed; /* static: what has the wrong form, as a pointer; or NULL */
    bool blocked;          /* the client is on the tenant's stop-list */
    bool roles_known;      /* roles were stated: scheme role URLs of today */
    const struct span *roles;
    uint32_t role_count;
    bool has_purpose;
    int purpose; /* of the pack, or -1: unknown */
    bool has_permissions, unknown_permission;
    uint64_t permissions;          /* of the pack */
    const struct mac16 *resources; /* keyed digests; none: not stated */
    uint32_t resource_count;
    bool has_granularity;
    struct duration granularity;
    int64_t from, to;
    struct span license; /* of the token in hand, or absent */
    bool has_onward;
    uint32_t onward; /* number of the store; one that no consent names when unknown */
    struct span territory;
    const struct policy_attribute *attributes; /* one for each slot of the pack */
};

/* A denial's cause: variant tells causes under one code apart, index what it is about. */
struct policy_cause {
    uint8_t variant;
    int32_t index;
};
struct policy_decision {
    bool permitted;
    uint32_t denials;      /* bit per enum policy_denial; 0 exactly when permitted */
    uint64_t purposes;     /* of the pack: the stated one, or those that remain open */
    uint64_t permissions;  /* of the pack: those asked for, or those that are open */
    const char *malformed; /* the request's */
    int rule;              /* what permitted, for types that rules alone decide; else -1 */
    struct policy_cause causes[DENIAL_COUNT];
};

/* Judges one consent, or (NULL) its absence, or a type that needs none. */
void policy_decide(const struct policy_pack *pack, const struct policy_consent *consent,
                   const struct policy_request *request, int64_t now, struct policy_decision *out);

/* One reason in words. clause names the part of the pack, or "consent/…". Nothing personal. */
struct policy_explanation {
    char clause[96];
    char detail[264]; /* a rule's reason has up to 256 bytes */
    char remedy[160]; /* what would have to change */
};
void policy_decision_explain(const struct policy_pack *pack, const struct policy_license *license,
                             const struct policy_decision *decision, enum policy_denial denial,
                             struct policy_explanation *out);

#endif
