/* Every limit of what is written, one just under and one just over; and that a change owns all it
 * says, however soon its call is gone. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_writing.h"

/* unit n times, between them separator; '#' in unit is the number. In the world's arena. */
static const char *repeat(struct world *w, const char *unit, const char *separator, size_t n) {
    struct buffer text = {0};
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(&text, i != 0 ? separator : "");
        for (const char *c = unit; *c != '\0'; c++) {
            if (*c == '#') {
                buffer_append_format(&text, "%zu", i);
            } else {
                buffer_append(&text, c, 1);
            }
        }
    }
    const char *kept = arena_format(&w->arena, "%.*s", SPAN_ARG(buffer_span(&text))).data;
    buffer_release(&text);
    return kept;
}

/* A limit: before, unit as often as it may be, after; where one more is an error. */
struct limit {
    const char *before, *unit, *separator, *after;
    size_t most;
    const char *pointer;
};

#define IN_GRANT(members) \
    "\"account\":\"a\",\"grant\":{\"at\":\"" T0 "\",\"method\":\"session\"," members
#define IN_NOTICE(members) IN_GRANT(BY ",\"notice\":{\"url\":\"a:b\",\"language\":\"en\"," members)
#define PERMITTED "\"permissions\":[{\"code\":\"tariff\","
#define EXTERNAL                                                                                \
    "{\"external\":{\"oauthIssuer\":\"a:b\",\"tokenDigest\":\"" DIGEST_1 "\",\"expires\":\"" T0 \
    "\"}}"
#define TOKENS "\"account\":\"a\",\"grant\":" GRANT ",\"tokens\":["

static const struct limit LIMITS[] = {
    {"\"account\":\"", "a", "", "\"", 128, "/account"},
    {"\"account\":\"", "é", "", "\"", 64, "/account"},
    {"\"externalId\":\"", "e", "", "\"", 128, "/externalId"},
    {"\"provider\":\"a:", "p", "", "\"", 254, "/provider"},
    {"\"oauthIssuer\":\"a:", "p", "", "\"", 254, "/oauthIssuer"},
    {"\"clientMember\":\"a:", "p", "", "\"", 254, "/clientMember"},
    {"\"clientRoles\":[\"a:", "p", "", "\"]", 254, "/clientRoles/0"},
    {"\"clientRoles\":[", "\"a:#\"", ",", "]", 16, "/clientRoles"},
    {"\"onwardRecipients\":[\"a:", "p", "", "\"]", 254, "/onwardRecipients/0"},
    {"\"onwardRecipients\":[", "\"a:#\"", ",", "]", 16, "/onwardRecipients"},
    {"\"purposes\":[", "\"p#\"", ",", "]", 64, "/purposes"},
    {"\"purposes\":[\"", "p", "", "\"]", 64, "/purposes/0"},
    {"\"permissions\":[", "{\"code\":\"p#\"}", ",", "]", 64, "/permissions"},
    {"\"permissions\":[{\"code\":\"", "p", "", "\"}]", 64, "/permissions/0/code"},
    {PERMITTED "\"resources\":[", "\"m#\"", ",", "]}]", 64, "/permissions/0/resources"},
    {PERMITTED "\"resources\":[\"", "m", "", "\"]}]", 128, "/permissions/0/resources/0"},
    {PERMITTED "\"resources\":[\"a\"]},{\"code\":\"b\",\"resources\":[", "\"m#\"", ",", "]}]", 63,
     "/permissions"},
    {"\"dependsOn\":[", "[" EXTERNAL "]", ",", "]", 8, "/dependsOn"},
    {"\"dependsOn\":[[", EXTERNAL, ",", "]]", 16, "/dependsOn/0"},
    {"\"request\":{\"at\":\"" T0 "\",\"digest\":\"" DIGEST_1 "\",\"redirectUri\":\"a:", "r", "",
     "\"}", 254, "/request/redirectUri"},
    {TOKENS, "{\"digest\":\"" DIGEST_1 "\",\"issuedAt\":\"" T0 "\",\"expires\":\"" T0 "\"}", ",",
     "]", 16, "/tokens"},
    {IN_GRANT("\"by\":{\"authority\":\"a\",\"ref\":\""), "r", "", "\"}}", 128, "/grant/by/ref"},
    {IN_GRANT("\"by\":{\"ref\":\"a\",\"authority\":\""), "r", "", "\"}}", 128,
     "/grant/by/authority"},
    {IN_GRANT(BY ",\"userAgent\":\""), "u", "", "\"}", 1024, "/grant/userAgent"},
    {IN_GRANT(BY ",\"ip\":\""), "i", "", "\"}", 45, "/grant/ip"},
    {IN_GRANT(BY ",\"appVersion\":\""), "v", "", "\"}", 64, "/grant/appVersion"},
    {IN_GRANT(BY ",\"proofs\":["), "{\"type\":\"t\"}", ",", "]}", 16, "/grant/proofs"},
    {IN_GRANT(BY ",\"proofs\":[{\"type\":\""), "t", "", "\"}]}", 64, "/grant/proofs/0/type"},
    {"\"account\":\"a\",\"grant\":{\"at\":\"" T0 "\"," BY ",\"method\":\"", "m", "", "\"}", 64,
     "/grant/method"},
    {IN_GRANT(BY ",\"notice\":{\"url\":\"a:b\",\"language\":\""), "l", "", "\"}}", 35,
     "/grant/notice/language"},
    {IN_NOTICE("\"substitutions\":{"), "\"s#\":\"x\"", ",", "}}}", 32,
     "/grant/notice/substitutions"},
    {IN_NOTICE("\"substitutions\":{\"x\":\""), "s", "", "\"}}}", 1024,
     "/grant/notice/substitutions/x"},
};

static struct reply create_at(struct world *w, const struct limit *limit, size_t n) {
    const char *text = repeat(w, limit->unit, limit->separator, n);
    struct span body =
        arena_format(&w->arena, "{" PARTIES ",%s%s%s}", limit->before, text, limit->after);
    return create(w, body.data);
}

static void as_much_as_may_be_is_read_and_one_more_is_not(void **state) {
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        const struct limit *limit = &LIMITS[i];
        struct reply reply = create_at(*state, limit, limit->most);
        if (reply.status != 201 && reply.status != 422) { /* the policy may say no; it was read */
            fail_msg("%s: %s", limit->pointer, reply.body.data);
        }
        reply = create_at(*state, limit, limit->most + 1);
        assert_errors(&reply, "invalid-body", limit->pointer);
    }
}

static void a_placeholder_has_a_name_of_at_most_128_bytes(void **state) {
    struct world *w = *state;
    const struct limit name = {IN_NOTICE("\"substitutions\":{\""), "n", "", "\":\"x\"}}}", 128, ""};
    struct reply reply = create_at(w, &name, 128);
    assert_problem(&reply, 422, "not-admissible"); /* for want of a digest: it was read */
    reply = create_at(w, &name, 129);
    assert_problem(&reply, 400, "invalid-body");
}

static void uses_are_counted_in_32_bits(void **state) {
    json_t *consent = created(*state, "{" PARTIES ",\"maxUses\":4294967295}");
    assert_int_equal(json_integer_value(json_object_get(consent, "maxUses")), 4294967295);
    json_decref(consent);
    struct reply reply = create(*state, "{" PARTIES ",\"maxUses\":4294967296}");
    assert_errors(&reply, "invalid-body", "/maxUses");
    reply = create(*state, "{" PARTIES ",\"maxUses\":0}");
    assert_errors(&reply, "invalid-body", "/maxUses");
    json_decref(created(*state, "{" PARTIES ",\"maxUses\":1}"));
}

/* ---- the whole of it */

struct sizes {
    size_t open, personal;
};

static struct sizes sizes_of(struct world *w, const struct reply *reply) {
    struct store_consent consent;
    struct store_terms terms;
    struct uuid id;
    json_t *json = json_of(reply);
    assert_int_equal(uuid_from_text(span_of_text(text_in(json, "consentId")), &id), STATUS_OK);
    json_decref(json);
    assert_int_equal(store_read_begin(w->loop.reader), STATUS_OK);
    assert_int_equal(store_consent_by_id(w->loop.reader, &id, &consent), STATUS_OK);
    assert_int_equal(store_consent_terms(w->loop.reader, &consent, &terms), STATUS_OK);
    struct sizes sizes = {terms.terms.size + terms.grant.size,
                          terms.account.size + terms.grant_private.size};
    store_read_end(w->loop.reader);
    return sizes;
}

/* Substitutions: 15 long ones, and one as long as told. */
static struct reply create_words(struct world *w, size_t last) {
    const char *long_one = repeat(w, "w", "", 1024);
    const char *rest = repeat(w, "w", "", last);
    struct buffer list = {0};
    for (int i = 0; i < 15; i++) {
        buffer_append_format(&list, "\"s%02d\":\"%s\",", i, long_one);
    }
    struct span body = arena_format(
        &w->arena,
        "{" PARTIES ",\"account\":\"a\",\"grant\":{\"at\":\"" T0 "\",\"method\":\"session\"," BY
        ",\"notice\":{\"url\":\"a:b\",\"language\":\"en\",\"renderedDigest\":\"" DIGEST_1
        "\",\"substitutions\":{%.*s\"last\":\"%s\"}}}}",
        SPAN_ARG(buffer_span(&list)), rest);
    buffer_release(&list);
    return create(w, body.data);
}

static void terms_and_grant_have_16_kibibytes(void **state) {
    struct world *w = *state;
    struct reply reply = create_words(w, 1);
    json_decref(answered(reply, 201));
    size_t missing = LIMIT_TERMS - sizes_of(w, &reply).open;
    assert_in_range(missing, 1, 1023);
    reply = create_words(w, 1 + missing);
    json_t *consent = answered(reply, 201);
    assert_int_equal(sizes_of(w, &reply).open, LIMIT_TERMS);
    const json_t *words = json_object_get(
        json_object_get(json_object_get(consent, "grant"), "notice"), "substitutions");
    assert_int_equal(json_object_size(words), 16);
    assert_int_equal(strlen(text_in(words, "last")), 1 + missing);
    json_decref(consent);
    reply = create_words(w, 2 + missing);
    assert_errors(&reply, "invalid-body", "");
}

/* Control characters take six bytes each: without them nothing is that long. */
static struct reply create_person(struct world *w, size_t last) {
    struct span body = arena_format(
        &w->arena,
        "{" PARTIES ",\"account\":\"%s\",\"grant\":{\"at\":\"" T0
        "\",\"method\":\"session\"," NOTICE
        ",\"userAgent\":\"%s\",\"by\":{\"ref\":\"%s\",\"authority\":\"%s\"},"
        "\"proofs\":[{\"type\":\"%s\"}]}}",
        repeat(w, "\\u0001", "", 128), repeat(w, "\\u0001", "", 1024),
        repeat(w, "\\u0001", "", 128), repeat(w, "r", "", last), repeat(w, "\\u0001", "", 64));
    return create(w, body.data);
}

static void what_is_personal_has_8_kibibytes(void **state) {
    struct world *w = *state;
    struct reply reply = create_person(w, 1);
    json_decref(answered(reply, 201));
    size_t missing = LIMIT_PERSONAL - sizes_of(w, &reply).personal;
    assert_in_range(missing, 1, 127);
    reply = create_person(w, 1 + missing);
    json_decref(answered(reply, 201));
    assert_int_equal(sizes_of(w, &reply).personal, LIMIT_PERSONAL);
    reply = create_person(w, 2 + missing);
    assert_errors(&reply, "invalid-body", "");
}

/* ---- bodies of the other operations */

static void a_bulk_revocation_names_a_thousand_ids(void **state) {
    struct world *w = *state;
    const char *id = "\"00000000-0000-7000-8000-000000000000\"";
    for (size_t n = LIMIT_BULK; n <= LIMIT_BULK + 1; n++) {
        struct span body = arena_format(&w->arena, "{\"ids\":[%s],\"reason\":{\"code\":\"fraud\"}}",
                                        repeat(w, id, ",", n));
        struct reply reply = post(w, AS_EDP, "/v1/revocations", body.data);
        if (n == LIMIT_BULK) {
            json_t *json = answered(reply, 200);
            assert_int_equal(json_array_size(json_object_get(json, "results")), LIMIT_BULK);
            json_decref(json);
        } else {
            assert_errors(&reply, "invalid-body", "/ids");
        }
    }
}

static void a_reason_is_bounded(void **state) {
    static const struct limit limits[] = {
        {"\"text\":\"", "t", "", "\"", 1024, "/reason/text"},
        {"\"by\":{\"role\":\"tenant\",\"ref\":\"", "r", "", "\"}", 128, "/reason/by/ref"},
    };
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (size_t more = 0; more < 2; more++) {
            struct span body = arena_format(
                &w->arena, "{\"reason\":{\"code\":\"withdrawn\",%s%s%s}}", limits[i].before,
                repeat(w, limits[i].unit, "", limits[i].most + more), limits[i].after);
            struct reply reply = post(w, AS_EDP, at(w, consent, "/revoke"), body.data);
            if (more != 0) {
                assert_errors(&reply, "invalid-body", limits[i].pointer);
            } else {
                json_decref(answered(reply, 200));
            }
        }
    }
    json_decref(consent);
}

static void tokens_and_proofs_come_by_sixteen(void **state) {
    struct world *w = *state;
    json_t *consent = created(w, GRANTED);
    const char *token =
        "{\"digest\":\"" DIGEST_1 "\",\"issuedAt\":\"" T0 "\",\"expires\":\"" T0 "\"}";
    for (size_t n = 16; n <= 17; n++) {
        struct span tokens = arena_format(&w->arena, "{\"tokens\":[%s]}", repeat(w, token, ",", n));
        struct span proofs =
            arena_format(&w->arena, "{\"proofs\":[%s]}", repeat(w, "{\"type\":\"t\"}", ",", n));
        struct reply one = post(w, AS_EDP, at(w, consent, "/tokens"), tokens.data);
        struct reply other = post(w, AS_EDP, at(w, consent, "/proofs"), proofs.data);
        if (n == 16) {
            json_decref(answered(one, 200));
            json_decref(answered(other, 200));
        } else {
            assert_errors(&one, "invalid-body", "/tokens");
            assert_errors(&other, "invalid-body", "/proofs");
        }
    }
    json_decref(consent);
}

/* ---- a change owns its bytes */

#define CAP "https://registry.core.trust.ib1.org/scheme/perseus/role/carbon-accounting-provider"
#define EDP_ROLE "https://registry.core.trust.ib1.org/scheme/perseus/role/energy-data-provider"

/* A token with a scheme role, from an issuer that is a source of roles from now on. */
static const char *token_with_role(struct world *w, const char *role) {
    char why[256] = "";
    struct auth_issuer issuer;
    struct buffer out = {0};
    struct span roles = span_of_text(role);
    struct auth_keys *keys, *before = w->keys;
    assert_int_equal(auth_dev_issuer_fill(w->directory, &w->arena, &issuer), STATUS_OK);
    issuer.roles_claim = SPAN("roles");
    assert_int_equal(auth_keys_load(&issuer, 1, &keys, why, sizeof why), STATUS_OK);
    atomic_store(&w->service.keys, keys);
    w->keys = keys;
    auth_keys_free(before);
    struct auth_dev_request request = {.role = SPAN("tenant"),
                                       .id = SPAN(EDP),
                                       .roles = &roles,
                                       .role_count = 1,
                                       .issued_at_s = time_of(T0) / 1000,
                                       .expires_s = time_of(T0) / 1000 + 3600};
    buffer_append_text(&out, "Bearer ");
    if (auth_dev_mint(w->directory, &request, &out, why, sizeof why) != STATUS_OK) {
        fail_msg("%s", why);
    }
    const char *token = arena_copy(&w->arena, buffer_span(&out)).data;
    buffer_release(&out);
    return token;
}

#define WITH_ROLES \
    "{" PARTIES ",\"clientRoles\":[\"" CAP "\"],\"account\":\"a\",\"grant\":" GRANT "}"

static void roles_are_those_of_token_and_body(void **state) {
    struct world *w = *state;
    struct sending sending = {.token = token_with_role(w, EDP_ROLE),
                              .target = "/v1/consents",
                              .body = WITH_ROLES,
                              .key = "k"};
    json_decref(answered(send(w, sending), 201));
    sending.body = "{" PARTIES ",\"clientRoles\":[\"" EDP_ROLE "\"]}";
    sending.key = "k2";
    struct reply reply = send(w, sending);
    assert_problem(&reply, 422, "not-admissible");
}

/* Hands the request in while the writer is held, takes everything of the call away, and only then
 * lets the writer look. */
static enum status outlive(struct world *w, struct sending sending) {
    struct sent sent;
    hold_writer(w);
    send_begin(w, &sending, &sent);
    enum api_outcome outcome = sent.outcome;
    send_forget(&sent);
    memset(&sent, 0xee, sizeof sent);
    let_writer_go(w);
    assert_int_equal(outcome, API_PENDING);
    struct store_change *change = world_await(w);
    enum status status = change->done.status;
    store_change_free(change);
    return status;
}

static void a_change_outlives_the_call_that_made_it(void **state) {
    struct world *w = *state;
    json_t *asked = created(w, REQUESTED);
    const char *token = token_with_role(w, EDP_ROLE);
    struct sending sending = {
        .token = token, .target = "/v1/consents", .body = WITH_ROLES, .key = "k"};
    json_t *consent = answered(send(w, sending), 201);
    sending.key = "k2";
    assert_int_equal(outlive(w, sending), STATUS_OK);
    const struct {
        const char *target, *body, *key;
    } others[] = {
        {at(w, asked, "/grant"), "{\"account\":\"b\",\"grant\":" GRANT "}", NULL},
        {at(w, asked, "/tokens"), "{\"tokens\":[" TOKEN_1 "]}", NULL},
        {at(w, asked, "/proofs"), "{\"proofs\":[{\"type\":\"bill\"}]}", NULL},
        {at(w, asked, "/renew"), "{\"grant\":" GRANT "}", "k3"},
        {at(w, asked, "/revoke"), "{\"reason\":{\"code\":\"withdrawn\",\"text\":\"t\"}}", NULL},
        {"/v1/revocations",
         "{\"account\":\"a\",\"client\":\"" APP "\",\"provider\":\"" EDP
         "\",\"reason\":{\"code\":\"fraud\"}}",
         NULL},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        sending = (struct sending){.token = token,
                                   .target = others[i].target,
                                   .body = others[i].body,
                                   .key = others[i].key};
        assert_int_equal(outlive(w, sending), STATUS_OK);
    }
    json_decref(asked);
    json_decref(consent);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(as_much_as_may_be_is_read_and_one_more_is_not),
        IN_A_WORLD(a_placeholder_has_a_name_of_at_most_128_bytes),
        IN_A_WORLD(uses_are_counted_in_32_bits),
        IN_A_WORLD(terms_and_grant_have_16_kibibytes),
        IN_A_WORLD(what_is_personal_has_8_kibibytes),
        IN_A_WORLD(a_bulk_revocation_names_a_thousand_ids),
        IN_A_WORLD(a_reason_is_bounded),
        IN_A_WORLD(tokens_and_proofs_come_by_sixteen),
        IN_A_WORLD(roles_are_those_of_token_and_body),
        IN_A_WORLD(a_change_outlives_the_call_that_made_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
