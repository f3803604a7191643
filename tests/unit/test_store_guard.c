/* The guard file: an old copy of the data directory, put back, is refused. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "tests/unit/support_damage.h"

static struct store_options options_of(struct fixture *f, const char *guard) {
    return (struct store_options){.directory = f->directory,
                                  .guard = guard,
                                  .origin = "example.com/log",
                                  .map_size = f->map_size,
                                  .loops = 1,
                                  .clock = &f->clock,
                                  .wake = fixture_wake,
                                  .failed = fixture_failed,
                                  .context = f};
}

/* One fixture at a time: the store borrows it while it is open. */
static const char *guard_of(struct fixture *f) {
    static char path[96];
    snprintf(path, sizeof path, "%s.guard", f->directory);
    return path;
}

static void open_guarded(struct fixture *f) {
    char why[256] = "";
    struct store_options options = options_of(f, guard_of(f));
    if (store_open(&options, &f->store, why, sizeof why) != STATUS_OK)
        fail_msg("%s", why);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    assert_int_equal(store_reader_open(f->store, &f->reader), STATUS_OK);
}

static void refuses_guarded(struct fixture *f, const char *cause) {
    char why[256] = "";
    struct store_options options = options_of(f, guard_of(f));
    assert_int_equal(store_open(&options, &f->store, why, sizeof why), STATUS_INTERNAL);
    f->store = NULL;
    if (strstr(why, cause) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, cause);
}

static void copy_file(const char *from, const char *to) {
    char bytes[65536];
    ssize_t got;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

/* data.mdb and a copy of it. */
static void paths_of(struct fixture *f, char data[128], char copy[128]) {
    snprintf(data, 128, "%s/data.mdb", f->directory);
    snprintf(copy, 128, "%s/data.copy", f->directory);
}

static int guarded_setup(void **state) {
    int wrong = fixture_setup(state);
    struct fixture *f = *state;
    fixture_close(f);
    open_guarded(f);
    return wrong;
}

static int guarded_teardown(void **state) {
    (void)unlink(guard_of(*state));
    return fixture_teardown(state);
}

static void the_guard_is_there_after_a_stop_and_the_log_goes_on(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        (void)create(f, APP, "acc-1");
        fixture_close(f);
        assert_int_equal(access(guard_of(f), F_OK), 0);
        open_guarded(f);
    }
}

static void an_old_copy_is_refused(void **state) {
    struct fixture *f = *state;
    char data[128], copy[128];
    paths_of(f, data, copy);
    fixture_close(f);
    copy_file(data, copy);
    open_guarded(f);
    (void)create(f, APP, "acc-1");
    fixture_close(f);
    copy_file(copy, data);
    refuses_guarded(f, "an old copy of the store was put back");
}

/* An old copy that went on: as long as the guard, or longer, but another history. */
static void another_history_is_refused(void **state) {
    struct fixture *f = *state;
    char data[128], copy[128], why[256];
    paths_of(f, data, copy);
    fixture_close(f);
    copy_file(data, copy);
    open_guarded(f);
    (void)create(f, APP, "acc-1");
    fixture_close(f);
    copy_file(copy, data);
    struct store_options unguarded = options_of(f, NULL);
    assert_int_equal(store_open(&unguarded, &f->store, why, sizeof why), STATUS_OK);
    assert_int_equal(store_reader_open(f->store, &f->reader), STATUS_OK);
    (void)create(f, APP, "acc-2");
    (void)create(f, APP, "acc-3");
    fixture_close(f);
    refuses_guarded(f, "is of another history");
}

static void a_guard_that_is_none_is_refused(void **state) {
    struct fixture *f = *state;
    fixture_close(f);
    assert_int_equal(truncate(guard_of(f), 20), 0);
    refuses_guarded(f, "holds no checkpoint");
}

static void the_guard_of_another_log_is_refused(void **state) {
    struct fixture *f = *state;
    fixture_close(f);
    int fd = open(guard_of(f), O_WRONLY);
    assert_int_equal(pwrite(fd, "E", 1, 0), 1);
    close(fd);
    refuses_guarded(f, "is of another log");
}

static void a_guard_that_is_missing_is_made_anew(void **state) {
    struct fixture *f = *state;
    fixture_close(f);
    assert_int_equal(unlink(guard_of(f)), 0);
    open_guarded(f);
    fixture_close(f);
    assert_int_equal(access(guard_of(f), F_OK), 0);
    open_guarded(f);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guarded_setup, guarded_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_guard_is_there_after_a_stop_and_the_log_goes_on),
        TEST(an_old_copy_is_refused),
        TEST(another_history_is_refused),
        TEST(a_guard_that_is_none_is_refused),
        TEST(the_guard_of_another_log_is_refused),
        TEST(a_guard_that_is_missing_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
