/* UUIDs: version 7 as RFC 9562 lays it out, and its text. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include "base/uuid.h"

#define NOW_MS INT64_C(0x017f22e279b0) /* RFC 9562 appendix A.6: 2022-02-22T19:22:22Z */

static void the_example_of_rfc_9562_is_read_and_written(void **state) {
    struct uuid id;
    char text[UUID_TEXT_SIZE + 1];
    (void)state;
    assert_int_equal(uuid_from_text(SPAN("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), &id), STATUS_OK);
    assert_hex(id.bytes, UUID_SIZE, "017f22e279b07cc398c4dc0c0c07398f");
    uuid_to_text(&id, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void a_made_id_has_its_time_version_and_variant(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct uuid id = uuid_make(NOW_MS);
        assert_hex(id.bytes, 6, "017f22e279b0");
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
    }
}

/* Each of the 74 random bits takes both values in 1,000 ids; one that does not has a chance of
 * 74 in 2^999. */
static void the_rest_of_a_made_id_is_random(void **state) {
    unsigned char seen_set[UUID_SIZE] = {0}, seen_clear[UUID_SIZE] = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct uuid id = uuid_make(NOW_MS);
        for (int b = 0; b < UUID_SIZE; b++) {
            seen_set[b] |= id.bytes[b];
            seen_clear[b] |= (unsigned char)~id.bytes[b];
        }
    }
    for (int b = 6; b < UUID_SIZE; b++) {
        unsigned char random = b == 6 ? 0x0f : b == 8 ? 0x3f : 0xff;
        assert_int_equal(seen_set[b] & seen_clear[b], random);
    }
}

static void assert_version_7(const struct uuid *id) {
    assert_int_equal(id->bytes[6] >> 4, 7);
    assert_int_equal(id->bytes[8] >> 6, 2);
}

static void ids_made_after_one_another_rise(void **state) {
    struct uuid last = uuid_make(NOW_MS), first = last;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct uuid id = uuid_make_after(NOW_MS, &last);
        assert_true(memcmp(id.bytes, last.bytes, UUID_SIZE) > 0);
        assert_hex(id.bytes, 6, "017f22e279b0");
        assert_version_7(&id);
        last = id;
    }
    /* another millisecond, even an earlier one, is not bound */
    struct uuid before = uuid_make_after(NOW_MS - 1, &first);
    assert_hex(before.bytes, 6, "017f22e279af");
}

static void a_step_carries_through_version_and_variant(void **state) {
    struct uuid last, id;
    (void)state;
    assert_int_equal(uuid_from_text(SPAN("017f22e2-79b0-7ffe-bfff-ffffffffffff"), &last),
                     STATUS_OK);
    int greater = 0;
    for (int i = 0; i < 1000; i++) {
        id = uuid_make_after(NOW_MS, &last);
        if (memcmp(id.bytes, last.bytes, UUID_SIZE) > 0) {
            greater++;
            assert_hex(id.bytes, 8, "017f22e279b07fff");
            assert_version_7(&id);
        }
    }
    assert_int_equal(greater, 1000);
    assert_int_equal(uuid_from_text(SPAN("017f22e2-79b0-7fff-bfff-ffffffffffff"), &last),
                     STATUS_OK);
    id = uuid_make_after(NOW_MS, &last); /* none is greater */
    assert_true(memcmp(id.bytes, last.bytes, UUID_SIZE) < 0);
    assert_hex(id.bytes, 6, "017f22e279b0");
    assert_version_7(&id);
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, UUID_SIZE);
}

static void no_two_made_ids_are_the_same(void **state) {
    enum { COUNT_MADE = 20000 };
    struct uuid *ids = mem_alloc_zeroed(COUNT_MADE, sizeof *ids);
    (void)state;
    for (size_t i = 0; i < COUNT_MADE; i++)
        ids[i] = uuid_make(NOW_MS);
    qsort(ids, COUNT_MADE, sizeof *ids, compare);
    for (size_t i = 1; i < COUNT_MADE; i++)
        assert_false(uuid_equal(&ids[i - 1], &ids[i]));
    mem_free(ids);
}

static void a_later_millisecond_sorts_after_an_earlier_one(void **state) {
    (void)state;
    for (int64_t ms = NOW_MS; ms < NOW_MS + 1000; ms++) {
        struct uuid a = uuid_make(ms), b = uuid_make(ms + 1);
        assert_true(compare(&a, &b) < 0);
    }
}

static void what_is_no_uuid_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c0739}",
        "017f22e2 79b0 7cc3 98c4 dc0c0c07398f",
        "017f22e279b0-7cc3--98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398 ",
        " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "+17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739\xc3\xa9",
    };
    const struct uuid untouched = {{1, 2, 3}};
    struct uuid id = untouched;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (uuid_from_text(span_of_text(bad[i]), &id) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(uuid_from_text(SPAN("017f22e2-79b0-7cc3-98c4-dc0c0c07398\0"), &id),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(uuid_from_text(SPAN_NONE, &id), STATUS_INVALID_PARAMETER);
    assert_true(uuid_equal(&id, &untouched));
}

static void each_character_of_a_text_counts(void **state) {
    static const char good[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    struct uuid id, other;
    (void)state;
    assert_int_equal(uuid_from_text(span_of_text(good), &id), STATUS_OK);
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        char text[UUID_TEXT_SIZE + 1];
        memcpy(text, good, sizeof text);
        text[i] = '-';
        if (good[i] != '-')
            assert_int_not_equal(uuid_from_text(span_of(text, UUID_TEXT_SIZE), &other), STATUS_OK);
        text[i] = good[i] == '5' ? '6' : '5';
        if (good[i] == '-') {
            assert_int_not_equal(uuid_from_text(span_of(text, UUID_TEXT_SIZE), &other), STATUS_OK);
            continue;
        }
        assert_int_equal(uuid_from_text(span_of(text, UUID_TEXT_SIZE), &other), STATUS_OK);
        assert_false(uuid_equal(&id, &other));
    }
}

static void only_the_nil_id_is_nil(void **state) {
    struct uuid id = {{0}};
    (void)state;
    assert_true(uuid_is_nil(&id));
    for (int i = 0; i < UUID_SIZE; i++) {
        struct uuid other = {{0}};
        other.bytes[i] = 1;
        assert_false(uuid_is_nil(&other));
        assert_false(uuid_equal(&id, &other));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_9562_is_read_and_written),
        cmocka_unit_test(a_made_id_has_its_time_version_and_variant),
        cmocka_unit_test(the_rest_of_a_made_id_is_random),
        cmocka_unit_test(ids_made_after_one_another_rise),
        cmocka_unit_test(a_step_carries_through_version_and_variant),
        cmocka_unit_test(no_two_made_ids_are_the_same),
        cmocka_unit_test(a_later_millisecond_sorts_after_an_earlier_one),
        cmocka_unit_test(what_is_no_uuid_is_refused),
        cmocka_unit_test(each_character_of_a_text_counts),
        cmocka_unit_test(only_the_nil_id_is_nil),
    };
    return cmocka_run_group_tests_name("base/uuid", tests, NULL, NULL);
}
