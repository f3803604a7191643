/* GET /v1/audit/events: what each auditor gets of the log, by page and by stream. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_reading.h"

#include "base/encode.h"
#include "base/limits.h"

/* granted, token, proof, revoked; others' entries in between */
static struct store_consent make_history(struct world *w) {
    struct store_consent c = make(w, (struct making){.token_of = "t"});
    make(w, (struct making){.account = "another"});
    add_proofs(w, &c, "{\"type\":\"bill\"}");
    make(w, (struct making){.tenant = OTHER_EDP});
    world_set_time(w, "2026-03-13T00:00:00Z");
    return end(w, &c, "withdrawn", CONSENT_REVOKED, "\"text\":\"no\",\"ref\":\"person-2\"");
}

static json_t *items_of(struct world *w, struct who as, const char *query) {
    struct reply reply = get(w, as, arena_format(&w->arena, "/v1/audit/events%s", query).data);
    if (reply.status != 200) {
        fail_msg("%s: %s", query, reply.body.data);
    }
    json_t *page = json_of(&reply);
    json_t *items = json_incref(json_object_get(page, "items"));
    assert_string_equal(header_of(&reply, "vary"), "Accept");
    json_decref(page);
    return items;
}

static struct reply lines_of(struct world *w, struct who as, const char *query) {
    return ask(w,
               (struct asking){.as = as,
                               .target = arena_format(&w->arena, "/v1/audit/events%s", query).data,
                               .header = "accept",
                               .value = "application/x-ndjson"});
}

/* The entries of a stream; empty lines are none. */
static json_t *parse_lines(const struct reply *reply) {
    json_t *items = json_array();
    const char *at = reply->body.data;
    for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (end > at) {
            json_t *item = json_loadb(at, (size_t)(end - at), 0, NULL);
            assert_non_null(item);
            json_array_append_new(items, item);
        }
    }
    assert_string_equal(at, ""); /* the last line ends as well */
    return items;
}

static size_t unbase64(const char *text, unsigned char *out, size_t capacity) {
    char url[64];
    size_t size = 0, written = 0;
    for (; text[size] != '\0' && text[size] != '='; size++) {
        assert_true(size < sizeof url);
        url[size] = text[size] == '+' ? '-' : text[size] == '/' ? '_' : text[size];
    }
    assert_int_equal(decode_base64url(span_of(url, size), out, capacity, &written), STATUS_OK);
    return written;
}

static struct digest commitment(const char *r_text, const json_t *value) {
    static const char LABEL[] = "consentd/payload/v1"; /* with its NUL */
    unsigned char r[32];
    assert_int_equal(unbase64(r_text, r, sizeof r), 32);
    char *text = json_dumps(value, JSON_COMPACT);
    struct span parts[] = {span_of(LABEL, sizeof LABEL), span_of_text(text)};
    struct digest digest = digest_hmac(span_of((const char *)r, sizeof r), parts, 2);
    free(text);
    return digest;
}

static void an_auditor_can_open_every_leaf(void **state) {
    struct world *w = *state;
    make_history(w);
    json_t *items = items_of(w, AS_EVERYBODYS_AUDITOR, "");
    assert_int_equal(json_array_size(items), 8); /* genesis, policy, six of consents */
    size_t i, personal_parts = 0;
    json_t *item;
    json_array_foreach(items, i, item) {
        unsigned char leaf[36], committed[32];
        json_t *payload = json_object_get(item, "payload");
        json_t *personal = json_object_get(item, "personal");
        assert_int_equal(json_integer_value(json_object_get(item, "index")), i);
        assert_int_equal(unbase64(text_in(item, "leaf"), leaf, sizeof leaf), 36);
        struct digest opened = commitment(text_in(item, "r"), payload);
        assert_memory_equal(leaf + 4, opened.bytes, 32);
        assert_string_equal(text_in(item, "event"), text_in(payload, "type"));
        assert_string_equal(text_in(item, "at"), text_in(payload, "at"));
        if (personal != NULL) {
            personal_parts++;
            assert_int_equal(unbase64(text_in(payload, "personal"), committed, 32), 32);
            opened = commitment(text_in(item, "personalR"), personal);
            assert_memory_equal(committed, opened.bytes, 32);
        }
    }
    assert_int_equal(personal_parts, 5); /* three grants, a proof, a revocation */
    json_decref(items);
}

/* Entries 0 genesis, 1 policy; then an hour apart
 *   2 EDP grants acc-1 to APP               3 EDP requests of OTHER_APP
 *   4 OTHER_EDP grants acc-1 to APP         5 EDP revokes 2
 *   6 EDP grants acc-2, provider OTHER_EDP, purpose corroborate-savings, combined licence */
static struct uuid populate(struct world *w) {
    world_set_time(w, "2026-03-12T11:00:00Z");
    struct store_consent first = make(w, (struct making){.account = "acc-1"});
    world_set_time(w, "2026-03-12T12:00:00Z");
    make(w, (struct making){.requested = true, .client = OTHER_APP});
    world_set_time(w, "2026-03-12T13:00:00Z");
    make(w, (struct making){.tenant = OTHER_EDP, .account = "acc-1"});
    world_set_time(w, "2026-03-12T14:00:00Z");
    end(w, &first, "withdrawn", CONSENT_REVOKED, "");
    world_set_time(w, "2026-03-12T15:00:00Z");
    make(w, (struct making){.account = "acc-2",
                            .provider = OTHER_EDP,
                            .purpose = "corroborate-savings",
                            .license = COMBINED});
    return first.id;
}

/* Indexes of items as digits. */
static const char *digits_of(struct world *w, const json_t *items) {
    struct buffer text = {0};
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) {
        buffer_append_format(&text, "%lld",
                             (long long)json_integer_value(json_object_get(item, "index")));
    }
    buffer_append(&text, "", 1);
    const char *digits = arena_copy(&w->arena, buffer_span(&text)).data;
    buffer_release(&text);
    return digits;
}

static void assert_found(struct world *w, struct who as, const char *query, const char *indexes) {
    json_t *items = items_of(w, as, query);
    const char *found = digits_of(w, items);
    if (strcmp(found, indexes) != 0) {
        fail_msg("%s: found %s, not %s", query, found, indexes);
    }
    struct reply reply = lines_of(w, as, query);
    assert_string_equal(header_of(&reply, "content-type"), "application/x-ndjson");
    json_t *lines = parse_lines(&reply);
    assert_true(json_equal(items, lines));
    json_decref(lines);
    json_decref(items);
}

static void every_filter_of_the_log_finds_exactly_what_it_says(void **state) {
    struct world *w = *state;
    struct uuid id = populate(w);
    static const struct {
        const char *query, *indexes;
    } CASES[] = {
        {"", "0123456"},
        {"?tenant=" EDP, "2356"},
        {"?tenant=" OTHER_EDP, "4"},
        {"?tenant=https://nobody.example", ""},
        {"?provider=" OTHER_EDP, "46"},
        {"?client=" APP, "2456"},
        {"?client=" OTHER_APP, "3"},
        {"?license=" COMBINED, "6"},
        {"?license=" CONSUMPTION, "2345"},
        {"?purpose=corroborate-savings", "6"},
        {"?purpose=estimate-emissions", "2345"},
        {"?account=acc-1", "245"},
        {"?account=acc-1&tenant=" EDP, "25"},
        {"?account=acc-9", ""},
        {"?actor=" OTHER_EDP, "4"},
        {"?actor=" EDP, "2356"},
        {"?type=consent.granted", "246"},
        {"?type=log.genesis", "0"},
        {"?type=policy.activated", "1"},
        {"?type=consent.expired", ""},
        {"?reason=withdrawn", "5"},
        {"?reason=fraud", ""},
        {"?from=2026-03-12T13:00:00Z", "456"},
        {"?from=2026-03-12T13:00:00.001Z", "56"},
        {"?to=2026-03-12T13:00:00Z", "0123"},
        {"?to=2026-03-12T13:00:00.001Z", "01234"},
        {"?from=2026-03-12T12:00Z&to=2026-03-12T15:00Z", "345"},
        {"?after=4", "56"},
        {"?after=6", ""},
        {"?after=600", ""},
        {"?after=2&tenant=" EDP, "356"},
        {"?after=2&client=" APP "&type=consent.granted", "46"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_found(w, AS_EVERYBODYS_AUDITOR, CASES[i].query, CASES[i].indexes);
    }
    char text[UUID_TEXT_SIZE + 1];
    uuid_to_text(&id, text);
    struct span query = arena_format(&w->arena, "?consentId=%s", text);
    assert_found(w, AS_EVERYBODYS_AUDITOR, query.data, "25");
    query = arena_format(&w->arena, "?consentId=%s&after=2", text);
    assert_found(w, AS_EVERYBODYS_AUDITOR, query.data, "5");
}

/* Invariant 9. */
static void an_auditor_sees_the_tenants_its_token_names_and_no_others(void **state) {
    struct world *w = *state;
    struct uuid id = populate(w);
    const struct who others = {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP};
    const struct who nobodys = {.role = "auditor", .id = AUDITOR};
    const struct who also_tenant = {
        .id = EDP, .scope = "audit:read consents:read", .provider = OTHER_EDP};
    char text[UUID_TEXT_SIZE + 1];
    uuid_to_text(&id, text);
    const char *by_id = arena_format(&w->arena, "?consentId=%s", text).data;
    assert_found(w, AS_AUDITOR, "", "2356");
    assert_found(w, AS_AUDITOR, "?tenant=" OTHER_EDP, "");
    assert_found(w, AS_AUDITOR, "?client=" APP, "256");
    assert_found(w, AS_AUDITOR, "?type=log.genesis", "");
    assert_found(w, others, "", "4");
    assert_found(w, others, by_id, "");
    assert_found(w, others, "?actor=" EDP, "");
    assert_found(w, others, "?account=acc-1", "4");
    assert_found(w, nobodys, "", "");
    /* the log is read as an auditor, not as the tenant or client one also is */
    assert_found(w, also_tenant, "", "4");
    const struct who strangers[] = {AS_EDP, AS_APP, AS_ADMIN};
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = get(w, strangers[i], "/v1/audit/events");
        assert_problem(&reply, 403, "insufficient-scope");
    }
}

static void the_log_is_read_page_by_page(void **state) {
    struct world *w = *state;
    populate(w);
    const char *target = "/v1/audit/events?limit=2&client=" APP;
    struct buffer found = {0};
    while (target != NULL) {
        struct reply reply = get(w, AS_EVERYBODYS_AUDITOR, target);
        json_t *page = json_of(&reply);
        buffer_append_text(&found, digits_of(w, json_object_get(page, "items")));
        buffer_append_text(&found, " ");
        const char *link = header_of(&reply, "link"), *end = strchr(link, '>');
        assert_int_equal(end != NULL, json_object_get(page, "next") != NULL);
        target = end != NULL
                     ? arena_copy(&w->arena, span_of(link + 1, (size_t)(end - link) - 1)).data
                     : NULL;
        json_decref(page);
    }
    buffer_append(&found, "", 1);
    assert_string_equal(found.data, "24 56 ");
    buffer_release(&found);
}

static void what_the_log_does_not_know_is_refused(void **state) {
    struct world *w = *state;
    static const char *const WRONG[] = {
        "?stepId=",       "?transaction=",      "?type=consent", "?type=", "?after=-1",
        "?after=x",       "?consentId=1",       "?from=now",     "?to=",   "?limit=501",
        "?status=active", "?tenant=a&tenant=b", "?cursor=x"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        struct span target = arena_format(&w->arena, "/v1/audit/events%s", WRONG[i]);
        struct reply reply = get(w, AS_AUDITOR, target.data);
        assert_problem(&reply, 400, "invalid-parameter");
    }
}

/* ---- the stream */

static void make_many(struct world *w, int count) {
    for (int i = 0; i < count; i++) {
        char account[24];
        snprintf(account, sizeof account, "many-%d", i);
        make(w, (struct making){.account = account});
    }
}

static void a_stream_comes_in_bounded_chunks(void **state) {
    struct world *w = *state;
    make_many(w, 450);
    struct reply reply = lines_of(w, AS_EVERYBODYS_AUDITOR, "");
    json_t *lines = parse_lines(&reply);
    assert_int_equal(json_array_size(lines), 452);
    for (size_t i = 0; i < 452; i++) {
        const json_t *index = json_object_get(json_array_get(lines, i), "index");
        assert_int_equal(json_integer_value(index), i);
    }
    assert_true(reply.chunks >= 3);
    /* at most a chunk and the entry that passed its bound */
    assert_true(reply.chunk_size_max < 65536 + LIMIT_TERMS + LIMIT_PERSONAL + 4096);
    json_decref(lines);
}

static void a_stream_ends_where_the_log_ended_when_it_began(void **state) {
    struct world *w = *state;
    struct buffer out = {0};
    make_many(w, 300);
    struct reply reply = ask(w, (struct asking){.as = AS_EVERYBODYS_AUDITOR,
                                                .target = "/v1/audit/events",
                                                .header = "accept",
                                                .value = "application/x-ndjson",
                                                .keep_stream = true});
    bool more = reply.stream->next(reply.stream, &out);
    assert_true(more);
    /* written, and seen by new readers, while the stream is under way */
    make(w, (struct making){.account = "later"});
    while (more) {
        more = reply.stream->next(reply.stream, &out);
    }
    reply.stream->release(reply.stream);
    reply.body = arena_copy(&w->arena, buffer_span(&out));
    json_t *lines = parse_lines(&reply);
    assert_int_equal(json_array_size(lines), 302);
    json_decref(lines);
    buffer_release(&out);
}

static void a_reader_may_leave_a_stream(void **state) {
    struct world *w = *state;
    struct buffer out = {0};
    make_many(w, 300);
    for (int chunks = 0; chunks < 2; chunks++) {
        struct reply reply = ask(w, (struct asking){.as = AS_AUDITOR,
                                                    .target = "/v1/audit/events?tenant=" EDP,
                                                    .header = "accept",
                                                    .value = "application/x-ndjson",
                                                    .keep_stream = true});
        for (int i = 0; i < chunks; i++) {
            assert_true(reply.stream->next(reply.stream, &out));
        }
        reply.stream->release(reply.stream);
    }
    buffer_release(&out);
}

static void a_limit_ends_a_stream_early(void **state) {
    struct world *w = *state;
    make_many(w, 210);
    static const struct {
        const char *query;
        size_t lines;
    } CASES[] = {{"?limit=1", 1}, {"?limit=205", 205}, {"?limit=212", 212}, {"?limit=500", 212}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct reply reply = lines_of(w, AS_EVERYBODYS_AUDITOR, CASES[i].query);
        json_t *lines = parse_lines(&reply);
        assert_int_equal(json_array_size(lines), CASES[i].lines);
        json_decref(lines);
    }
}

/* A chunk never is empty, however long nothing matches. */
static void a_stream_that_finds_nothing_for_long_sends_empty_lines(void **state) {
    struct world *w = *state;
    make_crowd(w, LIMIT_WALK + 1);
    make(w, (struct making){
                .account = "last", .permission = "tariff", .purpose = "corroborate-savings"});
    struct reply reply = lines_of(w, AS_EVERYBODYS_AUDITOR, "?purpose=corroborate-savings");
    json_t *lines = parse_lines(&reply);
    assert_int_equal(reply.body.data[0], '\n');
    assert_int_equal(json_array_size(lines), 1);
    json_decref(lines);
}

static void the_form_follows_accept(void **state) {
    struct world *w = *state;
    populate(w);
    static const struct {
        const char *accept, *type;
    } CASES[] = {
        {"application/x-ndjson", "application/x-ndjson"},
        {"application/x-ndjson, application/json;q=0.5", "application/x-ndjson"},
        {"application/json", "application/json"},
        {"*/*", "application/json"},
        {"application/*", "application/json"},
        {"text/html, application/json", "application/json"},
        {"", "application/json"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct reply reply = ask(w, (struct asking){.as = AS_AUDITOR,
                                                    .target = "/v1/audit/events",
                                                    .header = "accept",
                                                    .value = CASES[i].accept});
        assert_int_equal(reply.status, 200);
        assert_string_equal(header_of(&reply, "content-type"), CASES[i].type);
        assert_int_equal(reply.streamed, strcmp(CASES[i].type, "application/json") != 0);
    }
    struct reply reply = ask(w, (struct asking){.as = AS_AUDITOR,
                                                .target = "/v1/audit/events",
                                                .header = "accept",
                                                .value = "text/html"});
    assert_problem(&reply, 406, "not-acceptable");
    reply = ask(w, (struct asking){.as = AS_AUDITOR,
                                   .method = "HEAD",
                                   .target = "/v1/audit/events",
                                   .header = "accept",
                                   .value = "application/x-ndjson"});
    assert_int_equal(reply.status, 200);
    assert_false(reply.streamed);
    assert_string_equal(header_of(&reply, "content-type"), "application/x-ndjson");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_auditor_can_open_every_leaf),
        TEST(every_filter_of_the_log_finds_exactly_what_it_says),
        TEST(an_auditor_sees_the_tenants_its_token_names_and_no_others),
        TEST(the_log_is_read_page_by_page),
        TEST(what_the_log_does_not_know_is_refused),
        TEST(a_stream_comes_in_bounded_chunks),
        TEST(a_stream_ends_where_the_log_ended_when_it_began),
        TEST(a_reader_may_leave_a_stream),
        TEST(a_limit_ends_a_stream_early),
        TEST(a_stream_that_finds_nothing_for_long_sends_empty_lines),
        TEST(the_form_follows_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
