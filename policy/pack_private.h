/* The compiled pack, shared by the files that build it. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PACK_PRIVATE_H
#define POLICY_PACK_PRIVATE_H

#include "policy/directory.h"
#include "policy/reader.h"

#define PACK_ROLES_MAX 32           /* bits of policy_purpose.roles; a scheme has a handful */
#define PACK_ROLE_URLS_MAX 16       /* one for each environment: sandbox, pilot, live */
#define PACK_DEPENDS_ON_MAX 16      /* licences one of which is needed */
#define PACK_STEP_URLS_MAX 16       /* licences or processes of a provenance step */
#define PACK_TERRITORY_MAX 64       /* countries and parts of countries */
#define PACK_REASONS_MAX 64         /* extra reasons; fifteen are built in */
#define PACK_RULES_MAX 10000        /* evaluated in order: more would show in each decision */
#define PACK_CONDITIONS_MAX 32      /* of one rule */
#define PACK_VALUES_MAX 256         /* of one condition */
#define PACK_PATH_MAX 128           /* of one condition, with its dots */
#define PACK_SLOTS_MAX 64           /* each is looked for in each request */
#define PACK_RESOURCE_TYPES_MAX 256 /* kinds of resources of one API */
#define PACK_ENTITIES_MAX 10000     /* of the directory, each of subjects and resources */
#define PACK_ACTIONS_MAX 64         /* names of the directory: a search asks for each */
#define PACK_TITLE_MAX 256          /* one line on a screen */
#define PACK_TEXT_MAX 65536         /* a licence's whole wording; IB1's have under 10 KiB */
#define PACK_PARTS_MAX 256          /* of a text: its digest is made of parts on the stack */

struct pack_reason {
    struct span code;
    enum consent_state leads_to;
};

struct policy_pack {
    struct arena arena; /* owns everything below */
    struct span name, version, scheme, bytes;
    struct digest digest;
    const struct span *territory;
    uint32_t territory_count;
    struct policy_settings settings;
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
    struct policy_rule *rules;
    uint32_t rule_count;
    struct policy_slot *slots;
    uint32_t slot_count;
    bool reads_consent; /* some rule looks at the consent's own words */
    struct policy_resource_type *resource_types;
    uint32_t resource_type_count;
    const struct policy_entity *entities[POLICY_SIDES]; /* sorted by type and id */
    uint32_t entity_counts[POLICY_SIDES];
    const struct span *actions;
    uint32_t action_count;
};

/* Calls read(r, element, pack, i) for each element of an array, with the path at the element. */
typedef void pack_read_element(struct reader *r, const json_t *value, struct policy_pack *pack,
                               uint32_t i);
void pack_read_each(struct reader *r, const json_t *array, const char *name,
                    struct policy_pack *pack, pack_read_element *read);
/* The codes of a list as bits, by their positions in the pack; 0 when absent. */
typedef int pack_find(const struct policy_pack *pack, struct span code);
struct pack_codes {
    const char *name; /* of the member */
    pack_find *find;
    const char *missing; /* what a code that is not found is none of */
    bool required;       /* and then with at least one */
};
uint64_t pack_read_bits(struct reader *r, const json_t *object, const struct policy_pack *pack,
                        const struct pack_codes *codes);
/* The position of code in the pack's roles, or -1. */
int pack_role_find(const struct policy_pack *pack, struct span code);

/* Each reads one part of the root. Roles come before purposes, purposes and permissions before
 * licences. */
void pack_read_settings(struct reader *r, const json_t *root, struct policy_pack *pack);
void pack_read_licenses(struct reader *r, const json_t *root, struct policy_pack *pack);
void pack_read_rules(struct reader *r, const json_t *root, struct policy_pack *pack);
void pack_read_resource_types(struct reader *r, const json_t *root, struct policy_pack *pack);
/* After rules and resource types. */
void pack_read_directory(struct reader *r, const json_t *root, struct policy_pack *pack);
/* The texts of one licence, and whether its digest is that of one of them. */
void pack_read_texts(struct reader *r, const json_t *value, struct policy_license *license);
/* Language tags know no case (RFC 5646, section 2.1.1). */
bool pack_same_language(struct span a, struct span b);
/* References between licences: unknown ones and circles. The path is at "licenses". */
void pack_check_links(struct reader *r, const struct policy_pack *pack);

#endif
