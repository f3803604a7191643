/* GET /evidence/{id}: whose page it is and what stands on it; what never does; ids that are none;
 * hostile words; erased grants; and that a look is noted. */
// SPDX-License-Identifier: Apache-2.0
#include "api/html_out.h"
#include "base/encode.h"
#include "store/erasure.h"
#include "tests/unit/support_writing.h"

/* ---- text into HTML */

static void assert_html(const char *text, size_t size, const char *expected) {
    struct buffer out = {0};
    char *exact = malloc(size != 0 ? size : 1); /* the sanitizer sees a byte read past its end */
    memcpy(exact, text, size);
    html_text(&out, span_of(exact, size));
    buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    free(exact);
    buffer_release(&out);
}
#define HTML(text, expected) assert_html((text), sizeof(text) - 1, (expected))

static void words_of_others_are_text_and_nothing_else(void **state) {
    (void)state;
    HTML("", "");
    HTML("plain \xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x98\x80\ttab", "plain \xc3\xa4 \xe6\x97\xa5 "
                                                              "\xf0\x9f\x98\x80\ttab");
    HTML("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    HTML("\" onload=\"x & y", "&quot; onload=&quot;x &amp; y");
    HTML("&lt;", "&amp;lt;");
    HTML("a\0b\x01\x7f", "a\xef\xbf\xbd"
                         "b\xef\xbf\xbd\xef\xbf\xbd");
    HTML("\xc2\x85\xc2\xa0", "\xef\xbf\xbd\xc2\xa0"); /* C1, then NBSP */
    HTML("\xc0\xbcx\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    HTML("\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd"); /* cut short */
}

static void names_keep_their_direction_and_times_are_words(void **state) {
    struct buffer out = {0};
    (void)state;
    html_foreign(&out, SPAN("\xe2\x80\xae<b>"));
    html_time(&out, time_of("2026-03-02T09:05:07.040Z"));
    buffer_append(&out, "", 1);
    assert_string_equal(out.data, "<bdi>\xe2\x80\xae&lt;b&gt;</bdi><time "
                                  "datetime=\"2026-03-02T09:05:07.040Z\">2 March 2026, 09:05:07 "
                                  "UTC</time>");
    buffer_release(&out);
}

/* ---- the page */

static const char *address(struct world *w, const struct uuid *arrangement) {
    char id[STORE_EVIDENCE_SIZE + 1];
    store_evidence_id(w->store, arrangement, id);
    return arena_format(&w->arena, "/evidence/%s", id).data;
}

static struct reply page(struct world *w, const struct store_consent *c) {
    struct reply reply = get(w, AS_NOBODY, address(w, &c->arrangement));
    assert_int_equal(reply.status, 200);
    return reply;
}

static void assert_has(const struct reply *reply, const char *text) {
    if (strstr(reply->body.data, text) == NULL)
        fail_msg("%s is not in %s", text, reply->body.data);
}

static void assert_lacks(const struct reply *reply, const char *text) {
    if (strstr(reply->body.data, text) != NULL)
        fail_msg("%s is in %s", text, reply->body.data);
}

static void the_page_says_who_when_how_for_whom_and_for_what(void **state) {
    struct world *w = *state;
    struct store_consent c =
        make(w, (struct making){.grant_private = "\"by\":{\"ref\":\"person-1\",\"authority\":"
                                                 "\"director\"},\"ip\":\"192.0.2.1\","
                                                 "\"userAgent\":\"Browser/1\",\"proofs\":[{"
                                                 "\"type\":\"bill\",\"digest\":\"" DIGEST_1 "\"}]",
                                .token_of = "token"});
    add_proofs(w, &c, "{\"type\":\"meterReading\",\"at\":\"2026-03-12T10:00:00.000Z\"}");
    struct reply reply = page(w, &c);
    static const char *const there[] = {
        "In force since <time",
        "until <time datetime=\"" EXPIRES_OUT,
        "<bdi>" APP "</bdi>",
        "<bdi>" EDP "</bdi>",
        "<bdi>person-1</bdi>, acting as <bdi>director</bdi>",
        "<bdi>assertedByClient</bdi>",
        "<bdi>https://n.example</bdi>, in the language <code>en</code>",
        "Energy consumption, from energy data provider to carbon accounting provider",
        "Estimate the emissions of the business from its energy use",
        "Half-hourly electricity import <code>electricity.import.halfhourly</code>",
        "How ownership of the meter was established",
        "<li><bdi>bill</bdi></li>",
        "<li><bdi>meterReading</bdi>, <time",
        "<html lang=\"en\" dir=\"ltr\">",
    };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        assert_has(&reply, there[i]);
    static const char *const never[] = {"192.0.2.1", "Browser/1", "acc-1", DIGEST_1, "digest"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_lacks(&reply, never[i]);
}

static void it_may_be_framed_but_neither_kept_nor_found_nor_followed(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    struct reply replies[] = {page(w, &c), get(w, AS_NOBODY, "/evidence/x")};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(header_of(&replies[i], "content-type"), "text/html; charset=utf-8");
        assert_string_equal(header_of(&replies[i], "cache-control"), "no-store");
        assert_string_equal(header_of(&replies[i], "referrer-policy"), "no-referrer");
        assert_string_equal(header_of(&replies[i], "x-robots-tag"), "noindex");
        const char *rules = header_of(&replies[i], "content-security-policy");
        assert_non_null(strstr(rules, "default-src 'none'; style-src 'sha256-"));
        assert_null(strstr(rules, "frame-ancestors"));
        assert_null(strstr(rules, "unsafe"));
        assert_string_equal(header_of(&replies[i], "x-frame-options"), "");
        assert_lacks(&replies[i], "<script");
        assert_lacks(&replies[i], "<a ");
        assert_lacks(&replies[i], " src=");
    }
}

/* The rules allow exactly this style. */
static void the_style_is_the_one_that_the_rules_name(void **state) {
    struct world *w = *state;
    char name[64] = "sha256-";
    struct reply reply = get(w, AS_NOBODY, "/evidence/x");
    const char *from = strstr(reply.body.data, "<style>") + 7, *to = strstr(from, "</style>");
    struct digest digest = digest_sha256(span_of(from, (size_t)(to - from)));
    name[7 + encode_base64(digest.bytes, sizeof digest.bytes, name + 7)] = '\0';
    assert_non_null(strstr(header_of(&reply, "content-security-policy"), name));
}

static void it_has_every_grant_and_renewal_and_the_state_now(void **state) {
    struct world *w = *state;
    struct store_consent first = make(w, (struct making){.account = "acc-1"});
    world_set_time(w, "2026-03-20T00:00:00Z");
    struct store_consent second = make(w, (struct making){.account = "acc-1"});
    assert_memory_equal(&first.arrangement, &second.arrangement, sizeof first.arrangement);
    make(w, (struct making){.account = "acc-2"});
    make(w, (struct making){.account = "acc-1", .client = OTHER_APP});
    world_set_time(w, "2026-03-21T00:00:00Z");
    end(w, &second, "withdrawn", CONSENT_REVOKED, "\"text\":\"secret words\",\"ref\":\"p-9\"");
    struct reply reply = page(w, &first);
    const char *newest = strstr(reply.body.data, "Granted <time datetime=\"2026-03-20");
    const char *oldest = strstr(reply.body.data, "Granted <time datetime=\"2026-03-12");
    assert_true(newest != NULL && oldest != NULL && newest < oldest);
    assert_null(strstr(oldest + 1, "<h2>Granted"));
    assert_has(&reply, "<p class=\"state\">Withdrawn by the account holder since <time "
                       "datetime=\"2026-03-21");
    assert_has(&reply, "Replaced by a newer grant");
    assert_lacks(&reply, "secret words");
    assert_lacks(&reply, "p-9");
    assert_lacks(&reply, OTHER_APP);
}

static unsigned count_of(const struct reply *reply, const char *text) {
    unsigned count = 0;
    for (const char *at = reply->body.data; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void of_very_many_it_has_the_newest_and_says_that_there_are_older(void **state) {
    struct world *w = *state;
    struct store_consent oldest = make(w, (struct making){.account = "acc-1"});
    world_set_time(w, "2026-03-13T10:00:00Z");
    for (int i = 0; i < LIMIT_PAGE - 1; i++)
        make(w, (struct making){.account = "acc-1"});
    struct reply all = page(w, &oldest);
    assert_int_equal(count_of(&all, "<h2>Granted"), LIMIT_PAGE);
    assert_has(&all, "Granted <time datetime=\"2026-03-12");
    assert_lacks(&all, "There are older grants");
    for (int i = 0; i < 2 * LIMIT_PAGE; i++) /* so that they give way more than once */
        make(w, (struct making){.account = "acc-1"});
    world_set_time(w, "2026-03-14T10:00:00Z");
    make(w, (struct making){.account = "acc-1"});
    struct reply newest = page(w, &oldest);
    assert_int_equal(count_of(&newest, "<h2>Granted"), LIMIT_PAGE);
    assert_int_equal(count_of(&newest, "Granted <time datetime=\"2026-03-14"), 1);
    assert_lacks(&newest, "Granted <time datetime=\"2026-03-12");
    assert_has(&newest, "There are older grants");
    assert_has(&newest, "In force since <time");
}

static void other_recipients_and_what_is_theirs_are_not_on_it(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.license = COMBINED});
    struct reply reply = page(w, &c);
    assert_lacks(&reply, FSP);
    assert_has(&reply, "estimate-emissions");
}

static void a_request_has_a_page_and_keeps_its_address_when_it_joins_another(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, REQUESTED);
    const char *path = arena_format(&w->arena, "/evidence/%s", text_in(asked, "evidenceId")).data;
    struct reply reply = get(w, AS_NOBODY, path);
    assert_has(&reply, "Asked for, not granted");
    assert_lacks(&reply, "Who gave it");
    json_decref(created(w, GRANTED));
    json_decref(
        answered(send(w, (struct sending){.as = AS_EDP,
                                          .target = at(w, asked, "/grant"),
                                          .body = "{\"account\":\"acc-1\",\"grant\":" GRANT "}"}),
                 200));
    reply = get(w, AS_NOBODY, path);
    assert_int_equal(reply.status, 200);
    assert_has(&reply, "<p class=\"state\">In force");
    assert_has(&reply, "Replaced by a newer grant");
    json_decref(asked);
}

static void hostile_words_stay_words(void **state) {
    struct world *w = *state;
    struct store_consent c = make(
        w, (struct making){.grant_private =
                               "\"by\":{\"ref\":\"<img src=x onerror=alert(1)>\",\"authority\":"
                               "\"\\\"><script>alert(2)</script>\"},\"proofs\":[{\"type\":"
                               "\"</bdi></style><b>\"}]"});
    struct reply reply = page(w, &c);
    assert_has(&reply, "<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>, acting as "
                       "<bdi>&quot;&gt;&lt;script&gt;alert(2)&lt;/script&gt;</bdi>");
    assert_has(&reply, "<li><bdi>&lt;/bdi&gt;&lt;/style&gt;&lt;b&gt;</bdi></li>");
    assert_lacks(&reply, "<img");
    assert_lacks(&reply, "<script");
}

static void what_is_no_id_of_ours_has_a_page_that_says_so(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    struct reply missing = get(w, AS_NOBODY, "/evidence/x");
    const char *right = address(w, &c.arrangement);
    size_t size = strlen(right);
    assert_int_equal(missing.status, 404);
    for (size_t at = strlen("/evidence/"); at < size; at++) {
        char *wrong = strdup(right);
        wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
        struct reply reply = get(w, AS_NOBODY, wrong);
        assert_int_equal(reply.status, 404);
        assert_string_equal(reply.body.data, missing.body.data);
        free(wrong);
    }
    struct uuid unknown = c.arrangement;
    unknown.bytes[UUID_SIZE - 1] ^= 1; /* a right MAC of what does not exist */
    struct reply reply = get(w, AS_NOBODY, address(w, &unknown));
    assert_int_equal(reply.status, 404);
    assert_string_equal(reply.body.data, missing.body.data);
    reply = get(w, AS_NOBODY, arena_format(&w->arena, "%sA", right).data);
    assert_int_equal(reply.status, 404);
    reply = get(w, AS_NOBODY, arena_format(&w->arena, "%s?x=1", right).data);
    assert_problem(&reply, 400, "invalid-parameter");
}

static void erase(struct world *w, const struct store_consent *c, enum store_erased part) {
    struct store_change *change = change_for(w, STORE_ERASE, NULL);
    change->id = c->id;
    change->erasure = arena_array(&change->arena, 1, sizeof *change->erasure);
    *change->erasure = (struct store_erasure){.role = STORE_BY_TENANT,
                                              .part = part,
                                              .ground = STORE_GROUND_UNLAWFUL_PROCESSING,
                                              .request_id = SPAN("case-1")};
    assert_int_equal(world_run(w, change), STATUS_OK);
    store_change_free(change);
}

static void of_what_was_erased_it_says_that_it_was(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    c = end(w, &c, "withdrawn", CONSENT_REVOKED, NULL);
    erase(w, &c, STORE_ERASED_PERSONAL);
    struct reply reply = page(w, &c);
    assert_has(&reply, "<dt>Who gave it</dt>\n<dd>Erased</dd>");
    assert_has(&reply, "established</dt>\n<dd>Erased</dd>");
    assert_lacks(&reply, "person-1");
    world_set_time(w, "2029-03-12T10:00:00Z");
    erase(w, &c, STORE_ERASED_WHOLE);
    reply = page(w, &c);
    assert_has(&reply, "<dd>Erased. What remains is that this consent existed");
    assert_has(&reply, "Withdrawn by the account holder since");
    assert_lacks(&reply, "estimate-emissions");
    assert_lacks(&reply, "acting as");
}

static void a_look_at_it_is_noted_for_its_tenant_without_a_name(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = "acc-1"});
    w->settings.note_reads_s = 60;
    page(w, &c);
    page(w, &c);
    get(w, AS_NOBODY, "/evidence/x");
    api_looks_flush(&w->loop);
    struct store_change *change = world_await(w);
    assert_int_equal(change->done.status, STATUS_OK);
    store_change_free(change);
    struct reply reply = get(w, AS_AUDITOR, "/v1/audit/events?type=peer.evidenceViewed");
    json_t *events = json_of(&reply);
    assert_int_equal(json_array_size(json_object_get(events, "items")), 1);
    const json_t *payload =
        json_object_get(json_array_get(json_object_get(events, "items"), 0), "payload");
    const json_t *body = json_object_get(payload, "body");
    char id[UUID_TEXT_SIZE + 1];
    uuid_to_text(&c.id, id);
    assert_string_equal(text_in(payload, "consentId"), id);
    assert_string_equal(text_in(payload, "tenant"), EDP);
    assert_string_equal(text_in(body, "operation"), "GET /evidence/{id}");
    assert_int_equal(json_integer_value(json_object_get(body, "count")), 2);
    assert_null(json_object_get(payload, "accountRef"));
    assert_string_equal(text_in(json_object_get(payload, "actor"), "role"), "system");
    assert_int_equal(json_object_size(json_object_get(payload, "actor")), 1);
    json_decref(events);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_others_are_text_and_nothing_else),
        cmocka_unit_test(names_keep_their_direction_and_times_are_words),
        TEST(the_page_says_who_when_how_for_whom_and_for_what),
        TEST(it_may_be_framed_but_neither_kept_nor_found_nor_followed),
        TEST(the_style_is_the_one_that_the_rules_name),
        TEST(it_has_every_grant_and_renewal_and_the_state_now),
        TEST(of_very_many_it_has_the_newest_and_says_that_there_are_older),
        TEST(other_recipients_and_what_is_theirs_are_not_on_it),
        TEST(a_request_has_a_page_and_keeps_its_address_when_it_joins_another),
        TEST(hostile_words_stay_words),
        TEST(what_is_no_id_of_ours_has_a_page_that_says_so),
        TEST(of_what_was_erased_it_says_that_it_was),
        TEST(a_look_at_it_is_noted_for_its_tenant_without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
