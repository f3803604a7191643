/* The tables of query parameters: what each takes, what it refuses, and where the value goes. */
// SPDX-License-Identifier: Apache-2.0
#include "api/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"

static struct span text(const char *literal) {
    return span_of_text(literal);
}

static enum status set(struct api_params *params, const char *name, const char *value) {
    return api_param_set(params, text(name), text(value));
}

static void an_empty_query_matches_everything(void **state) {
    (void)state;
    struct api_consent_query query;
    struct api_event_query events;
    struct api_params params = api_consent_query_begin(&query);
    assert_int_equal(params.seen, 0);
    assert_int_equal(query.limit, LIMIT_PAGE_DEFAULT);
    assert_true(query.filter.granted_from == INT64_MIN);
    assert_true(query.filter.granted_to == INT64_MAX);
    assert_true(query.filter.expires_before == INT64_MAX);
    assert_int_equal(query.filter.states, 0);
    assert_false(span_present(query.cursor));
    (void)api_event_query_begin(&events);
    assert_int_equal(events.limit, LIMIT_PAGE_DEFAULT);
    assert_true(events.filter.from == INT64_MIN && events.filter.to == INT64_MAX);
    assert_true(events.from == 0);
}

static void every_text_filter_goes_to_its_own_member(void **state) {
    (void)state;
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    static const char *const NAMES[] = {"account", "client",     "provider", "license",
                                        "purpose", "permission", "resource", "externalId"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        assert_int_equal(set(&params, NAMES[i], NAMES[i]), STATUS_OK);
    }
    assert_true(span_is(query.filter.account, "account"));
    assert_true(span_is(query.filter.client, "client"));
    assert_true(span_is(query.filter.provider, "provider"));
    assert_true(span_is(query.filter.license, "license"));
    assert_true(span_is(query.filter.purpose, "purpose"));
    assert_true(span_is(query.filter.permission, "permission"));
    assert_true(span_is(query.filter.resource, "resource"));
    assert_true(span_is(query.filter.external_id, "externalId"));
}

/* What names a party or a licence is of visible ASCII; so it stands in notes and keys as it is. */
static void a_name_is_of_visible_ascii(void **state) {
    static const char *const names[] = {"client", "provider", "license"};
    static const char *const wrong[] = {"", " ", "a b", "\n", "\x7f", "caf\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            struct api_consent_query query;
            struct api_params params = api_consent_query_begin(&query);
            if (set(&params, names[i], wrong[j]) != STATUS_INVALID_PARAMETER)
                fail_msg("%s=%s", names[i], wrong[j]);
        }
}

static void a_code_is_no_longer_than_codes_of_packs(void **state) {
    char code[LIMIT_CODE + 2] = "";
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    (void)state;
    memset(code, 'c', LIMIT_CODE);
    assert_int_equal(set(&params, "purpose", code), STATUS_OK);
    code[LIMIT_CODE] = 'c';
    assert_int_equal(set(&params, "permission", code), STATUS_INVALID_PARAMETER);
}

static void times_ids_and_statuses_are_read(void **state) {
    (void)state;
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    assert_int_equal(set(&params, "grantedFrom", "2024-03-31T23:30Z"), STATUS_OK);
    assert_int_equal(set(&params, "grantedTo", "2024-03-31T23:30:00.5Z"), STATUS_OK);
    assert_int_equal(set(&params, "expiresBefore", "1970-01-01T00:00:01Z"), STATUS_OK);
    assert_int_equal(set(&params, "arrangementId", "0190ffff-0000-7000-8000-0000000000aF"),
                     STATUS_OK);
    assert_int_equal(set(&params, "status", "active"), STATUS_OK);
    assert_int_equal(set(&params, "status", "timedOut"), STATUS_OK);
    assert_true(query.filter.granted_from == INT64_C(1711927800000));
    assert_true(query.filter.granted_to == INT64_C(1711927800500));
    assert_true(query.filter.expires_before == 1000);
    assert_true(query.filter.has_arrangement);
    assert_int_equal(query.filter.arrangement.bytes[15], 0xaf);
    assert_int_equal(query.filter.states, 1u << CONSENT_ACTIVE | 1u << CONSENT_TIMED_OUT);
}

static void what_is_unknown_twice_or_malformed_is_refused(void **state) {
    (void)state;
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    assert_int_equal(set(&params, "Account", "x"), STATUS_NOT_FOUND);
    assert_int_equal(set(&params, "", "x"), STATUS_NOT_FOUND);
    assert_int_equal(set(&params, "stepId", "x"), STATUS_NOT_FOUND);
    assert_int_equal(set(&params, "account", "a"), STATUS_OK);
    assert_int_equal(set(&params, "account", "a"), STATUS_INVALID_PARAMETER);
    assert_string_equal(params.why, "is given twice");
    assert_int_equal(set(&params, "status", "active"), STATUS_OK);
    assert_int_equal(set(&params, "status", "active"), STATUS_INVALID_PARAMETER);
    static const char *const WRONG[][2] = {
        {"status", "Active"},
        {"status", ""},
        {"grantedFrom", "2024-02-30T00:00Z"},
        {"grantedTo", "2024-03-31T23:30+01:00"},
        {"expiresBefore", "tomorrow"},
        {"arrangementId", "0190ffff00007000800000000000000a"},
        {"client", ""},
        {"provider", "\xff\xfe"},
        {"purpose", "\xc0\x80"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        assert_int_equal(set(&params, WRONG[i][0], WRONG[i][1]), STATUS_INVALID_PARAMETER);
        assert_non_null(params.why);
    }
}

static void texts_are_bounded_one_under_and_one_over(void **state) {
    (void)state;
    char long_text[LIMIT_URL + 1];
    memset(long_text, 'a', sizeof long_text);
    static const struct {
        const char *name;
        size_t most;
    } BOUNDS[] = {{"account", LIMIT_ACCOUNT},
                  {"client", LIMIT_URL},
                  {"resource", LIMIT_RESOURCE},
                  {"license", LIMIT_URL},
                  {"externalId", LIMIT_EXTERNAL_ID}};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        struct api_consent_query query;
        struct api_params params = api_consent_query_begin(&query);
        struct span name = text(BOUNDS[i].name);
        assert_int_equal(api_param_set(&params, name, span_of(long_text, BOUNDS[i].most)),
                         STATUS_OK);
        params = api_consent_query_begin(&query);
        assert_int_equal(api_param_set(&params, name, span_of(long_text, BOUNDS[i].most + 1)),
                         STATUS_INVALID_PARAMETER);
    }
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    assert_int_equal(api_param_set(&params, text("client"), SPAN("a\0b")),
                     STATUS_INVALID_PARAMETER);
}

static void a_page_has_one_to_five_hundred_items(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t limit; /* 0: refused */
    } CASES[] = {{"1", 1},  {"500", 500}, {"0", 0},   {"501", 0},
                 {"-1", 0}, {"+1", 0},    {"01", 0},  {"1e2", 0},
                 {" 1", 0}, {"", 0},      {"1.0", 0}, {"99999999999999999999", 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct api_consent_query query;
        struct api_params params = api_consent_query_begin(&query);
        enum status status = set(&params, "limit", CASES[i].text);
        assert_int_equal(status, CASES[i].limit > 0 ? STATUS_OK : STATUS_INVALID_PARAMETER);
        assert_int_equal(query.limit, CASES[i].limit > 0 ? CASES[i].limit : LIMIT_PAGE_DEFAULT);
    }
}

static void after_names_the_entry_before_the_first(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t from; /* 0: refused */
    } CASES[] = {{"0", 1},
                 {"7", 8},
                 {"9007199254740991", UINT64_C(9007199254740992)},
                 {"9007199254740992", 0},
                 {"9999999999999999999", 0},
                 {"-1", 0},
                 {"00", 0},
                 {"x", 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct api_event_query query;
        struct api_params params = api_event_query_begin(&query);
        enum status status = set(&params, "after", CASES[i].text);
        assert_int_equal(status, CASES[i].from > 0 ? STATUS_OK : STATUS_INVALID_PARAMETER);
        assert_true(query.from == CASES[i].from);
    }
}

static void a_log_query_knows_the_names_of_events(void **state) {
    (void)state;
    struct api_event_query query;
    struct api_params params = api_event_query_begin(&query);
    assert_int_equal(set(&params, "type", "consent"), STATUS_INVALID_PARAMETER);
    params = api_event_query_begin(&query);
    assert_int_equal(set(&params, "type", "consent.revoked"), STATUS_OK);
    assert_int_equal(query.filter.code, STORE_CONSENT_REVOKED);
    assert_int_equal(set(&params, "consentId", "0190ffff-0000-7000-8000-0000000000af"), STATUS_OK);
    assert_true(query.filter.has_consent);
    assert_int_equal(set(&params, "tenant", "t"), STATUS_OK);
    assert_int_equal(set(&params, "actor", "a"), STATUS_OK);
    assert_int_equal(set(&params, "reason", "withdrawn"), STATUS_OK);
    assert_true(span_is(query.filter.tenant, "t"));
    assert_true(span_is(query.filter.actor, "a"));
    assert_true(span_is(query.filter.reason, "withdrawn"));
}

static void a_history_has_only_its_paging(void **state) {
    (void)state;
    struct api_event_query query;
    struct api_params params = api_history_query_begin(&query);
    assert_int_equal(set(&params, "limit", "3"), STATUS_OK);
    assert_int_equal(set(&params, "after", "3"), STATUS_OK);
    assert_int_equal(set(&params, "tenant", "t"), STATUS_NOT_FOUND);
    assert_int_equal(set(&params, "cursor", "t"), STATUS_NOT_FOUND);
}

static struct digest digest_with(const char *name, const char *value) {
    struct api_consent_query query;
    struct api_params params = api_consent_query_begin(&query);
    if (name != NULL) {
        assert_int_equal(set(&params, name, value), STATUS_OK);
    }
    return api_consent_query_digest(&query);
}

static void the_identity_of_a_query_covers_every_filter_and_nothing_else(void **state) {
    (void)state;
    static const char *const CHANGES[][2] = {
        {"account", "x"},
        {"client", "x"},
        {"provider", "x"},
        {"license", "x"},
        {"purpose", "x"},
        {"permission", "x"},
        {"resource", "x"},
        {"externalId", "x"},
        {"arrangementId", "00000000-0000-0000-0000-000000000000"},
        {"status", "active"},
        {"grantedFrom", "2024-01-01T00:00Z"},
        {"grantedTo", "2024-01-01T00:00Z"},
        {"expiresBefore", "2024-01-01T00:00Z"},
        {NULL, NULL},
    };
    enum { COUNT = sizeof CHANGES / sizeof CHANGES[0] };
    struct digest digests[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        digests[i] = digest_with(CHANGES[i][0], CHANGES[i][1]);
        for (size_t k = 0; k < i; k++) {
            assert_false(digest_equal(&digests[i], &digests[k]));
        }
    }
    struct digest same = digest_with("limit", "7");
    assert_true(digest_equal(&same, &digests[COUNT - 1]));
    same = digest_with("cursor", "abc");
    assert_true(digest_equal(&same, &digests[COUNT - 1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_query_matches_everything),
        cmocka_unit_test(every_text_filter_goes_to_its_own_member),
        cmocka_unit_test(a_name_is_of_visible_ascii),
        cmocka_unit_test(a_code_is_no_longer_than_codes_of_packs),
        cmocka_unit_test(times_ids_and_statuses_are_read),
        cmocka_unit_test(what_is_unknown_twice_or_malformed_is_refused),
        cmocka_unit_test(texts_are_bounded_one_under_and_one_over),
        cmocka_unit_test(a_page_has_one_to_five_hundred_items),
        cmocka_unit_test(after_names_the_entry_before_the_first),
        cmocka_unit_test(a_log_query_knows_the_names_of_events),
        cmocka_unit_test(a_history_has_only_its_paging),
        cmocka_unit_test(the_identity_of_a_query_covers_every_filter_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
