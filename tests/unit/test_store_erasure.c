/* Erasure: what goes, what stays, when, and what refuses it. Invariants 2, 3, 6 and 9. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "store/peer.h"
#include "tests/unit/support_erasing.h"

#define ENDED "2026-04-01T00:00:00Z"
#define DUE "2027-04-01T00:00:00Z" /* the pack keeps a year after the end */

static int64_t time_of(const char *text) {
    int64_t time;
    assert_int_equal(timestamp_parse(span_of_text(text), &time), STATUS_OK);
    return time;
}

/* A consent with decisions and a transfer about it that has ended. */
static struct store_consent ended(struct fixture *f, const char *account) {
    struct store_consent c = make_full(f, account);
    decide(f, account, 2);
    disclose(f, account);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    return look(f, c.index);
}

static void reopen(struct fixture *f) {
    fixture_close(f);
    fixture_open(f, false);
}

static struct store_event event_at(struct fixture *f, uint64_t index, bool *opens,
                                   bool *opens_personal) {
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, index, &event), STATUS_OK);
    *opens = event.payload.size != 0;
    *opens_personal = event.personal_payload.size != 0;
    store_read_end(f->reader);
    return event;
}

static void nothing_is_found_of_a_consent_that_was_erased(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    assert_int_equal(traces_of(f, "acc-1"), 18);
    fixture_set_time(f, DUE);
    struct store_change *change =
        erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_int_equal(change->erasure->consent_count, 1);
    assert_int_equal(change->erasure->consents[0].done, STORE_ERASED_WHOLE);
    assert_int_equal(change->erasure->consents[0].due, INT64_MIN);
    assert_false(change->erasure->goes_on);
    assert_int_equal(change->done.log_index, entries_of(f) - 1);
    store_change_free(change);
    assert_int_equal(traces_of(f, "acc-1"), 0);
    assert_int_equal(count_of(f, DB_USE), 0);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
    reopen(f);
    c = look(f, c.index);
    assert_int_equal(c.erased, STORE_ERASED_WHOLE);
    assert_int_equal(c.status, CONSENT_REVOKED);
    assert_int_equal(c.status_at, time_of(ENDED));
    assert_int_equal(c.permissions, 0);
    assert_false(c.has_account);
}

/* What was asked for stands in an entry and a row of its own. */
static void a_request_goes_with_what_was_granted(void **state) {
    struct fixture *f = *state;
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_full(f, change, "acc-1");
    change->draft.ask.granted = false;
    change->draft.grant_json = change->draft.grant_private_json = SPAN("");
    change->draft.token_count = 0;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    struct store_consent c = look(f, change->done.consent);
    store_change_free(change);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_CONSENT_WITHDRAWN)),
        STATUS_WRONG_STATE);
    change = new_change(f, STORE_GRANT, TENANT);
    change->id = c.id;
    fill_full(f, change, "acc-1");
    assert_int_equal(run_and_free(f, change), STATUS_OK);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    fixture_set_time(f, DUE);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    assert_int_equal(traces_of(f, "acc-1"), 0);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, c.index, &c), STATUS_OK);
    assert_int_equal(store_consent_as_of(f->reader, c.created_entry, &c), STATUS_OK);
    assert_int_equal(c.status, CONSENT_REQUESTED);
    assert_int_equal(c.permissions, 0);
    store_read_end(f->reader);
}

/* What is published of an erasure: which entries, on what ground, at whose request. */
static void the_notice_tells_which_entries_and_nobody(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t last = entries_of(f);
    bool opens, personal;
    struct store_event event;
    fixture_set_time(f, DUE);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    assert_int_equal(entries_of(f), last + 1);
    for (uint64_t i = c.created_entry; i < last; i++) {
        event = event_at(f, i, &opens, &personal);
        assert_false(opens || personal);
        assert_int_equal(event.consent, c.index); /* the columns beside the leaf stay */
    }
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, last, &event), STATUS_OK);
    assert_int_equal(event.code, STORE_ERASURE_WHOLE);
    assert_int_equal(event.leaf.data[1], 4);
    static const char body[] = "\"body\":{\"indexes\":[2,3,4,5,6,7],"
                               "\"ground\":\"noLongerNecessary\",\"requestId\":\"case-1\"}}";
    assert_non_null(memmem(event.payload.data, event.payload.size, body, sizeof body - 1));
    assert_null(memmem(event.payload.data, event.payload.size, "consentId", 9));
    assert_null(memmem(event.payload.data, event.payload.size, "accountRef", 10));
    assert_null(memmem(event.payload.data, event.payload.size, APP, strlen(APP)));
    assert_int_equal(event.client, STORE_NAME_NONE);
    assert_int_equal(event.consent, STORE_INDEX_NONE);
    assert_int_equal(event.personal_payload.size, 0);
    store_read_end(f->reader);
}

static void the_personal_part_can_go_alone(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    struct store_terms terms;
    bool opens, personal;
    struct store_change *change =
        erasure_of(f, &c.id, STORE_ERASED_PERSONAL, STORE_GROUND_CONSENT_WITHDRAWN);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_int_equal(change->erasure->consents[0].done, STORE_ERASED_PERSONAL);
    assert_int_equal(change->erasure->consents[0].due, INT64_MIN);
    uint64_t notice = change->done.log_index;
    store_change_free(change);
    assert_int_equal(event_at(f, notice, &opens, &personal).code, STORE_ERASURE_PERSONAL);
    assert_int_equal(rows_with(f, SPAN("acc-1")), 0);
    assert_int_equal(rows_with(f, SPAN(IP)), 0);
    assert_true(rows_with(f, SPAN(EXTERNAL)) > 0);
    (void)event_at(f, c.created_entry, &opens, &personal);
    assert_true(opens);
    assert_false(personal);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, c.index, &c), STATUS_OK);
    assert_int_equal(c.erased, STORE_ERASED_PERSONAL);
    assert_int_equal(store_consent_terms(f->reader, &c, &terms), STATUS_OK);
    assert_int_equal(terms.account.size, 0);
    assert_true(terms.terms.size > 0);
    store_read_end(f->reader);
    /* it is gone: not twice, and nothing is added to it */
    assert_int_equal(run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_PERSONAL,
                                                STORE_GROUND_CONSENT_WITHDRAWN)),
                     STATUS_ERASED);
    change = new_change(f, STORE_PROOFS, TENANT);
    change->id = c.id;
    change->proofs_json = SPAN("{\"type\":\"x\"}");
    assert_int_equal(run_and_free(f, change), STATUS_ERASED);
}

static void before_its_time_the_whole_waits_and_the_personal_part_goes(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    struct store_change *change = erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_OBJECTION);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_int_equal(change->erasure->consents[0].done, STORE_ERASED_PERSONAL);
    assert_int_equal(change->erasure->consents[0].due, time_of(DUE));
    store_change_free(change);
    uint64_t entries = entries_of(f);
    reopen(f);
    /* asked again: the same, without another row or entry */
    change = erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_OBJECTION);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_int_equal(change->erasure->consents[0].done, STORE_ERASED_PERSONAL);
    assert_int_equal(change->erasure->consents[0].due, time_of(DUE));
    assert_int_equal(change->done.log_index, STORE_INDEX_NONE);
    store_change_free(change);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(count_of(f, DB_ERASURE), 2);
    fixture_set_time(f, "2027-03-31T23:59:59.999Z");
    (void)create(f, APP, "acc-2");
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_PERSONAL);
    fixture_set_time(f, DUE);
    (void)create(f, APP, "acc-3");
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

static void where_the_ground_does_not_permit_it_nothing_goes_before_its_time(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    uint64_t entries = entries_of(f);
    uint32_t traces = traces_of(f, "acc-1");
    for (enum store_erased part = STORE_ERASED_PERSONAL; part <= STORE_ERASED_WHOLE; part++) {
        struct store_change *change = erasure_of(f, &c.id, part, STORE_GROUND_NO_LONGER_NECESSARY);
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        assert_int_equal(change->erasure->consents[0].done, STORE_KEPT);
        assert_int_equal(change->erasure->consents[0].due, time_of(DUE));
        assert_int_equal(change->done.log_index, STORE_INDEX_NONE);
        store_change_free(change);
    }
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(traces_of(f, "acc-1"), traces);
}

static void refusals_change_nothing(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    uint64_t entries = entries_of(f);
    const struct uuid nobody = {{9}};
    const enum store_ground ground = STORE_GROUND_CONSENT_WITHDRAWN;
    struct store_change *change = erasure_of(f, &c.id, STORE_ERASED_WHOLE, ground);
    assert_int_equal(fixture_run(f, change), STATUS_WRONG_STATE);
    assert_string_equal(change->detail, "an active consent must be ended first");
    store_change_free(change);
    assert_int_equal(run_and_free(f, erasure_of_account(f, "acc-1", STORE_ERASED_WHOLE, ground)),
                     STATUS_WRONG_STATE);
    assert_int_equal(run_and_free(f, erasure_of(f, &nobody, STORE_ERASED_WHOLE, ground)),
                     STATUS_NOT_FOUND);
    assert_int_equal(run_and_free(f, erasure_of_account(f, "acc-9", STORE_ERASED_WHOLE, ground)),
                     STATUS_NOT_FOUND);
    /* another tenant's (invariant 9) */
    change = erasure_of(f, &c.id, STORE_ERASED_WHOLE, ground);
    change->tenant = keep(change, OTHER_TENANT);
    assert_int_equal(run_and_free(f, change), STATUS_NOT_FOUND);
    change = erasure_of_account(f, "acc-1", STORE_ERASED_WHOLE, ground);
    change->erasure->provider = keep(change, OTHER_TENANT);
    assert_int_equal(run_and_free(f, change), STATUS_NOT_FOUND);
    assert_int_equal(entries_of(f), entries);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

static void an_account_goes_with_what_found_no_consent(void **state) {
    struct fixture *f = *state;
    decide(f, "acc-1", 1);
    disclose(f, "acc-1");
    decide(f, "acc-2", 1);
    struct store_consent c = ended(f, "acc-1");
    (void)create(f, APP, "acc-2");
    fixture_set_time(f, DUE);
    struct store_change *change =
        erasure_of_account(f, "acc-1", STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_int_equal(change->erasure->consent_count, 1);
    assert_true(uuid_equal(&change->erasure->consents[0].id, &c.id));
    store_change_free(change);
    assert_int_equal(traces_of(f, "acc-1"), 1); /* the other's address */
    assert_true(rows_with(f, SPAN("acc-2")) > 1);
    assert_int_equal(run_and_free(f, erasure_of_account(f, "acc-1", STORE_ERASED_WHOLE,
                                                        STORE_GROUND_NO_LONGER_NECESSARY)),
                     STATUS_NOT_FOUND);
}

static void what_the_clock_ended_is_recorded_first(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    bool opens, personal;
    fixture_set_time(f, "2028-01-01T00:00:00Z");
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    c = look(f, c.index);
    assert_int_equal(c.recorded, CONSENT_EXPIRED);
    assert_int_equal(event_at(f, c.status_entry, &opens, &personal).code, STORE_CONSENT_EXPIRED);
    assert_false(opens);
}

static void more_than_a_commit_takes_goes_on_after_it(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    for (int i = 0; i < 3; i++)
        decide(f, "acc-1", 500);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    fixture_set_time(f, DUE);
    uint64_t last = entries_of(f);
    struct store_change *change =
        erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->erasure->goes_on);
    store_change_free(change);
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    (void)create(f, OTHER_APP, "acc-2"); /* the sweep runs before any change */
    assert_int_equal(rows_with(f, SPAN("acc-1")), 0);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
    bool opens, personal;
    assert_int_equal(event_at(f, last, &opens, &personal).code, STORE_ERASURE_WHOLE);
    struct store_event second = event_at(f, last + 1, &opens, &personal);
    assert_int_equal(second.code, STORE_ERASURE_WHOLE);
    assert_int_equal(second.role, STORE_BY_SYSTEM);
    assert_true(opens);
}

/* It goes on in the very millisecond that the whole is due. */
static void what_goes_on_leaves_what_waits_alone(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    for (int i = 0; i < 5; i++)
        decide(f, "acc-1", 500);
    fixture_set_time(f, ENDED);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_OBJECTION)),
        STATUS_OK);
    fixture_set_time(f, DUE);
    for (int i = 0; i < 8; i++) { /* each with a step of the sweep before it */
        char account[32];
        snprintf(account, sizeof account, "other-%d", i);
        (void)create(f, OTHER_APP, account);
    }
    assert_int_equal(look(f, c.index).erased, STORE_ERASED_WHOLE);
    assert_int_equal(rows_with(f, SPAN("acc-1")), 0);
    assert_int_equal(rows_with(f, SPAN(EXTERNAL)), 0);
    assert_int_equal(count_of(f, DB_ERASURE), 0);
}

/* The first answer cannot be given again. */
static void a_key_of_what_was_erased_is_gone(void **state) {
    struct fixture *f = *state;
    struct store_consent c = make_full(f, "acc-1");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, APP, "acc-1");
    change->has_key = true;
    memcpy(change->key.bytes, "acc-1", 5);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->replayed);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_PERSONAL, STORE_GROUND_OBJECTION)),
        STATUS_OK);
    uint64_t entries = entries_of(f);
    assert_int_equal(fixture_run(f, change), STATUS_ERASED);
    assert_false(change->replayed);
    store_change_free(change);
    assert_int_equal(entries_of(f), entries);
}

/* An old id still ends what is active in its arrangement, erased or not. */
static void the_past_of_what_was_erased_can_be_asked_about(void **state) {
    struct fixture *f = *state;
    struct store_consent c = ended(f, "acc-1");
    struct store_consent then = c;
    fixture_set_time(f, DUE);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, c.index, &then), STATUS_OK);
    struct store_terms terms;
    assert_int_equal(store_consent_terms(f->reader, &then, &terms), STATUS_ERASED);
    assert_int_equal(store_consent_as_of(f->reader, c.created_entry, &then), STATUS_OK);
    assert_int_equal(then.status, CONSENT_ACTIVE);
    assert_int_equal(then.version, 1);
    struct arena arena = {0};
    struct store_event_page page;
    struct store_event_filter filter = {.everyone = true,
                                        .has_consent = true,
                                        .consent = c.id,
                                        .history = true,
                                        .from = INT64_MIN,
                                        .to = INT64_MAX};
    assert_int_equal(store_event_query(f->reader, &filter, 0, 16, &arena, &page), STATUS_OK);
    assert_int_equal(page.count, 3); /* granted, token, revoked */
    struct store_filter all = {.everyone = true,
                               .granted_from = INT64_MIN,
                               .granted_to = INT64_MAX,
                               .expires_before = INT64_MAX};
    struct store_page listed;
    assert_int_equal(store_consent_query(f->reader, &all, 0, 10, &arena, &listed), STATUS_OK);
    assert_int_equal(listed.count, 0);
    store_read_end(f->reader);
    arena_release(&arena);
    decide(f, "acc-1", 1); /* it permits nothing, and is not found */
}

static struct store_change *read_by_token(struct fixture *f, unsigned char byte) {
    struct store_change *change = new_change(f, STORE_READ_PERMISSION, APP);
    change->tenant = SPAN_NONE;
    change->peer = arena_array(&change->arena, 1, sizeof *change->peer);
    memset(change->peer->token.bytes, byte, sizeof change->peer->token.bytes);
    return change;
}

/* Nothing of what its token, its provenance step and its link to another store were is left. */
static void what_others_know_it_by_goes_with_it(void **state) {
    struct fixture *f = *state;
    struct store_member member = {.external = true, .expires = INT64_MAX};
    const struct store_group group = {&member, 1};
    char link[UUID_SIZE];
    memset(member.token_digest.bytes, 0x55, sizeof member.token_digest.bytes);
    memset(link, 0x55, sizeof link);
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_full(f, change, "acc-1");
    change->draft.groups = &group;
    change->draft.group_count = 1;
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    struct store_consent c = look(f, change->done.consent);
    store_change_free(change);
    change = new_change(f, STORE_STEP, TENANT);
    change->id = c.id;
    change->step = SPAN("step-1");
    assert_int_equal(run_and_free(f, change), STATUS_OK);
    assert_int_equal(run_and_free(f, read_by_token(f, 0x77)), STATUS_OK);
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(rows_with(f, SPAN("step-1")), 1);
    assert_int_equal(rows_with(f, span_of(link, sizeof link)), 2);
    assert_int_equal(count_of(f, DB_BY_STEP), 1);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_PERSONAL, STORE_GROUND_OBJECTION)),
        STATUS_OK);
    assert_int_equal(run_and_free(f, read_by_token(f, 0x77)), STATUS_ERASED);
    fixture_set_time(f, DUE);
    assert_int_equal(
        run_and_free(f, erasure_of(f, &c.id, STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY)),
        STATUS_OK);
    assert_int_equal(traces_of(f, "acc-1"), 0);
    assert_int_equal(rows_with(f, SPAN("step-1")), 0);
    assert_int_equal(rows_with(f, span_of(link, sizeof link)), 0);
    assert_int_equal(count_of(f, DB_BY_STEP), 0);
    assert_int_equal(run_and_free(f, read_by_token(f, 0x77)), STATUS_NOT_FOUND);
}

/* A client may come with a token after the consent has ended: it is kept from then on. */
static void retention_counts_from_the_last_token(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *expires, *due;
    } cases[] = {
        {"2026-03-20T00:00:00Z", DUE},                    /* before the end */
        {"2026-04-05T00:00:00Z", "2027-04-05T00:00:00Z"}, /* after it */
        {"2030-01-01T00:00:00Z", "2027-04-11T10:00:00Z"}, /* but not after the consent's expiry */
    };
    struct uuid ids[3];
    for (unsigned char i = 0; i < 3; i++) {
        const char account[] = {'a', (char)('0' + i), '\0'};
        struct store_token tokens[2] = {{.issued_at = 0, .expires = 0}};
        struct store_change *change = new_change(f, STORE_CREATE, TENANT);
        fill_draft(f, change, APP, account);
        tokens[0].digest.bytes[0] = (unsigned char)(2 * i + 1);
        tokens[1].digest.bytes[0] = (unsigned char)(2 * i + 2);
        tokens[0].expires = time_of(cases[i].expires);
        change->draft.tokens = tokens;
        change->draft.token_count = 2;
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        ids[i] = look(f, change->done.consent).id;
        store_change_free(change);
    }
    fixture_set_time(f, ENDED);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(end_consent(f, &ids[i], "withdrawn", CONSENT_REVOKED), STATUS_OK);
        struct store_change *change =
            erasure_of(f, &ids[i], STORE_ERASED_WHOLE, STORE_GROUND_NO_LONGER_NECESSARY);
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        assert_int_equal(change->erasure->consents[0].due, time_of(cases[i].due));
        store_change_free(change);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(nothing_is_found_of_a_consent_that_was_erased),
        T(a_request_goes_with_what_was_granted),
        T(the_notice_tells_which_entries_and_nobody),
        T(the_personal_part_can_go_alone),
        T(before_its_time_the_whole_waits_and_the_personal_part_goes),
        T(where_the_ground_does_not_permit_it_nothing_goes_before_its_time),
        T(refusals_change_nothing),
        T(an_account_goes_with_what_found_no_consent),
        T(what_the_clock_ended_is_recorded_first),
        T(more_than_a_commit_takes_goes_on_after_it),
        T(what_goes_on_leaves_what_waits_alone),
        T(a_key_of_what_was_erased_is_gone),
        T(the_past_of_what_was_erased_can_be_asked_about),
        T(what_others_know_it_by_goes_with_it),
        T(retention_counts_from_the_last_token),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
