/* Properties are read from their bytes when an entity is new to the asker. Texts that go into keys
 * or the log are bounded, and free of NUL; a list of permissions that is empty would ask for
 * nothing, which nobody is denied. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_question.h"

#include "api/stream.h"
#include "base/limits.h"
#include "base/timestamp.h"

/* ---- texts */

enum texts { TEXTS_RIGHT, TEXTS_MIXED, TEXTS_WRONG };
struct bounds {
    uint32_t count;     /* of texts */
    size_t least, most; /* bytes of each */
};
struct list {
    struct span *texts;
    uint32_t count, room;
};
static const struct bounds role_bounds = {LIMIT_ROLES, 1, LIMIT_URL},
                           code_bounds = {LIMIT_SET, 1, LIMIT_URL},
                           resource_bounds = {LIMIT_RESOURCES, 1, LIMIT_RESOURCE},
                           url_bounds = {1, 1, LIMIT_URL}, free_bounds = {LIMIT_SET, 0, LIMIT_TEXT};

static bool read_text(struct api_json_stream *in, const struct bounds *bounds, struct span *out) {
    if (api_stream_kind(in) != API_JSON_STRING)
        return false;
    *out = api_stream_string(in);
    return out->size >= bounds->least && out->size <= bounds->most &&
           (out->size == 0 || memchr(out->data, '\0', out->size) == NULL);
}

static void append(struct arena *arena, struct list *list, struct span text) {
    if (list->count == list->room) {
        list->room = list->room != 0 ? 2 * list->room : 8;
        struct span *more = arena_alloc(arena, list->room * sizeof *more);
        if (list->count != 0)
            memcpy(more, list->texts, list->count * sizeof *more);
        list->texts = more;
    }
    list->texts[list->count++] = text;
}

/* MIXED: no list, or not of strings alone. */
static enum texts read_texts(struct api_json_stream *in, const struct bounds *bounds,
                             struct list *out) {
    enum texts result = TEXTS_RIGHT;
    struct span text;
    *out = (struct list){.count = 0};
    if (api_stream_kind(in) != API_JSON_ARRAY)
        return TEXTS_MIXED;
    for (api_stream_array(in); api_stream_item(in);) {
        if (api_stream_kind(in) != API_JSON_STRING)
            return TEXTS_MIXED;
        if (!read_text(in, bounds, &text) || out->count == bounds->count)
            result = TEXTS_WRONG;
        else
            append(in->arena, out, text);
    }
    return result;
}

/* ---- what the built-in clauses judge: each reads its value; false: it has the wrong form, and
 * nothing was set */

static bool read_roles(struct api_access_asker *a, struct api_json_stream *in) {
    struct policy_request *ask = &a->last.question.ask;
    struct list roles;
    if (read_texts(in, &role_bounds, &roles) != TEXTS_RIGHT)
        return false;
    ask->roles_known = true;
    ask->roles = roles.texts;
    ask->role_count = roles.count;
    return true;
}

static bool read_purpose(struct api_access_asker *a, struct api_json_stream *in) {
    struct span code;
    if (!read_text(in, &code_bounds, &code))
        return false;
    a->last.question.ask.has_purpose = true;
    a->last.question.ask.purpose = policy_pack_purpose_find(a->pack, code);
    return true;
}

static bool read_permissions(struct api_access_asker *a, struct api_json_stream *in) {
    struct policy_request *ask = &a->last.question.ask;
    struct list codes;
    if (read_texts(in, &code_bounds, &codes) != TEXTS_RIGHT || codes.count == 0)
        return false;
    ask->has_permissions = true;
    for (uint32_t i = 0; i < codes.count; i++) {
        int found = policy_pack_permission_find(a->pack, codes.texts[i]);
        if (found < 0)
            ask->unknown_permission = true;
        else
            ask->permissions |= UINT64_C(1) << found;
    }
    return true;
}

static bool read_resources(struct api_access_asker *a, struct api_json_stream *in) {
    struct policy_request *ask = &a->last.question.ask;
    struct list names;
    if (read_texts(in, &resource_bounds, &names) != TEXTS_RIGHT)
        return false;
    struct mac16 *keys = arena_alloc(a->arena, names.count * sizeof *keys);
    for (uint32_t i = 0; i < names.count; i++)
        keys[i] = store_resource_key(a->store, a->tenant, names.texts[i]);
    ask->resources = keys;
    ask->resource_count = names.count;
    a->last.question.resource_ids = names.texts;
    return true;
}

static bool read_granularity(struct api_access_asker *a, struct api_json_stream *in) {
    struct policy_request *ask = &a->last.question.ask;
    struct span text;
    ask->has_granularity =
        read_text(in, &url_bounds, &text) && duration_parse(text, &ask->granularity) == STATUS_OK;
    return ask->has_granularity;
}

static bool read_time(struct api_json_stream *in, int64_t *out) {
    struct span text;
    return read_text(in, &url_bounds, &text) && timestamp_parse(text, out) == STATUS_OK;
}

static bool read_from(struct api_access_asker *a, struct api_json_stream *in) {
    return read_time(in, &a->last.question.ask.from);
}

static bool read_to(struct api_access_asker *a, struct api_json_stream *in) {
    return read_time(in, &a->last.question.ask.to);
}

static bool read_url(struct api_json_stream *in, struct span *out) {
    struct span text;
    bool right = read_text(in, &url_bounds, &text);
    if (right)
        *out = text;
    return right;
}

static bool read_license(struct api_access_asker *a, struct api_json_stream *in) {
    return read_url(in, &a->last.question.ask.license);
}

static bool read_onward(struct api_access_asker *a, struct api_json_stream *in) {
    a->last.question.ask.has_onward = read_url(in, &a->last.question.onward);
    return a->last.question.ask.has_onward;
}

static bool read_territory(struct api_access_asker *a, struct api_json_stream *in) {
    return read_url(in, &a->last.question.ask.territory);
}

static bool read_flag(struct api_json_stream *in, bool *out) {
    if (api_stream_kind(in) != API_JSON_TRUTH)
        return false;
    *out = api_stream_truth(in);
    return true;
}

static bool read_record(struct api_access_asker *a, struct api_json_stream *in) {
    return read_flag(in, &a->last.record);
}

static bool read_explain(struct api_access_asker *a, struct api_json_stream *in) {
    return read_flag(in, &a->last.explain);
}

struct property {
    enum api_entity_kind of;
    struct span name;
    const char *pointer;
    bool (*read)(struct api_access_asker *asker, struct api_json_stream *in);
};
static const struct property properties[] = {
    {API_SUBJECT, SPAN("roles"), "/subject/properties/roles", read_roles},
    {API_ACTION, SPAN("purpose"), "/action/properties/purpose", read_purpose},
    {API_RESOURCE, SPAN("permissions"), "/resource/properties/permissions", read_permissions},
    {API_RESOURCE, SPAN("resources"), "/resource/properties/resources", read_resources},
    {API_RESOURCE, SPAN("granularity"), "/resource/properties/granularity", read_granularity},
    {API_RESOURCE, SPAN("from"), "/resource/properties/from", read_from},
    {API_RESOURCE, SPAN("to"), "/resource/properties/to", read_to},
    {API_RESOURCE, SPAN("license"), "/resource/properties/license", read_license},
    {API_CONTEXT, SPAN("onwardRecipient"), "/context/onwardRecipient", read_onward},
    {API_CONTEXT, SPAN("territory"), "/context/territory", read_territory},
    {API_CONTEXT, SPAN("record"), "/context/record", read_record},
    {API_CONTEXT, SPAN("explain"), "/context/explain", read_explain},
};
#define PROPERTIES (sizeof properties / sizeof *properties)
_Static_assert(PROPERTIES <= 32, "a bit for each is kept");

/* ---- what rules look at */

/* False: malformed. A rule that denies by the beginning of a text must not miss one for its NUL,
 * and the log keeps none. */
static bool read_attribute(struct api_json_stream *in, struct policy_attribute *out) {
    enum api_json_kind kind = api_stream_kind(in);
    *out = (struct policy_attribute){.kind = POLICY_IS_OTHER};
    if (kind == API_JSON_STRING) {
        out->kind = POLICY_IS_TEXT;
        return read_text(in, &free_bounds, &out->text);
    }
    if (kind == API_JSON_NUMBER) {
        struct api_json_number n = api_stream_number(in);
        *out = (struct policy_attribute){
            .kind = POLICY_IS_NUMBER, .number = n.floor, .fraction = n.fraction};
    } else if (kind == API_JSON_TRUTH) {
        *out = (struct policy_attribute){.kind = POLICY_IS_TRUTH, .number = api_stream_truth(in)};
    } else if (kind == API_JSON_ARRAY) {
        struct list list;
        enum texts found = read_texts(in, &free_bounds, &list);
        if (found == TEXTS_RIGHT)
            *out = (struct policy_attribute){
                .kind = POLICY_IS_TEXTS, .texts = list.texts, .text_count = list.count};
        return found != TEXTS_WRONG;
    }
    return true;
}

enum steps { STEP_THERE, STEP_ABSENT, STEP_TWICE };

/* Moves to the member of the object at hand. A name that stands twice would be another value to
 * another reader. */
static enum steps step_into(struct api_json_stream *in, struct span step) {
    struct api_json_stream found;
    enum steps result = STEP_ABSENT;
    struct span name;
    if (api_stream_kind(in) != API_JSON_OBJECT)
        return STEP_ABSENT;
    for (api_stream_object(in); api_stream_member(in, &name); (void)api_stream_skip(in)) {
        if (!span_equal(name, step))
            continue;
        if (result == STEP_THERE)
            return STEP_TWICE;
        result = STEP_THERE;
        found = *in;
    }
    if (result == STEP_THERE)
        *in = found;
    return result;
}

/* From the value at the slot's first step. */
static bool fill_slot(struct api_access_asker *a, uint32_t index, struct api_json_stream *in) {
    const struct policy_slot *slot = policy_pack_slot(a->pack, index);
    enum steps step = STEP_THERE;
    for (uint32_t i = 1; i < slot->step_count && step == STEP_THERE; i++)
        step = step_into(in, slot->steps[i]);
    return step == STEP_THERE ? read_attribute(in, &a->attributes[index]) : step == STEP_ABSENT;
}

static enum api_entity_kind entity_of(enum policy_operand operand) {
    return operand == POLICY_SUBJECT_PROPERTY    ? API_SUBJECT
           : operand == POLICY_ACTION_PROPERTY   ? API_ACTION
           : operand == POLICY_RESOURCE_PROPERTY ? API_RESOURCE
                                                 : API_CONTEXT;
}

/* ---- entities */

/* The first pointer stays. */
static void blame(const char **wrong, const char *pointer) {
    if (*wrong == NULL)
        *wrong = pointer;
}

struct member {
    enum api_entity_kind of;
    struct span name;
    struct api_json_stream value; /* stands at it */
    uint32_t properties_seen;     /* bits, over all members of the entity */
    uint64_t slots_seen;
};

/* True when *after stands behind the value. Of a resource that needs no consent, all properties are
 * the scheme's own. */
static bool take_property(struct api_access_asker *a, struct member *m,
                          struct api_json_stream *after) {
    if (m->of == API_RESOURCE && a->last.question.about == STORE_ABOUT_RULES)
        return false;
    for (unsigned i = 0; i < PROPERTIES; i++) {
        if (properties[i].of != m->of || !span_equal(properties[i].name, m->name))
            continue;
        bool again = (m->properties_seen >> i & 1U) != 0;
        m->properties_seen |= 1U << i;
        *after = m->value;
        if (!again && properties[i].read(a, after))
            return true;
        blame(&a->misstated[m->of], properties[i].pointer);
    }
    return false;
}

static void take_attributes(struct api_access_asker *a, struct member *m) {
    static const char *const pointers[] = {"/subject/properties", "/action/properties",
                                           "/resource/properties", "/context"};
    for (uint32_t i = 0; i < policy_pack_slot_count(a->pack); i++) {
        const struct policy_slot *slot = policy_pack_slot(a->pack, i);
        if (entity_of(slot->operand) != m->of || !span_equal(slot->steps[0], m->name))
            continue;
        struct api_json_stream value = m->value;
        bool again = (m->slots_seen >> i & 1U) != 0;
        m->slots_seen |= UINT64_C(1) << i;
        if (!again && fill_slot(a, i, &value))
            continue;
        a->attributes[i] = (struct policy_attribute){.kind = POLICY_ABSENT};
        blame(&a->malformed[m->of], pointers[m->of]);
    }
}

/* The bytes are JSON: that was seen when the request was read. */
static void read_properties(struct api_access_asker *a, enum api_entity_kind kind,
                            struct span raw) {
    struct api_json_stream in;
    struct member member = {.of = kind};
    if (!span_present(raw))
        return;
    api_stream_begin(&in, a->arena, raw);
    for (api_stream_object(&in); api_stream_member(&in, &member.name);) {
        member.value = in;
        take_attributes(a, &member);
        if (!take_property(a, &member, &in)) {
            in = member.value;
            (void)api_stream_skip(&in);
        }
    }
}

/* A text of an entity itself; the empty one, which matches nothing, in place of one too long. */
static struct span bounded(struct api_access_asker *a, enum api_entity_kind kind, struct span text,
                           size_t most, const char *pointer) {
    if (text.size <= most)
        return text;
    blame(&a->malformed[kind], pointer);
    return SPAN("");
}

static void read_resource(struct api_access_asker *a, const struct api_entity *entity) {
    struct store_question *q = &a->last.question;
    struct span type = bounded(a, API_RESOURCE, entity->type, LIMIT_URL, "/resource/type");
    q->about = span_is(type, "consent")   ? STORE_ABOUT_CONSENT
               : span_is(type, "account") ? STORE_ABOUT_ACCOUNT
                                          : STORE_ABOUT_RULES;
    size_t most = q->about == STORE_ABOUT_ACCOUNT ? LIMIT_ACCOUNT : LIMIT_TEXT;
    q->ask.resource_type = type;
    q->ask.resource_id = bounded(a, API_RESOURCE, entity->id, most, "/resource/id");
    memset(&q->consent, 0, sizeof q->consent);
    memset(&q->account, 0, sizeof q->account);
    if (q->about == STORE_ABOUT_ACCOUNT)
        q->account = store_account_key(a->store, a->tenant, q->ask.resource_id);
    struct uuid id; /* what is no UUID stays the nil one, the id of no consent */
    if (q->about == STORE_ABOUT_CONSENT && uuid_from_text(q->ask.resource_id, &id) == STATUS_OK)
        q->consent = id;
}

static void read_self(struct api_access_asker *a, enum api_entity_kind kind,
                      const struct api_entity *entity) {
    struct policy_request *ask = &a->last.question.ask;
    if (kind == API_SUBJECT) {
        ask->subject_type = bounded(a, kind, entity->type, LIMIT_URL, "/subject/type");
        ask->subject_id = bounded(a, kind, entity->id, LIMIT_URL, "/subject/id");
        a->last.question.client = ask->subject_id;
    } else if (kind == API_ACTION) {
        ask->action_name = bounded(a, kind, entity->id, LIMIT_URL, "/action/name");
    } else if (kind == API_RESOURCE) {
        read_resource(a, entity);
    }
}

/* As if the entity had not been sent. */
static void forget(struct api_access_asker *a, enum api_entity_kind kind) {
    static const struct api_entity nothing;
    struct policy_request *ask = &a->last.question.ask;
    a->malformed[kind] = a->misstated[kind] = NULL;
    read_self(a, kind, &nothing);
    if (kind == API_SUBJECT) {
        ask->roles_known = false;
        ask->roles = NULL;
        ask->role_count = 0;
    } else if (kind == API_ACTION) {
        ask->has_purpose = false;
        ask->purpose = -1;
    } else if (kind == API_RESOURCE) {
        ask->has_permissions = ask->unknown_permission = ask->has_granularity = false;
        ask->permissions = 0;
        ask->resources = NULL;
        ask->resource_count = 0;
        ask->granularity = (struct duration){0, 0};
        ask->from = ask->to = INT64_MIN;
        ask->license = SPAN_NONE;
    } else {
        ask->has_onward = a->last.record = a->last.explain = false;
        ask->territory = a->last.question.onward = SPAN_NONE;
    }
    for (uint32_t i = 0; i < policy_pack_slot_count(a->pack); i++)
        if (entity_of(policy_pack_slot(a->pack, i)->operand) == kind)
            a->attributes[i] = (struct policy_attribute){.kind = POLICY_ABSENT};
}

/* Those that were handed out stay as they are. */
static void renew_attributes(struct api_access_asker *a) {
    uint32_t count = policy_pack_slot_count(a->pack);
    struct policy_attribute *old = a->attributes;
    if (count == 0)
        return;
    a->attributes = arena_alloc(a->arena, count * sizeof *old);
    if (old != NULL)
        memcpy(a->attributes, old, count * sizeof *old);
    a->last.question.ask.attributes = a->attributes;
}

void api_access_question(struct api_access_asker *asker, const struct api_entities *entities,
                         struct api_access_ask *out) {
    bool same = asker->begun && memcmp(asker->seen, entities->of, sizeof asker->seen) == 0;
    if (!same)
        renew_attributes(asker);
    for (unsigned i = 0; i < API_ENTITIES && !same; i++) {
        if (asker->begun && asker->seen[i] == entities->of[i])
            continue;
        forget(asker, i);
        if (entities->of[i] != NULL) {
            read_self(asker, i, entities->of[i]);
            read_properties(asker, i, entities->of[i]->properties);
        }
        asker->seen[i] = entities->of[i];
    }
    asker->begun = true;
    *out = asker->last;
    out->question.tenant = asker->tenant;
    out->question.viewer_client = asker->client_id;
    for (unsigned i = 0; i < API_ENTITIES; i++) {
        blame(&out->question.ask.malformed, asker->malformed[i]);
        if (i == API_CONTEXT || out->question.about != STORE_ABOUT_RULES)
            blame(&out->question.ask.malformed, asker->misstated[i]);
    }
}
