/* Sets of keys that change while they are used: what a copy shares, what a fetched set may hold,
 * and who is asked for a key that is not there. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "auth/keys.h"
#include "base/limits.h"

/* The rig's issuer, renewed, without a key. */
static struct auth_keys *empty_set(void) {
    struct auth_issuer config = issuer_config();
    struct auth_keys *keys = NULL;
    char why[256];
    config.renewed = true;
    assert_int_equal(auth_keys_load(&config, 1, &keys, why, sizeof why), STATUS_OK);
    return keys;
}

static struct auth_keys *renew(struct auth_keys *keys, char *text, uint32_t used,
                               uint32_t left_out) {
    struct auth_keys *renewed = NULL;
    struct auth_renewal renewal;
    assert_int_equal(auth_keys_renew(keys, 0, span_of_text(text), &renewed, &renewal), STATUS_OK);
    assert_int_equal(renewal.used, used);
    assert_int_equal(renewal.left_out, left_out);
    auth_keys_free(keys);
    free(text);
    return renewed;
}

static enum status verify(const struct rig *rig, const struct auth_keys *keys, const char *header,
                          struct auth_refusal *refusal) {
    static unsigned peers;
    char peer[32];
    struct auth_principal principal;
    struct buffer text = {0};
    char *token = token_sign(&(struct signer){.key = rig->ec}, header, PAYLOAD);
    buffer_append_format(&text, "Bearer %s", token);
    snprintf(peer, sizeof peer, "198.51.100.%u", peers++);
    const struct auth_credentials credentials = {
        .authorization = buffer_span(&text), .peer = span_of_text(peer), .now_ms = NOW_MS};
    enum status status = auth_verify(rig->loop, keys, &credentials, &principal, refusal);
    buffer_release(&text);
    free(token);
    return status;
}

static void an_issuer_may_wait_for_its_keys(void **state) {
    struct rig *rig = *state;
    struct auth_refusal refusal;
    struct auth_keys *keys = empty_set();
    assert_false(auth_keys_complete(keys));
    assert_int_equal(verify(rig, keys, ES256_HEADER, &refusal), STATUS_UNAUTHENTICATED);
    assert_string_equal(refusal.why, "The keys of the token's issuer are not known yet.");
    keys = renew(keys, rig_set(rig), 3, 0); /* the RS256 one is of no use */
    assert_true(auth_keys_complete(keys));
    assert_int_equal(verify(rig, keys, ES256_HEADER, &refusal), STATUS_OK);
    auth_keys_free(keys);
}

static void a_key_that_is_not_there_is_asked_for_once(void **state) {
    struct rig *rig = *state;
    static const char other[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"new\"}";
    static const char none[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\"}";
    struct auth_refusal refusal;
    struct auth_keys *keys = renew(empty_set(), rig_set(rig), 3, 0);
    assert_int_equal(verify(rig, keys, none, &refusal), STATUS_UNAUTHENTICATED);
    assert_false(refusal.keys_wanted); /* which one? */
    assert_false(auth_keys_take_wanted(keys, 0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(verify(rig, keys, other, &refusal), STATUS_UNAUTHENTICATED);
        assert_string_equal(refusal.why, "The token's kid names no key of its issuer.");
        assert_int_equal(refusal.keys_wanted, i == 0);
    }
    assert_true(auth_keys_take_wanted(keys, 0));
    assert_false(auth_keys_take_wanted(keys, 0));
    assert_int_equal(verify(rig, keys, other, &refusal), STATUS_UNAUTHENTICATED);
    assert_true(refusal.keys_wanted);
    auth_keys_free(keys);
    assert_int_equal(verify(rig, rig->keys, other, &refusal), STATUS_UNAUTHENTICATED);
    assert_false(refusal.keys_wanted); /* those are of a file */
}

/* All from one address, as from a gateway. */
static void tokens_that_come_before_their_key_are_not_held_against_the_peer(void **state) {
    struct rig *rig = *state;
    static const char other[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"new\"}";
    struct auth_keys *keys = renew(empty_set(), rig_set(rig), 3, 0);
    struct auth_principal principal;
    struct auth_refusal refusal;
    struct buffer text = {0};
    char *token = token_sign(&(struct signer){.key = rig->ec}, other, PAYLOAD);
    buffer_append_format(&text, "Bearer %s", token);
    const struct auth_credentials credentials = {
        .authorization = buffer_span(&text), .peer = SPAN("203.0.113.1"), .now_ms = NOW_MS};
    for (int i = 0; i < 3 * LIMIT_FAILURES; i++) {
        assert_int_equal(auth_verify(rig->loop, keys, &credentials, &principal, &refusal),
                         STATUS_UNAUTHENTICATED);
        assert_true(refusal.key_lacking);
    }
    buffer_release(&text);
    free(token);
    auth_keys_free(keys);
}

static void a_bad_key_of_a_fetched_set_is_left_out(void **state) {
    struct rig *rig = *state;
    struct buffer text = {0};
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    char *good = jwk_of(rig->ec, ",\"kid\":\"ec\"");
    char *twice = jwk_of(rig->ed, ",\"kid\":\"ec\"");
    char *secret = jwk_of(rig->ed, ",\"kid\":\"d\",\"d\":\"AAAA\"");
    char *small = jwk_of(weak, ",\"kid\":\"w\",\"alg\":\"PS256\"");
    buffer_append_format(&text, "{\"keys\":[7,%s,%s,%s,%s,{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", good,
                         twice, secret, small);
    struct auth_keys *keys = renew(empty_set(), text_take(&text), 1, 5);
    assert_non_null(auth_keys_find(&keys->issuers[0], SPAN("ec")));
    assert_null(auth_keys_find(&keys->issuers[0], SPAN("d")));
    assert_null(auth_keys_find(&keys->issuers[0], SPAN("w")));
    auth_keys_free(keys);
    free(good);
    free(twice);
    free(secret);
    free(small);
    EVP_PKEY_free(weak);
}

static void rubbish_changes_nothing(void **state) {
    struct rig *rig = *state;
    static const char *const bad[] = {
        "", "<html>", "{}", "{\"keys\":[]}", "{\"keys\":7}", "{\"keys\":[{}]}", "[]", "null"};
    struct auth_keys *keys = renew(empty_set(), rig_set(rig), 3, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct auth_keys *untouched = keys;
        struct auth_renewal renewal = {7, 7};
        assert_int_equal(auth_keys_renew(keys, 0, span_of_text(bad[i]), &untouched, &renewal),
                         STATUS_INVALID_PARAMETER);
        assert_ptr_equal(untouched, keys);
        assert_int_equal(renewal.used, 7);
    }
    auth_keys_free(keys);
}

/* The old set is freed first: what the copy has of it must be its own. */
static void a_copy_outlives_what_it_was_copied_from(void **state) {
    struct rig *rig = *state;
    struct auth_issuer issuers[2] = {issuer_config(), issuer_config()};
    struct auth_refusal refusal;
    struct auth_renewal renewal;
    struct auth_keys *keys = NULL, *renewed = NULL;
    char why[256];
    char *set = rig_set(rig);
    char *path = file_with(set);
    issuers[0].issuer = SPAN("https://other.example");
    issuers[0].renewed = true;
    issuers[1].key_file = path;
    issuers[1].allow_rs256 = true;
    issuers[1].roles_claim = SPAN("roles");
    assert_int_equal(auth_keys_load(issuers, 2, &keys, why, sizeof why), STATUS_OK);
    assert_int_equal(auth_keys_renew(keys, 0, span_of_text(set), &renewed, &renewal), STATUS_OK);
    assert_true(renewed->generation != keys->generation);
    auth_keys_free(keys);
    assert_int_equal(verify(rig, renewed, ES256_HEADER, &refusal), STATUS_OK);
    assert_span(renewed->issuers[1].roles_claim, "roles");
    assert_true(renewed->issuers[1].allow_rs256 && !renewed->issuers[1].renewed);
    assert_int_equal(renewed->issuers[1].key_count, 4);
    auth_keys_free(renewed);
    unlink(path);
    free(path);
    free(set);
}

static void a_set_inherits_the_keys_of_the_same_issuer(void **state) {
    struct rig *rig = *state;
    struct auth_issuer_state seen;
    struct auth_keys *old = renew(empty_set(), rig_set(rig), 3, 0);
    auth_keys_confirm(old, 0, 1234);
    struct auth_keys *fresh = empty_set();
    auth_keys_inherit(fresh, 0, old);
    auth_keys_free(old);
    assert_true(auth_keys_state(fresh, 0, &seen));
    assert_span(seen.issuer, ISSUER);
    assert_int_equal(seen.key_count, 3);
    assert_int_equal(seen.renewed_s, 1234);
    assert_false(auth_keys_state(fresh, 1, &seen));
    struct auth_issuer config = issuer_config();
    config.issuer = SPAN("https://stranger.example");
    config.renewed = true;
    char why[256];
    struct auth_keys *stranger = NULL;
    assert_int_equal(auth_keys_load(&config, 1, &stranger, why, sizeof why), STATUS_OK);
    auth_keys_inherit(stranger, 0, fresh);
    assert_false(auth_keys_complete(stranger));
    auth_keys_free(stranger);
    auth_keys_free(fresh);
}

static void metadata_must_be_those_of_the_issuer(void **state) {
    static const char *const bad[][2] = {
        {"", "the metadata are no JSON object whose members each stand once"},
        {"[]", "the metadata are no JSON object whose members each stand once"},
        {"{\"issuer\":\"" ISSUER "\",\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://k\"}",
         "the metadata are no JSON object whose members each stand once"},
        {"{\"jwks_uri\":\"https://k\"}", "the metadata are those of another issuer"},
        {"{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"https://k\"}",
         "the metadata are those of another issuer"},
        {"{\"issuer\":\"" ISSUER "\"}", "the metadata have no jwks_uri"},
        {"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":7}", "the metadata have no jwks_uri"},
    };
    struct arena arena = {0};
    struct span uri = SPAN("untouched");
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            auth_metadata_read(span_of_text(bad[i][0]), SPAN(ISSUER), &arena, &uri, &why),
            STATUS_INVALID_PARAMETER);
        assert_string_equal(why, bad[i][1]);
        assert_span(uri, "untouched");
    }
    struct span good = SPAN("{\"issuer\":\"" ISSUER "\",\"x\":1,\"jwks_uri\":\"https://k\"}");
    assert_int_equal(auth_metadata_read(good, SPAN(ISSUER), &arena, &uri, &why), STATUS_OK);
    assert_span(uri, "https://k");
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issuer_may_wait_for_its_keys),
        cmocka_unit_test(a_key_that_is_not_there_is_asked_for_once),
        cmocka_unit_test(tokens_that_come_before_their_key_are_not_held_against_the_peer),
        cmocka_unit_test(a_bad_key_of_a_fetched_set_is_left_out),
        cmocka_unit_test(rubbish_changes_nothing),
        cmocka_unit_test(a_copy_outlives_what_it_was_copied_from),
        cmocka_unit_test(a_set_inherits_the_keys_of_the_same_issuer),
        cmocka_unit_test(metadata_must_be_those_of_the_issuer),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
