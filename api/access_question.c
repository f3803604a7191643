/* From entities to the question about a consent: the properties that decisions know
 * (docs/decisions.md). One that has another form than it needs makes the question malformed, which
 * is a denial and no error. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_read.h"
#include "base/limits.h"
#include "base/log.h"

struct asking {
    const struct api_access_asker *asker;
    struct arena *arena;
    struct api_json_stream in; /* over the properties of one entity */
    struct api_access_ask *out;
    struct policy_request *ask;
};

static void malformed(struct asking *a, const char *pointer) {
    if (a->ask->malformed == NULL)
        a->ask->malformed = pointer;
}

/* A string of 1 to max bytes; anything else is skipped and makes the question malformed. */
static struct span text(struct asking *a, size_t max, const char *pointer) {
    struct span value = SPAN_NONE;
    if (api_stream_kind(&a->in) == API_JSON_STRING)
        value = api_stream_string(&a->in);
    else
        (void)api_stream_skip(&a->in);
    if (value.size == 0 || value.size > max || memchr(value.data, '\0', value.size) != NULL) {
        malformed(a, pointer);
        return SPAN_NONE;
    }
    return value;
}

struct bounds {
    uint32_t count;
    size_t size;
};

static const struct span *texts(struct asking *a, struct bounds max, uint32_t *count,
                                const char *pointer) {
    struct span *out = arena_array(a->arena, max.count, sizeof *out);
    *count = 0;
    if (api_stream_kind(&a->in) != API_JSON_ARRAY) {
        (void)api_stream_skip(&a->in);
        malformed(a, pointer);
        return out;
    }
    api_stream_array(&a->in);
    while (api_stream_item(&a->in)) {
        struct span one = text(a, max.size, pointer);
        if (*count == max.count)
            malformed(a, pointer);
        else if (span_present(one))
            out[(*count)++] = one;
    }
    return out;
}

static int64_t time_of(struct asking *a, const char *pointer) {
    int64_t time = INT64_MIN;
    struct span value = text(a, 64, pointer);
    if (span_present(value) && timestamp_parse(value, &time) != STATUS_OK)
        malformed(a, pointer);
    return time;
}

static bool truth(struct asking *a, const char *pointer) {
    if (api_stream_kind(&a->in) == API_JSON_TRUTH)
        return api_stream_truth(&a->in);
    (void)api_stream_skip(&a->in);
    malformed(a, pointer);
    return false;
}

/* ---- each entity's properties */

static void subject_property(struct asking *a, struct span name) {
    if (!span_is(name, "roles")) {
        (void)api_stream_skip(&a->in);
        return;
    }
    a->ask->roles_known = true;
    a->ask->roles = texts(a, (struct bounds){LIMIT_ROLES, LIMIT_URL}, &a->ask->role_count,
                          "/subject/properties/roles");
}

static void action_property(struct asking *a, struct span name) {
    if (!span_is(name, "purpose")) {
        (void)api_stream_skip(&a->in);
        return;
    }
    struct span purpose = text(a, LIMIT_URL, "/action/properties/purpose");
    a->ask->has_purpose = true;
    a->ask->purpose = policy_pack_purpose_find(a->asker->pack, purpose);
}

static void read_permissions(struct asking *a) {
    uint32_t count;
    const struct span *codes =
        texts(a, (struct bounds){LIMIT_SET, LIMIT_URL}, &count, "/resource/properties/permissions");
    a->ask->has_permissions = true;
    for (uint32_t i = 0; i < count; i++) {
        int at = policy_pack_permission_find(a->asker->pack, codes[i]);
        if (at < 0)
            a->ask->unknown_permission = true;
        else
            a->ask->permissions |= UINT64_C(1) << at;
    }
}

static void read_resources(struct asking *a) {
    uint32_t count;
    const struct span *ids = texts(a, (struct bounds){LIMIT_RESOURCES, LIMIT_RESOURCE}, &count,
                                   "/resource/properties/resources");
    struct mac16 *keys = arena_array(a->arena, count + 1, sizeof *keys);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = store_resource_key(a->asker->store, a->asker->tenant, ids[i]);
    a->ask->resources = keys;
    a->ask->resource_count = count;
}

static void resource_property(struct asking *a, struct span name) {
    if (span_is(name, "permissions")) {
        read_permissions(a);
    } else if (span_is(name, "resources")) {
        read_resources(a);
    } else if (span_is(name, "granularity")) {
        struct span value = text(a, 64, "/resource/properties/granularity");
        if (span_present(value) && duration_parse(value, &a->ask->granularity) != STATUS_OK)
            malformed(a, "/resource/properties/granularity");
        a->ask->has_granularity = true;
    } else if (span_is(name, "from")) {
        a->ask->from = time_of(a, "/resource/properties/from");
    } else if (span_is(name, "to")) {
        a->ask->to = time_of(a, "/resource/properties/to");
    } else if (span_is(name, "license")) {
        a->ask->license = text(a, LIMIT_URL, "/resource/properties/license");
    } else {
        (void)api_stream_skip(&a->in);
    }
}

static void context_member(struct asking *a, struct span name) {
    if (span_is(name, "onwardRecipient")) {
        a->out->question.onward = text(a, LIMIT_URL, "/context/onwardRecipient");
        a->ask->has_onward = true;
    } else if (span_is(name, "territory")) {
        a->ask->territory = text(a, 64, "/context/territory");
    } else if (span_is(name, "explain")) {
        a->out->explain = truth(a, "/context/explain");
    } else if (span_is(name, "record")) {
        a->out->record = truth(a, "/context/record");
    } else {
        (void)api_stream_skip(&a->in);
    }
}

typedef void property(struct asking *a, struct span name);

static void each_property(struct asking *a, struct span object, property *read) {
    struct span name;
    if (!span_present(object))
        return;
    api_stream_begin(&a->in, a->arena, object);
    api_stream_object(&a->in);
    while (api_stream_member(&a->in, &name))
        read(a, name);
    ASSERT(api_stream_end(&a->in)); /* it was read once, as part of the body */
}

/* ---- what rules look at */

static struct policy_attribute read_texts(struct api_json_stream *in, struct arena *arena,
                                          struct span array) {
    struct policy_attribute out = {.kind = POLICY_IS_TEXTS};
    uint32_t count = 0;
    api_stream_begin(in, arena, array);
    api_stream_array(in);
    while (api_stream_item(in)) {
        if (api_stream_kind(in) != API_JSON_STRING)
            out.kind = POLICY_IS_OTHER;
        (void)api_stream_skip(in);
        count++;
    }
    if (out.kind != POLICY_IS_TEXTS)
        return out;
    struct span *texts_out = arena_array(arena, count + 1, sizeof *texts_out);
    api_stream_begin(in, arena, array);
    api_stream_array(in);
    while (api_stream_item(in))
        texts_out[out.text_count++] = api_stream_string(in);
    out.texts = texts_out;
    return out;
}

static struct policy_attribute read_attribute(struct asking *a) {
    struct policy_attribute out = {.kind = POLICY_IS_OTHER};
    struct api_json_stream *in = &a->in;
    struct api_json_number number;
    switch (api_stream_kind(in)) {
    case API_JSON_STRING:
        out.kind = POLICY_IS_TEXT;
        out.text = api_stream_string(in);
        return out;
    case API_JSON_TRUTH:
        out.kind = POLICY_IS_TRUTH;
        out.number = api_stream_truth(in);
        return out;
    case API_JSON_NUMBER:
        number = api_stream_number(in);
        out.kind = POLICY_IS_NUMBER;
        out.number = number.floor;
        out.fraction = number.fraction;
        return out;
    case API_JSON_ARRAY: {
        struct api_json_stream own;
        return read_texts(&own, a->arena, api_stream_skip(in));
    }
    default:
        (void)api_stream_skip(in);
        return out;
    }
}

static struct policy_attribute look(struct asking *a, struct span object,
                                    const struct policy_slot *slot, uint32_t step) {
    struct policy_attribute found = {.kind = POLICY_ABSENT};
    struct span inner = SPAN_NONE, name;
    if (!span_present(object))
        return found;
    bool last = step + 1 == slot->step_count;
    api_stream_begin(&a->in, a->arena, object);
    api_stream_object(&a->in);
    while (api_stream_member(&a->in, &name)) {
        bool wanted = span_equal(name, slot->steps[step]);
        if (wanted && last)
            found = read_attribute(a);
        else if (wanted && api_stream_kind(&a->in) == API_JSON_OBJECT)
            inner = api_stream_skip(&a->in);
        else
            (void)api_stream_skip(&a->in);
    }
    return last ? found : look(a, inner, slot, step + 1);
}

static void read_attributes(struct asking *a, const struct api_entities *e) {
    uint32_t count = policy_pack_slot_count(a->asker->pack);
    if (count == 0)
        return;
    struct policy_attribute *attributes = arena_array(a->arena, count, sizeof *attributes);
    for (uint32_t i = 0; i < count; i++) {
        const struct policy_slot *slot = policy_pack_slot(a->asker->pack, i);
        struct span object = slot->operand == POLICY_SUBJECT_PROPERTY    ? e->subject.properties
                             : slot->operand == POLICY_ACTION_PROPERTY   ? e->action.properties
                             : slot->operand == POLICY_RESOURCE_PROPERTY ? e->resource.properties
                                                                         : e->context.properties;
        attributes[i] = look(a, object, slot, 0);
    }
    a->ask->attributes = attributes;
}

/* ---- all of it */

static void read_about(struct asking *a, const struct api_entity *resource) {
    struct store_question *question = &a->out->question;
    if (span_is(resource->type, "consent")) {
        question->about = STORE_ABOUT_CONSENT;
        if (uuid_from_text(resource->id, &question->consent) != STATUS_OK)
            question->consent = (struct uuid){{0}}; /* nobody has it */
    } else if (span_is(resource->type, "account")) {
        question->about = STORE_ABOUT_ACCOUNT;
        question->account = store_account_key(a->asker->store, a->asker->tenant, resource->id);
    } else {
        question->about = STORE_ABOUT_RULES;
    }
}

void api_access_question(const struct api_access_asker *asker, struct arena *arena,
                         const struct api_entities *e, struct api_access_ask *out) {
    *out = (struct api_access_ask){.explain = false};
    struct asking a = {.asker = asker, .arena = arena, .out = out, .ask = &out->question.ask};
    *a.ask = (struct policy_request){
        .subject_type = e->subject.type,
        .subject_id = e->subject.id,
        .action_name = e->action.id,
        .resource_type = e->resource.type,
        .resource_id = e->resource.id,
        .from = INT64_MIN,
        .to = INT64_MIN,
    };
    out->question.tenant = asker->tenant;
    out->question.viewer_client = asker->client_id;
    out->question.client = e->subject.id;
    read_about(&a, &e->resource);
    if (out->question.about != STORE_ABOUT_RULES) {
        each_property(&a, e->subject.properties, subject_property);
        each_property(&a, e->action.properties, action_property);
        each_property(&a, e->resource.properties, resource_property);
    }
    each_property(&a, e->context.properties, context_member);
    read_attributes(&a, e);
}
