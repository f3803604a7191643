/* Rules and resource types: paths, operators and values are resolved when the pack is loaded, and
 * what could never match is refused. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_policy.h"

#include "policy/rule.h"

/* One condition, alone in the pack's first rule. */
static enum status load_condition(const char *path, const char *op, const char *value,
                                  struct policy_pack **out, struct policy_error *error) {
    json_t *root = json_file(EVERY_MEMBER), *condition = json_object();
    json_object_set_new(condition, "path", json_string(path));
    json_object_set_new(condition, "op", json_string(op));
    json_object_set_new(condition, "value", json_of(value));
    json_put(root, "/directory", NULL); /* its properties need rules */
    json_put(root, "/rules/0/when", json_array());
    json_put(root, "/rules/0/when/-", condition);
    enum status status = load_json(root, out, error);
    json_decref(root);
    return status;
}

static void assert_condition(const char *path, const char *op, const char *value,
                             const char *pointer) {
    struct policy_pack *pack = NULL;
    struct policy_error error = {.pointer = "", .detail = ""};
    char expected[128];
    enum status status = load_condition(path, op, value, &pack, &error);
    if (pointer == NULL && status != STATUS_OK)
        fail_msg("%s %s %s: at \"%s\": %s", path, op, value, error.pointer, error.detail);
    if (pointer != NULL) {
        if (status == STATUS_OK)
            fail_msg("%s %s %s was loaded", path, op, value);
        snprintf(expected, sizeof expected, "/rules/0/when/0%s", pointer);
        assert_string_equal(error.pointer, expected);
    }
    policy_pack_free(pack);
}

static void a_path_that_could_never_match_is_refused(void **state) {
    static const char *const right[] = {"subject.type",
                                        "subject.id",
                                        "subject.properties.role",
                                        "subject.properties.a.b_c-9.d",
                                        "action.name",
                                        "action.properties.purpose",
                                        "resource.type",
                                        "resource.id",
                                        "resource.properties.status",
                                        "context.time",
                                        "context.a.b",
                                        "consent.status",
                                        "consent.tenant",
                                        "consent.provider",
                                        "consent.client",
                                        "consent.license",
                                        "consent.principal.type",
                                        "license.url",
                                        "license.from",
                                        "license.to"};
    static const char *const wrong[] = {"subject",
                                        "subject.",
                                        "subject.ID",
                                        "subject.id.x",
                                        "subject.name",
                                        "subject.properties",
                                        "subject.properties.",
                                        "subject.properties..a",
                                        "subject.properties.a.",
                                        "subject.properties.a b",
                                        "subject.properties.a[0]",
                                        "subject.properties.*",
                                        "action.type",
                                        "action.id",
                                        "resource.name",
                                        "context",
                                        "context.",
                                        "consent",
                                        "consent.account",
                                        "consent.principal",
                                        "consent.properties.x",
                                        "license.text",
                                        "license",
                                        "environment.time",
                                        ".subject.id",
                                        "Subject.id",
                                        "subject.properties.\xc3\xa9",
                                        "role"};
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_condition(right[i], "eq", "\"x\"", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_condition(wrong[i], "eq", "\"x\"", "/path");
}

static void an_operator_stands_only_where_it_can_be_answered(void **state) {
    /* rows: operators; columns: any, text, set, time, number; x: may stand */
    static const struct {
        const char *op, *may;
    } rows[] = {{"eq", "xx.xx"},       {"ne", "xx.xx"},        {"in", "xx.xx"},
                {"notIn", "xx.xx"},    {"exists", "xxxxx"},    {"lt", "x..xx"},
                {"lte", "x..xx"},      {"gt", "x..xx"},        {"gte", "x..xx"},
                {"subsetOf", "x.x.."}, {"startsWith", "xx..."}};
    static const char *const paths[] = {"context.x", "subject.id", "consent.purposes",
                                        "consent.expires", "consent.maxUses"};
    static const char *const values[] = {"1", "\"x\"", "\"x\"", "\"2026-01-01T00:00Z\"", "1"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *op = rows[i].op;
        for (size_t j = 0; j < 5; j++) {
            char value[64];
            bool list =
                strcmp(op, "in") == 0 || strcmp(op, "notIn") == 0 || strcmp(op, "subsetOf") == 0;
            const char *one = strcmp(op, "exists") == 0       ? "true"
                              : strcmp(op, "startsWith") == 0 ? "\"x\""
                                                              : values[j];
            snprintf(value, sizeof value, "%s%s%s", list ? "[" : "", one, list ? "]" : "");
            assert_condition(paths[j], op, value, rows[i].may[j] == 'x' ? NULL : "/op");
        }
    }
    assert_condition("subject.id", "equals", "\"x\"", "/op");
    assert_condition("subject.id", "EQ", "\"x\"", "/op");
    assert_condition("subject.id", "matches", "\"x*\"", "/op");
}

static void a_value_fits_its_operator_and_its_path(void **state) {
    static const struct {
        const char *path, *op, *value, *pointer;
    } rows[] = {
        {"context.x", "eq", "true", NULL},
        {"context.x", "eq", "\"\"", NULL},
        {"context.x", "eq", "-9223372036854775808", NULL},
        {"context.x", "eq", "null", "/value"},
        {"context.x", "eq", "1.0", "/value"},
        {"context.x", "eq", "[1]", "/value"},
        {"context.x", "eq", "{}", "/value"},
        {"context.x", "in", "1", "/value"},
        {"context.x", "in", "[]", "/value"},
        {"context.x", "in", "[1,\"a\",false]", NULL},
        {"context.x", "in", "[1,null]", "/value/1"},
        {"context.x", "in", "[[1]]", "/value/0"},
        {"context.x", "exists", "1", "/value"},
        {"context.x", "exists", "\"true\"", "/value"},
        {"context.x", "lt", "true", "/value"},
        {"context.x", "lt", "\"b\"", "/value"},
        {"context.x", "lt", "\"2026-02-29T00:00Z\"", "/value"},
        {"context.x", "lt", "\"2026-02-28T00:00Z\"", NULL},
        {"context.x", "startsWith", "1", "/value"},
        {"subject.id", "eq", "1", "/value"},
        {"subject.id", "in", "[\"a\",1]", "/value/1"},
        {"consent.purposes", "subsetOf", "[\"a\",true]", "/value/1"},
        {"consent.expires", "gt", "1", "/value"},
        {"consent.maxUses", "gt", "\"1\"", "/value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_condition(rows[i].path, rows[i].op, rows[i].value, rows[i].pointer);
}

static void assert_span(struct span text, const char *expected) {
    if (!span_is(text, expected))
        fail_msg("%.*s is not %s", SPAN_ARG(text), expected);
}

static void rules_are_compiled_in_their_order(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    (void)state;
    assert_int_equal(policy_pack_rule_count(pack), 2);
    const struct policy_rule *deny = policy_pack_rule(pack, 0), *permit = policy_pack_rule(pack, 1);
    assert_span(deny->id, "not-at-night");
    assert_true(deny->deny);
    assert_span(deny->reason, "nobody works then");
    assert_int_equal(deny->condition_count, 3);
    const struct policy_condition *when = deny->when;
    assert_int_equal(when[0].operand, POLICY_CONTEXT);
    assert_int_equal(when[0].step_count, 1);
    assert_span(when[0].steps[0], "time");
    assert_int_equal(when[0].op, POLICY_LT);
    assert_int_equal(when[0].value_count, 1);
    assert_int_equal(when[0].values[0].type, POLICY_TIME);
    assert_int_equal(when[0].values[0].number, ms("2026-01-01T00:00Z"));
    assert_int_equal(when[1].operand, POLICY_SUBJECT_PROPERTY);
    assert_span(when[1].steps[0], "roles");
    assert_int_equal(when[1].op, POLICY_SUBSET_OF);
    assert_int_equal(when[1].value_count, 2);
    assert_span(when[1].values[1].text, "weekend");
    assert_int_equal(when[2].operand, POLICY_CONSENT_PRINCIPAL_TYPE);
    assert_int_equal(when[2].step_count, 0);
    assert_int_equal(when[2].op, POLICY_IN);
    assert_false(permit->deny);
    assert_false(span_present(permit->reason));
    when = permit->when;
    assert_int_equal(when[1].values[0].type, POLICY_NUMBER);
    assert_int_equal(when[1].values[0].number, 3);
    assert_int_equal(when[2].op, POLICY_NE);
    assert_int_equal(when[2].values[0].type, POLICY_TRUTH);
    assert_int_equal(when[2].values[0].number, 1);
    assert_int_equal(when[3].op, POLICY_EXISTS);
    assert_int_equal(when[3].values[0].number, 0);
    policy_pack_free(pack);
}

static void a_long_path_is_cut_into_its_words(void **state) {
    struct policy_pack *pack = NULL;
    struct policy_error error;
    (void)state;
    assert_int_equal(load_condition("resource.properties.a.b_c.d-e.9", "eq", "1", &pack, &error),
                     STATUS_OK);
    const struct policy_condition *when = policy_pack_rule(pack, 0)->when;
    static const char *const words[] = {"a", "b_c", "d-e", "9"};
    assert_int_equal(when->operand, POLICY_RESOURCE_PROPERTY);
    assert_int_equal(when->step_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_span(when->steps[i], words[i]);
    policy_pack_free(pack);
}

/* What each request is searched for: sixty-four members, however many rules look at them. */
static void rules_look_at_64_members_and_not_one_more(void **state) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    json_t *root = json_file(EVERY_MEMBER), *rules = json_array();
    (void)state;
    json_put(root, "/directory", NULL);
    for (unsigned i = 0; i < 100; i++)
        json_array_append_new(rules, json_pack("{s:o,s:s,s:[{s:o,s:s,s:i}]}", "id",
                                               json_sprintf("rule-%u", i), "effect", "deny", "when",
                                               "path", json_sprintf("context.n%u", i % 64), "op",
                                               "eq", "value", 1));
    json_put(root, "/rules", rules);
    pack = loaded(json_incref(root));
    assert_int_equal(policy_pack_slot_count(pack), 64);
    policy_pack_free(pack);
    json_put(root, "/rules/99/when/0/path", json_string("context.n64"));
    assert_int_equal(load_json(root, &pack, &error), STATUS_INVALID_BODY);
    assert_string_equal(error.pointer, "/rules/99/when/0/path");
    assert_non_null(strstr(error.detail, "one more than the 64"));
    json_decref(root);
}

static void resource_types_are_the_pack_s_or_the_usual_two(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    (void)state;
    assert_true(policy_pack_resource_type(pack, SPAN("account"))->needs_consent);
    assert_false(policy_pack_resource_type(pack, SPAN("record"))->needs_consent);
    assert_null(policy_pack_resource_type(pack, SPAN("records")));
    policy_pack_free(pack);
    json_t *root = json_file(EVERY_MEMBER);
    json_put(root, "/directory", NULL);
    json_put(root, "/resourceTypes", NULL);
    pack = loaded(root);
    assert_true(policy_pack_resource_type(pack, SPAN("consent"))->needs_consent);
    assert_true(policy_pack_resource_type(pack, SPAN("account"))->needs_consent);
    assert_null(policy_pack_resource_type(pack, SPAN("record")));
    policy_pack_free(pack);
    root = json_file(EVERY_MEMBER);
    json_put(root, "/directory", NULL);
    json_put(root, "/resourceTypes", json_array());
    pack = loaded(root);
    assert_null(policy_pack_resource_type(pack, SPAN("consent")));
    policy_pack_free(pack);
}

static void a_pack_of_rules_alone_needs_no_licence(void **state) {
    json_t *root = json_of("{\"pack\":\"rules\",\"version\":\"1\",\"scheme\":\"https://x.example\","
                           "\"roles\":[],\"purposes\":[],\"permissions\":[],\"licenses\":[],"
                           "\"rules\":[{\"id\":\"a\",\"effect\":\"permit\",\"when\":[{\"path\":"
                           "\"subject.id\",\"op\":\"eq\",\"value\":\"alice\"}]}],"
                           "\"resourceTypes\":[{\"type\":\"record\",\"needsConsent\":false}]}");
    struct policy_pack *pack = loaded(root);
    (void)state;
    assert_int_equal(policy_pack_license_count(pack), 0);
    assert_int_equal(policy_pack_rule_count(pack), 1);
    policy_pack_free(pack);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_could_never_match_is_refused),
        cmocka_unit_test(an_operator_stands_only_where_it_can_be_answered),
        cmocka_unit_test(a_value_fits_its_operator_and_its_path),
        cmocka_unit_test(rules_are_compiled_in_their_order),
        cmocka_unit_test(a_long_path_is_cut_into_its_words),
        cmocka_unit_test(rules_look_at_64_members_and_not_one_more),
        cmocka_unit_test(resource_types_are_the_pack_s_or_the_usual_two),
        cmocka_unit_test(a_pack_of_rules_alone_needs_no_licence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
