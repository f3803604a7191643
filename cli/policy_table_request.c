/* Requests of a case table in AuthZEN's shape (docs/decisions.md, The question). A property of
 * another type than it must have is part of the question: it denies. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "base/limits.h"
#include "cli/policy_table_ask.h"

struct reading {
    struct table *t;
    struct table_ask *ask;
    json_t *subject, *action, *resource, *context; /* properties; context: the whole */
};

static void malformed(struct reading *r, const char *pointer) {
    if (r->ask->request.malformed == NULL) {
        r->ask->request.malformed = pointer;
    }
}

/* ---- properties that the built-in clauses read. One that has the wrong form was not stated
 * (api/access_question.c; tests/e2e/test_decision_table.py holds the two together). */

struct property {
    json_t *object;
    const char *name, *pointer;
};

static bool is_text(const json_t *value, size_t max) {
    return json_string_length(value) >= 1 && json_string_length(value) <= max;
}

static struct span text(struct reading *r, struct property p) {
    json_t *value = json_object_get(p.object, p.name);
    if (value == NULL || is_text(value, LIMIT_URL)) {
        return span_of(json_string_value(value), json_string_length(value));
    }
    malformed(r, p.pointer);
    return SPAN_NONE;
}

struct bounds {
    size_t least, most; /* texts */
    size_t size;        /* bytes of each */
};

static struct table_texts texts(struct reading *r, struct property p, struct bounds bounds) {
    json_t *value = json_object_get(p.object, p.name);
    size_t count = json_array_size(value);
    struct span *items = arena_array(&r->ask->arena, count + 1, sizeof *items);
    bool right = json_is_array(value) && count >= bounds.least && count <= bounds.most;
    for (size_t i = 0; i < count && right; i++) {
        json_t *item = json_array_get(value, i);
        items[i] = span_of(json_string_value(item), json_string_length(item));
        right = is_text(item, bounds.size);
    }
    if (value != NULL && !right) {
        malformed(r, p.pointer);
    }
    return (struct table_texts){items, right ? (uint32_t)count : 0, right};
}

static int64_t moment(struct reading *r, struct property p) {
    int64_t time_ms = INT64_MIN;
    struct span found = text(r, p);
    if (span_present(found) && timestamp_parse(found, &time_ms) != STATUS_OK) {
        malformed(r, p.pointer);
    }
    return time_ms;
}

static void check_flag(struct reading *r, struct property p) {
    json_t *value = json_object_get(p.object, p.name);
    if (value != NULL && !json_is_boolean(value)) {
        malformed(r, p.pointer);
    }
}

static void read_permissions(struct reading *r) {
    struct policy_request *request = &r->ask->request;
    struct property p = {r->resource, "permissions", "/resource/properties/permissions"};
    struct table_texts codes = texts(r, p, (struct bounds){1, LIMIT_SET, LIMIT_URL});
    request->has_permissions = codes.present;
    for (uint32_t i = 0; i < codes.count; i++) {
        int found = policy_pack_permission_find(r->ask->pack, codes.items[i]);
        if (found >= 0) {
            request->permissions |= UINT64_C(1) << found;
        } else {
            request->unknown_permission = true;
        }
    }
}

static void read_resources(struct reading *r) {
    struct property p = {r->resource, "resources", "/resource/properties/resources"};
    struct table_texts names = texts(r, p, (struct bounds){0, LIMIT_RESOURCES, LIMIT_RESOURCE});
    struct mac16 *macs = arena_array(&r->ask->arena, names.count + 1, sizeof *macs);
    for (uint32_t i = 0; i < names.count; i++) {
        macs[i] = table_mac(names.items[i]);
    }
    r->ask->request.resources = macs;
    r->ask->request.resource_count = names.count;
}

static void read_window(struct reading *r) {
    struct policy_request *request = &r->ask->request;
    struct property p = {r->resource, "granularity", "/resource/properties/granularity"};
    struct span granularity = text(r, p);
    request->has_granularity = span_present(granularity) &&
                               duration_parse(granularity, &request->granularity) == STATUS_OK;
    if (span_present(granularity) && !request->has_granularity) {
        malformed(r, p.pointer);
    }
    request->from = moment(r, (struct property){r->resource, "from", "/resource/properties/from"});
    request->to = moment(r, (struct property){r->resource, "to", "/resource/properties/to"});
}

/* What a type has that leads to a consent. */
static void read_properties(struct reading *r) {
    struct policy_request *request = &r->ask->request;
    struct table_texts roles =
        texts(r, (struct property){r->subject, "roles", "/subject/properties/roles"},
              (struct bounds){0, LIMIT_ROLES, LIMIT_URL});
    struct span purpose =
        text(r, (struct property){r->action, "purpose", "/action/properties/purpose"});
    request->roles_known = roles.present;
    request->roles = roles.items;
    request->role_count = roles.count;
    request->has_purpose = span_present(purpose);
    request->purpose = policy_pack_purpose_find(r->ask->pack, purpose);
    read_permissions(r);
    read_resources(r);
    read_window(r);
    request->license =
        text(r, (struct property){r->resource, "license", "/resource/properties/license"});
}

static void read_context(struct reading *r, bool has_consent) {
    struct policy_request *request = &r->ask->request;
    const struct policy_consent *consent = &r->ask->consent;
    struct span url =
        text(r, (struct property){r->context, "onwardRecipient", "/context/onwardRecipient"});
    request->has_onward = span_present(url);
    request->onward = TABLE_ONWARD_UNKNOWN;
    for (uint32_t i = 0; has_consent && i < consent->onward_count; i++) {
        if (span_equal(consent->onward_urls[i], url)) {
            request->onward = consent->onward[i];
        }
    }
    request->territory = text(r, (struct property){r->context, "territory", "/context/territory"});
    check_flag(r, (struct property){r->context, "record", "/context/record"});
    check_flag(r, (struct property){r->context, "explain", "/context/explain"});
}

/* ---- what rules look at */

static struct policy_attribute list(struct table_ask *ask, json_t *value) {
    size_t count = json_array_size(value);
    struct span *items = arena_array(&ask->arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(value, i);
        items[i] = span_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item)) {
            return (struct policy_attribute){.kind = POLICY_IS_OTHER};
        }
    }
    return (struct policy_attribute){
        .kind = POLICY_IS_TEXTS, .texts = items, .text_count = (uint32_t)count};
}

static struct policy_attribute number(double value) {
    struct policy_attribute out = {.kind = POLICY_IS_NUMBER, .fraction = true};
    double whole = floor(value);
    if (whole >= 9223372036854775808.0) {
        out.number = INT64_MAX;
    } else if (whole < -9223372036854775808.0) {
        out.number = INT64_MIN;
    } else {
        out.number = (int64_t)whole;
        out.fraction = whole < value;
    }
    return out;
}

static struct policy_attribute attribute(struct table_ask *ask, json_t *value) {
    if (value == NULL) {
        return (struct policy_attribute){.kind = POLICY_ABSENT};
    }
    switch (json_typeof(value)) {
    case JSON_STRING:
        return (struct policy_attribute){
            .kind = POLICY_IS_TEXT,
            .text = span_of(json_string_value(value), json_string_length(value))};
    case JSON_INTEGER:
        return (struct policy_attribute){.kind = POLICY_IS_NUMBER,
                                         .number = json_integer_value(value)};
    case JSON_REAL:
        return number(json_real_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return (struct policy_attribute){.kind = POLICY_IS_TRUTH, .number = json_is_true(value)};
    case JSON_ARRAY:
        return list(ask, value);
    case JSON_OBJECT:
    case JSON_NULL:
        break;
    }
    return (struct policy_attribute){.kind = POLICY_IS_OTHER};
}

static json_t *root_of(const struct reading *r, enum policy_operand operand) {
    switch ((int)operand) {
    case POLICY_SUBJECT_PROPERTY:
        return r->subject;
    case POLICY_ACTION_PROPERTY:
        return r->action;
    case POLICY_RESOURCE_PROPERTY:
        return r->resource;
    default:
        return r->context;
    }
}

static void read_attributes(struct reading *r) {
    uint32_t count = policy_pack_slot_count(r->ask->pack);
    struct policy_attribute *out = arena_array(&r->ask->arena, count + 1, sizeof *out);
    for (uint32_t i = 0; i < count; i++) {
        const struct policy_slot *slot = policy_pack_slot(r->ask->pack, i);
        json_t *at = root_of(r, slot->operand);
        for (uint32_t s = 0; s < slot->step_count && at != NULL; s++) {
            struct span step = arena_copy(&r->ask->arena, slot->steps[s]);
            at = json_object_get(at, step.data);
        }
        out[i] = attribute(r->ask, at);
    }
    r->ask->request.attributes = out;
}

/* ---- the whole */

/* An entity of AuthZEN without its properties; without these it is no question at all. */
static struct span member(struct reading *r, json_t *request, const char *entity,
                          const char *name) {
    struct span found = table_text(r->t, table_object(r->t, request, entity), name);
    if (!span_present(found)) {
        table_wrong(r->t, "the request needs %s.%s", entity, name);
    }
    return found;
}

static json_t *properties(struct reading *r, json_t *request, const char *entity) {
    return table_object(r->t, table_object(r->t, request, entity), "properties");
}

bool table_request_read(struct table *t, struct table_ask *ask, json_t *json, bool has_consent) {
    static const char *const known[] = {"subject", "action", "resource", "context", NULL};
    struct reading r = {.t = t, .ask = ask};
    struct policy_request *request = &ask->request;
    if (!table_known(t, json, known)) {
        return false;
    }
    request->subject_type = member(&r, json, "subject", "type");
    request->subject_id = member(&r, json, "subject", "id");
    request->action_name = member(&r, json, "action", "name");
    request->resource_type = member(&r, json, "resource", "type");
    request->resource_id = member(&r, json, "resource", "id");
    r.subject = properties(&r, json, "subject");
    r.action = properties(&r, json, "action");
    r.resource = properties(&r, json, "resource");
    r.context = table_object(t, json, "context");
    if (t->wrong) {
        return false;
    }
    request->from = request->to = INT64_MIN;
    if (span_is(request->resource_type, "consent") || span_is(request->resource_type, "account")) {
        read_properties(&r);
    }
    read_context(&r, has_consent);
    read_attributes(&r);
    ask->consent.wrong_client = !span_equal(ask->consent.client, request->subject_id);
    return true;
}
