/* What a loaded pack says. Pure; safe from every thread. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/pack.h"

#include "base/log.h"
#include "policy/pack_private.h"

void policy_pack_free(struct policy_pack *pack) {
    if (pack == NULL)
        return;
    struct arena arena = pack->arena; /* the pack lives in its own arena */
    arena_release(&arena);
}

struct span policy_pack_name(const struct policy_pack *pack) {
    return pack->name;
}

struct span policy_pack_version(const struct policy_pack *pack) {
    return pack->version;
}

struct span policy_pack_scheme(const struct policy_pack *pack) {
    return pack->scheme;
}

const struct span *policy_pack_territory(const struct policy_pack *pack, uint32_t *count) {
    *count = pack->territory_count;
    return pack->territory;
}

const struct policy_settings *policy_pack_settings(const struct policy_pack *pack) {
    return &pack->settings;
}

struct span policy_pack_bytes(const struct policy_pack *pack) {
    return pack->bytes;
}

const struct digest *policy_pack_digest(const struct policy_pack *pack) {
    return &pack->digest;
}

int64_t policy_pack_request_timeout_ms(const struct policy_pack *pack) {
    struct duration timeout = pack->settings.request_timeout;
    /* a pack may say months: counted as 30 days, for the limit is about patience, not law */
    return timeout.months * INT64_C(30) * 86400000 + timeout.seconds * 1000;
}

uint32_t policy_pack_role_count(const struct policy_pack *pack) {
    return pack->role_count;
}

const struct policy_role *policy_pack_role(const struct policy_pack *pack, uint32_t index) {
    ASSERT(index < pack->role_count);
    return &pack->roles[index];
}

uint32_t policy_pack_purpose_count(const struct policy_pack *pack) {
    return pack->purpose_count;
}

const struct policy_purpose *policy_pack_purpose(const struct policy_pack *pack, uint32_t index) {
    ASSERT(index < pack->purpose_count);
    return &pack->purposes[index];
}

uint32_t policy_pack_permission_count(const struct policy_pack *pack) {
    return pack->permission_count;
}

const struct policy_permission *policy_pack_permission(const struct policy_pack *pack,
                                                       uint32_t index) {
    ASSERT(index < pack->permission_count);
    return &pack->permissions[index];
}

uint32_t policy_pack_license_count(const struct policy_pack *pack) {
    return pack->license_count;
}

const struct policy_license *policy_pack_license(const struct policy_pack *pack, uint32_t index) {
    ASSERT(index < pack->license_count);
    return &pack->licenses[index];
}

const struct policy_license *policy_pack_license_find(const struct policy_pack *pack,
                                                      struct span url) {
    for (uint32_t i = 0; i < pack->license_count; i++)
        if (span_equal(pack->licenses[i].url, url))
            return &pack->licenses[i];
    return NULL;
}

int policy_pack_purpose_find(const struct policy_pack *pack, struct span code) {
    for (uint32_t i = 0; i < pack->purpose_count; i++)
        if (span_equal(pack->purposes[i].code, code))
            return (int)i;
    return -1;
}

int policy_pack_permission_find(const struct policy_pack *pack, struct span code) {
    for (uint32_t i = 0; i < pack->permission_count; i++)
        if (span_equal(pack->permissions[i].code, code))
            return (int)i;
    return -1;
}

int pack_role_find(const struct policy_pack *pack, struct span code) {
    for (uint32_t i = 0; i < pack->role_count; i++)
        if (span_equal(pack->roles[i].code, code))
            return (int)i;
    return -1;
}

bool policy_pack_reason(const struct policy_pack *pack, struct span code,
                        enum consent_state *leads_to, bool *by_caller) {
    const struct lifecycle_reason *built_in = lifecycle_reason_find(code);
    if (built_in != NULL) {
        *leads_to = built_in->leads_to;
        *by_caller = built_in->by_caller;
        return true;
    }
    for (uint32_t i = 0; i < pack->reason_count; i++) {
        if (span_equal(pack->reasons[i].code, code)) {
            *leads_to = pack->reasons[i].leads_to;
            *by_caller = true;
            return true;
        }
    }
    return false;
}

uint32_t policy_pack_rule_count(const struct policy_pack *pack) {
    return pack->rule_count;
}

const struct policy_rule *policy_pack_rule(const struct policy_pack *pack, uint32_t index) {
    ASSERT(index < pack->rule_count);
    return &pack->rules[index];
}

uint32_t policy_pack_resource_type_count(const struct policy_pack *pack) {
    return pack->resource_type_count;
}

const struct policy_resource_type *policy_pack_resource_type_at(const struct policy_pack *pack,
                                                                uint32_t index) {
    ASSERT(index < pack->resource_type_count);
    return &pack->resource_types[index];
}

const struct policy_resource_type *policy_pack_resource_type(const struct policy_pack *pack,
                                                             struct span type) {
    for (uint32_t i = 0; i < pack->resource_type_count; i++)
        if (span_equal(pack->resource_types[i].type, type))
            return &pack->resource_types[i];
    return NULL;
}

uint32_t policy_pack_slot_count(const struct policy_pack *pack) {
    return pack->slot_count;
}

const struct policy_slot *policy_pack_slot(const struct policy_pack *pack, uint32_t index) {
    ASSERT(index < pack->slot_count);
    return &pack->slots[index];
}

bool policy_pack_reads_consent(const struct policy_pack *pack) {
    return pack->reads_consent;
}
