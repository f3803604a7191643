/* Headers as bytes: whatever a consent has or lacks comes back, and what an ordinary life changes
 * does not change the size. */
// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "tests/unit/support_base.h"

#define CHOICES 12

static struct store_consent bare(void) {
    return (struct store_consent){
        .index = 7,
        .id = {{1, 2, 3}},
        .arrangement = {{1, 2, 3}},
        .recorded = CONSENT_ACTIVE,
        .status = CONSENT_ACTIVE,
        .status_at = 1000,
        .version = 1,
        .reason = STORE_NAME_NONE,
        .tenant = 5,
        .provider = 5,
        .client = 6,
        .license = 2,
        .purposes = 3,
        .permissions = 1ULL << 63,
        .principal = STORE_COMPANY,
        .created_at = 900,
        .granted_at = 800,
        .expires = INT64_MAX,
        .data_from = INT64_MIN,
        .data_to = INT64_MIN,
        .data_available_from = INT64_MIN,
        .answer_due = INT64_MIN,
        .supersedes = STORE_INDEX_NONE,
        .superseded_by = STORE_INDEX_NONE,
        .created_entry = 40,
        .granted_entry = 40,
        .status_entry = 41,
        .last_entry = 42,
        .superseded_by_entry = STORE_INDEX_NONE,
    };
}

/* The consent with the members that the bits of `choice` name. */
static struct store_consent with(unsigned choice) {
    struct store_consent c = bare();
    if (choice & 1U) {
        c.has_account = true;
        memset(c.account.bytes, 0xac, sizeof c.account.bytes);
    }
    if (choice & 2U)
        c.arrangement.bytes[15] = 9;
    if (choice & 4U)
        c.provider = 0;
    if (choice & 8U) {
        c.max_uses = 12;
        c.proof_count = UINT32_MAX;
    }
    if (choice & 16U)
        c.data_from = 0;
    if (choice & 32U)
        c.data_to = c.data_available_from = -1;
    if (choice & 64U)
        c.answer_due = 5000;
    if (choice & 128U)
        c.granted_entry = 41;
    if (choice & 256U) {
        c.granted_at = INT64_MIN;
        c.granted_entry = STORE_INDEX_NONE;
    }
    if (choice & 512U) {
        c.supersedes = 0;
        c.dependent = true;
    }
    if (choice & 1024U) {
        c.superseded_by = 8;
        c.superseded_by_entry = choice & 1U ? c.status_entry : 99;
    }
    if (choice & 2048U)
        c.step_count = 1000;
    return c;
}

static void assert_same(const struct store_consent *a, const struct store_consent *b) {
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    assert_memory_equal(&a->arrangement, &b->arrangement, sizeof a->arrangement);
    assert_memory_equal(&a->account, &b->account, sizeof a->account);
#define SAME(member) assert_true(a->member == b->member)
    SAME(index);
    SAME(recorded);
    SAME(status);
    SAME(status_at);
    SAME(version);
    SAME(reason);
    SAME(by);
    SAME(tenant);
    SAME(provider);
    SAME(client);
    SAME(license);
    SAME(purposes);
    SAME(permissions);
    SAME(has_account);
    SAME(principal);
    SAME(created_at);
    SAME(granted_at);
    SAME(expires);
    SAME(data_from);
    SAME(data_to);
    SAME(data_available_from);
    SAME(answer_due);
    SAME(max_uses);
    SAME(uses);
    SAME(token_count);
    SAME(proof_count);
    SAME(step_count);
    SAME(supersedes);
    SAME(superseded_by);
    SAME(created_entry);
    SAME(granted_entry);
    SAME(status_entry);
    SAME(last_entry);
    SAME(dependent);
    SAME(superseded_by_entry);
#undef SAME
    assert_true(span_equal(a->tail, b->tail));
}

static void every_choice_of_members_comes_back(void **state) {
    (void)state;
    for (unsigned choice = 0; choice < 1U << CHOICES; choice++) {
        struct store_consent c = with(choice), back;
        struct buffer bytes = {0};
        c.tail = SPAN("tail");
        record_consent_encode(&c, &bytes);
        assert_in_range(bytes.size, RECORD_CONSENT_SIZE + 4, RECORD_CONSENT_MAX + 4);
        assert_int_equal(record_consent_decode(7, buffer_span(&bytes), &back), STATUS_OK);
        assert_same(&back, &c);
        buffer_release(&bytes);
    }
}

static size_t size_of(const struct store_consent *c) {
    struct buffer bytes = {0};
    record_consent_encode(c, &bytes);
    size_t size = bytes.size;
    buffer_release(&bytes);
    return size;
}

static void an_ordinary_life_keeps_the_size(void **state) {
    (void)state;
    struct store_consent c = with(1);
    size_t size = size_of(&c);
    c.version = 900;
    c.uses = 450;
    c.token_count = 448;
    c.last_entry = 123456789;
    assert_int_equal(size_of(&c), size);
    c.recorded = CONSENT_SUPERSEDED;
    c.reason = 3;
    c.by = CONSENT_BY_SYSTEM;
    c.status_at = 1ULL << 40;
    c.superseded_by = 1 << 20;
    c.status_entry = c.superseded_by_entry = c.last_entry = 123456790;
    assert_int_equal(size_of(&c), size);
}

static void a_record_cut_short_is_no_record(void **state) {
    (void)state;
    struct store_consent c = with((1U << CHOICES) - 1), back;
    struct buffer bytes = {0};
    record_consent_encode(&c, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        char *exact = mem_alloc(size + 1);
        memcpy(exact, bytes.data, size);
        assert_int_equal(record_consent_decode(7, span_of(exact, size), &back), STATUS_INTERNAL);
        mem_free(exact);
    }
    bytes.data[0] = RECORD_VERSION + 1;
    assert_int_equal(record_consent_decode(7, buffer_span(&bytes), &back), STATUS_INTERNAL);
    buffer_release(&bytes);
}

/* Invariant 8. The bytes are those of FORMAT.md: after the version state, by and principal. */
static void an_unknown_state_role_or_principal_is_no_record(void **state) {
    static const unsigned known[] = {CONSENT_SUPERSEDED, CONSENT_BY_SYSTEM, STORE_INDIVIDUAL};
    (void)state;
    struct store_consent c = with(0), back;
    struct buffer bytes = {0};
    c.recorded = CONSENT_ACTIVE;
    record_consent_encode(&c, &bytes);
    for (size_t at = 1; at <= 3; at++) {
        char was = bytes.data[at];
        for (unsigned value = 0; value < 256; value++) {
            bool right = value <= known[at - 1] && (value != 0 || at != 1);
            bytes.data[at] = (char)value;
            assert_int_equal(record_consent_decode(7, buffer_span(&bytes), &back),
                             right ? STATUS_OK : STATUS_INTERNAL);
        }
        bytes.data[at] = was;
    }
    buffer_release(&bytes);
}

static void a_permission_without_granularity_is_three_bytes(void **state) {
    (void)state;
    static struct record_tail tail, back;
    struct buffer bytes = {0};
    tail.permission_count = 2;
    tail.permissions[0] = (struct record_permission){.bit = 4};
    tail.permissions[1] = (struct record_permission){
        .bit = 5, .has_granularity = true, .granularity = {.months = 1, .seconds = -2}};
    record_tail_encode(&tail, &bytes);
    assert_int_equal(bytes.size, 1 + 3 + 15 + 2);
    assert_int_equal(record_tail_decode(buffer_span(&bytes), &back), STATUS_OK);
    assert_int_equal(back.permission_count, 2);
    assert_int_equal(back.permissions[0].bit, 4);
    assert_false(back.permissions[0].has_granularity);
    assert_int_equal(back.permissions[1].bit, 5);
    assert_int_equal(back.permissions[1].granularity.months, 1);
    assert_int_equal(back.permissions[1].granularity.seconds, -2);
    buffer_release(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_of_members_comes_back),
        cmocka_unit_test(an_ordinary_life_keeps_the_size),
        cmocka_unit_test(a_record_cut_short_is_no_record),
        cmocka_unit_test(an_unknown_state_role_or_principal_is_no_record),
        cmocka_unit_test(a_permission_without_granularity_is_three_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
