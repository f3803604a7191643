/* GET /v1/consents and POST /v1/consents/query: every filter with its exact results for every kind
 * of viewer. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_letters.h"

#include "api/render.h"
#include "base/encode.h"

static const char *arrangement_query(struct world *w, const struct letters *l, char letter) {
    char text[UUID_TEXT_SIZE + 1];
    uuid_to_text(&l->arrangements[letter - 'a'], text);
    return arena_format(&w->arena, "arrangementId=%s", text).data;
}

static void every_filter_finds_exactly_what_it_says(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    static const struct {
        const char *query, *found;
    } CASES[] = {
        {"", "abcdfg"},
        {"account=acc-1", "af"},
        {"account=acc-9", ""},
        {"client=" APP, "acdg"},
        {"client=" OTHER_APP, "bf"},
        {"client=https://nobody.example", ""},
        {"provider=" EDP, "abcfg"},
        {"provider=" OTHER_EDP, "d"},
        {"license=" COMBINED, "d"},
        {"license=" CONSUMPTION, "abcfg"},
        {"purpose=corroborate-savings", "g"},
        {"purpose=estimate-emissions", "abcdf"},
        {"purpose=share-emissions-with-fsp", ""},
        {"permission=tariff", "g"},
        {"permission=nothing", ""},
        {"resource=meter-1", "f"},
        {"resource=meter-2", ""},
        {"externalId=x", "g"},
        {"externalId=a-1", "a"},
        {"status=active", "adg"},
        {"status=revoked", "b"},
        {"status=requested", "c"},
        {"status=expired", "f"},
        {"status=refused", ""},
        {"status=active&status=revoked", "abdg"},
        {"grantedFrom=2026-03-12T13:00Z", "dfg"},
        {"grantedFrom=2026-03-12T13:00:00.001Z", "fg"},
        {"grantedTo=2026-03-12T13:00:00Z", "ab"},
        {"grantedTo=2026-03-12T13:00:00.001Z", "abd"},
        {"grantedFrom=2026-03-12T11:00Z&grantedTo=2026-03-12T15:00Z", "bd"},
        {"expiresBefore=2026-03-13T00:00Z", "f"},
        {"expiresBefore=2026-04-11T10:00:00.000Z", "f"},
        {"expiresBefore=2026-04-11T10:00:00.001Z", "af"},
        {"account=acc-1&status=active", "a"},
        {"client=" APP "&provider=" OTHER_EDP "&license=" COMBINED, "d"},
        {"client=" OTHER_APP "&status=revoked&account=acc-2&purpose=estimate-emissions", "b"},
        {"client=" OTHER_APP "&account=acc-7", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *found = list(w, &l, AS_EDP, CASES[i].query);
        if (strcmp(found, CASES[i].found) != 0) {
            fail_msg("%s: found %s, not %s", CASES[i].query, found, CASES[i].found);
        }
        /* page by page, and encoded otherwise, it is the same */
        const char *paged = arena_format(&w->arena, "%s&li%%6dit=1", CASES[i].query).data;
        assert_string_equal(list(w, &l, AS_EDP, paged + (paged[0] == '&')), CASES[i].found);
    }
    assert_string_equal(list(w, &l, AS_EDP, arrangement_query(w, &l, 'b')), "b");
    assert_string_equal(list(w, &l, AS_EDP, arrangement_query(w, &l, 'e')), "");
    assert_string_equal(list(w, &l, AS_EDP, arrangement_query(w, &l, 'h')), "");
}

static void a_body_asks_for_the_same_as_a_url(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    static const struct {
        const char *members, *found;
    } CASES[] = {
        {"", "abcdfg"},
        {"\"limit\":1", "abcdfg"},
        {"\"limit\":500", "abcdfg"},
        {"\"account\":\"acc-1\"", "af"},
        {"\"account\":\"acc-1\",\"limit\":1", "af"},
        {"\"client\":\"" APP "\",\"provider\":\"" EDP "\"", "acg"},
        {"\"license\":\"" COMBINED "\"", "d"},
        {"\"purpose\":\"corroborate-savings\",\"permission\":\"tariff\"", "g"},
        {"\"resource\":\"meter-1\"", "f"},
        {"\"externalId\":\"x\"", "g"},
        {"\"status\":[\"active\",\"revoked\"],\"limit\":3", "abdg"},
        {"\"grantedFrom\":\"2026-03-12T11:00Z\",\"grantedTo\":\"2026-03-12T15:00Z\"", "bd"},
        {"\"expiresBefore\":\"2026-03-13T00:00Z\"", "f"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_string_equal(query(w, &l, AS_EDP, CASES[i].members), CASES[i].found);
    }
}

static void each_viewer_sees_its_own(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    const struct {
        struct who as;
        const char *query, *found;
    } cases[] = {
        {AS_OTHER_EDP, "", "e"},
        {AS_OTHER_EDP, "provider=" OTHER_EDP, "e"},
        {AS_OTHER_EDP, "externalId=x", "e"},
        {AS_OTHER_EDP, "externalId=a-1", ""},
        /* as a client of a, c, d, e, g, and as the tenant of h */
        {AS_APP, "", "acdegh"},
        {AS_APP, "status=active", "adegh"},
        {AS_APP, "limit=1", "acdegh"},
        {AS_APP, "provider=" OTHER_EDP, "de"},
        {AS_APP, "client=" FSP, "h"},
        {AS_APP, "client=" OTHER_APP, ""},
        {AS_APP, "license=" CONSUMPTION "&limit=2", "acegh"},
        {AS_OTHER_APP, "", "bf"},
        {{.role = "client", .id = FSP}, "", "h"},
        {{.role = "client", .id = "https://nobody.example"}, "", ""},
        {AS_AUDITOR, "", "abcdfg"},
        {AS_AUDITOR, "account=acc-1", "af"},
        {AS_AUDITOR, "externalId=x", "g"},
        {AS_EVERYBODYS_AUDITOR, "", "abcdefgh"},
        {AS_EVERYBODYS_AUDITOR, "limit=3", "abcdefgh"},
        {AS_EVERYBODYS_AUDITOR, "externalId=x", "eg"},
        {AS_EVERYBODYS_AUDITOR, "account=acc-1", "aef"},
        {AS_EVERYBODYS_AUDITOR, "account=acc-1&limit=1", "aef"},
        {{.role = "auditor", .id = AUDITOR}, "", ""},
        {{.role = "auditor", .id = AUDITOR, .provider = APP}, "", "h"},
        /* both scopes: the union */
        {{.id = OTHER_EDP, .scope = "consents:read audit:read", .provider = APP}, "", "eh"},
        {{.id = OTHER_APP, .scope = "consents:read audit:read", .provider = APP}, "", "bfh"},
        /* an auditor is not also a tenant */
        {{.id = EDP, .scope = "audit:read", .provider = OTHER_EDP}, "", "e"},
        {{.id = APP, .scope = "audit:read", .provider = OTHER_APP}, "", ""},
        /* the member, not the application, is the tenant */
        {{.role = "tenant", .id = APP, .member = OTHER_EDP}, "", "acdeg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = list(w, &l, cases[i].as, cases[i].query);
        if (strcmp(found, cases[i].found) != 0) {
            fail_msg("%zu %s: found %s, not %s", i, cases[i].query, found, cases[i].found);
        }
    }
}

static const char *pairwise_of(struct world *w, const char *tenant, const char *provider,
                               const char *account, const char *client) {
    struct span parts[] = {SPAN("pairwise"), span_of_text(tenant), span_of_text(provider),
                           span_of_text(account), span_of_text(client)};
    struct mac16 mac = store_mac16(w->store, parts, 5);
    char text[API_PAIRWISE_SIZE];
    assert_int_equal(encode_base64url(mac.bytes, sizeof mac.bytes, text), sizeof text);
    return arena_copy(&w->arena, span_of(text, sizeof text)).data;
}

/* Otherwise a client could try account ids until one finds the consent it may not see in. */
static void a_client_finds_accounts_by_their_pairwise_id_only(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    const char *a = pairwise_of(w, EDP, EDP, "acc-1", APP);
    const char *e = pairwise_of(w, OTHER_EDP, OTHER_EDP, "acc-1", APP);
    const char *f = pairwise_of(w, EDP, EDP, "acc-1", OTHER_APP);
    const struct {
        struct who as;
        const char *account, *found;
    } cases[] = {
        {AS_APP, "acc-1", ""},  {AS_APP, a, "a"},       {AS_APP, e, "e"},
        {AS_APP, f, ""},        {AS_OTHER_APP, f, "f"}, {AS_OTHER_APP, "acc-1", ""},
        {AS_APP, "acc-8", "h"}, {AS_OTHER_EDP, e, ""},  {AS_EDP, a, ""},
        {AS_AUDITOR, a, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span by_url = arena_format(&w->arena, "account=%s", cases[i].account);
        struct span paged = arena_format(&w->arena, "account=%s&limit=1", cases[i].account);
        struct span by_body = arena_format(&w->arena, "\"account\":\"%s\"", cases[i].account);
        assert_string_equal(list(w, &l, cases[i].as, by_url.data), cases[i].found);
        assert_string_equal(list(w, &l, cases[i].as, paged.data), cases[i].found);
        assert_string_equal(query(w, &l, cases[i].as, by_body.data), cases[i].found);
    }
}

/* What a member owns and what names it as a client, under the same text. Who sees a consent whole
 * knows its account by the tenant's id only. */
static void both_views_of_an_account_are_merged_in_creation_order(void **state) {
    struct world *w = *state;
    struct letters l = {0};
    const char *pairwise = pairwise_of(w, EDP, EDP, "acc-1", APP);
    const struct making makings[] = {
        {.account = "acc-1"},
        {.tenant = APP, .account = pairwise, .client = FSP},
        {.account = "acc-1", .resource = "m"},
        {.tenant = APP, .account = pairwise, .client = OTHER_APP},
        {.account = "acc-2"},
        {.account = "acc-2", .resource = "m"},
        {.tenant = APP, .account = pairwise, .client = APP},
        {.account = "acc-1", .license = COMBINED},
    };
    for (int i = 0; i < 8; i++) {
        keep(&l, i, make(w, makings[i]));
    }
    for (int limit = 1; limit <= 9; limit++) {
        struct span text = arena_format(&w->arena, "account=%s&limit=%d", pairwise, limit);
        assert_string_equal(list(w, &l, AS_APP, text.data), "abcdgh");
        struct reply reply =
            get(w, AS_APP, arena_format(&w->arena, "/v1/consents?%s", text.data).data);
        json_t *page = json_of(&reply);
        assert_true(json_array_size(json_object_get(page, "items")) <= (size_t)limit);
        json_decref(page);
    }
    keep(&l, 0, make(w, (struct making){.tenant = APP, .account = "own", .client = APP}));
    const char *own = pairwise_of(w, APP, APP, "own", APP);
    assert_string_equal(list(w, &l, AS_APP, arena_format(&w->arena, "account=%s", own).data), "");
    assert_string_equal(list(w, &l, AS_APP, "account=own"), "a");
}

static void a_client_cannot_ask_for_what_it_does_not_see(void **state) {
    struct world *w = *state;
    struct letters l = populate(w);
    assert_string_equal(list(w, &l, AS_APP, "externalId=a-1"), "");
    assert_string_equal(list(w, &l, AS_APP, "externalId=x"), "");
    assert_string_equal(query(w, &l, AS_APP, "\"externalId\":\"x\""), "");
    const char *account = pairwise_of(w, EDP, EDP, "acc-1", APP);
    const char *both = arena_format(&w->arena, "externalId=a-1&account=%s", account).data;
    assert_string_equal(list(w, &l, AS_APP, both), "");
}

static void each_item_is_shown_as_its_relation_allows(void **state) {
    struct world *w = *state;
    (void)populate(w);
    struct reply reply = get(w, AS_APP, "/v1/consents");
    json_t *page = json_of(&reply);
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(page, "items"), i, item) {
        bool own = strcmp(text_in(item, "tenant"), APP) == 0;
        bool granted = json_object_get(item, "grant") != NULL;
        const json_t *by = json_object_get(json_object_get(item, "grant"), "by");
        assert_int_equal(by != NULL, own && granted);
    }
    assert_int_equal(i, 6);
    json_decref(page);
}

static void what_is_not_understood_is_refused(void **state) {
    struct world *w = *state;
    static const char *const URLS[] = {
        "limit=0",           "limit=501",       "limit=",          "status=nothing",
        "status=",           "unknown",         "unknown=1",       "=1",
        "client=",           "account=%zz",     "account=%",       "account=%ff",
        "client=a&client=b", "externalId=%00",  ("tenant=" EDP),   "status[]=active",
        "Account=a",         "arrangementId=1", "grantedTo=today", "status=active&status=active",
        "after=1",
    };
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        struct reply reply =
            get(w, AS_EDP, arena_format(&w->arena, "/v1/consents?%s", URLS[i]).data);
        assert_problem(&reply, 400, "invalid-parameter");
        assert_string_equal(header_of(&reply, "link"), "");
    }
    /* Invariant 10: what a caller wrote instead of a parameter could be anything. */
    struct reply reply = get(w, AS_EDP, "/v1/consents?alice%40example.com=1");
    assert_problem(&reply, 400, "invalid-parameter");
    assert_null(strstr(reply.body.data, "alice"));
    assert_non_null(strstr(reply.body.data, "arrangementId"));
}

static void a_body_is_refused_with_a_pointer(void **state) {
    struct world *w = *state;
    static const struct {
        const char *body, *problem, *pointer;
    } CASES[] = {
        {"{\"limit\":0}", "invalid-body", "/limit"},
        {"{\"limit\":501}", "invalid-body", "/limit"},
        {"{\"limit\":\"5\"}", "invalid-body", "/limit"},
        {"{\"status\":\"active\"}", "invalid-body", "/status"},
        {"{\"status\":[]}", "invalid-body", "/status"},
        {"{\"status\":[\"active\",\"nothing\"]}", "invalid-body", "/status/1"},
        {"{\"status\":[\"active\",\"active\"]}", "invalid-body", "/status/1"},
        {"{\"status\":[1]}", "invalid-body", "/status/0"},
        {"{\"arrangementId\":\"1\"}", "invalid-body", "/arrangementId"},
        {"{\"grantedFrom\":1}", "invalid-body", "/grantedFrom"},
        {"{\"client\":null}", "invalid-body", "/client"},
        {"{\"client\":\"\"}", "invalid-body", "/client"},
        {"{\"cursor\":\"x\"}", "invalid-body", "/cursor"},
        {"{\"colour\":\"red\"}", "unknown-member", "/colour"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct reply reply = ask(w, (struct asking){.as = AS_EDP,
                                                    .method = "POST",
                                                    .target = "/v1/consents/query",
                                                    .body = CASES[i].body});
        assert_problem(&reply, 400, CASES[i].problem);
        json_t *json = json_of(&reply);
        json_t *errors = json_object_get(json, "errors");
        assert_int_equal(json_array_size(errors), 1);
        assert_string_equal(text_in(json_array_get(errors, 0), "pointer"), CASES[i].pointer);
        json_decref(json);
    }
    struct reply reply = ask(w, (struct asking){.as = AS_EDP,
                                                .method = "POST",
                                                .target = "/v1/consents/query?limit=1",
                                                .body = "{}"});
    assert_problem(&reply, 400, "invalid-parameter");
    reply =
        ask(w, (struct asking){
                   .as = AS_EDP, .method = "POST", .target = "/v1/consents/query", .body = "["});
    assert_problem(&reply, 400, "malformed-json");
    reply =
        ask(w, (struct asking){
                   .as = AS_EDP, .method = "POST", .target = "/v1/consents/query", .body = "[]"});
    assert_problem(&reply, 400, "invalid-body");
}

static void a_query_needs_a_scope_for_reading(void **state) {
    struct world *w = *state;
    struct reply reply = get(w, AS_ADMIN, "/v1/consents");
    assert_problem(&reply, 403, "insufficient-scope");
    reply = get(w, (struct who){.id = EDP, .scope = "consents:write"}, "/v1/consents");
    assert_problem(&reply, 403, "insufficient-scope");
    reply = get(w, AS_NOBODY, "/v1/consents");
    assert_problem(&reply, 401, "unauthenticated");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_filter_finds_exactly_what_it_says),
        TEST(a_body_asks_for_the_same_as_a_url),
        TEST(each_viewer_sees_its_own),
        TEST(a_client_finds_accounts_by_their_pairwise_id_only),
        TEST(both_views_of_an_account_are_merged_in_creation_order),
        TEST(a_client_cannot_ask_for_what_it_does_not_see),
        TEST(each_item_is_shown_as_its_relation_allows),
        TEST(what_is_not_understood_is_refused),
        TEST(a_body_is_refused_with_a_pointer),
        TEST(a_query_needs_a_scope_for_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
