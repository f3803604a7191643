/* What a consent depends on is followed as far as it leads, before anything is written of what the
 * clock has ended: chains, circles, and as many heads as a decision may look at. */
// SPDX-License-Identifier: Apache-2.0
#include "support_store.h"

#include "base/limits.h"
#include "store/question.h"

/* A consent of this licence for so many days that depends on all of these arrangements, or, as one
 * group, on any. */
struct linked {
    const char *account;
    bool emissions;
    int days;
    const struct uuid *parents;
    uint32_t count;
    bool any;
};

static void fill_groups(struct store_change *change, const struct linked *linked) {
    const uint32_t groups = linked->any ? 1 : linked->count;
    struct store_group *group = arena_array(&change->arena, groups + 1, sizeof *group);
    struct store_member *member = arena_array(&change->arena, linked->count + 1, sizeof *member);
    for (uint32_t i = 0; i < linked->count; i++)
        member[i].arrangement = linked->parents[i];
    for (uint32_t i = 0; i < groups; i++)
        group[i] = (struct store_group){member + i, linked->any ? linked->count : 1};
    change->draft.groups = group;
    change->draft.group_count = groups;
}

static struct store_consent create_linked(struct fixture *f, const struct linked *linked) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, linked->emissions ? OTHER_APP : APP, linked->account);
    struct policy_admission *ask = &change->draft.ask;
    ask->expires = store_time_ms(f->store) + linked->days * DAY_MS;
    if (linked->emissions) {
        struct span *purpose = arena_array(&change->arena, 1, sizeof *purpose);
        struct policy_permission_ask *one = arena_array(&change->arena, 1, sizeof *one);
        *purpose = SPAN("green-finance-eligibility");
        one->code = SPAN("emissions.monthly");
        ask->license = SPAN(EMISSIONS);
        ask->purposes = purpose;
        ask->permissions = one;
    }
    if (linked->count != 0)
        fill_groups(change, linked);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return look(f, index);
}

/* Asked in a snapshot in which the consent is still recorded as active. */
static bool permitted(struct fixture *f, const struct store_consent *consent) {
    struct store_consent now;
    struct store_ruling ruling;
    struct policy_attribute none = {.kind = POLICY_ABSENT};
    struct store_question question = {
        .about = STORE_ABOUT_CONSENT, .tenant = SPAN(TENANT), .consent = consent->id};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, consent->index, &now), STATUS_OK);
    assert_int_equal(now.recorded, CONSENT_ACTIVE);
    question.client = store_name(f->reader, STORE_NAME_MEMBER, now.client);
    question.ask = (struct policy_request){.subject_type = SPAN("application"),
                                           .subject_id = question.client,
                                           .action_name = SPAN("read"),
                                           .resource_type = SPAN("consent"),
                                           .purpose = -1,
                                           .from = INT64_MIN,
                                           .to = INT64_MIN,
                                           .attributes = &none};
    assert_int_equal(store_decide(f->reader, f->pack, &question, &ruling), STATUS_OK);
    store_read_end(f->reader);
    if (!ruling.decision.permitted)
        assert_int_equal(ruling.decision.denials, 1U << DENIAL_LINKED_CONSENT_ENDED);
    return ruling.decision.permitted;
}

static void a_chain_is_followed_to_what_the_clock_has_ended(void **state) {
    struct fixture *f = *state;
    const struct store_consent root =
        create_linked(f, &(struct linked){.account = "root", .days = 30});
    const struct store_consent child = create_linked(
        f, &(struct linked){"child", true, .days = 60, .parents = &root.id, .count = 1});
    const struct store_consent grandchild = create_linked(
        f, &(struct linked){"grandchild", false, .days = 60, .parents = &child.id, .count = 1});
    fixture_set_time(f, "2026-04-11T09:59:59.999Z");
    assert_true(permitted(f, &child) && permitted(f, &grandchild));
    fixture_set_time(f, "2026-04-11T10:00:00Z"); /* nothing is written of it */
    assert_false(permitted(f, &child));
    assert_false(permitted(f, &grandchild));
}

/* Granted anew, the first depends on what depends on it. */
static void a_circle_holds_itself(void **state) {
    struct fixture *f = *state;
    const struct store_consent first =
        create_linked(f, &(struct linked){.account = "account", .days = 30});
    const struct store_consent second = create_linked(
        f, &(struct linked){"second", true, .days = 60, .parents = &first.id, .count = 1});
    const struct store_consent again = create_linked(
        f, &(struct linked){"account", false, .days = 30, .parents = &second.id, .count = 1});
    assert_true(uuid_equal(&again.arrangement, &first.arrangement));
    assert_true(permitted(f, &again) && permitted(f, &second));
    fixture_set_time(f, "2026-04-11T10:00:00Z");
    assert_false(permitted(f, &second));
}

/* A ladder of which each rung's consents depend on any of the rung below: 16 to the power of its
 * height paths, all ended with the lowest. */
static void a_decision_looks_at_so_many_and_denies(void **state) {
    struct fixture *f = *state;
    struct uuid below[LIMIT_GROUP_MEMBERS], rung[LIMIT_GROUP_MEMBERS];
    char account[32];
    const struct store_consent root =
        create_linked(f, &(struct linked){.account = "root", .days = 30});
    below[0] = root.id;
    for (unsigned height = 0; height < 6; height++) {
        for (unsigned i = 0; i < LIMIT_GROUP_MEMBERS; i++) {
            snprintf(account, sizeof account, "%u-%u", height, i);
            rung[i] =
                create_linked(f, &(struct linked){account, height % 2 == 0, 60, below,
                                                  height == 0 ? 1 : LIMIT_GROUP_MEMBERS, true})
                    .id;
        }
        memcpy(below, rung, sizeof below);
    }
    const struct store_consent top =
        create_linked(f, &(struct linked){"top", true, 60, below, LIMIT_GROUP_MEMBERS, true});
    fixture_set_time(f, "2026-04-11T09:59:59.999Z");
    assert_true(permitted(f, &top));
    fixture_set_time(f, "2026-04-11T10:00:00Z");
    assert_false(permitted(f, &top));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        TEST(a_chain_is_followed_to_what_the_clock_has_ended),
        TEST(a_circle_holds_itself),
        TEST(a_decision_looks_at_so_many_and_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
