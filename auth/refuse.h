/* How the steps of a verification say no: a status and a static sentence for the caller, which
 * never holds anything of the token (invariant 10). */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_REFUSE_H
#define AUTH_REFUSE_H

#include "base/status.h"

static inline enum status auth_refuse(const char **why, const char *sentence) {
    *why = sentence;
    return STATUS_UNAUTHENTICATED;
}

#endif
