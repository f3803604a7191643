/* Recording disclosures: what is read, what is stored of it, who may, and keys that make the second
 * request the first. How they are judged is test_api_disclosure_judged.c's matter. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_disclosing.h"

#define EVERYTHING                                                                    \
    "\"recipient\":\"" APP "\",\"permissions\":[\"" HALFHOURLY "\",\"tariff\"],"      \
    "\"purposes\":[\"estimate-emissions\",\"decarbonisation-recommendations\"],"      \
    "\"resources\":[\"m1\",\"m \\u0001 2\"],\"from\":\"2026-01-01T00:00:00.000Z\","   \
    "\"to\":\"2026-03-01T00:00:00.000Z\",\"granularity\":\"PT30M\",\"records\":2832," \
    "\"at\":\"" T0_OUT "\",\"transaction\":\"tx/1 é\",\"transferStepId\":\"a+b/c\"," \
    "\"decisionId\":\"abc-1.7\""

static void the_answer_is_what_was_said_and_what_came_of_it(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct reply reply = disclose_as(w, AS_EDP, of_consent(w, consent, EVERYTHING));
    json_t *disclosure = answered(reply, 201);
    const char *expected =
        arena_format(&w->arena,
                     "{\"logIndex\":3,\"recordedAt\":\"" T0_OUT "\",\"permitted\":true,"
                     "\"tenant\":\"" EDP "\",\"provider\":\"" EDP "\",\"consentId\":\"%s\","
                     "\"client\":\"" APP "\",\"license\":\"" CONSUMPTION "\","
                     "\"actor\":{\"role\":\"tenant\",\"clientId\":\"" EDP "\"},%s,"
                     "\"consentVersion\":1,\"reasons\":[]}",
                     text_in(consent, "consentId"), EVERYTHING)
            .data;
    assert_string_equal(reply.body.data, expected);
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_string_equal(header_of(&reply, "idempotency-replayed"), "");
    assert_string_equal(header_of(&reply, "location"), "");
    json_decref(disclosure);
    json_decref(consent);
}

/* As store/FORMAT.md has it. */
static void the_entry_holds_what_it_must(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *disclosure = disclosed(w, of_consent(w, consent, EVERYTHING));
    json_t *entry = entry_of(w, disclosure);
    json_t *payload = json_object_get(entry, "payload"), *body = json_object_get(payload, "body");
    static const char *const members[] = {"recipient",      "permissions",    "purposes",
                                          "resources",      "from",           "to",
                                          "granularity",    "records",        "at",
                                          "transaction",    "transferStepId", "decisionId",
                                          "consentVersion", "reasons",        "consentId",
                                          "policyDigest",   "idempotency"};
    const char *name;
    json_t *value;
    size_t i = 0;
    json_object_foreach(body, name, value) {
        assert_true(i < sizeof members / sizeof *members);
        assert_string_equal(name, members[i++]);
    }
    assert_int_equal(i, sizeof members / sizeof *members);
    assert_string_equal(text_in(entry, "event"), "disclosure.permitted");
    assert_string_equal(text_in(payload, "consentId"), text_in(consent, "consentId"));
    assert_string_equal(text_in(body, "consentId"), text_in(consent, "consentId"));
    assert_int_equal(strlen(text_in(body, "policyDigest")), 64);
    assert_int_equal(strlen(text_in(json_object_get(body, "idempotency"), "key")), 22);
    assert_null(json_object_get(entry, "personal"));
    assert_null(json_object_get(payload, "seq"));
    json_decref(entry);
    json_decref(disclosure);
    json_decref(consent);
}

static void the_account_stands_in_the_personal_part_alone(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    static const char *const accounts[] = {"acc-1", "acc-9"}; /* the second has no consent */
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        const char *body = arena_format(&w->arena,
                                        "{\"account\":\"%s\",\"client\":\"" APP "\"," TO_APP
                                        "," DATA "," TRANSFER("tx-1") "}",
                                        accounts[i])
                               .data;
        json_t *disclosure = disclosed(w, body);
        assert_string_equal(text_in(disclosure, "account"), accounts[i]);
        assert_null(json_object_get(disclosure, "accountKey"));
        json_t *entry = entry_of(w, disclosure);
        char *payload = json_dumps(json_object_get(entry, "payload"), 0);
        assert_null(strstr(payload, accounts[i]));
        assert_int_equal(strlen(text_in(json_object_get(json_object_get(entry, "payload"), "body"),
                                        "accountKey")),
                         22);
        assert_string_equal(text_in(json_object_get(entry, "personal"), "account"), accounts[i]);
        assert_int_equal(json_object_size(json_object_get(entry, "personal")), 1);
        free(payload);
        json_decref(entry);
        json_decref(disclosure);
    }
}

/* What the caller asked about is shown where no consent answers; the consent where one does. */
static void whose_data_they_were_is_always_shown(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *disclosure = disclosed(w, DISCLOSED);
    assert_string_equal(text_in(disclosure, "consentId"), text_in(consent, "consentId"));
    assert_string_equal(text_in(disclosure, "client"), APP);
    json_decref(disclosure);
    disclosure = disclosed(w, "{\"account\":\"acc-1\",\"client\":\"https://n.example/new\"," TO_APP
                              "," DATA "," TRANSFER("tx-1") "}");
    assert_judged(disclosure, "consentNotFound");
    assert_string_equal(text_in(disclosure, "client"), "https://n.example/new");
    assert_null(json_object_get(disclosure, "consentId"));
    json_decref(disclosure);
    disclosure = disclosed(w, "{\"consentId\":\"019ecaa7-fb38-7c41-8d27-6f0a92b1c35e\"," TO_APP
                              "," DATA "," TRANSFER("tx-1") "}");
    assert_judged(disclosure, "consentNotFound");
    assert_string_equal(text_in(disclosure, "consentId"), "019ecaa7-fb38-7c41-8d27-6f0a92b1c35e");
    assert_null(json_object_get(disclosure, "client"));
    json_decref(disclosure);
    json_decref(consent);
}

/* ---- refused */

static void everything_that_is_wrong_is_named(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct reply reply = disclose_as(w, AS_EDP, "{\"colour\":1}");
    assert_errors(&reply, "invalid-body",
                  "/colour /account /client /recipient /permissions /resources /from /to /at "
                  "/transaction");
    reply = disclose_as(w, AS_EDP, "[]");
    assert_errors(&reply, "invalid-body", "");
    reply = disclose_as(w, AS_EDP, "{");
    assert_problem(&reply, 400, "malformed-json");
    reply = disclose_as(w, AS_EDP,
                        "{\"colour\":1," BY_ACCOUNT("a") "," TO_APP "," DATA "," TRANSFER("t") "}");
    assert_errors(&reply, "unknown-member", "/colour");
    assert_int_equal(entries(w), before);
}

/* Each has one thing wrong. */
static void each_rule_of_a_member_is_kept(void **state) {
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{\"consentId\":\"x\"," TO_APP "," DATA "," TRANSFER("t") "}", "/consentId"},
        {"{\"consentId\":\"019ecaa7-fb38-7c41-8d27-6f0a92b1c35e\",\"account\":\"a\"," TO_APP
         "," DATA "," TRANSFER("t") "}",
         ""},
        {"{\"consentId\":\"019ecaa7-fb38-7c41-8d27-6f0a92b1c35e\",\"client\":\"" APP "\"," TO_APP
         "," DATA "," TRANSFER("t") "}",
         ""},
        {"{\"client\":\"" APP "\"," TO_APP "," DATA "," TRANSFER("t") "}", "/account"},
        {"{\"account\":\"a\"," TO_APP "," DATA "," TRANSFER("t") "}", "/client"},
        {"{\"account\":\"a\",\"client\":\"app\"," TO_APP "," DATA "," TRANSFER("t") "}", "/client"},
        {"{" BY_ACCOUNT("a") ",\"recipient\":\"bank\"," DATA "," TRANSFER("t") "}", "/recipient"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"at\":\"today\",\"transaction\":\"t\"}", "/at"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA "," TRANSFER("") "}", "/transaction"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"purposes\":[]," TRANSFER("t") "}",
         "/purposes"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"purposes\":[\"p\",\"p\"]," TRANSFER("t") "}",
         "/purposes/1"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"granularity\":\"often\"," TRANSFER("t") "}",
         "/granularity"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"records\":-1," TRANSFER("t") "}", "/records"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"records\":9007199254740992," TRANSFER("t") "}",
         "/records"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"records\":1.5," TRANSFER("t") "}", "/records"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"decisionId\":7," TRANSFER("t") "}",
         "/decisionId"},
        {"{" BY_ACCOUNT("a") "," TO_APP "," DATA ",\"transferStepId\":\"\"," TRANSFER("t") "}",
         "/transferStepId"},
        {"{" BY_ACCOUNT(
             "a") "," TO_APP ",\"permissions\":\"tariff\",\"resources\":[\"m\"],"
                  "\"from\":\"2026-01-01T00:00Z\",\"to\":\"2026-03-01T00:00Z\"," TRANSFER("t") "}",
         "/permissions"},
        {"{" BY_ACCOUNT(
             "a") "," TO_APP ",\"permissions\":[\"tariff\"],\"resources\":[],"
                  "\"from\":\"2026-01-01T00:00Z\",\"to\":\"2026-03-01T00:00Z\"," TRANSFER("t") "}",
         "/resources"},
        {"{" BY_ACCOUNT("a") "," TO_APP ",\"permissions\":[\"tariff\"],\"resources\":[\"m\"],"
                             "\"from\":7,\"to\":\"2026-03-01T00:00Z\"," TRANSFER("t") "}",
         "/from"},
    };
    struct world *w = *state;
    uint64_t before = entries(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = disclose_as(w, AS_EDP, cases[i].body);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    assert_int_equal(entries(w), before);
}

/* count distinct strings of size bytes each, quoted and separated. */
static const char *strings(struct world *w, size_t count, size_t size) {
    struct buffer list = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(&list, "%s\"%0*zu\"", i != 0 ? "," : "", (int)size, i);
    }
    const char *kept_list = arena_copy(&w->arena, buffer_span(&list)).data;
    buffer_release(&list);
    return kept_list;
}

static const char *text(struct world *w, size_t size) {
    struct buffer out = {0};
    while (out.size < size) {
        buffer_append_text(&out, "x");
    }
    const char *kept_text = arena_copy(&w->arena, buffer_span(&out)).data;
    buffer_release(&out);
    return kept_text;
}

struct sizes {
    size_t account, permissions, permission, purposes, resources, resource;
    size_t transaction, step, decision, recipient;
};

static struct reply disclose_sized(struct world *w, struct sizes s) {
    return disclose_as(
        w, AS_EDP,
        arena_format(&w->arena,
                     "{\"account\":\"%s\",\"client\":\"" APP "\",\"recipient\":\"u:%s\","
                     "\"permissions\":[%s],\"purposes\":[%s],\"resources\":[%s],"
                     "\"from\":\"2026-01-01T00:00Z\",\"to\":\"2026-03-01T00:00Z\","
                     "\"at\":\"" T0 "\",\"transaction\":\"%s\",\"transferStepId\":\"%s\","
                     "\"decisionId\":\"%s\"}",
                     text(w, s.account), text(w, s.recipient - 2),
                     strings(w, s.permissions, s.permission), strings(w, s.purposes, 3),
                     strings(w, s.resources, s.resource), text(w, s.transaction), text(w, s.step),
                     text(w, s.decision))
            .data);
}

static void a_limit_is_reached_and_not_passed(void **state) {
    struct world *w = *state;
    const struct sizes most = {.account = LIMIT_ACCOUNT,
                               .permissions = 1,
                               .permission = LIMIT_URL,
                               .purposes = LIMIT_SET,
                               .resources = LIMIT_RESOURCES,
                               .resource = LIMIT_RESOURCE,
                               .transaction = LIMIT_TRANSACTION,
                               .step = LIMIT_TRANSACTION,
                               .decision = STORE_ENTRY_ID_MAX - 1,
                               .recipient = LIMIT_URL};
    static const struct {
        size_t member;
        const char *pointer;
    } cases[] = {
        {offsetof(struct sizes, account), "/account"},
        {offsetof(struct sizes, permission), "/permissions/0"},
        {offsetof(struct sizes, purposes), "/purposes"},
        {offsetof(struct sizes, resources), "/resources"},
        {offsetof(struct sizes, transaction), "/transaction"},
        {offsetof(struct sizes, step), "/transferStepId"},
        {offsetof(struct sizes, decision), "/decisionId"},
        {offsetof(struct sizes, recipient), "/recipient"},
    };
    json_decref(answered(disclose_sized(w, most), 201));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sizes over = most;
        ++*(size_t *)((char *)&over + cases[i].member);
        struct reply reply = disclose_sized(w, over);
        assert_errors(&reply, "invalid-body", cases[i].pointer);
    }
    struct sizes one = most;
    one.resources = 1;
    one.resource++;
    struct reply reply = disclose_sized(w, one);
    assert_errors(&reply, "invalid-body", "/resources/0");
    one = most;
    one.permission = 8;
    one.permissions = LIMIT_SET;
    json_decref(answered(disclose_sized(w, one), 201));
    one.permissions++;
    reply = disclose_sized(w, one);
    assert_errors(&reply, "invalid-body", "/permissions");
}

/* Members as they are stored, of this size together; a control character takes six bytes. */
static const char *members_of_size(struct world *w, size_t size) {
    struct buffer out = {0};
    buffer_append_text(&out, TO_APP ",\"permissions\":[\"\\u0001\"],\"purposes\":[");
    const char *end = "],\"resources\":[\"m1\"],\"from\":\"2026-01-01T00:00:00.000Z\","
                      "\"to\":\"2026-03-01T00:00:00.000Z\"," TRANSFER("tx-1");
    size_t left = size - out.size - strlen(end);
    for (unsigned i = 0; left > 0; i++) {
        size_t code = left > 300 ? 250 : left - 2 - (i > 0); /* of `,"000…7"` */
        buffer_append_format(&out, "%s\"%0*u\"", i > 0 ? "," : "", (int)code, i);
        left = size - out.size - strlen(end);
    }
    buffer_append_text(&out, end);
    assert_int_equal(out.size, size);
    const char *members = arena_copy(&w->arena, buffer_span(&out)).data;
    buffer_release(&out);
    return members;
}

static void an_entry_holds_no_more_than_its_limit(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *most = disclosed(w, of_consent(w, consent, members_of_size(w, LIMIT_TERMS)));
    assert_judged(most, "purposeNotPermitted permissionNotPermitted");
    struct reply over =
        disclose_as(w, AS_EDP, of_consent(w, consent, members_of_size(w, LIMIT_TERMS + 1)));
    assert_errors(&over, "invalid-body", "");
    json_decref(most);
    json_decref(consent);
}

/* ---- who may */

static void scopes_and_headers_are_those_of_the_operation(void **state) {
    struct world *w = *state;
    uint64_t before = entries(w);
    struct sending sending = {
        .as = AS_AUDITOR, .target = "/v1/disclosures", .body = DISCLOSED, .key = "k"};
    struct reply reply = send(w, sending);
    assert_problem(&reply, 403, "insufficient-scope");
    sending.as = AS_NOBODY;
    reply = send(w, sending);
    assert_problem(&reply, 401, "unauthenticated");
    sending.as = AS_EDP;
    sending.key = NULL;
    reply = send(w, sending);
    assert_problem(&reply, 400, "missing-idempotency-key");
    sending.key = "k";
    sending.target = "/v1/disclosures?at=now";
    reply = send(w, sending);
    assert_problem(&reply, 400, "invalid-parameter");
    sending.target = "/v1/disclosures";
    sending.type = "text/plain";
    reply = send(w, sending);
    assert_problem(&reply, 415, "unsupported-media-type");
    sending.type = NULL;
    sending.truncated = true;
    reply = send(w, sending);
    assert_problem(&reply, 413, "body-too-large");
    sending.truncated = false;
    sending.accept = "text/html";
    reply = send(w, sending);
    assert_problem(&reply, 406, "not-acceptable");
    assert_int_equal(entries(w), before);
}

/* Invariant 9: another tenant's consent is none, and its log has nothing of it. */
static void a_stranger_records_in_its_own_log_alone(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    const char *body = of_consent(w, consent, TO_APP "," DATA "," TRANSFER("tx-1"));
    struct who strangers[] = {AS_OTHER_EDP, AS_OTHER_APP};
    for (size_t i = 0; i < 2; i++) {
        json_t *disclosure = answered(disclose_as(w, strangers[i], body), 201);
        assert_judged(disclosure, "consentNotFound");
        assert_string_equal(text_in(disclosure, "tenant"), strangers[i].id);
        assert_null(json_object_get(disclosure, "license"));
        assert_null(json_object_get(disclosure, "consentVersion"));
        json_decref(disclosure);
    }
    json_t *page = answered(get(w, AS_AUDITOR, "/v1/audit/events?type=disclosure.violation"), 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    json_decref(page);
    json_decref(consent);
}

/* ---- the same request twice */

static void the_same_key_and_body_answer_the_same(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    struct sending sending = {
        .as = AS_EDP, .target = "/v1/disclosures", .body = DISCLOSED, .key = "once"};
    struct reply first = send(w, sending);
    assert_int_equal(first.status, 201);
    uint64_t before = entries(w);
    world_set_time(w, "2026-03-13T09:00:00Z");
    struct reply again = send(w, sending);
    assert_int_equal(again.status, 201);
    assert_string_equal(again.body.data, first.body.data);
    assert_string_equal(header_of(&again, "idempotency-replayed"), "true");
    sending.body = "{" BY_ACCOUNT("acc-2") "," TO_APP "," DATA "," TRANSFER("tx-1") "}";
    again = send(w, sending);
    assert_problem(&again, 422, "idempotency-mismatch");
    assert_int_equal(entries(w), before);
}

/* Refusals are not remembered. */
static void a_refused_body_leaves_its_key_free(void **state) {
    struct world *w = *state;
    json_decref(created(w, GRANTED));
    struct sending sending = {.as = AS_EDP, .target = "/v1/disclosures", .body = "{}", .key = "k"};
    assert_int_equal(send(w, sending).status, 400);
    sending.body = DISCLOSED;
    assert_int_equal(send(w, sending).status, 201);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        IN_A_WORLD(the_answer_is_what_was_said_and_what_came_of_it),
        IN_A_WORLD(the_entry_holds_what_it_must),
        IN_A_WORLD(the_account_stands_in_the_personal_part_alone),
        IN_A_WORLD(whose_data_they_were_is_always_shown),
        IN_A_WORLD(everything_that_is_wrong_is_named),
        IN_A_WORLD(each_rule_of_a_member_is_kept),
        IN_A_WORLD(a_limit_is_reached_and_not_passed),
        IN_A_WORLD(an_entry_holds_no_more_than_its_limit),
        IN_A_WORLD(scopes_and_headers_are_those_of_the_operation),
        IN_A_WORLD(a_stranger_records_in_its_own_log_alone),
        IN_A_WORLD(the_same_key_and_body_answer_the_same),
        IN_A_WORLD(a_refused_body_leaves_its_key_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
