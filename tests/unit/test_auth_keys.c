/* Key files become sets: what is refused at loading, and which key a token's kid finds. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_jwk.h"

#include "auth/keys.h"

static EVP_PKEY *key_1;
static EVP_PKEY *key_2;

static int make_keys(void **state) {
    (void)state;
    key_1 = EVP_EC_gen("P-256");
    key_2 = EVP_EC_gen("P-256");
    return key_1 != NULL && key_2 != NULL ? 0 : 1;
}

static int free_keys(void **state) {
    (void)state;
    EVP_PKEY_free(key_1);
    EVP_PKEY_free(key_2);
    return 0;
}

static char *set_of(const char *extra_1, const char *extra_2) {
    struct buffer out = {0};
    char *first = jwk_of(key_1, extra_1);
    char *second = jwk_of(key_2, extra_2);
    buffer_append_format(&out, "{\"keys\":[%s,%s]}", first, second);
    free(first);
    free(second);
    return text_take(&out);
}

/* Loading fails, and the sentence ends so. Takes text. */
static void refuse(char *text, const char *end) {
    char why[512] = "";
    struct auth_keys *keys = NULL;
    enum status status = keys_load_text(issuer_config(), text, &keys, why, sizeof why);
    free(text);
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    assert_null(keys);
    assert_memory_equal(why, "/tmp/consentd-test-", 19); /* names the file */
    size_t size = strlen(why);
    if (size < strlen(end) || strcmp(why + size - strlen(end), end) != 0) {
        fail_msg("%s", why);
    }
}

static void a_kid_finds_its_key_and_no_other(void **state) {
    (void)state;
    struct auth_keys *keys = keys_from(issuer_config(), set_of(",\"kid\":\"a\"", ",\"kid\":\"b\""));
    const struct auth_keys_issuer *issuer = auth_keys_find_issuer(keys, SPAN(ISSUER));
    assert_non_null(issuer);
    assert_int_equal(EVP_PKEY_eq(auth_keys_find(issuer, SPAN("a"))->pkey, key_1), 1);
    assert_int_equal(EVP_PKEY_eq(auth_keys_find(issuer, SPAN("b"))->pkey, key_2), 1);
    assert_null(auth_keys_find(issuer, SPAN("c")));
    assert_null(auth_keys_find(issuer, SPAN("")));
    assert_null(auth_keys_find(issuer, SPAN_NONE)); /* which of the two? */
    auth_keys_free(keys);
}

static void a_token_without_kid_finds_the_only_key(void **state) {
    (void)state;
    struct auth_keys *keys = keys_from(issuer_config(), jwk_of(key_1, ",\"kid\":\"a\""));
    const struct auth_keys_issuer *issuer = auth_keys_find_issuer(keys, SPAN(ISSUER));
    assert_int_equal(EVP_PKEY_eq(auth_keys_find(issuer, SPAN_NONE)->pkey, key_1), 1);
    assert_null(auth_keys_find(issuer, SPAN("b")));
    auth_keys_free(keys);
}

static void the_issuer_must_match_exactly(void **state) {
    (void)state;
    struct auth_keys *keys = keys_from(issuer_config(), jwk_of(key_1, ""));
    assert_null(auth_keys_find_issuer(keys, SPAN(ISSUER "/")));
    assert_null(auth_keys_find_issuer(keys, SPAN("https://AS.example")));
    assert_null(auth_keys_find_issuer(keys, SPAN("https://as.exampl")));
    assert_null(auth_keys_find_issuer(keys, SPAN("")));
    auth_keys_free(keys);
}

static void keys_of_no_use_are_left_out(void **state) {
    (void)state;
    struct auth_keys *keys =
        keys_from(issuer_config(), set_of(",\"kid\":\"a\",\"use\":\"enc\"", ",\"kid\":\"b\""));
    assert_int_equal(keys->issuers[0].key_count, 1);
    assert_null(auth_keys_find(&keys->issuers[0], SPAN("a")));
    auth_keys_free(keys);
}

static void a_set_with_nothing_to_verify_with_is_refused(void **state) {
    (void)state;
    refuse(strdup("{\"keys\":[]}"), ": holds no key that can verify tokens (the set is empty)");
    refuse(set_of(",\"use\":\"enc\"", ",\"use\":\"enc\""),
           ": holds no key that can verify tokens (it is not for verifying ES256, PS256, EdDSA "
           "(or RS256) signatures)");
}

static void a_bad_key_spoils_its_set(void **state) {
    (void)state;
    refuse(set_of(",\"kid\":\"a\"", ",\"d\":\"AAAA\""),
           ": key 2: it is a private or symmetric key, which has no place in a key set for "
           "verifying");
    refuse(set_of(",\"kid\":\"a\"", ",\"kid\":\"a\""),
           ": key 2: its kid is that of another key of the set");
}

static void a_file_that_is_no_set_is_refused(void **state) {
    (void)state;
    refuse(strdup(""), ": not JSON, or a member twice, at line 1 column 0");
    refuse(strdup("{\"keys\":[]"), ": not JSON, or a member twice, at line 1 column 10");
    refuse(strdup("{\"keys\":[],\"keys\":[]}"),
           ": not JSON, or a member twice, at line 1 column 17");
    refuse(strdup("{\"keys\":{}}"), ": keys must be an array of at most 1000 keys");
    refuse(strdup("[]"), ": key 1: it is not an object with a kty");
    refuse(strdup("{\"keys\":[7]}"), ": key 1: it is not an object with a kty");
}

static void a_missing_file_is_named(void **state) {
    char why[512] = "";
    struct auth_keys *keys = NULL;
    struct auth_issuer config = issuer_config();
    (void)state;
    config.key_file = "/nonexistent/jwks.json";
    assert_int_equal(auth_keys_load(&config, 1, &keys, why, sizeof why), STATUS_INTERNAL);
    assert_string_equal(why, "/nonexistent/jwks.json: No such file or directory");
    assert_null(keys);
}

static void a_file_of_more_than_a_mebibyte_is_refused(void **state) {
    char why[512] = "";
    struct auth_keys *keys = NULL;
    char *text = malloc(1048576 + 2);
    (void)state;
    memset(text, ' ', 1048576 + 1);
    text[1048576 + 1] = '\0';
    assert_int_equal(keys_load_text(issuer_config(), text, &keys, why, sizeof why),
                     STATUS_INTERNAL);
    assert_non_null(strstr(why, ": the file is larger than 1 MiB"));
    free(text);
}

static void settings_of_an_issuer_are_checked(void **state) {
    static const struct {
        struct auth_issuer issuer;
        const char *why;
    } rows[] = {
        {{.audience = {"a", 1}, .key_file = "x"}, ": an issuer needs its URL"},
        {{.issuer = {"i", 1}, .key_file = "x"},
         "i: an issuer needs the audience its tokens are for"},
        {{.issuer = {"i", 1}, .audience = {"a", 1}}, "i: an issuer needs a key file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[512] = "";
        struct auth_keys *keys = NULL;
        assert_int_equal(auth_keys_load(&rows[i].issuer, 1, &keys, why, sizeof why),
                         STATUS_INVALID_PARAMETER);
        assert_string_equal(why, rows[i].why);
    }
}

static void an_issuer_cannot_be_configured_twice(void **state) {
    char why[512] = "";
    struct auth_keys *keys = NULL;
    struct auth_issuer issuers[2] = {issuer_config(), issuer_config()};
    char *text = jwk_of(key_1, "");
    char *path = file_with(text);
    (void)state;
    issuers[0].key_file = issuers[1].key_file = path;
    assert_int_equal(auth_keys_load(issuers, 2, &keys, why, sizeof why), STATUS_INVALID_PARAMETER);
    assert_string_equal(why, ISSUER ": the issuer is configured twice");
    unlink(path);
    free(path);
    free(text);
}

static void no_two_sets_have_the_same_generation(void **state) {
    (void)state;
    struct auth_keys *first = keys_from(issuer_config(), jwk_of(key_1, ""));
    uint64_t generation = first->generation;
    auth_keys_free(first);
    struct auth_keys *second = keys_from(issuer_config(), jwk_of(key_1, ""));
    assert_true(second->generation != generation);
    assert_true(generation != 0); /* what a fresh loop starts with */
    auth_keys_free(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kid_finds_its_key_and_no_other),
        cmocka_unit_test(a_token_without_kid_finds_the_only_key),
        cmocka_unit_test(the_issuer_must_match_exactly),
        cmocka_unit_test(keys_of_no_use_are_left_out),
        cmocka_unit_test(a_set_with_nothing_to_verify_with_is_refused),
        cmocka_unit_test(a_bad_key_spoils_its_set),
        cmocka_unit_test(a_file_that_is_no_set_is_refused),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_file_of_more_than_a_mebibyte_is_refused),
        cmocka_unit_test(settings_of_an_issuer_are_checked),
        cmocka_unit_test(an_issuer_cannot_be_configured_twice),
        cmocka_unit_test(no_two_sets_have_the_same_generation),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
