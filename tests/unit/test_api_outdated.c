/* A pack is replaced while requests wait for the writer: they are read again and answered under the
 * one in force, as if they had come later; the caller sees nothing of it. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "tests/unit/support_writing.h"

#define ASKED                                                                  \
    "{\"subject\":{\"type\":\"application\",\"id\":\"" APP "\"},\"action\":"   \
    "{\"name\":\"read\",\"properties\":{\"purpose\":\"estimate-emissions\"}}," \
    "\"resource\":{\"type\":\"account\",\"id\":\"acc-1\",\"properties\":{"     \
    "\"permissions\":[\"tariff\"]}},\"context\":{\"explain\":true,\"record\":true}}"

static struct policy_pack *load(struct span bytes) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    if (policy_pack_load(bytes, &pack, &error) != STATUS_OK)
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    return pack;
}

/* The pack in force with every `from` made `to`, of the same size. */
static struct policy_pack *variant(struct world *w, const char *from, const char *to) {
    struct span bytes = arena_copy(&w->arena, policy_pack_bytes(w->pack));
    char *text = (char *)(uintptr_t)bytes.data;
    unsigned found = 0;
    assert_int_equal(strlen(from), strlen(to));
    for (char *at = text; (at = strstr(at, from)) != NULL; found++)
        memcpy(at, to, strlen(to));
    assert_true(found > 0);
    return load(bytes);
}

static struct span hex_of(struct world *w, const struct policy_pack *pack) {
    char hex[2 * DIGEST_SIZE];
    encode_hex(policy_pack_digest(pack)->bytes, DIGEST_SIZE, hex);
    return arena_copy(&w->arena, span_of(hex, sizeof hex));
}

/* The store has the next pack, and the loop hears of it only when the answer comes: the request is
 * on its way again. */
static void overtake(struct world *w, struct sent *sent, const struct policy_pack *heard_of) {
    struct store_change *change = world_await(w);
    assert_true(change->outdated);
    atomic_store(&w->service.pack, heard_of);
    assert_int_equal(api_reply(&sent->call, change), API_PENDING);
}

static void send_too_late(struct world *w, struct policy_pack *next, const struct sending *sending,
                          struct sent *sent) {
    assert_int_equal(store_pack_activate(w->store, next), STATUS_OK);
    send_begin(w, sending, sent);
    assert_int_equal(sent->outcome, API_PENDING);
    overtake(w, sent, next);
}

static void forget_pack(struct world *w, struct policy_pack *next) {
    atomic_store(&w->service.pack, w->pack);
    assert_int_equal(store_pack_activate(w->store, w->pack), STATUS_OK);
    policy_pack_free(next);
}

static void a_create_is_admitted_under_the_pack_in_force(void **state) {
    struct world *w = *state;
    struct policy_pack *next = variant(w, "n\": \"2026-03-12", "n\": \"2026-03-13");
    struct sending sending = {
        .as = AS_EDP, .target = "/v1/consents", .body = GRANTED, .key = "k-1"};
    struct sent sent;
    send_too_late(w, next, &sending, &sent);
    struct reply reply = send_end(w, &sent);
    assert_int_equal(reply.status, 201);
    assert_non_null(strstr(reply.body.data, hex_of(w, next).data));
    assert_non_null(strstr(reply.body.data, "\"version\":\"2026-03-13\""));
    forget_pack(w, next);
}

static void a_create_that_the_new_pack_does_not_admit_is_refused(void **state) {
    struct world *w = *state;
    struct policy_pack *next =
        variant(w, "energy-consumption-edp-cap", "energy-consumption-edp-xyz");
    struct sending sending = {
        .as = AS_EDP, .target = "/v1/consents", .body = GRANTED, .key = "k-2"};
    struct sent sent;
    send_too_late(w, next, &sending, &sent);
    struct reply reply = send_end(w, &sent);
    assert_problem(&reply, 422, "not-admissible");
    assert_non_null(strstr(reply.body.data, "licenseUnknown"));
    forget_pack(w, next);
}

static void a_recorded_decision_is_the_new_packs(void **state) {
    struct world *w = *state;
    struct policy_pack *next = variant(w, "\"tariff\"", "\"tarifo\"");
    struct sending sending = {.as = AS_EDP, .target = "/access/v1/evaluation", .body = ASKED};
    struct sent sent;
    send_too_late(w, next, &sending, &sent);
    struct reply reply = send_end(w, &sent);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body.data, hex_of(w, next).data));
    assert_non_null(strstr(reply.body.data, "permissionNotPermitted"));
    assert_non_null(strstr(reply.body.data, "\"decisionId\""));
    forget_pack(w, next);
}

static void a_request_may_be_overtaken_again(void **state) {
    struct world *w = *state;
    struct policy_pack *second = variant(w, "n\": \"2026-03-12", "n\": \"2026-03-13");
    struct policy_pack *third = variant(w, "n\": \"2026-03-12", "n\": \"2026-03-14");
    struct sending sending = {.as = AS_EDP, .target = "/access/v1/evaluation", .body = ASKED};
    struct sent sent;
    assert_int_equal(store_pack_activate(w->store, second), STATUS_OK);
    assert_int_equal(store_pack_activate(w->store, third), STATUS_OK);
    send_begin(w, &sending, &sent);
    overtake(w, &sent, second);
    overtake(w, &sent, third);
    struct reply reply = send_end(w, &sent);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body.data, hex_of(w, third).data));
    forget_pack(w, third);
    policy_pack_free(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_create_is_admitted_under_the_pack_in_force),
        TEST(a_create_that_the_new_pack_does_not_admit_is_refused),
        TEST(a_recorded_decision_is_the_new_packs),
        TEST(a_request_may_be_overtaken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
