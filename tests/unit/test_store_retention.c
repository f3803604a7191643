/* What a pack's eraseAfter wants gone goes by itself: when, with which notice, never what is active
 * or held, over restarts and failures. Invariants 2 and 3. */
// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include "base/encode.h"
#include "store/consent.h"
#include "store/ending.h"
#include "store/erasing.h"
#include "tests/unit/support_erasing.h"

#define ENDED "2026-04-01T00:00:00Z"
#define BEFORE "2032-03-31T23:59:59.999Z"
#define GONE "2032-04-01T00:00:00Z" /* the pack wants it gone six years after the end */
#define LATER "2033-01-01T00:00:00Z"

static struct store_consent ended(struct fixture *f, const char *account) {
    struct store_consent c = make_full(f, account);
    decide(f, account, 2);
    disclose(f, account);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    return look(f, c.index);
}

static struct store_consent ended_of(struct fixture *f, const char *tenant, const char *account) {
    struct store_change *change = new_change(f, STORE_CREATE, tenant);
    fill_draft(f, change, APP, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    struct store_consent c = look(f, change->done.consent);
    store_change_free(change);
    change = new_change(f, STORE_END, tenant);
    change->id = c.id;
    change->reason = (struct store_reason){.code = SPAN("withdrawn"), .leads_to = CONSENT_REVOKED};
    assert_int_equal(run_and_free(f, change), STATUS_OK);
    return c;
}

/* The pack with another eraseAfter, and nothing that keeps. */
static struct policy_pack *pack_erasing_after(const char *after) {
    struct policy_pack *own = load_pack(), *pack = NULL;
    struct policy_error error;
    struct buffer text = {0};
    static const char keep_member[] = "\"P1Y\",\n      \"eraseAfter\": \"P6Y\"";
    struct span bytes = policy_pack_bytes(own);
    const char *at = memmem(bytes.data, bytes.size, keep_member, sizeof keep_member - 1);
    assert_non_null(at);
    buffer_append(&text, bytes.data, (size_t)(at - bytes.data));
    buffer_append_format(&text, "\"P0D\",\"eraseAfter\":\"%s\"", after);
    at += sizeof keep_member - 1;
    buffer_append(&text, at, (size_t)(bytes.data + bytes.size - at));
    if (policy_pack_load(buffer_span(&text), &pack, &error) != STATUS_OK)
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    buffer_release(&text);
    policy_pack_free(own);
    return pack;
}

static void activate(struct fixture *f, const char *erase_after) {
    struct policy_pack *before = f->pack;
    f->pack = pack_erasing_after(erase_after);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    policy_pack_free(before);
}

/* ---- the store without its writer: one commit of the sweep, at a time that we choose */

static struct write *begin_alone(struct fixture *f) {
    const struct store_options options = {.directory = f->directory, .clock = &f->clock};
    static struct write w;
    char why[256];
    const struct policy_settings *settings = policy_pack_settings(f->pack);
    struct store *store = store_make(&options);
    assert_int_equal(db_open(options.directory, f->map_size, &store->db, why, sizeof why),
                     STATUS_OK);
    assert_int_equal(store_check_existing(store, why, sizeof why), STATUS_OK);
    atomic_store(&store->last_time, store->state.last_time);
    store->retention.erases = settings->has_erase_after;
    store->retention.erase_after = settings->erase_after;
    write_begin(store, &w);
    return &w;
}

/* One commit; whether there may be more. */
static bool step(struct fixture *f) {
    fixture_close(f);
    struct write *w = begin_alone(f);
    struct store *store = w->store;
    (void)ending_sweep(w, 1000);
    bool more = erasure_sweep(w);
    more |= retention_sweep(w);
    assert_int_equal(write_commit(w), STATUS_OK);
    store_unmake(store);
    fixture_open(f, false);
    return more;
}

static uint32_t steps(struct fixture *f) {
    uint32_t count = 1;
    while (step(f))
        count++;
    return count;
}

/* ---- when */

static void what_ended_long_ago_goes_by_itself(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t entries = entries_of(f);
    fixture_set_time(f, BEFORE);
    assert_false(step(f));
    assert_int_equal(look(f, c.index).erased, STORE_KEPT);
    assert_int_equal(entries_of(f), entries);
    fixture_set_time(f, GONE);
    assert_true(step(f));
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(traces_of(f, "acc-1"), 0);
    assert_int_equal(count_of(f, DB_BY_END), 0);
    assert_int_equal(entries_of(f), entries + 1);
    assert_false(step(f));
    assert_int_equal(entries_of(f), entries + 1);
}

/* The writer does it, also while nobody writes. */
static void the_writer_does_it_by_itself(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    fixture_set_time(f, GONE);
    while (look(f, c.index).erased != STORE_ERASED_WHOLE)
        sched_yield();
    c = ended(f, "acc-2"); /* service time does not go back: it ends then */
    fixture_set_time(f, "2038-04-01T00:00:00Z");
    (void)create(f, APP, "acc-3");
    while (look(f, c.index).erased != STORE_ERASED_WHOLE)
        (void)create(f, APP, "acc-3");
}

static void the_notice_tells_which_pack_wanted_it(void **state) {
    struct fixture *f = *state;
    struct store_event event;
    char digest[2 * DIGEST_SIZE + 1] = "", body[256];
    (void)ended(f, "acc-1");
    uint64_t last = entries_of(f);
    fixture_set_time(f, GONE);
    assert_true(step(f));
    encode_hex(policy_pack_digest(f->pack)->bytes, DIGEST_SIZE, digest);
    snprintf(body, sizeof body,
             "\"actor\":{\"role\":\"system\"},\"tenantSeq\":7,\"tenantPrev\":7,"
             "\"body\":{\"indexes\":[2,3,4,5,6,7],\"ground\":\"noLongerNecessary\","
             "\"policyDigest\":\"%s\"}}",
             digest);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, last, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_ERASURE_WHOLE);
    if (memmem(event.payload.data, event.payload.size, body, strlen(body)) == NULL)
        fail_msg("%.*s", SPAN_ARG(event.payload));
    assert_null(memmem(event.payload.data, event.payload.size, "consentId", 9));
    assert_int_equal(event.consent, STORE_INDEX_NONE);
    store_read_end(f->reader);
}

/* By the clock, and only recorded later: its time counts from its end. */
static void what_expired_counts_from_its_expiry(void **state) {
    struct fixture *f = *state;
    struct store_consent c = create(f, APP, "acc-1"); /* for 30 days, to 2026-04-11T10:00 */
    fixture_set_time(f, "2032-04-11T09:59:59.999Z");
    (void)steps(f);
    assert_int_equal(look(f, c.index).recorded, CONSENT_EXPIRED);
    assert_int_equal(look(f, c.index).erased, STORE_KEPT);
    fixture_set_time(f, "2032-04-11T10:00:00Z");
    (void)steps(f);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
}

static void nothing_that_still_permits_goes(void **state) {
    struct fixture *f = *state;
    activate(f, "P0D");
    struct store_consent active = create(f, APP, "acc-1"), other = create(f, APP, "acc-2");
    (void)steps(f);
    assert_int_equal(look(f, active.index).erased, STORE_KEPT);
    assert_int_equal(end_consent(f, &other.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    (void)steps(f);
    assert_int_equal(look(f, other.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(look(f, active.index).erased, STORE_KEPT);
    assert_int_equal(look(f, active.index).status, CONSENT_ACTIVE);
}

/* Not the one that was when it ended, nor one that was only loaded. */
static void the_pack_in_force_decides(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    activate(f, "P7Y");
    fixture_set_time(f, LATER);
    assert_false(step(f));
    assert_int_equal(look(f, c.index).erased, STORE_KEPT);
    activate(f, "P10D");
    assert_true(step(f));
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
}

/* ---- how much at once */

static bool is_notice(struct fixture *f, uint64_t index, uint32_t *tenant) {
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, index, &event), STATUS_OK);
    store_read_end(f->reader);
    *tenant = event.tenant;
    return event.code == STORE_ERASURE_WHOLE;
}

static void each_tenant_has_a_notice_of_its_own(void **state) {
    struct fixture *f = *state;
    uint32_t one = 0, two = 0;
    fixture_set_time(f, ENDED);
    for (unsigned i = 0; i < 6; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%u", i);
        (void)ended_of(f, i % 2 == 0 ? TENANT : OTHER_TENANT, account);
    }
    uint64_t entries = entries_of(f);
    fixture_set_time(f, GONE);
    assert_true(step(f));
    assert_int_equal(count_of(f, DB_BY_END), 0);
    assert_int_equal(entries_of(f), entries + 2);
    assert_true(is_notice(f, entries, &one) && is_notice(f, entries + 1, &two));
    assert_int_not_equal(one, two);
}

/* More consents than a commit takes, and more entries: several commits, each bounded. */
static void much_goes_commit_after_commit(void **state) {
    struct fixture *f = *state;
    fixture_set_time(f, ENDED);
    for (unsigned i = 0; i < 300; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%u", i);
        (void)ended_of(f, TENANT, account);
    }
    struct store_consent c = create(f, APP, "many");
    for (int i = 0; i < 3; i++)
        decide(f, "many", 500);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint64_t entries = entries_of(f);
    fixture_set_time(f, GONE);
    assert_true(step(f)); /* 256 consents of two entries */
    assert_int_equal(count_of(f, DB_BY_END), 45);
    assert_true(step(f)); /* 44 of them, and 912 of the last one's 1,502 */
    assert_int_equal(count_of(f, DB_BY_END), 0);
    assert_int_equal(count_of(f, DB_ERASURE), 1);
    assert_true(step(f));
    assert_int_equal(count_of(f, DB_ERASURE), 0);
    assert_false(step(f));
    assert_int_equal(entries_of(f), entries + 3);
    assert_int_equal(rows_with(f, SPAN("acc-")) + rows_with(f, SPAN("many")), 0);
}

/* The second has no room in the first's commit: it is not begun, nor forgotten. */
static void what_has_no_room_is_left_whole(void **state) {
    struct fixture *f = *state;
    struct store_consent one = create(f, APP, "one"), two = create(f, APP, "two");
    decide(f, "one", 999);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &one.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(end_consent(f, &two.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    fixture_set_time(f, GONE);
    assert_true(step(f));
    assert_int_equal(look(f, one.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(look(f, two.index).erased, STORE_KEPT);
    assert_int_equal(rows_with(f, SPAN("\"two\"")), 1);
    (void)steps(f);
    assert_int_equal(look(f, two.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(rows_with(f, SPAN("\"one\"")) + rows_with(f, SPAN("\"two\"")), 0);
}

/* In the snapshot's time, a bounded part of them at once. */
static void what_would_go_is_counted_part_by_part(void **state) {
    struct fixture *f = *state;
    struct store_ended_place place = {.done = false};
    uint64_t count = 0;
    const uint64_t rows = LIMIT_WALK + 5;
    fixture_close(f);
    struct write *w = begin_alone(f);
    struct store *store = w->store;
    for (uint64_t i = 0; i < rows; i++) /* rows alone: two a millisecond */
        erase_ended_put(w, &(struct store_consent){.index = i, .status_at = (int64_t)(i / 2)});
    assert_int_equal(write_commit(w), STATUS_OK);
    store_unmake(store);
    fixture_open(f, false);
    const struct duration decades[] = {{.months = 12 * 56}, {.months = 12 * 57}};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK); /* 56 years after 1970 */
    assert_int_equal(store_ended_count(f->reader, decades[0], &place, &count), STATUS_OK);
    assert_false(place.done);
    assert_int_equal(count, LIMIT_WALK);
    store_read_end(f->reader);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_ended_count(f->reader, decades[0], &place, &count), STATUS_OK);
    assert_true(place.done);
    assert_int_equal(count, rows);
    place = (struct store_ended_place){.done = false};
    count = 0;
    assert_int_equal(store_ended_count(f->reader, decades[1], &place, &count), STATUS_OK);
    assert_true(place.done);
    assert_int_equal(count, 0);
    store_read_end(f->reader);
}

/* ---- beside requests and holds */

static void what_was_asked_for_and_waits_goes_with_it(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_OBJECTION)),
        STATUS_OK);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_PERSONAL);
    assert_int_equal(count_of(f, DB_ERASURE), 2);
    activate(f, "P10D");
    fixture_set_time(f, "2026-05-01T00:00:00Z");
    assert_true(step(f));
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
    assert_int_equal(traces_of(f, "acc-1"), 0);
}

static uint64_t hold(struct fixture *f, const struct uuid *id, const char *account) {
    struct store_change *change = hold_of(f, id, account);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.log_index;
    store_change_free(change);
    return index;
}

static void nothing_that_is_held_goes(void **state) {
    struct fixture *f = *state;
    struct store_consent one = ended(f, "acc-1"), two = create(f, APP, "acc-2");
    assert_int_equal(end_consent(f, &two.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint64_t of_consent = hold(f, &one.id, NULL), of_account = hold(f, NULL, "acc-2");
    uint64_t again = hold(f, NULL, "acc-1"), entries = entries_of(f);
    fixture_set_time(f, GONE);
    (void)steps(f);
    assert_false(step(f)); /* and it is not looked at again */
    assert_int_equal(count_of(f, DB_BY_END), 0);
    assert_int_equal(count_of(f, DB_ERASURE), 2);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(look(f, one.index).erased, STORE_KEPT);
    assert_int_equal(look(f, two.index).erased, STORE_KEPT);

    assert_int_equal(release(f, of_account), STATUS_OK);
    (void)steps(f);
    assert_int_equal(look(f, two.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(look(f, one.index).erased, STORE_KEPT);
    assert_int_equal(release(f, of_consent), STATUS_OK); /* its account's still stands */
    (void)steps(f);
    assert_int_equal(look(f, one.index).erased, STORE_KEPT);
    assert_int_equal(release(f, again), STATUS_OK);
    (void)steps(f);
    assert_int_equal(look(f, one.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

/* Nobody asked: what was due when the hold was found may not be when it is lifted. */
static void after_a_hold_the_pack_in_force_decides_anew(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t set = hold(f, &c.id, NULL);
    fixture_set_time(f, GONE);
    (void)steps(f);
    activate(f, "P7Y");
    assert_int_equal(release(f, set), STATUS_OK);
    (void)steps(f);
    assert_int_equal(look(f, c.index).erased, STORE_KEPT);
    assert_int_equal(count_of(f, DB_BY_END), 1);
    fixture_set_time(f, "2033-04-01T00:00:00Z");
    (void)steps(f);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
}

/* ---- failures */

struct fault {
    uint64_t nth;
    int code;
    bool stored;
};

/* One commit of the sweep with a call of it failing; false when it has fewer calls. */
static bool fails(struct fixture *f, const struct fault *fault, bool *done) {
    fixture_close(f);
    struct write *w = begin_alone(f);
    struct store *store = w->store;
    db_fault_set(fault->nth, fault->code, fault->stored);
    (void)erasure_sweep(w);
    (void)retention_sweep(w);
    enum status status = write_commit(w);
    bool hit = db_fault_hit();
    db_fault_set(0, 0, false);
    store_unmake(store);
    fixture_open(f, false);
    *done = status == STATUS_OK || (status == STATUS_OUTCOME_UNKNOWN && fault->stored);
    assert_int_equal(hit, status != STATUS_OK);
    return hit;
}

/* A consent that is due; or one that was, under a hold that has been lifted. */
static struct store_consent due(struct fixture *f, bool held) {
    static unsigned number;
    char account[32];
    snprintf(account, sizeof account, "acc-%u", number++);
    struct store_consent c = create(f, APP, account);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    uint64_t set = held ? hold(f, &c.id, NULL) : 0;
    fixture_close(f);
    f->clock.start_ms += 2200 * DAY_MS;
    fixture_open(f, false);
    if (held) {
        (void)steps(f);
        assert_int_equal(release(f, set), STATUS_OK);
    }
    return c;
}

static void all_faults(struct fixture *f, bool held) {
    static const struct fault kinds[] = {{1, EIO, false}, {1, EIO, true}, {1, ENOSPC, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct fault fault = kinds[i];
        bool done, hit = true;
        for (; hit; fault.nth++) {
            struct store_consent c = due(f, held);
            uint64_t entries = entries_of(f);
            hit = fails(f, &fault, &done);
            assert_int_equal(look(f, c.index).erased, done ? STORE_ERASED_WHOLE : STORE_KEPT);
            assert_int_equal(entries_of(f), entries + done);
            assert_int_equal(count_of(f, DB_BY_END) + count_of(f, DB_ERASURE), done ? 0 : 1 + held);
            (void)steps(f);
            assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
        }
        assert_true(fault.nth > 10);
    }
}

static void a_portion_is_whole_or_nothing(void **state) {
    all_faults(*state, false);
}

static void what_a_lifted_hold_frees_is_whole_or_nothing(void **state) {
    all_faults(*state, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(what_ended_long_ago_goes_by_itself),
        T(the_writer_does_it_by_itself),
        T(the_notice_tells_which_pack_wanted_it),
        T(what_expired_counts_from_its_expiry),
        T(nothing_that_still_permits_goes),
        T(the_pack_in_force_decides),
        T(each_tenant_has_a_notice_of_its_own),
        T(much_goes_commit_after_commit),
        T(what_has_no_room_is_left_whole),
        T(what_would_go_is_counted_part_by_part),
        T(what_was_asked_for_and_waits_goes_with_it),
        T(nothing_that_is_held_goes),
        T(after_a_hold_the_pack_in_force_decides_anew),
        T(a_portion_is_whole_or_nothing),
        T(what_a_lifted_hold_frees_is_whole_or_nothing),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
