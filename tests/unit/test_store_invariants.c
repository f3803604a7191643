/* What must never be is noticed before it is done: each invariant that the store asserts, broken on
 * purpose by a child that is its own writer. And the clock that nobody has confirmed. */
// SPDX-License-Identifier: Apache-2.0
#include "store/consent.h"
#include "store/ending.h"
#include "tests/unit/support_base.h"
#include "tests/unit/support_store.h"

static struct fixture *fixture;
static struct store_consent target;

static int setup(void **state) {
    int code = fixture_setup(state);
    fixture = *state;
    target = create(fixture, APP, "acc-1");
    return code;
}

/* In the child: the store without its writer, and a transaction. Never released: it dies. */
static struct write *begin_alone(void) {
    const struct store_options options = {.directory = fixture->directory,
                                          .clock = &fixture->clock};
    static struct write w;
    char why[256];
    struct store *store = store_make(&options);
    assert_int_equal(db_open(options.directory, fixture->map_size, &store->db, why, sizeof why),
                     STATUS_OK);
    assert_int_equal(store_check_existing(store, why, sizeof why), STATUS_OK);
    atomic_store(&store->last_time, store->state.last_time);
    write_begin(store, &w);
    return &w;
}

static struct store_consent load(struct write *w) {
    struct store_consent c;
    assert_int_equal(consent_load(&w->txn, target.index, &c), STATUS_OK);
    c.tail = arena_copy(&w->scratch, c.tail);
    return c;
}

static uint64_t end(struct write *w, struct store_consent *c) {
    const struct ending ending = {.state = CONSENT_REVOKED,
                                  .reason = SPAN("withdrawn"),
                                  .by = CONSENT_BY_TENANT,
                                  .actor = {SPAN(TENANT), STORE_BY_TENANT},
                                  .status_at = w->now};
    return ending_write(w, c, &ending);
}

static void append_entry(struct write *w) {
    const struct entry entry = {.code = STORE_POLICY_ACTIVATED,
                                .actor = {.role = STORE_BY_SYSTEM},
                                .previous = STORE_INDEX_NONE,
                                .body = SPAN("\"x\":1")};
    (void)entry_append(w, &entry);
}

/* ---- invariant 2 */

static void save_without_an_entry(void) {
    struct write *w = begin_alone();
    struct store_consent c = load(w);
    c.version++;
    consent_save(w, &c);
}

static void a_header_is_not_saved_without_an_entry(void **state) {
    fixture_close(*state);
    assert_aborts(save_without_an_entry, "w->state.tree.size > w->store->state.tree.size");
}

/* ---- invariant 3 */

static void forget_an_entry(void) {
    struct write *w = begin_alone();
    w->state.tree.size--;
    if (write_commit(w) == STATUS_OK)
        write_abort(w);
}

static void the_log_does_not_grow_shorter(void **state) {
    fixture_close(*state);
    assert_aborts(forget_an_entry, "w->state.tree.size >= w->store->state.tree.size");
}

/* ---- invariant 4 */

static void write_beside_the_writer(void) {
    static struct write w;
    write_begin(fixture->store, &w);
}

static void nobody_but_the_writer_begins_a_write(void **state) {
    (void)state;
    assert_aborts(write_beside_the_writer, "pthread_equal");
}

/* ---- invariant 5 */

static void read_inside_a_read(void) {
    if (store_read_begin(fixture->reader) == STATUS_OK)
        (void)!store_read_begin(fixture->reader);
}

static void a_snapshot_that_was_left_open_is_noticed(void **state) {
    (void)state;
    assert_aborts(read_inside_a_read, "!reader->open");
}

/* ---- invariant 6 */

static void last_longer(void) {
    struct write *w = begin_alone();
    struct store_consent c = load(w);
    append_entry(w);
    c.expires++;
    consent_save(w, &c);
}

static void allow_more(void) {
    struct write *w = begin_alone();
    struct store_consent c = load(w);
    append_entry(w);
    c.tail.size--;
    consent_save(w, &c);
}

static void terms_are_not_saved_otherwise(void **state) {
    fixture_close(*state);
    assert_aborts(last_longer, "same_terms");
    assert_aborts(allow_more, "same_terms");
}

static void end_again(void) {
    struct write *w = begin_alone();
    struct store_consent c = load(w);
    (void)end(w, &c);
    (void)end(w, &c);
}

static void an_end_is_not_followed_by_another(void **state) {
    fixture_close(*state);
    assert_aborts(end_again, "lifecycle_may_follow");
}

/* ---- invariant 7 */

static void go_back(void) {
    struct write *w = begin_alone();
    w->now = w->state.last_time - 1;
    append_entry(w);
}

static void go_on_unconfirmed(void) {
    struct write *w = begin_alone();
    atomic_store(&w->store->stepped, true);
    append_entry(w);
}

static void no_entry_is_before_the_last_or_of_a_stepped_clock(void **state) {
    fixture_close(*state);
    assert_aborts(go_back, "w->now >= w->state.last_time");
    assert_aborts(go_on_unconfirmed, "stepped");
}

static enum status try_to_end(struct fixture *f) {
    struct store_change *change = new_change(f, STORE_END, TENANT);
    change->id = target.id;
    change->reason.code = SPAN("withdrawn");
    change->reason.leads_to = CONSENT_REVOKED;
    enum status status = store_submit(f->store, 0, change);
    if (status == STATUS_OK) {
        pthread_mutex_lock(&f->lock);
        while (store_take(f->store, 0) == NULL)
            pthread_cond_wait(&f->woken, &f->lock);
        pthread_mutex_unlock(&f->lock);
        status = change->done.status;
    }
    store_change_free(change);
    return status;
}

/* The system's clock, which has stepped since the store was opened, as far as anybody can tell. */
static void stepped_by(struct fixture *f, int64_t ms) {
    struct store_stats stats;
    clock_confirm(&f->clock);
    store_clock_confirm(f->store);
    f->clock.offset_ms -= ms;
    store_stats_get(f->store, &stats);
    uint64_t entries = stats.entries;
    /* whether the writer sees it by itself or by this change: nothing is written */
    assert_int_equal(try_to_end(f), STATUS_BUSY);
    assert_false(store_ready(f->store));
    store_stats_get(f->store, &stats);
    assert_true(stats.clock_step_ms != 0);
    assert_int_equal(stats.entries, entries);
    assert_int_equal(look(f, target.index).recorded, CONSENT_ACTIVE);
    assert_int_equal(try_to_end(f), STATUS_BUSY);
}

static void a_clock_that_stepped_stops_writes_until_it_is_confirmed(void **state) {
    struct fixture *f = *state;
    fixture_close(f);
    clock_init(&f->clock);
    fixture_open(f, false);
    target = create(f, APP, "acc-2");
    stepped_by(f, 365 * DAY_MS);
    stepped_by(f, 61000);
    stepped_by(f, -61000);
    clock_confirm(&f->clock);
    store_clock_confirm(f->store);
    f->clock.offset_ms -= 59000; /* that much is no step */
    assert_int_equal(try_to_end(f), STATUS_OK);
    assert_int_equal(look(f, target.index).recorded, CONSENT_REVOKED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_header_is_not_saved_without_an_entry),
        TEST(the_log_does_not_grow_shorter),
        TEST(nobody_but_the_writer_begins_a_write),
        TEST(a_snapshot_that_was_left_open_is_noticed),
        TEST(terms_are_not_saved_otherwise),
        TEST(an_end_is_not_followed_by_another),
        TEST(no_entry_is_before_the_last_or_of_a_stepped_clock),
        TEST(a_clock_that_stepped_stops_writes_until_it_is_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
