/* The forms of AuthZEN requests (Authorization API 1.0, sections 5 to 7). Unknown members are
 * ignored; of members that repeat, the last counts. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_read.h"

/* ---- entities */

struct entity_form {
    const char *type, *id; /* names of its members; NULL: it has none */
    const char *no_type, *no_id, *no_object, *no_properties;
};
static const struct entity_form subject_form = {"type",
                                                "id",
                                                "subject.type must be a string",
                                                "subject.id must be a string",
                                                "subject must be an object",
                                                "subject.properties must be an object"};
static const struct entity_form resource_form = {"type",
                                                 "id",
                                                 "resource.type must be a string",
                                                 "resource.id must be a string",
                                                 "resource must be an object",
                                                 "resource.properties must be an object"};
static const struct entity_form action_form = {NULL,
                                               "name",
                                               NULL,
                                               "action.name must be a string",
                                               "action must be an object",
                                               "action.properties must be an object"};

static void blame(struct api_entity *entity, const char *why) {
    if (entity->wrong == NULL)
        entity->wrong = why;
}

static struct span read_text(struct api_json_stream *in, struct api_entity *entity,
                             const char *why) {
    if (api_stream_kind(in) == API_JSON_STRING)
        return api_stream_string(in);
    (void)api_stream_skip(in);
    blame(entity, why);
    return SPAN_NONE;
}

static struct span read_object(struct api_json_stream *in, struct api_entity *entity,
                               const char *why) {
    bool object = api_stream_kind(in) == API_JSON_OBJECT;
    struct span text = api_stream_skip(in);
    if (!object)
        blame(entity, why);
    return object ? text : SPAN_NONE;
}

static void read_entity(struct api_json_stream *in, const struct entity_form *form,
                        struct api_entity *out) {
    struct span name;
    *out = (struct api_entity){.present = true};
    if (api_stream_kind(in) != API_JSON_OBJECT) {
        (void)api_stream_skip(in);
        blame(out, form->no_object);
        return;
    }
    api_stream_object(in);
    while (api_stream_member(in, &name)) {
        if (form->type != NULL && span_is(name, form->type))
            out->type = read_text(in, out, form->no_type);
        else if (span_is(name, form->id))
            out->id = read_text(in, out, form->no_id);
        else if (span_is(name, "properties"))
            out->properties = read_object(in, out, form->no_properties);
        else
            (void)api_stream_skip(in);
    }
}

/* True when the member was one of the four. */
static bool read_member(struct api_json_stream *in, struct span name, struct api_entities *out) {
    if (span_is(name, "subject")) {
        read_entity(in, &subject_form, &out->subject);
    } else if (span_is(name, "action")) {
        read_entity(in, &action_form, &out->action);
    } else if (span_is(name, "resource")) {
        read_entity(in, &resource_form, &out->resource);
    } else if (span_is(name, "context")) {
        out->context = (struct api_entity){.present = true};
        out->context.properties = read_object(in, &out->context, "context must be an object");
    } else {
        return false;
    }
    return true;
}

static const char *entity_wrong(const struct api_entity *entity, const struct entity_form *form,
                                const char *missing) {
    if (!entity->present)
        return missing;
    if (entity->wrong != NULL)
        return entity->wrong;
    if (form->type != NULL && !span_present(entity->type))
        return form->no_type;
    return span_present(entity->id) ? NULL : form->no_id;
}

const char *api_access_wrong(const struct api_entities *e) {
    const char *wrong = entity_wrong(&e->subject, &subject_form, "subject is required");
    if (wrong == NULL)
        wrong = entity_wrong(&e->action, &action_form, "action is required");
    if (wrong == NULL)
        wrong = entity_wrong(&e->resource, &resource_form, "resource is required");
    return wrong != NULL ? wrong : e->context.wrong;
}

/* ---- the document */

struct reading {
    struct api_json_stream in;
    struct arena *arena;
    struct api_access_body *out;
    uint32_t capacity;
    const char *wrong; /* of the whole document */
};

static void add_item(struct reading *r) {
    struct api_access_body *out = r->out;
    struct api_entities item = {.subject = {.present = false}};
    struct span name;
    if (out->item_count == r->capacity) {
        uint32_t capacity = r->capacity != 0 ? r->capacity * 4 : 16;
        struct api_entities *items = arena_array(r->arena, capacity, sizeof *items);
        if (out->item_count != 0)
            memcpy(items, out->items, out->item_count * sizeof *items);
        out->items = items;
        r->capacity = capacity;
    }
    if (api_stream_kind(&r->in) == API_JSON_OBJECT) {
        api_stream_object(&r->in);
        while (api_stream_member(&r->in, &name))
            if (!read_member(&r->in, name, &item))
                (void)api_stream_skip(&r->in);
    } else {
        (void)api_stream_skip(&r->in);
        item.context = (struct api_entity){.present = true,
                                           .wrong = "an item of evaluations must be an object"};
    }
    out->items[out->item_count++] = item;
}

static void read_items(struct reading *r) {
    r->out->item_count = 0;
    if (api_stream_kind(&r->in) != API_JSON_ARRAY) {
        (void)api_stream_skip(&r->in);
        r->wrong = "evaluations must be an array";
        return;
    }
    api_stream_array(&r->in);
    while (api_stream_item(&r->in)) {
        if (r->out->item_count == API_ACCESS_ITEMS_MAX) {
            (void)api_stream_skip(&r->in);
            r->wrong = "evaluations has more than 1000 items";
        } else {
            add_item(r);
        }
    }
}

static void read_semantic(struct reading *r) {
    struct span value =
        api_stream_kind(&r->in) == API_JSON_STRING ? api_stream_string(&r->in) : SPAN_NONE;
    if (!span_present(value))
        (void)api_stream_skip(&r->in);
    if (span_is(value, "execute_all"))
        r->out->batch_end = STORE_BATCH_ALL;
    else if (span_is(value, "deny_on_first_deny"))
        r->out->batch_end = STORE_BATCH_TO_DENIAL;
    else if (span_is(value, "permit_on_first_permit"))
        r->out->batch_end = STORE_BATCH_TO_PERMIT;
    else
        r->wrong = "options.evaluations_semantic must be execute_all, deny_on_first_deny or "
                   "permit_on_first_permit";
}

static void read_options(struct reading *r) {
    struct span name;
    if (api_stream_kind(&r->in) != API_JSON_OBJECT) {
        (void)api_stream_skip(&r->in);
        r->wrong = "options must be an object";
        return;
    }
    api_stream_object(&r->in);
    while (api_stream_member(&r->in, &name)) {
        if (span_is(name, "evaluations_semantic"))
            read_semantic(r);
        else
            (void)api_stream_skip(&r->in);
    }
}

static void read_page_member(struct reading *r, struct span name) {
    enum api_json_kind kind = api_stream_kind(&r->in);
    if (span_is(name, "token") && kind == API_JSON_STRING) {
        r->out->page_token = api_stream_string(&r->in);
    } else if (span_is(name, "limit") && kind == API_JSON_NUMBER) {
        struct api_json_number limit = api_stream_number(&r->in);
        if (limit.fraction || limit.floor < 1)
            r->wrong = "page.limit must be a positive integer";
        else
            r->out->page_limit = limit.floor < LIMIT_PAGE ? (uint32_t)limit.floor : LIMIT_PAGE;
    } else {
        if (span_is(name, "token") || span_is(name, "limit"))
            r->wrong = "page.token must be a string and page.limit an integer";
        (void)api_stream_skip(&r->in);
    }
}

static void read_page(struct reading *r) {
    struct span name;
    if (api_stream_kind(&r->in) != API_JSON_OBJECT) {
        (void)api_stream_skip(&r->in);
        r->wrong = "page must be an object";
        return;
    }
    api_stream_object(&r->in);
    while (api_stream_member(&r->in, &name))
        read_page_member(r, name);
}

static void read_document(struct reading *r) {
    struct span name;
    api_stream_object(&r->in);
    while (api_stream_member(&r->in, &name)) {
        if (read_member(&r->in, name, &r->out->defaults))
            continue;
        if (span_is(name, "evaluations"))
            read_items(r);
        else if (span_is(name, "options"))
            read_options(r);
        else if (span_is(name, "page"))
            read_page(r);
        else
            (void)api_stream_skip(&r->in);
    }
}

/* An item's member replaces the default whole. */
static void inherit(struct api_access_body *body) {
    for (uint32_t i = 0; i < body->item_count; i++) {
        struct api_entities *item = &body->items[i];
        if (!item->subject.present)
            item->subject = body->defaults.subject;
        if (!item->action.present)
            item->action = body->defaults.action;
        if (!item->resource.present)
            item->resource = body->defaults.resource;
        if (!item->context.present)
            item->context = body->defaults.context;
    }
    if (body->item_count == 0)
        body->items = NULL;
}

enum status api_access_read(struct arena *arena, struct span body, struct api_access_body *out,
                            const char **why) {
    struct api_access_body read = {.items = NULL};
    struct reading r = {.arena = arena, .out = &read};
    api_stream_begin(&r.in, arena, body);
    bool object = api_stream_kind(&r.in) == API_JSON_OBJECT;
    if (object)
        read_document(&r);
    else
        (void)api_stream_skip(&r.in);
    if (!api_stream_end(&r.in)) {
        *why = r.in.error;
        return STATUS_MALFORMED_JSON;
    }
    if (!object || r.wrong != NULL) {
        *why = object ? r.wrong : "the body must be an object";
        return STATUS_INVALID_BODY;
    }
    inherit(&read);
    *out = read;
    return STATUS_OK;
}
