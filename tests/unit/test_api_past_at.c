/* GET /v1/audit/at: what was allowed at a time, under which words, and the entries that show it. */
// SPDX-License-Identifier: Apache-2.0
#include "store/inquiry.h"
#include "tests/unit/support_writing.h"

#define ASK \
    "/v1/audit/at?client=" APP "&account=acc-1&purpose=estimate-emissions&permissions=tariff"

static struct reply at_time(struct world *w, struct who as, const char *more) {
    return get(w, as, arena_format(&w->arena, ASK "%s", more).data);
}

/* The caller decrefs. */
static json_t *told(struct world *w, const char *more) {
    return answered(at_time(w, AS_AUDITOR, more), 200);
}

/* Codes of the reasons, then what the evidence shows with indexes: "notActive | policy 1, grant 2".
 */
static void assert_told(struct world *w, const char *more, const char *expected) {
    struct buffer said = {0};
    json_t *answer = told(w, more);
    const json_t *reasons = json_object_get(answer, "reasons");
    const json_t *evidence = json_object_get(answer, "evidence");
    assert_int_equal(json_is_true(json_object_get(answer, "decision")),
                     json_array_size(reasons) == 0);
    for (size_t i = 0; i < json_array_size(reasons); i++)
        buffer_append_format(&said, "%s ", text_in(json_array_get(reasons, i), "code"));
    buffer_append_text(&said, "|");
    for (size_t i = 0; i < json_array_size(evidence); i++) {
        const json_t *entry = json_array_get(evidence, i);
        buffer_append_format(&said, " %s %d %s", text_in(entry, "shows"),
                             (int)json_integer_value(json_object_get(entry, "index")),
                             text_in(entry, "event"));
    }
    buffer_append(&said, "", 1);
    assert_string_equal(said.data, expected);
    buffer_release(&said);
    json_decref(answer);
}

#define POLICY "| policy 1 policy.activated"

static void each_time_has_its_answer_and_its_entries(void **state) {
    struct world *w = *state;
    world_set_time(w, "2026-03-12T12:00:00Z");
    json_t *consent = created(w, GRANTED);
    world_set_time(w, "2026-03-13T12:00:00Z");
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    world_set_time(w, "2026-03-14T12:00:00Z");
    assert_told(w, "&time=2026-03-12T11:59:59Z", "consentNotFound " POLICY);
    assert_told(w, "&time=2026-03-12T12:00:00Z", POLICY " grant 2 consent.granted");
    assert_told(w, "&time=2026-03-13T11:59:59.999Z", POLICY " grant 2 consent.granted");
    assert_told(w, "&time=2026-03-13T12:00:00Z",
                "notActive " POLICY " grant 2 consent.granted status 3 consent.revoked");
    json_decref(consent);
}

static void it_tells_the_words_the_policy_and_the_place(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct reply shown = get(w, AS_AUDITOR, at(w, consent, ""));
    json_t *as_shown = json_of(&shown);
    world_set_time(w, "2026-03-13T12:00:00Z");
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    json_t *answer = told(w, "&time=2026-03-13T11:00:00.000Z");
    assert_string_equal(text_in(answer, "time"), "2026-03-13T11:00:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(answer, "position")), 3);
    assert_string_equal(text_in(answer, "tenant"), EDP);
    assert_string_equal(text_in(answer, "client"), APP);
    assert_true(json_equal(json_object_get(answer, "consent"), as_shown));
    assert_string_equal(text_in(json_object_get(answer, "notice"), "renderedDigest"), DIGEST_1);
    assert_string_equal(text_in(json_object_get(answer, "notice"), "url"), "https://n.example/1");
    assert_string_equal(text_in(json_object_get(answer, "notice"), "language"), "en");
    assert_string_equal(text_in(json_object_get(answer, "license"), "url"), CONSUMPTION);
    assert_string_not_equal(text_in(json_object_get(answer, "license"), "title"), "");
    const json_t *policy = json_object_get(answer, "policy");
    assert_string_equal(text_in(policy, "version"), "2026-03-12");
    assert_string_equal(text_in(policy, "digest"),
                        text_in(json_object_get(as_shown, "policy"), "digest"));
    assert_int_equal(json_integer_value(json_object_get(policy, "logIndex")), 1);
    json_decref(answer);
    json_decref(as_shown);
    json_decref(consent);
}

static void a_purpose_that_is_not_stated_tells_the_open_ones(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *answer =
        answered(get(w, AS_AUDITOR, "/v1/audit/at?client=" APP "&account=acc-1&time=" T0), 200);
    assert_true(json_is_true(json_object_get(answer, "decision")));
    assert_int_equal(json_array_size(json_object_get(answer, "purposes")), 5);
    assert_true(json_is_false(json_object_get(answer, "purposeStated")));
    assert_true(json_array_size(json_object_get(answer, "permissions")) >= 3);
    json_decref(answer);
    json_decref(consent);
}

static void every_part_of_a_question_counts(void **state) {
    static const struct {
        const char *more, *reasons;
    } cases[] = {
        {"&resources=m1", ""},
        {"&resources=m1&resources=m2", "resourceNotPermitted "},
        {"", "resourceNotPermitted "},
        {"&resources=m1&granularity=PT15M", "granularityTooFine "},
        {"&resources=m1&permissions=meter.identity", "permissionNotPermitted "},
        {"&resources=m1&from=2025-04-01T00:00Z&to=2025-05-01T00:00Z", ""},
        {"&resources=m1&from=2020-01-01T00:00Z", "outsideDataWindow "},
        {"&resources=m1&license=" EMISSIONS, "licenseNotAvailable "},
        {"&resources=m1&roles=https://registry.core.trust.ib1.org/scheme/perseus/role/"
         "carbon-accounting-provider",
         ""},
        {"&resources=m1&roles=https://nobody.example/role", "roleMissing "},
        {"&resources=m1&territory=GB", ""},
        {"&resources=m1&territory=FR", "territory "},
        {"&resources=m1&onwardRecipient=" FSP, "permissionNotPermitted recipientNotNamed "},
    };
    struct world *w = *state;
    json_t *consent =
        created(w, "{" PARTIES ",\"account\":\"acc-1\",\"permissions\":[{\"code\":"
                   "\"gas.import.halfhourly\",\"resources\":[\"m1\"]}],\"grant\":" GRANT "}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *target =
            arena_format(&w->arena,
                         "/v1/audit/at?client=" APP "&consentId=%s&time=" T0
                         "&purpose=estimate-emissions&permissions=gas.import.halfhourly%s",
                         text_in(consent, "consentId"), cases[i].more)
                .data;
        json_t *answer = answered(get(w, AS_AUDITOR, target), 200);
        struct buffer said = {0};
        const json_t *reasons = json_object_get(answer, "reasons");
        for (size_t k = 0; k < json_array_size(reasons); k++)
            buffer_append_format(&said, "%s ", text_in(json_array_get(reasons, k), "code"));
        buffer_append(&said, "", 1);
        assert_string_equal(said.data, cases[i].reasons);
        buffer_release(&said);
        json_decref(answer);
    }
    json_decref(consent);
}

static const char *pairwise_of(struct world *w, const json_t *consent) {
    struct reply reply = get(w, AS_APP, at(w, consent, ""));
    json_t *seen = json_of(&reply);
    const char *account = arena_copy(&w->arena, span_of_text(text_in(seen, "account"))).data;
    json_decref(seen);
    return account;
}

static struct reply by_pairwise(struct world *w, struct who as, const char *account,
                                const char *time) {
    return get(w, as,
               arena_format(&w->arena,
                            "/v1/audit/at?client=" APP "&account=%s&purpose=estimate-emissions"
                            "&permissions=tariff&time=%s",
                            account, time)
                   .data);
}

/* As a provenance record names it: the account as the client knows it, the second of the grant. */
static void a_pairwise_account_is_found_in_the_second_of_its_grant(void **state) {
    struct world *w = *state;
    world_set_time(w, "2026-03-12T12:00:00.250Z");
    json_t *other = created(w, "{" PARTIES ",\"account\":\"acc-2\",\"grant\":" GRANT "}");
    json_t *consent = created(w, GRANTED);
    const char *account = pairwise_of(w, consent);
    world_set_time(w, "2026-03-15T12:00:00Z");
    struct who auditors[] = {AS_AUDITOR, AS_EVERYBODYS_AUDITOR};
    for (int i = 0; i < 2; i++) {
        json_t *answer =
            answered(by_pairwise(w, auditors[i], account, "2026-03-12T12:00:00Z"), 200);
        assert_true(json_is_true(json_object_get(answer, "decision")));
        assert_string_equal(text_in(json_object_get(answer, "consent"), "consentId"),
                            text_in(consent, "consentId"));
        assert_string_equal(text_in(answer, "tenant"), EDP);
        json_decref(answer);
    }
    struct reply exact = by_pairwise(w, AS_EVERYBODYS_AUDITOR, account, "2026-03-12T12:00:00.250Z");
    assert_int_equal(exact.status, 200);
    /* or the second in which a person said so, two hours before it was recorded */
    for (int i = 0; i < 2; i++) {
        json_t *answer = answered(by_pairwise(w, auditors[i], account, T0), 200);
        assert_true(json_is_true(json_object_get(answer, "decision")));
        assert_string_equal(text_in(json_object_get(answer, "consent"), "consentId"),
                            text_in(consent, "consentId"));
        assert_string_equal(text_in(answer, "time"), "2026-03-12T12:00:00.250Z");
        json_decref(answer);
    }
    struct reply before = by_pairwise(w, AS_EVERYBODYS_AUDITOR, account, "2026-03-12T09:59:59Z");
    assert_problem(&before, 400, "invalid-parameter");
    /* at any other time it is an account that nobody has: whose, cannot be known */
    struct reply later = by_pairwise(w, AS_EVERYBODYS_AUDITOR, account, "2026-03-13T12:00:00Z");
    assert_problem(&later, 400, "invalid-parameter");
    later = by_pairwise(w, AS_AUDITOR, account, "2026-03-13T12:00:00Z");
    json_t *answer = answered(later, 200);
    assert_true(json_is_false(json_object_get(answer, "decision")));
    json_decref(answer);
    /* another's grants are not looked through */
    struct who foreign = {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP};
    answer = answered(by_pairwise(w, foreign, account, T0), 200);
    assert_null(json_object_get(answer, "consent"));
    json_decref(answer);
    answer = answered(by_pairwise(w, foreign, account, "2026-03-12T12:00:00Z"), 200);
    assert_true(json_is_false(json_object_get(answer, "decision")));
    assert_string_equal(text_in(answer, "tenant"), OTHER_EDP);
    assert_null(json_object_get(answer, "consent"));
    json_decref(answer);
    json_decref(other);
    json_decref(consent);
}

static void a_block_is_shown_while_it_held(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    for (int lift = 0; lift < 2; lift++) {
        world_set_time(w, lift == 0 ? "2026-03-13T00:00:00Z" : "2026-03-14T00:00:00Z");
        struct store_change *change = change_for(w, lift ? STORE_UNBLOCK : STORE_BLOCK, NULL);
        change->block = arena_array(&change->arena, 1, sizeof *change->block);
        *change->block =
            (struct store_block){.client = SPAN(APP), .reason = SPAN("fraud"), .until = INT64_MAX};
        assert_int_equal(world_run(w, change), STATUS_OK);
        store_change_free(change);
    }
    world_set_time(w, "2026-03-15T00:00:00Z");
    assert_told(w, "&time=2026-03-12T23:59:59Z", POLICY " grant 2 consent.granted");
    assert_told(w, "&time=2026-03-13T23:59:59Z",
                "clientBlocked " POLICY " grant 2 consent.granted block 3 block.set");
    assert_told(w, "&time=2026-03-14T00:00:00Z", POLICY " grant 2 consent.granted");
    json_decref(consent);
}

static void what_a_consent_depends_on_is_shown_as_it_was(void **state) {
    struct world *w = *state;
    json_t *parent = created(w, GRANTED);
    json_t *child = created(
        w, arena_format(&w->arena,
                        "{\"client\":\"" FSP "\",\"license\":\"" EMISSIONS
                        "\",\"account\":\"acc-1\",\"dependsOn\":[[{\"arrangementId\":\"%s\"}]],"
                        "\"grant\":" GRANT "}",
                        text_in(parent, "arrangementId"))
               .data);
    world_set_time(w, "2026-03-13T00:00:00Z");
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, parent, "")});
    static const char *const times[] = {T0, "2026-03-13T00:00:00Z"};
    static const char *const statuses[] = {"consent.granted", "consent.revoked"};
    for (int i = 0; i < 2; i++) {
        json_t *answer =
            answered(get(w, AS_AUDITOR,
                         arena_format(&w->arena,
                                      "/v1/audit/at?client=" FSP "&account=acc-1&time=%s", times[i])
                             .data),
                     200);
        const json_t *evidence = json_object_get(answer, "evidence");
        const json_t *last = json_array_get(evidence, json_array_size(evidence) - 1);
        assert_string_equal(text_in(last, "shows"), "link");
        assert_string_equal(text_in(last, "event"), statuses[i]);
        json_decref(answer);
    }
    json_decref(parent);
    json_decref(child);
}

/* The pack of then judges, and is named. */
static void another_pack_later_changes_nothing(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct policy_error error;
    struct policy_pack *stricter = NULL;
    struct span bytes = policy_pack_bytes(w->pack);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    json_object_set_new(json_object_get(json, "settings"), "purposeMustBeStated", json_true());
    json_object_set_new(json, "version", json_string("later"));
    char *text = json_dumps(json, 0);
    assert_int_equal(policy_pack_load(span_of_text(text), &stricter, &error), STATUS_OK);
    world_set_time(w, "2026-03-14T00:00:00Z");
    assert_int_equal(store_pack_activate(w->store, stricter), STATUS_OK);
    atomic_store(&w->service.pack, stricter);
    static const struct {
        const char *time, *version;
        bool permitted;
        int entry;
    } cases[] = {{"2026-03-13T23:59:59.999Z", "2026-03-12", true, 1},
                 {"2026-03-14T00:00:00.000Z", "later", false, 3}};
    for (int i = 0; i < 2; i++) {
        json_t *answer = answered(
            get(w, AS_AUDITOR,
                arena_format(&w->arena, "/v1/audit/at?client=" APP "&account=acc-1&time=%s",
                             cases[i].time)
                    .data),
            200);
        const json_t *policy = json_object_get(answer, "policy");
        assert_string_equal(text_in(policy, "version"), cases[i].version);
        assert_int_equal(json_integer_value(json_object_get(policy, "logIndex")), cases[i].entry);
        assert_int_equal(json_is_true(json_object_get(answer, "decision")), cases[i].permitted);
        json_decref(answer);
    }
    atomic_store(&w->service.pack, w->pack);
    policy_pack_free(stricter);
    free(text);
    json_decref(json);
    json_decref(consent);
}

static void a_question_that_is_not_clear_is_refused(void **state) {
    static const struct {
        const char *query, *detail;
    } cases[] = {
        {"client=" APP "&account=a", "time is required"},
        {"time=" T0 "&account=a", "client is required"},
        {"time=" T0 "&client=" APP, "either account or consentId is required"},
        {"time=" T0 "&client=" APP "&account=a&consentId=019ecaa7-fb38-7c41-8d27-6f0a92b1c35e",
         "either account or consentId is required"},
        {"time=" T0 "&client=" APP "&consentId=019ecaa7-fb38-7c41-8d27-6f0a92b1c35e&tenant=" EDP,
         "tenant goes with account; a consentId tells whose it is"},
        {"time=" T0 "&client=" APP "&account=a&granularity=often",
         "granularity must be an ISO 8601 duration of one unit, such as PT30M"},
        {"time=" T0 "&client=" APP "&account=a&tenant=" OTHER_EDP,
         "tenant is not one that the token names"},
        {"time=2026-03-12T10:00:01Z&client=" APP "&account=a", "time lies in the future"},
        {"time=" T0 "&client=" APP "&account=a&purpose=a&purpose=b", "purpose is given twice"},
        {"time=" T0 "&client=" APP "&account=a&from=now",
         "from must be a time such as 2026-03-12T00:00:00Z"},
        {"time=" T0 "&client=" APP "&consentId=x", "consentId must be a UUID"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply =
            get(w, AS_AUDITOR, arena_format(&w->arena, "/v1/audit/at?%s", cases[i].query).data);
        assert_problem(&reply, 400, "invalid-parameter");
        json_t *problem = json_of(&reply);
        assert_string_equal(text_in(problem, "detail"), cases[i].detail);
        json_decref(problem);
    }
    struct reply reply =
        get(w, AS_EVERYBODYS_AUDITOR, "/v1/audit/at?time=" T0 "&client=" APP "&account=a");
    assert_problem(&reply, 400, "invalid-parameter");
    reply = get(w, AS_EVERYBODYS_AUDITOR,
                "/v1/audit/at?time=" T0 "&client=" APP "&account=a&tenant=" EDP);
    assert_int_equal(reply.status, 200);
}

static void a_list_has_at_most_64_items(void **state) {
    struct world *w = *state;
    struct buffer target = {0};
    buffer_append_text(&target, ASK "&time=" T0);
    for (int i = 1; i < LIMIT_SET; i++) /* with the one in ASK */
        buffer_append_format(&target, "&permissions=p%d", i);
    buffer_append(&target, "", 1);
    struct reply reply = get(w, AS_AUDITOR, target.data);
    assert_int_equal(reply.status, 200);
    target.size--;
    buffer_append_text(&target, "&permissions=one-more");
    buffer_append(&target, "", 1);
    reply = get(w, AS_AUDITOR, target.data);
    assert_problem(&reply, 400, "invalid-parameter");
    buffer_release(&target);
}

static void before_the_log_there_was_no_policy(void **state) {
    struct reply reply = at_time(*state, AS_AUDITOR, "&time=2026-03-12T09:59:59.999Z");
    assert_problem(&reply, 404, "not-found");
}

static void a_foreign_consent_answers_like_an_unknown_one(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    struct who foreign = {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP};
    struct reply replies[2];
    const char *ids[2] = {text_in(consent, "consentId"), "019ecaa7-fb38-7c41-8d27-6f0a92b1c35e"};
    for (int i = 0; i < 2; i++)
        replies[i] = get(
            w, foreign,
            arena_format(&w->arena, "/v1/audit/at?time=" T0 "&client=" APP "&consentId=%s", ids[i])
                .data);
    assert_problem(&replies[0], 404, "not-found");
    assert_string_equal(replies[0].body.data, replies[1].body.data);
    json_decref(consent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_time_has_its_answer_and_its_entries),
        TEST(it_tells_the_words_the_policy_and_the_place),
        TEST(a_purpose_that_is_not_stated_tells_the_open_ones),
        TEST(every_part_of_a_question_counts),
        TEST(a_pairwise_account_is_found_in_the_second_of_its_grant),
        TEST(a_block_is_shown_while_it_held),
        TEST(what_a_consent_depends_on_is_shown_as_it_was),
        TEST(another_pack_later_changes_nothing),
        TEST(a_question_that_is_not_clear_is_refused),
        TEST(a_list_has_at_most_64_items),
        TEST(before_the_log_there_was_no_policy),
        TEST(a_foreign_consent_answers_like_an_unknown_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
