/* SipHash against OpenSSL's, for every size around its words. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/siphash.h"

static void openssl_siphash(const unsigned char key[16], const void *data, size_t size,
                            unsigned char out[16]) {
    size_t out_size = 16, written;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_size),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    assert_int_equal(EVP_MAC_init(context, key, 16, params), 1);
    assert_int_equal(EVP_MAC_update(context, data, size), 1);
    assert_int_equal(EVP_MAC_final(context, out, &written, 16), 1);
    assert_int_equal(written, 16);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
}

static void every_size_gives_what_openssl_gives(void **state) {
    unsigned char key[SIPHASH_KEY_SIZE], text[600];
    (void)state;
    digest_random(key, sizeof key);
    digest_random(text, sizeof text);
    for (size_t size = 0; size <= sizeof text; size++) {
        unsigned char expected[16];
        char *exact = mem_alloc(size); /* ASan sees a read past it */
        memcpy(exact, text, size);
        struct mac16 made = siphash(key, span_of(exact, size));
        openssl_siphash(key, text, size, expected);
        assert_memory_equal(made.bytes, expected, sizeof expected);
        mem_free(exact);
    }
}

/* The authors' first vector: key 00 to 0f, no data. */
static void the_authors_vector_is_met(void **state) {
    static const unsigned char key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const unsigned char expected[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                               0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    struct mac16 made = siphash(key, SPAN_NONE);
    (void)state;
    assert_memory_equal(made.bytes, expected, sizeof expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_gives_what_openssl_gives),
        cmocka_unit_test(the_authors_vector_is_met),
    };
    return cmocka_run_group_tests_name("base/siphash", tests, NULL, NULL);
}
