/* Validating rules and resource types. They are read by decisions only; a pack that is wrong in
 * them is refused all the same. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "policy/pack_private.h"

#define CONDITIONS_MAX 32

static bool one_of(struct span text, const char *const *list) {
    for (; *list != NULL; list++)
        if (span_is(text, *list))
            return true;
    return false;
}

/* subject.id, consent.principal.type …: words joined by dots, the first one of these. */
static bool is_path(struct span path) {
    static const char *const roots[] = {"subject", "action",  "resource", "context",
                                        "consent", "license", NULL};
    const char *dot = path.size != 0 ? memchr(path.data, '.', path.size) : NULL;
    if (dot == NULL || !one_of(span_of(path.data, (size_t)(dot - path.data)), roots))
        return false;
    bool letter_before = false;
    for (size_t i = 0; i < path.size; i++) {
        char c = path.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-';
        if (!word && (c != '.' || !letter_before))
            return false;
        letter_before = word;
    }
    return letter_before;
}

static bool is_scalar(const json_t *value) {
    return json_is_string(value) || json_is_boolean(value) || json_is_integer(value);
}

static bool is_scalar_list(const json_t *value) {
    if (!json_is_array(value))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!is_scalar(json_array_get(value, i)))
            return false;
    return true;
}

/* What an operator compares with. */
static bool value_fits(struct span op, const json_t *value) {
    if (span_is(op, "exists"))
        return json_is_boolean(value);
    if (span_is(op, "in") || span_is(op, "notIn") || span_is(op, "subsetOf"))
        return is_scalar_list(value);
    if (span_is(op, "startsWith"))
        return json_is_string(value);
    if (span_is(op, "eq") || span_is(op, "ne"))
        return is_scalar(value);
    return json_is_integer(value) || json_is_string(value);
}

static void check_condition(struct reader *r, const json_t *value) {
    static const char *const known[] = {"path", "op", "value", NULL};
    static const char *const operators[] = {"eq",  "ne", "in",  "notIn",    "exists",     "lt",
                                            "lte", "gt", "gte", "subsetOf", "startsWith", NULL};
    if (!reader_object(r, value, known))
        return;
    struct span path = reader_string(r, value, "path", true, 128);
    struct span op = reader_string(r, value, "op", true, 16);
    if (!r->failed && !is_path(path))
        reader_fail(r, "\"path\" must begin with subject, action, resource, context, consent or "
                       "license");
    if (!r->failed && !one_of(op, operators))
        reader_fail(r, "\"op\" is no operator");
    if (!r->failed && !value_fits(op, json_object_get(value, "value")))
        reader_fail(r, "\"value\" does not fit the operator");
}

static void check_conditions(struct reader *r, const json_t *rule) {
    const json_t *when = reader_array(r, rule, "when", true);
    size_t outer = reader_enter(r, "when");
    if (json_array_size(when) > CONDITIONS_MAX)
        reader_fail(r, "must have at most %d conditions", CONDITIONS_MAX);
    for (size_t i = 0; i < json_array_size(when) && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        check_condition(r, json_array_get(when, i));
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
}

static struct span check_rule(struct reader *r, const json_t *value) {
    static const char *const known[] = {"id", "effect", "when", "reason", NULL};
    if (!reader_object(r, value, known))
        return SPAN_NONE;
    struct span id = reader_code(r, value, "id");
    struct span effect = reader_string(r, value, "effect", true, 8);
    (void)reader_string(r, value, "reason", false, 256);
    if (!r->failed && !span_is(effect, "permit") && !span_is(effect, "deny"))
        reader_fail(r, "\"effect\" must be permit or deny");
    check_conditions(r, value);
    return id;
}

static void check_resource_type(struct reader *r, const json_t *value) {
    static const char *const known[] = {"type", "needsConsent", NULL};
    if (!reader_object(r, value, known))
        return;
    (void)reader_code(r, value, "type");
    (void)reader_bool(r, value, "needsConsent", true);
}

/* Ids are put in an object: it knows which ones it has without comparing each with each. */
static void check_rules(struct reader *r, const json_t *rules, struct policy_pack *pack) {
    json_t *ids = json_object();
    if (json_array_size(rules) > PACK_RULES_MAX)
        reader_fail(r, "must have at most %d elements", PACK_RULES_MAX);
    for (size_t i = 0; i < json_array_size(rules) && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        struct span id = check_rule(r, json_array_get(rules, i));
        if (!r->failed && json_object_get(ids, id.data) != NULL)
            reader_fail(r, "has an id that another rule has");
        if (!r->failed)
            json_object_set_new(ids, id.data, json_true());
        reader_leave(r, mark);
        pack->rule_count = (uint32_t)i + 1;
    }
    json_decref(ids);
}

void pack_read_rules(struct reader *r, const json_t *root, struct policy_pack *pack) {
    const json_t *rules = reader_array(r, root, "rules", false);
    const json_t *types = reader_array(r, root, "resourceTypes", false);
    size_t mark = reader_enter(r, "rules");
    check_rules(r, rules, pack);
    reader_leave(r, mark);
    mark = reader_enter(r, "resourceTypes");
    for (size_t i = 0; i < json_array_size(types) && !r->failed; i++) {
        size_t inner = reader_enter_index(r, i);
        check_resource_type(r, json_array_get(types, i));
        reader_leave(r, inner);
    }
    reader_leave(r, mark);
}
