/* Small files are read within a bound and replaced whole; a lock keeps a second holder out. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_base.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"

static char directory[64], path[96];

static int setup(void **state) {
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/consentd-file-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/it", directory);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    (void)unlink(path);
    assert_int_equal(rmdir(directory), 0); /* nothing else was left */
    return 0;
}

static void what_is_replaced_is_read_whole_and_is_private(void **state) {
    struct buffer out = {0};
    struct stat s;
    (void)state;
    assert_true(file_replace(path, SPAN("longer than")));
    assert_true(file_replace(path, SPAN("short")));
    buffer_append_text(&out, "before ");
    assert_true(file_read(path, 5, &out));
    assert_span(buffer_span(&out), "before short");
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    buffer_release(&out);
}

static void a_file_above_the_bound_is_refused(void **state) {
    struct buffer out = {0};
    (void)state;
    assert_true(file_replace(path, SPAN("123456")));
    assert_false(file_read(path, 5, &out));
    assert_int_equal(errno, EFBIG);
    buffer_release(&out);
}

static void what_is_not_there_fails_with_its_cause(void **state) {
    struct buffer out = {0};
    char beyond[128];
    (void)state;
    assert_false(file_read(path, 5, &out));
    assert_int_equal(errno, ENOENT);
    snprintf(beyond, sizeof beyond, "%s/none/it", directory);
    assert_false(file_replace(beyond, SPAN("x")));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_lock(beyond), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_lock_has_one_holder(void **state) {
    (void)state;
    int first = file_lock(path);
    assert_true(first >= 0);
    assert_int_equal(file_lock(path), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    close(first);
    int second = file_lock(path);
    assert_true(second >= 0);
    close(second);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_replaced_is_read_whole_and_is_private),
        TEST(a_file_above_the_bound_is_refused),
        TEST(what_is_not_there_fails_with_its_cause),
        TEST(a_lock_has_one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
