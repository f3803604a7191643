/* Scrubbing: nothing that was erased is in the directory afterwards, and whenever the process is
 * killed a store that opens is there. Invariant 1. */
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/encode.h"
#include "store/scrub.h"
#include "tests/unit/support_erasing.h"

#define DUE "2027-06-01T00:00:00Z"

static void read_data(struct fixture *f, struct buffer *out) {
    char path[128];
    size_t got;
    snprintf(path, sizeof path, "%s/data.mdb", f->directory);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buffer_clear(out);
    while ((got = fread(buffer_reserve(out, 65536), 1, 65536, file)) > 0)
        out->size += got;
    fclose(file);
}

/* How often the bytes stand in the data file. */
static unsigned occurrences(struct fixture *f, const char *text) {
    struct buffer data = {0};
    unsigned count = 0;
    read_data(f, &data);
    const char *at = data.data, *end = data.data + data.size;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
        at++;
        count++;
    }
    buffer_release(&data);
    return count;
}

/* A store with an erased consent and one that is kept; closed. */
static struct store_consent erased(struct fixture *f) {
    struct store_consent c = make_full(f, "acc-erased");
    decide(f, "acc-erased", 50);
    disclose(f, "acc-erased");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    fixture_set_time(f, DUE);
    (void)create(f, OTHER_APP, "acc-kept");
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    return c;
}

static enum status scrub(struct fixture *f, struct store_scrub *with, char why[256]) {
    with->directory = f->directory;
    return store_scrub(with, why, 256);
}

static bool exists(struct fixture *f, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->directory, name);
    return access(path, F_OK) == 0;
}

static void nothing_erased_is_in_the_file_afterwards(void **state) {
    struct fixture *f = *state;
    static const char *const gone[] = {"acc-erased", EXTERNAL, RESOURCE, "transfer-"};
    struct store_scrub with = {.step = NULL};
    char why[256] = "";
    struct store_consent c = erased(f);
    uint64_t entries = entries_of(f);
    fixture_close(f);
    assert_true(occurrences(f, "acc-erased") > 0); /* what LMDB leaves: this test can fail */
    if (scrub(f, &with, why) != STATUS_OK)
        fail_msg("%s", why);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_int_equal(occurrences(f, gone[i]), 0);
    assert_int_equal(occurrences(f, "acc-kept"), 1);
    assert_true(with.size_after <= with.size_before && with.rows > 100);
    assert_false(exists(f, "scrub.new"));
    fixture_open(f, false);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    decide(f, "acc-kept", 1); /* it takes changes */
    fixture_close(f);
    fixture_open(f, false);
    assert_int_equal(entries_of(f), entries + 1);
}

/* ---- killed */

static void die_at(void *countdown, uint64_t rows) {
    (void)rows;
    if (--*(unsigned *)countdown == 0)
        (void)kill(getpid(), SIGKILL);
}

/* In a child that is killed at the n-th step; whether it was. */
static bool killed_at(struct fixture *f, unsigned nth) {
    int ended;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_scrub with = {.step = die_at, .context = &nth};
        char why[256];
        _exit(scrub(f, &with, why) == STATUS_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended) || WEXITSTATUS(ended) == 0);
    return WIFSIGNALED(ended);
}

static void whenever_it_is_killed_a_store_that_opens_is_there(void **state) {
    struct fixture *f = *state;
    (void)erased(f);
    uint64_t entries = entries_of(f);
    unsigned nth = 1;
    for (bool killed = true; killed; nth++) {
        fixture_close(f);
        killed = killed_at(f, nth);
        fixture_open(f, false);
        assert_int_equal(entries_of(f), entries);
        assert_false(exists(f, "scrub.new")); /* the start removes what was left */
    }
    assert_true(nth > DB_TABLES);
    assert_int_equal(occurrences(f, "acc-erased"), 0);
}

/* ---- refused */

static void a_running_service_keeps_it_out(void **state) {
    struct fixture *f = *state;
    struct store_scrub with = {.step = NULL};
    char why[256] = "";
    assert_int_equal(scrub(f, &with, why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "is held by another process"));
    assert_false(exists(f, "scrub.new"));
}

/* Another process that reads, such as an export, would lose its place. */
static void a_reader_keeps_it_out(void **state) {
    struct fixture *f = *state;
    struct store_scrub with = {.step = NULL};
    char why[256] = "", byte;
    int ready[2], done[2], ended;
    fixture_close(f);
    assert_true(pipe(ready) == 0 && pipe(done) == 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct store_options options = {.directory = f->directory, .clock = &f->clock};
        struct store *store;
        struct store_reader *reader;
        if (store_open_read_only(&options, &store, why, sizeof why) != STATUS_OK ||
            store_reader_open(store, &reader) != STATUS_OK ||
            store_read_begin(reader) != STATUS_OK || write(ready[1], "", 1) != 1)
            _exit(1);
        close(done[1]);
        _exit(read(done[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(scrub(f, &with, why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "another process reads the store"));
    close(done[0]);
    close(done[1]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(WEXITSTATUS(ended), 0);
    close(ready[0]);
    assert_int_equal(scrub(f, &with, why), STATUS_OK);
    fixture_open(f, false);
}

static void a_directory_without_a_store_is_left_alone(void **state) {
    struct fixture *f = *state;
    struct store_scrub with = {.directory = "/tmp/consentd-test-no-such"};
    char why[256] = "", empty[] = "/tmp/consentd-test-XXXXXX";
    assert_int_equal(store_scrub(&with, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "holds no store"));
    assert_non_null(mkdtemp(empty));
    with.directory = empty;
    assert_int_equal(store_scrub(&with, why, sizeof why), STATUS_INTERNAL);
    assert_int_equal(rmdir(empty), 0);
    (void)f;
}

/* A key of another store: the copy does not pass the checks, and is not swapped in. */
static void a_copy_that_fails_the_checks_is_not_swapped_in(void **state) {
    struct fixture *f = *state;
    struct store_scrub with = {.step = NULL};
    char why[256] = "", key[128], kept[136];
    (void)erased(f);
    fixture_close(f);
    struct buffer before = {0}, after = {0};
    read_data(f, &before);
    snprintf(key, sizeof key, "%s/keys/mac.key", f->directory);
    snprintf(kept, sizeof kept, "%s.kept", key);
    assert_int_equal(rename(key, kept), 0);
    FILE *file = fopen(key, "wb");
    fprintf(file, "%032d", 7);
    fclose(file);
    assert_int_equal(scrub(f, &with, why), STATUS_INTERNAL);
    assert_int_equal(rename(kept, key), 0);
    read_data(f, &after);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    buffer_release(&before);
    buffer_release(&after);
    assert_false(exists(f, "scrub.new"));
    fixture_open(f, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(nothing_erased_is_in_the_file_afterwards),
        T(whenever_it_is_killed_a_store_that_opens_is_there),
        T(a_running_service_keeps_it_out),
        T(a_reader_keeps_it_out),
        T(a_directory_without_a_store_is_left_alone),
        T(a_copy_that_fails_the_checks_is_not_swapped_in),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
