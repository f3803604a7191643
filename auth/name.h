/* What may name a client, a member, a role or a tenant. Such names become parts of the store's keys
 * and are read by people in logs and audits. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_NAME_H
#define AUTH_NAME_H

#include "base/limits.h"
#include "base/span.h"

/* 1 to LIMIT_URL characters of ASCII, printable, none of them a space. */
static inline bool auth_name_valid(struct span name) {
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] <= 0x20 || name.data[i] >= 0x7f) {
            return false;
        }
    }
    return name.size >= 1 && name.size <= LIMIT_URL;
}

#endif
