/* The clauses of admissibility and their reason codes: a contract with callers, so codes are never
 * renamed. docs/packs.md says what each means; a test holds the two against each other, and another
 * the case tables of packs. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_CLAUSE_H
#define POLICY_CLAUSE_H

/* X(NAME, code) in the order of policy_reasons. */
#define POLICY_CLAUSES(X)                                        \
    X(LICENSE_UNKNOWN, "licenseUnknown")                         \
    X(LICENSE_NOT_YET_AVAILABLE, "licenseNotYetAvailable")       \
    X(LICENSE_DEPRECATED, "licenseDeprecated")                   \
    X(LICENSE_PROHIBITED, "licenseProhibited")                   \
    X(LICENSE_NOT_REPLACEMENT, "licenseNotReplacement")          \
    X(CLIENT_ROLE_WRONG, "clientRoleWrong")                      \
    X(TENANT_ROLE_WRONG, "tenantRoleWrong")                      \
    X(NO_PURPOSE, "noPurpose")                                   \
    X(PURPOSE_UNKNOWN, "purposeUnknown")                         \
    X(PURPOSE_NOT_IN_LICENSE, "purposeNotInLicense")             \
    X(NO_PERMISSION, "noPermission")                             \
    X(PERMISSION_UNKNOWN, "permissionUnknown")                   \
    X(PERMISSION_DENIED, "permissionDenied")                     \
    X(PERMISSION_NOT_IN_LICENSE, "permissionNotInLicense")       \
    X(PERMISSION_NEEDS_ANOTHER, "permissionNeedsAnother")        \
    X(GRANULARITY_TOO_FINE, "granularityTooFine")                \
    X(EXPIRES_BEFORE_GRANT, "expiresBeforeGrant")                \
    X(EXPIRED_ALREADY, "expiredAlready")                         \
    X(TERM_TOO_LONG, "termTooLong")                              \
    X(WINDOW_EMPTY, "windowEmpty")                               \
    X(LOOK_BACK_TOO_LONG, "lookBackTooLong")                     \
    X(WINDOW_NOT_WHOLE_MONTHS, "windowNotWholeMonths")           \
    X(WINDOW_NOT_COMPLETED, "windowNotCompleted")                \
    X(ONWARD_RECIPIENT_MISSING, "onwardRecipientMissing")        \
    X(ONWARD_RECIPIENT_NOT_ALLOWED, "onwardRecipientNotAllowed") \
    X(DEPENDENCY_MISSING, "dependencyMissing")                   \
    X(DEPENDENCY_NOT_ACTIVE, "dependencyNotActive")              \
    X(DEPENDENCY_WRONG_LICENSE, "dependencyWrongLicense")        \
    X(GRANT_IN_FUTURE, "grantInFuture")                          \
    X(NOTICE_MISSING, "noticeMissing")                           \
    X(NOTICE_SHOWN_AFTER_GRANT, "noticeShownAfterGrant")         \
    X(NOTICE_DIGEST_MISSING, "noticeDigestMissing")              \
    X(NOTICE_DIGEST_WRONG, "noticeDigestWrong")

enum policy_clause {
#define X(name, code) CLAUSE_##name,
    POLICY_CLAUSES(X)
#undef X
        CLAUSE_COUNT
};

/* Static, e.g. "termTooLong". */
const char *policy_clause_code(enum policy_clause clause);

#endif
