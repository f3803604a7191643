/* Who looked: what auditors and administrators read, and evidence pages, gathered by the caller and
 * logged now and then, so that reads wait for nothing. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include "store/change.h"

#define STORE_LOOKS_MAX 64 /* in one change */

/* The same thing, read by the same caller once or more. It is logged about the tenant of what was
 * named; where nothing was, about each tenant that the caller's token names, or about none when
 * that is everyone. Owned by the change's arena. */
struct store_look {
    struct span client_id; /* absent: who had the address of an evidence page */
    enum store_role role;  /* STORE_BY_AUDITOR or STORE_BY_ADMIN; then STORE_BY_SYSTEM */
    struct span operation; /* method and template of the path */
    bool has_consent;
    struct uuid consent;
    uint64_t entry; /* that was named, or STORE_INDEX_NONE */
    const struct span *tenants;
    uint32_t tenant_count;
    uint64_t count;
    int64_t first, last; /* service time */
};

#endif
