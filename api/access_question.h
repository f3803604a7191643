/* What entities ask the policy (docs/decisions.md, The question): the properties that the built-in
 * clauses judge, and whatever the rules of the pack look at. A property that has the wrong form
 * does not fail: it becomes part of the question, which is then denied. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_QUESTION_H
#define API_ACCESS_QUESTION_H

#include "api/access_read.h"

struct api_access_ask {
    struct store_question question;
    bool explain, record; /* of the context */
};

/* Asks one question after the other: an entity that the next one shares, as items of a batch share
 * their defaults, is read once. The caller fills in the first part and zeroes the rest. */
struct api_access_asker {
    struct arena *arena;
    const struct store *store;
    const struct policy_pack *pack;
    struct span tenant, client_id; /* of the caller: tenant and viewer_client of the questions */
    /* own */
    bool begun;
    const struct api_entity *seen[API_ENTITIES];
    const char *malformed[API_ENTITIES]; /* the entity itself, or what rules look at */
    const char *misstated[API_ENTITIES]; /* what the built-in clauses judge */
    struct policy_attribute *attributes;
    struct api_access_ask last;
};
/* Entities that are not wrong; those of a search lack what is looked for, and the caller fills it
 * in. *out lives as long as the arena, the body and the pack. */
void api_access_question(struct api_access_asker *asker, const struct api_entities *entities,
                         struct api_access_ask *out);

#endif
