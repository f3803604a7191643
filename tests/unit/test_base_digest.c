/* Digests and MACs against the published vectors; random bytes for what can be shown of them. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <pthread.h>

#include "base/digest.h"

static struct span bytes_of(const void *data, size_t size) {
    return span_of(data, size);
}

static void assert_sha256(struct span data, const char *hex) {
    struct digest digest = digest_sha256(data);
    assert_hex(digest.bytes, DIGEST_SIZE, hex);
}

/* FIPS 180-4 examples of NIST. */
static void sha_256_gives_the_digests_of_nist(void **state) {
    (void)state;
    assert_sha256(SPAN(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256(SPAN_NONE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256(SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_sha256(SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnop"
                       "jklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
                  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void sha_256_of_a_million_letters(void **state) {
    char *letters = mem_alloc(1000000);
    (void)state;
    memset(letters, 'a', 1000000);
    assert_sha256(span_of(letters, 1000000),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    mem_free(letters);
}

static void parts_are_digested_as_if_they_were_one(void **state) {
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        const struct span parts[] = {
            SPAN_NONE, {text, cut}, SPAN(""), {text + cut, sizeof text - 1 - cut}};
        struct digest digest = digest_sha256_parts(parts, COUNT(parts));
        assert_hex(digest.bytes, DIGEST_SIZE,
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    struct digest none = digest_sha256_parts(NULL, 0);
    struct digest empty = digest_sha256(SPAN(""));
    assert_true(digest_equal(&none, &empty));
}

struct hmac_case {
    struct span key, data;
    const char *hex;
};

static void assert_hmac(const struct hmac_case *row) {
    /* as one part, and cut in two */
    struct digest whole = digest_hmac(row->key, &row->data, 1);
    const struct span parts[] = {
        span_of(row->data.data, row->data.size / 2),
        span_of(row->data.data + row->data.size / 2, row->data.size - row->data.size / 2)};
    struct digest cut = digest_hmac(row->key, parts, 2);
    assert_hex(whole.bytes, strlen(row->hex) / 2, row->hex);
    assert_hex(cut.bytes, strlen(row->hex) / 2, row->hex);
}

static void hmac_gives_the_digests_of_rfc_4231(void **state) {
    char aa[131], bb[20], cc[50], dd[50];
    (void)state;
    memset(aa, 0xaa, sizeof aa);
    memset(bb, 0x0b, sizeof bb);
    memset(cc, 0xcd, sizeof cc);
    memset(dd, 0xdd, sizeof dd);
    const struct hmac_case rows[] = {
        {bytes_of(bb, 20), SPAN("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {SPAN("Jefe"), SPAN("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {bytes_of(aa, 20), bytes_of(dd, 50),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {SPAN("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
              "\x15\x16\x17\x18\x19"),
         bytes_of(cc, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {bytes_of(
             "\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c",
             20),
         SPAN("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"},
        {bytes_of(aa, 131), SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {bytes_of(aa, 131),
         SPAN("This is a test using a larger than block-size key and a larger than block-size "
              "data. The key needs to be hashed before being used by the HMAC algorithm."),
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_hmac(&rows[i]);
}

/* Lengths around HMAC's block: expected values from Python's hmac module. */
static void keys_around_the_block_size_are_padded_or_digested(void **state) {
    char key[66];
    (void)state;
    memset(key, 'k', sizeof key);
    const struct hmac_case rows[] = {
        {bytes_of(key, 0), SPAN("text"),
         "0611b704abab473f956257a09cc2fc2c867211d077bdffc5a91bd8a5047826ff"},
        {bytes_of(key, 1), SPAN("text"),
         "c1a9bf454b10dfe16515829275ce8fd6e5c7a5df851245037730352a6046f1a5"},
        {bytes_of(key, 63), SPAN("text"),
         "c90d83e78c64ee16fe2eefa3e8a834d79d1d3d0ea483f8d9908323b714c7f134"},
        {bytes_of(key, 64), SPAN("text"),
         "0414bb1d8c0c4556cdb2028727b16610ae377b1a194b6db1f853d4297f2329bc"},
        {bytes_of(key, 65), SPAN("text"),
         "5b69580123e3d7e788b7e8352ac37a3247b911c5ec0837147b74109a6382d3f5"},
        {bytes_of(key, 66), SPAN("text"),
         "b7a43cb5f9b9fcb1dbfc4818c5ea7629088dbe446030f946357a2b915be03b95"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_hmac(&rows[i]);
}

static struct mac16 mac_of(const unsigned char *key, struct span a, struct span b) {
    const struct span parts[] = {a, b};
    return digest_mac16(key, parts, 2);
}

static bool same_mac(struct mac16 a, struct mac16 b) {
    return memcmp(a.bytes, b.bytes, MAC16_SIZE) == 0;
}

/* Expected: Python, hmac over u32-BE sizes and parts, first 16 bytes. */
static void a_mac16_is_hmac_over_sized_parts(void **state) {
    static const unsigned char key[MAC_KEY_SIZE] = "0123456789abcdef0123456789abcde";
    struct mac16 mac = mac_of(key, SPAN("tenant"), SPAN("account"));
    (void)state;
    assert_hex(mac.bytes, MAC16_SIZE, "03e2b0160d7368df5f347b70c02b9e9d");
}

/* All four bytes of a part's size count. */
static void a_mac16_of_a_large_part_has_its_whole_size(void **state) {
    static const unsigned char key[MAC_KEY_SIZE] = "0123456789abcdef0123456789abcde";
    char *zeros = mem_alloc_zeroed(1, 0x01020304);
    const struct span part = {zeros, 0x01020304};
    struct mac16 mac = digest_mac16(key, &part, 1);
    (void)state;
    assert_hex(mac.bytes, MAC16_SIZE, "aed557f1691f336c76fdba1cc7206b57");
    mem_free(zeros);
}

static void where_one_part_ends_changes_a_mac16(void **state) {
    static const unsigned char key[MAC_KEY_SIZE] = {1}, other[MAC_KEY_SIZE] = {2};
    struct mac16 mac = mac_of(key, SPAN("ab"), SPAN("c"));
    (void)state;
    assert_true(same_mac(mac, mac_of(key, SPAN("ab"), SPAN("c"))));
    assert_false(same_mac(mac, mac_of(key, SPAN("a"), SPAN("bc"))));
    assert_false(same_mac(mac, mac_of(key, SPAN("abc"), SPAN(""))));
    assert_false(same_mac(mac, mac_of(key, SPAN(""), SPAN("abc"))));
    assert_false(same_mac(mac, mac_of(other, SPAN("ab"), SPAN("c"))));
    const struct span one = SPAN("abc");
    assert_false(same_mac(mac, digest_mac16(key, &one, 1)));
}

static void digests_are_equal_only_in_every_byte(void **state) {
    struct digest a = digest_sha256(SPAN("x")), b = a;
    (void)state;
    assert_true(digest_equal(&a, &b));
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        b = a;
        b.bytes[i] ^= 0x80;
        assert_false(digest_equal(&a, &b));
    }
}

/* Every byte of the run, and none beside it, over more than one block. */
static void random_bytes_fill_exactly_what_was_asked(void **state) {
    static const size_t sizes[] = {0, 1, 15, 16, 32, 4095, 4096, 4097, 10000};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = sizes[i];
        unsigned char *a = mem_alloc_zeroed(1, size + 2), *seen = mem_alloc_zeroed(1, size + 2);
        for (int round = 0; round < 16; round++) {
            digest_random(a + 1, size);
            for (size_t b = 0; b < size + 2; b++)
                seen[b] |= a[b];
        }
        assert_int_equal(seen[0], 0);
        assert_int_equal(seen[size + 1], 0);
        for (size_t b = 1; b <= size; b++)
            assert_int_not_equal(seen[b], 0); /* 16 zeros in a row: 1 in 2^128 */
        mem_free(seen);
        mem_free(a);
    }
}

static void *draw(void *out) {
    digest_random(out, 32);
    struct digest digest = digest_sha256(SPAN("a thread's state is made and freed with it"));
    assert_true(digest_equal(&digest, &digest));
    return NULL;
}

static void no_two_threads_draw_the_same(void **state) {
    unsigned char drawn[9][32];
    pthread_t threads[8];
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, drawn[i]), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    draw(drawn[8]);
    for (size_t a = 0; a < COUNT(drawn); a++)
        for (size_t b = a + 1; b < COUNT(drawn); b++)
            assert_memory_not_equal(drawn[a], drawn[b], 32);
}

/* FIPS 197 appendix C.1. */
static void a_sealed_block_is_aes_128(void **state) {
    unsigned char key[16], plain[16], sealed[16], back[16];
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        key[i] = (unsigned char)i;
        plain[i] = (unsigned char)(i * 0x11);
    }
    digest_seal_block(key, plain, sealed);
    assert_hex(sealed, 16, "69c4e0d86a7b0430d8cdb78070b4c55a");
    digest_unseal_block(key, sealed, back);
    assert_memory_equal(back, plain, 16);
    key[0] ^= 1;
    digest_unseal_block(key, sealed, back);
    assert_memory_not_equal(back, plain, 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_256_gives_the_digests_of_nist),
        cmocka_unit_test(sha_256_of_a_million_letters),
        cmocka_unit_test(parts_are_digested_as_if_they_were_one),
        cmocka_unit_test(hmac_gives_the_digests_of_rfc_4231),
        cmocka_unit_test(keys_around_the_block_size_are_padded_or_digested),
        cmocka_unit_test(a_mac16_is_hmac_over_sized_parts),
        cmocka_unit_test(a_mac16_of_a_large_part_has_its_whole_size),
        cmocka_unit_test(where_one_part_ends_changes_a_mac16),
        cmocka_unit_test(digests_are_equal_only_in_every_byte),
        cmocka_unit_test(random_bytes_fill_exactly_what_was_asked),
        cmocka_unit_test(no_two_threads_draw_the_same),
        cmocka_unit_test(a_sealed_block_is_aes_128),
    };
    return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}
