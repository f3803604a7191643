/* The directory of a pack: loaded strictly, sorted by type and id, found by halving. A property
 * that no rule looks at is refused: a misspelt one would never be seen. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "base/log.h"
#include "policy/directory.h"
#include "policy/pack_private.h"

/* ---- order */

static int compare_texts(struct span a, struct span b) {
    size_t common = a.size < b.size ? a.size : b.size;
    int found = common != 0 ? memcmp(a.data, b.data, common) : 0;
    return found != 0 ? found : (a.size > b.size) - (a.size < b.size);
}

static int compare(const void *left, const void *right) {
    const struct policy_entity *a = left, *b = right;
    int found = compare_texts(a->type, b->type);
    return found != 0 ? found : compare_texts(a->id, b->id);
}

/* ---- properties */

static bool is_text(const json_t *value) {
    return json_is_string(value) && json_string_length(value) <= LIMIT_TEXT;
}

static struct span text_of(struct reader *r, const json_t *value) {
    return arena_copy(r->arena, span_of(json_string_value(value), json_string_length(value)));
}

static void read_texts(struct reader *r, const json_t *array, struct policy_attribute *out) {
    size_t count = json_array_size(array);
    struct span *texts = arena_array(r->arena, count, sizeof *texts);
    if (count > LIMIT_SET)
        reader_fail(r, "must have 0 to %d elements", LIMIT_SET);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const json_t *item = json_array_get(array, i);
        size_t mark = reader_enter_index(r, i);
        if (is_text(item))
            texts[i] = text_of(r, item);
        else
            reader_fail(r, "must be a string of at most %d bytes", LIMIT_TEXT);
        reader_leave(r, mark);
    }
    *out = (struct policy_attribute){
        .kind = POLICY_IS_TEXTS, .texts = texts, .text_count = (uint32_t)count};
}

static void read_value(struct reader *r, const json_t *value, struct policy_attribute *out) {
    if (json_is_array(value))
        read_texts(r, value, out);
    else if (json_is_boolean(value))
        *out = (struct policy_attribute){.kind = POLICY_IS_TRUTH, .number = json_is_true(value)};
    else if (json_is_integer(value))
        *out = (struct policy_attribute){.kind = POLICY_IS_NUMBER,
                                         .number = json_integer_value(value)};
    else if (is_text(value))
        *out = (struct policy_attribute){.kind = POLICY_IS_TEXT, .text = text_of(r, value)};
    else
        reader_fail(r,
                    "must be a string of at most %d bytes, an integer, true, false or a list of "
                    "strings",
                    LIMIT_TEXT);
}

/* The slot of a property of this name, or the number of slots. */
static uint32_t slot_of(const struct policy_pack *pack, enum policy_side side, const char *name) {
    enum policy_operand operand =
        side == POLICY_SUBJECTS ? POLICY_SUBJECT_PROPERTY : POLICY_RESOURCE_PROPERTY;
    uint32_t i = 0;
    while (i < pack->slot_count &&
           (pack->slots[i].operand != operand || pack->slots[i].step_count != 1 ||
            !span_is(pack->slots[i].steps[0], name)))
        i++;
    return i;
}

static void read_properties(struct reader *r, const json_t *value, const struct policy_pack *pack,
                            enum policy_side side, struct policy_entity *out) {
    const json_t *object = json_object_get(value, "properties");
    const char *name;
    json_t *member;
    if (object == NULL || r->failed)
        return;
    if (!json_is_object(object)) {
        reader_fail_member(r, "properties", "must be an object");
        return;
    }
    struct policy_property *properties =
        arena_array(r->arena, json_object_size(object), sizeof *properties);
    size_t mark = reader_enter(r, "properties");
    json_object_foreach((json_t *)(uintptr_t)object, name, member) {
        struct policy_property *property = &properties[out->property_count++];
        size_t inner = reader_enter(r, name);
        property->slot = slot_of(pack, side, name);
        if (property->slot == pack->slot_count)
            reader_fail(r, "is not a member that a rule looks at");
        else
            read_value(r, member, &property->value);
        reader_leave(r, inner);
    }
    reader_leave(r, mark);
    out->properties = properties;
}

/* ---- entities */

/* Rules alone can decide about what is known here: consents and accounts are the store's. */
static void check_type(struct reader *r, const struct policy_pack *pack, struct span type) {
    const struct policy_resource_type *found = policy_pack_resource_type(pack, type);
    if (found == NULL || found->needs_consent)
        reader_fail_member(r, "type", "is no resource type of this pack that rules alone decide");
}

static void read_entity(struct reader *r, const json_t *value, const struct policy_pack *pack,
                        enum policy_side side, struct policy_entity *out) {
    static const char *const known[] = {"type", "id", "properties", NULL};
    size_t most = side == POLICY_SUBJECTS ? LIMIT_URL : LIMIT_TEXT;
    if (!reader_object(r, value, known))
        return;
    out->type = reader_code(r, value, "type");
    out->id = reader_string(r, value, "id", READER_REQUIRED(1, most));
    if (!r->failed && side == POLICY_RESOURCES)
        check_type(r, pack, out->type);
    read_properties(r, value, pack, side, out);
}

static void check_once(struct reader *r, const struct policy_entity *entity, json_t *seen) {
    struct span name =
        arena_format(r->arena, "%.*s/%.*s", SPAN_ARG(entity->type), SPAN_ARG(entity->id));
    if (json_object_get(seen, name.data) != NULL)
        reader_fail_member(r, "id", "is the id of another entity of this type");
    json_object_set_new(seen, name.data, json_true());
}

static void read_side(struct reader *r, const json_t *directory, struct policy_pack *pack,
                      enum policy_side side) {
    static const char *const names[] = {"subjects", "resources"};
    const json_t *array =
        reader_array(r, directory, names[side], READER_OPTIONAL(0, PACK_ENTITIES_MAX));
    size_t count = json_array_size(array);
    struct policy_entity *entities = arena_array(r->arena, count, sizeof *entities);
    json_t *seen = json_object();
    size_t outer = reader_enter(r, names[side]);
    for (size_t i = 0; i < count && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read_entity(r, json_array_get(array, i), pack, side, &entities[i]);
        if (!r->failed)
            check_once(r, &entities[i], seen);
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    json_decref(seen);
    if (count != 0 && !r->failed)
        qsort(entities, count, sizeof *entities, compare);
    pack->entities[side] = entities;
    pack->entity_counts[side] = r->failed ? 0 : (uint32_t)count;
}

void pack_read_directory(struct reader *r, const json_t *root, struct policy_pack *pack) {
    static const char *const known[] = {"subjects", "resources", "actions", NULL};
    const json_t *directory = json_object_get(root, "directory");
    if (directory == NULL || r->failed)
        return;
    size_t mark = reader_enter(r, "directory");
    if (reader_object(r, directory, known)) {
        read_side(r, directory, pack, POLICY_SUBJECTS);
        read_side(r, directory, pack, POLICY_RESOURCES);
        pack->actions = reader_codes(r, directory, "actions", READER_OPTIONAL(1, PACK_ACTIONS_MAX),
                                     &pack->action_count);
    }
    reader_leave(r, mark);
}

/* ---- what it says */

/* The position of the first entity that is not before this one. */
static uint32_t position_of(const struct policy_pack *pack, enum policy_side side,
                            const struct policy_entity *wanted) {
    uint32_t low = 0, high = pack->entity_counts[side];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&pack->entities[side][middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct policy_entity *policy_pack_entities(const struct policy_pack *pack,
                                                 enum policy_side side, struct span type,
                                                 uint32_t *count) {
    const struct policy_entity wanted = {.type = type, .id = SPAN("")};
    uint32_t first = position_of(pack, side, &wanted), end = first;
    while (end < pack->entity_counts[side] && span_equal(pack->entities[side][end].type, type))
        end++;
    *count = end - first;
    return end != first ? &pack->entities[side][first] : NULL;
}

const struct policy_entity *policy_pack_entity_find(const struct policy_pack *pack,
                                                    enum policy_side side, struct span type,
                                                    struct span id) {
    const struct policy_entity wanted = {.type = type, .id = id};
    uint32_t at = position_of(pack, side, &wanted);
    bool found = at < pack->entity_counts[side] && compare(&pack->entities[side][at], &wanted) == 0;
    return found ? &pack->entities[side][at] : NULL;
}

struct policy_attribute policy_entity_attribute(const struct policy_entity *entity, uint32_t slot) {
    for (uint32_t i = 0; entity != NULL && i < entity->property_count; i++)
        if (entity->properties[i].slot == slot)
            return entity->properties[i].value;
    return (struct policy_attribute){.kind = POLICY_ABSENT};
}

const struct span *policy_pack_actions(const struct policy_pack *pack, uint32_t *count) {
    *count = pack->action_count;
    return pack->actions;
}
