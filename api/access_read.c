/* One pass over the body. What is wrong with an entity is noted in it and told only of what is
 * used. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_read.h"

#include "api/stream.h"
#include "base/limits.h"

/* ---- what can be wrong, in words */

struct faults {
    const char *form, *nul, *twice;
};
#define TEXT_FAULTS(name) \
    { name " must be a string", name " must not have a NUL character", name " is there twice" }
#define OBJECT_FAULTS(name) \
    { name " must be an object", NULL, name " is there twice" }

struct form {
    struct span name, id_name;
    bool has_type;
    const char *missing;
    struct faults self, type, id, properties;
};
static const struct form forms[] = {
    [API_SUBJECT] = {.name = SPAN("subject"),
                     .id_name = SPAN("id"),
                     .has_type = true,
                     .missing = "subject is required",
                     .self = OBJECT_FAULTS("subject"),
                     .type = TEXT_FAULTS("subject.type"),
                     .id = TEXT_FAULTS("subject.id"),
                     .properties = OBJECT_FAULTS("subject.properties")},
    [API_ACTION] = {.name = SPAN("action"),
                    .id_name = SPAN("name"),
                    .missing = "action is required",
                    .self = OBJECT_FAULTS("action"),
                    .id = TEXT_FAULTS("action.name"),
                    .properties = OBJECT_FAULTS("action.properties")},
    [API_RESOURCE] = {.name = SPAN("resource"),
                      .id_name = SPAN("id"),
                      .has_type = true,
                      .missing = "resource is required",
                      .self = OBJECT_FAULTS("resource"),
                      .type = TEXT_FAULTS("resource.type"),
                      .id = TEXT_FAULTS("resource.id"),
                      .properties = OBJECT_FAULTS("resource.properties")},
    [API_CONTEXT] = {.name = SPAN("context"), .self = OBJECT_FAULTS("context")},
};

static void blame(const char **wrong, const char *why) {
    if (*wrong == NULL)
        *wrong = why;
}

const char *api_access_wrong(enum api_access_kind kind, const struct api_entities *entities) {
    for (unsigned i = 0; i < API_ENTITIES; i++) {
        const struct api_entity *entity = entities->of[i];
        bool ignored = i == API_ACTION && kind == API_ACCESS_SEARCH_ACTION;
        if (entity == NULL && forms[i].missing != NULL && !ignored)
            return forms[i].missing;
        if (entity != NULL && (entity->wrong != NULL || entity->id_wrong != NULL))
            return entity->wrong != NULL ? entity->wrong : entity->id_wrong;
    }
    return NULL;
}

/* ---- entities */

/* Whether the value may be read: of this kind, and the first of its name. Else it is skipped, and
 * blamed. */
static bool expects(struct api_json_stream *in, enum api_json_kind kind, bool *there,
                    const struct faults *faults, const char **wrong) {
    bool first = !*there, right = api_stream_kind(in) == kind;
    *there = true;
    if (first && right)
        return true;
    (void)api_stream_skip(in);
    blame(wrong, first ? faults->form : faults->twice);
    return false;
}

struct members {
    bool type, id, properties; /* were there */
};

static void read_text(struct api_json_stream *in, const struct faults *faults, struct span *out,
                      const char **wrong) {
    *out = api_stream_string(in);
    if (out->size != 0 && memchr(out->data, '\0', out->size) != NULL)
        blame(wrong, faults->nul);
}

static void read_member(struct api_json_stream *in, const struct form *form, struct members *there,
                        struct span name, struct api_entity *entity) {
    if (span_equal(name, form->id_name)) {
        if (expects(in, API_JSON_STRING, &there->id, &form->id, &entity->id_wrong))
            read_text(in, &form->id, &entity->id, &entity->id_wrong);
    } else if (form->has_type && span_is(name, "type")) {
        if (expects(in, API_JSON_STRING, &there->type, &form->type, &entity->wrong))
            read_text(in, &form->type, &entity->type, &entity->wrong);
    } else if (span_is(name, "properties")) {
        if (expects(in, API_JSON_OBJECT, &there->properties, &form->properties, &entity->wrong))
            entity->properties = api_stream_skip(in);
    } else {
        (void)api_stream_skip(in);
    }
}

static void read_entity(struct api_json_stream *in, enum api_entity_kind kind,
                        struct api_entity *entity) {
    const struct form *form = &forms[kind];
    struct members there = {.type = false};
    struct span name;
    bool self = false;
    *entity = (struct api_entity){.wrong = NULL};
    if (!expects(in, API_JSON_OBJECT, &self, &form->self, &entity->wrong))
        return;
    if (kind == API_CONTEXT) {
        entity->properties = api_stream_skip(in);
        return;
    }
    for (api_stream_object(in); api_stream_member(in, &name);)
        read_member(in, form, &there, name, entity);
    if (form->has_type && !there.type)
        blame(&entity->wrong, form->type.form);
    if (!there.id)
        blame(&entity->id_wrong, form->id.form);
}

/* Reads a member that is an entity; false when it is none. */
static bool read_if_entity(struct api_json_stream *in, struct span name, struct api_entities *out) {
    unsigned kind = 0;
    while (kind < API_ENTITIES && !span_equal(name, forms[kind].name))
        kind++;
    if (kind == API_ENTITIES)
        return false;
    struct api_entity *entity = arena_alloc(in->arena, sizeof *entity);
    read_entity(in, kind, entity);
    if (out->of[kind] != NULL)
        entity->wrong = forms[kind].self.twice;
    out->of[kind] = entity;
    return true;
}

/* ---- a batch */

struct reading {
    struct api_json_stream in;
    struct api_access_body *out;
    const char *wrong;               /* with the request itself */
    bool evaluations, options, page; /* were there */
};

static struct api_access_item *read_item(struct api_json_stream *in) {
    static const struct api_entity no_object = {.wrong =
                                                    "an item of evaluations must be an object"};
    struct api_access_item *item = arena_alloc(in->arena, sizeof *item);
    struct span name;
    *item = (struct api_access_item){.next = NULL};
    if (api_stream_kind(in) != API_JSON_OBJECT) {
        item->entities.of[API_SUBJECT] = &no_object;
        (void)api_stream_skip(in);
        return item;
    }
    for (api_stream_object(in); api_stream_member(in, &name);)
        if (!read_if_entity(in, name, &item->entities))
            (void)api_stream_skip(in);
    return item;
}

static void read_items(struct reading *r) {
    static const struct faults faults = {"evaluations must be an array", NULL,
                                         "evaluations is there twice"};
    struct api_access_item **next = &r->out->items;
    if (!expects(&r->in, API_JSON_ARRAY, &r->evaluations, &faults, &r->wrong))
        return;
    for (api_stream_array(&r->in); api_stream_item(&r->in);) {
        if (r->out->item_count == LIMIT_EVALUATIONS) {
            blame(&r->wrong, "evaluations has more than 1000 items");
            (void)api_stream_skip(&r->in);
            continue;
        }
        struct api_access_item *item = read_item(&r->in);
        *next = item;
        next = &item->next;
        r->out->item_count++;
    }
}

static void read_semantic(struct reading *r) {
    struct span value = api_stream_string(&r->in);
    if (span_is(value, "execute_all"))
        r->out->batch_end = STORE_BATCH_ALL;
    else if (span_is(value, "deny_on_first_deny"))
        r->out->batch_end = STORE_BATCH_TO_DENIAL;
    else if (span_is(value, "permit_on_first_permit"))
        r->out->batch_end = STORE_BATCH_TO_PERMIT;
    else
        blame(&r->wrong, "options.evaluations_semantic must be execute_all, deny_on_first_deny or "
                         "permit_on_first_permit");
}

static void read_options(struct reading *r) {
    static const struct faults faults = OBJECT_FAULTS("options");
    static const struct faults semantic_faults = TEXT_FAULTS("options.evaluations_semantic");
    struct span name;
    bool there = false;
    if (!expects(&r->in, API_JSON_OBJECT, &r->options, &faults, &r->wrong))
        return;
    for (api_stream_object(&r->in); api_stream_member(&r->in, &name);) {
        if (!span_is(name, "evaluations_semantic"))
            (void)api_stream_skip(&r->in);
        else if (expects(&r->in, API_JSON_STRING, &there, &semantic_faults, &r->wrong))
            read_semantic(r);
    }
}

/* An item's entity replaces the default whole. */
static void inherit(struct api_access_body *body) {
    for (struct api_access_item *item = body->items; item != NULL; item = item->next)
        for (unsigned i = 0; i < API_ENTITIES; i++)
            if (item->entities.of[i] == NULL)
                item->entities.of[i] = body->defaults.of[i];
}

/* ---- a search */

static void read_limit(struct reading *r) {
    struct api_json_number n = api_stream_number(&r->in);
    if (n.floor < 0 || (n.fraction && n.floor < INT64_MAX))
        blame(&r->wrong, "page.limit must be a whole number, not negative");
    else
        r->out->page_limit = n.floor < LIMIT_PAGE ? (uint32_t)n.floor : LIMIT_PAGE;
}

static void read_page(struct reading *r) {
    static const struct faults faults = OBJECT_FAULTS("page"),
                               token_faults = TEXT_FAULTS("page.token"),
                               limit_faults = {"page.limit must be a whole number, not negative",
                                               NULL, "page.limit is there twice"};
    struct span name;
    bool token = false, limit = false;
    if (!expects(&r->in, API_JSON_OBJECT, &r->page, &faults, &r->wrong))
        return;
    for (api_stream_object(&r->in); api_stream_member(&r->in, &name);) {
        if (span_is(name, "token")) {
            if (expects(&r->in, API_JSON_STRING, &token, &token_faults, &r->wrong))
                read_text(&r->in, &token_faults, &r->out->page_token, &r->wrong);
        } else if (span_is(name, "limit")) {
            if (expects(&r->in, API_JSON_NUMBER, &limit, &limit_faults, &r->wrong))
                read_limit(r);
        } else {
            (void)api_stream_skip(&r->in);
        }
    }
    r->out->has_page = true;
    r->out->has_limit = limit;
}

/* What a search looks for may have been sent all the same. */
static void ignore(struct arena *arena, struct api_access_body *body) {
    enum api_entity_kind sought = body->kind == API_ACCESS_SEARCH_SUBJECT    ? API_SUBJECT
                                  : body->kind == API_ACCESS_SEARCH_RESOURCE ? API_RESOURCE
                                                                             : API_ACTION;
    const struct api_entity *sent = body->defaults.of[sought];
    if (sent == NULL || sought == API_ACTION) {
        body->defaults.of[sought] = NULL;
        return;
    }
    struct api_entity *kept = arena_alloc(arena, sizeof *kept);
    *kept = *sent;
    kept->id = SPAN_NONE;
    kept->id_wrong = NULL;
    body->defaults.of[sought] = kept;
}

/* ---- the request */

static void read_request(struct reading *r) {
    static const struct faults faults = {"the body must be an object", NULL, NULL};
    bool batch = r->out->kind == API_ACCESS_EVALUATIONS;
    bool search = r->out->kind >= API_ACCESS_SEARCH_SUBJECT;
    bool there = false;
    struct span name;
    if (!expects(&r->in, API_JSON_OBJECT, &there, &faults, &r->wrong))
        return;
    for (api_stream_object(&r->in); api_stream_member(&r->in, &name);) {
        if (read_if_entity(&r->in, name, &r->out->defaults))
            continue;
        if (batch && span_is(name, "evaluations"))
            read_items(r);
        else if (batch && span_is(name, "options"))
            read_options(r);
        else if (search && span_is(name, "page"))
            read_page(r);
        else
            (void)api_stream_skip(&r->in);
    }
}

enum status api_access_read(struct arena *arena, struct span body, enum api_access_kind kind,
                            struct api_access_body *out, const char **why) {
    struct api_access_body read = {.kind = kind};
    struct reading r = {.out = &read};
    api_stream_begin(&r.in, arena, body);
    read_request(&r);
    if (!api_stream_end(&r.in)) {
        *why = arena_format(arena, "byte %zu: %s", r.in.error_at, r.in.error).data;
        return STATUS_MALFORMED_JSON;
    }
    if (r.wrong != NULL) {
        *why = r.wrong;
        return STATUS_INVALID_BODY;
    }
    if (kind >= API_ACCESS_SEARCH_SUBJECT)
        ignore(arena, &read);
    inherit(&read);
    *out = read;
    return STATUS_OK;
}
