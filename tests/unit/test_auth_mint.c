/* Development tokens: what libjwt signs is what our verifier reads, and the development issuer of a
 * data directory is made once and whole. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include <ftw.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>

#include "auth/dev.h"
#include "auth/file.h"
#include "auth/keys.h"
#include "auth/mint.h"
#include "base/digest.h"
#include "base/limits.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

/* A fresh directory, whose name the caller gives to directory_remove. */
static char *directory_make(void) {
    char *path = mem_copy_text(SPAN("/tmp/consentd-test-XXXXXX"));
    assert_non_null(mkdtemp(path));
    return path;
}

static void directory_remove(char *path) {
    assert_int_equal(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}

/* Caller frees with free. */
static char *path_in(const char *directory, const char *name) {
    struct buffer out = {0};
    buffer_append_format(&out, "%s/%s", directory, name);
    return text_take(&out);
}

static char *content_of(const char *directory, const char *name) {
    char why[256];
    struct buffer out = {0};
    char *path = path_in(directory, name);
    if (auth_file_read(path, &out, why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
    free(path);
    return text_take(&out);
}

static void write_in(const char *directory, const char *name, const char *text) {
    char why[256];
    char *path = path_in(directory, name);
    if (auth_file_create(path, 0600, span_of_text(text), why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
    free(path);
}

/* A verifier of the development issuer of directory. */
struct verifier {
    struct auth_keys *keys;
    struct auth_loop *loop;
};

static struct verifier verifier_make(const char *directory) {
    char why[512];
    struct arena arena = {0};
    struct auth_issuer issuer;
    struct verifier verifier = {.loop = auth_loop_new()};
    assert_int_equal(auth_dev_issuer_fill(directory, &arena, &issuer), STATUS_OK);
    if (auth_keys_load(&issuer, 1, &verifier.keys, why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
    arena_release(&arena);
    return verifier;
}

static void verifier_release(struct verifier *verifier) {
    auth_keys_free(verifier->keys);
    auth_loop_free(verifier->loop);
}

static struct auth_principal verify(struct verifier *verifier, const struct buffer *token,
                                    int64_t now_ms) {
    struct auth_principal principal = {0};
    struct auth_refusal refusal;
    struct buffer header = {0};
    buffer_append_format(&header, "Bearer %.*s", SPAN_ARG(buffer_span(token)));
    const struct auth_credentials credentials = {
        .authorization = buffer_span(&header), .peer = SPAN("192.0.2.1"), .now_ms = now_ms};
    if (auth_verify(verifier->loop, verifier->keys, &credentials, &principal, &refusal) !=
        STATUS_OK) {
        fail_msg("%s", refusal.why);
    }
    buffer_release(&header);
    return principal;
}

static void create(const char *directory) {
    char why[512];
    if (auth_dev_create(directory, why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
}

static void each_role_has_its_scopes(void **state) {
    static const struct {
        const char *role;
        unsigned scopes;
    } rows[] = {
        {"tenant", AUTH_CONSENTS_WRITE | AUTH_CONSENTS_READ | AUTH_DECISIONS},
        {"client", AUTH_CONSENTS_WRITE | AUTH_CONSENTS_READ | AUTH_DECISIONS},
        {"auditor", AUTH_AUDIT_READ},
        {"admin", AUTH_ADMIN},
    };
    (void)state;
    char why[512];
    char *directory = directory_make();
    create(directory);
    struct verifier verifier = verifier_make(directory);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer token = {0};
        const struct auth_dev_request request = {.role = span_of_text(rows[i].role),
                                                 .id = SPAN(CLIENT),
                                                 .issued_at_s = NOW_S,
                                                 .expires_s = NOW_S + 60};
        assert_int_equal(auth_dev_mint(directory, &request, &token, why, sizeof why), STATUS_OK);
        struct auth_principal principal = verify(&verifier, &token, NOW_MS);
        assert_int_equal(principal.scopes, rows[i].scopes);
        assert_span(principal.client_id, CLIENT);
        assert_span(principal.tenant, CLIENT);
        assert_false(principal.roles_known);
        assert_int_equal(principal.expires_ms, NOW_MS + 60000);
        buffer_release(&token);
    }
    assert_null(auth_dev_role_scopes(SPAN("root")));
    verifier_release(&verifier);
    directory_remove(directory);
}

static void every_claim_makes_the_round_trip(void **state) {
    (void)state;
    char why[512];
    struct buffer token = {0};
    char *directory = directory_make();
    const struct span roles[] = {SPAN("https://registry.example/role/a\"b\\c"), SPAN("r2")};
    const struct span providers[] = {SPAN("https://p.example/1"), SPAN("*")};
    const struct auth_dev_request request = {.role = SPAN("auditor"),
                                             .id = SPAN(CLIENT),
                                             .member = SPAN("https://m.example"),
                                             .scope = SPAN("audit:read admin"),
                                             .roles = roles,
                                             .role_count = 2,
                                             .providers = providers,
                                             .provider_count = 2,
                                             .issued_at_s = NOW_S,
                                             .expires_s = NOW_S + 3600};
    create(directory);
    struct verifier verifier = verifier_make(directory);
    verifier.keys->issuers[0].roles_claim = SPAN("roles");
    assert_int_equal(auth_dev_mint(directory, &request, &token, why, sizeof why), STATUS_OK);
    struct auth_principal principal = verify(&verifier, &token, NOW_MS);
    assert_span(principal.tenant, "https://m.example");
    assert_int_equal(principal.scopes, AUTH_AUDIT_READ | AUTH_ADMIN);
    assert_int_equal(principal.role_count, 2);
    assert_span(principal.roles[0], "https://registry.example/role/a\"b\\c");
    assert_span(principal.roles[1], "r2");
    assert_int_equal(principal.provider_count, 2);
    assert_span(principal.providers[0], "https://p.example/1");
    assert_true(principal.all_providers);
    buffer_release(&token);
    verifier_release(&verifier);
    directory_remove(directory);
}

/* r or s has a leading zero byte once in 128 signatures: libjwt must pad it. */
static void four_hundred_tokens_all_verify(void **state) {
    (void)state;
    char why[512];
    char *directory = directory_make();
    create(directory);
    struct verifier verifier = verifier_make(directory);
    for (int i = 0; i < 400; i++) {
        struct buffer token = {0};
        const struct auth_dev_request request = {.role = SPAN("tenant"),
                                                 .id = SPAN(CLIENT),
                                                 .issued_at_s = NOW_S,
                                                 .expires_s = NOW_S + 3600 + i};
        assert_int_equal(auth_dev_mint(directory, &request, &token, why, sizeof why), STATUS_OK);
        verify(&verifier, &token, NOW_MS);
        buffer_release(&token);
    }
    verifier_release(&verifier);
    directory_remove(directory);
}

static void requests_that_cannot_be_a_token_are_refused(void **state) {
    static struct span seventeen[17];
    static char long_name[LIMIT_URL + 1];
    memset(long_name, 'a', sizeof long_name);
    for (size_t i = 0; i < 17; i++) {
        seventeen[i] = SPAN("r");
    }
    const struct span bad[] = {SPAN("a"), SPAN("")};
    const struct span role = SPAN("tenant");
    const struct span id = SPAN(CLIENT);
    const struct auth_dev_request rows[] = {
        {.role = SPAN("root"), .id = id, .expires_s = 1},
        {.id = id, .expires_s = 1},
        {.role = role, .expires_s = 1},
        {.role = role, .id = SPAN("a b"), .expires_s = 1},
        {.role = role, .id = {long_name, sizeof long_name}, .expires_s = 1},
        {.role = role, .id = id, .member = SPAN(""), .expires_s = 1},
        {.role = role, .id = id, .scope = SPAN("\xff"), .expires_s = 1},
        {.role = role, .id = id, .roles = bad, .role_count = 2, .expires_s = 1},
        {.role = role, .id = id, .roles = seventeen, .role_count = 17, .expires_s = 1},
        {.role = role, .id = id, .providers = bad, .provider_count = 2, .expires_s = 1},
        {.role = role, .id = id, .issued_at_s = 5, .expires_s = 5},
    };
    (void)state;
    char *directory = directory_make();
    create(directory);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[512] = "";
        struct buffer token = {0};
        assert_int_equal(auth_dev_mint(directory, &rows[i], &token, why, sizeof why),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(token.size, 0);
        assert_true(strlen(why) > 0);
    }
    directory_remove(directory);
}

static void creating_twice_changes_nothing(void **state) {
    (void)state;
    char *directory = directory_make();
    char *deeper = path_in(directory, "var/dev/");
    create(deeper);
    char *pem = content_of(deeper, "issuer/private.pem");
    char *jwks = content_of(deeper, "issuer/jwks.json");
    create(deeper);
    char *pem_again = content_of(deeper, "issuer/private.pem");
    char *jwks_again = content_of(deeper, "issuer/jwks.json");
    assert_string_equal(pem, pem_again);
    assert_string_equal(jwks, jwks_again);
    free(pem);
    free(jwks);
    free(pem_again);
    free(jwks_again);
    free(deeper);
    directory_remove(directory);
}

static void *create_in_thread(void *directory) {
    char why[512];
    return auth_dev_create(directory, why, sizeof why) == STATUS_OK ? directory : NULL;
}

static void of_many_at_once_one_wins_and_all_succeed(void **state) {
    (void)state;
    char why[512];
    pthread_t threads[8];
    struct stat info;
    char *directory = directory_make();
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, create_in_thread, directory), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *made;
        pthread_join(threads[i], &made);
        assert_non_null(made);
    }
    struct buffer token = {0};
    const struct auth_dev_request request = {
        .role = SPAN("admin"), .id = SPAN("c"), .issued_at_s = NOW_S, .expires_s = NOW_S + 1};
    struct verifier verifier = verifier_make(directory);
    assert_int_equal(auth_dev_mint(directory, &request, &token, why, sizeof why), STATUS_OK);
    verify(&verifier, &token, NOW_MS); /* the pair is one pair */
    assert_int_equal(stat(directory, &info), 0);
    assert_int_equal(info.st_nlink, 3); /* issuer, and nothing of those who lost */
    buffer_release(&token);
    verifier_release(&verifier);
    directory_remove(directory);
}

static void half_an_issuer_is_left_alone(void **state) {
    (void)state;
    char why[512] = "";
    char *directory = directory_make();
    char *issuer = path_in(directory, "issuer");
    assert_int_equal(mkdir(issuer, 0700), 0);
    write_in(issuer, "private.pem", "somebody's");
    assert_int_equal(auth_dev_create(directory, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "/issuer: "));
    char *pem = content_of(issuer, "private.pem");
    assert_string_equal(pem, "somebody's");
    free(pem);
    free(issuer);
    directory_remove(directory);
}

static void keys_are_never_overwritten(void **state) {
    (void)state;
    char why[512] = "";
    char *directory = directory_make();
    char *pem = path_in(directory, "private.pem");
    char *jwks = path_in(directory, "jwks.json");
    struct stat info;
    write_in(directory, "jwks.json", "here");
    assert_int_equal(auth_mint_keygen(pem, jwks, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "/jwks.json: File exists"));
    assert_int_not_equal(stat(pem, &info), 0); /* half a pair was taken away again */
    unlink(jwks);
    assert_int_equal(auth_mint_keygen(pem, jwks, why, sizeof why), STATUS_OK);
    assert_int_equal(stat(pem, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    char *before = content_of(directory, "private.pem");
    assert_int_equal(auth_mint_keygen(pem, jwks, why, sizeof why), STATUS_INTERNAL);
    char *after = content_of(directory, "private.pem");
    assert_string_equal(before, after);
    free(before);
    free(after);
    free(pem);
    free(jwks);
    directory_remove(directory);
}

static void the_kid_is_the_rfc_7638_thumbprint(void **state) {
    (void)state;
    char *directory = directory_make();
    create(directory);
    char *text = content_of(directory, "issuer/jwks.json");
    json_t *set = json_loads(text, 0, NULL);
    json_t *jwk = json_array_get(json_object_get(set, "keys"), 0);
    assert_non_null(jwk);
    struct buffer canonical = {0};
    buffer_append_format(&canonical, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                         json_string_value(json_object_get(jwk, "x")),
                         json_string_value(json_object_get(jwk, "y")));
    struct digest digest = digest_sha256(buffer_span(&canonical));
    char *kid = base64url(digest.bytes, sizeof digest.bytes);
    assert_string_equal(json_string_value(json_object_get(jwk, "kid")), kid);
    assert_string_equal(json_string_value(json_object_get(jwk, "alg")), "ES256");
    assert_null(json_object_get(jwk, "d"));
    free(kid);
    buffer_release(&canonical);
    json_decref(set);
    free(text);
    directory_remove(directory);
}

static void a_private_key_that_is_none_is_refused(void **state) {
    static const char *const texts[] = {
        "", "not PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    (void)state;
    const struct auth_claims claims = {.issuer = SPAN("i"),
                                       .audience = SPAN("a"),
                                       .client_id = SPAN("c"),
                                       .issued_at_s = 1,
                                       .expires_s = 2};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char why[512] = "", expected[512];
        struct buffer token = {0};
        char *path = file_with(texts[i]);
        assert_int_equal(auth_mint(path, &claims, &token, why, sizeof why), STATUS_INTERNAL);
        snprintf(expected, sizeof expected, "%s is not a P-256 private key in PEM", path);
        assert_string_equal(why, expected);
        assert_int_equal(token.size, 0);
        unlink(path);
        free(path);
    }
    char why[512] = "";
    struct buffer token = {0};
    assert_int_equal(auth_mint("/nonexistent", &claims, &token, why, sizeof why), STATUS_INTERNAL);
    assert_string_equal(why, "/nonexistent: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_has_its_scopes),
        cmocka_unit_test(every_claim_makes_the_round_trip),
        cmocka_unit_test(four_hundred_tokens_all_verify),
        cmocka_unit_test(requests_that_cannot_be_a_token_are_refused),
        cmocka_unit_test(creating_twice_changes_nothing),
        cmocka_unit_test(of_many_at_once_one_wins_and_all_succeed),
        cmocka_unit_test(half_an_issuer_is_left_alone),
        cmocka_unit_test(keys_are_never_overwritten),
        cmocka_unit_test(the_kid_is_the_rfc_7638_thumbprint),
        cmocka_unit_test(a_private_key_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
