/* Reading and ending by the digest of a token, also of one that nobody knows yet; messages about
 * tokens of other stores; and the ids of provenance steps. */
// SPDX-License-Identifier: Apache-2.0
#include "support_store.h"

#include "store/peer.h"
#include "store/question.h"

static struct digest digest_number(unsigned number) {
    struct digest d = {{0}};
    memcpy(d.bytes + 8, &number, sizeof number);
    d.bytes[0] = 0xd1;
    return d;
}

static struct store_change *peer_change(struct fixture *f, enum store_op op, const char *actor,
                                        unsigned token) {
    struct store_change *change = new_change(f, op, actor);
    change->tenant = SPAN_NONE;
    change->peer = arena_array(&change->arena, 1, sizeof *change->peer);
    change->peer->token = digest_number(token);
    return change;
}

static enum status peer(struct fixture *f, enum store_op op, const char *actor, unsigned token) {
    struct store_change *change = peer_change(f, op, actor, token);
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

static void add_token(struct fixture *f, struct store_change *change, unsigned number,
                      const struct store_token **tokens, uint32_t *count) {
    struct store_token *token = arena_array(&change->arena, 1, sizeof *token);
    token->digest = digest_number(number);
    token->issued_at = store_time_ms(f->store);
    token->expires = token->issued_at + (int64_t)number * 1000;
    *tokens = token;
    *count = 1;
}

static uint64_t create_with_token(struct fixture *f, const char *app, const char *account,
                                  unsigned token) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, app, account);
    add_token(f, change, token, &change->draft.tokens, &change->draft.token_count);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    struct store_consent c = look(f, index);
    assert_true(c.last_entry == change->done.log_index);
    store_change_free(change);
    return index;
}

static enum status register_token(struct fixture *f, const struct store_consent *c,
                                  unsigned token) {
    struct store_change *change = new_change(f, STORE_TOKENS, TENANT);
    change->id = c->id;
    add_token(f, change, token, &change->tokens, &change->token_count);
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

static uint64_t renew(struct fixture *f, const struct store_consent *c, const char *account,
                      unsigned token) {
    struct store_change *change = new_change(f, STORE_RENEW, TENANT);
    change->id = c->id;
    fill_draft(f, change, APP, account);
    if (token != 0)
        add_token(f, change, token, &change->draft.tokens, &change->draft.token_count);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return index;
}

static uint64_t entries(struct fixture *f) {
    struct store_stats stats;
    store_stats_get(f->store, &stats);
    return stats.entries;
}

static enum store_event_code code_at(struct fixture *f, uint64_t index) {
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, index, &event), STATUS_OK);
    store_read_end(f->reader);
    return event.code;
}

static bool payload_has(struct fixture *f, uint64_t index, const char *text) {
    struct store_event event;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_get(f->reader, index, &event), STATUS_OK);
    bool has = memmem(event.payload.data, event.payload.size, text, strlen(text)) != NULL;
    store_read_end(f->reader);
    return has;
}

/* ---- permission records */

static void read_gives(struct fixture *f, unsigned token, uint64_t consent) {
    struct store_change *change = peer_change(f, STORE_READ_PERMISSION, APP, token);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->done.consent == consent);
    assert_true(change->peer->found.expires - change->peer->found.issued_at == token * 1000);
    assert_true(change->done.log_index == entries(f) - 1);
    assert_int_equal(code_at(f, change->done.log_index), STORE_PEER_PERMISSION_READ);
    store_change_free(change);
}

static void each_token_of_an_arrangement_finds_its_newest_grant(void **state) {
    struct fixture *f = *state;
    const struct store_consent first = look(f, create_with_token(f, APP, "acc-1", 1));
    read_gives(f, 1, first.index);
    assert_int_equal(register_token(f, &first, 2), STATUS_OK);
    read_gives(f, 1, first.index);
    read_gives(f, 2, first.index);
    uint64_t second = renew(f, &first, "acc-1", 3);
    for (unsigned token = 1; token <= 3; token++)
        read_gives(f, token, second);
    assert_int_equal(end_consent(f, &first.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    f->clock.start_ms += 700 * DAY_MS;
    for (unsigned token = 1; token <= 3; token++)
        read_gives(f, token, second);
    struct store_consent now = look(f, second);
    assert_int_equal(now.recorded, CONSENT_REVOKED);
    assert_int_equal(now.version, 3); /* granted, token, revoked: reading changes nothing */
}

/* Nor does the log, whose entries others see the number of, tell them apart. */
static void anothers_token_is_like_an_unknown_one(void **state) {
    struct fixture *f = *state;
    const struct store_consent c = look(f, create_with_token(f, APP, "acc-1", 1));
    create_with_token(f, OTHER_APP, "acc-2", 2);
    uint64_t before = entries(f);
    assert_int_equal(peer(f, STORE_READ_PERMISSION, OTHER_APP, 1), STATUS_NOT_FOUND);
    assert_int_equal(peer(f, STORE_READ_PERMISSION, OTHER_APP, 9), STATUS_NOT_FOUND);
    assert_int_equal(peer(f, STORE_READ_PERMISSION, "https://nobody.example/app", 1),
                     STATUS_NOT_FOUND);
    assert_int_equal(entries(f), before);
    for (unsigned token = 1; token <= 9; token += 8) {
        struct store_change *change = peer_change(f, STORE_REVOKE_TOKEN, OTHER_APP, token);
        assert_int_equal(fixture_run(f, change), STATUS_OK);
        assert_false(change->peer->known);
        assert_true(payload_has(f, change->done.log_index, "\"outcome\":\"unknown\""));
        store_change_free(change);
        assert_int_equal(entries(f), ++before);
    }
    assert_int_equal(look(f, c.index).status, CONSENT_ACTIVE);
}

static void what_is_no_refresh_token_is_told_so_unless_it_is_registered(void **state) {
    struct fixture *f = *state;
    static const enum store_op ops[] = {STORE_READ_PERMISSION, STORE_REVOKE_TOKEN};
    create_with_token(f, APP, "acc-1", 1);
    for (size_t i = 0; i < 2; i++) {
        for (unsigned token = 1; token <= 2; token++) {
            uint64_t before = entries(f);
            struct store_change *change = peer_change(f, ops[i], APP, token);
            change->peer->never_refresh = true;
            assert_int_equal(fixture_run(f, change),
                             token == 1 ? STATUS_OK : STATUS_INVALID_PARAMETER);
            store_change_free(change);
            if (token == 2)
                assert_int_equal(entries(f), before);
        }
    }
    assert_int_equal(look(f, create_with_token(f, APP, "acc-2", 2)).status, CONSENT_ACTIVE);
}

/* ---- revocations */

static void a_revoked_token_ends_the_arrangements_consent(void **state) {
    struct fixture *f = *state;
    const struct store_consent first = look(f, create_with_token(f, APP, "acc-1", 1));
    uint64_t second = renew(f, &first, "acc-1", 2);
    struct store_change *change = peer_change(f, STORE_REVOKE_TOKEN, APP, 1);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->peer->known && change->done.consent == second);
    uint64_t entry = change->done.log_index;
    store_change_free(change);
    struct store_consent ended = look(f, second);
    assert_int_equal(ended.recorded, CONSENT_REVOKED);
    assert_int_equal(ended.by, CONSENT_BY_CLIENT);
    assert_true(ended.status_entry == entry);
    assert_int_equal(code_at(f, entry), STORE_CONSENT_REVOKED);
    assert_true(payload_has(f, entry, "\"reason\":\"withdrawnAtClient\""));
    assert_int_equal(code_at(f, entry - 1), STORE_PEER_REVOCATION);
    assert_true(payload_has(f, entry - 1, "\"outcome\":\"ended\""));
    assert_false(payload_has(f, entry - 1, "digest"));
}

static void a_second_revocation_keeps_the_first_time(void **state) {
    struct fixture *f = *state;
    uint64_t index = create_with_token(f, APP, "acc-1", 1);
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, 1), STATUS_OK);
    struct store_consent first = look(f, index);
    f->clock.start_ms += DAY_MS;
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, 1), STATUS_OK);
    struct store_consent again = look(f, index);
    assert_true(again.status_at == first.status_at && again.version == first.version);
    assert_true(payload_has(f, entries(f) - 1, "\"outcome\":\"endedBefore\""));
}

static void a_token_of_several_arrangements_ends_them_all(void **state) {
    struct fixture *f = *state;
    uint64_t one = create_with_token(f, APP, "acc-1", 1);
    uint64_t other = create_with_token(f, APP, "acc-2", 1);
    uint64_t foreign = create_with_token(f, OTHER_APP, "acc-3", 1);
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, 1), STATUS_OK);
    assert_int_equal(look(f, one).recorded, CONSENT_REVOKED);
    assert_int_equal(look(f, other).recorded, CONSENT_REVOKED);
    assert_int_equal(look(f, foreign).recorded, CONSENT_ACTIVE);
}

/* ---- revoked before it was known */

static void is_ended_by_its_client(struct fixture *f, uint64_t index, uint64_t cause) {
    char text[64];
    struct store_consent c = look(f, index);
    assert_int_equal(c.recorded, CONSENT_REVOKED);
    assert_int_equal(c.by, CONSENT_BY_CLIENT);
    snprintf(text, sizeof text, "\"cause\":{\"logIndex\":%llu}", (unsigned long long)cause);
    assert_true(payload_has(f, c.status_entry, text));
    assert_true(payload_has(f, c.status_entry, "\"reason\":\"withdrawnAtClient\""));
}

static void what_was_revoked_early_ends_as_soon_as_it_is_registered(void **state) {
    struct fixture *f = *state;
    const uint64_t revoked = entries(f);
    for (unsigned token = 1; token <= 3; token++)
        assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, token), STATUS_OK);
    is_ended_by_its_client(f, create_with_token(f, APP, "acc-1", 1), revoked);
    const struct store_consent c = create(f, APP, "acc-2");
    assert_int_equal(register_token(f, &c, 2), STATUS_OK);
    is_ended_by_its_client(f, c.index, revoked + 1);
    const struct store_consent d = create(f, APP, "acc-3");
    is_ended_by_its_client(f, renew(f, &d, "acc-3", 3), revoked + 2);
    /* each was applied once */
    assert_int_equal(look(f, create_with_token(f, APP, "acc-4", 1)).recorded, CONSENT_ACTIVE);
}

static void a_grant_of_what_was_revoked_early_is_recorded_and_ended(void **state) {
    struct fixture *f = *state;
    const uint64_t revoked = entries(f);
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, 1), STATUS_OK);
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, APP, "acc-1");
    change->draft.ask.granted = false;
    change->draft.grant_json = change->draft.grant_private_json = SPAN("");
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    const struct store_consent requested = look(f, change->done.consent);
    store_change_free(change);
    change = new_change(f, STORE_GRANT, TENANT);
    change->id = requested.id;
    fill_draft(f, change, APP, "acc-1");
    add_token(f, change, 1, &change->draft.tokens, &change->draft.token_count);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    assert_true(change->done.log_index == look(f, requested.index).status_entry);
    store_change_free(change);
    is_ended_by_its_client(f, requested.index, revoked);
}

static void an_early_revocation_is_of_its_client_alone(void **state) {
    struct fixture *f = *state;
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, OTHER_APP, 1), STATUS_OK);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-1", 1)).recorded, CONSENT_ACTIVE);
    assert_int_equal(look(f, create_with_token(f, OTHER_APP, "acc-2", 1)).recorded,
                     CONSENT_REVOKED);
}

static void an_early_revocation_survives_a_restart(void **state) {
    struct fixture *f = *state;
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, APP, 1), STATUS_OK);
    fixture_close(f);
    fixture_open(f, false);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-1", 1)).recorded, CONSENT_REVOKED);
}

/* So many at once that they share commits. */
static void peer_many(struct fixture *f, enum store_op op, unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(store_submit(f->store, 0, peer_change(f, op, APP, first + i)), STATUS_OK);
    pthread_mutex_lock(&f->lock);
    while (count > 0) {
        struct store_change *answer = store_take(f->store, 0);
        if (answer == NULL)
            pthread_cond_wait(&f->woken, &f->lock);
        for (struct store_change *next; answer != NULL; answer = next, count--) {
            next = answer->next;
            assert_int_equal(answer->done.status, STATUS_OK);
            store_change_free(answer);
        }
    }
    pthread_mutex_unlock(&f->lock);
}

static void of_a_clients_early_revocations_the_newest_are_kept(void **state) {
    struct fixture *f = *state;
    assert_int_equal(peer(f, STORE_REVOKE_TOKEN, OTHER_APP, 1), STATUS_OK);
    peer_many(f, STORE_REVOKE_TOKEN, 1, LIMIT_PENDING);
    peer_many(f, STORE_REVOKE_TOKEN, 1, 1); /* again: it has its place already */
    assert_int_equal(look(f, create_with_token(f, APP, "acc-1", 1)).recorded, CONSENT_REVOKED);
    peer_many(f, STORE_REVOKE_TOKEN, LIMIT_PENDING + 1, 1);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-2", 2)).recorded, CONSENT_REVOKED);
    peer_many(f, STORE_REVOKE_TOKEN, LIMIT_PENDING + 2, 2);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-3", 3)).recorded, CONSENT_ACTIVE);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-4", 4)).recorded, CONSENT_REVOKED);
    assert_int_equal(look(f, create_with_token(f, APP, "acc-5", LIMIT_PENDING + 3)).recorded,
                     CONSENT_REVOKED);
    assert_int_equal(look(f, create_with_token(f, OTHER_APP, "acc-6", 1)).recorded,
                     CONSENT_REVOKED);
}

/* ---- links to other stores */

/* A consent that depends on any of these tokens of another store; 0: an arrangement instead. */
static struct store_change *linked_change(struct fixture *f, const char *account,
                                          const unsigned *tokens, unsigned count,
                                          const struct uuid *arrangement) {
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    struct store_group *group = arena_array(&change->arena, 1, sizeof *group);
    struct store_member *members = arena_array(&change->arena, count + 1, sizeof *members);
    fill_draft(f, change, APP, account);
    for (unsigned i = 0; i < count; i++)
        members[i] = (struct store_member){.external = true,
                                           .token_digest = digest_number(tokens[i]),
                                           .expires = store_time_ms(f->store) + 20 * DAY_MS};
    if (arrangement != NULL)
        members[count++] = (struct store_member){.arrangement = *arrangement};
    *group = (struct store_group){members, count};
    change->draft.groups = group;
    change->draft.group_count = 1;
    return change;
}

static struct store_consent create_linked(struct fixture *f, const char *account,
                                          const unsigned *tokens, unsigned count,
                                          const struct uuid *arrangement) {
    struct store_change *change = linked_change(f, account, tokens, count, arrangement);
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    uint64_t index = change->done.consent;
    store_change_free(change);
    return look(f, index);
}

static bool permitted_at(struct fixture *f, const struct store_consent *consent,
                         uint64_t position) {
    struct store_ruling ruling;
    struct policy_attribute none = {.kind = POLICY_ABSENT};
    struct store_moment moment = {position, store_time_ms(f->store)};
    struct store_question question = {.about = STORE_ABOUT_CONSENT,
                                      .tenant = SPAN(TENANT),
                                      .client = SPAN(APP),
                                      .consent = consent->id};
    question.ask = (struct policy_request){.subject_type = SPAN("application"),
                                           .subject_id = question.client,
                                           .action_name = SPAN("read"),
                                           .resource_type = SPAN("consent"),
                                           .purpose = -1,
                                           .from = INT64_MIN,
                                           .to = INT64_MIN,
                                           .attributes = &none};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    enum status status = position == 0
                             ? store_decide(f->reader, f->pack, &question, &ruling)
                             : store_decide_as_of(f->reader, f->pack, &question, &moment, &ruling);
    store_read_end(f->reader);
    assert_int_equal(status, STATUS_OK);
    return ruling.decision.permitted;
}

static void a_message_ends_what_depends_on_its_token(void **state) {
    struct fixture *f = *state;
    const unsigned one = 1, other = 2, both[] = {1, 2};
    const struct store_consent root = create(f, APP, "root");
    const struct store_consent hit = create_linked(f, "acc-1", &one, 1, NULL);
    const struct store_consent below = create_linked(f, "acc-2", &other, 0, &hit.id);
    const struct store_consent kept = create_linked(f, "acc-3", &one, 1, &root.id);
    const struct store_consent second = create_linked(f, "acc-4", both, 2, NULL);
    uint64_t before = entries(f);
    assert_true(permitted_at(f, &hit, 0));
    assert_int_equal(peer(f, STORE_MESSAGE, "https://edp.example/app", 1), STATUS_OK);
    assert_int_equal(code_at(f, before), STORE_PEER_MESSAGE);
    assert_true(payload_has(f, before, "\"tenant\":\"" TENANT "\""));
    assert_true(payload_has(f, before, "\"clientId\":\"https://edp.example/app\""));
    assert_true(payload_has(f, before, "\"outcome\":\"withdrawn\""));
    struct store_consent ended = look(f, hit.index);
    assert_int_equal(ended.recorded, CONSENT_TERMINATED);
    assert_true(payload_has(f, ended.status_entry, "\"reason\":\"linkedConsentEnded\""));
    char cause[64];
    snprintf(cause, sizeof cause, "\"cause\":{\"logIndex\":%llu}", (unsigned long long)before);
    assert_true(payload_has(f, ended.status_entry, cause));
    assert_int_equal(look(f, below.index).recorded, CONSENT_TERMINATED);
    assert_int_equal(look(f, kept.index).recorded, CONSENT_ACTIVE);
    assert_int_equal(look(f, second.index).recorded, CONSENT_ACTIVE);
    assert_int_equal(peer(f, STORE_MESSAGE, "https://edp.example/app", 2), STATUS_OK);
    assert_int_equal(look(f, second.index).recorded, CONSENT_TERMINATED);
    /* and what was before stays as it was */
    assert_true(permitted_at(f, &hit, before));
    assert_false(permitted_at(f, &hit, before + 1));
}

static void a_link_to_a_withdrawn_token_is_none(void **state) {
    struct fixture *f = *state;
    const unsigned one = 1;
    assert_int_equal(peer(f, STORE_MESSAGE, OTHER_APP, 1), STATUS_OK);
    assert_true(payload_has(f, entries(f) - 1, "\"outcome\":\"unknown\""));
    struct store_change *change = linked_change(f, "acc-1", &one, 1, NULL);
    assert_int_equal(fixture_run(f, change), STATUS_NOT_ADMISSIBLE);
    store_change_free(change);
}

static void a_second_message_is_told_apart_and_changes_nothing(void **state) {
    struct fixture *f = *state;
    const unsigned one = 1;
    const struct store_consent c = create_linked(f, "acc-1", &one, 1, NULL);
    assert_int_equal(peer(f, STORE_MESSAGE, OTHER_APP, 1), STATUS_OK);
    struct store_consent ended = look(f, c.index);
    assert_int_equal(peer(f, STORE_MESSAGE, OTHER_APP, 1), STATUS_OK);
    assert_true(payload_has(f, entries(f) - 1, "\"outcome\":\"withdrawnBefore\""));
    assert_int_equal(look(f, c.index).version, ended.version);
}

/* A flood of its sender makes it forget neither what is used nor, at first, the rest. */
static void a_withdrawal_that_is_used_is_never_forgotten(void **state) {
    struct fixture *f = *state;
    const unsigned used = 5001, unused = 5002, later = 5003;
    const struct store_consent root = create(f, APP, "root");
    (void)create_linked(f, "acc-1", &used, 1, NULL);
    peer_many(f, STORE_MESSAGE, used, 3); /* the last two are of nobody here */
    const struct store_consent linked = create_linked(f, "acc-2", &later, 1, &root.id);
    peer_many(f, STORE_MESSAGE, 1, LIMIT_PENDING);
    const unsigned tokens[] = {used, unused, later};
    for (unsigned i = 0; i < 3; i++) {
        struct store_change *change = linked_change(f, "acc-3", &tokens[i], 1, NULL);
        assert_int_equal(fixture_run(f, change),
                         tokens[i] == unused ? STATUS_OK : STATUS_NOT_ADMISSIBLE);
        store_change_free(change);
    }
    assert_int_equal(end_consent(f, &root.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(look(f, linked.index).recorded, CONSENT_TERMINATED);
}

/* ---- provenance steps */

static struct store_change *step_change(struct fixture *f, const struct store_consent *c,
                                        const char *id, bool is_new) {
    struct store_change *change = new_change(f, STORE_STEP, TENANT);
    change->id = c->id;
    change->step = keep(change, id);
    change->step_is_new = is_new;
    return change;
}

static enum status add_step(struct fixture *f, const struct store_consent *c, const char *id,
                            bool is_new) {
    struct store_change *change = step_change(f, c, id, is_new);
    enum status status = fixture_run(f, change);
    store_change_free(change);
    return status;
}

static uint32_t events_of_step(struct fixture *f, const char *id, uint64_t *first) {
    struct arena arena = {0};
    struct store_event_page page;
    struct span tenant = SPAN(TENANT);
    const struct store_event_filter filter = {.tenants = &tenant,
                                              .tenant_count = 1,
                                              .step = span_of_text(id),
                                              .from = INT64_MIN,
                                              .to = INT64_MAX};
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_event_query(f->reader, &filter, 0, 10, &arena, &page), STATUS_OK);
    uint32_t count = page.count;
    if (count != 0)
        *first = page.items[0].index;
    store_read_end(f->reader);
    arena_release(&arena);
    return count;
}

static void a_step_is_a_fact_and_found_by_its_id(void **state) {
    struct fixture *f = *state;
    const char *id = "kR8/+q\\\"0Z";
    uint64_t entry = 0;
    const struct store_consent c = create(f, APP, "acc-1");
    const struct store_consent other = create(f, APP, "acc-2");
    assert_int_equal(add_step(f, &c, id, true), STATUS_OK);
    assert_int_equal(events_of_step(f, id, &entry), 1);
    assert_int_equal(code_at(f, entry), STORE_CONSENT_STEP_ADDED);
    assert_int_equal(add_step(f, &c, id, true), STATUS_OK); /* is known */
    assert_int_equal(look(f, c.index).version, 2);
    assert_int_equal(look(f, c.index).step_count, 1);
    assert_int_equal(add_step(f, &other, id, false), STATUS_OK);
    assert_int_equal(events_of_step(f, id, &entry), 2);
    struct arena arena = {0};
    struct store_facts facts;
    struct store_consent whole;
    assert_int_equal(store_read_begin(f->reader), STATUS_OK);
    assert_int_equal(store_consent_by_index(f->reader, c.index, &whole), STATUS_OK);
    assert_int_equal(store_consent_facts(f->reader, &whole, &arena, &facts), STATUS_OK);
    assert_int_equal(facts.step_count, 1);
    assert_true(span_is(facts.steps[0], "\"kR8/+q\\\\\\\"0Z\""));
    assert_int_equal(store_consent_as_of(f->reader, c.last_entry, &whole), STATUS_OK);
    assert_int_equal(whole.step_count, 0);
    store_read_end(f->reader);
    arena_release(&arena);
}

static void a_new_step_needs_an_active_consent_an_old_one_a_granted(void **state) {
    struct fixture *f = *state;
    const struct store_consent c = create(f, APP, "acc-1");
    assert_int_equal(end_consent(f, &c.id, "withdrawn", CONSENT_REVOKED), STATUS_OK);
    assert_int_equal(add_step(f, &c, "a", true), STATUS_WRONG_STATE);
    assert_int_equal(add_step(f, &c, "b", false), STATUS_OK);
    struct store_change *change = new_change(f, STORE_CREATE, TENANT);
    fill_draft(f, change, APP, "acc-2");
    change->draft.ask.granted = false;
    change->draft.grant_json = change->draft.grant_private_json = SPAN("");
    assert_int_equal(fixture_run(f, change), STATUS_OK);
    const struct store_consent requested = look(f, change->done.consent);
    store_change_free(change);
    assert_int_equal(add_step(f, &requested, "a", true), STATUS_WRONG_STATE);
    assert_int_equal(add_step(f, &requested, "b", false), STATUS_WRONG_STATE);
    change = step_change(f, &c, "c", false);
    change->tenant = change->actor = keep(change, OTHER_TENANT);
    assert_int_equal(fixture_run(f, change), STATUS_NOT_FOUND);
    store_change_free(change);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_token_of_an_arrangement_finds_its_newest_grant),
        TEST(anothers_token_is_like_an_unknown_one),
        TEST(what_is_no_refresh_token_is_told_so_unless_it_is_registered),
        TEST(a_revoked_token_ends_the_arrangements_consent),
        TEST(a_second_revocation_keeps_the_first_time),
        TEST(a_token_of_several_arrangements_ends_them_all),
        TEST(what_was_revoked_early_ends_as_soon_as_it_is_registered),
        TEST(a_grant_of_what_was_revoked_early_is_recorded_and_ended),
        TEST(an_early_revocation_is_of_its_client_alone),
        TEST(an_early_revocation_survives_a_restart),
        TEST(of_a_clients_early_revocations_the_newest_are_kept),
        TEST(a_message_ends_what_depends_on_its_token),
        TEST(a_link_to_a_withdrawn_token_is_none),
        TEST(a_second_message_is_told_apart_and_changes_nothing),
        TEST(a_withdrawal_that_is_used_is_never_forgotten),
        TEST(a_step_is_a_fact_and_found_by_its_id),
        TEST(a_new_step_needs_an_active_consent_an_old_one_a_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
