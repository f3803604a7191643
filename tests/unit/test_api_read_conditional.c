/* GET /v1/consents/{id}: conditional requests, HEAD and parameters. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_reading.h"

static void a_tag_that_still_holds_saves_the_body(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    static const struct {
        const char *tags;
        int status;
    } CASES[] = {
        {"\"1\"", 304},
        {"W/\"1\"", 304},
        {"*", 304},
        {"\"9\", \"1\"", 304},
        {"\"9\",W/\"1\"", 304},
        {" ,\"a,b\" ,\"1\",", 304},
        {"\"2\"", 200},
        {"1", 200},
        {"\"1", 200},
        {"\"1-expired\"", 200},
        {"\"*\"", 200},
        {"w/\"1\"", 200},
        {"", 200},
        {"W/", 200},
        {"\"", 200},
        {"\"1-active\"", 200},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct reply reply = ask(w, (struct asking){.as = AS_EDP,
                                                    .target = path_of(w, &c.id, ""),
                                                    .header = "if-none-match",
                                                    .value = CASES[i].tags});
        assert_int_equal(reply.status, CASES[i].status);
        assert_string_equal(header_of(&reply, "etag"), "\"1\"");
        assert_int_equal(reply.body.size > 0, CASES[i].status == 200);
    }
    end(w, &c, "withdrawn", CONSENT_REVOKED, "");
    struct reply reply = ask(w, (struct asking){.as = AS_EDP,
                                                .target = path_of(w, &c.id, ""),
                                                .header = "if-none-match",
                                                .value = "\"1\""});
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "etag"), "\"2\"");
}

static void head_has_the_headers_of_get(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply reply =
        ask(w, (struct asking){.as = AS_EDP, .method = "HEAD", .target = path_of(w, &c.id, "")});
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "etag"), "\"1\"");
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
}

/* To ignore one would answer another question. */
static void parameters_that_mean_nothing_here_are_refused(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, "?when=2026-01-01T00:00Z"));
    assert_problem(&reply, 400, "invalid-parameter");
    reply = get(w, AS_EDP, path_of(w, &c.id, "?%zz=1"));
    assert_problem(&reply, 400, "invalid-parameter");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_tag_that_still_holds_saves_the_body),
        TEST(head_has_the_headers_of_get),
        TEST(parameters_that_mean_nothing_here_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
