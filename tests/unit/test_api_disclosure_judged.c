/* How disclosures are judged: as of the time the data went, all purposes under one consent, each
 * transaction one use. What was wrong is recorded as wrong, never refused. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_disclosing.h"

#define LATER "2026-03-13T10:00:00Z" /* a day after T0 */
#define AT(time, id) "\"at\":\"" time "\",\"transaction\":\"" id "\""
#define FIVE_USES "{" PARTIES ",\"account\":\"acc-1\",\"maxUses\":5,\"grant\":" GRANT "}"

static void withdraw(struct world *w, const json_t *consent) {
    json_decref(answered(
        post(w, AS_EDP, at(w, consent, "/revoke"), "{\"reason\":{\"code\":\"withdrawn\"}}"), 200));
}

static json_t *read_consent(struct world *w, const json_t *consent) {
    return answered(get(w, AS_EDP, at(w, consent, "")), 200);
}

static void assert_status(struct world *w, const json_t *consent, const char *status) {
    json_t *now = read_consent(w, consent);
    assert_string_equal(text_in(now, "status"), status);
    json_decref(now);
}

static void every_reason_is_recorded(void **state) {
    struct world *w = *state;
    json_t *consent =
        created(w, "{" PARTIES ",\"account\":\"acc-1\",\"permissions\":[{\"code\":\"" HALFHOURLY
                   "\",\"resources\":[\"m1\"]}],\"grant\":" GRANT "}");
    uint64_t before = entries(w);
    json_t *disclosure = disclosed(
        w, of_consent(w, consent,
                      "\"recipient\":\"" FSP "\",\"permissions\":[\"no.such\"],"
                      "\"purposes\":[\"estimate-emissions\",\"marketing\"],\"resources\":[\"m2\"],"
                      "\"from\":\"2020-01-01T00:00Z\",\"to\":\"2026-03-01T00:00Z\","
                      "\"granularity\":\"PT1M\"," TRANSFER("tx-1")));
    assert_judged(disclosure, "purposeNotPermitted permissionNotPermitted outsideDataWindow "
                              "recipientNotNamed");
    assert_string_equal(text_in(disclosure, "consentId"), text_in(consent, "consentId"));
    assert_int_equal(entries(w), before + 1);
    json_t *entry = entry_of(w, disclosure);
    assert_string_equal(text_in(entry, "event"), "disclosure.violation");
    json_decref(entry);
    json_decref(disclosure);
    assert_disclosed(w,
                     of_consent(w, consent,
                                TO_APP ",\"permissions\":[\"" HALFHOURLY "\"],"
                                       "\"resources\":[\"m2\"],"
                                       "\"from\":\"2026-01-01T00:00Z\","
                                       "\"to\":\"2026-03-01T00:00Z\"," TRANSFER("tx-1")),
                     "resourceNotPermitted");
    json_decref(consent);
}

/* ---- when */

static void what_went_before_the_end_was_right_and_after_it_wrong(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    world_set_time(w, LATER);
    withdraw(w, consent);
    world_set_time(w, "2026-03-14T10:00:00Z");
    assert_disclosed(
        w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-13T09:59:59.999Z", "a")),
        "permitted");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT(LATER, "b")), "notActive");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-14T10:00Z", "c")),
                     "notActive");
    json_decref(consent);
}

/* The entry names the consent all the same: that is how a transfer before its grant is found. */
static void what_went_before_the_grant_is_no_consents_but_named(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    json_t *disclosure = disclosed(
        w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-12T09:59:59.999Z", "a")));
    assert_judged(disclosure, "consentNotFound");
    assert_string_equal(text_in(disclosure, "license"), CONSUMPTION);
    assert_null(json_object_get(disclosure, "consentVersion"));
    json_t *entry = entry_of(w, disclosure);
    assert_string_equal(text_in(json_object_get(entry, "payload"), "consentId"),
                        text_in(consent, "consentId"));
    json_decref(entry);
    json_decref(disclosure);
    json_decref(consent);
}

static void the_consent_expires_to_the_millisecond(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"expires\":\"" LATER
                                 "\",\"grant\":" GRANT "}");
    world_set_time(w, "2026-03-14T10:00:00Z");
    assert_disclosed(
        w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-13T09:59:59.999Z", "a")),
        "permitted");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT(LATER, "b")), "expired");
    json_decref(consent);
}

/* The policy's leeway, a minute, is for clocks that differ; such a transfer is judged as of now. */
static void nothing_has_gone_in_the_future(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    uint64_t before = entries(w);
    struct reply reply = disclose_as(
        w, AS_EDP, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-12T10:01:00.001Z", "a")));
    assert_errors(&reply, "invalid-body", "/at");
    assert_int_equal(entries(w), before);
    json_t *disclosure = disclosed(
        w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-12T10:01:00.000Z", "a")));
    assert_judged(disclosure, "permitted");
    assert_string_equal(text_in(disclosure, "at"), "2026-03-12T10:01:00.000Z");
    assert_string_equal(text_in(disclosure, "recordedAt"), T0_OUT);
    json_decref(disclosure);
    json_decref(consent);
}

static void before_there_was_a_log_there_was_no_consent(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT("1970-01-01T00:00Z", "a")),
                     "consentNotFound");
    json_decref(consent);
}

/* ---- purposes */

#define FOR(purposes) TO_APP "," DATA ",\"purposes\":[" purposes "]," TRANSFER("tx-1")

static void every_purpose_must_be_permitted(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"purposes\":["
                                 "\"estimate-emissions\",\"decarbonisation-recommendations\"],"
                                 "\"grant\":" GRANT "}");
    assert_disclosed(
        w,
        of_consent(w, consent, FOR("\"estimate-emissions\",\"decarbonisation-recommendations\"")),
        "permitted");
    assert_disclosed(
        w, of_consent(w, consent, FOR("\"estimate-emissions\",\"project-intervention-emissions\"")),
        "purposeNotPermitted");
    assert_disclosed(w, of_consent(w, consent, FOR("\"no-such\",\"estimate-emissions\"")),
                     "purposeNotPermitted");
    /* each purpose adds its own reasons */
    assert_disclosed(w, of_consent(w, consent, FOR("\"corroborate-savings\",\"marketing\"")),
                     "purposeNotPermitted granularityTooFine");
    json_decref(consent);
}

/* Two consents that permit one purpose each permit no transfer for both; a third that has both
 * does, though it is neither the first to be asked nor the last to expire. */
static void one_consent_must_permit_all_purposes(void **state) {
    struct world *w = *state;
    const char *both = "{" BY_ACCOUNT(
        "acc-1") "," TO_APP ",\"permissions\":[\"tariff\"],\"resources\":[\"m1\"],\"from\":"
                 "\"2026-01-01T00:00Z\",\"to\":\"2026-03-01T00:00Z\",\"purposes\":["
                 "\"estimate-emissions\",\"decarbonisation-recommendations\"]," TRANSFER("tx") "}";
    /* of other licences or recipients, so that none supersedes another */
    json_t *one = created(w, "{\"client\":\"" APP "\",\"license\":\"" COMBINED
                             "\",\"onwardRecipients\":[\"" FSP "\"],\"account\":\"acc-1\","
                             "\"purposes\":[\"decarbonisation-recommendations\"],"
                             "\"expires\":\"2026-08-01T00:00Z\",\"grant\":" GRANT "}");
    json_t *two = created(w, "{" PARTIES ",\"account\":\"acc-1\",\"purposes\":"
                             "[\"estimate-emissions\"],\"expires\":\"2026-07-01T00:00Z\","
                             "\"grant\":" GRANT "}");
    assert_disclosed(w, both, "purposeNotPermitted");
    json_t *whole =
        created(w, "{\"client\":\"" APP "\",\"license\":\"" COMBINED
                   "\",\"onwardRecipients\":[\"https://directory.example/app/fsp-2\"],"
                   "\"account\":\"acc-1\",\"purposes\":[\"estimate-emissions\","
                   "\"decarbonisation-recommendations\"],\"expires\":\"2026-06-01T00:00Z\","
                   "\"grant\":" GRANT "}");
    json_t *disclosure = disclosed(w, both);
    assert_judged(disclosure, "permitted");
    assert_string_equal(text_in(disclosure, "consentId"), text_in(whole, "consentId"));
    json_decref(disclosure);
    json_decref(whole);
    json_decref(two);
    json_decref(one);
}

/* ---- recipients */

#define FORWARDED                                                                               \
    "\"recipient\":\"" FSP "\",\"permissions\":[\"emissions.monthly\"],\"resources\":[\"m1\"]," \
    "\"purposes\":[\"green-finance-eligibility\"],\"from\":\"2026-01-01T00:00:00.000Z\","       \
    "\"to\":\"2026-03-01T00:00:00.000Z\",\"granularity\":\"P1M\"," TRANSFER("tx-f")

static json_t *combined(struct world *w) {
    return created(w, "{\"client\":\"" APP "\",\"license\":\"" COMBINED
                      "\",\"onwardRecipients\":[\"" FSP "\"],\"account\":\"acc-1\","
                      "\"maxUses\":2,\"grant\":" GRANT "}");
}

static void a_client_records_what_it_sends_on(void **state) {
    struct world *w = *state;
    json_t *consent = combined(w);
    json_t *disclosure = answered(disclose_as(w, AS_APP, of_consent(w, consent, FORWARDED)), 201);
    assert_judged(disclosure, "permitted");
    assert_string_equal(text_in(disclosure, "tenant"), EDP);
    assert_string_equal(text_in(disclosure, "recipient"), FSP);
    assert_string_equal(text_in(json_object_get(disclosure, "actor"), "role"), "client");
    json_t *entry = entry_of(w, disclosure); /* the tenant's auditor sees it */
    assert_string_equal(
        text_in(json_object_get(json_object_get(entry, "payload"), "actor"), "clientId"), APP);
    json_decref(entry);
    json_decref(disclosure);
    disclosure = answered(
        disclose_as(w, AS_APP,
                    of_consent(w, consent,
                               "\"recipient\":\"https://directory.example/app/fsp-2\"," DATA
                               "," TRANSFER("tx-2"))),
        201);
    assert_judged(disclosure, "permissionNotPermitted recipientNotNamed");
    json_decref(disclosure);
    json_decref(consent);
}

/* Resources are keyed by whose consent it is, not by who asks. */
static void a_clients_transfers_are_held_to_the_resources(void **state) {
    struct world *w = *state;
    json_t *consent =
        created(w, "{\"client\":\"" APP "\",\"license\":\"" COMBINED "\",\"onwardRecipients\":"
                   "[\"" FSP "\"],\"account\":\"acc-1\",\"permissions\":[{\"code\":"
                   "\"emissions.monthly\",\"resources\":[\"m1\"]}],\"grant\":" GRANT "}");
    json_t *disclosure = answered(disclose_as(w, AS_APP, of_consent(w, consent, FORWARDED)), 201);
    assert_judged(disclosure, "permitted");
    json_decref(disclosure);
    json_decref(consent);
}

/* ---- the stop-list */

static void block(struct world *w, enum store_op op) {
    struct store_change *change = change_for(w, op, EDP);
    change->block = arena_array(&change->arena, 1, sizeof *change->block);
    *change->block =
        (struct store_block){.client = SPAN(APP), .reason = SPAN("fraud"), .until = INT64_MAX};
    assert_int_equal(world_run(w, change), STATUS_OK);
    store_change_free(change);
}

static void a_block_counts_while_it_stood(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    world_set_time(w, LATER);
    block(w, STORE_BLOCK);
    world_set_time(w, "2026-03-14T10:00:00Z");
    block(w, STORE_UNBLOCK);
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," TRANSFER("a")), "permitted");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT(LATER, "b")),
                     "clientBlocked");
    assert_disclosed(
        w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-14T09:59:59.999Z", "c")),
        "clientBlocked");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-14T10:00Z", "d")),
                     "permitted");
    json_decref(consent);
}

/* A client asks about itself: the stop-list that counts is that of the consent's tenant. */
static void a_blocked_client_is_denied_when_it_asks_itself(void **state) {
    struct world *w = *state;
    json_t *consent = combined(w);
    block(w, STORE_BLOCK);
    json_t *disclosure = answered(disclose_as(w, AS_APP, of_consent(w, consent, FORWARDED)), 201);
    assert_judged(disclosure, "clientBlocked");
    json_decref(disclosure);
    const char *question = arena_format(&w->arena,
                                        "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
                                        "\"},\"action\":{\"name\":\"read\"},\"resource\":"
                                        "{\"type\":\"consent\",\"id\":\"%s\"}}",
                                        text_in(consent, "consentId"))
                               .data;
    json_t *decision = answered(post(w, AS_APP, "/access/v1/evaluation", question), 200);
    assert_true(json_is_false(json_object_get(decision, "decision")));
    json_decref(decision);
    json_decref(consent);
}

/* ---- uses */

static void the_last_use_fulfils_the_consent(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, FIVE_USES);
    for (int i = 0; i < 7; i++) {
        const char *body = of_consent(w, consent,
                                      arena_format(&w->arena,
                                                   TO_APP "," DATA ",\"at\":\"" T0 "\","
                                                          "\"transaction\":\"tx-%d\"",
                                                   i)
                                          .data);
        assert_disclosed(w, body, i < 5 ? "permitted" : "usesExhausted");
        assert_status(w, consent, i < 4 ? "active" : "fulfilled");
    }
    json_t *ended = read_consent(w, consent);
    assert_string_equal(text_in(json_object_get(ended, "statusReason"), "code"), "fulfilled");
    assert_int_equal(json_integer_value(json_object_get(ended, "version")), 2);
    json_decref(ended);
    json_decref(consent);
}

/* Recorded late, in whatever order: never more than the consent allows. */
static void uses_count_in_the_order_in_which_they_are_recorded(void **state) {
    struct world *w = *state;
    json_t *consent =
        created(w, "{" PARTIES ",\"account\":\"acc-1\",\"maxUses\":1,\"grant\":" GRANT "}");
    world_set_time(w, LATER);
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-12T12:00Z", "b")),
                     "permitted");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT("2026-03-12T11:00Z", "a")),
                     "usesExhausted");
    json_decref(consent);
}

static void a_transaction_counts_once(void **state) {
    struct world *w = *state;
    json_t *consent =
        created(w, "{" PARTIES ",\"account\":\"acc-1\",\"maxUses\":2,\"grant\":" GRANT "}");
    const char *first = of_consent(w, consent, TO_APP "," DATA "," TRANSFER("tx-1"));
    assert_disclosed(w, first, "permitted");
    assert_disclosed(w, first, "permitted");
    assert_status(w, consent, "active");
    /* parts of the last transaction, recorded after they all went */
    world_set_time(w, LATER);
    const char *last = of_consent(w, consent, TO_APP "," DATA "," TRANSFER("tx-2"));
    assert_disclosed(w, last, "permitted");
    assert_status(w, consent, "fulfilled");
    assert_disclosed(w, last, "permitted");
    /* but nothing goes after the end */
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," AT(LATER, "tx-2")),
                     "usesExhausted");
    json_decref(consent);
}

/* A violation is no use that the consent allows, and an onward transfer none by its client. */
static void only_permitted_transfers_to_the_client_are_uses(void **state) {
    struct world *w = *state;
    json_t *consent = combined(w);
    for (int i = 0; i < 3; i++) {
        const char *wrong = arena_format(&w->arena,
                                         TO_APP "," DATA ",\"purposes\":[\"marketing\"],"
                                                "\"at\":\"" T0 "\",\"transaction\":\"v-%d\"",
                                         i)
                                .data;
        assert_disclosed(w, of_consent(w, consent, wrong), "purposeNotPermitted");
        json_decref(answered(disclose_as(w, AS_APP, of_consent(w, consent, FORWARDED)), 201));
    }
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," TRANSFER("tx-1")), "permitted");
    assert_status(w, consent, "active");
    assert_disclosed(w, of_consent(w, consent, TO_APP "," DATA "," TRANSFER("tx-2")), "permitted");
    assert_status(w, consent, "fulfilled");
    json_decref(consent);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(every_reason_is_recorded),
        IN_A_WORLD(what_went_before_the_end_was_right_and_after_it_wrong),
        IN_A_WORLD(what_went_before_the_grant_is_no_consents_but_named),
        IN_A_WORLD(the_consent_expires_to_the_millisecond),
        IN_A_WORLD(nothing_has_gone_in_the_future),
        IN_A_WORLD(before_there_was_a_log_there_was_no_consent),
        IN_A_WORLD(every_purpose_must_be_permitted),
        IN_A_WORLD(one_consent_must_permit_all_purposes),
        IN_A_WORLD(a_client_records_what_it_sends_on),
        IN_A_WORLD(a_clients_transfers_are_held_to_the_resources),
        IN_A_WORLD(a_block_counts_while_it_stood),
        IN_A_WORLD(a_blocked_client_is_denied_when_it_asks_itself),
        IN_A_WORLD(the_last_use_fulfils_the_consent),
        IN_A_WORLD(uses_count_in_the_order_in_which_they_are_recorded),
        IN_A_WORLD(a_transaction_counts_once),
        IN_A_WORLD(only_permitted_transfers_to_the_client_are_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
