/* What is sealed comes back under its key and for its purpose, and under nothing else. */
// SPDX-License-Identifier: Apache-2.0
#include "base/seal.h"

#include "tests/unit/support_base.h"

static const unsigned char KEY[SEAL_KEY_SIZE] = "0123456789abcdef0123456789abcde";

static void what_was_sealed_opens(void **state) {
    (void)state;
    for (size_t size = 1; size < 300; size += 7) {
        struct buffer out = {0};
        char *plain = malloc(size), *opened = malloc(size);
        memset(plain, 'x', size);
        plain[size - 1] = '\0';
        buffer_append_text(&out, "head");
        seal_close(KEY, SPAN("for"), span_of(plain, size), &out);
        assert_int_equal(out.size, 4 + size + SEAL_OVERHEAD);
        assert_true(seal_open(KEY, SPAN("for"), span_of(out.data + 4, out.size - 4), opened));
        assert_memory_equal(plain, opened, size);
        assert_null(memmem(out.data, out.size, "xxxx", 4));
        buffer_release(&out);
        free(opened);
        free(plain);
    }
}

static void every_turned_bit_another_key_or_purpose_opens_nothing(void **state) {
    (void)state;
    struct buffer out = {0};
    unsigned char other[SEAL_KEY_SIZE];
    char opened[6];
    seal_close(KEY, SPAN("for"), SPAN("secret"), &out);
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        out.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(seal_open(KEY, SPAN("for"), buffer_span(&out), opened));
        assert_null(memmem(opened, sizeof opened, "secr", 4)); /* nothing of it is left there */
        out.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    memcpy(other, KEY, sizeof other);
    other[31] ^= 1;
    assert_false(seal_open(other, SPAN("for"), buffer_span(&out), opened));
    assert_false(seal_open(KEY, SPAN("fox"), buffer_span(&out), opened));
    assert_false(seal_open(KEY, SPAN(""), buffer_span(&out), opened));
    for (size_t size = 0; size < out.size; size++) {
        char room[64];
        assert_false(seal_open(KEY, SPAN("for"), span_of(out.data, size), room));
    }
    assert_true(seal_open(KEY, SPAN("for"), buffer_span(&out), opened));
    buffer_release(&out);
}

static void the_same_text_is_never_sealed_the_same(void **state) {
    (void)state;
    struct buffer a = {0}, b = {0};
    seal_close(KEY, SPAN(""), SPAN("secret"), &a);
    seal_close(KEY, SPAN(""), SPAN("secret"), &b);
    assert_false(span_equal(buffer_span(&a), buffer_span(&b)));
    buffer_release(&b);
    buffer_release(&a);
}

static void what_is_wiped_is_gone(void **state) {
    (void)state;
    char text[] = "secret";
    seal_wipe(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(text[i], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens),
        cmocka_unit_test(every_turned_bit_another_key_or_purpose_opens_nothing),
        cmocka_unit_test(the_same_text_is_never_sealed_the_same),
        cmocka_unit_test(what_is_wiped_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
