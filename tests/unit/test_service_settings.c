/* Sets of settings, one after the other: what a set shares with those before it, and how many there
 * may be. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "service/settings.h"

#define PACK_OF(name)                                                                           \
    "{\"pack\":\"" name "\",\"version\":\"1\",\"scheme\":\"https://s.example\",\"roles\":[],\"" \
    "purposes\":[],\"permissions\":[],\"licenses\":[]}"

struct place {
    char path[64]; /* of the pack */
    struct config_override overrides[2];
    struct config_source source;
    struct settings *newest;
    char why[SETTINGS_WHY_SIZE];
};

static int setup(void **state) {
    struct place *p = mem_alloc_zeroed(1, sizeof *p);
    snprintf(p->path, sizeof p->path, "/tmp/consentd-pack-XXXXXX");
    int fd = mkstemp(p->path);
    assert_true(fd >= 0);
    close(fd);
    p->overrides[0] = (struct config_override){"pack", "--pack", p->path};
    p->overrides[1] = (struct config_override){"data", "--data", "/nowhere"};
    p->source = (struct config_source){
        .overrides = p->overrides, .override_count = 2, .dev = true, .check = true};
    *state = p;
    return 0;
}

static int teardown(void **state) {
    struct place *p = *state;
    settings_free(p->newest);
    unlink(p->path);
    mem_free(p);
    return 0;
}

static enum status load(struct place *p, const char *pack) {
    FILE *file = fopen(p->path, "wb");
    assert_non_null(file);
    fputs(pack, file);
    fclose(file);
    struct settings *loaded = NULL;
    enum status status = settings_load(&p->source, p->newest, &loaded, p->why);
    assert_int_equal(status == STATUS_OK, loaded != NULL);
    if (status == STATUS_OK)
        p->newest = loaded;
    return status;
}

static struct policy_pack *must_load(struct place *p, const char *pack) {
    if (load(p, pack) != STATUS_OK)
        fail_msg("%s", p->why);
    return p->newest->pack;
}

static void a_pack_that_was_there_before_is_kept_once(void **state) {
    struct place *p = *state;
    struct policy_pack *first = must_load(p, PACK_OF("a"));
    assert_ptr_equal(must_load(p, PACK_OF("a")), first);
    struct policy_pack *second = must_load(p, PACK_OF("b"));
    assert_ptr_not_equal(second, first);
    assert_ptr_equal(must_load(p, PACK_OF("a")), first);
    assert_ptr_equal(must_load(p, PACK_OF("b")), second);
    assert_ptr_not_equal(must_load(p, PACK_OF("b") " "), second); /* other bytes, another digest */
    assert_int_equal(p->newest->age, 4);
}

static void a_broken_pack_leaves_the_sets_as_they_are(void **state) {
    struct place *p = *state;
    struct policy_pack *first = must_load(p, PACK_OF("a"));
    const struct settings *newest = p->newest;
    char why[SETTINGS_WHY_SIZE];
    assert_int_equal(load(p, "{}"), STATUS_INVALID_PARAMETER);
    snprintf(why, sizeof why, "config: \"pack\": %s: at \"/pack\": is required", p->path);
    assert_string_equal(p->why, why);
    assert_ptr_equal(p->newest, newest);
    assert_ptr_equal(must_load(p, PACK_OF("a")), first);
}

/* A list of revoked certificates may come every hour, for years. */
static void what_changes_nothing_may_be_reloaded_for_ever(void **state) {
    struct place *p = *state;
    must_load(p, PACK_OF("a"));
    const struct settings *first = p->newest;
    for (unsigned i = 0; i <= SETTINGS_KEPT_MAX; i++) {
        must_load(p, PACK_OF("a"));
        assert_ptr_equal(p->newest, first);
    }
    assert_int_equal(first->age, 0);
}

static void after_the_last_change_that_is_kept_comes_a_restart(void **state) {
    struct place *p = *state;
    must_load(p, PACK_OF("a"));
    for (unsigned i = 0; i < SETTINGS_KEPT_MAX / 2; i++) {
        must_load(p, PACK_OF("b"));
        must_load(p, PACK_OF("a"));
    }
    const struct settings *last = p->newest;
    assert_int_equal(load(p, PACK_OF("b")), STATUS_BUSY);
    assert_string_equal(p->why, "changed 1000 times: restart to go on");
    must_load(p,
              PACK_OF("a")); /* what is in force goes on: certificates, keys and lists come anew */
    assert_ptr_equal(p->newest, last);
}

static void a_change_of_the_file_is_a_change(void **state) {
    struct place *p = *state;
    char path[] = "/tmp/consentd-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    p->source.file = path;
    const struct settings *before = NULL;
    static const struct {
        const char *text;
        bool change;
    } steps[] = {
        {"{\"inFlight\": 2000, \"idleSeconds\": 60}", true},
        {"{\"inFlight\":2000,\n\"idleSeconds\":60}", false}, /* laid out in another way */
        {"{\"inFlight\": 2001, \"idleSeconds\": 60}", true},
        {"{\"inFlight\": 2001}", true},
        {"{}", true},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, steps[i].text, strlen(steps[i].text), 0),
                         strlen(steps[i].text));
        must_load(p, PACK_OF("a"));
        assert_int_equal(p->newest != before, steps[i].change);
        before = p->newest;
    }
    close(fd);
    unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_pack_that_was_there_before_is_kept_once),
        TEST(a_broken_pack_leaves_the_sets_as_they_are),
        TEST(what_changes_nothing_may_be_reloaded_for_ever),
        TEST(after_the_last_change_that_is_kept_comes_a_restart),
        TEST(a_change_of_the_file_is_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
