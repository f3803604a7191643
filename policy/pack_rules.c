/* Loading rules and resource types into the form that decisions evaluate (policy/rule.h). Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "policy/pack_path.h"
#include "policy/pack_private.h"

#define BIT(kind) (1U << PACK_##kind)
#define ORDERED (BIT(ANY) | BIT(NUMBER) | BIT(TIME))
#define SCALAR (BIT(ANY) | BIT(TEXT) | BIT(NUMBER) | BIT(TIME))

static const struct operator{
    const char *name;
    unsigned kinds; /* of paths that it can stand behind */
    bool list;      /* compares with a list of values */
}
operators[] = {
    [POLICY_EQ] = {"eq", SCALAR, false},
    [POLICY_NE] = {"ne", SCALAR, false},
    [POLICY_IN] = {"in", SCALAR, true},
    [POLICY_NOT_IN] = {"notIn", SCALAR, true},
    [POLICY_EXISTS] = {"exists", SCALAR | BIT(SET), false},
    [POLICY_LT] = {"lt", ORDERED, false},
    [POLICY_LTE] = {"lte", ORDERED, false},
    [POLICY_GT] = {"gt", ORDERED, false},
    [POLICY_GTE] = {"gte", ORDERED, false},
    [POLICY_SUBSET_OF] = {"subsetOf", BIT(ANY) | BIT(SET), true},
    [POLICY_STARTS_WITH] = {"startsWith", BIT(ANY) | BIT(TEXT), false},
};
#define OPERATORS (sizeof operators / sizeof *operators)

/* ---- values */

/* What a value must be, by the operator and what the path points at. */
static unsigned wanted_types(enum policy_operator op, enum pack_kind kind) {
    if (op == POLICY_EXISTS)
        return 1U << POLICY_TRUTH;
    if (op == POLICY_STARTS_WITH || kind == PACK_TEXT || kind == PACK_SET)
        return 1U << POLICY_TEXT;
    if (kind == PACK_NUMBER)
        return 1U << POLICY_NUMBER;
    if (kind == PACK_TIME)
        return 1U << POLICY_TIME;
    if (op >= POLICY_LT && op <= POLICY_GTE)
        return 1U << POLICY_NUMBER | 1U << POLICY_TIME;
    return 1U << POLICY_TEXT | 1U << POLICY_NUMBER | 1U << POLICY_TRUTH;
}

static bool take_value(struct reader *r, const json_t *value, enum policy_value_type type,
                       struct policy_value *out) {
    struct span text = span_of(json_string_value(value), json_string_length(value));
    *out = (struct policy_value){.type = type};
    switch (type) {
    case POLICY_TEXT:
        out->text = text.size <= LIMIT_URL ? arena_copy(r->arena, text) : SPAN_NONE;
        return span_present(out->text);
    case POLICY_NUMBER:
        out->number = json_integer_value(value);
        return json_is_integer(value);
    case POLICY_TRUTH:
        out->number = json_is_true(value);
        return json_is_boolean(value);
    case POLICY_TIME:
        return span_present(text) && timestamp_parse(text, &out->number) == STATUS_OK;
    }
    return false;
}

static void read_value(struct reader *r, const json_t *value, unsigned wanted,
                       struct policy_value *out) {
    static const char *const names[] = {[POLICY_TEXT] = "a string of at most 256 bytes",
                                        [POLICY_NUMBER] = "an integer",
                                        [POLICY_TRUTH] = "true or false",
                                        [POLICY_TIME] = "an RFC 3339 time in UTC"};
    struct buffer may_be = {0};
    for (unsigned type = POLICY_TEXT; type <= POLICY_TIME; type++) {
        if ((wanted >> type & 1U) == 0)
            continue;
        if (take_value(r, value, type, out)) {
            buffer_release(&may_be);
            return;
        }
        buffer_append_text(&may_be, may_be.size != 0 ? ", " : "");
        buffer_append_text(&may_be, names[type]);
    }
    reader_fail(r, "must be %.*s", SPAN_ARG(buffer_span(&may_be)));
    buffer_release(&may_be);
}

static void read_values(struct reader *r, const json_t *condition, const struct pack_path *path,
                        struct policy_condition *out) {
    unsigned wanted = wanted_types(out->op, path->kind);
    const json_t *value = json_object_get(condition, "value");
    bool list = operators[out->op].list;
    if (value == NULL)
        reader_fail_member(r, "value", "is required");
    if (list)
        value = reader_array(r, condition, "value", READER_REQUIRED(1, PACK_VALUES_MAX));
    if (r->failed)
        return;
    size_t count = list ? json_array_size(value) : 1;
    struct policy_value *values = arena_array(r->arena, count, sizeof *values);
    size_t outer = reader_enter(r, "value");
    for (size_t i = 0; i < count && !r->failed; i++) {
        size_t mark = list ? reader_enter_index(r, i) : r->path_size;
        read_value(r, list ? json_array_get(value, i) : value, wanted, &values[i]);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    out->values = values;
    out->value_count = (uint32_t)count;
}

/* ---- conditions and rules */

static bool same_steps(const struct policy_slot *slot, const struct policy_condition *condition) {
    if (slot->operand != condition->operand || slot->step_count != condition->step_count)
        return false;
    for (uint32_t i = 0; i < slot->step_count; i++)
        if (!span_equal(slot->steps[i], condition->steps[i]))
            return false;
    return true;
}

/* Numbers the places where rules look, each once, and notes what of a consent they read. */
static void assign_slot(struct reader *r, struct policy_pack *pack,
                        struct policy_condition *condition) {
    pack->reads_consent |= condition->operand >= POLICY_CONSENT_STATUS &&
                           condition->operand <= POLICY_CONSENT_MAX_USES;
    if (condition->step_count == 0)
        return;
    while (condition->slot < pack->slot_count &&
           !same_steps(&pack->slots[condition->slot], condition))
        condition->slot++;
    if (condition->slot < pack->slot_count)
        return;
    if (pack->slot_count == PACK_SLOTS_MAX) {
        reader_fail_member(r, "path", "is one more than the 64 that the rules may look at");
        return;
    }
    pack->slots[pack->slot_count++] = (struct policy_slot){
        .operand = condition->operand,
        .steps = condition->steps,
        .step_count = condition->step_count,
    };
}

static void read_operator(struct reader *r, const json_t *value, const struct pack_path *path,
                          struct policy_condition *out) {
    struct span name = reader_string(r, value, "op", READER_REQUIRED(1, 16));
    for (unsigned i = 0; i < OPERATORS && !r->failed; i++) {
        if (!span_is(name, operators[i].name))
            continue;
        out->op = i;
        if ((operators[i].kinds >> path->kind & 1U) == 0)
            reader_fail_member(r, "op", "cannot stand behind this path");
        return;
    }
    reader_fail_member(r, "op",
                       "must be eq, ne, in, notIn, exists, lt, lte, gt, gte, subsetOf or "
                       "startsWith");
}

static void read_condition(struct reader *r, const json_t *value, struct policy_pack *pack,
                           struct policy_condition *out) {
    static const char *const known[] = {"path", "op", "value", NULL};
    if (!reader_object(r, value, known))
        return;
    struct span text = reader_string(r, value, "path", READER_REQUIRED(1, PACK_PATH_MAX));
    if (r->failed)
        return;
    const struct pack_path *path = pack_path_find(r->arena, text, out);
    if (path == NULL) {
        reader_fail_member(r, "path",
                           "is no path of subject, action, resource, context, consent "
                           "or license that rules can see");
        return;
    }
    assign_slot(r, pack, out);
    read_operator(r, value, path, out);
    if (!r->failed)
        read_values(r, value, path, out);
}

static void read_conditions(struct reader *r, const json_t *value, struct policy_pack *pack,
                            struct policy_rule *rule) {
    const json_t *when = reader_array(r, value, "when", READER_REQUIRED(1, PACK_CONDITIONS_MAX));
    size_t count = json_array_size(when);
    struct policy_condition *conditions = arena_array(r->arena, count, sizeof *conditions);
    size_t outer = reader_enter(r, "when");
    for (size_t i = 0; i < count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read_condition(r, json_array_get(when, i), pack, &conditions[i]);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    rule->when = conditions;
    rule->condition_count = (uint32_t)count;
}

static void read_rule(struct reader *r, const json_t *value, struct policy_pack *pack, uint32_t i) {
    static const char *const known[] = {"id", "effect", "when", "reason", NULL};
    struct policy_rule *rule = &pack->rules[i];
    if (!reader_object(r, value, known))
        return;
    rule->id = reader_code(r, value, "id");
    struct span effect = reader_string(r, value, "effect", READER_REQUIRED(1, 8));
    rule->deny = span_is(effect, "deny");
    if (!r->failed && !rule->deny && !span_is(effect, "permit"))
        reader_fail_member(r, "effect", "must be permit or deny");
    rule->reason = reader_string(r, value, "reason", READER_OPTIONAL(1, PACK_TITLE_MAX));
    read_conditions(r, value, pack, rule);
    pack->rule_count = i + 1;
}

/* Ids are put in an object: it knows which ones it has without comparing each with each. */
static void check_ids(struct reader *r, const struct policy_pack *pack) {
    json_t *ids = json_object();
    size_t outer = reader_enter(r, "rules");
    for (uint32_t i = 0; i < pack->rule_count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        if (json_object_get(ids, pack->rules[i].id.data) != NULL)
            reader_fail_member(r, "id", "is the id of another rule");
        json_object_set_new(ids, pack->rules[i].id.data, json_true());
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    json_decref(ids);
}

void pack_read_rules(struct reader *r, const json_t *root, struct policy_pack *pack) {
    const json_t *array = reader_array(r, root, "rules", READER_OPTIONAL(0, PACK_RULES_MAX));
    pack->rules = arena_array(r->arena, json_array_size(array), sizeof *pack->rules);
    pack->slots = arena_array(r->arena, PACK_SLOTS_MAX, sizeof *pack->slots);
    pack_read_each(r, array, "rules", pack, read_rule);
    if (!r->failed)
        check_ids(r, pack);
}

/* ---- resource types */

static bool is_of_consents(struct span type) {
    return span_is(type, "consent") || span_is(type, "account");
}

static void read_resource_type(struct reader *r, const json_t *value, struct policy_pack *pack,
                               uint32_t i) {
    static const char *const known[] = {"type", "needsConsent", NULL};
    if (!reader_object(r, value, known))
        return;
    struct policy_resource_type type = {
        .type = reader_code(r, value, "type"),
        .needs_consent = reader_bool(r, value, "needsConsent", false),
    };
    if (!r->failed && json_object_get(value, "needsConsent") == NULL)
        reader_fail_member(r, "needsConsent", "is required");
    if (!r->failed && type.needs_consent != is_of_consents(type.type))
        reader_fail_member(r, "needsConsent",
                           "must be true for consent and account, which lead to "
                           "consents, and false for any other type");
    if (!r->failed && policy_pack_resource_type(pack, type.type) != NULL)
        reader_fail_member(r, "type", "is the type of another element");
    pack->resource_types[i] = type;
    pack->resource_type_count = i + 1;
}

void pack_read_resource_types(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const struct policy_resource_type usual[] = {{{"consent", 7}, true},
                                                        {{"account", 7}, true}};
    const json_t *array =
        reader_array(r, root, "resourceTypes", READER_OPTIONAL(0, PACK_RESOURCE_TYPES_MAX));
    size_t size = array != NULL ? json_array_size(array) : sizeof usual / sizeof *usual;
    pack->resource_types = arena_array(r->arena, size, sizeof *pack->resource_types);
    if (array != NULL) {
        pack_read_each(r, array, "resourceTypes", pack, read_resource_type);
        return;
    }
    memcpy(pack->resource_types, usual, sizeof usual);
    pack->resource_type_count = (uint32_t)size;
}
