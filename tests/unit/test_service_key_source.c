/* When a key set is asked for again, at which URL, and what an answer is worth. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "service/key_source.h"

#define SECOND INT64_C(1000000)
#define COOLDOWN (30 * SECOND)
#define NOW (1000 * SECOND)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct fetch answer(int status, const char *body, const char *etag, const char *control) {
    struct fetch fetch = {.status = status, .failure = "Timeout was reached"};
    buffer_append_text(&fetch.answer, body);
    snprintf(fetch.etag, sizeof fetch.etag, "%s", etag);
    snprintf(fetch.cache_control, sizeof fetch.cache_control, "%s", control);
    return fetch;
}

static enum key_outcome judge(const struct key_source *source, struct fetch *fetch) {
    const char *why;
    enum key_outcome outcome = key_source_judge(source, fetch, &why);
    assert_int_equal(outcome == KEY_FAILED, why != NULL);
    return outcome;
}

static struct key_source known_source(const char *etag) {
    struct key_source source = {.url = "https://as.example/jwks"};
    struct fetch fetch = answer(200, "first", etag, "");
    assert_int_equal(judge(&source, &fetch), KEY_CHANGED);
    key_source_settle(&source, KEY_CHANGED, &fetch, NOW);
    buffer_release(&fetch.answer);
    return source;
}

static void cache_control_is_read_as_rfc_9111_has_it(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"", -1},
        {"max-age=60", 60},
        {"public, max-age=3600, must-revalidate", 3600},
        {"Max-Age=5", 5},
        {"max-age=0", 0},
        {"no-store", 0},
        {"max-age=60, no-cache", 0},
        {"private", -1},
        {"s-maxage=9", -1},
        {"max-age=", -1},
        {"max-age=-1", -1},
        {"max-age=1e9", -1},
        {"max-age=99999999999", INT32_MAX},
        {"max-age=99999999999999999999999999", -1},
        {" ,, max-age=7 ,", 7},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(key_freshness_s(span_of_text(rows[i].text)), rows[i].seconds);
}

static void a_set_is_used_again_within_bounds(void **state) {
    (void)state;
    static const struct {
        const char *control;
        int64_t seconds;
    } rows[] = {{"", 900},
                {"max-age=1", 60},
                {"no-store", 60},
                {"max-age=600", 600},
                {"max-age=86400", 3600}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct key_source source = {.url = "https://as.example/jwks"};
        struct fetch fetch = answer(200, "{}", "", rows[i].control);
        key_source_settle(&source, KEY_CHANGED, &fetch, NOW);
        assert_int_equal(key_source_due(&source, COOLDOWN), NOW + rows[i].seconds * SECOND);
        buffer_release(&fetch.answer);
    }
}

static void a_wanted_key_is_asked_for_once_per_cool_down(void **state) {
    (void)state;
    struct key_source source = known_source("");
    assert_int_equal(key_source_due(&source, COOLDOWN), NOW + 900 * SECOND);
    source.wanted = true;
    assert_int_equal(key_source_due(&source, COOLDOWN), NOW + COOLDOWN);
    struct fetch same = answer(200, "first", "", "");
    key_source_settle(&source, judge(&source, &same), &same, NOW + COOLDOWN);
    assert_int_equal(key_source_due(&source, COOLDOWN), NOW + COOLDOWN + 900 * SECOND);
    source.wanted = true;
    assert_int_equal(key_source_due(&source, COOLDOWN), NOW + 2 * COOLDOWN);
    buffer_release(&same.answer);
}

static void a_source_that_was_never_asked_is_due(void **state) {
    (void)state;
    struct key_source source = {.url = "https://as.example/jwks"};
    assert_true(key_source_due(&source, COOLDOWN) <= 0);
}

static void failures_are_followed_by_longer_and_longer_pauses(void **state) {
    (void)state;
    static const int64_t pauses[] = {5, 10, 20, 40, 80, 160, 300, 300, 300};
    struct key_source source = known_source("");
    struct fetch fetch = answer(500, "", "", "max-age=1");
    for (size_t i = 0; i < COUNT(pauses); i++) {
        key_source_settle(&source, judge(&source, &fetch), &fetch, NOW);
        assert_int_equal(source.due_us, NOW + pauses[i] * SECOND);
        assert_true(source.known); /* the last good one stays */
    }
    struct fetch good = answer(200, "second", "", "");
    key_source_settle(&source, judge(&source, &good), &good, NOW);
    assert_int_equal(source.failures, 0);
    key_source_settle(&source, judge(&source, &fetch), &fetch, NOW);
    assert_int_equal(source.due_us, NOW + 5 * SECOND);
    buffer_release(&fetch.answer);
    buffer_release(&good.answer);
}

static void what_was_seen_before_is_no_change(void **state) {
    (void)state;
    struct key_source source = known_source("\"1\"");
    struct fetch rows[] = {answer(200, "first", "\"2\"", ""), answer(200, "second", "", ""),
                           answer(304, "", "", "")};
    assert_int_equal(judge(&source, &rows[0]), KEY_SAME);
    assert_int_equal(judge(&source, &rows[1]), KEY_CHANGED);
    assert_int_equal(judge(&source, &rows[2]), KEY_SAME);
    key_source_settle(&source, KEY_SAME, &rows[2], NOW);
    assert_string_equal(source.etag, "\"1\"");
    key_source_settle(&source, KEY_SAME, &rows[0], NOW);
    assert_string_equal(source.etag, "\"2\"");
    for (size_t i = 0; i < COUNT(rows); i++)
        buffer_release(&rows[i].answer);
}

static void only_a_200_or_a_304_that_was_asked_for_is_an_answer(void **state) {
    (void)state;
    static const int refused[] = {0, 201, 204, 301, 302, 400, 401, 404, 500, 503};
    struct key_source source = known_source("");
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct fetch fetch = answer(refused[i], "second", "", "");
        assert_int_equal(judge(&source, &fetch), KEY_FAILED);
        buffer_release(&fetch.answer);
    }
    struct fetch unasked = answer(304, "", "", "");
    assert_int_equal(judge(&source, &unasked), KEY_FAILED); /* there is no ETag */
    buffer_release(&unasked.answer);
}

static void metadata_stand_at_two_places(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {"https://as.example", "https://as.example/.well-known/oauth-authorization-server",
         "https://as.example/.well-known/openid-configuration"},
        {"https://as.example/", "https://as.example/.well-known/oauth-authorization-server",
         "https://as.example/.well-known/openid-configuration"},
        {"https://as.example:8443/realms/x",
         "https://as.example:8443/.well-known/oauth-authorization-server/realms/x",
         "https://as.example:8443/realms/x/.well-known/openid-configuration"},
        {"http://127.0.0.1:1/a/", "http://127.0.0.1:1/.well-known/oauth-authorization-server/a",
         "http://127.0.0.1:1/a/.well-known/openid-configuration"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct key_source source = {.issuer = span_of_text(rows[i][0])};
        char url[KEY_METADATA_URL_MAX];
        key_source_metadata_url(&source, false, url);
        assert_string_equal(url, rows[i][1]);
        key_source_metadata_url(&source, true, url);
        assert_string_equal(url, rows[i][2]);
    }
}

static void another_place_or_way_is_another_source(void **state) {
    (void)state;
    const struct key_source base = {.issuer = SPAN("i"), .url = "https://u", .ca_file = "c"};
    struct key_source others[] = {base, base, base, base, base, base};
    others[0].issuer = SPAN("j");
    others[1].url = "https://v";
    others[2].url = NULL;
    others[3].ca_file = NULL;
    others[4].discovery = true;
    others[5].allow_rs256 = true;
    assert_true(key_source_equal(&base, &base));
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(key_source_equal(&base, &others[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_control_is_read_as_rfc_9111_has_it),
        cmocka_unit_test(a_set_is_used_again_within_bounds),
        cmocka_unit_test(a_wanted_key_is_asked_for_once_per_cool_down),
        cmocka_unit_test(a_source_that_was_never_asked_is_due),
        cmocka_unit_test(failures_are_followed_by_longer_and_longer_pauses),
        cmocka_unit_test(what_was_seen_before_is_no_change),
        cmocka_unit_test(only_a_200_or_a_304_that_was_asked_for_is_an_answer),
        cmocka_unit_test(metadata_stand_at_two_places),
        cmocka_unit_test(another_place_or_way_is_another_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
