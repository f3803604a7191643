/* The limit of failures per peer: whom it stops, for how long, and whom it must not stop. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_rig.h"

#include "auth/certificate.h"
#include "auth/throttle.h"

#define LIMITED "Too many tokens of this peer have failed; try again in a second."

static struct auth_throttle *throttle_new(void) {
    struct auth_throttle *throttle = mem_alloc(sizeof *throttle);
    auth_throttle_init(throttle);
    return throttle;
}

static void fail_times(struct auth_throttle *throttle, struct span peer, int count,
                       int64_t now_ms) {
    for (int i = 0; i < count; i++) {
        auth_throttle_fail(throttle, peer, now_ms);
    }
}

static void twenty_failures_at_once_then_one_a_second(void **state) {
    struct auth_throttle *throttle = throttle_new();
    const struct span peer = SPAN("192.0.2.1");
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_false(auth_throttle_limited(throttle, peer, NOW_MS));
        auth_throttle_fail(throttle, peer, NOW_MS);
    }
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS));
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS + 999));
    for (int64_t second = 1; second <= 5; second++) {
        assert_false(auth_throttle_limited(throttle, peer, NOW_MS + second * 1000));
        auth_throttle_fail(throttle, peer, NOW_MS + second * 1000);
        assert_true(auth_throttle_limited(throttle, peer, NOW_MS + second * 1000));
    }
    mem_free(throttle);
}

static void twenty_quiet_seconds_forgive_everything(void **state) {
    struct auth_throttle *throttle = throttle_new();
    const struct span peer = SPAN("192.0.2.1");
    (void)state;
    fail_times(throttle, peer, 50, NOW_MS); /* more than the burst is not held against it */
    fail_times(throttle, peer, 19, NOW_MS + 20000);
    assert_false(auth_throttle_limited(throttle, peer, NOW_MS + 20000));
    auth_throttle_fail(throttle, peer, NOW_MS + 20000);
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS + 20000));
    mem_free(throttle);
}

static void peers_are_apart(void **state) {
    struct auth_throttle *throttle = throttle_new();
    (void)state;
    fail_times(throttle, SPAN("192.0.2.1"), 20, NOW_MS);
    assert_true(auth_throttle_limited(throttle, SPAN("192.0.2.1"), NOW_MS));
    assert_false(auth_throttle_limited(throttle, SPAN("192.0.2.10"), NOW_MS));
    assert_false(auth_throttle_limited(throttle, SPAN("192.0.2"), NOW_MS));
    assert_false(auth_throttle_limited(throttle, SPAN(""), NOW_MS));
    mem_free(throttle);
}

static void addresses_of_one_ipv6_network_are_one_peer(void **state) {
    struct auth_throttle *throttle = throttle_new();
    (void)state;
    fail_times(throttle, SPAN("2001:db8:1:2::1"), 10, NOW_MS);
    fail_times(throttle, SPAN("2001:db8:1:2:ffff::9"), 10, NOW_MS);
    assert_true(auth_throttle_limited(throttle, SPAN("2001:db8:1:2::3"), NOW_MS));
    assert_false(auth_throttle_limited(throttle, SPAN("2001:db8:1:3::1"), NOW_MS));
    fail_times(throttle, SPAN("::ffff:192.0.2.1"), 20, NOW_MS);
    assert_true(auth_throttle_limited(throttle, SPAN("::ffff:192.0.2.1"), NOW_MS));
    assert_false(auth_throttle_limited(throttle, SPAN("::ffff:192.0.2.2"), NOW_MS));
    mem_free(throttle);
}

static void a_clock_set_back_locks_nobody_out(void **state) {
    struct auth_throttle *throttle = throttle_new();
    const struct span peer = SPAN("192.0.2.1");
    (void)state;
    fail_times(throttle, peer, 20, NOW_MS + 86400000);
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS + 86400000));
    assert_false(auth_throttle_limited(throttle, peer, NOW_MS));
    fail_times(throttle, peer, 19, NOW_MS);
    assert_false(auth_throttle_limited(throttle, peer, NOW_MS));
    auth_throttle_fail(throttle, peer, NOW_MS);
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS));
    assert_false(auth_throttle_limited(throttle, peer, NOW_MS + 1000));
    mem_free(throttle);
}

static void many_peers_cannot_wash_one_clean(void **state) {
    struct auth_throttle *throttle = throttle_new();
    const struct span peer = SPAN("192.0.2.1");
    (void)state;
    fail_times(throttle, peer, 20, NOW_MS);
    for (unsigned i = 0; i < 3 * LIMIT_PEERS; i++) {
        char other[16];
        int size = snprintf(other, sizeof other, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        auth_throttle_fail(throttle, span_of(other, (size_t)size), NOW_MS);
    }
    assert_true(auth_throttle_limited(throttle, peer, NOW_MS));
    mem_free(throttle);
}

static enum status present_with(struct rig *rig, const char *token, const char *peer,
                                const struct auth_certificate *certificate, int64_t now_ms,
                                struct auth_refusal *refusal) {
    struct auth_principal principal;
    struct buffer header = {0};
    buffer_append_format(&header, "Bearer %s", token);
    const struct auth_credentials credentials = {.authorization = buffer_span(&header),
                                                 .peer = span_of_text(peer),
                                                 .certificate = certificate,
                                                 .now_ms = now_ms};
    enum status status = auth_verify(rig->loop, rig->keys, &credentials, &principal, refusal);
    buffer_release(&header);
    return status;
}

static enum status present(struct rig *rig, const char *token, const char *peer, int64_t now_ms,
                           struct auth_refusal *refusal) {
    return present_with(rig, token, peer, NULL, now_ms, refusal);
}

static void fresh_loop(struct rig *rig) {
    auth_loop_free(rig->loop);
    rig->loop = auth_loop_new();
}

static void a_peer_that_fails_too_often_is_told_to_wait(void **state) {
    struct rig *rig = *state;
    struct auth_refusal refusal;
    struct auth_counters counters;
    fresh_loop(rig);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(present(rig, "a.b.c", "192.0.2.1", NOW_MS, &refusal),
                         STATUS_UNAUTHENTICATED);
    }
    assert_int_equal(present(rig, "a.b.c", "192.0.2.1", NOW_MS, &refusal), STATUS_RATE_LIMITED);
    assert_string_equal(refusal.why, LIMITED);
    assert_false(refusal.missing);
    assert_int_equal(present(rig, "a.b.c", "192.0.2.2", NOW_MS, &refusal), STATUS_UNAUTHENTICATED);
    assert_int_equal(present(rig, "a.b.c", "192.0.2.1", NOW_MS + 1000, &refusal),
                     STATUS_UNAUTHENTICATED);
    auth_loop_counters(rig->loop, &counters);
    assert_int_equal(counters.limited, 1);
    assert_int_equal(counters.refused, 22);
}

static void a_known_token_passes_whoever_fails_beside_it(void **state) {
    struct rig *rig = *state;
    struct auth_refusal refusal;
    char *known = rig_sign(rig, PAYLOAD);
    char *other = rig_sign(rig, PAYLOAD);
    fresh_loop(rig);
    assert_int_equal(present(rig, known, "192.0.2.1", NOW_MS, &refusal), STATUS_OK);
    for (int i = 0; i < 25; i++) {
        enum status status = present(rig, "a.b.c", "192.0.2.1", NOW_MS, &refusal);
        assert_int_equal(status, i < 20 ? STATUS_UNAUTHENTICATED : STATUS_RATE_LIMITED);
    }
    assert_int_equal(present(rig, known, "192.0.2.1", NOW_MS, &refusal), STATUS_OK);
    assert_int_equal(present(rig, other, "192.0.2.1", NOW_MS, &refusal), STATUS_RATE_LIMITED);
    assert_int_equal(present(rig, other, "192.0.2.1", NOW_MS + 1000, &refusal), STATUS_OK);
    free(known);
    free(other);
}

/* Behind a proxy all come from one address, and one of them must not shut out the others. */
static void who_has_a_certificate_fails_for_himself_alone(void **state) {
    static const struct auth_certificate one = {.sha256 = {1}}, two = {.sha256 = {2}};
    struct rig *rig = *state;
    struct auth_refusal refusal;
    const char *proxy = "192.0.2.1";
    fresh_loop(rig);
    for (int i = 0; i < 25; i++) {
        /* from wherever he comes */
        const char *peer = i % 2 == 0 ? proxy : "192.0.2.2";
        enum status status = present_with(rig, "a.b.c", peer, &one, NOW_MS, &refusal);
        assert_int_equal(status, i < 20 ? STATUS_UNAUTHENTICATED : STATUS_RATE_LIMITED);
    }
    char *token = rig_sign(rig, PAYLOAD);
    assert_int_equal(present_with(rig, token, proxy, &one, NOW_MS, &refusal), STATUS_RATE_LIMITED);
    assert_int_equal(present_with(rig, token, proxy, &two, NOW_MS, &refusal), STATUS_OK);
    assert_int_equal(present(rig, token, proxy, NOW_MS, &refusal), STATUS_OK);
    free(token);
}

static void good_tokens_are_no_failures(void **state) {
    struct rig *rig = *state;
    struct auth_refusal refusal;
    fresh_loop(rig);
    for (int i = 0; i < 40; i++) {
        char *token = rig_sign(rig, PAYLOAD);
        assert_int_equal(present(rig, token, "192.0.2.1", NOW_MS, &refusal), STATUS_OK);
        free(token);
    }
}

static void requests_without_a_token_are_no_failures(void **state) {
    struct rig *rig = *state;
    struct auth_refusal refusal;
    fresh_loop(rig);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(present(rig, "", "192.0.2.1", NOW_MS, &refusal), STATUS_UNAUTHENTICATED);
        assert_true(refusal.missing);
    }
    assert_int_equal(present(rig, "a.b.c", "192.0.2.1", NOW_MS, &refusal), STATUS_UNAUTHENTICATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_failures_at_once_then_one_a_second),
        cmocka_unit_test(twenty_quiet_seconds_forgive_everything),
        cmocka_unit_test(peers_are_apart),
        cmocka_unit_test(addresses_of_one_ipv6_network_are_one_peer),
        cmocka_unit_test(a_clock_set_back_locks_nobody_out),
        cmocka_unit_test(many_peers_cannot_wash_one_clean),
        cmocka_unit_test(a_peer_that_fails_too_often_is_told_to_wait),
        cmocka_unit_test(a_known_token_passes_whoever_fails_beside_it),
        cmocka_unit_test(who_has_a_certificate_fails_for_himself_alone),
        cmocka_unit_test(good_tokens_are_no_failures),
        cmocka_unit_test(requests_without_a_token_are_no_failures),
    };
    return cmocka_run_group_tests(tests, rig_init, rig_release);
}
