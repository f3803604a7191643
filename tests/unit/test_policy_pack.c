/* What a loaded pack says: the compiled form of what its JSON holds. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_policy.h"

static void assert_span(struct span text, const char *expected) {
    if (!span_is(text, expected))
        fail_msg("%.*s is not %s", SPAN_ARG(text), expected);
}

static void its_identity_is_the_digest_of_its_bytes(void **state) {
    (void)state;
    json_t *root = json_file(EVERY_MEMBER);
    char *text = json_dumps(root, JSON_INDENT(3));
    struct policy_pack *pack = NULL;
    struct policy_error error;
    assert_int_equal(policy_pack_load(span_of_text(text), &pack, &error), STATUS_OK);
    struct digest digest = digest_sha256(span_of_text(text));
    assert_true(digest_equal(&digest, policy_pack_digest(pack)));
    assert_span(policy_pack_bytes(pack), text);
    assert_ptr_not_equal(policy_pack_bytes(pack).data, text);
    assert_span(policy_pack_name(pack), "every-member");
    assert_span(policy_pack_version(pack), "2026-01-01");
    assert_span(policy_pack_scheme(pack), "https://scheme.example");
    policy_pack_free(pack);
    policy_pack_free(NULL);
    free(text);
    json_decref(root);
}

static void roles_purposes_and_permissions_are_compiled(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    uint32_t count;
    (void)state;
    const struct span *territory = policy_pack_territory(pack, &count);
    assert_int_equal(count, 2);
    assert_span(territory[1], "IE");
    assert_int_equal(policy_pack_role_count(pack), 3);
    assert_span(policy_pack_role(pack, 1)->code, "taker");
    assert_int_equal(policy_pack_role(pack, 1)->url_count, 2);
    assert_span(policy_pack_role(pack, 1)->urls[1], "https://pilot.scheme.example/role/taker");
    assert_int_equal(policy_pack_purpose_count(pack), 2);
    const struct policy_purpose *purpose = policy_pack_purpose(pack, 0);
    assert_span(purpose->code, "report");
    assert_span(purpose->title, "Report");
    assert_span(purpose->text, "Write a report.");
    assert_int_equal(purpose->roles, 2);
    assert_true(purpose->limits.has_look_back && purpose->limits.has_granularity);
    assert_int_equal(purpose->limits.look_back.months, 12);
    assert_int_equal(purpose->limits.granularity.months, 1);
    assert_true(purpose->limits.has_every);
    assert_int_equal(purpose->limits.every.months, 12);
    assert_span(purpose->limits.once_per, "report");
    assert_false(policy_pack_purpose(pack, 1)->limits.has_every);
    assert_false(span_present(policy_pack_purpose(pack, 1)->text));
    assert_int_equal(policy_pack_purpose_find(pack, SPAN("lend")), 1);
    assert_int_equal(policy_pack_purpose_find(pack, SPAN("Lend")), -1);
    assert_int_equal(policy_pack_permission_count(pack), 4);
    const struct policy_permission *permission = policy_pack_permission(pack, 0);
    assert_span(permission->text, "Every half hour.");
    assert_span(permission->sensitivity, "high");
    assert_true(permission->has_granularity && !permission->denied && !permission->whole_months);
    assert_int_equal(permission->finest.seconds, 1800);
    assert_span(permission->finest_text, "PT30M");
    assert_true(policy_pack_permission(pack, 1)->whole_months);
    assert_int_equal(policy_pack_permission(pack, 2)->only_with, 3);
    assert_true(policy_pack_permission(pack, 3)->denied);
    assert_int_equal(policy_pack_permission_find(pack, SPAN("place")), 2);
    assert_int_equal(policy_pack_permission_find(pack, SPAN("")), -1);
    policy_pack_free(pack);
}

static void licences_are_compiled(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    (void)state;
    assert_int_equal(policy_pack_license_count(pack), 3);
    const struct policy_license *first = policy_pack_license(pack, 0);
    assert_ptr_equal(first, policy_pack_license_find(pack, first->url));
    assert_null(policy_pack_license_find(pack, SPAN("https://scheme.example/license/usage")));
    assert_span(first->title, "Usage");
    assert_int_equal(first->from_role, 0);
    assert_int_equal(first->to_role, 1);
    assert_int_equal(first->purposes, 1);
    assert_int_equal(first->permissions, 7);
    assert_true(first->has_term && first->has_look_back && !first->whole_months);
    assert_int_equal(first->term.months, 6);
    assert_int_equal(first->look_back.months, 3);
    assert_int_equal(first->available_from, ms("2026-01-01T00:00Z"));
    assert_int_equal(first->deprecated_after, ms("2026-06-30T23:59:59.999Z"));
    assert_int_equal(first->prohibited_after, ms("2027-06-30T12:00Z"));
    assert_span(first->replaced_by, "https://scheme.example/license/usage/2");
    assert_int_equal(first->onward_max, 0);
    const struct policy_license *second = policy_pack_license(pack, 1);
    assert_int_equal(second->onward_min, 1);
    assert_int_equal(second->onward_max, 2);
    assert_int_equal(second->onward_role, 2);
    assert_int_equal(second->onward_permissions, 2);
    assert_int_equal(second->available_from, INT64_MIN);
    assert_int_equal(second->deprecated_after, INT64_MAX);
    assert_int_equal(second->prohibited_after, INT64_MAX);
    assert_false(span_present(second->replaced_by));
    assert_true(second->has_text_digest);
    assert_int_equal(second->text_count, 2);
    assert_span(second->texts[1].language, "cy");
    assert_int_equal(second->texts[0].part_count, 6);
    assert_span(second->texts[0].parts[1].text, " may use ");
    assert_span(second->texts[0].parts[4].text, "[end]");
    assert_true(second->texts[0].parts[4].placeholder);
    assert_int_equal(second->step_license_count, 1);
    assert_span(second->step_licenses[0], "https://other.example/code");
    assert_int_equal(second->step_process_count, 2);
    assert_span(second->step_processes[1], "https://scheme.example/process/mean/1");
    const struct policy_license *third = policy_pack_license(pack, 2);
    assert_true(third->whole_months && !third->has_term && !third->has_look_back);
    assert_int_equal(third->depends_on_count, 2);
    assert_span(third->depends_on[1], "https://scheme.example/license/usage/2");
    policy_pack_free(pack);
}

static void settings_are_compiled_or_usual(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    (void)state;
    const struct policy_settings *settings = policy_pack_settings(pack);
    assert_true(settings->purpose_must_be_stated);
    assert_int_equal(settings->record, POLICY_RECORD_DENIALS);
    assert_int_equal(policy_pack_request_timeout_ms(pack), 14 * INT64_C(86400000));
    assert_int_equal(settings->leeway.seconds, 30);
    assert_true(settings->has_keep_after_end && settings->has_erase_after);
    assert_int_equal(settings->keep_after_end.months, 12);
    assert_int_equal(settings->erase_after.months, 72);
    policy_pack_free(pack);
    json_t *root = json_file(EVERY_MEMBER);
    json_put(root, "/settings", NULL);
    pack = loaded(root);
    settings = policy_pack_settings(pack);
    assert_false(settings->purpose_must_be_stated);
    assert_int_equal(settings->record, POLICY_RECORD_NONE);
    assert_int_equal(policy_pack_request_timeout_ms(pack), 30 * INT64_C(86400000));
    assert_int_equal(settings->leeway.seconds, 60);
    assert_false(settings->has_keep_after_end || settings->has_erase_after);
    policy_pack_free(pack);
    root = json_file(EVERY_MEMBER);
    json_put(root, "/settings/requestTimeout", json_string("P2M"));
    pack = loaded(root);
    assert_int_equal(policy_pack_request_timeout_ms(pack), 60 * INT64_C(86400000));
    policy_pack_free(pack);
}

static void a_pack_adds_reasons_that_callers_may_state(void **state) {
    struct policy_pack *pack = loaded(json_file(EVERY_MEMBER));
    enum consent_state to = CONSENT_ACTIVE;
    bool by_caller = false;
    (void)state;
    assert_true(policy_pack_reason(pack, SPAN("movedAbroad"), &to, &by_caller));
    assert_int_equal(to, CONSENT_TERMINATED);
    assert_true(by_caller);
    assert_true(policy_pack_reason(pack, SPAN("changedMind"), &to, &by_caller));
    assert_int_equal(to, CONSENT_REVOKED);
    assert_true(policy_pack_reason(pack, SPAN("expired"), &to, &by_caller));
    assert_int_equal(to, CONSENT_EXPIRED);
    assert_false(by_caller);
    assert_false(policy_pack_reason(pack, SPAN("moved"), &to, &by_caller));
    policy_pack_free(pack);
}

static void the_perseus_pack_is_what_the_scheme_says(void **state) {
    static const char *const denied[] = {"electricity.export.halfhourly", "electricity.reactive",
                                         "meter.identity"};
    struct policy_pack *pack = loaded(json_file(PERSEUS_PACK));
    (void)state;
    assert_int_equal(policy_pack_role_count(pack), 3);
    assert_int_equal(policy_pack_purpose_count(pack), 7);
    assert_int_equal(policy_pack_permission_count(pack), 8);
    assert_int_equal(policy_pack_license_count(pack), 3);
    for (size_t i = 0; i < 3; i++) {
        int found = policy_pack_permission_find(pack, span_of_text(denied[i]));
        assert_true(found >= 0 && policy_pack_permission(pack, (uint32_t)found)->denied);
        assert_int_equal(policy_pack_license(pack, (uint32_t)i)->term.months, 12);
    }
    assert_int_equal(policy_pack_license(pack, 0)->purposes, 0x1f);
    assert_int_equal(policy_pack_license(pack, 1)->purposes, 0x60);
    assert_int_equal(policy_pack_license(pack, 2)->purposes, 0x7f);
    assert_int_equal(policy_pack_license(pack, 0)->onward_max, 0);
    assert_int_equal(policy_pack_license(pack, 2)->onward_max, 1);
    assert_int_equal(policy_pack_settings(pack)->record, POLICY_RECORD_ALL);
    policy_pack_free(pack);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_identity_is_the_digest_of_its_bytes),
        cmocka_unit_test(roles_purposes_and_permissions_are_compiled),
        cmocka_unit_test(licences_are_compiled),
        cmocka_unit_test(settings_are_compiled_or_usual),
        cmocka_unit_test(a_pack_adds_reasons_that_callers_may_state),
        cmocka_unit_test(the_perseus_pack_is_what_the_scheme_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
