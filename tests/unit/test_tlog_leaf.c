/* Leaves and commitments, byte by byte. Expected values: Python's hashlib and hmac. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include "tlog/leaf.h"

#define PAYLOAD "{\"v\":1,\"type\":\"granted\"}"

static void counted(unsigned char *bytes, size_t size, unsigned first) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(first + i);
}

static void a_leaf_is_version_type_zeros_and_commitment(void **state) {
    struct digest commitment;
    unsigned char leaf[TLOG_LEAF_SIZE + 1];
    (void)state;
    counted(commitment.bytes, DIGEST_SIZE, 0xa0);
    memset(leaf, 0xee, sizeof leaf);
    tlog_leaf_encode(12, &commitment, leaf);
    assert_hex(leaf, sizeof leaf,
               "010c0000a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfee");
}

static void a_commitment_is_hmac_under_the_salt_with_the_domain(void **state) {
    unsigned char salt[TLOG_SALT_SIZE];
    (void)state;
    counted(salt, sizeof salt, 0);
    struct digest commitment = tlog_commitment(salt, SPAN(PAYLOAD));
    assert_hex(commitment.bytes, DIGEST_SIZE,
               "f8888d3149a8389f904d3228f156c0b12fc7a038cc215b60ad4f7e5337b03cf8");
    commitment = tlog_commitment(salt, SPAN(""));
    assert_hex(commitment.bytes, DIGEST_SIZE,
               "d39789c8e07592c563b204e4bf458a7abc46e2d48f75b8bdaa2793b4f3b7be6e");
}

static void another_salt_or_payload_is_another_commitment(void **state) {
    unsigned char salt[TLOG_SALT_SIZE];
    char payload[] = PAYLOAD;
    (void)state;
    counted(salt, sizeof salt, 0);
    const struct digest whole = tlog_commitment(salt, SPAN(PAYLOAD));
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] ^= 1;
        struct digest other = tlog_commitment(salt, SPAN(PAYLOAD));
        assert_false(digest_equal(&whole, &other));
        salt[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof payload - 1; i++) {
        payload[i] ^= 1;
        struct digest other = tlog_commitment(salt, span_of(payload, sizeof payload - 1));
        assert_false(digest_equal(&whole, &other));
        payload[i] ^= 1;
        other = tlog_commitment(salt, span_of(payload, i));
        assert_false(digest_equal(&whole, &other));
    }
}

static void a_leaf_hash_is_sha_256_of_zero_and_leaf(void **state) {
    struct digest commitment;
    unsigned char leaf[TLOG_LEAF_SIZE];
    (void)state;
    counted(commitment.bytes, DIGEST_SIZE, 0xa0);
    tlog_leaf_encode(1, &commitment, leaf);
    struct digest hash = tlog_leaf_hash(leaf);
    assert_hex(hash.bytes, DIGEST_SIZE,
               "96e49a9803abae7e1d102616b12639c89ba423f50f766256f66d80c3e90af8d7");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_version_type_zeros_and_commitment),
        cmocka_unit_test(a_commitment_is_hmac_under_the_salt_with_the_domain),
        cmocka_unit_test(another_salt_or_payload_is_another_commitment),
        cmocka_unit_test(a_leaf_hash_is_sha_256_of_zero_and_leaf),
    };
    return cmocka_run_group_tests_name("tlog/leaf", tests, NULL, NULL);
}
