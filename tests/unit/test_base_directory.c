/* Directories are made with all above them, and each name that was made is on disk: fsync is ours
 * here, and notes which directory it was asked for. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/directory.h"
#include "tests/unit/support_base.h"

static ino_t synced[8];
static unsigned synced_count;
static bool disk_is_broken;

/* In place of the C library's. */
int fsync(int fd) {
    struct stat now;
    assert_int_equal(fstat(fd, &now), 0);
    assert_true(synced_count < sizeof synced / sizeof *synced);
    synced[synced_count++] = now.st_ino;
    if (disk_is_broken) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static ino_t inode_of(const char *path) {
    struct stat now;
    assert_int_equal(stat(path, &now), 0);
    return now.st_ino;
}

static int enter_temporary(void **state) {
    static char path[32];
    snprintf(path, sizeof path, "/tmp/consentd-test-XXXXXX");
    if (mkdtemp(path) == NULL || chdir(path) != 0)
        return -1;
    synced_count = 0;
    disk_is_broken = false;
    *state = path;
    return 0;
}

static int leave_temporary(void **state) {
    (void)rmdir("a/b/c");
    (void)rmdir("a/b");
    (void)rmdir("a");
    return chdir("/") + rmdir(*state);
}

static void every_name_that_was_made_is_on_disk(void **state) {
    (void)state;
    assert_true(directory_make("a/b/c"));
    const ino_t wanted[] = {inode_of("."), inode_of("a"), inode_of("a/b")};
    assert_int_equal(synced_count, 3);
    assert_memory_equal(synced, wanted, sizeof wanted);
}

static void what_is_there_is_left_as_it_is(void **state) {
    (void)state;
    assert_int_equal(mkdir("a", 0755), 0);
    assert_true(directory_make("a/b/"));
    assert_int_equal(synced_count, 1);
    assert_int_equal(synced[0], inode_of("a"));
    assert_true(directory_make("a/b"));
    assert_int_equal(synced_count, 1);
}

static void the_last_one_is_its_owners_alone(void **state) {
    struct stat now;
    (void)state;
    assert_true(directory_make("a/b"));
    assert_int_equal(stat("a", &now), 0);
    assert_int_equal(now.st_mode & 0777, 0755 & ~umask(umask(0)));
    assert_int_equal(stat("a/b", &now), 0);
    assert_int_equal(now.st_mode & 0777, 0700);
}

static void an_absolute_path_is_made_too(void **state) {
    char path[64];
    snprintf(path, sizeof path, "%s/a", (const char *)*state);
    assert_true(directory_make(path));
    assert_int_equal(synced_count, 1);
    assert_int_equal(synced[0], inode_of("."));
}

static void what_cannot_be_made_says_why(void **state) {
    (void)state;
    errno = 0;
    assert_false(directory_make("/dev/null/a"));
    assert_int_equal(errno, ENOTDIR);
    errno = 0;
    assert_false(directory_sync("a"));
    assert_int_equal(errno, ENOENT);
}

static void a_name_that_does_not_reach_the_disk_is_not_made(void **state) {
    (void)state;
    disk_is_broken = true;
    errno = 0;
    assert_false(directory_make("a"));
    assert_int_equal(errno, EIO);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_temporary, leave_temporary)
    const struct CMUnitTest tests[] = {
        TEST(every_name_that_was_made_is_on_disk),
        TEST(what_is_there_is_left_as_it_is),
        TEST(the_last_one_is_its_owners_alone),
        TEST(an_absolute_path_is_made_too),
        TEST(what_cannot_be_made_says_why),
        TEST(a_name_that_does_not_reach_the_disk_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
