/* Where an application takes messages, and when it is asked again. */
// SPDX-License-Identifier: Apache-2.0
#include "service/application.h"

#include "tests/unit/support_base.h"

#define S INT64_C(1000000)
#define A "\"ib1:messageDelivery\":\"https://a.example\""
#define TWICE "{" A "," A "}"

static struct fetch answer(const char *type, const char *body, const char *cache) {
    struct fetch fetch = {.status = 200, .failure = "none"};
    snprintf(fetch.type, sizeof fetch.type, "%s", type);
    snprintf(fetch.cache_control, sizeof fetch.cache_control, "%s", cache);
    buffer_append_text(&fetch.answer, body);
    return fetch;
}

static const char *learn(struct application *application, const char *type, const char *body,
                         const char *cache) {
    struct fetch fetch = answer(type, body, cache);
    const char *why = application_learn(application, &fetch, 1000 * S);
    buffer_release(&fetch.answer);
    return why;
}

static void a_document_tells_where(void **state) {
    static const struct {
        const char *type, *body, *endpoint;
    } rows[] = {
        {"application/json", "{\"ib1:messageDelivery\":\"https://a.example/m\"}",
         "https://a.example/m"},
        {"application/json; charset=utf-8",
         "{\"x\":1,\"ib1:messageDelivery\":\"https://b.example\"}", "https://b.example"},
        {"application/ld+json", "{\"ib1:messageDelivery\":{\"@id\":\"https://c.example/m?x=1\"}}",
         "https://c.example/m?x=1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct application application = {.failures = 0};
        assert_null(learn(&application, rows[i].type, rows[i].body, ""));
        assert_string_equal(application.endpoint, rows[i].endpoint);
    }
}

static void what_tells_nothing_leaves_what_was_known(void **state) {
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"ib1:messageDelivery\":7}",
        "{\"ib1:messageDelivery\":\"\"}",
        "{\"ib1:messageDelivery\":\"http://a.example/m\"}",
        "{\"ib1:messageDelivery\":\"http://127.0.0.1:1/m\"}", /* a service of this machine */
        "{\"ib1:messageDelivery\":\"https://user@a.example/m\"}",
        "{\"ib1:messageDelivery\":\"https://a.example/m#x\"}",
        "{\"ib1:messageDelivery\":\"https://a.example/m\\r\\nx: y\"}",
        TWICE,
        "{\"ib1:messageDelivery\":{\"@id\":{}}}",
    };
    struct application application = {.endpoint = "https://known.example"};
    struct fetch fetch = answer("text/html", "{\"ib1:messageDelivery\":\"https://a.example\"}", "");
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_non_null(learn(&application, "application/json", bodies[i], ""));
    assert_non_null(application_learn(&application, &fetch, 0));
    fetch.status = 404;
    assert_non_null(application_learn(&application, &fetch, 0));
    fetch.status = 0;
    assert_string_equal(application_learn(&application, &fetch, 0), "none");
    buffer_release(&fetch.answer);
    assert_string_equal(application.endpoint, "https://known.example");
    assert_int_equal(application.fresh_until_us, 0);
}

static void it_is_believed_as_long_as_it_says_within_bounds(void **state) {
    static const struct {
        const char *cache;
        int64_t seconds;
    } rows[] = {
        {"", 300},
        {"max-age=600", 600},
        {"max-age=1", 60},
        {"no-store", 60},
        {"private, max-age=7200", 7200},
        {"no-cache", 60},
        {"max-age=99999999", 86400},
        {"max-age=x", 300},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct application application = {.failures = 0};
        assert_null(learn(&application, "application/json",
                          "{\"ib1:messageDelivery\":\"https://a.example\"}", rows[i].cache));
        assert_int_equal(application.fresh_until_us, (1000 + rows[i].seconds) * S);
    }
}

static void each_failure_waits_longer_up_to_an_hour_and_never_the_same(void **state) {
    struct application application = {.failures = 0};
    (void)state;
    for (unsigned n = 0; n < 40; n++) {
        int64_t most = n < 7 ? 30000 << n : 3600000;
        int64_t delay = application_failed(&application, 30, 5 * S);
        assert_true(delay >= most / 2 && delay <= most);
        assert_int_equal(application.retry_us, 5 * S + delay * 1000);
    }
    application_took(&application);
    assert_int_equal(application.retry_us, 0);
    assert_true(application_failed(&application, 30, 0) <= 30000);
    bool differ = false;
    for (unsigned n = 0; n < 64; n++)
        differ |= application_delay_ms(3600, 0) != application_delay_ms(3600, 0);
    assert_true(differ);
}

static void a_message_is_what_icebreaker_one_wrote(void **state) {
    struct buffer out = {0};
    (void)state;
    application_withdrawal(SPAN("a\"b\\c\n"), &out);
    assert_span(buffer_span(&out),
                "{\"ib1:message\":\"https://registry.core.trust.ib1.org/trust-framework\","
                "\"subject\":\"https://registry.trust.ib1.org/message/"
                "withdrawal-of-permission/2025-03-16\",\"body\":{\"token\":\"a\\\"b\\\\c\\n\"}}");
    buffer_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_tells_where),
        cmocka_unit_test(what_tells_nothing_leaves_what_was_known),
        cmocka_unit_test(it_is_believed_as_long_as_it_says_within_bounds),
        cmocka_unit_test(each_failure_waits_longer_up_to_an_hour_and_never_the_same),
        cmocka_unit_test(a_message_is_what_icebreaker_one_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
