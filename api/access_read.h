/* AuthZEN requests as they were sent (Authorization API 1.0, sections 5 to 8): entities, batches
 * with their defaults, pages. What the properties ask for is api/access_question.h's matter.
 * Members that AuthZEN does not name are ignored; one that it names and that stands twice is wrong,
 * since nobody knows which was meant. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_ACCESS_READ_H
#define API_ACCESS_READ_H

#include "base/mem.h"
#include "store/inquiry.h"

enum api_access_kind {
    API_ACCESS_EVALUATION,      /* a batch and its options are ignored */
    API_ACCESS_EVALUATIONS,     /* one question, or a batch */
    API_ACCESS_SEARCH_SUBJECT,  /* subject.id is ignored: read as absent */
    API_ACCESS_SEARCH_RESOURCE, /* resource.id likewise */
    API_ACCESS_SEARCH_ACTION,   /* action likewise */
};

enum api_entity_kind { API_SUBJECT, API_ACTION, API_RESOURCE, API_CONTEXT, API_ENTITIES };
/* Spans point into the body or the arena; empty strings are strings. */
struct api_entity {
    const char *wrong, *id_wrong; /* static sentences, or NULL */
    struct span type;             /* of subject and resource */
    struct span id;               /* of an action its name */
    struct span properties; /* the bytes of a JSON object, or absent; of a context all of it */
};
struct api_entities {
    const struct api_entity *of[API_ENTITIES]; /* NULL: not sent */
};
struct api_access_item {
    struct api_access_item *next;
    struct api_entities entities; /* its own, whole, in place of the defaults */
};
struct api_access_body {
    enum api_access_kind kind;
    struct api_entities defaults;  /* or the one question */
    struct api_access_item *items; /* NULL: a single question */
    uint32_t item_count;
    enum store_batch_end batch_end;
    bool has_page, has_limit; /* were sent */
    struct span page_token;   /* or absent */
    uint32_t page_limit;      /* at most LIMIT_PAGE */
};
/* STATUS_OK; STATUS_MALFORMED_JSON or STATUS_INVALID_BODY with *why, static or in the arena.
 * Whether entities are all there and right is asked of them one by one (api_access_wrong), for a
 * default that no item uses may be anything. Lives as long as body and arena. */
MUST_CHECK enum status api_access_read(struct arena *arena, struct span body,
                                       enum api_access_kind kind, struct api_access_body *out,
                                       const char **why);
/* What is wrong with the entities of a request of this kind: a static sentence, or NULL. */
const char *api_access_wrong(enum api_access_kind kind, const struct api_entities *entities);

#endif
