/* The scopes this service knows, by name and by bit. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/auth.h"

static const struct {
    const char *name;
    enum auth_scope scope;
} scopes[] = {
    {"consents:write", AUTH_CONSENTS_WRITE},
    {"consents:read", AUTH_CONSENTS_READ},
    {"decisions:evaluate", AUTH_DECISIONS},
    {"audit:read", AUTH_AUDIT_READ},
    {"admin", AUTH_ADMIN},
};

#define SCOPE_COUNT (sizeof scopes / sizeof scopes[0])

unsigned auth_scope_parse(struct span name) {
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (span_is(name, scopes[i].name)) {
            return scopes[i].scope;
        }
    }
    return 0;
}

const char *auth_scope_name(enum auth_scope scope) {
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (scopes[i].scope == scope) {
            return scopes[i].name;
        }
    }
    return "";
}
