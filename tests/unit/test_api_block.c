/* A tenant's stop-list: set, replaced, run out, lifted, listed; whose it is, and what the log holds
 * of it. */
// SPDX-License-Identifier: Apache-2.0
#include "store/inquiry.h"
#include "tests/unit/support_writing.h"

#define BLOCKS "/v1/blocks"
#define BLOCKED "{\"client\":\"" APP "\",\"reason\":\"fraud\"}"
#define UNTIL "2026-03-13T10:00:00.000Z"
#define UNTIL_THEN "{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":\"" UNTIL "\"}"

static struct reply put(struct world *w, struct who as, const char *body) {
    return send(w, (struct sending){.as = as, .method = "PUT", .target = BLOCKS, .body = body});
}

static struct reply lift(struct world *w, struct who as, const char *client) {
    const char *target = arena_format(&w->arena, BLOCKS "?client=%s", client).data;
    return send(w, (struct sending){.as = as, .method = "DELETE", .target = target});
}

static void assert_listed(struct world *w, struct who as, const char *body) {
    struct reply reply = get(w, as, BLOCKS);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, body);
}

/* Whether a decision about the application under this account is permitted, recorded or not. */
static bool permitted(struct world *w, struct who as, const char *account) {
    const char *asked = arena_format(&w->arena,
                                     "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                                     "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":"
                                     "\"account\",\"id\":\"%s\"},\"context\":{\"explain\":true}}",
                                     account)
                            .data;
    struct reply reply = post(w, as, "/access/v1/evaluation", asked);
    json_t *answer = answered(reply, 200);
    bool yes = json_is_true(json_object_get(answer, "decision"));
    assert_int_equal(strstr(reply.body.data, "clientBlocked") != NULL, !yes);
    json_decref(answer);
    return yes;
}

static void a_block_denies_at_once_until_it_is_lifted(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    assert_true(permitted(w, AS_EDP, "acc-1"));
    struct reply reply = put(w, AS_EDP, BLOCKED);
    assert_int_equal(reply.status, 200);
    assert_false(permitted(w, AS_EDP, "acc-1"));
    assert_int_equal(lift(w, AS_EDP, APP).status, 200);
    assert_true(permitted(w, AS_EDP, "acc-1"));
}

static void the_answer_is_the_block(void **state) {
    struct world *w = *state;
    struct reply reply = put(w, AS_EDP, UNTIL_THEN);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, "{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":"
                                         "\"" UNTIL "\",\"since\":\"" T0_OUT "\",\"logIndex\":2}");
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_listed(w, AS_EDP, arena_format(&w->arena, "{\"items\":[%s]}", reply.body.data).data);
    reply = lift(w, AS_EDP, APP);
    assert_string_equal(reply.body.data,
                        "{\"client\":\"" APP "\",\"liftedAt\":\"" T0_OUT "\",\"logIndex\":3}");
    assert_listed(w, AS_EDP, "{\"items\":[]}");
}

/* As store/FORMAT.md has it. */
static void the_log_holds_what_was_set_and_lifted(void **state) {
    static const struct {
        const char *type, *body;
    } expected[] = {{"block.set", "{\"reason\":\"fraud\",\"until\":\"" UNTIL "\"}"},
                    {"block.set", "{\"reason\":\"audit\"}"},
                    {"block.lifted", "{}"}};
    struct world *w = *state;
    assert_int_equal(put(w, AS_EDP, UNTIL_THEN).status, 200);
    assert_int_equal(put(w, AS_EDP, "{\"client\":\"" APP "\",\"reason\":\"audit\"}").status, 200);
    assert_int_equal(lift(w, AS_EDP, APP).status, 200);
    json_t *page = answered(get(w, AS_AUDITOR, "/v1/audit/events?client=" APP), 200);
    const json_t *items = json_object_get(page, "items");
    assert_int_equal(json_array_size(items), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *payload = json_object_get(json_array_get(items, i), "payload");
        char *body = json_dumps(json_object_get(payload, "body"), JSON_COMPACT);
        assert_string_equal(text_in(payload, "type"), expected[i].type);
        assert_string_equal(text_in(payload, "tenant"), EDP);
        assert_string_equal(text_in(payload, "client"), APP);
        assert_string_equal(body, expected[i].body);
        free(body);
    }
    json_decref(page);
    page = answered(get(w, AS_AUDITOR, "/v1/audit/events?reason=audit&type=block.set"), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    json_decref(page);
}

static void the_same_block_again_changes_nothing(void **state) {
    struct world *w = *state;
    struct reply first = put(w, AS_EDP, UNTIL_THEN);
    uint64_t before = entries(w);
    world_set_time(w, "2026-03-12T11:00:00Z");
    struct reply again = put(w, AS_EDP, UNTIL_THEN);
    assert_string_equal(again.body.data, first.body.data);
    assert_int_equal(entries(w), before);
    /* another reason, or another end, is another block */
    assert_int_equal(put(w, AS_EDP, BLOCKED).status, 200);
    assert_int_equal(put(w, AS_EDP, "{\"client\":\"" APP "\",\"reason\":\"audit\"}").status, 200);
    assert_int_equal(entries(w), before + 2);
    assert_listed(w, AS_EDP,
                  "{\"items\":[{\"client\":\"" APP "\",\"reason\":\"audit\",\"since\":"
                  "\"2026-03-12T11:00:00.000Z\",\"logIndex\":4}]}");
}

static void a_block_runs_out_to_the_millisecond(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    assert_int_equal(put(w, AS_EDP, UNTIL_THEN).status, 200);
    world_set_time(w, "2026-03-13T09:59:59.999Z");
    assert_false(permitted(w, AS_EDP, "acc-1"));
    world_set_time(w, UNTIL);
    assert_true(permitted(w, AS_EDP, "acc-1"));
    assert_listed(w, AS_EDP, "{\"items\":[]}");
    struct reply reply = lift(w, AS_EDP, APP);
    assert_problem(&reply, 404, "not-found");
    /* and can be set anew */
    assert_int_equal(put(w, AS_EDP, BLOCKED).status, 200);
    assert_false(permitted(w, AS_EDP, "acc-1"));
}

static void what_is_not_blocked_is_not_lifted(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct reply reply = lift(w, AS_EDP, APP);
    assert_problem(&reply, 404, "not-found");
    assert_int_equal(put(w, AS_EDP, BLOCKED).status, 200);
    reply = lift(w, AS_EDP, OTHER_APP);
    assert_problem(&reply, 404, "not-found");
    assert_non_null(strstr(reply.body.data, "no block of this client stands"));
    assert_int_equal(lift(w, AS_EDP, APP).status, 200);
    reply = lift(w, AS_EDP, APP);
    assert_problem(&reply, 404, "not-found");
    assert_int_equal(entries(w), before + 2);
}

/* ---- whose */

static void a_stop_list_is_its_tenants_alone(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    /* another tenant, and the client itself, block in lists of their own */
    assert_int_equal(put(w, AS_OTHER_EDP, BLOCKED).status, 200);
    assert_int_equal(put(w, AS_APP, BLOCKED).status, 200);
    assert_true(permitted(w, AS_EDP, "acc-1"));
    assert_listed(w, AS_EDP, "{\"items\":[]}");
    assert_int_equal(put(w, AS_EDP, BLOCKED).status, 200);
    assert_int_equal(lift(w, AS_OTHER_EDP, APP).status, 200);
    assert_int_equal(lift(w, AS_APP, APP).status, 200);
    assert_false(permitted(w, AS_EDP, "acc-1"));
    assert_listed(w, AS_APP, "{\"items\":[]}");
}

static void auditors_and_administrators_neither_read_nor_write_it(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct who others[] = {AS_AUDITOR, AS_ADMIN};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = put(w, others[i], BLOCKED);
        assert_problem(&reply, 403, "insufficient-scope");
        reply = lift(w, others[i], APP);
        assert_problem(&reply, 403, "insufficient-scope");
        reply = get(w, others[i], BLOCKS);
        assert_problem(&reply, 403, "insufficient-scope");
    }
    assert_int_equal(entries(w), before);
}

/* ---- refused */

static void each_rule_of_a_block_is_kept(void **state) {
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{}", "/client /reason"},
        {"[]", ""},
        {"{\"client\":\"app\",\"reason\":\"fraud\"}", "/client"},
        {"{\"client\":7,\"reason\":\"fraud\"}", "/client"},
        {"{\"client\":\"" APP "\",\"reason\":\"\"}", "/reason"},
        {"{\"client\":\"" APP "\",\"reason\":\"he lied\"}", "/reason"},
        {"{\"client\":\"" APP "\",\"reason\":{\"code\":\"fraud\"}}", "/reason"},
        {"{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":\"soon\"}", "/until"},
        {"{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":\"" T0 "\"}", "/until"},
        {"{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":\"1970-01-01T00:00Z\"}", "/until"},
    };
    struct world *w = *state;
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = put(w, AS_EDP, cases[i].body);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    struct reply reply = put(w, AS_EDP, "{\"client\":\"" APP "\",\"reason\":\"fraud\",\"x\":1}");
    assert_errors(&reply, "unknown-member", "/x");
    reply = put(w, AS_EDP, "{");
    assert_problem(&reply, 400, "malformed-json");
    assert_int_equal(entries(w), before);
    reply =
        put(w, AS_EDP,
            "{\"client\":\"" APP "\",\"reason\":\"fraud\",\"until\":\"2026-03-12T10:00:00.001Z\"}");
    assert_int_equal(reply.status, 200);
}

static const char *block_of(struct world *w, const char *client, const char *reason) {
    return arena_format(&w->arena, "{\"client\":\"%s\",\"reason\":\"%s\"}", client, reason).data;
}

static void a_limit_is_reached_and_not_passed(void **state) {
    struct world *w = *state;
    char reason[66] = "", client[LIMIT_URL + 2] = "u:";
    memset(reason, 'r', 65);
    memset(client + 2, 'c', LIMIT_URL - 1);
    struct reply reply = put(w, AS_EDP, block_of(w, client, "r"));
    assert_errors(&reply, "invalid-body", "/client");
    reply = put(w, AS_EDP, block_of(w, APP, reason));
    assert_errors(&reply, "invalid-body", "/reason");
    assert_problem(&reply, 400, "invalid-body");
    reply = lift(w, AS_EDP, client);
    assert_problem(&reply, 400, "invalid-parameter");
    client[LIMIT_URL] = '\0';
    assert_int_equal(put(w, AS_EDP, block_of(w, client, reason + 1)).status, 200);
    assert_int_equal(lift(w, AS_EDP, client).status, 200);
}

static void parameters_are_understood_or_refused(void **state) {
    static const struct {
        const char *method, *query;
    } cases[] = {
        {"DELETE", ""},          {"DELETE", "?client="}, {"DELETE", "?client=a&client=b"},
        {"DELETE", "?other=a"},  {"GET", "?limit=0"},    {"GET", "?limit=501"},
        {"GET", "?client=" APP}, {"GET", "?cursor=x"},   {"PUT", "?client=" APP},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool puts = strcmp(cases[i].method, "PUT") == 0;
        struct reply reply = send(
            w, (struct sending){.as = AS_EDP,
                                .method = cases[i].method,
                                .target = arena_format(&w->arena, BLOCKS "%s", cases[i].query).data,
                                .body = puts ? BLOCKED : NULL});
        assert_problem(&reply, 400, "invalid-parameter");
    }
}

/* ---- listed */

static void a_long_list_comes_in_pages(void **state) {
    struct world *w = *state;
    struct buffer all = {0}, found = {0};
    for (int i = 0; i < 5; i++) {
        const char *client = arena_format(&w->arena, "https://n.example/%d", i).data;
        for (int again = 0; again < 3; again++) { /* a history that the list passes over */
            assert_int_equal(
                put(w, AS_EDP,
                    arena_format(&w->arena, "{\"client\":\"%s\",\"reason\":\"r%d\"}", client, again)
                        .data)
                    .status,
                200);
        }
        if (i == 2) {
            assert_int_equal(lift(w, AS_EDP, client).status, 200);
        } else {
            buffer_append_format(&all, "%s ", client);
        }
    }
    const char *target = BLOCKS "?limit=2";
    while (target != NULL) {
        struct reply reply = get(w, AS_EDP, target);
        json_t *page = answered(reply, 200);
        const json_t *items = json_object_get(page, "items");
        assert_true(json_array_size(items) <= 2);
        for (size_t i = 0; i < json_array_size(items); i++) {
            assert_string_equal(text_in(json_array_get(items, i), "reason"), "r2");
            buffer_append_format(&found, "%s ", text_in(json_array_get(items, i), "client"));
        }
        const char *next = text_in(page, "next");
        assert_int_equal(next[0] != '\0', header_of(&reply, "link")[0] != '\0');
        target = next[0] != '\0' ? arena_format(&w->arena, BLOCKS "?limit=2&cursor=%s", next).data
                                 : NULL;
        if (target != NULL) { /* a cursor is the tenant's */
            struct reply other = get(w, AS_OTHER_EDP, target);
            assert_problem(&other, 400, "invalid-parameter");
        }
        json_decref(page);
    }
    buffer_append(&all, "", 1);
    buffer_append(&found, "", 1);
    assert_string_equal(found.data, all.data);
    buffer_release(&all);
    buffer_release(&found);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_block_denies_at_once_until_it_is_lifted),
        IN_A_WORLD(the_answer_is_the_block),
        IN_A_WORLD(the_log_holds_what_was_set_and_lifted),
        IN_A_WORLD(the_same_block_again_changes_nothing),
        IN_A_WORLD(a_block_runs_out_to_the_millisecond),
        IN_A_WORLD(what_is_not_blocked_is_not_lifted),
        IN_A_WORLD(a_stop_list_is_its_tenants_alone),
        IN_A_WORLD(auditors_and_administrators_neither_read_nor_write_it),
        IN_A_WORLD(each_rule_of_a_block_is_kept),
        IN_A_WORLD(a_limit_is_reached_and_not_passed),
        IN_A_WORLD(parameters_are_understood_or_refused),
        IN_A_WORLD(a_long_list_comes_in_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
