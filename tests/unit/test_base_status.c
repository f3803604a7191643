/* The list of outcomes: names as the contract has them, codes, and back from a name. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include "base/status.h"

/* The contract's problems with their codes, written down a second time on purpose. */
static const struct {
    const char *name;
    int http;
} problems[] = {
    {"malformed-json", 400},
    {"invalid-body", 400},
    {"unknown-member", 400},
    {"invalid-parameter", 400},
    {"unauthenticated", 401},
    {"certificate-refused", 401},
    {"insufficient-scope", 403},
    {"wrong-role", 403},
    {"missing-idempotency-key", 400},
    {"not-found", 404},
    {"method-not-allowed", 405},
    {"not-acceptable", 406},
    {"wrong-state", 409},
    {"legal-hold", 409},
    {"erased", 410},
    {"version-mismatch", 412},
    {"body-too-large", 413},
    {"unsupported-media-type", 415},
    {"not-admissible", 422},
    {"rate-limited", 429},
    {"idempotency-mismatch", 422},
    {"internal", 500},
    {"busy", 503},
    {"outcome-unknown", 503},
    {"storage-full", 507},
};

static void every_problem_of_the_contract_has_its_code(void **state) {
    (void)state;
    assert_int_equal(STATUS_COUNT, 1 + COUNT(problems));
    for (size_t i = 0; i < COUNT(problems); i++) {
        enum status status = status_by_name(problems[i].name, strlen(problems[i].name));
        assert_int_not_equal(status, STATUS_OK);
        assert_string_equal(status_name(status), problems[i].name);
        assert_int_equal(status_http(status), problems[i].http);
    }
}

static void every_problem_has_a_title_that_no_other_has(void **state) {
    (void)state;
    for (int a = STATUS_OK + 1; a < STATUS_COUNT; a++) {
        assert_true(strlen(status_title((enum status)a)) > 8);
        for (int b = a + 1; b < STATUS_COUNT; b++)
            assert_string_not_equal(status_title((enum status)a), status_title((enum status)b));
    }
}

static void ok_is_no_problem(void **state) {
    (void)state;
    assert_string_equal(status_name(STATUS_OK), "ok");
    assert_int_equal(status_http(STATUS_OK), 200);
    assert_int_equal(STATUS_OK, 0);
}

static void a_name_that_is_not_in_the_list_finds_nothing(void **state) {
    static const char *const unknown[] = {"", "ok", "not-foun", "not-found2", "Not-Found", "busy "};
    (void)state;
    for (size_t i = 0; i < COUNT(unknown); i++)
        assert_int_equal(status_by_name(unknown[i], strlen(unknown[i])), STATUS_OK);
    assert_int_equal(status_by_name("busyness", 4), STATUS_BUSY); /* the size counts */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_of_the_contract_has_its_code),
        cmocka_unit_test(every_problem_has_a_title_that_no_other_has),
        cmocka_unit_test(ok_is_no_problem),
        cmocka_unit_test(a_name_that_is_not_in_the_list_finds_nothing),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
