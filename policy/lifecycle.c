/* States, reasons and roles as tables (spec: consent.md, States). Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/lifecycle.h"

#include <stddef.h>

#define BIT(state) (1U << CONSENT_##state)

struct state_row {
    const char *name;
    unsigned followers;
};

static const struct state_row states[CONSENT_STATE_END] = {
    [CONSENT_REQUESTED] = {"requested", BIT(ACTIVE) | BIT(REFUSED) | BIT(TIMED_OUT)},
    [CONSENT_ACTIVE] = {"active", BIT(REVOKED) | BIT(TERMINATED) | BIT(EXPIRED) | BIT(FULFILLED) |
                                      BIT(SUPERSEDED)},
    [CONSENT_REFUSED] = {"refused", 0},
    [CONSENT_TIMED_OUT] = {"timedOut", 0},
    [CONSENT_REVOKED] = {"revoked", 0},
    [CONSENT_TERMINATED] = {"terminated", 0},
    [CONSENT_EXPIRED] = {"expired", 0},
    [CONSENT_FULFILLED] = {"fulfilled", 0},
    [CONSENT_SUPERSEDED] = {"superseded", 0},
};

static bool is_state(enum consent_state state) {
    return (unsigned)state >= CONSENT_REQUESTED && (unsigned)state < CONSENT_STATE_END;
}

const char *lifecycle_state_name(enum consent_state state) {
    return is_state(state) ? states[state].name : NULL;
}

enum status lifecycle_state_parse(struct span name, enum consent_state *out) {
    for (unsigned i = CONSENT_REQUESTED; i < CONSENT_STATE_END; i++) {
        if (span_is(name, states[i].name)) {
            *out = i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

bool lifecycle_is_final(enum consent_state state) {
    return is_state(state) && states[state].followers == 0;
}

bool lifecycle_may_follow(enum consent_state from, enum consent_state to) {
    return is_state(from) && is_state(to) && (states[from].followers >> to & 1U) != 0;
}

static const char *const roles[] = {NULL, "accountHolder", "client", "tenant", "scheme", "system"};
#define ROLE_COUNT (sizeof roles / sizeof *roles)

const char *lifecycle_role_name(enum consent_role role) {
    return (unsigned)role < ROLE_COUNT ? roles[role] : NULL;
}

enum status lifecycle_role_parse(struct span name, enum consent_role *out) {
    for (unsigned i = 1; i < ROLE_COUNT; i++) {
        if (span_is(name, roles[i])) {
            *out = i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

/* Revoked: by the account holder, wherever they said so. Terminated: by anybody else. */
static const struct lifecycle_reason reasons[] = {
    {"refused", CONSENT_REFUSED, true},           {"timedOut", CONSENT_TIMED_OUT, false},
    {"withdrawn", CONSENT_REVOKED, true},         {"withdrawnAtClient", CONSENT_REVOKED, true},
    {"tenancyChanged", CONSENT_TERMINATED, true}, {"resourceRemoved", CONSENT_TERMINATED, true},
    {"accountClosed", CONSENT_TERMINATED, true},  {"recipientStruckOff", CONSENT_TERMINATED, true},
    {"schemeEnded", CONSENT_TERMINATED, true},    {"grantedInError", CONSENT_TERMINATED, true},
    {"fraud", CONSENT_TERMINATED, true},          {"linkedConsentEnded", CONSENT_TERMINATED, false},
    {"expired", CONSENT_EXPIRED, false},          {"fulfilled", CONSENT_FULFILLED, false},
    {"superseded", CONSENT_SUPERSEDED, false},
};

const struct lifecycle_reason *lifecycle_reason_find(struct span code) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (span_is(code, reasons[i].code))
            return &reasons[i];
    return NULL;
}
