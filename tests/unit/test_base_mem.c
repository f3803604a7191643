/* Allocation that cannot fail, arenas and buffers. ASan watches the bounds. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

/* So that running out of memory reaches mem.c instead of ending in the sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static volatile size_t too_much = SIZE_MAX / 2;

static void allocate_too_much(void) {
    mem_free(mem_alloc(too_much));
}

static void allocate_too_much_zeroed(void) {
    mem_free(mem_alloc_zeroed(too_much, 4)); /* count * size overflows */
}

static void resize_to_too_much(void) {
    mem_free(mem_resize(NULL, too_much));
}

static void array_of_too_many(void) {
    struct arena arena = {0};
    arena_array(&arena, too_much / 2 + 2, 4); /* multiplied it would be 4 */
}

static void arena_of_too_much(void) {
    struct arena arena = {0};
    arena_alloc(&arena, SIZE_MAX - 3); /* rounded up it would be 0 */
}

static void reserve_too_much(void) {
    struct buffer buffer = {0};
    buffer_append(&buffer, "x", 1);
    buffer_reserve(&buffer, SIZE_MAX - 1);
}

static void out_of_memory_ends_the_process(void **state) {
    (void)state;
    assert_aborts(allocate_too_much, "out of memory");
    assert_aborts(allocate_too_much_zeroed, "out of memory");
    assert_aborts(resize_to_too_much, "out of memory");
}

static void a_size_that_would_wrap_ends_the_process(void **state) {
    (void)state;
    assert_aborts(array_of_too_many, "base/mem.c");
    assert_aborts(arena_of_too_much, "base/mem.c");
    assert_aborts(reserve_too_much, "base/mem.c");
}

static void nothing_can_be_allocated_too(void **state) {
    (void)state;
    void *a = mem_alloc(0), *b = mem_alloc_zeroed(0, 8), *c = mem_resize(NULL, 0);
    assert_true(a != NULL && b != NULL && c != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(NULL);
}

static void resizing_keeps_what_was_there(void **state) {
    (void)state;
    char *text = mem_resize(mem_copy_text(SPAN("kept")), 100000);
    assert_string_equal(text, "kept");
    text[99999] = 'x';
    mem_free(text);
}

static void a_copied_text_ends_in_nul(void **state) {
    const char letters[] = {'a', 'b', 'c'};
    (void)state;
    char *text = mem_copy_text(span_of(letters, 3)), *none = mem_copy_text(SPAN_NONE);
    assert_string_equal(text, "abc");
    assert_string_equal(none, "");
    mem_free(text);
    mem_free(none);
}

/* Sizes below, at and above a chunk; each piece keeps its bytes while others are handed out. */
static void an_arena_hands_out_aligned_pieces_that_do_not_overlap(void **state) {
    enum { PIECES = 3000 };
    struct arena arena = {0};
    unsigned char **pieces = mem_alloc_zeroed(PIECES, sizeof *pieces);
    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        size_t size = i * 7 % 5000;
        pieces[i] = arena_alloc(&arena, size);
        assert_true((uintptr_t)pieces[i] % _Alignof(max_align_t) == 0);
        memset(pieces[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t b = 0; b < i * 7 % 5000; b++)
            assert_int_equal(pieces[i][b], i % 251);
    arena_release(&arena);
    mem_free(pieces);
}

static void a_reset_arena_is_empty_and_keeps_one_chunk(void **state) {
    struct arena arena = {0};
    (void)state;
    arena_reset(&arena); /* of nothing */
    assert_null(arena.chunks);
    const char *first = arena_alloc(&arena, 100);
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_ptr_equal(arena_alloc(&arena, 4000), first);
    const char *second = arena_alloc(&arena, 4000);
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 1), second);
    (void)arena_alloc(&arena, 5000); /* a chunk of its own, larger than usual */
    arena_reset(&arena);
    assert_null(arena.chunks);
    arena_release(&arena);
}

static void a_released_arena_is_empty_and_can_be_used_again(void **state) {
    struct arena arena = {0};
    (void)state;
    arena_release(&arena); /* of nothing */
    memset(arena_alloc(&arena, 100000), 1, 100000);
    arena_release(&arena);
    assert_null(arena.chunks);
    assert_int_equal(arena.used, 0);
    assert_span(arena_copy(&arena, SPAN("again")), "again");
    arena_release(&arena);
}

static void an_array_is_zeroed_though_its_memory_was_used(void **state) {
    struct arena arena = {0};
    (void)state;
    for (int round = 0; round < 2; round++) {
        unsigned char *array = arena_array(&arena, 100, 10);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(array[i], 0);
        memset(array, 0xff, 1000);
        arena_release(&arena);
    }
}

static void a_copy_in_an_arena_is_its_own_and_ends_in_nul(void **state) {
    struct arena arena = {0};
    char text[] = "abc";
    (void)state;
    struct span copy = arena_copy(&arena, span_of(text, 2));
    text[0] = '?';
    assert_int_equal(copy.size, 2);
    assert_string_equal(copy.data, "ab");
    arena_release(&arena);
}

static void absent_stays_absent_and_empty_stays_present(void **state) {
    struct arena arena = {0};
    (void)state;
    assert_false(span_present(arena_copy(&arena, SPAN_NONE)));
    struct span empty = arena_copy(&arena, SPAN(""));
    assert_true(span_present(empty));
    assert_int_equal(empty.size, 0);
    arena_release(&arena);
}

static void a_formatted_text_has_its_whole_length(void **state) {
    struct arena arena = {0};
    char expected[6001];
    (void)state;
    memset(expected, ' ', 5999);
    memcpy(expected + 5999, "7", 2);
    assert_span(arena_format(&arena, "%s-%d", "a", 42), "a-42");
    assert_span(arena_format(&arena, "%6000d", 7), expected); /* more than a chunk */
    assert_span(arena_format(&arena, "%s", ""), "");
    for (int size = 120; size < 140; size++) { /* around what is formatted at once */
        struct span text = arena_format(&arena, "%*d", size, 7);
        assert_int_equal(text.size, size);
        assert_int_equal(strlen(text.data), size);
        assert_int_equal(text.data[size - 1], '7');
    }
    arena_release(&arena);
}

static void a_buffer_grows_and_keeps_what_it_has(void **state) {
    struct buffer buffer = {0};
    (void)state;
    for (int i = 0; i < 10000; i++)
        buffer_append(&buffer, "0123456789", 10);
    assert_int_equal(buffer.size, 100000);
    for (size_t i = 0; i < buffer.size; i++)
        assert_int_equal(buffer.data[i], '0' + i % 10);
    buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 100000);
    buffer_release(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

static void what_is_appended_stands_in_order(void **state) {
    struct buffer buffer = {0};
    (void)state;
    buffer_append_text(&buffer, "a");
    buffer_append_span(&buffer, SPAN_NONE);
    buffer_append_span(&buffer, SPAN("b\0c"));
    buffer_append_format(&buffer, "%d%s", -1, "d");
    memcpy(buffer_reserve(&buffer, 3), "xyz", 3);
    buffer.size += 2; /* of what was reserved, as much as was written */
    assert_int_equal(buffer.size, 9);
    assert_memory_equal(buffer.data, "ab\0c-1dxy", 9);
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer.capacity, capacity);
    buffer_release(&buffer);
}

/* Room is given exactly, at every fill: ASan sees one byte too few. */
static void a_reserve_gives_the_room_it_was_asked_for(void **state) {
    (void)state;
    for (size_t filled = 1; filled < 600; filled++) {
        struct buffer buffer = {0};
        memset(buffer_reserve(&buffer, filled), 'a', filled);
        buffer.size = filled;
        memset(buffer_reserve(&buffer, 300), 'b', 300);
        buffer.size += 300;
        assert_true(buffer.size <= buffer.capacity);
        assert_int_equal(buffer.data[filled - 1], 'a');
        assert_int_equal(buffer.data[filled], 'b');
        buffer_release(&buffer);
    }
}

static void formatting_at_the_end_of_the_capacity_is_not_cut(void **state) {
    (void)state;
    for (size_t filled = 240; filled < 258; filled++) {
        struct buffer buffer = {0};
        memset(buffer_reserve(&buffer, filled), 'a', filled);
        buffer.size = filled;
        buffer_append_format(&buffer, "%s", "0123456789");
        assert_int_equal(buffer.size, filled + 10);
        assert_memory_equal(buffer.data + filled - 1, "a0123456789", 11);
        buffer_release(&buffer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory_ends_the_process),
        cmocka_unit_test(a_size_that_would_wrap_ends_the_process),
        cmocka_unit_test(nothing_can_be_allocated_too),
        cmocka_unit_test(resizing_keeps_what_was_there),
        cmocka_unit_test(a_copied_text_ends_in_nul),
        cmocka_unit_test(an_arena_hands_out_aligned_pieces_that_do_not_overlap),
        cmocka_unit_test(a_reset_arena_is_empty_and_keeps_one_chunk),
        cmocka_unit_test(a_released_arena_is_empty_and_can_be_used_again),
        cmocka_unit_test(an_array_is_zeroed_though_its_memory_was_used),
        cmocka_unit_test(a_copy_in_an_arena_is_its_own_and_ends_in_nul),
        cmocka_unit_test(absent_stays_absent_and_empty_stays_present),
        cmocka_unit_test(a_formatted_text_has_its_whole_length),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(what_is_appended_stands_in_order),
        cmocka_unit_test(a_reserve_gives_the_room_it_was_asked_for),
        cmocka_unit_test(formatting_at_the_end_of_the_capacity_is_not_cut),
    };
    return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
