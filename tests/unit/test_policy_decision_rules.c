/* Rules as decisions judge them: each operator behind each kind of path, and what is not there.
 * Every row is one condition of a lone deny rule, held against the same question. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_decision.h"

#define LICENSE "https://scheme.example/license/usage/2"

/* A pack whose only rule denies under these conditions; the consent is under usage/2. */
static void rule_on(struct rig *rig, json_t *conditions) {
    json_t *root = json_file(EVERY_MEMBER), *rule = json_object();
    json_object_set_new(rule, "id", json_string("one"));
    json_object_set_new(rule, "effect", json_string("deny"));
    json_object_set_new(rule, "when", conditions);
    json_put(root, "/directory", NULL); /* its properties need rules */
    json_put(root, "/rules", json_array());
    json_put(root, "/rules/-", rule);
    rig_init(rig, root, LICENSE);
    ask_purpose(rig, "report");
    ask_permissions(rig, "usage.halfhourly");
    ask_granularity(rig, "P1M");
}

static json_t *condition(const char *path, const char *op, const char *value) {
    json_t *made = json_object();
    json_object_set_new(made, "path", json_string(path));
    json_object_set_new(made, "op", json_string(op));
    json_object_set_new(made, "value", json_of(value));
    return made;
}

/* What the callers of these tests send for the one slot. */
static struct policy_attribute text_of(const char *text) {
    return (struct policy_attribute){.kind = POLICY_IS_TEXT, .text = span_of_text(text)};
}

static struct policy_attribute number_of(int64_t floor, bool fraction) {
    return (struct policy_attribute){
        .kind = POLICY_IS_NUMBER, .number = floor, .fraction = fraction};
}

static struct policy_attribute truth_of(bool truth) {
    return (struct policy_attribute){.kind = POLICY_IS_TRUTH, .number = truth};
}

static struct policy_attribute texts_of(const struct span *texts, uint32_t count) {
    return (struct policy_attribute){.kind = POLICY_IS_TEXTS, .texts = texts, .text_count = count};
}

static const struct policy_attribute absent = {.kind = POLICY_ABSENT};
static const struct policy_attribute other = {.kind = POLICY_IS_OTHER};

/* Whether the rule applies to what the caller sent for context.x. */
static void assert_sent(const char *op, const char *value, struct policy_attribute sent,
                        bool applies) {
    struct rig rig;
    json_t *conditions = json_array();
    json_array_append_new(conditions, condition("context.x", op, value));
    rule_on(&rig, conditions);
    assert_int_equal(policy_pack_slot_count(rig.pack), 1);
    rig.attributes[0] = sent;
    decide(&rig);
    if (rig.out.permitted == applies)
        fail_msg("%s %s: %s", op, value, applies ? "does not apply" : "applies");
    assert_denials(&rig, applies ? "deniedByRule" : "");
    rig_release(&rig);
}

static void eq_and_ne_compare_within_a_kind_and_exactly(void **state) {
    (void)state;
    assert_sent("eq", "\"a\"", text_of("a"), true);
    assert_sent("eq", "\"a\"", text_of("A"), false);
    assert_sent("eq", "\"a\"", text_of("ab"), false);
    assert_sent("eq", "\"\"", text_of(""), true);
    assert_sent("eq", "\"\"", absent, false);
    assert_sent("eq", "\"1\"", number_of(1, false), false);
    assert_sent("eq", "1", text_of("1"), false);
    assert_sent("eq", "1", number_of(1, false), true);
    assert_sent("eq", "1", number_of(1, true), false); /* 1.5 */
    assert_sent("eq", "1", truth_of(true), false);
    assert_sent("eq", "true", truth_of(true), true);
    assert_sent("eq", "true", truth_of(false), false);
    assert_sent("eq", "true", number_of(1, false), false);
    assert_sent("ne", "\"a\"", text_of("b"), true);
    assert_sent("ne", "\"a\"", text_of("a"), false);
    assert_sent("ne", "1", number_of(1, true), true);
    assert_sent("ne", "false", truth_of(false), false);
    assert_sent("ne", "1", text_of("1"), true);
}

static void a_list_holds_values_of_any_kind(void **state) {
    (void)state;
    assert_sent("in", "[1,\"a\",false]", text_of("a"), true);
    assert_sent("in", "[1,\"a\",false]", number_of(1, false), true);
    assert_sent("in", "[1,\"a\",false]", truth_of(false), true);
    assert_sent("in", "[1,\"a\",false]", truth_of(true), false);
    assert_sent("in", "[1,\"a\",false]", number_of(0, true), false);
    assert_sent("in", "[1,\"a\",false]", number_of(0, false), false);
    assert_sent("notIn", "[1,\"a\",false]", text_of("a"), false);
    assert_sent("notIn", "[1,\"a\",false]", text_of("b"), true);
    assert_sent("notIn", "[1,\"a\",false]", number_of(1, true), true);
}

static void what_is_not_there_equals_nothing(void **state) {
    static const struct {
        const char *op, *value;
        bool applies;
    } rows[] = {{"eq", "1", false},           {"ne", "1", true},   {"in", "[1,\"a\"]", false},
                {"notIn", "[1]", true},       {"lt", "1", false},  {"lte", "1", false},
                {"gt", "1", false},           {"gte", "1", false}, {"subsetOf", "[\"a\"]", false},
                {"startsWith", "\"\"", false}};
    static const struct span texts[] = {SPAN("b")};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_sent(rows[i].op, rows[i].value, absent, rows[i].applies);
        assert_sent(rows[i].op, rows[i].value, other, rows[i].applies);
        assert_sent(rows[i].op, rows[i].value, texts_of(texts, 1), rows[i].applies);
    }
}

static void null_and_lists_exist(void **state) {
    static const struct span texts[] = {SPAN("a")};
    (void)state;
    assert_sent("exists", "true", absent, false);
    assert_sent("exists", "false", absent, true);
    assert_sent("exists", "true", other, true);
    assert_sent("exists", "false", other, false);
    assert_sent("exists", "true", texts_of(texts, 1), true);
    assert_sent("exists", "true", texts_of(NULL, 0), true);
    assert_sent("exists", "true", truth_of(false), true);
    assert_sent("exists", "false", text_of(""), false);
}

static void numbers_are_compared_by_their_exact_value(void **state) {
    static const struct {
        int64_t floor;
        bool fraction;
        const char *holds; /* of lt lte gt gte against 3, and against -3 */
    } rows[] = {{2, false, "xx....xx"},         {2, true, "xx....xx"},
                {3, false, ".x.x..xx"},         {3, true, "..xx..xx"},
                {-3, false, "xx...x.x"},        {-3, true, "xx....xx"},
                {-4, true, "xx..xx.."},         {INT64_MAX, false, "..xx..xx"},
                {INT64_MIN, false, "xx..xx.."}, {INT64_MIN, true, "xx..xx.."}};
    static const char *const ops[] = {"lt", "lte", "gt", "gte"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t o = 0; o < 8; o++)
            assert_sent(ops[o % 4], o < 4 ? "3" : "-3", number_of(rows[i].floor, rows[i].fraction),
                        rows[i].holds[o] == 'x');
    assert_sent("lte", "9223372036854775807", number_of(INT64_MAX, false), true);
    assert_sent("gte", "9223372036854775807", number_of(INT64_MAX, true), true);
    assert_sent("lt", "1", truth_of(false), false);
    assert_sent("lt", "1", text_of("0"), false);
}

static void a_text_is_compared_with_a_time_when_it_is_one(void **state) {
    static const char time[] = "\"2026-06-15T12:00:00Z\"";
    (void)state;
    assert_sent("lt", time, text_of("2026-06-15T11:59:59.999Z"), true);
    assert_sent("lt", time, text_of("2026-06-15T12:00Z"), false);
    assert_sent("lte", time, text_of("2026-06-15T12:00Z"), true);
    assert_sent("gte", time, text_of("2026-06-15T12:00:00.000Z"), true);
    assert_sent("gt", time, text_of("2026-06-15T12:00:00.000Z"), false);
    assert_sent("gt", time, text_of("2026-06-15T12:00:00.001Z"), true);
    assert_sent("lt", time, text_of("2026-02-30T00:00Z"), false);
    assert_sent("lt", time, text_of("2020"), false);
    assert_sent("gt", time, text_of("yesterday"), false);
    assert_sent("lt", time, number_of(1, false), false);
}

static void a_subset_is_a_list_of_texts(void **state) {
    static const struct span texts[] = {SPAN("a"), SPAN("b"), SPAN("a")};
    (void)state;
    assert_sent("subsetOf", "[\"a\",\"b\",\"c\"]", texts_of(texts, 3), true);
    assert_sent("subsetOf", "[\"a\",\"c\"]", texts_of(texts, 3), false);
    assert_sent("subsetOf", "[\"a\",\"c\"]", texts_of(texts, 1), true);
    assert_sent("subsetOf", "[\"a\"]", texts_of(NULL, 0), true);
    assert_sent("subsetOf", "[\"a\"]", text_of("a"), false);
    assert_sent("subsetOf", "[\"a\"]", other, false);
}

static void texts_start_with_other_texts(void **state) {
    (void)state;
    assert_sent("startsWith", "\"ab\"", text_of("abc"), true);
    assert_sent("startsWith", "\"ab\"", text_of("ab"), true);
    assert_sent("startsWith", "\"ab\"", text_of("a"), false);
    assert_sent("startsWith", "\"\"", text_of(""), true);
    assert_sent("startsWith", "\"1\"", number_of(1, false), false);
}

/* ---- fixed paths */

static const uint32_t bank[] = {7};
static const struct span bank_url[] = {SPAN("https://bank.example")};

static void consent_in_full(struct rig *rig) {
    rig->consent.license_url = SPAN(LICENSE);
    rig->consent.tenant = SPAN("https://edp.example");
    rig->consent.provider = SPAN("https://provider.example");
    rig->consent.client = SPAN("https://app.example");
    rig->consent.principal = SPAN("organization");
    rig->consent.onward = bank;
    rig->consent.onward_urls = bank_url;
    rig->consent.onward_count = 1;
    rig->consent.data_from = ms("2026-01-01T00:00:00Z");
    rig->consent.data_to = ms("2026-05-01T00:00:00Z");
    rig->consent.max_uses = 5;
    ask_window(rig, "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z");
}

static const struct fixed {
    const char *path, *op, *value;
    bool applies, absent; /* with the consent, and where there is none */
} fixed_paths[] = {
    {"subject.type", "eq", "\"application\"", true, true},
    {"subject.id", "startsWith", "\"https://app\"", true, true},
    {"action.name", "in", "[\"write\",\"read\"]", true, true},
    {"action.name", "ne", "\"read\"", false, false},
    {"resource.type", "eq", "\"account\"", true, true},
    {"resource.id", "eq", "\"account-1\"", true, true},
    {"consent.status", "eq", "\"active\"", true, false},
    {"consent.status", "exists", "false", false, true},
    {"consent.tenant", "eq", "\"https://edp.example\"", true, false},
    {"consent.provider", "eq", "\"https://provider.example\"", true, false},
    {"consent.client", "ne", "\"https://app.example\"", false, true},
    {"consent.license", "startsWith", "\"https://scheme.example/license/usage\"", true, false},
    {"consent.principal.type", "notIn", "[\"individual\"]", true, true},
    {"consent.principal.type", "eq", "\"organization\"", true, false},
    {"consent.purposes", "subsetOf", "[\"report\",\"lend\"]", true, false},
    {"consent.purposes", "subsetOf", "[\"report\"]", false, false},
    {"consent.purposes", "exists", "true", true, false},
    {"consent.permissions", "subsetOf", "[\"usage.halfhourly\",\"usage.monthly\",\"place\"]", true,
     false},
    {"consent.permissions", "subsetOf", "[\"usage.halfhourly\",\"place\"]", false, false},
    {"consent.onwardRecipients", "subsetOf", "[\"https://bank.example\"]", true, false},
    {"consent.onwardRecipients", "subsetOf", "[\"https://bank.example/\"]", false, false},
    {"consent.lastGranted", "eq", "\"2026-03-20T10:00:00Z\"", true, false},
    {"consent.lastGranted", "lt", "\"2026-03-20T10:00:00.001Z\"", true, false},
    {"consent.expires", "gt", "\"2027-03-20T09:59:59.999Z\"", true, false},
    {"consent.dataFrom", "gte", "\"2026-01-01T00:00Z\"", true, false},
    {"consent.dataTo", "lte", "\"2026-04-30T23:59:59.999Z\"", false, false},
    {"consent.maxUses", "eq", "5", true, false},
    {"consent.maxUses", "gt", "4", true, false},
    {"consent.maxUses", "exists", "false", false, true},
    {"license.url", "eq", "\"" LICENSE "\"", true, false},
    {"license.from", "eq", "\"holder\"", true, false},
    {"license.to", "in", "[\"taker\"]", true, false},
    {"license.to", "ne", "\"taker\"", false, true},
    {"license.purposes", "subsetOf", "[\"lend\",\"report\"]", true, false},
    {"license.permissions", "subsetOf", "[\"usage.monthly\",\"place\"]", false, false},
};

static void every_path_holds_what_docs_packs_says(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof fixed_paths / sizeof *fixed_paths; i++) {
        const struct fixed *row = &fixed_paths[i];
        struct rig rig;
        json_t *conditions = json_array();
        json_array_append_new(conditions, condition(row->path, row->op, row->value));
        rule_on(&rig, conditions);
        consent_in_full(&rig);
        decide(&rig);
        if (rig.out.permitted == row->applies)
            fail_msg("%s %s %s", row->path, row->op, row->value);
        assert_denials(&rig, row->applies ? "deniedByRule" : "");
        rig.absent = true;
        decide(&rig);
        if ((rig.out.denials >> DENIAL_DENIED_BY_RULE & 1U) != row->absent)
            fail_msg("%s %s %s without a consent", row->path, row->op, row->value);
        rig_release(&rig);
    }
}

static void a_consent_without_limits_has_no_such_members(void **state) {
    static const char *const paths[] = {"consent.expires", "consent.dataFrom", "consent.dataTo",
                                        "consent.maxUses"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct rig rig;
        json_t *conditions = json_array();
        json_array_append_new(conditions, condition(paths[i], "exists", "true"));
        rule_on(&rig, conditions);
        rig.consent.expires = INT64_MAX;
        assert_denials(&rig, "");
        consent_in_full(&rig);
        rig.consent.expires = INT64_MAX - 1;
        assert_denials(&rig, "deniedByRule");
        rig_release(&rig);
    }
}

static void a_rule_sees_the_status_by_the_clock(void **state) {
    struct rig rig;
    json_t *conditions = json_array();
    (void)state;
    json_array_append_new(conditions, condition("consent.status", "eq", "\"expired\""));
    rule_on(&rig, conditions);
    rig.now = rig.consent.expires - 1;
    assert_denials(&rig, "");
    rig.now++;
    assert_denials(&rig, "expired deniedByRule");
    rig_release(&rig);
}

static void a_licence_that_is_gone_has_no_members(void **state) {
    struct rig rig;
    json_t *conditions = json_array();
    (void)state;
    json_array_append_new(conditions, condition("license.url", "exists", "true"));
    rule_on(&rig, conditions);
    rig.consent.license = NULL;
    rig.consent.license_url = SPAN("https://scheme.example/license/usage/0");
    assert_denials(&rig, "licenseNotAvailable");
    rig_release(&rig);
}

/* ---- rules as a whole */

static void all_conditions_must_hold(void **state) {
    struct rig rig;
    json_t *conditions = json_array();
    (void)state;
    json_array_append_new(conditions, condition("context.x", "eq", "1"));
    json_array_append_new(conditions, condition("action.name", "eq", "\"read\""));
    json_array_append_new(conditions, condition("context.y", "eq", "2"));
    rule_on(&rig, conditions);
    assert_int_equal(policy_pack_slot_count(rig.pack), 2);
    rig.attributes[0] = number_of(1, false);
    assert_denials(&rig, "");
    rig.attributes[1] = number_of(2, false);
    assert_denials(&rig, "deniedByRule");
    rig.request.action_name = SPAN("write");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_path_with_several_words_is_a_slot_of_its_own(void **state) {
    struct rig rig;
    json_t *conditions = json_array();
    (void)state;
    json_array_append_new(conditions, condition("resource.properties.a.b", "eq", "1"));
    json_array_append_new(conditions, condition("context.a.b", "eq", "1"));
    json_array_append_new(conditions, condition("context.a.b", "exists", "true"));
    rule_on(&rig, conditions);
    assert_int_equal(policy_pack_slot_count(rig.pack), 2);
    assert_int_equal(policy_pack_slot(rig.pack, 0)->operand, POLICY_RESOURCE_PROPERTY);
    rig.attributes[0] = number_of(1, false);
    assert_denials(&rig, "");
    rig.attributes[1] = number_of(1, false);
    assert_denials(&rig, "deniedByRule");
    rig_release(&rig);
}

#define ONE(id, effect, name)                                          \
    "{\"id\":\"" id "\",\"effect\":\"" effect "\",\"reason\":\"as " id \
    " says\",\"when\":[{\"path\":\"action.name\",\"op\":"              \
    "\"startsWith\",\"value\":\"" name "\"}]}"

static void a_denial_overrides_wherever_it_stands_and_the_first_is_named(void **state) {
    json_t *root = json_file(EVERY_MEMBER);
    struct rig rig;
    (void)state;
    json_put(root, "/directory", NULL);
    json_put(root, "/rules",
             json_of("[" ONE("p1", "permit", "re") "," ONE("d1", "deny", "rea") "," ONE(
                 "p2", "permit", "r") "," ONE("d2", "deny", "rea") "]"));
    rig_init(&rig, root, NULL);
    rig.absent = true;
    rig.request.resource_type = SPAN("record");
    rig.request.action_name = SPAN("read");
    assert_denied(&rig, "deniedByRule", "rules/1", "as d1 says");
    assert_int_equal(rig.out.rule, -1);
    rig.request.action_name = SPAN("reply");
    assert_denials(&rig, "");
    assert_int_equal(rig.out.rule, 0);
    rig.request.action_name = SPAN("run");
    assert_denials(&rig, "");
    assert_int_equal(rig.out.rule, 2);
    rig.request.action_name = SPAN("write");
    assert_denied(&rig, "deniedByRule", "rules", "no rule permits it");
    assert_int_equal(rig.out.rule, -1);
    rig_release(&rig);
}

static void a_rule_without_words_has_some(void **state) {
    struct rig rig;
    json_t *conditions = json_array();
    (void)state;
    json_array_append_new(conditions, condition("action.name", "eq", "\"read\""));
    rule_on(&rig, conditions);
    assert_denied(&rig, "deniedByRule", "rules/0", "a rule denies it");
    rig_release(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eq_and_ne_compare_within_a_kind_and_exactly),
        cmocka_unit_test(a_list_holds_values_of_any_kind),
        cmocka_unit_test(what_is_not_there_equals_nothing),
        cmocka_unit_test(null_and_lists_exist),
        cmocka_unit_test(numbers_are_compared_by_their_exact_value),
        cmocka_unit_test(a_text_is_compared_with_a_time_when_it_is_one),
        cmocka_unit_test(a_subset_is_a_list_of_texts),
        cmocka_unit_test(texts_start_with_other_texts),
        cmocka_unit_test(every_path_holds_what_docs_packs_says),
        cmocka_unit_test(a_consent_without_limits_has_no_such_members),
        cmocka_unit_test(a_rule_sees_the_status_by_the_clock),
        cmocka_unit_test(a_licence_that_is_gone_has_no_members),
        cmocka_unit_test(all_conditions_must_hold),
        cmocka_unit_test(a_path_with_several_words_is_a_slot_of_its_own),
        cmocka_unit_test(a_denial_overrides_wherever_it_stands_and_the_first_is_named),
        cmocka_unit_test(a_rule_without_words_has_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
