/* Cosigned checkpoints: the newest is found with all its lines, a few are kept, and what witnesses
 * said is in the log when it is to be. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_store.h"

#include "store/cosigned.h"

#define ONE "w.example/1+00000000+AAAA"
#define TWO "w.example/2+00000000+AAAA"

static uint64_t cosign(struct fixture *f, uint64_t size, const char *checkpoint,
                       const struct store_cosignature *items, uint32_t count) {
    struct store_change *change = new_change(f, STORE_COSIGN, TENANT);
    const struct store_cosigned cosigned = {size, span_of_text(checkpoint), items, count};
    change->cosigned = &cosigned;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.log_index;
    store_change_free(change);
    return index;
}

static void assert_newest_of(struct fixture *f, uint32_t quorum, const char *text) {
    struct buffer out = {0};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_cosigned_newest(f->reader, quorum, &out), text != NULL);
    if (text != NULL && !span_is(buffer_span(&out), text))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(buffer_span(&out)), text);
    store_read_end(f->reader);
    buffer_release(&out);
}

static void assert_newest(struct fixture *f, const char *text) {
    assert_newest_of(f, 1, text);
}

static uint64_t known(struct fixture *f, const char *witness) {
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    uint64_t size = store_cosigned_by(f->reader, span_of_text(witness));
    store_read_end(f->reader);
    return size;
}

static uint64_t entries(struct fixture *f) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    return stats.entries;
}

static void the_newest_is_found_with_the_lines_of_all(void **state) {
    struct fixture *f = *state;
    const struct store_cosignature both[] = {{SPAN(ONE), SPAN("one\n"), false},
                                             {SPAN(TWO), SPAN("two\n"), false}};
    const struct store_cosignature again = {SPAN(ONE), SPAN("again\n"), false};
    assert_newest(f, NULL);
    assert_int_equal(known(f, ONE), 0);
    (void)cosign(f, 1, "first\n", &both[0], 1);
    assert_newest(f, "first\none\n");
    (void)cosign(f, 2, "second\n", &both[1], 1);
    assert_newest(f, "second\ntwo\n");
    assert_int_equal(known(f, ONE), 1);
    assert_int_equal(known(f, TWO), 2);
    (void)cosign(f, 1, "first\n", &again, 1); /* an older one, later */
    assert_newest(f, "second\ntwo\n");
    (void)cosign(f, 2, "second\n", &again, 1);
    struct buffer out = {0};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(store_cosigned_newest(f->reader, 1, &out));
    store_read_end(f->reader);
    assert_int_equal(out.size, strlen("second\nagain\ntwo\n"));
    assert_non_null(memmem(out.data, out.size, "again\n", 6));
    assert_non_null(memmem(out.data, out.size, "two\n", 4));
    buffer_release(&out);
    fixture_close(f);
    fixture_open(f, false);
    assert_int_equal(known(f, ONE), 2);
}

static void the_newest_of_a_quorum_is_found_while_it_is_kept(void **state) {
    struct fixture *f = *state;
    const struct store_cosignature two[] = {{SPAN(ONE), SPAN("one\n"), false},
                                            {SPAN(ONE "="), SPAN("two\n"), false}};
    for (int i = 0; i < STORE_COSIGNED_KEPT; i++)
        (void)create(f, APP, "acc-1");
    assert_newest_of(f, 2, NULL);
    (void)cosign(f, 1, "1\n", two, 1);
    (void)cosign(f, 2, "2\n", two, 1);
    assert_newest_of(f, 2, "2\none\n"); /* no quorum: the newest of all */
    (void)cosign(f, 3, "3\n", two, 2);
    for (uint64_t size = 4; size <= STORE_COSIGNED_KEPT; size++)
        (void)cosign(f, size, "later\n", two, 1);
    (void)cosign(f, STORE_COSIGNED_KEPT + 1, "last\n", two, 1); /* and "1" goes */
    assert_newest_of(f, 1, "last\none\n");
    struct buffer out = {0};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_true(store_cosigned_newest(f->reader, 2, &out));
    store_read_end(f->reader);
    assert_int_equal(out.size, strlen("3\none\ntwo\n"));
    assert_memory_equal(out.data, "3\n", 2);
    buffer_release(&out);
    assert_newest_of(f, 3, "last\none\n");
}

static void only_what_is_to_be_logged_is(void **state) {
    struct fixture *f = *state;
    const struct store_cosignature quiet = {SPAN(ONE), SPAN("one\n"), false};
    const struct store_cosignature loud = {SPAN(ONE), SPAN("\xe2\x80\x94 one\n"), true};
    uint64_t before = entries(f);
    assert_int_equal(cosign(f, 2, "c\n", &quiet, 1), STORE_INDEX_NONE);
    assert_int_equal(entries(f), before);
    assert_int_equal(cosign(f, 2, "c\n", &loud, 1), before);
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, before, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_DELIVERY_COSIGNED);
    assert_int_equal(event.leaf.data[1], 10);
    const char *body = "{\"witness\":\"" ONE "\",\"size\":2,\"cosignature\":\"\xe2\x80\x94 one\"}";
    assert_non_null(memmem(event.payload.data, event.payload.size, body, strlen(body)));
    store_read_end(f->reader);
}

static void a_few_are_kept(void **state) {
    struct fixture *f = *state;
    const struct store_cosignature both[] = {{SPAN(ONE), SPAN("one\n"), false},
                                             {SPAN(TWO), SPAN("two\n"), false}};
    for (int i = 0; i < STORE_COSIGNED_KEPT; i++)
        (void)create(f, APP, "acc-1");
    (void)cosign(f, 1, "first\n", both, 2);
    for (uint64_t size = 2; size <= STORE_COSIGNED_KEPT; size++)
        (void)cosign(f, size, "c\n", &both[1], 1);
    assert_int_equal(known(f, ONE), 1);
    (void)cosign(f, STORE_COSIGNED_KEPT + 1, "last\n", &both[1], 1);
    assert_int_equal(known(f, ONE), 0);
    assert_int_equal(known(f, TWO), STORE_COSIGNED_KEPT + 1);
    assert_newest(f, "last\ntwo\n");
}

static void a_store_that_failed_takes_nothing(void **state) {
    struct fixture *f = *state;
    assert_true(store_ready(f->store));
    store_fail(f->store);
    assert_true(f->failed);
    assert_false(store_ready(f->store));
    struct store_change *change = new_change(f, STORE_COSIGN, TENANT);
    assert_int_equal(store_submit(f->store, 0, change), STATUS_BUSY);
    store_change_free(change);
    f->failed = false;
    store_fail(f->store);
    assert_false(f->failed); /* told once */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_is_found_with_the_lines_of_all),
        TEST(the_newest_of_a_quorum_is_found_while_it_is_kept),
        TEST(only_what_is_to_be_logged_is),
        TEST(a_few_are_kept),
        TEST(a_store_that_failed_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
