/* Tiles and bundles: one path for each tile, what an append makes full, and the bytes of an
 * independent reference. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_merkle.h"

#include "tlog/bundle.h"

static void assert_path(struct tlog_tile tile, const char *path) {
    char text[TLOG_TILE_PATH_MAX];
    struct tlog_tile read;
    assert_int_equal(tlog_tile_path(&tile, text), strlen(path));
    assert_string_equal(text, path);
    assert_int_equal(tlog_tile_parse(span_of_text(path), &read), STATUS_OK);
    assert_true(read.entries == tile.entries && read.level == tile.level);
    assert_true(read.index == tile.index && read.width == tile.width);
}

static void a_path_names_level_index_and_width(void **state) {
    (void)state;
    assert_path((struct tlog_tile){false, 0, 0, 256}, "0/000");
    assert_path((struct tlog_tile){false, 0, 273, 112}, "0/273.p/112");
    assert_path((struct tlog_tile){false, 1, 1, 17}, "1/001.p/17");
    assert_path((struct tlog_tile){false, 63, 999, 1}, "63/999.p/1");
    assert_path((struct tlog_tile){true, 0, 0, 255}, "entries/000.p/255");
    assert_path((struct tlog_tile){true, 0, 1234067, 256}, "entries/x001/x234/067");
    assert_path((struct tlog_tile){false, 63, UINT64_MAX, 255},
                "63/x018/x446/x744/x073/x709/x551/615.p/255");
}

static void the_indexes_of_the_vectors_have_their_paths(void **state) {
    json_t *vectors = vectors_load("tlog.json"), *path;
    const char *index;
    size_t compared = 0;
    (void)state;
    json_object_foreach(json_object_get(vectors, "index_paths"), index, path) {
        char text[TLOG_TILE_PATH_MAX];
        snprintf(text, sizeof text, "2/%s", json_string_value(path));
        assert_path((struct tlog_tile){false, 2, strtoull(index, NULL, 10), 256}, text);
        compared++;
    }
    assert_int_equal(compared, 7);
    json_decref(vectors);
}

static const char *const no_paths[] = {
    "",
    "/",
    "0",
    "0/",
    "/000",
    "tile/0/000",
    "0/000/",
    "/0/000",
    "0//000",
    "00/000",
    "01/000",
    "64/000",
    "100/000",
    "18446744073709551616/000",
    "+1/000",
    "-1/000",
    " 0/000",
    "0/000 ",
    "0/000\n",
    "0/0",
    "0/00",
    "0/0000",
    "0/1234",
    "0/x000",
    "0/x000/001", /* 001 */
    "0/x000/x001/001",
    "0/001/001",
    "0/x1/001",
    "0/x0001/001",
    "0/x001/1",
    "0/x001/",
    "0/x001",
    "0/x001/x001",
    "0/X001/001",
    "0/xx001/001",
    "0/x018/x446/x744/x073/x709/x551/616", /* 2^64 */
    "0/x999/x999/x999/x999/x999/x999/999",
    "0/x001/x000/x000/x000/x000/x000/x000/000",
    "0/000.p",
    "0/000.p/",
    "0/000.p/0",
    "0/000.p/256",
    "0/000.p/257",
    "0/000.p/01",
    "0/000.p/001",
    "0/000.p/1/",
    "0/000.p/1 ",
    "0/000.p/-1",
    "0/000.p/+1",
    "0/000.p/4294967297",
    "0/000.p/18446744073709551617",
    "0/000.P/1",
    "0/000p/1",
    "0/000/p/1",
    "0/000.p/1.p/1",
    "0/..",
    "0/../0/000",
    "0/%30%30%30",
    "entries",
    "entries/",
    "Entries/000",
    "entries0/000",
    "entries/0/000",
    "entries/000.p/256",
    "data/000",
    "0/\xd9\xa0\xd9\xa0\xd9\xa0", /* digits, but not of ASCII */
};

static void another_path_of_a_tile_is_refused(void **state) {
    struct tlog_tile tile = {.index = 42};
    (void)state;
    for (size_t i = 0; i < COUNT(no_paths); i++)
        if (tlog_tile_parse(span_of_text(no_paths[i]), &tile) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", no_paths[i]);
    assert_int_equal(tlog_tile_parse(SPAN("0/000\0"), &tile), STATUS_INVALID_PARAMETER);
    assert_int_equal(tlog_tile_parse(SPAN_NONE, &tile), STATUS_INVALID_PARAMETER);
    assert_true(tile.index == 42);
}

static struct tlog_tile no_tile;

static void write_no_tile(void) {
    char text[TLOG_TILE_PATH_MAX];
    tlog_tile_path(&no_tile, text);
}

static void what_is_no_tile_has_no_path(void **state) {
    (void)state;
    no_tile = (struct tlog_tile){false, 0, 0, 0};
    assert_aborts(write_no_tile, "tile->width >= 1");
    no_tile = (struct tlog_tile){false, 0, 0, 257};
    assert_aborts(write_no_tile, "tile->width <= TLOG_TILE_WIDTH");
    no_tile = (struct tlog_tile){false, 64, 0, 1};
    assert_aborts(write_no_tile, "tile->level <= LEVEL_MAX");
    no_tile = (struct tlog_tile){true, 1, 0, 1};
    assert_aborts(write_no_tile, "tile->level == 0");
}

/* ---- which tiles a tree has */

static void a_tree_has_the_tiles_that_its_size_says(void **state) {
    (void)state;
    /* the example of C2SP tlog-tiles, "Partial Tiles" */
    assert_int_equal(tlog_tile_width(70000, 0, 0), 256);
    assert_int_equal(tlog_tile_width(70000, 0, 272), 256);
    assert_int_equal(tlog_tile_width(70000, 0, 273), 112);
    assert_int_equal(tlog_tile_width(70000, 0, 274), 0);
    assert_int_equal(tlog_tile_width(70000, 1, 0), 256);
    assert_int_equal(tlog_tile_width(70000, 1, 1), 17);
    assert_int_equal(tlog_tile_width(70000, 1, 2), 0);
    assert_int_equal(tlog_tile_width(70000, 2, 0), 1);
    assert_int_equal(tlog_tile_width(70000, 3, 0), 0);
    assert_int_equal(tlog_tile_width(256, 0, 0), 256);
    assert_int_equal(tlog_tile_width(256, 0, 1), 0);
    assert_int_equal(tlog_tile_width(256, 1, 0), 1);
    assert_int_equal(tlog_tile_width(0, 0, 0), 0);
    assert_int_equal(tlog_tile_width(UINT64_MAX, 7, 0), 255);
    assert_int_equal(tlog_tile_width(UINT64_MAX, 8, 0), 0);
    assert_int_equal(tlog_tile_width(UINT64_MAX, 63, 0), 0);
    assert_int_equal(tlog_tile_width(UINT64_MAX, 0, UINT64_MAX), 0);
    assert_true(tlog_tile_rows(UINT64_MAX, 7) == 255);
    assert_true(tlog_tile_rows(70000, 1) == 273);
}

static void a_partial_tile_of_a_smaller_tree_is_still_there(void **state) {
    (void)state;
    for (uint32_t width = 1; width <= TLOG_TILE_WIDTH; width++) {
        const struct tlog_tile tile = {false, 0, 3, width}, bundle = {true, 0, 3, width};
        for (uint64_t size = 3 * 256; size <= 5 * 256; size++) {
            assert_int_equal(tlog_tile_in_tree(&tile, size), size >= 3 * 256 + width);
            assert_int_equal(tlog_tile_in_tree(&bundle, size), size >= 3 * 256 + width);
        }
    }
}

static void an_append_fills_the_tiles_that_end_with_it(void **state) {
    (void)state;
    assert_int_equal(tlog_tile_filled(0), 0);
    for (uint64_t size = 1; size <= 70000; size++) {
        uint32_t filled = tlog_tile_filled(size);
        for (uint32_t level = 0; level < 4; level++) {
            uint64_t rows = tlog_tile_rows(size, level);
            bool grew = rows != tlog_tile_rows(size - 1, level);
            assert_int_equal(level < filled, grew && rows % TLOG_TILE_WIDTH == 0);
        }
    }
    assert_int_equal(tlog_tile_filled(UINT64_C(1) << 56), 7);
    assert_int_equal(tlog_tile_filled(UINT64_C(1) << 63), 7);
}

/* ---- bytes */

static struct digest tile_digest(struct memory_log *log, const char *path) {
    struct digest rows[TLOG_TILE_WIDTH];
    struct tlog_tile tile;
    assert_true(span_starts(span_of_text(path), SPAN("tile/")));
    assert_int_equal(tlog_tile_parse(span_of_text(path + 5), &tile), STATUS_OK);
    assert_true(tlog_tile_in_tree(&tile, log->tree.size));
    assert_int_equal(memory_read(log, tile.level, tile.index * TLOG_TILE_WIDTH, tile.width, rows),
                     STATUS_OK);
    return digest_sha256(span_of((const char *)rows, tile.width * sizeof *rows));
}

static void seventy_thousand_entries_have_the_tiles_of_the_reference(void **state) {
    json_t *vectors = vectors_load("tlog.json"), *row;
    char *zeros = mem_alloc_zeroed(1, 65535), text[32];
    struct memory_log log = {0};
    const char *path;
    size_t i, compared = 0;
    (void)state;
    while (log.tree.size < 70000)
        memory_append(&log, vector_entry(log.tree.size, zeros, text));
    json_object_foreach(json_object_get(vectors, "tile_sha256"), path, row) {
        struct digest digest = tile_digest(&log, path);
        assert_hex(digest.bytes, DIGEST_SIZE, json_string_value(row));
        compared++;
    }
    assert_int_equal(compared, 5);
    json_array_foreach(json_object_get(vectors, "tiles_for_70000"), i, row) {
        struct tlog_tile tile;
        assert_int_equal(tlog_tile_parse(span_of_text(json_string_value(row) + 5), &tile),
                         STATUS_OK);
        assert_int_equal(tlog_tile_width(70000, tile.level, tile.index), tile.width);
    }
    assert_int_equal(i, 7);
    memory_release(&log);
    mem_free(zeros);
    json_decref(vectors);
}

/* ---- bundles */

static void a_bundle_has_each_entry_behind_its_size(void **state) {
    struct buffer bundle = {0};
    char *zeros = mem_alloc_zeroed(1, 65535);
    struct span entries[3];
    (void)state;
    tlog_bundle_append(&bundle, SPAN("ab"));
    tlog_bundle_append(&bundle, SPAN(""));
    assert_hex(bundle.data, bundle.size, "000261620000");
    tlog_bundle_append(&bundle, span_of(zeros, 65535));
    assert_int_equal(bundle.size, 6 + 2 + 65535);
    assert_hex(bundle.data + 6, 3, "ffff00");
    assert_int_equal(tlog_bundle_read(buffer_span(&bundle), 3, entries), STATUS_OK);
    assert_span(entries[0], "ab");
    assert_true(entries[0].data == bundle.data + 2 && entries[1].size == 0);
    assert_true(entries[2].data == bundle.data + 8 && entries[2].size == 65535);
    mem_free(zeros);
    buffer_release(&bundle);
}

static void a_full_bundle_has_256_entries(void **state) {
    static const char bytes[300];
    struct buffer bundle = {0};
    struct span entries[TLOG_TILE_WIDTH];
    (void)state;
    for (size_t i = 0; i < TLOG_TILE_WIDTH; i++)
        tlog_bundle_append(&bundle, span_of(bytes, 300 - i));
    assert_hex(bundle.data, 2, "012c");
    assert_int_equal(tlog_bundle_read(buffer_span(&bundle), 256, entries), STATUS_OK);
    for (size_t i = 0; i < TLOG_TILE_WIDTH; i++)
        assert_int_equal(entries[i].size, 300 - i);
    buffer_release(&bundle);
}

static void append_too_large(void) {
    struct buffer bundle = {0};
    static char bytes[65536];
    tlog_bundle_append(&bundle, span_of(bytes, sizeof bytes));
}

static void an_entry_that_has_no_u16_size_is_not_written(void **state) {
    (void)state;
    assert_aborts(append_too_large, "TLOG_ENTRY_SIZE_MAX");
}

/* Cut anywhere, with a byte more, or with another number of entries. */
static void what_is_not_exactly_the_bundle_is_refused(void **state) {
    static const char whole[] = "\0\2ab\0\0\0\1c\1\0";
    struct span entries[TLOG_TILE_WIDTH] = {SPAN("kept")};
    (void)state;
    for (size_t size = 0; size <= 11; size++) {
        char *copy = mem_alloc(size); /* exactly as large: the sanitizer sees a byte past it */
        memcpy(copy, whole, size);
        for (uint32_t width = 0; width <= 5; width++) {
            bool right = (size == 0 && width == 0) || (size == 4 && width == 1) ||
                         (size == 6 && width == 2) || (size == 9 && width == 3);
            assert_int_equal(tlog_bundle_read(span_of(copy, size), width, entries),
                             right ? STATUS_OK : STATUS_INVALID_PARAMETER);
            if (!right)
                assert_span(entries[0], "kept");
            entries[0] = SPAN("kept");
        }
        mem_free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_level_index_and_width),
        cmocka_unit_test(the_indexes_of_the_vectors_have_their_paths),
        cmocka_unit_test(another_path_of_a_tile_is_refused),
        cmocka_unit_test(what_is_no_tile_has_no_path),
        cmocka_unit_test(a_tree_has_the_tiles_that_its_size_says),
        cmocka_unit_test(a_partial_tile_of_a_smaller_tree_is_still_there),
        cmocka_unit_test(an_append_fills_the_tiles_that_end_with_it),
        cmocka_unit_test(seventy_thousand_entries_have_the_tiles_of_the_reference),
        cmocka_unit_test(a_bundle_has_each_entry_behind_its_size),
        cmocka_unit_test(a_full_bundle_has_256_entries),
        cmocka_unit_test(an_entry_that_has_no_u16_size_is_not_written),
        cmocka_unit_test(what_is_not_exactly_the_bundle_is_refused),
    };
    return cmocka_run_group_tests_name("tlog/tile", tests, NULL, NULL);
}
