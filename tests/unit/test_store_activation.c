/* Packs taking turns: each is in force from its entry on, for all that comes behind it, or not at
 * all. What was read under another is not judged, and what a failure left behind is nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "store/change.h"
#include "store/db.h"
#include "store/question.h"
#include "tests/unit/support_store.h"

/* A pack of its own name with `purposes` and `permissions` codes that no other pack has. */
static struct policy_pack *pack_with(const char *name, unsigned purposes, unsigned permissions) {
    struct buffer text = {0};
    struct policy_error error;
    struct policy_pack *pack = NULL;
    buffer_append_format(&text,
                         "{\"pack\":\"%s\",\"version\":\"1\",\"scheme\":\"https://s.example\","
                         "\"roles\":[{\"code\":\"r\",\"urls\":[\"https://s.example/r\"]}],"
                         "\"licenses\":[],\"purposes\":[",
                         name);
    for (unsigned i = 0; i < purposes; i++)
        buffer_append_format(&text,
                             "%s{\"code\":\"%s-purpose-%u\",\"title\":\"t\",\"roles\":[\"r\"]}",
                             i != 0 ? "," : "", name, i);
    buffer_append_text(&text, "],\"permissions\":[");
    for (unsigned i = 0; i < permissions; i++)
        buffer_append_format(&text, "%s{\"code\":\"%s-permission-%u\",\"title\":\"t\"}",
                             i != 0 ? "," : "", name, i);
    buffer_append_text(&text, "]}");
    if (policy_pack_load(buffer_span(&text), &pack, &error) != STATUS_OK)
        fail_msg("pack: %s: %s", error.pointer, error.detail);
    buffer_release(&text);
    return pack;
}

/* The pack in force at the end of the log, and how many entries there are. */
static uint64_t in_force(struct fixture *f, struct digest *digest) {
    struct store_stats stats;
    uint64_t entry;
    store_stats_get(f->store, &stats);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_policy_at(f->reader, stats.entries, digest, &entry), STATUS_OK);
    store_read_end(f->reader);
    assert_true(entry < stats.entries);
    return stats.entries;
}

static void assert_in_force(struct fixture *f, const struct policy_pack *pack) {
    struct digest digest;
    (void)in_force(f, &digest);
    assert_memory_equal(digest.bytes, policy_pack_digest(pack)->bytes, DIGEST_SIZE);
}

/* True when the store has its bytes. */
static bool is_kept(struct fixture *f, const struct policy_pack *pack) {
    struct span bytes;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    enum status status = store_pack_bytes(f->reader, policy_pack_digest(pack), &bytes);
    assert_true(status == STATUS_NOT_FOUND ||
                (status == STATUS_OK && span_equal(bytes, policy_pack_bytes(pack))));
    store_read_end(f->reader);
    return status == STATUS_OK;
}

/* ---- what is read under another pack */

static struct store_change *change_under(struct fixture *f, enum store_op op,
                                         const struct policy_pack *pack) {
    struct store_change *change = new_change(f, op, TENANT);
    change->pack = pack;
    fill_draft(f, change, APP, "acc-under");
    return change;
}

static void what_was_read_under_another_pack_is_not_judged(void **state) {
    static const enum store_op judged[] = {STORE_CREATE, STORE_GRANT, STORE_RENEW, STORE_DECIDE,
                                           STORE_DISCLOSE};
    struct fixture *f = *state;
    struct digest digest;
    struct policy_pack *next = pack_with("next", 1, 1);
    struct store_consent c = create(f, APP, "acc");
    assert_int_equal(store_pack_activate(f->store, next), STATUS_OK);
    uint64_t entries = in_force(f, &digest);
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
        struct store_change *change = change_under(f, judged[i], f->pack);
        change->id = c.id;
        assert_int_equal(fixture_run(f, change), STATUS_BUSY);
        assert_true(change->outdated);
        assert_int_equal(change->done.log_index, STORE_INDEX_NONE);
        store_change_free(change);
    }
    assert_int_equal(in_force(f, &digest), entries);
    /* an ending is no question to the policy: it is done whatever pack its reason was read under */
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    fixture_close(f);
    policy_pack_free(next);
}

static void what_was_outdated_once_is_judged_when_its_pack_is_back(void **state) {
    struct fixture *f = *state;
    struct policy_pack *next = pack_with("next", 1, 1);
    struct store_change *change = change_under(f, STORE_CREATE, f->pack);
    assert_int_equal(store_pack_activate(f->store, next), STATUS_OK);
    assert_int_equal(fixture_run(f, change), STATUS_BUSY);
    assert_true(change->outdated);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_false(change->outdated);
    store_change_free(change);
    fixture_close(f);
    policy_pack_free(next);
}

/* ---- which pack is in force */

static void the_submitter_hears_of_a_pack_before_the_changes_behind_it_are_answered(void **state) {
    struct fixture *f = *state;
    struct policy_pack *next = pack_with("next", 1, 1);
    assert_int_equal(f->activations, 1);
    assert_ptr_equal(f->activated, f->pack);
    assert_int_equal(store_pack_activate(f->store, next), STATUS_OK);
    assert_ptr_equal(f->activated, next);
    /* the one that is in force already is heard of as well: at a start it has no entry of its own
     */
    assert_int_equal(store_pack_activate(f->store, next), STATUS_OK);
    assert_int_equal(f->activations, 3);
    fixture_close(f);
    policy_pack_free(next);
}

static void a_pack_that_comes_back_is_an_entry_without_its_bytes(void **state) {
    struct fixture *f = *state;
    struct digest digest;
    struct policy_pack *next = pack_with("next", 1, 1);
    uint64_t entries = in_force(f, &digest);
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_int_equal(store_pack_activate(f->store, next), STATUS_OK);
        assert_in_force(f, next);
        assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
        assert_in_force(f, f->pack);
    }
    assert_int_equal(in_force(f, &digest), entries + 6);
    assert_true(is_kept(f, f->pack) && is_kept(f, next));
    fixture_close(f);
    policy_pack_free(next);
}

/* ---- what does not fit */

static void refuse_as_too_many(struct fixture *f, struct policy_pack *pack) {
    struct digest digest;
    unsigned heard = f->activations;
    uint64_t entries = in_force(f, &digest);
    assert_int_equal(store_pack_activate(f->store, pack), STATUS_NOT_ADMISSIBLE);
    assert_int_equal(in_force(f, &digest), entries);
    assert_in_force(f, f->pack);
    assert_false(is_kept(f, pack));
    assert_int_equal(f->activations, heard);
    policy_pack_free(pack); /* nothing points to it */
}

static void all_packs_together_have_64_purposes_and_64_permissions(void **state) {
    struct fixture *f = *state;
    unsigned purposes = 64 - policy_pack_purpose_count(f->pack);
    unsigned permissions = 64 - policy_pack_permission_count(f->pack);
    refuse_as_too_many(f, pack_with("a", purposes + 1, 1));
    refuse_as_too_many(f, pack_with("b", 1, permissions + 1));
    /* those that were refused have taken no numbers */
    struct policy_pack *full = pack_with("c", purposes, permissions);
    assert_int_equal(store_pack_activate(f->store, full), STATUS_OK);
    assert_in_force(f, full);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    refuse_as_too_many(f, pack_with("d", 1, 0));
    refuse_as_too_many(f, pack_with("e", 0, 1));
    (void)create(f, APP, "acc"); /* and the one in force goes on */
    fixture_close(f);
    policy_pack_free(full);
}

/* ---- what fails */

/* Activates with the n-th call failing; false when there are fewer calls than that. */
static bool fails_whole(struct fixture *f, uint64_t nth, int code, bool stored) {
    char name[32];
    static unsigned number;
    snprintf(name, sizeof name, "fault-%u", number++);
    struct policy_pack *next = pack_with(name, 0, 0); /* numbers would run out */
    unsigned heard = f->activations;
    db_fault_set(nth, code, stored);
    enum status status = store_pack_activate(f->store, next);
    bool hit = db_fault_hit();
    db_fault_set(0, 0, false);
    bool there = status == STATUS_OK || (status == STATUS_OUTCOME_UNKNOWN && stored);
    assert_int_equal(f->activations, heard + (status == STATUS_OK));
    assert_int_equal(store_ready(f->store), status == STATUS_OK || status == STATUS_STORAGE_FULL);
    assert_int_equal(status == STATUS_STORAGE_FULL, hit && code == ENOSPC);
    assert_int_equal(status == STATUS_OK, !hit);
    if (status == STATUS_STORAGE_FULL) /* the old one goes on at once */
        assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    else if (hit)
        assert_int_equal(store_pack_activate(f->store, next), STATUS_BUSY);
    store_reader_close(f->reader);
    store_close(f->store);
    char why[256];
    assert_int_equal(fixture_try_open(f, false, why), STATUS_OK);
    assert_int_equal(store_reader_open(f->store, &f->reader), STATUS_OK);
    assert_in_force(f, there ? next : f->pack);
    assert_int_equal(is_kept(f, next), there);
    assert_int_equal(store_pack_activate(f->store, f->pack), STATUS_OK);
    policy_pack_free(next);
    return hit;
}

static void an_activation_is_whole_or_nothing(void **state) {
    static const struct {
        int code;
        bool stored;
    } kinds[] = {{EIO, false}, {EIO, true}, {ENOSPC, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t nth = 1;
        while (fails_whole(*state, nth, kinds[i].code, kinds[i].stored))
            nth++;
        assert_true(nth > 5); /* the loop did fail something */
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_under_another_pack_is_not_judged),
        TEST(what_was_outdated_once_is_judged_when_its_pack_is_back),
        TEST(the_submitter_hears_of_a_pack_before_the_changes_behind_it_are_answered),
        TEST(a_pack_that_comes_back_is_an_entry_without_its_bytes),
        TEST(all_packs_together_have_64_purposes_and_64_permissions),
        TEST(an_activation_is_whole_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
