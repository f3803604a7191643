/* Decisions: every reason code, its boundaries to the millisecond, and the clause and words that it
 * is explained by. tests/decisions holds the function against a second one on random questions. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_decision.h"

#define PERSEUS "https://registry.core.trust.ib1.org/scheme/perseus/"
#define ENERGY PERSEUS "license/energy-consumption-edp-cap/2026-03-12"
#define EMISSIONS PERSEUS "license/emissions-cap-fsp/2026-03-12"
#define BOTH PERSEUS "license/energy-consumption-emissions-edp-cap-fsp/2026-03-12"
#define CAP PERSEUS "role/carbon-accounting-provider"
#define FSP PERSEUS "role/financial-service-provider"
#define USAGE_1 "https://scheme.example/license/usage/1"
#define USAGE_2 "https://scheme.example/license/usage/2"
#define MONTHLY "https://scheme.example/license/monthly/1"
#define CAP_PURPOSES                                                         \
    "estimate-emissions project-intervention-emissions corroborate-savings " \
    "share-emissions-with-fsp decarbonisation-recommendations"
#define ELECTRICITY "electricity.import.halfhourly"
#define RECIPIENT 7

/* Perseus' first licence, asked for the tariff to estimate emissions. */
static void energy(struct rig *rig) {
    rig_init(rig, json_file(PERSEUS_PACK), ENERGY);
    ask_purpose(rig, "estimate-emissions");
    ask_permissions(rig, "tariff");
}

static const uint32_t bank[] = {3, RECIPIENT};

/* Perseus' third licence, with two named banks; asked for emissions, for one of them. */
static void emissions_for_bank(struct rig *rig) {
    rig_init(rig, json_file(PERSEUS_PACK), BOTH);
    rig->consent.onward = bank;
    rig->consent.onward_count = 2;
    ask_purpose(rig, "green-finance-eligibility");
    ask_permissions(rig, "emissions.monthly");
    ask_window(rig, "2026-04-01T00:00Z", "2026-06-01T00:00Z");
    rig->request.has_onward = true;
    rig->request.onward = RECIPIENT;
}

/* A pack with every member and without its rules, asked for half-hourly usage by the month. */
static void usage_with(struct rig *rig, const char *pointer, const char *value) {
    json_t *root = json_file(EVERY_MEMBER);
    json_put(root, "/directory", NULL);
    json_put(root, "/rules", NULL);
    if (pointer != NULL)
        json_put(root, pointer, value != NULL ? json_of(value) : NULL);
    rig_init(rig, root, USAGE_1);
    ask_purpose(rig, "report");
    ask_permissions(rig, "usage.halfhourly");
    ask_granularity(rig, "P1M");
}

static void usage(struct rig *rig) {
    usage_with(rig, NULL, NULL);
}

/* ---- the request and the consent as such */

static void what_the_consent_and_the_licence_name_is_permitted(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    assert_permitted(&rig, "estimate-emissions", "tariff");
    assert_int_equal(rig.out.rule, -1);
    assert_null(rig.out.malformed);
    rig_release(&rig);
}

static void every_reason_has_a_code_and_every_code_a_reason(void **state) {
    (void)state;
    for (int i = 0; i < DENIAL_COUNT; i++)
        assert_int_equal(policy_denial_parse(span_of_text(policy_denial_code(i))), i);
    assert_int_equal(policy_denial_parse(SPAN("notactive")), DENIAL_COUNT);
    assert_int_equal(policy_denial_parse(SPAN_NONE), DENIAL_COUNT);
}

static void a_malformed_request_is_denied_by_its_pointer(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.request.malformed = "/resource/properties/from";
    assert_denied(&rig, "malformedRequest", "request/resource/properties/from",
                  "a property does not have the form it needs");
    assert_string_equal(rig.out.malformed, "/resource/properties/from");
    rig_release(&rig);
}

static void without_a_consent_that_is_the_only_reason(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.absent = true;
    assert_denied(&rig, "consentNotFound", "consent", "there is no such consent");
    rig_release(&rig);
}

static void without_a_consent_what_can_be_said_is_said(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    rig.absent = true;
    rig.request.blocked = true;
    rig.request.purpose = -1;
    rig.request.permissions = permissions_of(&rig, "identity place");
    rig.request.territory = SPAN("FR");
    ask_window(&rig, "2026-06-01T00:00Z", "2026-06-01T00:00Z");
    assert_denials(&rig, "consentNotFound clientBlocked purposeNotPermitted "
                         "permissionNotPermitted outsideDataWindow territory");
    assert_explained(&rig, "permissionNotPermitted", "permissions/2/onlyWith",
                     "\"place\" is given only beside another permission");
    ask_purpose(&rig, NULL);
    ask_permissions(&rig, "place");
    assert_denials(&rig, "consentNotFound clientBlocked purposeNotPermitted "
                         "permissionNotPermitted outsideDataWindow territory");
    assert_explained(&rig, "permissionNotPermitted", "permissions/2/onlyWith",
                     "\"place\" is given only beside another permission");
    assert_explained(&rig, "purposeNotPermitted", "settings/purposeMustBeStated",
                     "the request does not state its purpose");
    rig_release(&rig);
}

static void another_client_is_denied(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.wrong_client = true;
    assert_denied(&rig, "wrongClient", "consent/client", "the consent is for another client");
    rig_release(&rig);
}

static void a_blocked_client_is_denied(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.request.blocked = true;
    assert_denied(&rig, "clientBlocked", "blocks", "the tenant has blocked this client");
    rig_release(&rig);
}

static void each_state_but_active_has_its_reason(void **state) {
    static const struct {
        enum consent_state status;
        const char *code;
    } rows[] = {{CONSENT_REQUESTED, "notActive"},     {CONSENT_REFUSED, "notActive"},
                {CONSENT_TIMED_OUT, "notActive"},     {CONSENT_REVOKED, "notActive"},
                {CONSENT_TERMINATED, "notActive"},    {CONSENT_SUPERSEDED, "notActive"},
                {CONSENT_FULFILLED, "usesExhausted"}, {CONSENT_EXPIRED, "expired"}};
    struct rig rig;
    (void)state;
    energy(&rig);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig.consent.status = rows[i].status;
        assert_denials(&rig, rows[i].code);
    }
    rig.consent.status = CONSENT_REVOKED;
    assert_denied(&rig, "notActive", "consent/status", "the consent is revoked");
    rig_release(&rig);
}

static void a_consent_expires_at_its_very_millisecond(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.now = rig.consent.expires - 1;
    assert_denials(&rig, "");
    rig.now++;
    assert_denied(&rig, "expired", "consent/expires", "the consent has expired");
    rig.consent.expires = INT64_MAX;
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_revoked_consent_whose_time_is_over_was_revoked(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.status = CONSENT_REVOKED;
    rig.now = rig.consent.expires;
    assert_denials(&rig, "notActive");
    rig_release(&rig);
}

static void the_last_use_is_permitted_and_the_next_not(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.uses = 1000;
    assert_denials(&rig, "");
    rig.consent.max_uses = 2;
    rig.consent.uses = 1;
    assert_denials(&rig, "");
    rig.consent.uses = 2;
    assert_denied(&rig, "usesExhausted", "consent/maxUses", "the consent has been used up");
    rig.consent.uses = 3;
    assert_denials(&rig, "usesExhausted");
    rig_release(&rig);
}

static void a_consent_ends_with_the_one_it_depends_on(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.linked_ended = true;
    assert_denied(&rig, "linkedConsentEnded", "consent/dependsOn",
                  "a consent that this one depends on is not active");
    rig_release(&rig);
}

/* ---- the licence */

static void a_licence_that_the_pack_does_not_have_permits_nothing(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.license = NULL;
    assert_denied(&rig, "licenseNotAvailable", "licenses",
                  "the pack does not have the consent's licence");
    rig_release(&rig);
}

static void a_licence_is_available_from_its_first_millisecond(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.now = ms("2026-03-11T23:59:59.999Z");
    assert_denied(&rig, "licenseNotAvailable", "licenses/0/availableFrom",
                  "the licence is not available yet");
    rig.now++;
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void the_token_in_hand_must_be_of_the_consents_licence(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.request.license = SPAN(ENERGY);
    assert_denials(&rig, "");
    rig.request.license = SPAN(EMISSIONS);
    assert_denied(&rig, "licenseNotAvailable", "licenses/0/url",
                  "the token in hand is for another licence than the consent");
    rig.request.license = SPAN("");
    assert_denials(&rig, "licenseNotAvailable");
    rig_release(&rig);
}

static void a_licence_is_used_until_the_last_millisecond_it_may_be(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    rig.consent.expires = INT64_MAX;
    rig.now = ms("2027-06-30T12:00:00.000Z");
    assert_denials(&rig, "");
    rig.now++;
    assert_denied(&rig, "licenseProhibited", "licenses/0/prohibitedAfter",
                  "the licence may not be used any more");
    rig_release(&rig);
}

static void a_deprecated_licence_is_still_used(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    rig.now = ms("2026-07-01T00:00:00Z");
    assert_denials(&rig, "");
    rig_release(&rig);
}

/* ---- roles */

static void state_roles(struct rig *rig, const struct span *roles, uint32_t count) {
    rig->request.roles_known = true;
    rig->request.roles = roles;
    rig->request.role_count = count;
}

static void stated_roles_must_have_the_licences(void **state) {
    static const struct span cap[] = {SPAN("https://other.example"), SPAN(CAP)};
    static const struct span fsp[] = {SPAN(FSP)};
    struct rig rig;
    (void)state;
    energy(&rig);
    state_roles(&rig, cap, 2);
    assert_denials(&rig, "");
    state_roles(&rig, cap, 1);
    assert_denied(&rig, "roleMissing", "licenses/0/to",
                  "the client does not present the role of the licence's recipients");
    state_roles(&rig, NULL, 0);
    assert_denials(&rig, "roleMissing");
    state_roles(&rig, fsp, 1);
    assert_denials(&rig, "roleMissing");
    rig_release(&rig);
}

static void any_url_of_a_role_will_do(void **state) {
    static const struct span pilot[] = {SPAN("https://pilot.scheme.example/role/taker")};
    struct rig rig;
    (void)state;
    usage(&rig);
    state_roles(&rig, pilot, 1);
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_purpose_of_banks_needs_a_bank_to_act(void **state) {
    static const struct span both[] = {SPAN(FSP), SPAN(CAP)};
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    assert_permitted(&rig, "green-finance-eligibility", "emissions.monthly");
    ask_permissions(&rig, "tariff");
    rig.request.has_onward = false;
    assert_denied(&rig, "roleMissing", "purposes/5/roles",
                  "who acts has no role that \"green-finance-eligibility\" is open to");
    state_roles(&rig, both, 2);
    assert_permitted(&rig, "green-finance-eligibility", "tariff");
    rig_release(&rig);
}

/* ---- purposes */

static void a_purpose_must_be_in_the_consent_and_in_the_licence(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.request.purpose = -1;
    assert_denied(&rig, "purposeNotPermitted", "purposes", "the pack does not have this purpose");
    ask_purpose(&rig, "estimate-emissions");
    rig.consent.purposes &= ~purposes_of(&rig, "estimate-emissions");
    assert_denied(&rig, "purposeNotPermitted", "purposes/0/code",
                  "the consent is not for \"estimate-emissions\"");
    rig.consent.purposes = UINT64_MAX;
    ask_purpose(&rig, "green-finance-eligibility");
    assert_denials(&rig, "roleMissing purposeNotPermitted");
    rig_release(&rig);
}

static void where_the_pack_wants_a_purpose_it_must_be_stated(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    ask_purpose(&rig, NULL);
    assert_denied(&rig, "purposeNotPermitted", "settings/purposeMustBeStated",
                  "the request does not state its purpose");
    rig_release(&rig);
}

static void without_a_stated_purpose_those_that_remain_are_told(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_purpose(&rig, NULL);
    assert_permitted(&rig, CAP_PURPOSES, "tariff");
    rig.consent.purposes = purposes_of(&rig, "green-finance-eligibility");
    assert_denied(&rig, "purposeNotPermitted", "purposes",
                  "no purpose of the consent is open any more");
    rig_release(&rig);
}

static void what_the_tests_of_purposes_leave_is_open(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_purpose(&rig, NULL);
    ask_permissions(&rig, ELECTRICITY); /* by the half hour: nothing to corroborate savings with */
    assert_permitted(&rig,
                     "estimate-emissions project-intervention-emissions "
                     "share-emissions-with-fsp decarbonisation-recommendations",
                     ELECTRICITY);
    ask_window(&rig, "2025-05-31T23:30Z", NULL); /* too long ago to estimate emissions */
    assert_permitted(&rig,
                     "project-intervention-emissions share-emissions-with-fsp "
                     "decarbonisation-recommendations",
                     ELECTRICITY);
    rig.consent.purposes = purposes_of(&rig, "estimate-emissions corroborate-savings");
    assert_denied(&rig, "outsideDataWindow", "purposes",
                  "no purpose that is left needs data from so long ago");
    rig_release(&rig);
}

static void a_consent_whose_licence_is_gone_counts_alone(void **state) {
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    ask_purpose(&rig, NULL);
    rig.consent.license = NULL;
    assert_denials(&rig, "licenseNotAvailable");
    rig_release(&rig);
}

/* ---- permissions */

static void a_permission_must_be_in_the_consent_and_in_the_licence(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.request.unknown_permission = true;
    assert_denied(&rig, "permissionNotPermitted", "permissions",
                  "the pack does not have this permission");
    rig.request.unknown_permission = false;
    rig.consent.permissions &= ~permissions_of(&rig, "tariff");
    assert_denied(&rig, "permissionNotPermitted", "permissions/3/code",
                  "the consent does not include \"tariff\"");
    rig.consent.permissions = UINT64_MAX;
    ask_permissions(&rig, "emissions.monthly");
    assert_denials(&rig, "permissionNotPermitted outsideDataWindow");
    rig_release(&rig);
}

static void a_denied_permission_says_so(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, "meter.identity");
    assert_denied(&rig, "permissionNotPermitted", "permissions/7/denied",
                  "the pack denies \"meter.identity\" to everyone");
    rig_release(&rig);
}

static void a_permission_may_need_another_beside_it(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, "location.outcode tariff");
    assert_denied(&rig, "permissionNotPermitted", "permissions/5/onlyWith",
                  "\"location.outcode\" is given only beside another permission");
    ask_permissions(&rig, "location.outcode gas.import.halfhourly");
    assert_permitted(&rig, "estimate-emissions", "location.outcode gas.import.halfhourly");
    rig_release(&rig);
}

static void an_onward_recipient_gets_what_the_licence_names_for_such(void **state) {
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    ask_permissions(&rig, "emissions.monthly tariff");
    assert_denied(&rig, "permissionNotPermitted", "licenses/2/onwardRecipients/permissions",
                  "\"tariff\" is not for onward recipients");
    rig_release(&rig);
}

static void without_stated_permissions_those_that_are_open_are_told(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, NULL);
    assert_permitted(&rig, "estimate-emissions",
                     ELECTRICITY " gas.import.halfhourly tariff location.outcode");
    ask_granularity(&rig, "PT15M"); /* what has a granularity is too coarse to be had by it */
    assert_permitted(&rig, "estimate-emissions", "tariff");
    rig.consent.permissions = permissions_of(&rig, ELECTRICITY);
    assert_denied(&rig, "permissionNotPermitted", "permissions",
                  "no permission of the consent is open");
    rig_release(&rig);
}

/* One after the other, whichever comes first in the pack. */
static void what_needs_another_is_open_only_beside_one_that_is(void **state) {
    static const char *const chains[][2] = {
        {"[\"usage.halfhourly\"]", "[\"identity\"]"},
        {"[\"identity\"]", "[\"place\"]"},
    };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        json_t *root = json_file(EVERY_MEMBER);
        struct rig rig;
        json_put(root, "/directory", NULL); /* of what rules look at */
        json_put(root, "/rules", NULL);
        json_put(root, "/permissions/2/onlyWith", json_of(chains[i][0]));
        json_put(root, "/permissions/0/onlyWith", json_of(chains[i][1]));
        rig_init(&rig, root, USAGE_1);
        ask_purpose(&rig, "report");
        ask_permissions(&rig, NULL);
        assert_permitted(&rig, "report", "usage.monthly");
        rig_release(&rig);
    }
}

static void what_is_given_by_months_is_not_open_for_parts_of_them(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    ask_permissions(&rig, NULL);
    ask_window(&rig, "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z");
    assert_permitted(&rig, "report", "usage.halfhourly usage.monthly place");
    rig.request.from++;
    assert_permitted(&rig, "report", "usage.halfhourly place");
    ask_window(&rig, NULL, "2026-07-01T00:00:00Z"); /* June is not over */
    assert_permitted(&rig, "report", "usage.halfhourly place");
    rig.consent.permissions = permissions_of(&rig, "usage.monthly");
    assert_denied(&rig, "permissionNotPermitted", "permissions",
                  "no permission of the consent is open");
    rig_release(&rig);
}

/* ---- resources */

static void a_permission_limited_to_resources_needs_one_of_them(void **state) {
    static const struct mac16 meters[] = {{{1}}, {{2}}, {{9}}};
    struct mac16 asked[] = {{{9}}, {{1}}, {{3}}};
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, "tariff gas.import.halfhourly");
    assert_denials(&rig, "");
    grain_of(&rig, "tariff")->resources = meters;
    grain_of(&rig, "tariff")->resource_count = 3;
    assert_denied(&rig, "resourceNotPermitted", "consent/permissions",
                  "the consent names resources, the request names none");
    rig.request.resources = asked;
    rig.request.resource_count = 2;
    assert_denials(&rig, "");
    rig.request.resource_count = 3;
    assert_denied(&rig, "resourceNotPermitted", "consent/permissions",
                  "the consent does not include one of the resources");
    ask_permissions(&rig, "gas.import.halfhourly");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_permission_of_other_resources_is_not_open(void **state) {
    static const struct mac16 meters[] = {{{1}}};
    const struct mac16 asked[] = {{{2}}};
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, NULL);
    grain_of(&rig, "tariff")->resources = meters;
    grain_of(&rig, "tariff")->resource_count = 1;
    assert_permitted(&rig, "estimate-emissions",
                     ELECTRICITY " gas.import.halfhourly tariff location.outcode");
    rig.request.resources = asked;
    rig.request.resource_count = 1;
    assert_permitted(&rig, "estimate-emissions",
                     ELECTRICITY " gas.import.halfhourly location.outcode");
    rig_release(&rig);
}

/* ---- granularity */

static void nothing_finer_than_the_pack_offers(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, ELECTRICITY);
    ask_granularity(&rig, "PT30M");
    assert_denials(&rig, "");
    ask_granularity(&rig, "PT29M");
    assert_denied(&rig, "granularityTooFine", "permissions/0/granularity",
                  "\"electricity.import.halfhourly\" is not offered in that fine a granularity");
    ask_permissions(&rig, "tariff"); /* has none */
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void nothing_finer_than_the_consent_says(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_permissions(&rig, ELECTRICITY);
    grain_of(&rig, ELECTRICITY)->has_granularity = true;
    grain_of(&rig, ELECTRICITY)->granularity = length_of("P1D");
    ask_granularity(&rig, "P1D");
    assert_denials(&rig, "");
    ask_granularity(&rig, "PT23H");
    assert_denied(&rig, "granularityTooFine", "consent/permissions",
                  "the consent allows coarser data of \"electricity.import.halfhourly\" only");
    ask_granularity(&rig, NULL); /* the finest: half-hourly */
    assert_denied(&rig, "granularityTooFine", "consent/permissions",
                  "the consent allows coarser data of \"electricity.import.halfhourly\" only");
    grain_of(&rig, ELECTRICITY)->granularity = length_of("PT30M");
    assert_denials(&rig, "");
    ask_permissions(&rig, "tariff"); /* nobody knows how fine */
    grain_of(&rig, "tariff")->has_granularity = true;
    grain_of(&rig, "tariff")->granularity = length_of("P1Y");
    assert_denied(&rig, "granularityTooFine", "consent/permissions",
                  "the consent allows coarser data of \"tariff\" only");
    ask_granularity(&rig, "P1Y");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_purpose_may_want_coarse_data(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_purpose(&rig, "corroborate-savings");
    ask_permissions(&rig, "tariff"); /* not judged: no granularity is known */
    assert_denials(&rig, "");
    ask_permissions(&rig, ELECTRICITY " tariff");
    assert_denied(&rig, "granularityTooFine", "purposes/2/limits/granularity",
                  "\"corroborate-savings\" needs no data that fine");
    ask_granularity(&rig, "P30D"); /* February is shorter, March is not */
    assert_denials(&rig, "granularityTooFine");
    ask_granularity(&rig, "P31D");
    assert_denials(&rig, "");
    ask_granularity(&rig, "P1M");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void every_purpose_may_want_coarser_data(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_purpose(&rig, NULL);
    ask_permissions(&rig, ELECTRICITY);
    rig.consent.purposes = purposes_of(&rig, "corroborate-savings");
    assert_denied(&rig, "granularityTooFine", "purposes",
                  "no purpose that is left needs data that fine");
    rig_release(&rig);
}

/* ---- the window */

static void a_window_ends_after_it_begins(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_window(&rig, "2026-05-01T00:00:00.000Z", "2026-05-01T00:00:00.001Z");
    assert_denials(&rig, "");
    ask_window(&rig, "2026-05-01T00:00:00.001Z", "2026-05-01T00:00:00.001Z");
    assert_denied(&rig, "outsideDataWindow", "request", "from is not before to");
    rig_release(&rig);
}

static void the_consents_window_holds_to_the_millisecond(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.data_from = ms("2026-01-10T00:00:00Z");
    rig.consent.data_to = ms("2026-05-10T00:00:00Z");
    ask_window(&rig, "2026-01-10T00:00:00Z", "2026-05-10T00:00:00Z");
    assert_denials(&rig, "");
    rig.request.from--;
    assert_denied(&rig, "outsideDataWindow", "consent/dataFrom",
                  "the request begins before the consent's window");
    rig.request.from++;
    rig.request.to++;
    assert_denied(&rig, "outsideDataWindow", "consent/dataTo",
                  "the request ends after the consent's window");
    rig_release(&rig);
}

static void an_end_that_the_consent_limits_must_be_stated(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    rig.consent.data_from = ms("2026-01-10T00:00:00Z");
    assert_denied(&rig, "outsideDataWindow", "consent/dataFrom",
                  "the consent names a start of the data, the request none");
    ask_window(&rig, "2026-01-10T00:00:00Z", NULL);
    assert_denials(&rig, "");
    rig.consent.data_to = ms("2026-05-10T00:00:00Z");
    assert_denied(&rig, "outsideDataWindow", "consent/dataTo",
                  "the consent names an end of the data, the request none");
    ask_permissions(&rig, NULL); /* only stated ends are judged then */
    assert_denials(&rig, "");
    ask_window(&rig, NULL, "2026-05-10T00:00:00.001Z");
    assert_denials(&rig, "outsideDataWindow");
    rig_release(&rig);
}

static void the_licence_looks_back_from_the_month_of_the_grant(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig); /* granted in March 2026, P3M */
    ask_window(&rig, "2025-12-01T00:00:00Z", NULL);
    assert_denials(&rig, "");
    rig.request.from--;
    assert_denied(&rig, "outsideDataWindow", "licenses/0/lookBack",
                  "the request looks back further than the licence allows");
    rig.consent.data_from = ms("2025-07-01T00:00:00Z"); /* the consent's own word counts */
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void a_purpose_looks_back_from_this_month(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig); /* P12M */
    rig.consent.granted_at = ms("2026-03-12T00:00:00Z");
    ask_window(&rig, "2025-06-01T00:00:00Z", NULL);
    assert_denials(&rig, "");
    rig.now = ms("2026-07-01T00:00:00Z");
    assert_denied(&rig, "outsideDataWindow", "purposes/0/limits/lookBack",
                  "\"estimate-emissions\" needs no data from so long ago");
    ask_purpose(&rig, "share-emissions-with-fsp");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void every_purpose_may_look_back_less(void **state) {
    struct rig rig;
    (void)state;
    energy(&rig);
    ask_purpose(&rig, NULL);
    rig.consent.purposes = purposes_of(&rig, "estimate-emissions");
    ask_window(&rig, "2025-05-31T23:59:59.999Z", NULL);
    assert_denied(&rig, "outsideDataWindow", "purposes",
                  "no purpose that is left needs data from so long ago");
    rig_release(&rig);
}

static void some_data_are_handed_out_by_whole_past_months(void **state) {
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    rig.request.to = ms("2026-05-31T23:59:59.999Z");
    assert_denied(&rig, "outsideDataWindow", "permissions/6/wholeMonths",
                  "\"emissions.monthly\" is given by whole calendar months that are over");
    rig.request.to = ms("2026-07-01T00:00:00Z"); /* June is not over */
    assert_denials(&rig, "outsideDataWindow");
    rig.now = ms("2026-06-30T23:59:59.999Z");
    assert_denials(&rig, "outsideDataWindow");
    rig.now++;
    assert_denials(&rig, "");
    rig.request.to = INT64_MIN;
    assert_denials(&rig, "outsideDataWindow");
    ask_window(&rig, NULL, "2026-06-01T00:00:00Z");
    assert_denials(&rig, "outsideDataWindow");
    ask_window(&rig, "2026-04-02T00:00:00Z", "2026-06-01T00:00:00Z");
    assert_denials(&rig, "outsideDataWindow");
    rig_release(&rig);
}

static void a_licence_may_be_of_whole_months(void **state) {
    json_t *root = json_file(EVERY_MEMBER);
    struct rig rig;
    (void)state;
    json_put(root, "/permissions/1/wholeMonths", NULL);
    rig_init(&rig, root, MONTHLY);
    ask_purpose(&rig, "lend");
    ask_permissions(&rig, "usage.monthly");
    ask_window(&rig, "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z");
    assert_denials(&rig, "");
    rig.request.from++;
    assert_denied(&rig, "outsideDataWindow", "licenses/2/wholeMonths",
                  "data are given by whole calendar months that are over");
    rig_release(&rig);
}

static void without_stated_permissions_months_hold_for_stated_ends(void **state) {
    static const struct {
        const char *from, *to;
        bool permitted;
    } windows[] = {
        {NULL, NULL, true},
        {"2026-05-01T00:00:00Z", NULL, true},
        {NULL, "2026-06-01T00:00:00Z", true},
        {"2026-05-01T00:00:00.001Z", NULL, false},
        {NULL, "2026-05-31T23:59:59.999Z", false},
        {"2026-06-01T00:00:00Z", NULL, false}, /* June is not over */
        {NULL, "2026-07-01T00:00:00Z", false},
    };
    json_t *root = json_file(EVERY_MEMBER);
    struct rig rig;
    (void)state;
    json_put(root, "/permissions/1/wholeMonths", NULL);
    rig_init(&rig, root, MONTHLY);
    ask_purpose(&rig, "lend");
    ask_permissions(&rig, NULL);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        ask_window(&rig, windows[i].from, windows[i].to);
        assert_denials(&rig, windows[i].permitted ? "" : "outsideDataWindow");
    }
    rig_release(&rig);
}

/* ---- recipients and territory */

static void an_onward_recipient_must_be_named_by_the_consent(void **state) {
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    rig.request.onward = 3;
    assert_denials(&rig, "");
    rig.request.onward = 4;
    assert_denied(&rig, "recipientNotNamed", "consent/onwardRecipients",
                  "the consent does not name this onward recipient");
    rig.consent.onward_count = 0;
    assert_denials(&rig, "recipientNotNamed");
    rig_release(&rig);
}

static void what_is_kept_for_recipients_needs_one(void **state) {
    struct rig rig;
    (void)state;
    emissions_for_bank(&rig);
    ask_purpose(&rig, "share-emissions-with-fsp");
    rig.request.has_onward = false;
    assert_denied(&rig, "recipientNotNamed", "licenses/2/onwardRecipients/permissions",
                  "\"emissions.monthly\" is for onward recipients, and none is stated");
    ask_permissions(&rig, "tariff");
    assert_denials(&rig, "");
    rig_release(&rig);
}

static void data_stay_in_the_packs_territory(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    rig.request.territory = SPAN("IE");
    assert_denials(&rig, "");
    rig.request.territory = SPAN("FR");
    assert_denied(&rig, "territory", "territory", "the scheme does not reach there");
    rig.request.territory = SPAN("");
    assert_denials(&rig, "territory");
    rig_release(&rig);
    usage_with(&rig, "/territory", NULL);
    rig.request.territory = SPAN("FR");
    assert_denials(&rig, ""); /* a pack that names no territory limits none */
    rig_release(&rig);
}

/* ---- rules and types */

#define RULE(effect, path, op, value)                                         \
    "[{\"id\":\"one\",\"effect\":\"" effect                                   \
    "\",\"reason\":\"because\",\"when\":[{\"path\":\"" path "\",\"op\":\"" op \
    "\",\"value\":" value "}]}]"

static void a_rule_that_applies_denies(void **state) {
    struct rig rig;
    (void)state;
    usage_with(&rig, "/rules", RULE("deny", "action.name", "eq", "\"write\""));
    assert_denials(&rig, "");
    rig.request.action_name = SPAN("write");
    assert_denied(&rig, "deniedByRule", "rules/0", "because");
    rig_release(&rig);
}

static void the_last_of_ten_thousand_rules_counts(void **state) {
    json_t *root = json_file(EVERY_MEMBER), *rules = json_array();
    struct rig rig;
    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        json_array_append_new(rules, json_pack("{s:o,s:s,s:[{s:s,s:s,s:o}]}", "id",
                                               json_sprintf("rule-%u", i), "effect", "deny", "when",
                                               "path", "action.name", "op", "eq", "value",
                                               json_sprintf("name-%u", i)));
    json_put(root, "/directory", NULL);
    json_put(root, "/rules", rules);
    rig_init(&rig, root, USAGE_1);
    ask_purpose(&rig, "report");
    ask_permissions(&rig, "usage.halfhourly");
    ask_granularity(&rig, "P1M");
    rig.request.action_name = SPAN("name-10000");
    assert_denials(&rig, "");
    rig.request.action_name = SPAN("name-9999");
    assert_denied(&rig, "deniedByRule", "rules/9999", "a rule denies it");
    rig_release(&rig);
}

static void a_rule_that_permits_does_not_replace_a_consent(void **state) {
    struct rig rig;
    (void)state;
    usage_with(&rig, "/rules", RULE("permit", "action.name", "eq", "\"read\""));
    assert_denials(&rig, "");
    assert_int_equal(rig.out.rule, -1);
    rig.consent.status = CONSENT_REVOKED;
    assert_denials(&rig, "notActive");
    rig_release(&rig);
}

static void a_type_ruled_by_rules_alone_needs_one_that_permits(void **state) {
    struct rig rig;
    (void)state;
    usage_with(&rig, "/rules", RULE("permit", "action.name", "eq", "\"read\""));
    rig.request.resource_type = SPAN("record");
    rig.absent = true;
    ask_purpose(&rig, NULL);
    ask_permissions(&rig, NULL);
    ask_granularity(&rig, NULL);
    assert_permitted(&rig, "", "");
    assert_int_equal(rig.out.rule, 0);
    rig.request.action_name = SPAN("write");
    assert_denied(&rig, "deniedByRule", "rules", "no rule permits it");
    rig_release(&rig);
}

static void an_unknown_type_is_denied_and_nothing_else_is_said(void **state) {
    struct rig rig;
    (void)state;
    usage(&rig);
    rig.absent = true;
    rig.request.blocked = true;
    rig.request.purpose = -1;
    rig.request.territory = SPAN("FR");
    rig.request.resource_type = SPAN("Account");
    assert_denied(&rig, "deniedByRule", "resourceTypes",
                  "the pack does not know this type of resource");
    rig_release(&rig);
}

/* Invariant 8: what is unknown is a denial, with a reason. */
static void whatever_is_unknown_is_denied(void **state) {
    static const struct span roles[] = {SPAN("https://scheme.example/role/unheard-of")};
    static const struct mac16 meters[] = {{{9}}};
    struct rig rig;
    (void)state;
    energy(&rig);
    const struct rig right = rig;
    assert_denials(&rig, "");
    for (unsigned unknown = CONSENT_STATE_END; unknown <= 256; unknown++) {
        rig.consent.status = unknown == 256 ? 0 : unknown;
        assert_denials(&rig, "notActive");
    }
    rig = right;
    rig.request.has_purpose = true;
    rig.request.purpose = -1;
    assert_denials(&rig, "purposeNotPermitted");
    rig = right;
    rig.request.unknown_permission = true;
    assert_denials(&rig, "permissionNotPermitted");
    rig = right;
    rig.consent.license = NULL;
    assert_denials(&rig, "licenseNotAvailable");
    rig = right;
    rig.request.license = SPAN("https://scheme.example/license/unheard-of");
    assert_denials(&rig, "licenseNotAvailable");
    rig = right;
    state_roles(&rig, roles, 1);
    assert_denials(&rig, "roleMissing");
    rig = right;
    rig.request.resource_type = SPAN("unheard-of");
    assert_denials(&rig, "deniedByRule");
    rig = right;
    grain_of(&rig, "tariff")->resources = meters;
    grain_of(&rig, "tariff")->resource_count = 1;
    assert_denials(&rig, "resourceNotPermitted");
    rig_release(&rig);
}

static void every_reason_is_told_and_not_only_the_first(void **state) {
    static const struct mac16 meters[] = {{{1}}};
    struct rig rig;
    (void)state;
    usage_with(&rig, "/rules", RULE("deny", "action.name", "eq", "\"read\""));
    rig.request.malformed = "context/territory";
    rig.consent.wrong_client = rig.consent.linked_ended = rig.request.blocked = true;
    rig.consent.status = CONSENT_REVOKED;
    rig.consent.max_uses = rig.consent.uses = 1;
    rig.now = ms("2028-01-01T00:00:00Z");
    state_roles(&rig, NULL, 0);
    rig.request.purpose = -1;
    ask_permissions(&rig, "usage.halfhourly identity");
    ask_granularity(&rig, "PT1M");
    grain_of(&rig, "usage.halfhourly")->resources = meters;
    grain_of(&rig, "usage.halfhourly")->resource_count = 1;
    ask_window(&rig, "2027-01-01T00:00Z", "2026-01-01T00:00Z");
    rig.request.has_onward = true;
    rig.request.territory = SPAN("FR");
    rig.request.license = SPAN(USAGE_2);
    assert_denials(&rig, "malformedRequest wrongClient clientBlocked notActive usesExhausted "
                         "linkedConsentEnded licenseNotAvailable licenseProhibited roleMissing "
                         "purposeNotPermitted permissionNotPermitted resourceNotPermitted "
                         "granularityTooFine outsideDataWindow recipientNotNamed territory "
                         "deniedByRule");
    rig_release(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_consent_and_the_licence_name_is_permitted),
        cmocka_unit_test(every_reason_has_a_code_and_every_code_a_reason),
        cmocka_unit_test(a_malformed_request_is_denied_by_its_pointer),
        cmocka_unit_test(without_a_consent_that_is_the_only_reason),
        cmocka_unit_test(without_a_consent_what_can_be_said_is_said),
        cmocka_unit_test(another_client_is_denied),
        cmocka_unit_test(a_blocked_client_is_denied),
        cmocka_unit_test(each_state_but_active_has_its_reason),
        cmocka_unit_test(a_consent_expires_at_its_very_millisecond),
        cmocka_unit_test(a_revoked_consent_whose_time_is_over_was_revoked),
        cmocka_unit_test(the_last_use_is_permitted_and_the_next_not),
        cmocka_unit_test(a_consent_ends_with_the_one_it_depends_on),
        cmocka_unit_test(a_licence_that_the_pack_does_not_have_permits_nothing),
        cmocka_unit_test(a_licence_is_available_from_its_first_millisecond),
        cmocka_unit_test(the_token_in_hand_must_be_of_the_consents_licence),
        cmocka_unit_test(a_licence_is_used_until_the_last_millisecond_it_may_be),
        cmocka_unit_test(a_deprecated_licence_is_still_used),
        cmocka_unit_test(stated_roles_must_have_the_licences),
        cmocka_unit_test(any_url_of_a_role_will_do),
        cmocka_unit_test(a_purpose_of_banks_needs_a_bank_to_act),
        cmocka_unit_test(a_purpose_must_be_in_the_consent_and_in_the_licence),
        cmocka_unit_test(where_the_pack_wants_a_purpose_it_must_be_stated),
        cmocka_unit_test(without_a_stated_purpose_those_that_remain_are_told),
        cmocka_unit_test(what_the_tests_of_purposes_leave_is_open),
        cmocka_unit_test(a_consent_whose_licence_is_gone_counts_alone),
        cmocka_unit_test(a_permission_must_be_in_the_consent_and_in_the_licence),
        cmocka_unit_test(a_denied_permission_says_so),
        cmocka_unit_test(a_permission_may_need_another_beside_it),
        cmocka_unit_test(an_onward_recipient_gets_what_the_licence_names_for_such),
        cmocka_unit_test(without_stated_permissions_those_that_are_open_are_told),
        cmocka_unit_test(what_needs_another_is_open_only_beside_one_that_is),
        cmocka_unit_test(what_is_given_by_months_is_not_open_for_parts_of_them),
        cmocka_unit_test(a_permission_limited_to_resources_needs_one_of_them),
        cmocka_unit_test(a_permission_of_other_resources_is_not_open),
        cmocka_unit_test(nothing_finer_than_the_pack_offers),
        cmocka_unit_test(nothing_finer_than_the_consent_says),
        cmocka_unit_test(a_purpose_may_want_coarse_data),
        cmocka_unit_test(every_purpose_may_want_coarser_data),
        cmocka_unit_test(a_window_ends_after_it_begins),
        cmocka_unit_test(the_consents_window_holds_to_the_millisecond),
        cmocka_unit_test(an_end_that_the_consent_limits_must_be_stated),
        cmocka_unit_test(the_licence_looks_back_from_the_month_of_the_grant),
        cmocka_unit_test(a_purpose_looks_back_from_this_month),
        cmocka_unit_test(every_purpose_may_look_back_less),
        cmocka_unit_test(some_data_are_handed_out_by_whole_past_months),
        cmocka_unit_test(a_licence_may_be_of_whole_months),
        cmocka_unit_test(without_stated_permissions_months_hold_for_stated_ends),
        cmocka_unit_test(an_onward_recipient_must_be_named_by_the_consent),
        cmocka_unit_test(what_is_kept_for_recipients_needs_one),
        cmocka_unit_test(data_stay_in_the_packs_territory),
        cmocka_unit_test(a_rule_that_applies_denies),
        cmocka_unit_test(the_last_of_ten_thousand_rules_counts),
        cmocka_unit_test(a_rule_that_permits_does_not_replace_a_consent),
        cmocka_unit_test(a_type_ruled_by_rules_alone_needs_one_that_permits),
        cmocka_unit_test(an_unknown_type_is_denied_and_nothing_else_is_said),
        cmocka_unit_test(whatever_is_unknown_is_denied),
        cmocka_unit_test(every_reason_is_told_and_not_only_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
