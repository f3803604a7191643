/* Causes that share a reason code, told apart for the explanation. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DECISION_CAUSE_H
#define POLICY_DECISION_CAUSE_H

/* The index that goes with a cause stands in brackets. */
enum policy_variant {
    CAUSE_PLAIN = 0,
    /* licenseNotAvailable */
    CAUSE_LICENSE_UNKNOWN,
    CAUSE_LICENSE_NOT_YET,
    CAUSE_LICENSE_OF_TOKEN,
    /* roleMissing */
    CAUSE_ROLE_OF_LICENSE,
    CAUSE_ROLE_OF_PURPOSE, /* [purpose] */
    CAUSE_ROLE_OF_ALL,
    /* purposeNotPermitted */
    CAUSE_PURPOSE_UNKNOWN,
    CAUSE_PURPOSE_NOT_STATED,
    CAUSE_PURPOSE_OUTSIDE, /* [purpose] */
    CAUSE_PURPOSE_NONE,
    /* permissionNotPermitted */
    CAUSE_PERMISSION_UNKNOWN,
    CAUSE_PERMISSION_DENIED,  /* [permission] */
    CAUSE_PERMISSION_OUTSIDE, /* [permission] */
    CAUSE_PERMISSION_ALONE,   /* [permission] */
    CAUSE_PERMISSION_ONWARD,  /* [permission] */
    CAUSE_PERMISSION_NONE,
    /* resourceNotPermitted [permission] */
    CAUSE_RESOURCE_NOT_STATED,
    CAUSE_RESOURCE_OUTSIDE,
    /* granularityTooFine */
    CAUSE_GRAIN_OF_CONSENT,    /* [permission] */
    CAUSE_GRAIN_OF_PERMISSION, /* [permission] */
    CAUSE_GRAIN_OF_PURPOSE,    /* [purpose] */
    CAUSE_GRAIN_OF_ALL,
    /* outsideDataWindow */
    CAUSE_WINDOW_EMPTY,
    CAUSE_WINDOW_NO_FROM,
    CAUSE_WINDOW_BEFORE,
    CAUSE_WINDOW_NO_TO,
    CAUSE_WINDOW_AFTER,
    CAUSE_WINDOW_OF_LICENSE,
    CAUSE_MONTHS_OF_LICENSE,
    CAUSE_MONTHS_OF_PERMISSION, /* [permission] */
    CAUSE_WINDOW_OF_PURPOSE,    /* [purpose] */
    CAUSE_WINDOW_OF_ALL,
    /* recipientNotNamed */
    CAUSE_RECIPIENT_OTHER,
    CAUSE_RECIPIENT_NOT_STATED, /* [permission] */
    /* deniedByRule */
    CAUSE_RULE, /* [rule] */
    CAUSE_NO_RULE,
    CAUSE_NO_TYPE,
};

#endif
