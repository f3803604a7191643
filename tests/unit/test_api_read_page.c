/* Pages of consents: cursors, links, short pages, and what other tenants' consents do not do to
 * them. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_letters.h"

#include "base/limits.h"

/* Invariant 9: what others do changes nothing in what a tenant reads, cursors included. */
static void others_change_no_page(void **state) {
    struct world *w = *state;
    struct letters l = {0};
    keep(&l, 0, make(w, (struct making){.account = "1"}));
    for (int i = 0; i < 3; i++) {
        char account[16];
        snprintf(account, sizeof account, "%d", i);
        make(w, (struct making){.tenant = OTHER_EDP, .account = account});
    }
    struct reply before = get(w, AS_EDP, "/v1/consents?limit=1");
    json_t *page = json_of(&before);
    assert_int_equal(json_object_size(page), 1); /* items alone: nothing follows */
    json_decref(page);
    make(w, (struct making){.tenant = OTHER_EDP, .account = "9"});
    struct reply after = get(w, AS_EDP, "/v1/consents?limit=1");
    assert_string_equal(before.body.data, after.body.data);
    /* and a cursor has one size, whatever it stands for */
    keep(&l, 1, make(w, (struct making){.account = "2"}));
    struct reply reply = get(w, AS_EDP, "/v1/consents?limit=1");
    page = json_of(&reply);
    assert_int_equal(strlen(text_in(page, "next")), 22);
    json_decref(page);
}

static const char *cursor_of(struct world *w, struct who as, const char *target) {
    struct reply reply = get(w, as, target);
    json_t *page = json_of(&reply);
    const char *next = arena_copy(&w->arena, span_of_text(text_in(page, "next"))).data;
    assert_int_equal(strlen(next), 22);
    json_decref(page);
    return next;
}

static void a_cursor_belongs_to_one_query_of_one_viewer(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    const char *cursor = cursor_of(w, AS_EDP, "/v1/consents?limit=2");
    const struct {
        struct who as;
        const char *target;
        bool fits;
    } cases[] = {
        {AS_EDP, "/v1/consents?cursor=", true},
        {AS_EDP, "/v1/consents?limit=1&cursor=", true},
        {AS_EDP, "/v1/consents?account=acc-1&cursor=", false},
        {AS_EDP, "/v1/consents?status=active&cursor=", false},
        {AS_EDP, "/v1/consents?expiresBefore=2030-01-01T00:00Z&cursor=", false},
        {AS_OTHER_EDP, "/v1/consents?cursor=", false},
        {AS_APP, "/v1/consents?cursor=", false},
        {AS_AUDITOR, "/v1/consents?cursor=", false},
        {AS_EVERYBODYS_AUDITOR, "/v1/consents?cursor=", false},
        {{.id = EDP, .scope = "consents:read audit:read", .provider = EDP},
         "/v1/consents?cursor=",
         false},
        {{.id = EDP, .scope = "consents:read audit:read", .provider = "*"},
         "/v1/consents?cursor=",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span target = arena_format(&w->arena, "%s%s", cases[i].target, cursor);
        struct reply reply = get(w, cases[i].as, target.data);
        if (cases[i].fits) {
            assert_int_equal(reply.status, 200);
        } else {
            assert_problem(&reply, 400, "invalid-parameter");
        }
    }
    /* URL and body ask the same: one continues the other */
    struct span members = arena_format(&w->arena, "\"cursor\":\"%s\"", cursor);
    struct reply reply =
        ask(w, (struct asking){.as = AS_EDP,
                               .method = "POST",
                               .target = "/v1/consents/query",
                               .body = arena_format(&w->arena, "{%s}", members.data).data});
    struct buffer rest = {0};
    json_t *page = json_of(&reply);
    append_letters(&l, page, &rest);
    json_decref(page);
    assert_memory_equal(rest.data, "cdfg", 4);
    assert_int_equal(rest.size, 4);
    buffer_release(&rest);
}

static void a_cursor_that_was_touched_is_refused(void **state) {
    struct world *w = *state;
    (void)populate(w);
    struct span target = arena_format(&w->arena, "/v1/consents?cursor=%s",
                                      cursor_of(w, AS_EDP, "/v1/consents?limit=2"));
    char *touched = mem_copy_text(target);
    for (size_t at = strlen("/v1/consents?cursor="); touched[at] != '\0'; at++) {
        char kept = touched[at];
        touched[at] = kept == 'A' ? 'Q' : 'A';
        struct reply reply = get(w, AS_EDP, touched);
        assert_problem(&reply, 400, "invalid-parameter");
        touched[at] = kept;
    }
    mem_free(touched);
    static const char *const NONE[] = {"cursor=x", "cursor=", "cursor=AAAAAAAAAAAAAAAAAAAAAA",
                                       "cursor=0"};
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        struct reply reply =
            get(w, AS_EDP, arena_format(&w->arena, "/v1/consents?%s", NONE[i]).data);
        assert_problem(&reply, 400, "invalid-parameter");
    }
}

static void the_link_keeps_all_filters_and_cannot_be_broken_out_of(void **state) {
    struct world *w = *state;
    make(w, (struct making){.account = "1"});
    make(w, (struct making){.account = "2"});
    struct reply reply = get(w, AS_EDP,
                             "/v1/consents?status=active&limit=1&client=" APP
                             "&provider=https:%2F%2Fdirectory.example/member/edp-1"
                             "&grantedFrom=2026-01-01T00:00Z&status=revoked");
    json_t *page = json_of(&reply);
    struct span wanted = arena_format(
        &w->arena,
        "</v1/consents?status=active&limit=1&client=%s&provider=https:%%2F%%2Fdirectory.example/"
        "member/edp-1&grantedFrom=2026-01-01T00:00Z&status=revoked&cursor=%s>; rel=\"next\"",
        APP, text_in(page, "next"));
    assert_string_equal(header_of(&reply, "link"), wanted.data);
    json_decref(page);
    /* an old cursor is replaced, under whatever spelling */
    const char *second = cursor_of(w, AS_EVERYBODYS_AUDITOR, "/v1/consents?limit=1");
    make(w, (struct making){.account = "3"});
    reply = get(w, AS_EVERYBODYS_AUDITOR,
                arena_format(&w->arena, "/v1/consents?cu%%72sor=%s&limit=1", second).data);
    page = json_of(&reply);
    wanted = arena_format(&w->arena, "</v1/consents?limit=1&cursor=%s>; rel=\"next\"",
                          text_in(page, "next"));
    assert_string_equal(header_of(&reply, "link"), wanted.data);
    json_decref(page);
    /* characters that would end the URL are encoded */
    make(w, (struct making){.account = "a>;\"b"});
    make(w, (struct making){.account = "a>;\"b", .resource = "m"});
    reply = get(w, AS_EDP, "/v1/consents?account=a>;\"b&limit=1");
    assert_int_equal(reply.status, 200);
    const char *link = header_of(&reply, "link");
    assert_memory_equal(link, "</v1/consents?account=a%3E;%22b&limit=1&cursor=", 47);
}

/* Bounded work: beyond LIMIT_WALK rows a page ends, even empty, and says where to go on. */
static void a_page_may_come_back_short(void **state) {
    struct world *w = *state;
    make_crowd(w, LIMIT_WALK + 1);
    struct letters l = {0};
    keep(&l, 0, make(w, (struct making){.account = "last", .permission = "tariff"}));
    struct reply reply = get(w, AS_EDP, "/v1/consents?permission=tariff");
    json_t *page = json_of(&reply);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    assert_int_equal(strlen(text_in(page, "next")), 22);
    json_decref(page);
    assert_string_equal(list(w, &l, AS_EDP, "permission=tariff"), "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(others_change_no_page),
        TEST(a_cursor_belongs_to_one_query_of_one_viewer),
        TEST(a_cursor_that_was_touched_is_refused),
        TEST(the_link_keeps_all_filters_and_cannot_be_broken_out_of),
        TEST(a_page_may_come_back_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
