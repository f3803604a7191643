/* What was disclosed, as auditors find it: every filter, pages and lines, and what others see. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_disclosing.h"

#define LATER "2026-03-13T10:00:00Z"
#define OF(account, client, more)                                                               \
    "{\"account\":\"" account "\",\"client\":\"" client "\",\"recipient\":\"" client "\"," DATA \
    "," more "}"

/* Entries: 3 and 4 right, of two clients; 5 wrong, a day later; 6 of no consent; 7 a stranger's. */
static void record_some(struct world *w) {
    json_decref(created(w, GRANTED));
    json_decref(created(w, "{\"client\":\"" OTHER_APP "\",\"license\":\"" CONSUMPTION
                           "\",\"account\":\"acc-2\",\"grant\":" GRANT "}"));
    json_decref(disclosed(w, OF("acc-1", APP, TRANSFER("tx-1"))));
    json_decref(
        disclosed(w, OF("acc-2", OTHER_APP, "\"transferStepId\":\"step/1\"," TRANSFER("tx-2"))));
    world_set_time(w, LATER);
    json_decref(disclosed(w, OF("acc-1", APP,
                                "\"purposes\":[\"green-finance-eligibility\"],"
                                "\"transferStepId\":\"step/1\"," TRANSFER("tx-1"))));
    json_decref(disclosed(w, OF("acc-9", "https://n.example/new", TRANSFER("tx-1"))));
    json_decref(answered(disclose_as(w, AS_OTHER_EDP, OF("acc-1", APP, TRANSFER("tx-1"))), 201));
}

/* The log indexes of what is found, less that of the first, as digits. */
static void assert_found(struct world *w, struct who as, const char *query, const char *digits) {
    char found[16] = "";
    struct reply reply = get(w, as, arena_format(&w->arena, "/v1/disclosures%s", query).data);
    json_t *page = answered(reply, 200);
    const json_t *items = json_object_get(page, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_int_t index =
            json_integer_value(json_object_get(json_array_get(items, i), "logIndex"));
        found[i] = (char)('0' + index);
    }
    if (strcmp(found, digits) != 0) {
        fail_msg("%s: %s instead of %s", query, found, digits);
    }
    json_decref(page);
}

static void each_filter_finds_its_own(void **state) {
    static const struct {
        const char *query, *found;
    } cases[] = {
        {"", "4567"},
        {"?permitted=true", "45"},
        {"?permitted=false", "67"},
        {"?tenant=" EDP, "4567"},
        {"?tenant=" OTHER_EDP, ""},
        {"?provider=" EDP, "4567"},
        {"?client=" APP, "46"},
        {"?client=" OTHER_APP, "5"},
        {"?client=https://n.example/new", ""}, /* a name that only disclosures hold is no name */
        {"?license=" CONSUMPTION, "456"},
        {"?purpose=green-finance-eligibility", "6"},
        {"?account=acc-1", "46"},
        {"?account=acc-2", "5"},
        {"?account=acc-9", "7"},
        {"?account=acc-3", ""},
        {"?actor=" EDP, "4567"},
        {"?actor=" APP, ""},
        {"?reason=roleMissing", "6"}, /* the first of two */
        {"?reason=purposeNotPermitted", "6"},
        {"?reason=territory", ""},
        {"?reason=purposeNotPermitted&account=acc-2", ""},
        {"?reason=consentNotFound", "7"},
        {"?transaction=tx-1", "467"},
        {"?transaction=tx-1&permitted=false", "67"},
        {"?transaction=tx-1&stepId=step/1", "6"},
        {"?transaction=tx-3", ""},
        {"?stepId=step/1", "56"},
        {"?stepId=tx-1", ""},
        {"?from=2026-03-13T10:00Z", "67"},
        {"?to=2026-03-13T10:00Z", "45"},
        {"?from=2026-03-12T10:00Z&to=2026-03-12T10:00:00.001Z", "45"},
        {"?after=5", "67"},
        {"?limit=2", "45"},
        {"?limit=2&after=5", "67"},
    };
    struct world *w = *state;
    record_some(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_found(w, AS_AUDITOR, cases[i].query, cases[i].found);
    }
}

static void a_consents_disclosures_are_found_by_its_id(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_decref(created(w, "{\"client\":\"" OTHER_APP "\",\"license\":\"" CONSUMPTION
                           "\",\"account\":\"acc-1\",\"grant\":" GRANT "}"));
    const char *id = text_in(consent, "consentId");
    json_decref(disclosed(w, OF("acc-1", OTHER_APP, TRANSFER("tx-1"))));
    json_decref(disclosed(w, OF("acc-1", APP, TRANSFER("tx-1"))));
    assert_found(w, AS_AUDITOR, arena_format(&w->arena, "?consentId=%s", id).data, "5");
    assert_found(w, AS_AUDITOR, arena_format(&w->arena, "?consentId=%s&transaction=tx-1", id).data,
                 "5");
    assert_found(w, AS_AUDITOR, arena_format(&w->arena, "?consentId=%s&transaction=tx-2", id).data,
                 "");
    json_decref(consent);
}

/* Transactions of two tenants may have one name; an auditor of both says which is meant. */
static void a_transaction_is_its_tenants(void **state) {
    struct world *w = *state;
    record_some(w);
    assert_found(w, AS_EVERYBODYS_AUDITOR, "", "45678");
    assert_found(w, AS_EVERYBODYS_AUDITOR, "?transaction=tx-1&tenant=" EDP, "467");
    assert_found(w, AS_EVERYBODYS_AUDITOR, "?transaction=tx-1&tenant=" OTHER_EDP, "8");
    static const char *const wrong[] = {
        "/v1/disclosures?transaction=tx-1", "/v1/disclosures?stepId=step/1",
        "/v1/audit/events?transaction=tx-1", "/v1/audit/events?stepId=step/1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reply reply = get(w, AS_EVERYBODYS_AUDITOR, wrong[i]);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    json_t *page = answered(
        get(w, AS_AUDITOR, "/v1/audit/events?transaction=tx-1&type=disclosure.violation"), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
    json_decref(page);
}

/* Entries whose payloads must be looked into count for more: a page gives up early, and goes on. */
static void a_search_in_payloads_is_bounded(void **state) {
    enum { BATCH = 1000, LOOKS = LIMIT_WALK / 9 };
    struct world *w = *state;
    struct buffer body = {0};
    buffer_append_text(&body, "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                              "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":"
                              "\"account\",\"id\":\"nobody\"},\"evaluations\":[{}");
    for (int i = 1; i < BATCH; i++) {
        buffer_append_text(&body, ",{}");
    }
    buffer_append_text(&body, "]}");
    buffer_append(&body, "", 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post(w, AS_EDP, "/access/v1/evaluations", body.data).status, 200);
    }
    buffer_release(&body);
    const char *target = "/v1/audit/events?reason=territory";
    json_t *page = answered(get(w, AS_AUDITOR, target), 200);
    json_int_t next = json_integer_value(json_object_get(page, "next"));
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    assert_true(next >= LOOKS && next <= LOOKS + 3); /* entries before the tenant's first */
    json_decref(page);
    target = arena_format(&w->arena, "%s&after=%lld", target, next).data;
    page = answered(get(w, AS_AUDITOR, target), 200);
    assert_null(json_object_get(page, "next"));
    json_decref(page);

    /* an account has an index: nothing is looked into that is not about it */
    page = answered(get(w, AS_AUDITOR, "/v1/audit/events?account=somebody"), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    assert_null(json_object_get(page, "next"));
    json_decref(page);
    page = answered(
        get(w, AS_AUDITOR, "/v1/audit/events?account=nobody&limit=500&reason=consentNotFound"),
        200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 500);
    json_decref(page);
}

static void an_item_is_what_was_answered(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    struct reply reply = disclose_as(w, AS_EDP, DISCLOSED);
    assert_int_equal(reply.status, 201);
    struct reply page = get(w, AS_AUDITOR, "/v1/disclosures?limit=1");
    assert_string_equal(page.body.data,
                        arena_format(&w->arena, "{\"items\":[%s]}", reply.body.data).data);
    assert_string_equal(header_of(&page, "cache-control"), "private, no-cache");
    assert_string_equal(header_of(&page, "vary"), "Accept");
}

static void pages_go_on_where_they_ended(void **state) {
    struct world *w = *state;
    record_some(w);
    struct reply reply = get(w, AS_AUDITOR, "/v1/disclosures?limit=1&permitted=false");
    json_t *page = answered(reply, 200);
    assert_int_equal(json_integer_value(json_object_get(page, "next")), 6);
    assert_string_equal(header_of(&reply, "link"),
                        "</v1/disclosures?limit=1&permitted=false&after=6>; rel=\"next\"");
    json_decref(page);
}

static void lines_are_the_items(void **state) {
    struct world *w = *state;
    record_some(w);
    struct reply lines = ask(w, (struct asking){.as = AS_AUDITOR,
                                                .target = "/v1/disclosures?transaction=tx-1",
                                                .header = "accept",
                                                .value = "application/x-ndjson"});
    assert_int_equal(lines.status, 200);
    assert_true(lines.streamed);
    assert_string_equal(header_of(&lines, "content-type"), "application/x-ndjson");
    struct reply page = get(w, AS_AUDITOR, "/v1/disclosures?transaction=tx-1");
    struct buffer joined = {0};
    buffer_append_text(&joined, "{\"items\":[");
    for (size_t i = 0; i < lines.body.size; i++) {
        char c = lines.body.data[i];
        bool last = i + 1 == lines.body.size;
        if (c != '\n' || !last) {
            buffer_append(&joined, c == '\n' ? "," : &c, 1);
        }
    }
    buffer_append_text(&joined, "]}");
    buffer_append(&joined, "", 1);
    assert_string_equal(page.body.data, joined.data);
    buffer_release(&joined);
}

static void only_auditors_read_them(void **state) {
    struct world *w = *state;
    record_some(w);
    struct who others[] = {AS_EDP, AS_APP, AS_ADMIN};
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = get(w, others[i], "/v1/disclosures");
        assert_problem(&reply, 403, "insufficient-scope");
    }
    assert_found(w, (struct who){.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP}, "", "8");
}

static void a_parameter_is_understood_or_refused(void **state) {
    static const char *const wrong[] = {
        "permitted=yes",  "permitted=",   "permitted=true&permitted=true",
        "type=block.set", "transaction=", "stepId=",
        "limit=0",        "limit=501",    "after=x",
        "consentId=7",    "from=today",   "cursor=x"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reply reply =
            get(w, AS_AUDITOR, arena_format(&w->arena, "/v1/disclosures?%s", wrong[i]).data);
        assert_problem(&reply, 400, "invalid-parameter");
    }
    char most[LIMIT_TRANSACTION + 2] = "";
    memset(most, 'x', LIMIT_TRANSACTION + 1);
    struct reply reply =
        get(w, AS_AUDITOR, arena_format(&w->arena, "/v1/disclosures?transaction=%s", most).data);
    assert_problem(&reply, 400, "invalid-parameter");
    reply = get(w, AS_AUDITOR,
                arena_format(&w->arena, "/v1/disclosures?transaction=%s", most + 1).data);
    assert_int_equal(reply.status, 200);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(each_filter_finds_its_own),
        IN_A_WORLD(a_consents_disclosures_are_found_by_its_id),
        IN_A_WORLD(a_transaction_is_its_tenants),
        IN_A_WORLD(a_search_in_payloads_is_bounded),
        IN_A_WORLD(an_item_is_what_was_answered),
        IN_A_WORLD(pages_go_on_where_they_ended),
        IN_A_WORLD(lines_are_the_items),
        IN_A_WORLD(only_auditors_read_them),
        IN_A_WORLD(a_parameter_is_understood_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
