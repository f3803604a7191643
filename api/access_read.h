/* Reading AuthZEN requests: entities first, which a batch combines, then the question they make.
 * One pass over the body, memory from an arena only. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_READ_H
#define API_ACCESS_READ_H

#include "api/stream.h"
#include "store/inquiry.h"

#define API_ACCESS_ITEMS_MAX 1000

/* A subject, action, resource or context. Spans borrow the body or live in the arena. */
struct api_entity {
    bool present;
    const char *wrong;      /* static: what it lacks or has in the wrong form, or NULL */
    struct span type, id;   /* of an action: id is its name */
    struct span properties; /* JSON text of an object, or absent; of a context: all of it */
};
struct api_entities {
    struct api_entity subject, action, resource, context;
};
struct api_access_body {
    struct api_entities defaults; /* or the one question */
    struct api_entities *items;   /* with the defaults filled in; NULL: a single question */
    uint32_t item_count;
    enum store_batch_end batch_end;
    struct span page_token;
    uint32_t page_limit; /* 0: not stated */
};
/* STATUS_OK; STATUS_MALFORMED_JSON or STATUS_INVALID_BODY with *why, a static sentence. Whether
 * the entities say enough is asked of them one by one (api_access_wrong). */
MUST_CHECK enum status api_access_read(struct arena *arena, struct span body,
                                       struct api_access_body *out, const char **why);
/* What is wrong with a question, or NULL. */
const char *api_access_wrong(const struct api_entities *entities);

struct api_access_asker {
    const struct store *store;
    const struct policy_pack *pack;
    struct span tenant, client_id; /* of the caller */
};
struct api_access_ask {
    struct store_question question;
    bool explain, record;
};
/* The question that entities without fault make. */
void api_access_question(const struct api_access_asker *asker, struct arena *arena,
                         const struct api_entities *entities, struct api_access_ask *out);

#endif
