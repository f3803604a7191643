/* The compiled pack, shared by the files that build it. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PACK_PRIVATE_H
#define POLICY_PACK_PRIVATE_H

#include "policy/reader.h"

#define PACK_LICENSES_MAX 256
#define PACK_ROLES_MAX 32
#define PACK_RULES_MAX 10000
#define PACK_TEXT_MAX 65536

struct pack_reason {
    struct span code;
    enum consent_state leads_to;
};

struct policy_pack {
    struct arena arena; /* owns everything below */
    struct span name, version, scheme, bytes;
    struct digest digest;
    struct policy_role *roles;
    uint32_t role_count;
    struct policy_purpose *purposes;
    uint32_t purpose_count;
    struct policy_permission *permissions;
    uint32_t permission_count;
    struct policy_license *licenses;
    uint32_t license_count;
    struct pack_reason *reasons;
    uint32_t reason_count;
    struct duration request_timeout, leeway;
    uint32_t rule_count;
};

/* The position of code in the pack's roles, or -1. */
int pack_role_find(const struct policy_pack *pack, struct span code);
/* Reads "licenses"; roles, purposes and permissions are read before. */
void pack_read_licenses(struct reader *r, const json_t *root, struct policy_pack *pack);
/* Reads "rules" and "resourceTypes": validated now, evaluated by decisions. */
void pack_read_rules(struct reader *r, const json_t *root, struct policy_pack *pack);

#endif
