/* What a pack knows of subjects and resources: found by type and id, and seen by rules where the
 * caller says nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_decision.h"

#include "policy/directory.h"

static void assert_entity(const struct policy_entity *entity, const char *id) {
    assert_non_null(entity);
    if (!span_is(entity->id, id))
        fail_msg("%.*s is not %s", SPAN_ARG(entity->id), id);
}

static void entities_of_a_type_stand_in_the_order_of_their_ids(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    uint32_t count;
    (void)state;
    const struct policy_entity *found =
        policy_pack_entities(pack, POLICY_RESOURCES, SPAN("record"), &count);
    assert_int_equal(count, 2);
    assert_entity(&found[0], "r-1");
    assert_entity(&found[1], "r-2");
    found = policy_pack_entities(pack, POLICY_SUBJECTS, SPAN("application"), &count);
    assert_int_equal(count, 2);
    assert_entity(&found[0], "https://app.example/day");
    assert_null(policy_pack_entities(pack, POLICY_SUBJECTS, SPAN("record"), &count));
    assert_int_equal(count, 0);
    assert_null(policy_pack_entities(pack, POLICY_SUBJECTS, SPAN_NONE, &count));
    const struct span *actions = policy_pack_actions(pack, &count);
    assert_int_equal(count, 2);
    assert_true(span_is(actions[0], "read") && span_is(actions[1], "write"));
    policy_pack_free(pack);
}

static void a_pack_without_a_directory_knows_nobody(void **state) {
    struct policy_pack *pack = loaded(json_file(PERSEUS_PACK));
    uint32_t count = 7;
    (void)state;
    assert_null(policy_pack_entities(pack, POLICY_SUBJECTS, SPAN("application"), &count));
    assert_int_equal(count, 0);
    assert_null(policy_pack_entity_find(pack, POLICY_SUBJECTS, SPAN("application"), SPAN("")));
    (void)policy_pack_actions(pack, &count);
    assert_int_equal(count, 0);
    policy_pack_free(pack);
}

/* Ids that begin alike, of types that begin alike, in any order. */
static void each_of_many_is_found_and_nothing_beside_them(void **state) {
    static const char *const types[] = {"a", "ab", "b"};
    json_t *root = json_file(EVERY_MEMBER), *subjects = json_array();
    char id[16];
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        json_t *one = json_object();
        snprintf(id, sizeof id, "%u", (i * 7919U) % 300U);
        json_object_set_new(one, "type", json_string(types[i % 3]));
        json_object_set_new(one, "id", json_string(id));
        json_array_append_new(subjects, one);
    }
    json_put(root, "/directory/subjects", subjects);
    struct policy_pack *pack = loaded(root);
    unsigned found = 0;
    for (unsigned t = 0; t < 3; t++) {
        for (unsigned i = 0; i < 300; i++) {
            snprintf(id, sizeof id, "%u", i);
            const struct policy_entity *entity = policy_pack_entity_find(
                pack, POLICY_SUBJECTS, span_of_text(types[t]), span_of_text(id));
            found += entity != NULL;
            if (entity != NULL)
                assert_entity(entity, id);
        }
    }
    assert_int_equal(found, 300);
    assert_null(policy_pack_entity_find(pack, POLICY_SUBJECTS, SPAN("a"), SPAN("300")));
    assert_null(policy_pack_entity_find(pack, POLICY_SUBJECTS, SPAN("ac"), SPAN("1")));
    assert_null(policy_pack_entity_find(pack, POLICY_RESOURCES, SPAN("a"), SPAN("1")));
    policy_pack_free(pack);
}

/* own-records permits up to level 3; r-1 is known to have 4, r-2 to have 3. */
static void rules_see_what_is_known_where_the_caller_says_nothing(void **state) {
    struct rig rig;
    uint32_t level = 0;
    (void)state;
    rig_init(&rig, json_file(EVERY_MEMBER), NULL);
    while (!span_is(policy_pack_slot(rig.pack, level)->steps[0], "level"))
        level++;
    rig.absent = true;
    rig.request.resource_type = SPAN("record");
    rig.request.resource_id = SPAN("r-2");
    assert_denials(&rig, "");
    rig.request.resource_id = SPAN("r-1");
    assert_denials(&rig, "deniedByRule");
    rig.attributes[level] = (struct policy_attribute){.kind = POLICY_IS_NUMBER, .number = 1};
    assert_denials(&rig, "");
    rig.request.resource_id = SPAN("r-2");
    rig.attributes[level].number = 4;
    assert_denials(&rig, "deniedByRule");
    rig.attributes[level] = (struct policy_attribute){.kind = POLICY_IS_OTHER};
    assert_denials(&rig, "deniedByRule");
    rig.request.attributes = NULL;
    assert_denials(&rig, "");
    rig.request.resource_id = SPAN("r-3");
    assert_denials(&rig, "deniedByRule");
    rig_release(&rig);
}

/* Texts, numbers, truths and lists are held as a caller's would be. */
static void a_property_has_the_kind_it_is_written_in(void **state) {
    static const struct {
        const char *value;
        enum policy_attribute_kind kind;
    } rows[] = {
        {"\"x\"", POLICY_IS_TEXT}, {"7", POLICY_IS_NUMBER},           {"true", POLICY_IS_TRUTH},
        {"[]", POLICY_IS_TEXTS},   {"[\"x\",\"\"]", POLICY_IS_TEXTS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *root = json_file(EVERY_MEMBER);
        json_put(root, "/directory/resources/1/properties", json_object());
        json_put(root, "/directory/resources/1/properties/level", json_of(rows[i].value));
        struct policy_pack *pack = loaded(root);
        const struct policy_entity *r_1 =
            policy_pack_entity_find(pack, POLICY_RESOURCES, SPAN("record"), SPAN("r-1"));
        assert_int_equal(r_1->property_count, 1);
        assert_int_equal(policy_entity_attribute(r_1, r_1->properties[0].slot).kind, rows[i].kind);
        assert_int_equal(policy_entity_attribute(r_1, 63).kind, POLICY_ABSENT);
        policy_pack_free(pack);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_of_a_type_stand_in_the_order_of_their_ids),
        cmocka_unit_test(a_pack_without_a_directory_knows_nobody),
        cmocka_unit_test(each_of_many_is_found_and_nothing_beside_them),
        cmocka_unit_test(rules_see_what_is_known_where_the_caller_says_nothing),
        cmocka_unit_test(a_property_has_the_kind_it_is_written_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
