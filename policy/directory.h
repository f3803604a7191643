/* What a pack itself knows of a scheme: subjects and resources with their properties, and the names
 * of actions. Decisions find in it what a request leaves unsaid; searches about types that rules
 * alone decide can only list what stands in it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DIRECTORY_H
#define POLICY_DIRECTORY_H

#include "policy/decision.h"

/* A property that some rule looks at: no other is loaded. */
struct policy_property {
    uint32_t slot; /* policy_pack_slot */
    struct policy_attribute value;
};
struct policy_entity {
    struct span type, id;
    const struct policy_property *properties;
    uint32_t property_count;
};

enum policy_side { POLICY_SUBJECTS, POLICY_RESOURCES };
#define POLICY_SIDES 2

/* The entities of a type, in the order of their ids: *count of them, NULL when there is none. */
const struct policy_entity *policy_pack_entities(const struct policy_pack *pack,
                                                 enum policy_side side, struct span type,
                                                 uint32_t *count);
/* NULL when the pack does not know it. */
const struct policy_entity *policy_pack_entity_find(const struct policy_pack *pack,
                                                    enum policy_side side, struct span type,
                                                    struct span id);
/* What it says of an entity (or of none, NULL) where a rule looks: POLICY_ABSENT when nothing. */
struct policy_attribute policy_entity_attribute(const struct policy_entity *entity, uint32_t slot);
/* Names of actions, in the order of the pack. */
const struct span *policy_pack_actions(const struct policy_pack *pack, uint32_t *count);

#endif
