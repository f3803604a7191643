/* GET /v1/audit/reports/after-ending: what was permitted or sent after its consent had ended. */
// SPDX-License-Identifier: Apache-2.0
#include "store/entry.h"
#include "tests/unit/support_disclosing.h"

#define REPORT "/v1/audit/reports/after-ending"
#define REVOKED_AT "2026-03-13T10:00:00.000Z"
#define SENT(id, time) DATA ",\"at\":\"" time "\",\"transaction\":\"" id "\"," TO_APP

static json_t *report(struct world *w, const char *more) {
    return answered(get(w, AS_AUDITOR, arena_format(&w->arena, REPORT "%s", more).data), 200);
}

static size_t found(struct world *w, const char *more) {
    json_t *page = report(w, more);
    size_t size = json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return size;
}

static int64_t number_in(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static struct store_consent stored_of(struct world *w, const json_t *consent) {
    struct store_consent c;
    struct uuid id;
    assert_int_equal(uuid_from_text(span_of_text(text_in(consent, "consentId")), &id), STATUS_OK);
    assert_int_equal(store_read_begin(w->loop.reader), STATUS_OK);
    assert_int_equal(store_consent_by_id(w->loop.reader, &id, &c), STATUS_OK);
    store_read_end(w->loop.reader);
    c.tail = SPAN_NONE;
    return c;
}

/* No service writes such an entry: the test takes the writer's place, who is held. */
static void forge_permit(struct world *w, const json_t *consent) {
    struct store_consent about = stored_of(w, consent);
    struct write *write = mem_alloc_zeroed(1, sizeof *write);
    const struct entry entry = {
        .code = STORE_DECISION_PERMITTED,
        .actor = {SPAN(EDP), STORE_BY_TENANT},
        .consent = &about,
        .previous = STORE_INDEX_NONE,
        .step = {.reason = STORE_NAME_NONE},
        .body = SPAN("\"decision\":true"),
    };
    hold_writer(w);
    w->store->writer_runs = false;
    write_begin(w->store, write);
    (void)entry_append(write, &entry);
    assert_int_equal(write_commit(write), STATUS_OK);
    w->store->writer_runs = true;
    let_writer_go(w);
    mem_free(write);
}

static json_t *revoked(struct world *w) {
    json_t *consent = created(w, GRANTED);
    world_set_time(w, REVOKED_AT);
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    return consent;
}

static void record(struct world *w, const json_t *consent, const char *members,
                   const char *judged) {
    assert_disclosed(w, of_consent(w, consent, members), judged);
}

static void a_healthy_log_has_nothing_to_report(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    record(w, consent, SENT("before", T0_OUT), "permitted");
    world_set_time(w, REVOKED_AT);
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    world_set_time(w, "2026-03-14T10:00:00Z");
    record(w, consent, SENT("told late", "2026-03-13T09:59:59.999Z"), "permitted");
    struct reply denied = post(w, AS_EDP, "/access/v1/evaluation",
                               "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                               "\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":"
                               "\"account\",\"id\":\"acc-1\"}}");
    assert_int_equal(denied.status, 200);
    struct reply reply = get(w, AS_AUDITOR, REPORT);
    assert_string_equal(reply.body.data, "{\"items\":[],\"consents\":[]}");
    json_decref(consent);
}

static void a_disclosure_after_the_revocation_is_found(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    world_set_time(w, "2026-03-15T10:00:00Z");
    record(w, consent, SENT("tx-1", "2026-03-14T10:00:00.500Z"), "notActive");
    json_t *page = report(w, "");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    const json_t *item = json_array_get(json_object_get(page, "items"), 0);
    assert_int_equal(number_in(item, "index"), 4);
    assert_string_equal(text_in(item, "event"), "disclosure.violation");
    assert_string_equal(text_in(item, "recordedAt"), "2026-03-15T10:00:00.000Z");
    assert_string_equal(text_in(item, "at"), "2026-03-14T10:00:00.500Z");
    assert_string_equal(text_in(item, "tenant"), EDP);
    assert_string_equal(text_in(item, "client"), APP);
    assert_string_equal(text_in(item, "transaction"), "tx-1");
    assert_string_equal(text_in(item, "recipient"), APP);
    assert_string_equal(text_in(item, "consentId"), text_in(consent, "consentId"));
    assert_string_equal(text_in(item, "status"), "revoked");
    assert_string_equal(text_in(item, "endedAt"), REVOKED_AT);
    assert_int_equal(number_in(item, "endedIndex"), 3);
    assert_int_equal(number_in(item, "lagMs"), DAY_MS + 500);
    json_decref(page);
    json_decref(consent);
}

static void a_permit_after_the_ending_is_found(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    forge_permit(w, consent);
    json_t *page = report(w, "");
    const json_t *item = json_array_get(json_object_get(page, "items"), 0);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_string_equal(text_in(item, "event"), "decision.permitted");
    assert_int_equal(number_in(item, "lagMs"), 0); /* in the same millisecond, behind it */
    const json_t *ended = json_array_get(json_object_get(page, "consents"), 0);
    assert_int_equal(number_in(ended, "permits"), 1);
    assert_int_equal(number_in(ended, "disclosures"), 0);
    assert_null(json_object_get(ended, "lagMs"));
    json_decref(page);
    json_decref(consent);
}

static void a_permit_before_the_ending_is_none(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    forge_permit(w, consent);
    send(w, (struct sending){.as = AS_EDP, .method = "DELETE", .target = at(w, consent, "")});
    assert_int_equal(found(w, ""), 0);
    json_decref(consent);
}

/* To the millisecond, and by the clock: no entry need have recorded it. */
static void what_the_clock_ended_has_ended(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"expires\":"
                                 "\"2026-04-01T00:00Z\",\"grant\":" GRANT "}");
    world_set_time(w, "2026-03-31T23:59:59.999Z");
    forge_permit(w, consent);
    assert_int_equal(found(w, ""), 0);
    world_set_time(w, "2026-04-01T00:00:00.000Z");
    record(w, consent, SENT("early", "2026-03-31T23:59:59.999Z"), "permitted");
    record(w, consent, SENT("late", "2026-04-01T00:00:00.000Z"), "expired");
    json_t *page = report(w, "");
    const json_t *item = json_array_get(json_object_get(page, "items"), 0);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_string_equal(text_in(item, "transaction"), "late");
    assert_string_equal(text_in(item, "status"), "expired");
    assert_string_equal(text_in(item, "endedAt"), "2026-04-01T00:00:00.000Z");
    assert_int_equal(number_in(item, "lagMs"), 0);
    json_decref(page);
    json_decref(consent);
}

static void the_lag_of_a_consent_is_to_its_last_disclosure(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    world_set_time(w, "2026-03-20T10:00:00Z");
    record(w, consent, SENT("a", "2026-03-14T10:00:00.000Z"), "notActive");
    record(w, consent, SENT("b", "2026-03-18T10:00:00.000Z"), "notActive");
    record(w, consent, SENT("c", "2026-03-16T10:00:00.000Z"), "notActive");
    forge_permit(w, consent);
    json_t *page = report(w, "");
    assert_int_equal(json_array_size(json_object_get(page, "items")), 4);
    assert_int_equal(json_array_size(json_object_get(page, "consents")), 1);
    const json_t *ended = json_array_get(json_object_get(page, "consents"), 0);
    assert_string_equal(text_in(ended, "consentId"), text_in(consent, "consentId"));
    assert_int_equal(number_in(ended, "permits"), 1);
    assert_int_equal(number_in(ended, "disclosures"), 3);
    assert_string_equal(text_in(ended, "lastDisclosureAt"), "2026-03-18T10:00:00.000Z");
    assert_int_equal(number_in(ended, "lagMs"), 5 * DAY_MS);
    json_decref(page);
    json_decref(consent);
}

static void pages_go_on_where_the_one_before_ended(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    world_set_time(w, "2026-03-20T10:00:00Z");
    for (int i = 0; i < 5; i++)
        record(w, consent,
               arena_format(&w->arena,
                            DATA ",\"at\":\"2026-03-14T10:00:00Z\",\"transaction\":"
                                 "\"t%d\"," TO_APP,
                            i)
                   .data,
               "notActive");
    const char *more = "?limit=2";
    for (int i = 0; i < 3; i++) {
        json_t *page = report(w, more);
        const json_t *items = json_object_get(page, "items");
        assert_int_equal(json_array_size(items), i < 2 ? 2 : 1);
        assert_string_equal(text_in(json_array_get(items, 0), "transaction"),
                            arena_format(&w->arena, "t%d", 2 * i).data);
        assert_int_equal(json_object_get(page, "next") != NULL, i < 2);
        more = arena_format(&w->arena, "?limit=2&after=%d", (int)number_in(page, "next")).data;
        json_decref(page);
    }
    json_decref(consent);
}

static void filters_narrow_it(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    world_set_time(w, "2026-03-20T10:00:00Z");
    record(w, consent, SENT("a", "2026-03-14T10:00:00.000Z"), "notActive");
    const char *of = text_in(consent, "consentId");
    assert_int_equal(found(w, arena_format(&w->arena, "?consentId=%s", of).data), 1);
    assert_int_equal(found(w, "?consentId=019ecaa7-fb38-7c41-8d27-6f0a92b1c35e"), 0);
    assert_int_equal(found(w, "?tenant=" EDP "&client=" APP), 1);
    assert_int_equal(found(w, "?client=" OTHER_APP), 0);
    assert_int_equal(found(w, "?from=2026-03-20T10:00Z&to=2026-03-20T10:00:00.001Z"), 1);
    assert_int_equal(found(w, "?from=2026-03-20T10:00:00.001Z"), 0);
    assert_int_equal(found(w, "?after=4"), 0);
    struct reply reply = get(w, AS_AUDITOR, REPORT "?status=revoked");
    assert_problem(&reply, 400, "invalid-parameter");
    json_decref(consent);
}

static void nobody_reads_of_anothers(void **state) {
    struct world *w = *state;
    json_t *consent = revoked(w);
    record(w, consent, SENT("a", REVOKED_AT), "notActive");
    struct who foreign = {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP};
    const char *targets[] = {
        REPORT, REPORT "?tenant=" EDP,
        arena_format(&w->arena, REPORT "?consentId=%s", text_in(consent, "consentId")).data};
    for (int i = 0; i < 3; i++) {
        struct reply reply = get(w, foreign, targets[i]);
        assert_string_equal(reply.body.data, "{\"items\":[],\"consents\":[]}");
    }
    assert_int_equal(found(w, ""), 1);
    struct reply reply = get(w, AS_EDP, REPORT);
    assert_problem(&reply, 403, "insufficient-scope");
    json_decref(consent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_healthy_log_has_nothing_to_report),
        TEST(a_disclosure_after_the_revocation_is_found),
        TEST(a_permit_after_the_ending_is_found),
        TEST(a_permit_before_the_ending_is_none),
        TEST(what_the_clock_ended_has_ended),
        TEST(the_lag_of_a_consent_is_to_its_last_disclosure),
        TEST(pages_go_on_where_the_one_before_ended),
        TEST(filters_narrow_it),
        TEST(nobody_reads_of_anothers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
