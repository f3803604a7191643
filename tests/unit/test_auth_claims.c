/* Claims that say whether a signed token counts: issuer, audience, times. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#define EXPIRED "The token has expired."
#define NO_EXP "The token has no exp, or one that is not a time."
#define NOT_YET "The token is not valid yet (nbf)."
#define FROM_FUTURE "The token was issued in the future (iat)."
#define NOT_FOR_US "The token is not for this service (aud)."

struct row {
    const char *claims; /* beside client_id */
    const char *why;    /* NULL: accepted */
};

static void check_rows(struct rig *rig, const char *before, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct buffer payload = {0};
        buffer_append_format(&payload, "{\"client_id\":\"c\"%s%s}", before, rows[i].claims);
        char *token = rig_sign(rig, text_take(&payload));
        struct auth_principal principal;
        struct auth_refusal refusal = {0};
        enum status status = rig_token(rig, token, NOW_MS, &principal, &refusal);
        if ((status == STATUS_OK) != (rows[i].why == NULL) ||
            (rows[i].why != NULL && strcmp(refusal.why, rows[i].why) != 0)) {
            fail_msg("%s: %s", payload.data, status == STATUS_OK ? "accepted" : refusal.why);
        }
        buffer_release(&payload);
        free(token);
    }
}
#define CHECK(rig, before, rows) check_rows(rig, before, rows, sizeof(rows) / sizeof((rows)[0]))

static void the_issuer_is_exact(void **state) {
    static const struct row rows[] = {
        {",\"iss\":\"" ISSUER "\"", NULL},
        {",\"iss\":\"" ISSUER "/\"", "The token's issuer is not one that is configured."},
        {",\"iss\":\"https://AS.example\"", "The token's issuer is not one that is configured."},
        {",\"iss\":\"\"", "The token's issuer is not one that is configured."},
        {",\"iss\":[\"" ISSUER "\"]", "The token has no iss."},
        {",\"iss\":null", "The token has no iss."},
        {"", "The token has no iss."},
    };
    CHECK(*state, ",\"aud\":\"consentd\",\"exp\":1711933200", rows);
}

static void the_audience_is_or_contains_us(void **state) {
    static const struct row rows[] = {
        {",\"aud\":\"consentd\"", NULL},
        {",\"aud\":[\"consentd\"]", NULL},
        {",\"aud\":[\"other\",7,\"consentd\"]", NULL},
        {",\"aud\":\"consentd2\"", NOT_FOR_US},
        {",\"aud\":\"Consentd\"", NOT_FOR_US},
        {",\"aud\":\"other consentd\"", NOT_FOR_US},
        {",\"aud\":[]", NOT_FOR_US},
        {",\"aud\":[[\"consentd\"]]", NOT_FOR_US},
        {",\"aud\":{\"consentd\":true}", NOT_FOR_US},
        {",\"aud\":null", NOT_FOR_US},
        {"", NOT_FOR_US},
    };
    CHECK(*state, ",\"iss\":\"" ISSUER "\",\"exp\":1711933200", rows);
}

/* NOW_S is 1711929600. */
static void a_token_counts_until_exp_and_not_a_moment_longer(void **state) {
    static const struct row rows[] = {
        {",\"exp\":1711929601", NULL},
        {",\"exp\":1711929600", EXPIRED},
        {",\"exp\":1711929600.002", NULL},
        {",\"exp\":1711929599", EXPIRED},
        {",\"exp\":1711929539", EXPIRED},
        {",\"exp\":0", EXPIRED},
        {",\"exp\":253402300799", NULL},
        {",\"exp\":253402300800", NO_EXP},
        {",\"exp\":9223372036854775807", NO_EXP},
        {",\"exp\":1e300", NO_EXP},
        {",\"exp\":-1", NO_EXP},
        {",\"exp\":\"1711933200\"", NO_EXP},
        {",\"exp\":null", NO_EXP},
        {",\"exp\":true", NO_EXP},
        {"", NO_EXP},
    };
    CHECK(*state, ",\"iss\":\"" ISSUER "\",\"aud\":\"consentd\"", rows);
}

static void nbf_and_iat_may_be_sixty_seconds_ahead(void **state) {
    static const struct row rows[] = {
        {",\"nbf\":1711929600", NULL},
        {",\"nbf\":1711929660", NULL},
        {",\"nbf\":1711929661", NOT_YET},
        {",\"nbf\":1711929660.001", NOT_YET},
        {",\"nbf\":\"1711929600\"", NOT_YET},
        {",\"nbf\":null", NOT_YET},
        {",\"iat\":1711929660", NULL},
        {",\"iat\":1711929661", FROM_FUTURE},
        {",\"iat\":0", NULL},
        {",\"iat\":[]", FROM_FUTURE},
        {",\"nbf\":1711929661,\"iat\":1711929600", NOT_YET},
    };
    CHECK(*state, ",\"iss\":\"" ISSUER "\",\"aud\":\"consentd\",\"exp\":1711933200", rows);
}

static void a_refusal_never_shows_what_the_token_says(void **state) {
    struct rig *rig = *state;
    static const char *const payloads[] = {
        "{\"iss\":\"SECRET\"}",
        "{\"iss\":\"" ISSUER "\",\"aud\":\"SECRET\"}",
        "{\"iss\":\"" ISSUER "\",\"aud\":\"consentd\",\"exp\":\"SECRET\"}",
        "{" CLAIMS ",\"member\":\"SECRET \"}",
        "{" CLAIMS ",\"authorization_details\":[{\"type\":\"consent\",\"consent_id\":\"SECRET\"}]}",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct auth_principal principal;
        struct auth_refusal refusal = {0};
        char *token = rig_sign(rig, payloads[i]);
        assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal),
                         STATUS_UNAUTHENTICATED);
        assert_null(strstr(refusal.why, "SECRET")); /* invariant 10 */
        free(token);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_issuer_is_exact),
        cmocka_unit_test(the_audience_is_or_contains_us),
        cmocka_unit_test(a_token_counts_until_exp_and_not_a_moment_longer),
        cmocka_unit_test(nbf_and_iat_may_be_sixty_seconds_ahead),
        cmocka_unit_test(a_refusal_never_shows_what_the_token_says),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
