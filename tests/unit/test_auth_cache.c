/* The cache of verified tokens: what it keeps, for how long, and that it is never the reason why a
 * token counts that should not. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "auth/cache.h"
#include "base/siphash.h"

#define HOUR_MS 3600000

static struct mac16 name_of(unsigned number) {
    static const unsigned char key[SIPHASH_KEY_SIZE];
    return siphash(key, span_of((const char *)&number, sizeof number));
}

static struct auth_principal principal_of(const char *client) {
    struct auth_principal principal = {.expires_ms = NOW_MS + HOUR_MS};
    principal.client_id = span_of_text(client);
    principal.tenant = principal.client_id;
    return principal;
}

static void an_entry_is_found_until_it_expires(void **state) {
    struct auth_cache *cache = mem_alloc_zeroed(1, sizeof *cache);
    struct auth_principal principal = principal_of("a");
    struct mac16 name = name_of(1);
    struct mac16 other = name_of(2);
    (void)state;
    auth_cache_put(cache, &name, &principal);
    assert_span(auth_cache_find(cache, &name, NOW_MS)->client_id, "a");
    assert_null(auth_cache_find(cache, &other, NOW_MS));
    assert_non_null(auth_cache_find(cache, &name, principal.expires_ms - 1));
    assert_null(auth_cache_find(cache, &name, principal.expires_ms));
    assert_null(auth_cache_find(cache, &name, NOW_MS)); /* it was dropped */
    assert_int_equal(cache->count, 0);
    assert_int_equal(cache->bytes, 0);
    mem_free(cache);
}

static void an_entry_owns_its_bytes(void **state) {
    struct auth_cache *cache = mem_alloc_zeroed(1, sizeof *cache);
    char text[] = "client member role0 role1 provider";
    struct span roles[] = {{text + 14, 5}, {text + 20, 5}};
    struct span providers[] = {{text + 26, 8}};
    struct auth_principal principal = {
        .client_id = {text, 6},
        .member = {text + 7, 6},
        .tenant = {text + 7, 6},
        .scopes = AUTH_ADMIN,
        .roles = roles,
        .role_count = 2,
        .roles_known = true,
        .providers = providers,
        .provider_count = 1,
        .expires_ms = NOW_MS + 1,
    };
    struct mac16 name = name_of(1);
    (void)state;
    auth_cache_put(cache, &name, &principal);
    memset(text, '?', sizeof text);
    memset(roles, 0, sizeof roles);
    const struct auth_principal *found = auth_cache_find(cache, &name, NOW_MS);
    assert_span(found->client_id, "client");
    assert_span(found->member, "member");
    assert_span(found->tenant, "member");
    assert_span(found->roles[0], "role0");
    assert_span(found->roles[1], "role1");
    assert_span(found->providers[0], "provider");
    assert_int_equal(found->scopes, AUTH_ADMIN);
    assert_true(found->roles_known);
    auth_cache_clear(cache);
    mem_free(cache);
}

static void a_full_cache_forgets_what_was_not_used_for_longest(void **state) {
    struct auth_cache *cache = mem_alloc_zeroed(1, sizeof *cache);
    struct auth_principal principal = principal_of("a");
    struct mac16 name;
    (void)state;
    for (unsigned i = 0; i < LIMIT_AUTH_CACHE; i++) {
        name = name_of(i);
        auth_cache_put(cache, &name, &principal);
    }
    assert_int_equal(cache->count, LIMIT_AUTH_CACHE);
    name = name_of(0);
    assert_non_null(auth_cache_find(cache, &name, NOW_MS)); /* now 1 is the oldest */
    name = name_of(LIMIT_AUTH_CACHE);
    auth_cache_put(cache, &name, &principal);
    assert_int_equal(cache->count, LIMIT_AUTH_CACHE);
    for (unsigned i = 0; i <= LIMIT_AUTH_CACHE; i++) {
        name = name_of(i);
        assert_int_equal(auth_cache_find(cache, &name, NOW_MS) != NULL, i != 1);
    }
    auth_cache_clear(cache);
    assert_int_equal(cache->bytes, 0);
    mem_free(cache);
}

static void large_principals_do_not_exceed_the_bytes(void **state) {
    static struct span providers[LIMIT_PROVIDERS];
    struct auth_cache *cache = mem_alloc_zeroed(1, sizeof *cache);
    struct auth_principal principal = principal_of("a");
    (void)state;
    for (size_t i = 0; i < LIMIT_PROVIDERS; i++) {
        providers[i] = SPAN("https://provider.example/1234567");
    }
    principal.providers = providers;
    principal.provider_count = LIMIT_PROVIDERS;
    for (unsigned i = 0; i < 1000; i++) {
        struct mac16 name = name_of(i);
        auth_cache_put(cache, &name, &principal);
        assert_true(cache->bytes <= LIMIT_AUTH_CACHE_BYTES);
    }
    assert_in_range(cache->count, 300, 400);
    auth_cache_clear(cache);
    mem_free(cache);
}

static void expect_counters(const struct rig *rig, uint64_t verified, uint64_t cached,
                            uint64_t refused) {
    struct auth_counters counters;
    auth_loop_counters(rig->loop, &counters);
    assert_int_equal(counters.verified, verified);
    assert_int_equal(counters.cached, cached);
    assert_int_equal(counters.refused, refused);
    assert_int_equal(counters.limited, 0);
}

static void fresh_loop(struct rig *rig) {
    auth_loop_free(rig->loop);
    rig->loop = auth_loop_new();
}

static void a_token_is_verified_once(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token =
        rig_sign(rig, "{" CLAIMS ",\"member\":\"https://m.example\",\"providers\":[\"p\"]}");
    fresh_loop(rig);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_OK);
        assert_span(principal.client_id, CLIENT);
        assert_span(principal.tenant, "https://m.example");
        assert_span(principal.providers[0], "p");
        assert_int_equal(principal.expires_ms, NOW_MS + HOUR_MS);
        expect_counters(rig, 1, i, 0);
    }
    free(token);
}

static void a_cached_token_ends_exactly_at_exp(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token = rig_sign(rig, PAYLOAD);
    fresh_loop(rig);
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_OK);
    assert_int_equal(rig_token(rig, token, NOW_MS + HOUR_MS - 1, &principal, &refusal), STATUS_OK);
    expect_counters(rig, 1, 1, 0);
    assert_int_equal(rig_token(rig, token, NOW_MS + HOUR_MS, &principal, &refusal),
                     STATUS_UNAUTHENTICATED);
    assert_string_equal(refusal.why, "The token has expired.");
    expect_counters(rig, 1, 1, 1);
    free(token);
}

static void a_change_of_keys_empties_the_cache(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token = rig_sign(rig, PAYLOAD);
    fresh_loop(rig);
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_OK);
    auth_keys_free(rig->keys); /* the next set may well get its address */
    rig->keys = keys_from(issuer_config(), rig_set(rig));
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_OK);
    expect_counters(rig, 2, 0, 0);
    auth_keys_free(rig->keys);
    rig->keys = keys_from(issuer_config(), jwk_of(rig->ed, ",\"kid\":\"ed\""));
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_UNAUTHENTICATED);
    assert_string_equal(refusal.why, "The token's kid names no key of its issuer.");
    auth_keys_free(rig->keys);
    rig->keys = keys_from(issuer_config(), rig_set(rig));
    free(token);
}

static void a_refused_token_is_not_kept(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token = rig_sign(rig, "{" CLAIMS ",\"nbf\":1711929700}");
    fresh_loop(rig);
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_UNAUTHENTICATED);
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_UNAUTHENTICATED);
    expect_counters(rig, 0, 0, 2);
    assert_int_equal(rig_token(rig, token, NOW_MS + 100000, &principal, &refusal), STATUS_OK);
    expect_counters(rig, 1, 0, 2);
    free(token);
}

static void tokens_that_differ_in_their_last_byte_are_different(void **state) {
    struct rig *rig = *state;
    struct auth_principal principal;
    struct auth_refusal refusal;
    char *token = rig_sign(rig, PAYLOAD);
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_OK);
    size_t last = strlen(token) - 1;
    token[last] = token[last] == 'A' ? 'Q' : 'A';
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_UNAUTHENTICATED);
    token[last] = '\0';
    assert_int_equal(rig_token(rig, token, NOW_MS, &principal, &refusal), STATUS_UNAUTHENTICATED);
    free(token);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_found_until_it_expires),
        cmocka_unit_test(an_entry_owns_its_bytes),
        cmocka_unit_test(a_full_cache_forgets_what_was_not_used_for_longest),
        cmocka_unit_test(large_principals_do_not_exceed_the_bytes),
        cmocka_unit_test(a_token_is_verified_once),
        cmocka_unit_test(a_cached_token_ends_exactly_at_exp),
        cmocka_unit_test(a_change_of_keys_empties_the_cache),
        cmocka_unit_test(a_refused_token_is_not_kept),
        cmocka_unit_test(tokens_that_differ_in_their_last_byte_are_different),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
