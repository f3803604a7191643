/* Headers as callers send them: media types, keys and tags. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/http_in.h"

static bool accepts(const char *accept) {
    return api_accepts(span_of_text(accept), "application/json, application/x-ndjson");
}

static void without_accept_everything_is_accepted(void **state) {
    (void)state;
    assert_true(accepts(NULL));
    assert_true(accepts(""));
    assert_true(accepts("  "));
}

static void accept_names_types_families_or_all(void **state) {
    (void)state;
    assert_true(accepts("*/*"));
    assert_true(accepts("application/*"));
    assert_true(accepts("APPLICATION/JSON"));
    assert_true(accepts("text/html, application/json;q=0.1"));
    assert_true(accepts("text/html,application/x-ndjson"));
    assert_true(accepts(" application/json ; charset=utf-8"));
    assert_false(accepts("text/html"));
    assert_false(accepts("text/*"));
    assert_false(accepts("application"));
    assert_false(accepts("application/jso"));
    assert_false(accepts("application/jsonl"));
    assert_false(accepts("*"));
}

static void the_most_specific_range_decides_and_may_refuse(void **state) {
    (void)state;
    assert_false(accepts("application/json;q=0, application/x-ndjson;q=0.000, */*"));
    assert_false(accepts("*/*;q=0"));
    assert_true(accepts("*/*;q=0, application/json"));
    assert_true(accepts("application/*;q=0, application/json;q=0.5"));
    assert_true(accepts("application/json;q=0, */*")); /* lines are left */
    assert_false(api_accepts(SPAN("application/json;Q=0, */*"), "application/json"));
}

static void exactly_means_by_its_name(void **state) {
    (void)state;
    assert_true(api_accepts_exactly(SPAN("application/x-ndjson"), "application/x-ndjson"));
    assert_false(api_accepts_exactly(SPAN("*/*"), "application/x-ndjson"));
    assert_false(api_accepts_exactly(SPAN("application/*"), "application/x-ndjson"));
    assert_false(api_accepts_exactly(SPAN(""), "application/x-ndjson"));
}

static void json_is_json_whatever_its_parameters(void **state) {
    (void)state;
    assert_true(api_media_type_is(SPAN("application/json"), "application/json"));
    assert_true(api_media_type_is(SPAN("Application/JSON;charset=utf-8"), "application/json"));
    assert_true(api_media_type_is(SPAN("application/json ; a=b"), "application/json"));
    assert_false(api_media_type_is(SPAN_NONE, "application/json"));
    assert_false(api_media_type_is(SPAN(""), "application/json"));
    assert_false(api_media_type_is(SPAN("application/jsonp"), "application/json"));
    assert_false(api_media_type_is(SPAN("application/problem+json"), "application/json"));
    assert_false(api_media_type_is(SPAN("text/plain; application/json"), "application/json"));
    assert_false(api_media_type_is(SPAN("application/x-www-form-urlencoded"), "application/json"));
}

/* ---- Idempotency-Key */

static enum status key_of(const char *value, struct span *out) {
    const struct api_header headers[] = {{SPAN("host"), SPAN("x")},
                                         {SPAN("idempotency-key"), span_of_text(value)}};
    struct api_call call = {.headers = headers, .header_count = value != NULL ? 2 : 1};
    return api_idempotency_key(&call, out);
}

static void a_key_is_bare_or_in_quotes_and_the_same(void **state) {
    static const char *const same[] = {"k-1", "\"k-1\"", "  k-1 ", " \"k-1\"\t"};
    struct span key;
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(key_of(same[i], &key), STATUS_OK);
        assert_true(span_is(key, "k-1"));
    }
}

static void a_missing_key_is_said_to_be_missing(void **state) {
    struct span key = SPAN("untouched");
    (void)state;
    assert_int_equal(key_of(NULL, &key), STATUS_MISSING_IDEMPOTENCY_KEY);
    assert_int_equal(key_of("", &key), STATUS_MISSING_IDEMPOTENCY_KEY);
    assert_int_equal(key_of("  ", &key), STATUS_MISSING_IDEMPOTENCY_KEY);
    assert_true(span_is(key, "untouched"));
}

static void a_key_is_visible_ascii_without_quotes(void **state) {
    static const char *const bad[] = {"\"\"", "\"", "\"a",   "a\"",      "a b",
                                      "a\tb", "é",  "a\x7f", "\"a\"b\"", "a\x01"};
    struct span key = SPAN("untouched");
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (key_of(bad[i], &key) != STATUS_INVALID_PARAMETER) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_true(span_is(key, "untouched"));
}

static void a_key_has_at_most_128_characters(void **state) {
    char key[LIMIT_IDEMPOTENCY_KEY + 4];
    struct span out;
    (void)state;
    memset(key, 'k', sizeof key);
    key[LIMIT_IDEMPOTENCY_KEY] = '\0';
    assert_int_equal(key_of(key, &out), STATUS_OK);
    assert_int_equal(out.size, LIMIT_IDEMPOTENCY_KEY);
    key[LIMIT_IDEMPOTENCY_KEY] = 'k';
    key[LIMIT_IDEMPOTENCY_KEY + 1] = '\0';
    assert_int_equal(key_of(key, &out), STATUS_INVALID_PARAMETER);
    /* quotes are none of them */
    key[0] = key[LIMIT_IDEMPOTENCY_KEY + 1] = '"';
    key[LIMIT_IDEMPOTENCY_KEY + 2] = '\0';
    assert_int_equal(key_of(key, &out), STATUS_OK);
    assert_int_equal(out.size, LIMIT_IDEMPOTENCY_KEY);
}

/* ---- If-Match */

static enum status match_of(const char *value, struct store_change *change) {
    const struct api_header headers[] = {{SPAN("if-match"), span_of_text(value)}};
    struct api_call call = {.headers = headers, .header_count = value != NULL ? 1 : 0};
    *change = (struct store_change){.match_count = 0};
    return api_if_match(&call, change);
}

static void assert_match(const struct store_change *change, uint32_t i, uint32_t version,
                         unsigned state) {
    assert_true(i < change->match_count);
    assert_int_equal(change->matches[i].version, version);
    assert_int_equal(change->matches[i].state, state);
}

static void without_if_match_nothing_is_matched(void **state) {
    struct store_change change;
    (void)state;
    assert_int_equal(match_of(NULL, &change), STATUS_OK);
    assert_int_equal(change.match_count, 0);
    assert_false(change.match_any);
}

static void a_star_matches_what_there_is(void **state) {
    struct store_change change;
    (void)state;
    assert_int_equal(match_of(" * ", &change), STATUS_OK);
    assert_true(change.match_any);
}

static void tags_name_a_version_and_perhaps_a_state(void **state) {
    struct store_change change;
    (void)state;
    assert_int_equal(match_of("\"3\" , \"12-expired\",\"4294967295\",\"1-timedOut\"", &change),
                     STATUS_OK);
    assert_int_equal(change.match_count, 4);
    assert_match(&change, 0, 3, 0);
    assert_match(&change, 1, 12, CONSENT_EXPIRED);
    assert_match(&change, 2, 4294967295, 0);
    assert_match(&change, 3, 1, CONSENT_TIMED_OUT);
}

static void a_tag_of_another_form_matches_nothing(void **state) {
    static const char *const foreign[] = {"\"\"",           "\"abc\"", "\"03\"",
                                          "\"0\"",          "\"3-\"",  "\"3-gone\"",
                                          "\"3x\"",         "\"-3\"",  "\"3 \"",
                                          "\"4294967296\"", "W/\"3\"", "\"99999999999999999999\"",
                                          "\"3-expired-\""};
    struct store_change change;
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        assert_int_equal(match_of(foreign[i], &change), STATUS_OK);
        assert_match(&change, 0, 0, 0); /* versions begin at 1 */
    }
}

static void what_is_no_list_of_tags_is_invalid(void **state) {
    static const char *const bad[] = {"",
                                      " ",
                                      "3",
                                      "\"3",
                                      "3\"",
                                      "\"",
                                      "W/3",
                                      "\"1\" \"2\" x",
                                      ",\"1\"",
                                      "*, \"1\"",
                                      "\"1\",\"2\",\"3\",\"4\",\"5\"" /* five are too many */};
    struct store_change change;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (match_of(bad[i], &change) != STATUS_INVALID_PARAMETER) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void a_tag_may_hold_commas(void **state) {
    struct store_change change;
    (void)state;
    assert_int_equal(match_of("\"a,b\" , W/\"3,\",\"3\"", &change), STATUS_OK);
    assert_int_equal(change.match_count, 3);
    assert_match(&change, 0, 0, 0);
    assert_match(&change, 1, 0, 0);
    assert_match(&change, 2, 3, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_accept_everything_is_accepted),
        cmocka_unit_test(accept_names_types_families_or_all),
        cmocka_unit_test(the_most_specific_range_decides_and_may_refuse),
        cmocka_unit_test(exactly_means_by_its_name),
        cmocka_unit_test(json_is_json_whatever_its_parameters),
        cmocka_unit_test(a_key_is_bare_or_in_quotes_and_the_same),
        cmocka_unit_test(a_missing_key_is_said_to_be_missing),
        cmocka_unit_test(a_key_is_visible_ascii_without_quotes),
        cmocka_unit_test(a_key_has_at_most_128_characters),
        cmocka_unit_test(without_if_match_nothing_is_matched),
        cmocka_unit_test(a_tag_may_hold_commas),
        cmocka_unit_test(a_star_matches_what_there_is),
        cmocka_unit_test(tags_name_a_version_and_perhaps_a_state),
        cmocka_unit_test(a_tag_of_another_form_matches_nothing),
        cmocka_unit_test(what_is_no_list_of_tags_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
