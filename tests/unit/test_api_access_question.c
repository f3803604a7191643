/* What entities ask: each property of the table in docs/decisions.md right and wrong, limits one
 * under and one over, what rules look at, and entities that questions share. */
// SPDX-License-Identifier: Apache-2.0
#include "support_base.h"
#include "support_policy.h"
#include "support_store.h"

#include "api/access_question.h"
#include "base/limits.h"

#define ID "01959f3a-7b1c-7e6d-9c1a-0123456789ab"
#define NIL "00000000-0000-0000-0000-000000000000"

/* Rules that look everywhere. */
static const char rules[] =
    "[{\"id\":\"r\",\"effect\":\"permit\",\"when\":["
    "{\"path\":\"subject.properties.role\",\"op\":\"eq\",\"value\":\"admin\"},"
    "{\"path\":\"subject.properties.deep.er.est\",\"op\":\"eq\",\"value\":1},"
    "{\"path\":\"action.properties.soft\",\"op\":\"eq\",\"value\":true},"
    "{\"path\":\"resource.properties.tags\",\"op\":\"subsetOf\",\"value\":[\"a\"]},"
    "{\"path\":\"resource.properties.license\",\"op\":\"eq\",\"value\":\"l\"},"
    "{\"path\":\"resource.properties.deep\",\"op\":\"exists\",\"value\":true},"
    "{\"path\":\"context.time\",\"op\":\"exists\",\"value\":true},"
    "{\"path\":\"resource.properties.tags\",\"op\":\"exists\",\"value\":true}]}]";
enum { ROLE, DEEPEST, SOFT, TAGS, LICENSE, DEEP, TIME, SLOTS };

static struct fixture *fixture; /* of the group: questions change nothing in it */
static struct policy_pack *pack;

static int setup(void **state) {
    struct policy_error error;
    json_t *json = json_file(EVERY_MEMBER);
    json_put(json, "/directory", NULL);
    json_put(json, "/rules", json_of(rules));
    if (load_json(json, &pack, &error) != STATUS_OK)
        fail_msg("%s: %s", error.pointer, error.detail);
    json_decref(json);
    assert_int_equal(policy_pack_slot_count(pack), SLOTS);
    int wrong = fixture_setup(state);
    fixture = *state;
    return wrong;
}

static int teardown(void **state) {
    policy_pack_free(pack);
    return fixture_teardown(state);
}

/* ---- asking */

struct asking {
    struct arena arena;
    struct buffer text;
    struct api_access_body body;
    struct api_access_asker asker;
    struct api_access_ask ask; /* the first question */
};

static void begin_span(struct asking *a, struct span body) {
    const char *why = NULL;
    *a = (struct asking){.asker = {.store = fixture->store,
                                   .pack = pack,
                                   .tenant = SPAN(TENANT),
                                   .client_id = SPAN(OTHER_APP)}};
    a->asker.arena = &a->arena;
    buffer_append_span(&a->text, body);
    if (api_access_read(&a->arena, buffer_span(&a->text), API_ACCESS_EVALUATIONS, &a->body, &why) !=
        STATUS_OK)
        fail_msg("%.*s: %s", SPAN_ARG(body), why);
    const struct api_entities *first =
        a->body.items != NULL ? &a->body.items->entities : &a->body.defaults;
    why = api_access_wrong(a->body.kind, first);
    if (why != NULL)
        fail_msg("%.*s: %s", SPAN_ARG(body), why);
    api_access_question(&a->asker, first, &a->ask);
}

static void end(struct asking *a) {
    arena_release(&a->arena);
    buffer_release(&a->text);
}

static void begin(struct asking *a, const char *body) {
    begin_span(a, span_of_text(body));
}

/* One question, with these members after type, id and name; NULL: none. */
struct parts {
    const char *type, *subject, *action, *resource, *context;
};

static const struct policy_request *ask(struct asking *a, struct parts parts) {
    struct buffer text = {0};
    buffer_append_format(
        &text,
        "{\"subject\":{\"type\":\"application\",\"id\":\"" APP
        "\",\"properties\":%s},\"action\":{\"name\":\"read\",\"properties\":%s},"
        "\"resource\":{\"type\":\"%s\",\"id\":\"" ID "\",\"properties\":%s},"
        "\"context\":%s}",
        parts.subject != NULL ? parts.subject : "{}", parts.action != NULL ? parts.action : "{}",
        parts.type != NULL ? parts.type : "consent", parts.resource != NULL ? parts.resource : "{}",
        parts.context != NULL ? parts.context : "{}");
    begin_span(a, buffer_span(&text));
    buffer_release(&text);
    return &a->ask.question.ask;
}

static void assert_malformed_at(struct parts parts, const char *pointer, const char *file,
                                int line) {
    struct asking a;
    const char *found = ask(&a, parts)->malformed;
    if ((found == NULL) != (pointer == NULL) || (found != NULL && strcmp(found, pointer) != 0)) {
        print_error("%s\n", found != NULL ? found : "nothing is malformed");
        _fail(file, line);
    }
    end(&a);
}
#define assert_malformed(pointer, ...) \
    assert_malformed_at((struct parts){__VA_ARGS__}, (pointer), __FILE__, __LINE__)

static int64_t at(const char *time) {
    int64_t time_ms;
    assert_int_equal(timestamp_parse(span_of_text(time), &time_ms), STATUS_OK);
    return time_ms;
}

/* ---- the question */

static void a_question_that_says_nothing_more_has_nothing_more(void **state) {
    (void)state;
    struct asking a;
    begin(&a,
          "{\"subject\":{\"type\":\"application\",\"id\":\"" APP "\"},\"action\":{\"name\":\"read"
          "\"},\"resource\":{\"type\":\"consent\",\"id\":\"" ID "\"}}");
    const struct store_question *q = &a.ask.question;
    const struct policy_request *r = &q->ask;
    struct uuid id;
    assert_int_equal(uuid_from_text(SPAN(ID), &id), STATUS_OK);
    assert_int_equal(q->about, STORE_ABOUT_CONSENT);
    assert_true(uuid_equal(&q->consent, &id));
    assert_span(q->tenant, TENANT);
    assert_span(q->viewer_client, OTHER_APP);
    assert_span(q->client, APP);
    assert_span(r->subject_type, "application");
    assert_span(r->subject_id, APP);
    assert_span(r->action_name, "read");
    assert_span(r->resource_type, "consent");
    assert_span(r->resource_id, ID);
    assert_null(r->malformed);
    assert_false(r->roles_known || r->has_purpose || r->has_permissions || r->unknown_permission ||
                 r->has_granularity || r->has_onward || r->blocked || a.ask.record ||
                 a.ask.explain);
    assert_int_equal(r->permissions, 0);
    assert_int_equal(r->resource_count, 0);
    assert_true(r->from == INT64_MIN && r->to == INT64_MIN);
    assert_false(span_present(r->license) || span_present(r->territory) || span_present(q->onward));
    for (unsigned i = 0; i < SLOTS; i++)
        assert_int_equal(r->attributes[i].kind, POLICY_ABSENT);
    end(&a);
}

static void a_question_that_says_all_has_all(void **state) {
    (void)state;
    struct asking a;
    const struct policy_request *r =
        ask(&a, (struct parts){
                    .subject = "{\"roles\":[\"https://a\",\"https://b\"]}",
                    .action = "{\"purpose\":\"lend\"}",
                    .resource = "{\"permissions\":[\"place\",\"usage.halfhourly\"],\"resources\":["
                                "\"meter-1\",\"meter-2\"],\"granularity\":\"PT30M\",\"from\":"
                                "\"2025-01-01T00:00:00Z\",\"to\":\"2025-02-01T00:00:00Z\","
                                "\"license\":\"https://l\"}",
                    .context = "{\"onwardRecipient\":\"https://bank\",\"territory\":\"GB\","
                               "\"record\":true,\"explain\":true}"});
    const struct mac16 one = store_resource_key(fixture->store, SPAN(TENANT), SPAN("meter-1")),
                       two = store_resource_key(fixture->store, SPAN(TENANT), SPAN("meter-2"));
    assert_null(r->malformed);
    assert_true(r->roles_known);
    assert_int_equal(r->role_count, 2);
    assert_span(r->roles[0], "https://a");
    assert_span(r->roles[1], "https://b");
    assert_true(r->has_purpose);
    assert_int_equal(r->purpose, policy_pack_purpose_find(pack, SPAN("lend")));
    assert_true(r->has_permissions);
    assert_false(r->unknown_permission);
    assert_int_equal(r->permissions,
                     1 << policy_pack_permission_find(pack, SPAN("place")) |
                         1 << policy_pack_permission_find(pack, SPAN("usage.halfhourly")));
    assert_int_equal(r->resource_count, 2);
    assert_memory_equal(&r->resources[0], &one, sizeof one);
    assert_memory_equal(&r->resources[1], &two, sizeof two);
    assert_true(r->has_granularity);
    assert_int_equal(r->granularity.seconds, 1800);
    assert_int_equal(r->from, at("2025-01-01T00:00:00Z"));
    assert_int_equal(r->to, at("2025-02-01T00:00:00Z"));
    assert_span(r->license, "https://l");
    assert_true(r->has_onward);
    assert_span(a.ask.question.onward, "https://bank");
    assert_span(r->territory, "GB");
    assert_true(a.ask.record && a.ask.explain);
    end(&a);
}

static void a_resource_is_a_consent_an_account_or_of_rules(void **state) {
    (void)state;
    static const enum store_question_about about[] = {STORE_ABOUT_CONSENT, STORE_ABOUT_CONSENT,
                                                      STORE_ABOUT_ACCOUNT, STORE_ABOUT_RULES};
    struct asking a;
    begin(&a, "{\"evaluations\":["
              "{\"resource\":{\"type\":\"consent\",\"id\":\"" ID "\"}},"
              "{\"resource\":{\"type\":\"consent\",\"id\":\"no-uuid\"}},"
              "{\"resource\":{\"type\":\"account\",\"id\":\"acc-1\"}},"
              "{\"resource\":{\"type\":\"record\",\"id\":\"" ID "\"}}],"
              "\"subject\":{\"type\":\"application\",\"id\":\"a\"},\"action\":{\"name\":\"\"}}");
    const struct mac16 account = store_account_key(fixture->store, SPAN(TENANT), SPAN("acc-1")),
                       none = {{0}};
    struct api_access_item *item = a.body.items;
    for (unsigned i = 0; i < COUNT(about); i++, item = item->next) {
        const struct store_question *q = &a.ask.question;
        api_access_question(&a.asker, &item->entities, &a.ask);
        assert_null(q->ask.malformed);
        assert_int_equal(q->about, about[i]);
        assert_int_equal(memcmp(&q->account, i == 2 ? &account : &none, sizeof none), 0);
        assert_int_equal(uuid_is_nil(&q->consent), i != 0);
    }
    end(&a);
}

static void unknown_codes_are_told_apart_from_none(void **state) {
    (void)state;
    struct asking a;
    const struct policy_request *r =
        ask(&a, (struct parts){.action = "{\"purpose\":\"other\"}",
                               .resource = "{\"permissions\":[\"place\",\"other\"]}"});
    assert_null(r->malformed);
    assert_true(r->has_purpose && r->unknown_permission);
    assert_int_equal(r->purpose, -1);
    assert_int_equal(r->permissions, 1 << policy_pack_permission_find(pack, SPAN("place")));
    end(&a);
    r = ask(&a, (struct parts){.subject = "{\"roles\":[]}", .resource = "{\"resources\":[]}"});
    assert_null(r->malformed);
    assert_true(r->roles_known);
    assert_int_equal(r->role_count, 0);
    assert_int_equal(r->resource_count, 0);
    end(&a);
}

/* ---- wrong forms */

static void a_property_of_another_form_is_malformed(void **state) {
    (void)state;
    assert_malformed("/subject/properties/roles", .subject = "{\"roles\":\"https://a\"}");
    assert_malformed("/subject/properties/roles", .subject = "{\"roles\":[1]}");
    assert_malformed("/subject/properties/roles", .subject = "{\"roles\":[\"\"]}");
    assert_malformed("/action/properties/purpose", .action = "{\"purpose\":1}");
    assert_malformed("/action/properties/purpose", .action = "{\"purpose\":null}");
    assert_malformed("/action/properties/purpose", .action = "{\"purpose\":[\"lend\"]}");
    assert_malformed("/resource/properties/permissions", .resource = "{\"permissions\":\"place\"}");
    assert_malformed("/resource/properties/permissions", .resource = "{\"permissions\":[]}");
    assert_malformed("/resource/properties/permissions",
                     .resource = "{\"permissions\":[\"place\",null]}");
    assert_malformed("/resource/properties/resources", .resource = "{\"resources\":{}}");
    assert_malformed("/resource/properties/resources", .resource = "{\"resources\":[[]]}");
    assert_malformed("/resource/properties/resources",
                     .resource = "{\"resources\":[\"a\\u0000\"]}");
    assert_malformed("/resource/properties/granularity", .resource = "{\"granularity\":\"P1X\"}");
    assert_malformed("/resource/properties/granularity", .resource = "{\"granularity\":30}");
    assert_malformed("/resource/properties/from", .resource = "{\"from\":\"yesterday\"}");
    assert_malformed("/resource/properties/from", .resource = "{\"from\":0}");
    assert_malformed("/resource/properties/to", .resource = "{\"to\":\"2025-02-30T00:00:00Z\"}");
    assert_malformed("/resource/properties/to", .resource = "{\"to\":{}}");
    assert_malformed("/resource/properties/license", .resource = "{\"license\":[]}");
    assert_malformed("/resource/properties/license", .resource = "{\"license\":\"\"}");
    assert_malformed("/context/onwardRecipient", .context = "{\"onwardRecipient\":false}");
    assert_malformed("/context/territory", .context = "{\"territory\":44}");
    assert_malformed("/context/record", .context = "{\"record\":\"true\"}");
    assert_malformed("/context/explain", .context = "{\"explain\":1}");
}

static void the_first_that_is_malformed_is_named(void **state) {
    (void)state;
    assert_malformed("/resource/properties/to", .resource = "{\"to\":1,\"from\":1}",
                     .context = "{\"record\":1}");
    assert_malformed("/subject/properties/roles", .resource = "{\"to\":1}",
                     .subject = "{\"roles\":1}");
}

static void a_property_that_stands_twice_is_malformed(void **state) {
    (void)state;
    assert_malformed("/action/properties/purpose",
                     .action = "{\"purpose\":\"lend\",\"purpose\":\"lend\"}");
    assert_malformed("/resource/properties/from",
                     .resource = "{\"from\":\"2025-01-01T00:00:00Z\",\"fr\\u006fm\":"
                                 "\"2024-01-01T00:00:00Z\"}");
    assert_malformed("/context/record", .context = "{\"record\":true,\"record\":false}");
    assert_malformed(NULL, .context = "{\"other\":true,\"other\":false}");
}

/* A list of texts, of which the last has this size. */
static const char *list(struct arena *arena, const char *name, unsigned count, unsigned size) {
    struct buffer text = {0};
    buffer_append_format(&text, "{\"%s\":[", name);
    for (unsigned i = 0; i < count; i++)
        buffer_append_format(&text, i + 1 < count ? "\"%u\"," : "\"%0*u\"",
                             i + 1 < count ? i : size, i);
    buffer_append_text(&text, "]}");
    struct span copy = arena_copy(arena, buffer_span(&text));
    buffer_release(&text);
    return copy.data;
}

static void limits_are_one_under_and_one_over(void **state) {
    (void)state;
    struct arena arena = {0};
    assert_malformed(NULL, .subject = list(&arena, "roles", LIMIT_ROLES, LIMIT_URL));
    assert_malformed("/subject/properties/roles",
                     .subject = list(&arena, "roles", LIMIT_ROLES + 1, 2));
    assert_malformed("/subject/properties/roles",
                     .subject = list(&arena, "roles", 1, LIMIT_URL + 1));
    assert_malformed(NULL, .resource = list(&arena, "permissions", LIMIT_SET, LIMIT_URL));
    assert_malformed("/resource/properties/permissions",
                     .resource = list(&arena, "permissions", LIMIT_SET + 1, 2));
    assert_malformed(NULL, .resource = list(&arena, "resources", LIMIT_RESOURCES, LIMIT_RESOURCE));
    assert_malformed("/resource/properties/resources",
                     .resource = list(&arena, "resources", LIMIT_RESOURCES + 1, 2));
    assert_malformed("/resource/properties/resources",
                     .resource = list(&arena, "resources", 1, LIMIT_RESOURCE + 1));
    for (unsigned over = 0; over <= 1; over++) {
        const char *license =
            arena_format(&arena, "{\"license\":\"%0*d\"}", LIMIT_URL + over, 0).data;
        const char *onward =
            arena_format(&arena, "{\"onwardRecipient\":\"%0*d\"}", LIMIT_URL + over, 0).data;
        assert_malformed(over ? "/resource/properties/license" : NULL, .resource = license);
        assert_malformed(over ? "/context/onwardRecipient" : NULL, .context = onward);
    }
    arena_release(&arena);
}

/* What is too long for a key or the log is not in the question. */
static void an_entity_that_is_too_long_is_malformed_and_left_out(void **state) {
    (void)state;
    static const struct {
        unsigned type, id, name, account;
        const char *pointer;
    } cases[] = {
        {LIMIT_URL, LIMIT_URL, LIMIT_URL, LIMIT_ACCOUNT, NULL},
        {LIMIT_URL + 1, 1, 1, 1, "/subject/type"},
        {1, LIMIT_URL + 1, 1, 1, "/subject/id"},
        {1, 1, LIMIT_URL + 1, 1, "/action/name"},
        {1, 1, 1, LIMIT_ACCOUNT + 1, "/resource/id"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asking a;
        struct buffer text = {0};
        buffer_append_format(
            &text,
            "{\"subject\":{\"type\":\"%0*d\",\"id\":\"%0*d\"},\"action\":{\"name\":"
            "\"%0*d\"},\"resource\":{\"type\":\"account\",\"id\":\"%0*d\"}}",
            cases[i].type, 0, cases[i].id, 0, cases[i].name, 0, cases[i].account, 0);
        buffer_append(&text, "", 1);
        begin(&a, text.data);
        const struct policy_request *r = &a.ask.question.ask;
        assert_int_equal(r->malformed == NULL, cases[i].pointer == NULL);
        if (r->malformed != NULL)
            assert_string_equal(r->malformed, cases[i].pointer);
        assert_true(r->subject_type.size == (i == 1 ? 0 : cases[i].type));
        assert_true(r->subject_id.size == (i == 2 ? 0 : cases[i].id));
        assert_true(a.ask.question.client.size == r->subject_id.size);
        assert_true(r->action_name.size == (i == 3 ? 0 : cases[i].name));
        assert_true(r->resource_id.size == (i == 4 ? 0 : cases[i].account));
        end(&a);
        buffer_release(&text);
    }
}

/* A scheme's own types have properties of their own. */
static void of_a_type_of_rules_the_table_judges_the_context_alone(void **state) {
    (void)state;
    struct asking a;
    const struct policy_request *r =
        ask(&a, (struct parts){.type = "record",
                               .subject = "{\"roles\":1}",
                               .action = "{\"purpose\":1}",
                               .resource = "{\"from\":\"yesterday\",\"permissions\":[\"place\"],"
                                           "\"resources\":[\"a\"]}"});
    assert_null(r->malformed);
    assert_false(r->has_permissions);
    assert_int_equal(r->resource_count, 0);
    end(&a);
    assert_malformed("/context/record", .type = "record", .context = "{\"record\":1}");
}

/* ---- what rules look at */

static void what_rules_look_at_is_read_by_its_kind(void **state) {
    (void)state;
    struct asking a;
    const struct policy_attribute *found =
        ask(&a,
            (struct parts){.subject = "{\"role\":\"admin\",\"deep\":{\"x\":1,\"er\":{\"est\":-1.5"
                                      ",\"y\":2}}}",
                           .action = "{\"soft\":false}",
                           .resource = "{\"tags\":[\"a\",\"b\\n\"],\"license\":\"l\",\"deep\":{}}",
                           .context = "{\"time\":null}"})
            ->attributes;
    assert_int_equal(found[ROLE].kind, POLICY_IS_TEXT);
    assert_span(found[ROLE].text, "admin");
    assert_int_equal(found[DEEPEST].kind, POLICY_IS_NUMBER);
    assert_int_equal(found[DEEPEST].number, -2);
    assert_true(found[DEEPEST].fraction);
    assert_int_equal(found[SOFT].kind, POLICY_IS_TRUTH);
    assert_int_equal(found[SOFT].number, 0);
    assert_int_equal(found[TAGS].kind, POLICY_IS_TEXTS);
    assert_int_equal(found[TAGS].text_count, 2);
    assert_span(found[TAGS].texts[0], "a");
    assert_span(found[TAGS].texts[1], "b\n");
    assert_span(found[LICENSE].text, "l");
    assert_span(a.ask.question.ask.license, "l"); /* for the clauses too */
    assert_int_equal(found[DEEP].kind, POLICY_IS_OTHER);
    assert_int_equal(found[TIME].kind, POLICY_IS_OTHER);
    end(&a);
    found = ask(&a, (struct parts){.subject = "{\"role\":{},\"deep\":{\"er\":[1]}}",
                                   .action = "{\"soft\":true,\"other\":1}",
                                   .resource = "{\"tags\":[],\"deep\":[\"a\",1]}",
                                   .context = "{\"times\":1}"})
                ->attributes;
    assert_int_equal(found[ROLE].kind, POLICY_IS_OTHER);
    assert_int_equal(found[DEEPEST].kind, POLICY_ABSENT);
    assert_int_equal(found[SOFT].number, 1);
    assert_int_equal(found[TAGS].kind, POLICY_IS_TEXTS);
    assert_int_equal(found[TAGS].text_count, 0);
    assert_int_equal(found[LICENSE].kind, POLICY_ABSENT);
    assert_int_equal(found[DEEP].kind, POLICY_IS_OTHER);
    assert_int_equal(found[TIME].kind, POLICY_ABSENT);
    end(&a);
}

static void a_list_is_read_to_its_limit(void **state) {
    (void)state;
    struct asking a;
    struct arena arena = {0};
    const struct policy_attribute *found =
        ask(&a, (struct parts){.resource = list(&arena, "tags", LIMIT_SET, LIMIT_TEXT)})
            ->attributes;
    assert_int_equal(found[TAGS].text_count, LIMIT_SET);
    assert_span(found[TAGS].texts[0], "0");
    assert_span(found[TAGS].texts[LIMIT_SET - 2], "62");
    assert_int_equal(found[TAGS].texts[LIMIT_SET - 1].size, LIMIT_TEXT);
    end(&a);
    assert_malformed("/resource/properties", .resource = list(&arena, "tags", LIMIT_SET + 1, 2));
    assert_malformed("/resource/properties", .resource = list(&arena, "tags", 1, LIMIT_TEXT + 1));
    arena_release(&arena);
}

static void what_rules_cannot_see_clearly_is_malformed(void **state) {
    (void)state;
    assert_malformed("/subject/properties", .type = "record",
                     .subject = "{\"role\":\"user\",\"role\":\"admin\"}");
    assert_malformed("/subject/properties", .subject = "{\"deep\":{},\"deep\":{}}");
    assert_malformed("/subject/properties", .subject = "{\"deep\":{\"er\":{\"est\":1,\"est\":1}}}");
    assert_malformed(NULL, .subject = "{\"deep\":{\"er\":{\"x\":1,\"x\":1}}}");
    assert_malformed("/subject/properties", .subject = "{\"role\":\"admin\\u0000\"}");
    assert_malformed("/resource/properties", .resource = "{\"tags\":[\"\\u0000\"]}");
    assert_malformed("/action/properties", .action = "{\"soft\":1,\"soft\":1}");
    assert_malformed("/context", .context = "{\"time\":1,\"time\":1}");
}

static void what_is_malformed_is_not_there(void **state) {
    static const char *const wrong[] = {"{\"role\":\"admin\",\"role\":\"admin\"}",
                                        "{\"role\":\"admin\\u0000\"}"};
    struct asking a;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct policy_request *r = ask(&a, (struct parts){.subject = wrong[i]});
        assert_string_equal(r->malformed, "/subject/properties");
        assert_int_equal(r->attributes[ROLE].kind, POLICY_ABSENT);
        end(&a);
    }
}

/* ---- questions that share entities */

static void a_default_that_was_replaced_leaves_no_trace(void **state) {
    (void)state;
    struct asking a;
    struct api_access_ask asks[4];
    begin(
        &a,
        "{\"evaluations\":[{},{\"subject\":{\"type\":\"t\",\"id\":\"other\"},\"action\":{\"name\":"
        "\"write\"},\"resource\":{\"type\":\"consent\",\"id\":\"" NIL "\"},\"context\":{}},{},"
        "{\"resource\":{\"type\":\"record\",\"id\":\"r\",\"properties\":{\"tags\":[\"b\"]}}}],"
        "\"subject\":{\"type\":\"t\",\"id\":\"one\",\"properties\":{\"roles\":[\"r\"],\"role\":"
        "\"admin\"}},\"action\":{\"name\":\"read\",\"properties\":{\"purpose\":\"lend\"}},"
        "\"resource\":{\"type\":\"account\",\"id\":\"x\",\"properties\":{\"permissions\":["
        "\"place\",\"other\"],\"resources\":[\"m\"],\"granularity\":\"P1D\",\"from\":1,\"to\":"
        "\"2025-01-01T00:00:00Z\",\"license\":\"l\",\"tags\":[\"a\"]}},\"context\":{"
        "\"onwardRecipient\":\"o\",\"territory\":\"GB\",\"record\":true,\"explain\":true}}");
    struct api_access_item *item = a.body.items;
    for (unsigned i = 0; i < 4; i++, item = item->next)
        api_access_question(&a.asker, &item->entities, &asks[i]);
    for (unsigned i = 0; i < 3; i += 2) { /* the defaults, twice */
        const struct policy_request *r = &asks[i].question.ask;
        assert_string_equal(r->malformed, "/resource/properties/from");
        assert_span(asks[i].question.client, "one");
        assert_int_equal(asks[i].question.about, STORE_ABOUT_ACCOUNT);
        assert_int_equal(r->role_count, 1);
        assert_true(r->has_purpose && r->has_permissions && r->unknown_permission);
        assert_true(r->resource_count == 1 && r->has_granularity && r->to != INT64_MIN);
        assert_span(r->license, "l");
        assert_true(r->has_onward && asks[i].record && asks[i].explain);
        assert_span(r->attributes[ROLE].text, "admin");
        assert_span(r->attributes[TAGS].texts[0], "a");
    }
    const struct policy_request *r = &asks[1].question.ask;
    assert_null(r->malformed);
    assert_span(asks[1].question.client, "other");
    assert_span(r->action_name, "write");
    assert_int_equal(asks[1].question.about, STORE_ABOUT_CONSENT);
    assert_false(r->roles_known || r->has_purpose || r->has_permissions || r->unknown_permission ||
                 r->has_granularity || r->has_onward || asks[1].record || asks[1].explain);
    assert_true(r->permissions == 0 && r->resource_count == 0 && r->role_count == 0);
    assert_true(r->from == INT64_MIN && r->to == INT64_MIN && r->purpose == -1);
    assert_false(span_present(r->license) || span_present(r->territory) ||
                 span_present(asks[1].question.onward));
    assert_int_equal(r->attributes[ROLE].kind, POLICY_ABSENT);
    assert_int_equal(r->attributes[TAGS].kind, POLICY_ABSENT);
    r = &asks[3].question.ask;
    assert_null(r->malformed); /* that of the default resource went with it */
    assert_int_equal(asks[3].question.about, STORE_ABOUT_RULES);
    assert_span(r->attributes[ROLE].text, "admin");
    assert_span(r->attributes[TAGS].texts[0], "b");
    end(&a);
}

static void a_context_is_of_its_item_alone(void **state) {
    (void)state;
    struct asking a;
    begin(&a, "{\"evaluations\":[{\"context\":{\"record\":true,\"time\":1}},{}],"
              "\"subject\":{\"type\":\"application\",\"id\":\"a\"},\"action\":{\"name\":\"\"},"
              "\"resource\":{\"type\":\"consent\",\"id\":\"c\"}}");
    assert_true(a.ask.record);
    assert_int_equal(a.ask.question.ask.attributes[TIME].kind, POLICY_IS_NUMBER);
    api_access_question(&a.asker, &a.body.items->next->entities, &a.ask);
    assert_false(a.ask.record);
    assert_int_equal(a.ask.question.ask.attributes[TIME].kind, POLICY_ABSENT);
    end(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_that_says_nothing_more_has_nothing_more),
        cmocka_unit_test(a_question_that_says_all_has_all),
        cmocka_unit_test(a_resource_is_a_consent_an_account_or_of_rules),
        cmocka_unit_test(unknown_codes_are_told_apart_from_none),
        cmocka_unit_test(a_property_of_another_form_is_malformed),
        cmocka_unit_test(the_first_that_is_malformed_is_named),
        cmocka_unit_test(a_property_that_stands_twice_is_malformed),
        cmocka_unit_test(limits_are_one_under_and_one_over),
        cmocka_unit_test(an_entity_that_is_too_long_is_malformed_and_left_out),
        cmocka_unit_test(of_a_type_of_rules_the_table_judges_the_context_alone),
        cmocka_unit_test(what_rules_look_at_is_read_by_its_kind),
        cmocka_unit_test(a_list_is_read_to_its_limit),
        cmocka_unit_test(what_rules_cannot_see_clearly_is_malformed),
        cmocka_unit_test(what_is_malformed_is_not_there),
        cmocka_unit_test(a_default_that_was_replaced_leaves_no_trace),
        cmocka_unit_test(a_context_is_of_its_item_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
