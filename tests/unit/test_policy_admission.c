/* Admissibility, each clause just inside and just outside, on the pack with every member. The case
 * table of the Perseus pack is in policy/packs/; here are the edges that a table of whole requests
 * shows badly: milliseconds, leap days, lists, what is quoted. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_policy.h"

#include "policy/clause.h"
#include "policy/notice.h"

#define USAGE_1 "https://scheme.example/license/usage/1"
#define USAGE_2 "https://scheme.example/license/usage/2"
#define MONTHLY "https://scheme.example/license/monthly/1"
#define NOW "2026-05-20T10:00:00.000Z"

/* A right request for a licence, whose parts a test changes. */
struct request {
    struct policy_pack *pack;
    struct policy_admission ask;
    int64_t now;
    struct span purposes[LIMIT_SET], onward[LIMIT_ONWARD + 1], roles[2];
    struct policy_permission_ask permissions[LIMIT_SET];
    struct policy_dependency dependencies[3];
    struct policy_substitution substitutions[3];
};

static void ask_for(struct request *r, const char *license, const char *purpose,
                    const char *permission) {
    r->now = ms(NOW);
    r->purposes[0] = span_of_text(purpose);
    r->permissions[0] = (struct policy_permission_ask){.code = span_of_text(permission)};
    r->ask = (struct policy_admission){
        .license = span_of_text(license),
        .purposes = r->purposes,
        .purpose_count = 1,
        .permissions = r->permissions,
        .permission_count = 1,
        .onward = r->onward,
        .client_roles = r->roles,
        .tenant_roles = r->roles,
        .granted = true,
        .granted_at = r->now,
        .expires = ms("2026-06-20T10:00Z"),
        .data_from = INT64_MIN,
        .data_to = INT64_MIN,
        .notice = {.present = true,
                   .url = SPAN("https://x"),
                   .language = SPAN("fr"),
                   .has_rendered_digest = true,
                   .shown_at = INT64_MIN,
                   .substitutions = r->substitutions},
        .dependencies = r->dependencies,
        .dependencies_required = true,
    };
}

static void ask_usage(struct request *r) {
    ask_for(r, USAGE_1, "report", "usage.halfhourly");
}

static void ask_usage_2(struct request *r) {
    ask_for(r, USAGE_2, "report", "usage.halfhourly");
    r->onward[0] = SPAN("https://bank.example/1");
    r->ask.onward_count = 1;
}

static void ask_monthly(struct request *r) {
    ask_for(r, MONTHLY, "lend", "usage.monthly");
    r->dependencies[0] = (struct policy_dependency){true, true};
    r->ask.dependency_count = 1;
}

static int set_up(void **state) {
    struct request *r = calloc(1, sizeof *r);
    r->pack = loaded(json_file(EVERY_MEMBER));
    ask_usage(r);
    *state = r;
    return 0;
}

static int tear_down(void **state) {
    struct request *r = *state;
    policy_pack_free(r->pack);
    free(r);
    return 0;
}

/* expected: codes with blanks between, or "" when it is to be admitted. */
static void assert_reasons(struct request *r, const char *expected) {
    struct policy_reasons reasons;
    char found[1024] = "";
    size_t size = 0;
    memset(&reasons, 0x5a, sizeof reasons);
    enum status status = policy_admit(r->pack, &r->ask, r->now, &reasons);
    for (uint32_t i = 0; i < reasons.count; i++)
        size += (size_t)snprintf(found + size, sizeof found - size, "%s%s", i > 0 ? " " : "",
                                 reasons.items[i].code);
    assert_string_equal(found, expected);
    assert_int_equal(status, *expected == '\0' ? STATUS_OK : STATUS_NOT_ADMISSIBLE);
}

static void assert_reason(struct request *r, const char *code, const char *clause,
                          const char *detail) {
    struct policy_reasons reasons;
    assert_int_equal(policy_admit(r->pack, &r->ask, r->now, &reasons), STATUS_NOT_ADMISSIBLE);
    assert_int_equal(reasons.count, 1);
    assert_string_equal(reasons.items[0].code, code);
    assert_string_equal(reasons.items[0].clause, clause);
    assert_string_equal(reasons.items[0].detail, detail);
}

/* ---- licence and roles */

static void what_is_right_is_admitted(void **state) {
    struct request *r = *state;
    assert_reasons(r, "");
    ask_usage_2(r);
    assert_reasons(r, "");
    ask_monthly(r);
    assert_reasons(r, "");
}

static void a_licence_that_the_pack_does_not_have_is_refused(void **state) {
    struct request *r = *state;
    r->ask.license = SPAN("https://scheme.example/license/usage/1/");
    assert_reason(r, "licenseUnknown", "licenses", "the pack does not have this licence");
}

static void a_licence_is_available_from_its_first_millisecond(void **state) {
    struct request *r = *state;
    r->now = r->ask.granted_at = ms("2026-01-01T00:00Z");
    assert_reasons(r, "");
    r->ask.granted_at--; /* a grant from before the licence existed */
    assert_reasons(r, "licenseNotYetAvailable");
    r->ask.granted_at++;
    r->now--; /* within the leeway for grants */
    assert_reasons(r, "licenseNotYetAvailable");
    r->ask.granted = false;
    assert_reasons(r, "licenseNotYetAvailable");
}

static void a_deprecated_licence_takes_no_new_grants_after_its_last_millisecond(void **state) {
    struct request *r = *state;
    r->now = r->ask.granted_at = ms("2026-06-30T23:59:59.999Z");
    r->ask.expires = r->now + 1000;
    assert_reasons(r, "");
    r->now++;
    assert_reason(r, "licenseDeprecated", "licenses/0/deprecatedAfter",
                  "no new grants are made under this licence");
    r->ask.renewal = true;
    r->ask.renewed_license = SPAN(USAGE_1);
    assert_reasons(r, "licenseDeprecated");
    r->ask.granted = false;
    assert_reasons(r, "licenseDeprecated");
}

static void a_prohibited_licence_is_also_that(void **state) {
    struct request *r = *state;
    r->now = r->ask.granted_at = ms("2027-06-30T12:00Z");
    r->ask.expires = r->now + 1000;
    assert_reasons(r, "licenseDeprecated");
    r->now++;
    assert_reasons(r, "licenseDeprecated licenseProhibited");
}

static void a_renewal_stays_or_goes_where_the_pack_says(void **state) {
    struct request *r = *state;
    r->ask.renewal = true;
    r->ask.renewed_license = SPAN(USAGE_1);
    assert_reasons(r, "");
    ask_usage_2(r);
    r->ask.renewal = true;
    r->ask.renewed_license = SPAN(USAGE_1);
    assert_reasons(r, "");
    r->ask.renewed_license = SPAN(MONTHLY);
    assert_reason(r, "licenseNotReplacement", "licenses/2/replacedBy",
                  "the pack does not name this licence as replacing the one that is renewed");
    r->ask.renewed_license = SPAN("https://scheme.example/license/usage/0");
    assert_reason(r, "licenseNotReplacement", "licenses",
                  "the pack does not name this licence as replacing the one that is renewed");
    ask_usage(r); /* not backwards */
    r->ask.renewal = true;
    r->ask.renewed_license = SPAN(USAGE_2);
    assert_reasons(r, "licenseNotReplacement");
}

static void roles_are_judged_where_they_are_known(void **state) {
    struct request *r = *state;
    r->roles[0] = SPAN("https://scheme.example/role/bank");
    r->ask.client_role_count = r->ask.tenant_role_count = 1;
    assert_reasons(r, "");
    r->ask.client_roles_known = true;
    assert_reason(r, "clientRoleWrong", "licenses/0/to",
                  "the client does not have the role \"taker\"");
    r->ask.client_role_count = 2;
    r->roles[1] = SPAN("https://pilot.scheme.example/role/taker");
    assert_reasons(r, "");
    r->roles[1] = SPAN("taker"); /* a code is no URL */
    assert_reasons(r, "clientRoleWrong");
    r->ask.client_role_count = 0;
    assert_reasons(r, "clientRoleWrong");
    r->ask.client_roles_known = false;
    r->ask.tenant_roles_known = true;
    assert_reason(r, "tenantRoleWrong", "licenses/0/from",
                  "the tenant does not have the role \"holder\"");
    r->roles[0] = SPAN("https://scheme.example/role/holder");
    assert_reasons(r, "");
}

/* ---- purposes and permissions */

static void purposes_stay_within_pack_and_licence(void **state) {
    struct request *r = *state;
    r->ask.purpose_count = 0;
    assert_reason(r, "noPurpose", "purposes", "a consent needs a purpose");
    r->ask.purpose_count = 3;
    r->purposes[1] = SPAN("lend");
    r->purposes[2] = SPAN("Alice Smith, 4 High Street");
    assert_reasons(r, "purposeUnknown purposeNotInLicense");
    r->purposes[1] = SPAN("report ");
    assert_reason(r, "purposeUnknown", "purposes",
                  "purposes/1 (and 1 more) is no purpose of the pack");
    r->ask.purpose_count = 2;
    r->purposes[1] = SPAN("lend");
    assert_reason(r, "purposeNotInLicense", "licenses/0/purposes",
                  "the licence does not include the purpose \"lend\"");
    ask_usage_2(r);
    r->purposes[1] = SPAN("lend");
    r->ask.purpose_count = 2;
    assert_reasons(r, "");
}

static void permissions_stay_within_pack_and_licence(void **state) {
    struct request *r = *state;
    r->ask.permission_count = 0;
    assert_reason(r, "noPermission", "permissions", "a consent needs a permission");
    r->ask.permission_count = 2;
    r->permissions[1].code = SPAN("account-17");
    assert_reason(r, "permissionUnknown", "permissions",
                  "permissions/1 is no permission of the pack");
    r->permissions[1].code = SPAN("identity");
    assert_reason(r, "permissionDenied", "permissions/3/denied",
                  "\"identity\" is a permission that the pack denies");
    ask_monthly(r);
    r->permissions[1].code = SPAN("usage.halfhourly");
    r->ask.permission_count = 2;
    assert_reason(r, "permissionNotInLicense", "licenses/2/permissions",
                  "the licence does not include the permission \"usage.halfhourly\"");
}

static void some_permissions_need_another_beside_them(void **state) {
    struct request *r = *state;
    r->permissions[0].code = SPAN("place");
    assert_reason(r, "permissionNeedsAnother", "permissions/2/onlyWith",
                  "\"place\" is given only beside another permission");
    r->ask.permission_count = 2;
    r->permissions[1].code = SPAN("usage.monthly");
    assert_reasons(r, "");
}

static void a_granularity_is_not_finer_than_offered(void **state) {
    static const struct {
        const char *permission, *asked;
        bool fine;
    } rows[] = {
        {"usage.halfhourly", "PT30M", false},  {"usage.halfhourly", "PT1800S", false},
        {"usage.halfhourly", "PT1799S", true}, {"usage.halfhourly", "PT29M", true},
        {"usage.halfhourly", "P1D", false},    {"usage.halfhourly", "P1M", false},
        {"usage.halfhourly", "PT0S", true},    {"usage.monthly", "P1M", false},
        {"usage.monthly", "P1Y", false},       {"usage.monthly", "P30D", true},
        {"usage.monthly", "P31D", false},      {"usage.monthly", "P4W", true},
        {"usage.monthly", "P0M", true},        {"place", "PT1S", false},
    };
    struct request *r = *state;
    r->permissions[1].code = SPAN("usage.halfhourly");
    r->ask.permission_count = 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r->permissions[0].code = span_of_text(rows[i].permission);
        r->permissions[0].has_granularity = true;
        assert_int_equal(
            duration_parse(span_of_text(rows[i].asked), &r->permissions[0].granularity), STATUS_OK);
        assert_reasons(r, rows[i].fine ? "granularityTooFine" : "");
    }
}

static void a_list_that_fails_everywhere_gives_one_reason_a_clause(void **state) {
    struct request *r = *state;
    struct policy_reasons reasons;
    for (int i = 0; i < LIMIT_SET; i++) {
        r->purposes[i] = SPAN("unknown");
        r->permissions[i].code = i % 2 == 0 ? SPAN("unknown") : SPAN("identity");
    }
    r->ask.purpose_count = r->ask.permission_count = LIMIT_SET;
    assert_reasons(r, "purposeUnknown permissionUnknown permissionDenied");
    assert_int_equal(policy_admit(r->pack, &r->ask, r->now, &reasons), STATUS_NOT_ADMISSIBLE);
    assert_string_equal(reasons.items[0].detail,
                        "purposes/0 (and 63 more) is no purpose of the pack");
    assert_string_equal(reasons.items[2].detail,
                        "\"identity\" (and 31 more) is a permission that the pack denies");
}

/* ---- term and window */

static void the_term_is_kept_to_the_millisecond(void **state) {
    struct request *r = *state;
    r->ask.expires = ms("2026-11-20T10:00:00.000Z");
    assert_reasons(r, "");
    r->ask.expires++;
    assert_reason(r, "termTooLong", "licenses/0/term",
                  "the consent would last longer than the licence's term");
    r->ask.expires = INT64_MAX;
    assert_reasons(r, "termTooLong");
    r->ask.granted_at++; /* counted from the grant, not from now */
    r->ask.expires = ms("2026-11-20T10:00:00.001Z");
    assert_reasons(r, "");
}

static void a_year_from_a_leap_day_ends_on_the_28th(void **state) {
    struct request *r = *state;
    ask_usage_2(r);
    r->now = r->ask.granted_at = ms("2024-02-29T10:00Z");
    r->ask.expires = ms("2025-02-28T10:00Z");
    assert_reasons(r, "");
    r->ask.expires++;
    assert_reasons(r, "termTooLong");
    const struct policy_license *license = policy_pack_license(r->pack, 1);
    assert_int_equal(policy_default_expiry(license, r->now), ms("2025-02-28T10:00Z"));
}

static void a_licence_without_a_term_lasts_as_long_as_it_is_given(void **state) {
    struct request *r = *state;
    ask_monthly(r);
    r->ask.expires = INT64_MAX;
    assert_reasons(r, "");
    assert_int_equal(policy_default_expiry(policy_pack_license(r->pack, 2), r->now), INT64_MAX);
}

static void a_default_expiry_can_always_be_written(void **state) {
    struct request *r = *state;
    const struct policy_license *license = policy_pack_license(r->pack, 1);
    int64_t last = ms("9999-12-31T23:59:59.999Z");
    char text[TIMESTAMP_SIZE + 1];
    assert_int_equal(policy_default_expiry(license, last), last);
    assert_int_equal(policy_default_expiry(license, ms("9998-12-31T23:59:59.999Z")), last);
    assert_int_equal(policy_default_expiry(license, ms("9998-12-31T23:59:59.998Z")), last - 1);
    timestamp_format(policy_default_expiry(license, last), text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void a_consent_ends_after_it_begins_and_after_now(void **state) {
    struct request *r = *state;
    r->ask.expires = r->now + 1;
    assert_reasons(r, "");
    r->ask.expires = r->now;
    assert_reasons(r, "expiresBeforeGrant expiredAlready");
    r->ask.granted_at = r->now - 1000;
    assert_reasons(r, "expiredAlready");
    r->ask.granted_at = r->now + 1000; /* within the leeway */
    r->ask.expires = r->now + 1000;
    assert_reasons(r, "expiresBeforeGrant");
    r->ask.expires++;
    assert_reasons(r, "");
}

static void one_looks_back_to_the_first_of_a_month(void **state) {
    struct request *r = *state; /* P3M */
    r->now = r->ask.granted_at = ms("2026-05-31T23:59:59.999Z");
    r->ask.data_from = ms("2026-02-01T00:00Z");
    assert_reasons(r, "");
    r->ask.data_from--;
    assert_reason(r, "lookBackTooLong", "licenses/0/lookBack",
                  "dataFrom is before what the licence lets one look back to");
    r->ask.granted_at = ms("2026-04-30T23:59:59.999Z"); /* counted from the grant */
    r->ask.data_from = ms("2026-01-01T00:00Z");
    assert_reasons(r, "");
    r->ask.data_from--;
    assert_reasons(r, "lookBackTooLong");
    r->ask.granted = false; /* as if granted now */
    r->ask.data_from = ms("2026-02-01T00:00Z");
    assert_reasons(r, "");
    r->ask.data_from--;
    assert_reasons(r, "lookBackTooLong");
    ask_monthly(r); /* without: unlimited */
    r->ask.data_from = 0;
    assert_reasons(r, "");
}

static void a_window_holds_something(void **state) {
    struct request *r = *state;
    r->ask.data_from = ms("2026-04-01T00:00Z");
    r->ask.data_to = r->ask.data_from + 1;
    assert_reasons(r, "");
    r->ask.data_to--;
    assert_reason(r, "windowEmpty", "licenses/0/lookBack", "dataFrom is not before dataTo");
    r->ask.data_from = INT64_MIN;
    assert_reasons(r, "");
}

static void a_window_of_whole_months_begins_and_ends_on_a_first(void **state) {
    struct request *r = *state;
    ask_monthly(r);
    r->ask.data_from = ms("2026-02-01T00:00Z");
    r->ask.data_to = ms("2026-05-01T00:00Z");
    assert_reasons(r, "");
    r->ask.data_from++;
    assert_reasons(r, "windowNotWholeMonths");
    r->ask.data_from = INT64_MIN;
    r->ask.data_to--;
    assert_reason(r, "windowNotWholeMonths", "licenses/2/wholeMonths",
                  "the window must begin and end on the first of a month, UTC");
    r->ask.data_to = ms("2026-06-01T00:00Z");
    assert_reasons(r, "windowNotCompleted");
    r->now = r->ask.granted_at = r->ask.data_to;
    r->ask.expires = r->now + 1;
    assert_reasons(r, "");
    r->now--;
    assert_reasons(r, "windowNotCompleted");
    r->ask.data_to = INT64_MIN;
    assert_reasons(r, "");
}

/* ---- recipients and dependencies */

static void onward_recipients_are_as_many_as_the_licence_says(void **state) {
    struct request *r = *state;
    r->ask.onward_count = 1;
    assert_reason(r, "onwardRecipientNotAllowed", "licenses/0/onwardRecipients/max",
                  "more onward recipients are named than the licence allows: 0");
    ask_usage_2(r);
    r->ask.onward_count = 2;
    assert_reasons(r, "");
    r->ask.onward_count = 3;
    assert_reasons(r, "onwardRecipientNotAllowed");
    r->ask.onward_count = 0;
    assert_reason(r, "onwardRecipientMissing", "licenses/1/onwardRecipients/min",
                  "fewer onward recipients are named than the licence needs: 1");
    r->ask.granted = false; /* may be named at the grant */
    assert_reasons(r, "");
}

static void each_group_of_dependencies_has_an_active_member_of_the_right_licence(void **state) {
    struct request *r = *state;
    ask_monthly(r);
    r->ask.dependency_count = 3;
    r->dependencies[1] = r->dependencies[2] = r->dependencies[0];
    assert_reasons(r, "");
    r->dependencies[1].active = r->dependencies[2].active = false;
    assert_reason(r, "dependencyNotActive", "licenses/2/dependsOn",
                  "no consent of dependsOn/1 (and 1 more) is active");
    r->dependencies[0].of_license = false;
    assert_reasons(r, "dependencyNotActive dependencyWrongLicense");
    r->dependencies[1].active = r->dependencies[2].active = true;
    assert_reason(r, "dependencyWrongLicense", "licenses/2/dependsOn",
                  "no active consent of dependsOn/0 is under a licence that counts");
    r->ask.dependency_count = 0;
    assert_reason(r, "dependencyMissing", "licenses/2/dependsOn",
                  "the licence needs a consent to depend on");
    r->ask.dependencies_required = false;
    assert_reasons(r, "");
    ask_usage(r); /* a licence that needs none may rest on some all the same */
    r->ask.dependency_count = 1;
    r->dependencies[0] = (struct policy_dependency){false, false};
    assert_reasons(r, "dependencyNotActive");
}

/* ---- the grant and its words */

static void a_grant_lies_at_most_the_leeway_ahead(void **state) {
    struct request *r = *state;
    r->ask.granted_at = r->now + 30000;
    assert_reasons(r, "");
    r->ask.granted_at++;
    assert_reason(r, "grantInFuture", "settings/leeway", "the grant lies in the future");
}

static void the_words_were_shown_and_before_the_grant(void **state) {
    struct request *r = *state;
    r->ask.notice.shown_at = r->ask.granted_at;
    assert_reasons(r, "");
    r->ask.notice.shown_at++;
    assert_reasons(r, "noticeShownAfterGrant");
    r->ask.notice.has_rendered_digest = false;
    assert_reasons(r, "noticeShownAfterGrant noticeDigestMissing");
    r->ask.asserted_by_client = true;
    assert_reasons(r, "noticeShownAfterGrant");
    r->ask.notice.present = false;
    assert_reasons(r, "");
    r->ask.asserted_by_client = false;
    assert_reasons(r, "noticeMissing");
    r->ask.granted = false;
    assert_reasons(r, "");
}

static void show(struct request *r, const char *language, const char *words) {
    r->ask.notice.language = span_of_text(language);
    r->ask.notice.rendered_digest = digest_sha256(span_of_text(words));
}

static void the_words_are_the_pack_s_with_their_placeholders_filled(void **state) {
    struct request *r = *state;
    ask_usage_2(r);
    r->substitutions[0] = (struct policy_substitution){SPAN("client"), SPAN("[what]")};
    r->substitutions[1] = (struct policy_substitution){SPAN("what"), SPAN("")};
    r->substitutions[2] = (struct policy_substitution){SPAN("not there"), SPAN("x")};
    r->ask.notice.substitution_count = 3;
    show(r, "en", "[what] may use  until [end].");
    assert_reasons(r, "");
    show(r, "EN", "[what] may use  until [end].");
    assert_reasons(r, "");
    show(r, "en", "[what] may use  until [end]!");
    assert_reason(r, "noticeDigestWrong", "licenses/1/texts",
                  "what was shown is not the licence's text with these substitutions");
    r->ask.asserted_by_client = true; /* who gives a digest gives the right one */
    assert_reasons(r, "noticeDigestWrong");
    show(r, "cy", "Caiff [what] ddefnyddio .");
    assert_reasons(r, "");
    show(r, "en", "Caiff [what] ddefnyddio .");
    assert_reasons(r, "noticeDigestWrong");
    show(r, "en-GB", "any words"); /* not held: nothing to compare with */
    assert_reasons(r, "");
}

static void what_a_placeholder_is(void **state) {
    static const struct {
        const char *text, *shown;
        uint32_t parts;
    } rows[] = {
        {"[a]", "A", 1},       {"x[a]y", "xAy", 3},   {"[a][b]", "AB", 2}, {"[[a]]", "[A]", 3},
        {"[a [b]", "[a B", 2}, {"[]", "[]", 1},       {"[c]", "[c]", 1},   {"[a", "[a", 1},
        {"a]", "a]", 1},       {"[a\n]", "[a\n]", 1}, {"[A]", "[A]", 1},   {"[ a]", "[ a]", 1},
        {"[a]]", "A]", 2},     {"][a]", "]A", 2},     {"[d e]", "[a]", 1},
    };
    static const struct policy_substitution list[] = {
        {SPAN("a"), SPAN("A")}, {SPAN("b"), SPAN("B")}, {SPAN("d e"), SPAN("[a]")}};
    struct policy_notice notice = {.substitutions = list, .substitution_count = 3};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *root = json_file(EVERY_MEMBER);
        json_put(root, "/licenses/1/textDigest", NULL);
        json_put(root, "/licenses/1/texts/0/text", json_string(rows[i].text));
        struct policy_pack *pack = loaded(root);
        const struct policy_text *text = &policy_pack_license(pack, 1)->texts[0];
        struct digest shown = digest_sha256(span_of_text(rows[i].shown));
        struct digest digest = policy_notice_digest(text, &notice);
        if (text->part_count != rows[i].parts || !digest_equal(&digest, &shown))
            fail_msg("%s has %u parts", rows[i].text, text->part_count);
        policy_pack_free(pack);
    }
}

static void a_text_has_at_most_256_parts(void **state) {
    struct policy_pack *pack = NULL;
    struct policy_error error;
    char text[3 * 257 + 1];
    (void)state;
    for (size_t i = 0; i < 257; i++)
        memcpy(text + 3 * i, "[a]", 4);
    json_t *root = json_file(EVERY_MEMBER);
    json_put(root, "/licenses/1/textDigest", NULL);
    json_put(root, "/licenses/1/texts/0/text", json_string(text));
    assert_int_equal(load_json(root, &pack, &error), STATUS_INVALID_BODY);
    assert_string_equal(error.pointer, "/licenses/1/texts/0/text");
    text[3 * 256] = '\0';
    json_put(root, "/licenses/1/texts/0/text", json_string(text));
    pack = loaded(root);
    struct policy_notice notice = {.substitution_count = 0};
    struct digest shown = digest_sha256(span_of_text(text));
    struct digest digest = policy_notice_digest(&policy_pack_license(pack, 1)->texts[0], &notice);
    assert_true(digest_equal(&digest, &shown));
    policy_pack_free(pack);
}

/* ---- the whole */

static void a_request_skips_what_only_a_grant_can_have(void **state) {
    struct request *r = *state;
    ask_usage_2(r);
    r->ask.granted = false;
    r->ask.granted_at = INT64_MAX / 2;
    r->ask.notice.present = false;
    r->ask.onward_count = 0;
    r->ask.dependencies_required = false;
    r->ask.expires = INT64_MAX;
    assert_reasons(r, "");
    r->ask.expires = ms("2027-05-20T10:00:00.001Z");
    assert_reasons(r, "termTooLong");
    r->ask.expires = r->now;
    assert_reasons(r, "expiredAlready");
}

static void all_clauses_that_fail_are_named_at_once(void **state) {
    struct request *r = *state;
    ask_monthly(r);
    r->purposes[0] = SPAN("report");
    r->purposes[1] = SPAN("nothing");
    r->ask.purpose_count = 2;
    r->permissions[0] = (struct policy_permission_ask){
        .code = SPAN("usage.halfhourly"), .has_granularity = true, .granularity = {0, 1}};
    r->permissions[1].code = SPAN("nothing");
    r->permissions[2].code = SPAN("identity");
    r->ask.permission_count = 3;
    r->ask.client_roles_known = r->ask.tenant_roles_known = true;
    r->ask.granted_at = r->now + 3600000;
    r->ask.expires = r->now;
    r->ask.data_from = r->ask.data_to = ms("2027-01-01T00:00:01Z");
    r->ask.onward_count = 1;
    r->dependencies[0].active = false;
    r->dependencies[1] = (struct policy_dependency){true, false};
    r->ask.dependency_count = 2;
    r->ask.renewal = true;
    r->ask.renewed_license = SPAN(USAGE_1);
    r->ask.notice.shown_at = r->ask.granted_at + 1;
    r->ask.notice.has_rendered_digest = false;
    assert_reasons(r, "licenseNotReplacement clientRoleWrong tenantRoleWrong purposeUnknown "
                      "purposeNotInLicense permissionUnknown permissionDenied "
                      "permissionNotInLicense granularityTooFine expiresBeforeGrant "
                      "expiredAlready windowEmpty windowNotWholeMonths windowNotCompleted "
                      "onwardRecipientNotAllowed dependencyNotActive dependencyWrongLicense "
                      "grantInFuture noticeShownAfterGrant noticeDigestMissing");
}

/* Invariant 10: what the caller sent comes back in no clause and no detail. */
static void no_reason_quotes_the_caller(void **state) {
    struct request *r = *state;
    struct policy_reasons reasons;
    const char *secret = "jo\xc3\xa9@example.org";
    for (int round = 0; round < 2; round++) {
        ask_monthly(r);
        if (round == 0)
            r->ask.license = span_of_text(secret);
        r->purposes[0] = r->permissions[0].code = r->onward[0] = r->roles[0] = span_of_text(secret);
        r->permissions[0].resources = r->purposes;
        r->permissions[0].resource_count = 1;
        r->ask.onward_count = r->ask.client_role_count = 1;
        r->ask.client_roles_known = r->ask.tenant_roles_known = r->ask.renewal = true;
        r->ask.renewed_license = r->ask.notice.url = r->ask.notice.language = span_of_text(secret);
        assert_int_equal(policy_admit(r->pack, &r->ask, r->now, &reasons), STATUS_NOT_ADMISSIBLE);
        assert_int_equal(reasons.count, round == 0 ? 3 : 6);
        for (uint32_t i = 0; i < reasons.count; i++) {
            assert_null(strstr(reasons.items[i].clause, "example.org"));
            assert_null(strstr(reasons.items[i].detail, "example.org"));
        }
    }
}

static void each_clause_has_its_own_code(void **state) {
    (void)state;
    for (unsigned i = 0; i < CLAUSE_COUNT; i++) {
        const char *code = policy_clause_code(i);
        assert_true(code[0] >= 'a' && code[0] <= 'z');
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                         strlen(code));
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(code, policy_clause_code(j));
    }
}

static void each_clause_is_in_the_manual(void **state) {
    static char text[1 << 16];
    char marked[64];
    (void)state;
    FILE *file = fopen("docs/packs.md", "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (unsigned i = 0; i < CLAUSE_COUNT; i++) {
        snprintf(marked, sizeof marked, "| `%s` |", policy_clause_code(i));
        if (strstr(text, marked) == NULL)
            fail_msg("docs/packs.md has no row for %s", policy_clause_code(i));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_right_is_admitted),
        TEST(a_licence_that_the_pack_does_not_have_is_refused),
        TEST(a_licence_is_available_from_its_first_millisecond),
        TEST(a_deprecated_licence_takes_no_new_grants_after_its_last_millisecond),
        TEST(a_prohibited_licence_is_also_that),
        TEST(a_renewal_stays_or_goes_where_the_pack_says),
        TEST(roles_are_judged_where_they_are_known),
        TEST(purposes_stay_within_pack_and_licence),
        TEST(permissions_stay_within_pack_and_licence),
        TEST(some_permissions_need_another_beside_them),
        TEST(a_granularity_is_not_finer_than_offered),
        TEST(a_list_that_fails_everywhere_gives_one_reason_a_clause),
        TEST(the_term_is_kept_to_the_millisecond),
        TEST(a_year_from_a_leap_day_ends_on_the_28th),
        TEST(a_licence_without_a_term_lasts_as_long_as_it_is_given),
        TEST(a_default_expiry_can_always_be_written),
        TEST(a_consent_ends_after_it_begins_and_after_now),
        TEST(one_looks_back_to_the_first_of_a_month),
        TEST(a_window_holds_something),
        TEST(a_window_of_whole_months_begins_and_ends_on_a_first),
        TEST(onward_recipients_are_as_many_as_the_licence_says),
        TEST(each_group_of_dependencies_has_an_active_member_of_the_right_licence),
        TEST(a_grant_lies_at_most_the_leeway_ahead),
        TEST(the_words_were_shown_and_before_the_grant),
        TEST(the_words_are_the_pack_s_with_their_placeholders_filled),
        TEST(what_a_placeholder_is),
        TEST(a_text_has_at_most_256_parts),
        TEST(a_request_skips_what_only_a_grant_can_have),
        TEST(all_clauses_that_fail_are_named_at_once),
        TEST(no_reason_quotes_the_caller),
        TEST(each_clause_has_its_own_code),
        TEST(each_clause_is_in_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
