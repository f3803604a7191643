/* GET /v1/consents/{id}/events: what happened to a consent, for each kind of reader. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_reading.h"

static void assert_event(const json_t *page, size_t at, const char *event, const char *status,
                         const char *reason, const char *role) {
    const json_t *item = json_array_get(json_object_get(page, "items"), at);
    assert_string_equal(text_in(item, "event"), event);
    assert_string_equal(text_in(item, "status"), status);
    assert_string_equal(text_in(item, "reason"), reason);
    assert_string_equal(text_in(json_object_get(item, "actor"), "role"), role);
    assert_int_equal(json_integer_value(json_object_get(item, "version")), at + 1);
}

/* granted, token, proof, revoked; others' entries in between */
static struct store_consent make_history(struct world *w) {
    struct store_consent c = make(w, (struct making){.token_of = "t"});
    make(w, (struct making){.account = "another"});
    add_proofs(w, &c, "{\"type\":\"bill\"}");
    make(w, (struct making){.tenant = OTHER_EDP});
    world_set_time(w, "2026-03-13T00:00:00Z");
    return end(w, &c, "withdrawn", CONSENT_REVOKED, "\"text\":\"no\",\"ref\":\"person-2\"");
}

static void a_history_tells_the_tenant_everything_in_order(void **state) {
    struct world *w = *state;
    struct store_consent c = make_history(w);
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, "/events"));
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "link"), "");
    json_t *page = json_of(&reply);
    json_t *items = json_object_get(page, "items");
    assert_int_equal(json_array_size(items), 4);
    assert_int_equal(json_object_size(page), 1);
    assert_event(page, 0, "consent.granted", "active", "", "tenant");
    assert_event(page, 1, "consent.tokenAdded", "", "", "tenant");
    assert_event(page, 2, "consent.proofAdded", "", "", "tenant");
    assert_event(page, 3, "consent.revoked", "revoked", "withdrawn", "tenant");
    json_t *last = json_array_get(items, 3);
    assert_string_equal(text_in(last, "at"), "2026-03-13T00:00:00.000Z");
    assert_string_equal(text_in(json_object_get(last, "actor"), "clientId"), EDP);
    assert_int_equal(json_integer_value(json_object_get(last, "index")), c.last_entry);
    assert_string_equal(text_in(json_object_get(last, "payload"), "type"), "consent.revoked");
    assert_string_equal(text_in(json_object_get(last, "personal"), "ref"), "person-2");
    json_decref(page);
    struct reply auditor = get(w, AS_AUDITOR, path_of(w, &c.id, "/events"));
    assert_string_equal(auditor.body.data, reply.body.data);
}

static void a_history_tells_a_client_what_and_when_only(void **state) {
    struct world *w = *state;
    static const char *const KNOWN[] = {"index", "at",     "event", "version",
                                        "actor", "status", "reason"};
    struct store_consent c = make_history(w);
    struct reply reply = get(w, AS_APP, path_of(w, &c.id, "/events"));
    json_t *page = json_of(&reply);
    assert_event(page, 0, "consent.granted", "active", "", "tenant");
    assert_event(page, 3, "consent.revoked", "revoked", "withdrawn", "tenant");
    size_t i;
    json_t *item, *value;
    const char *name;
    json_array_foreach(json_object_get(page, "items"), i, item) {
        assert_int_equal(json_object_size(json_object_get(item, "actor")), 1);
        json_object_foreach(item, name, value) {
            bool known = false;
            for (size_t k = 0; k < sizeof KNOWN / sizeof KNOWN[0]; k++) {
                known = known || strcmp(name, KNOWN[k]) == 0;
            }
            assert_true(known);
        }
    }
    json_decref(page);
    assert_null(strstr(reply.body.data, "person"));
    assert_null(strstr(reply.body.data, "acc-1"));
}

static void a_history_is_read_page_by_page(void **state) {
    struct world *w = *state;
    struct store_consent c = make_history(w);
    struct reply whole_reply = get(w, AS_EDP, path_of(w, &c.id, "/events"));
    json_t *whole = json_of(&whole_reply);
    const char *target = path_of(w, &c.id, "/events?limit=1");
    size_t seen = 0;
    while (target != NULL) {
        struct reply reply = get(w, AS_EDP, target);
        json_t *page = json_of(&reply);
        json_t *items = json_object_get(page, "items");
        assert_int_equal(json_array_size(items), 1);
        assert_true(json_equal(json_array_get(items, 0),
                               json_array_get(json_object_get(whole, "items"), seen)));
        seen++;
        json_t *next = json_object_get(page, "next");
        assert_int_equal(next != NULL, seen < 4);
        target = NULL;
        if (next != NULL) {
            char more[64];
            snprintf(more, sizeof more, "/events?limit=1&after=%lld",
                     (long long)json_integer_value(next));
            target = path_of(w, &c.id, more);
            struct span link = arena_format(&w->arena, "<%s>; rel=\"next\"", target);
            assert_string_equal(header_of(&reply, "link"), link.data);
        }
        json_decref(page);
    }
    assert_int_equal(seen, 4);
    json_decref(whole);
}

static void a_history_of_another_tenant_does_not_exist(void **state) {
    struct world *w = *state;
    struct store_consent c = make_history(w);
    struct uuid unknown = c.id;
    unknown.bytes[UUID_SIZE - 1] ^= 1;
    struct reply there = get(w, AS_OTHER_EDP, path_of(w, &c.id, "/events"));
    struct reply nowhere = get(w, AS_OTHER_EDP, path_of(w, &unknown, "/events"));
    assert_problem(&there, 404, "not-found");
    assert_string_equal(there.body.data, nowhere.body.data);
    struct reply refused = get(w, AS_EDP, path_of(w, &c.id, "/events?type=consent.revoked"));
    assert_problem(&refused, 400, "invalid-parameter");
    refused = get(w, AS_EDP, path_of(w, &c.id, "/events?limit=0"));
    assert_problem(&refused, 400, "invalid-parameter");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_history_tells_the_tenant_everything_in_order),
        TEST(a_history_tells_a_client_what_and_when_only),
        TEST(a_history_is_read_page_by_page),
        TEST(a_history_of_another_tenant_does_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
