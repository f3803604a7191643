/* GET /v1/consents/{id}: who sees what of a consent, in every state. */
// SPDX-License-Identifier: Apache-2.0
#include "api/render.h"
#include "base/encode.h"
#include "store/db.h"
#include "tests/unit/support_reading.h"

/* Writes the parts of a record that are different each time, then the rest as given. */
static const char *record_of(struct world *w, const struct store_consent *c, const char *format,
                             const char *terms_more, const char *grant_more) {
    char id[UUID_TEXT_SIZE + 1], arrangement[UUID_TEXT_SIZE + 1];
    char evidence[STORE_EVIDENCE_SIZE + 1];
    uuid_to_text(&c->id, id);
    uuid_to_text(&c->arrangement, arrangement);
    store_evidence_id(w->store, &c->arrangement, evidence);
    struct buffer out = {0};
    buffer_append_format(&out, "{\"consentId\":\"%s\",\"arrangementId\":\"%s\",", id, arrangement);
    buffer_append_text(&out, format);
    buffer_append_format(&out, "%s%s", terms_more, grant_more);
    buffer_append_format(&out, ",\"evidenceId\":\"%s\",\"logIndex\":%llu}", evidence,
                         (unsigned long long)c->last_entry);
    struct span text = arena_copy(&w->arena, buffer_span(&out));
    buffer_release(&out);
    return text.data;
}

#define PARTIES "\"provider\":\"" EDP "\",\"client\":\"" APP "\",\"license\":\"" CONSUMPTION "\","
#define STORED_TERMS                                                            \
    "\"purposes\":[\"estimate-emissions\"],\"permissions\":[{\"code\":"         \
    "\"electricity.import.halfhourly\"}],\"principal\":{\"type\":\"unknown\"}," \
    "\"expires\":\"" EXPIRES_OUT "\""
#define TERMS PARTIES STORED_TERMS
#define GRANT_OPEN                                                                          \
    "\"grant\":{\"at\":\"" T0_OUT "\",\"method\":\"assertedByClient\",\"notice\":{\"url\":" \
    "\"https://n.example\",\"language\":\"en\",\"substitutions\":{\"[x]\":\"y\"},"          \
    "\"renderedDigest\":\"abc\"},"
#define GRANT \
    GRANT_OPEN "\"by\":{\"ref\":\"person-1\",\"authority\":\"director\"},\"ip\":\"192.0.2.1\"}"
#define ACTIVE(version)                                                                           \
    "\"version\":" version ",\"status\":\"active\",\"statusAt\":\"" T0_OUT "\",\"tenant\":\"" EDP \
    "\",\"lastGranted\":\"" T0_OUT "\","
#define ACCOUNT ",\"account\":\"acc-1\","

static void the_tenant_sees_everything_as_it_was_stored(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.external_id = "e-1"});
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
    assert_int_equal(reply.status, 200);
    assert_string_equal(header_of(&reply, "content-type"), "application/json");
    assert_string_equal(header_of(&reply, "etag"), "\"1\"");
    assert_string_equal(
        reply.body.data,
        record_of(w, &c, ACTIVE("1") PARTIES "\"externalId\":\"e-1\"," STORED_TERMS ACCOUNT GRANT,
                  "", ""));
}

static void an_auditor_of_the_tenant_sees_the_same_bytes(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.token_of = "t"});
    struct reply tenant = get(w, AS_EDP, path_of(w, &c.id, ""));
    struct reply auditor = get(w, AS_AUDITOR, path_of(w, &c.id, ""));
    struct reply everybodys = get(w, AS_EVERYBODYS_AUDITOR, path_of(w, &c.id, ""));
    assert_int_equal(auditor.status, 200);
    assert_string_equal(auditor.body.data, tenant.body.data);
    assert_string_equal(everybodys.body.data, tenant.body.data);
}

static void a_requested_consent_has_no_grant_and_no_account(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.requested = true});
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
    assert_string_equal(reply.body.data,
                        record_of(w, &c,
                                  "\"version\":1,\"status\":\"requested\",\"statusAt\":\"" T0_OUT
                                  "\",\"tenant\":\"" EDP "\"," TERMS,
                                  "", ""));
}

static void tokens_and_late_proofs_are_part_of_the_record(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.token_of = "first"});
    add_token(w, &c, "second");
    add_proofs(w, &c, "{\"type\":\"bill\"},{\"type\":\"visit\"}");
    c = add_proofs(w, &c, "{\"type\":\"letter\"}");
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
    /* SHA-256 of "first" and of "second" */
    assert_string_equal(
        reply.body.data,
        record_of(
            w, &c,
            ACTIVE("5") TERMS ACCOUNT GRANT_OPEN
            "\"by\":{\"ref\":\"person-1\",\"authority\":\"director\"},\"ip\":\"192.0.2.1\","
            "\"proofs\":[{\"type\":\"bill\"},{\"type\":\"visit\"},{\"type\":\"letter\"}]}",
            ",\"tokens\":[{\"digest\":\"p5N7ZLjKpY8Dchu2us9ceMsjX-vg5wsbhM2ZVBRhoI4\","
            "\"issuedAt\":\"" T0_OUT "\",\"expires\":\"2026-03-13T10:00:00.000Z\"},",
            "{\"digest\":\"FjZ6rLZ6SgF8jairlWgsyzkIY3gPcRTdoKDgxVZEx8Q\",\"issuedAt\":\"" T0_OUT
            "\",\"expires\":\"2026-03-13T10:00:00.000Z\"}]"));
}

static void late_proofs_join_those_of_the_grant(void **state) {
    struct world *w = *state;
    static const struct {
        const char *grant_private, *shown;
    } CASES[] = {
        {"\"ip\":\"192.0.2.1\",\"proofs\":[{\"type\":\"a\",\"x\":[1]}]",
         "\"ip\":\"192.0.2.1\",\"proofs\":[{\"type\":\"a\",\"x\":[1]},{\"type\":\"b\"}]}"},
        {"\"proofs\":[]", "\"proofs\":[{\"type\":\"b\"}]}"},
        {"\"userAgent\":\"x]\"", "\"userAgent\":\"x]\",\"proofs\":[{\"type\":\"b\"}]}"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%zu", i);
        struct store_consent c =
            make(w, (struct making){.account = account, .grant_private = CASES[i].grant_private});
        c = add_proofs(w, &c, "{\"type\":\"b\"}");
        struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
        assert_non_null(strstr(reply.body.data, CASES[i].shown));
        json_decref(json_of(&reply));
    }
}

static void a_revoked_consent_says_when_why_and_by_whom(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    world_set_time(w, "2026-03-13T00:00:00Z");
    c = end(w, &c, "withdrawn", CONSENT_REVOKED,
            "\"text\":\"said \\\"no\\\", \\\\ twice\",\"ref\":\"person-2\"");
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
    assert_string_equal(header_of(&reply, "etag"), "\"2\"");
    assert_string_equal(
        reply.body.data,
        record_of(w, &c,
                  "\"version\":2,\"status\":\"revoked\",\"statusAt\":\"2026-03-13T00:00:00.000Z\","
                  "\"statusReason\":{\"code\":\"withdrawn\",\"text\":\"said \\\"no\\\", \\\\ "
                  "twice\",\"by\":{\"role\":\"accountHolder\",\"ref\":\"person-2\"}},\"tenant\":"
                  "\"" EDP "\",\"lastGranted\":\"" T0_OUT
                  "\",\"revoked\":\"2026-03-13T00:00:00.000Z\"," TERMS ACCOUNT GRANT,
                  "", ""));
}

/* The members of the reason come in any order, each alone or none. */
static void text_and_ref_of_a_reason_go_where_they_belong(void **state) {
    struct world *w = *state;
    static const struct {
        const char *stored, *shown;
    } CASES[] = {
        {"", "{\"code\":\"withdrawn\",\"by\":{\"role\":\"accountHolder\"}}"},
        {"\"ref\":\"r\"", "{\"code\":\"withdrawn\",\"by\":{\"role\":\"accountHolder\",\"ref\":"
                          "\"r\"}}"},
        {"\"text\":\"t\"", "{\"code\":\"withdrawn\",\"text\":\"t\",\"by\":{\"role\":"
                           "\"accountHolder\"}}"},
        {"\"ref\":\"\\\"text\\\":\\\"\",\"text\":\"\"",
         "{\"code\":\"withdrawn\",\"text\":\"\",\"by\":{\"role\":\"accountHolder\",\"ref\":"
         "\"\\\"text\\\":\\\"\"}}"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char account[16];
        snprintf(account, sizeof account, "acc-%zu", i);
        struct store_consent c = make(w, (struct making){.account = account});
        end(w, &c, "withdrawn", CONSENT_REVOKED, CASES[i].stored);
        struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
        const char *reason = strstr(reply.body.data, "\"statusReason\":");
        assert_non_null(reason);
        reason += strlen("\"statusReason\":");
        assert_memory_equal(reason, CASES[i].shown, strlen(CASES[i].shown));
    }
}

static void only_revoked_and_terminated_consents_have_a_time_of_revocation(void **state) {
    struct world *w = *state;
    struct store_consent terminated = make(w, (struct making){.account = "a"});
    struct store_consent refused = make(w, (struct making){.requested = true});
    struct store_consent superseded = make(w, (struct making){.account = "b"});
    make(w, (struct making){.account = "b"});
    end(w, &terminated, "fraud", CONSENT_TERMINATED, "");
    end(w, &refused, "refused", CONSENT_REFUSED, "");
    const struct {
        const struct store_consent *consent;
        const char *status;
        bool revoked;
    } cases[] = {{&terminated, "terminated", true},
                 {&refused, "refused", false},
                 {&superseded, "superseded", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply reply = get(w, AS_EDP, path_of(w, &cases[i].consent->id, ""));
        json_t *json = json_of(&reply);
        assert_string_equal(text_in(json, "status"), cases[i].status);
        assert_int_equal(json_object_get(json, "revoked") != NULL, cases[i].revoked);
        json_decref(json);
    }
}

static void neighbours_in_the_arrangement_name_each_other(void **state) {
    struct world *w = *state;
    char first[UUID_TEXT_SIZE + 1], second[UUID_TEXT_SIZE + 1];
    struct store_consent old = make(w, (struct making){.account = "a"});
    struct store_consent new = make(w, (struct making){.account = "a"});
    uuid_to_text(&old.id, first);
    uuid_to_text(&new.id, second);
    struct reply reply = get(w, AS_EDP, path_of(w, &old.id, ""));
    json_t *json = json_of(&reply);
    assert_string_equal(text_in(json, "supersededBy"), second);
    assert_string_equal(text_in(json, "supersedes"), "");
    json_decref(json);
    reply = get(w, AS_EDP, path_of(w, &new.id, ""));
    json = json_of(&reply);
    assert_string_equal(text_in(json, "supersedes"), first);
    assert_string_equal(text_in(json, "supersededBy"), "");
    assert_string_equal(text_in(json, "arrangementId"), first);
    json_decref(json);
}

/* Invariant 7: read between the expiry and the sweep, which a reader with a snapshot of the store
 * cannot tell from after it but by the tag. */
static void what_the_clock_ended_is_ended_at_once(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.expires = "2026-03-12T12:00:00Z"});
    struct store_consent asked = make(w, (struct making){.requested = true});
    world_set_time(w, "2026-03-12T12:00:00Z");
    struct reply reply = get(w, AS_EDP, path_of(w, &c.id, ""));
    json_t *json = json_of(&reply);
    json_t *reason = json_object_get(json, "statusReason");
    assert_string_equal(text_in(json, "status"), "expired");
    assert_string_equal(text_in(json, "statusAt"), "2026-03-12T12:00:00.000Z");
    assert_string_equal(text_in(reason, "code"), "expired");
    assert_string_equal(text_in(json_object_get(reason, "by"), "role"), "system");
    assert_null(json_object_get(json, "revoked"));
    bool recorded = json_integer_value(json_object_get(json, "version")) == 2;
    assert_string_equal(header_of(&reply, "etag"), recorded ? "\"2\"" : "\"1-expired\"");
    json_decref(json);
    world_set_time(w, "2026-09-12T12:00:00Z");
    reply = get(w, AS_EDP, path_of(w, &asked.id, ""));
    json = json_of(&reply);
    assert_string_equal(text_in(json, "status"), "timedOut");
    assert_string_equal(text_in(json_object_get(json, "statusReason"), "code"), "timedOut");
    json_decref(json);
}

/* The same before the sweeper can have written it: the header still says active. */
static void an_end_by_the_clock_that_is_not_recorded_yet_is_shown(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct api_call call = {.loop = &w->loop, .arena = &w->arena};
    const enum api_relation views[] = {API_RELATION_TENANT, API_RELATION_CLIENT};
    const char *const reasons[] = {
        "\"statusReason\":{\"code\":\"expired\",\"by\":{\"role\":\"system\"}},",
        "\"statusReason\":{\"code\":\"expired\"},"};
    for (int i = 0; i < 2; i++) {
        struct buffer text = {0};
        struct json_out out = json_out_to(&text);
        assert_int_equal(store_read_begin(w->loop.reader), STATUS_OK);
        assert_int_equal(store_consent_by_index(w->loop.reader, c.index, &c), STATUS_OK);
        assert_int_equal(c.recorded, CONSENT_ACTIVE);
        c.status = CONSENT_EXPIRED;
        c.status_at = c.expires;
        assert_int_equal(api_render_consent(&call, views[i], &c, &out), STATUS_OK);
        store_read_end(w->loop.reader);
        buffer_append(&text, "", 1);
        assert_non_null(strstr(text.data, "\"version\":1,\"status\":\"expired\",\"statusAt\":"
                                          "\"" EXPIRES_OUT "\","));
        assert_non_null(strstr(text.data, reasons[i]));
        buffer_release(&text);
    }
}

/* ---- what a client sees */

#define SECRETS                                                                              \
    ",\"clientMember\":\"https://m.example\",\"clientRoles\":[\"https://r.example\"],"       \
    "\"oauthIssuer\":\"https://i.example\",\"dataFrom\":\"" T0_OUT "\",\"dataTo\":\"" T0_OUT \
    "\",\"dataAvailableFrom\":\"" T0_OUT "\",\"maxUses\":7,\"dataLife\":\"P1Y\","            \
    "\"onwardRecipients\":[\"" FSP "\"],"                                                    \
    "\"dependsOn\":[[{\"arrangementId\":\"0190ffff-0000-7000-8000-0000000000af\"},"          \
    "{\"external\":{\"oauthIssuer\":\"https://o.example\",\"tokenDigest\":\"SECRET\","       \
    "\"expires\":\"" T0_OUT "\"}}]],"                                                        \
    "\"request\":{\"at\":\"" T0_OUT "\",\"digest\":\"SECRET\"},"                             \
    "\"policy\":{\"pack\":\"perseus\",\"version\":\"1\",\"digest\":\"SECRET\"},"             \
    "\"licenseDigest\":\"SECRET\",\"addedOneDay\":\"SECRET\""
#define PRIVATE                                                                             \
    "\"by\":{\"ref\":\"SECRET\",\"authority\":\"SECRET\"},\"ip\":\"SECRET\",\"userAgent\":" \
    "\"SECRET\",\"proofs\":[{\"type\":\"SECRET\"}]"

static struct store_consent make_secretive(struct world *w) {
    struct store_consent c = make(w, (struct making){.external_id = "SECRET",
                                                     .account = "SECRET",
                                                     .terms_more = SECRETS,
                                                     .grant_private = PRIVATE,
                                                     .token_of = "t"});
    add_proofs(w, &c, "{\"type\":\"SECRET\"}");
    return end(w, &c, "withdrawn", CONSENT_REVOKED, "\"text\":\"SECRET\",\"ref\":\"SECRET\"");
}

static void a_client_sees_a_whitelist_and_a_pairwise_account(void **state) {
    struct world *w = *state;
    struct store_consent c = make_secretive(w);
    struct reply reply = get(w, AS_APP, path_of(w, &c.id, ""));
    struct span parts[] = {SPAN("pairwise"), SPAN(EDP), SPAN(EDP), SPAN("SECRET"), SPAN(APP)};
    struct mac16 mac = store_mac16(w->store, parts, 5);
    char pairwise[API_PAIRWISE_SIZE + 1] = {0};
    assert_int_equal(encode_base64url(mac.bytes, sizeof mac.bytes, pairwise), API_PAIRWISE_SIZE);
    struct span rest = arena_format(
        &w->arena,
        ",\"principal\":{\"type\":\"unknown\"},\"permissions\":[{\"code\":"
        "\"electricity.import.halfhourly\"}],\"dependsOn\":[[{\"arrangementId\":"
        "\"0190ffff-0000-7000-8000-0000000000af\"},{\"external\":{\"oauthIssuer\":"
        "\"https://o.example\",\"expires\":\"%s\"}}]],\"policy\":{\"pack\":\"perseus\","
        "\"version\":\"1\"},\"account\":\"%s\",\"grant\":{\"at\":\"%s\",\"method\":"
        "\"assertedByClient\",\"notice\":{\"url\":\"https://n.example\",\"language\":\"en\","
        "\"substitutions\":{\"[x]\":\"y\"}}}",
        T0_OUT, pairwise, T0_OUT);
    assert_int_equal(reply.status, 200);
    assert_null(strstr(reply.body.data, "SECRET"));
    assert_string_equal(
        reply.body.data,
        record_of(w, &c,
                  "\"version\":4,\"status\":\"revoked\",\"statusAt\":\"" T0_OUT
                  "\",\"statusReason\":{\"code\":\"withdrawn\"},\"tenant\":\"" EDP
                  "\",\"lastGranted\":\"" T0_OUT "\",\"revoked\":\"" T0_OUT "\",\"provider\":\"" EDP
                  "\",\"client\":\"" APP "\",\"license\":\"" CONSUMPTION
                  "\",\"oauthIssuer\":\"https://i.example\",\"clientMember\":\"https://m.example\","
                  "\"clientRoles\":[\"https://r.example\"],\"onwardRecipients\":[\"" FSP
                  "\"],\"purposes\":[\"estimate-emissions\"],"
                  "\"dataFrom\":\"" T0_OUT "\",\"dataTo\":\"" T0_OUT
                  "\",\"dataLife\":\"P1Y\",\"dataAvailableFrom\":\"" T0_OUT
                  "\",\"maxUses\":7,\"expires\":\"" EXPIRES_OUT "\"",
                  rest.data, ""));
}

static void each_client_knows_an_account_by_another_id(void **state) {
    struct world *w = *state;
    struct store_consent ours = make(w, (struct making){.account = "a"});
    struct store_consent theirs = make(w, (struct making){.account = "a", .client = OTHER_APP});
    struct store_consent again = make(w, (struct making){.account = "a", .resource = "m"});
    struct reply replies[] = {get(w, AS_APP, path_of(w, &ours.id, "")),
                              get(w, AS_OTHER_APP, path_of(w, &theirs.id, "")),
                              get(w, AS_APP, path_of(w, &again.id, ""))};
    json_t *jsons[3];
    for (int i = 0; i < 3; i++) {
        jsons[i] = json_of(&replies[i]);
        assert_int_equal(strlen(text_in(jsons[i], "account")), API_PAIRWISE_SIZE);
    }
    assert_string_not_equal(text_in(jsons[0], "account"), text_in(jsons[1], "account"));
    assert_string_equal(text_in(jsons[0], "account"), text_in(jsons[2], "account"));
    for (int i = 0; i < 3; i++) {
        json_decref(jsons[i]);
    }
}

static void a_client_sees_a_requested_consent_without_account_and_grant(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.requested = true});
    struct reply reply = get(w, AS_APP, path_of(w, &c.id, ""));
    json_t *json = json_of(&reply);
    assert_string_equal(text_in(json, "status"), "requested");
    assert_null(json_object_get(json, "account"));
    assert_null(json_object_get(json, "grant"));
    json_decref(json);
}

/* A member both owns and names: the wider view wins. */
static void a_tenant_that_is_also_the_client_sees_everything(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.tenant = APP, .provider = APP});
    struct reply reply = get(w, AS_APP, path_of(w, &c.id, ""));
    assert_non_null(strstr(reply.body.data, "\"account\":\"acc-1\""));
}

/* ---- who sees nothing */

static void an_id_of_another_tenant_answers_like_one_that_does_not_exist(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct uuid unknown = c.id;
    unknown.bytes[UUID_SIZE - 1] ^= 1;
    const struct who strangers[] = {
        AS_OTHER_EDP,
        AS_OTHER_APP,
        {.role = "auditor", .id = AUDITOR, .provider = OTHER_EDP},
        {.role = "auditor", .id = AUDITOR},
    };
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct reply there = get(w, strangers[i], path_of(w, &c.id, ""));
        struct reply nowhere = get(w, strangers[i], path_of(w, &unknown, ""));
        struct reply malformed = get(w, strangers[i], "/v1/consents/x");
        assert_problem(&there, 404, "not-found");
        assert_string_equal(there.body.data, nowhere.body.data);
        assert_string_equal(there.body.data, malformed.body.data);
        assert_int_equal(there.header_count, nowhere.header_count);
        for (uint32_t k = 0; k < there.header_count; k++) {
            assert_string_equal(there.headers[k].name.data, nowhere.headers[k].name.data);
            assert_string_equal(there.headers[k].value.data, nowhere.headers[k].value.data);
        }
        /* nor does a tag tell */
        struct reply tagged = ask(w, (struct asking){.as = strangers[i],
                                                     .target = path_of(w, &c.id, ""),
                                                     .header = "if-none-match",
                                                     .value = "*"});
        assert_problem(&tagged, 404, "not-found");
    }
}

/* How many calls of the store's library a request takes. */
static uint64_t calls_of(struct world *w, struct who who, const char *path) {
    uint64_t before = db_calls();
    get(w, who, path);
    return db_calls() - before;
}

/* Invariant 9, as far as time goes: as many reads, and one question for the number of consents,
 * which takes none. */
static void an_id_of_another_tenant_takes_as_many_reads_as_one_that_does_not_exist(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct uuid unknown = c.id;
    unknown.bytes[UUID_SIZE - 1] ^= 1;
    const struct who strangers[] = {AS_OTHER_EDP, AS_OTHER_APP};
    static const char *const parts[] = {"", "/events", "/receipt"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            const char *there = path_of(w, &c.id, parts[k]);
            const char *nowhere = path_of(w, &unknown, parts[k]);
            get(w, strangers[i], there); /* the names that a loop keeps are there now */
            uint64_t foreign = calls_of(w, strangers[i], there);
            assert_int_equal(calls_of(w, strangers[i], nowhere), foreign + 1);
        }
}

static void scopes_are_needed_as_well(void **state) {
    struct world *w = *state;
    struct store_consent c = make(w, (struct making){.account = NULL});
    struct reply reply = get(w, AS_ADMIN, path_of(w, &c.id, ""));
    assert_problem(&reply, 403, "insufficient-scope");
    reply = get(w, (struct who){.id = EDP, .scope = "consents:write"}, path_of(w, &c.id, ""));
    assert_problem(&reply, 403, "insufficient-scope");
    reply = get(w, AS_NOBODY, path_of(w, &c.id, ""));
    assert_problem(&reply, 401, "unauthenticated");
    /* To read as the tenant takes consents:read, whatever else the token allows. */
    reply = get(w, (struct who){.id = EDP, .scope = "audit:read consents:write"},
                path_of(w, &c.id, ""));
    assert_problem(&reply, 404, "not-found");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_tenant_sees_everything_as_it_was_stored),
        TEST(an_auditor_of_the_tenant_sees_the_same_bytes),
        TEST(a_requested_consent_has_no_grant_and_no_account),
        TEST(tokens_and_late_proofs_are_part_of_the_record),
        TEST(late_proofs_join_those_of_the_grant),
        TEST(a_revoked_consent_says_when_why_and_by_whom),
        TEST(text_and_ref_of_a_reason_go_where_they_belong),
        TEST(only_revoked_and_terminated_consents_have_a_time_of_revocation),
        TEST(neighbours_in_the_arrangement_name_each_other),
        TEST(what_the_clock_ended_is_ended_at_once),
        TEST(an_end_by_the_clock_that_is_not_recorded_yet_is_shown),
        TEST(a_client_sees_a_whitelist_and_a_pairwise_account),
        TEST(each_client_knows_an_account_by_another_id),
        TEST(a_client_sees_a_requested_consent_without_account_and_grant),
        TEST(a_tenant_that_is_also_the_client_sees_everything),
        TEST(an_id_of_another_tenant_answers_like_one_that_does_not_exist),
        TEST(an_id_of_another_tenant_takes_as_many_reads_as_one_that_does_not_exist),
        TEST(scopes_are_needed_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
