/* The life of a consent: every state against every other, and what each reason leads to. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/lifecycle.h"

static const char *const states[] = {"requested",  "active",  "refused",   "timedOut",  "revoked",
                                     "terminated", "expired", "fulfilled", "superseded"};
#define STATES (sizeof states / sizeof *states)

/* Row: from; column: to; both in the order above. Written out by hand from the specification. */
static const char *const follows[STATES] = {
    ".xxx.....", /* requested: granted, refused, timed out */
    "....xxxxx", /* active: revoked, terminated, expired, fulfilled, superseded */
    ".........", ".........", ".........", ".........", ".........", ".........", ".........",
};

static enum consent_state state_of(const char *name) {
    enum consent_state state = CONSENT_STATE_END;
    assert_int_equal(lifecycle_state_parse(span_of_text(name), &state), STATUS_OK);
    return state;
}

static void a_state_follows_only_where_the_table_says(void **test) {
    (void)test;
    for (size_t from = 0; from < STATES; from++)
        for (size_t to = 0; to < STATES; to++)
            if (lifecycle_may_follow(state_of(states[from]), state_of(states[to])) !=
                (follows[from][to] == 'x'))
                fail_msg("%s -> %s", states[from], states[to]);
}

static void only_requested_and_active_are_not_final(void **test) {
    (void)test;
    for (size_t i = 0; i < STATES; i++)
        assert_int_equal(lifecycle_is_final(state_of(states[i])), i >= 2);
}

static void nothing_follows_or_is_a_state_that_does_not_exist(void **test) {
    enum consent_state state = CONSENT_ACTIVE;
    (void)test;
    for (int wrong = -1; wrong <= CONSENT_STATE_END; wrong += CONSENT_STATE_END + 1) {
        assert_false(lifecycle_may_follow((enum consent_state)wrong, CONSENT_ACTIVE));
        assert_false(lifecycle_may_follow(CONSENT_ACTIVE, (enum consent_state)wrong));
        assert_null(lifecycle_state_name((enum consent_state)wrong));
        assert_false(lifecycle_is_final((enum consent_state)wrong));
    }
    assert_false(lifecycle_may_follow((enum consent_state)0, CONSENT_ACTIVE));
    assert_int_equal(lifecycle_state_parse(SPAN("Active"), &state), STATUS_INVALID_PARAMETER);
    assert_int_equal(lifecycle_state_parse(SPAN(""), &state), STATUS_INVALID_PARAMETER);
    assert_int_equal(lifecycle_state_parse(SPAN("activ"), &state), STATUS_INVALID_PARAMETER);
    assert_int_equal(state, CONSENT_ACTIVE);
}

static void states_keep_their_numbers_for_they_are_stored(void **test) {
    (void)test;
    for (size_t i = 0; i < STATES; i++) {
        assert_int_equal(state_of(states[i]), i + 1);
        assert_string_equal(lifecycle_state_name((enum consent_state)(i + 1)), states[i]);
    }
}

static void a_reason_leads_to_its_state_and_some_are_the_service_s_own(void **test) {
    static const struct {
        const char *code, *state;
        bool by_caller;
    } rows[] = {
        {"refused", "refused", true},           {"timedOut", "timedOut", false},
        {"withdrawn", "revoked", true},         {"withdrawnAtClient", "revoked", true},
        {"tenancyChanged", "terminated", true}, {"resourceRemoved", "terminated", true},
        {"accountClosed", "terminated", true},  {"recipientStruckOff", "terminated", true},
        {"schemeEnded", "terminated", true},    {"grantedInError", "terminated", true},
        {"fraud", "terminated", true},          {"linkedConsentEnded", "terminated", false},
        {"expired", "expired", false},          {"fulfilled", "fulfilled", false},
        {"superseded", "superseded", false},
    };
    (void)test;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct lifecycle_reason *reason = lifecycle_reason_find(span_of_text(rows[i].code));
        assert_non_null(reason);
        assert_string_equal(reason->code, rows[i].code);
        assert_int_equal(reason->leads_to, state_of(rows[i].state));
        assert_int_equal(reason->by_caller, rows[i].by_caller);
        assert_true(lifecycle_is_final(reason->leads_to));
    }
    assert_null(lifecycle_reason_find(SPAN("Withdrawn")));
    assert_null(lifecycle_reason_find(SPAN("")));
    assert_null(lifecycle_reason_find(SPAN("requested")));
}

static void roles_keep_their_numbers_and_names(void **test) {
    static const char *const names[] = {"accountHolder", "client", "tenant", "scheme", "system"};
    enum consent_role role = CONSENT_BY_NONE;
    (void)test;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(lifecycle_role_parse(span_of_text(names[i]), &role), STATUS_OK);
        assert_int_equal(role, i + 1);
        assert_string_equal(lifecycle_role_name(role), names[i]);
    }
    assert_null(lifecycle_role_name(CONSENT_BY_NONE));
    assert_null(lifecycle_role_name((enum consent_role)6));
    assert_int_equal(lifecycle_role_parse(SPAN("admin"), &role), STATUS_INVALID_PARAMETER);
    assert_int_equal(role, CONSENT_BY_SYSTEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_follows_only_where_the_table_says),
        cmocka_unit_test(only_requested_and_active_are_not_final),
        cmocka_unit_test(nothing_follows_or_is_a_state_that_does_not_exist),
        cmocka_unit_test(states_keep_their_numbers_for_they_are_stored),
        cmocka_unit_test(a_reason_leads_to_its_state_and_some_are_the_service_s_own),
        cmocka_unit_test(roles_keep_their_numbers_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
