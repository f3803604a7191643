/* AuthZEN requests as they are sent: what stands where, what is wrong in which words, what an item
 * of a batch takes from the defaults, and what a search ignores. */
// SPDX-License-Identifier: Apache-2.0
#include "support_base.h"

#include "api/access_read.h"
#include "base/limits.h"

#define SUBJECT "\"subject\":{\"type\":\"application\",\"id\":\"app-1\"}"
#define ACTION "\"action\":{\"name\":\"read\"}"
#define RESOURCE "\"resource\":{\"type\":\"account\",\"id\":\"acc-1\"}"
#define ALL SUBJECT "," ACTION "," RESOURCE

struct reading {
    struct arena arena;
    char *text;
    struct api_access_body body;
    const char *why;
    enum status status;
};

/* From memory of the text's exact size. */
static enum status begin(struct reading *r, enum api_access_kind kind, struct span text) {
    *r = (struct reading){.text = malloc(text.size != 0 ? text.size : 1)};
    memcpy(r->text, text.data, text.size);
    r->status = api_access_read(&r->arena, span_of(r->text, text.size), kind, &r->body, &r->why);
    if (r->status == STATUS_OK && r->body.item_count == 0)
        r->why = api_access_wrong(kind, &r->body.defaults);
    return r->status;
}

static void end(struct reading *r) {
    arena_release(&r->arena);
    free(r->text);
}

static void assert_wrong_at(enum api_access_kind kind, struct span text, enum status status,
                            const char *why, const char *file, int line) {
    struct reading r;
    begin(&r, kind, text);
    if (r.status != status || (r.why == NULL) != (why == NULL) ||
        (why != NULL && strcmp(r.why, why) != 0)) {
        print_error("%.*s: %s, %s\n", SPAN_ARG(text), status_name(r.status), r.why);
        _fail(file, line);
    }
    end(&r);
}
#define assert_wrong(kind, text, why) \
    assert_wrong_at(API_ACCESS_##kind, SPAN(text), STATUS_OK, (why), __FILE__, __LINE__)
#define assert_invalid(kind, text, why) \
    assert_wrong_at(API_ACCESS_##kind, SPAN(text), STATUS_INVALID_BODY, (why), __FILE__, __LINE__)
#define assert_malformed(text, why)                                                            \
    assert_wrong_at(API_ACCESS_EVALUATION, SPAN(text), STATUS_MALFORMED_JSON, (why), __FILE__, \
                    __LINE__)

/* ---- one question */

static void entities_are_read_in_any_order_and_with_what_nobody_knows(void **state) {
    (void)state;
    struct reading r;
    assert_int_equal(
        begin(
            &r, API_ACCESS_EVALUATION,
            SPAN(
                " {\"context\": {\"time\":\"now\", \"a\":[1]}, \"futureField\":{\"nested\":[true]},"
                "\"resource\":{\"properties\":{\"from\":null},\"id\":\"r\\u00e9\",\"x\":1,"
                "\"type\":\"account\"},\"evaluations\":7,\"options\":[],\"page\":null,"
                "\"sub\\u006aect\":{\"id\":\"\",\"type\":\"\"},"
                "\"action\":{\"type\":5,\"name\":\"read\",\"properties\":{}}} ")),
        STATUS_OK);
    const struct api_entities *e = &r.body.defaults;
    assert_null(r.why);
    assert_int_equal(r.body.item_count, 0);
    assert_null(r.body.items);
    assert_span(e->of[API_SUBJECT]->type, "");
    assert_true(span_present(e->of[API_SUBJECT]->type));
    assert_true(span_present(e->of[API_SUBJECT]->id));
    assert_false(span_present(e->of[API_SUBJECT]->properties));
    assert_span(e->of[API_ACTION]->id, "read");
    assert_false(span_present(e->of[API_ACTION]->type));
    assert_span(e->of[API_ACTION]->properties, "{}");
    assert_span(e->of[API_RESOURCE]->type, "account");
    assert_span(e->of[API_RESOURCE]->id, "r\xc3\xa9");
    assert_span(e->of[API_RESOURCE]->properties, "{\"from\":null}");
    assert_span(e->of[API_CONTEXT]->properties, "{\"time\":\"now\", \"a\":[1]}");
    end(&r);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    assert_wrong(EVALUATION, "{" ALL "}", NULL);
    assert_wrong(EVALUATION, "{}", "subject is required");
    assert_wrong(EVALUATION, "{" ACTION "," RESOURCE "}", "subject is required");
    assert_wrong(EVALUATION, "{" SUBJECT "," RESOURCE "}", "action is required");
    assert_wrong(EVALUATION, "{" SUBJECT "," ACTION "}", "resource is required");
    assert_wrong(EVALUATION, "{\"subject\":{\"id\":\"a\"}," ACTION "," RESOURCE "}",
                 "subject.type must be a string");
    assert_wrong(EVALUATION, "{\"subject\":{\"type\":\"a\"}," ACTION "," RESOURCE "}",
                 "subject.id must be a string");
    assert_wrong(EVALUATION, "{\"action\":{}," SUBJECT "," RESOURCE "}",
                 "action.name must be a string");
    assert_wrong(EVALUATION, "{\"resource\":{\"id\":\"a\"}," SUBJECT "," ACTION "}",
                 "resource.type must be a string");
    assert_wrong(EVALUATION, "{\"resource\":{\"type\":\"a\"}," SUBJECT "," ACTION "}",
                 "resource.id must be a string");
}

static void what_has_the_wrong_form_is_named(void **state) {
    (void)state;
    assert_wrong(EVALUATION, "{\"subject\":\"alice\"," ACTION "," RESOURCE "}",
                 "subject must be an object");
    assert_wrong(EVALUATION, "{\"subject\":null," ACTION "," RESOURCE "}",
                 "subject must be an object");
    assert_wrong(EVALUATION, "{\"subject\":{\"type\":1,\"id\":\"a\"}," ACTION "," RESOURCE "}",
                 "subject.type must be a string");
    assert_wrong(EVALUATION, "{\"subject\":{\"type\":\"a\",\"id\":[]}," ACTION "," RESOURCE "}",
                 "subject.id must be a string");
    assert_wrong(EVALUATION,
                 "{\"subject\":{\"type\":\"a\",\"id\":\"a\",\"properties\":[]}," ACTION "," RESOURCE
                 "}",
                 "subject.properties must be an object");
    assert_wrong(EVALUATION, "{" SUBJECT ",\"action\":{\"name\":123}," RESOURCE "}",
                 "action.name must be a string");
    assert_wrong(EVALUATION,
                 "{" SUBJECT ",\"action\":{\"name\":\"a\",\"properties\":null}," RESOURCE "}",
                 "action.properties must be an object");
    assert_wrong(EVALUATION, "{" SUBJECT "," ACTION ",\"resource\":[]}",
                 "resource must be an object");
    assert_wrong(EVALUATION, "{" ALL ",\"context\":\"\"}", "context must be an object");
    assert_wrong(EVALUATION,
                 "{\"subject\":{\"type\":\"a\\u0000\",\"id\":\"a\"}," ACTION "," RESOURCE "}",
                 "subject.type must not have a NUL character");
    assert_wrong(EVALUATION,
                 "{" SUBJECT "," ACTION ",\"resource\":{\"type\":\"a\",\"id\":\"\\u0000\"}}",
                 "resource.id must not have a NUL character");
}

static void what_stands_twice_is_wrong(void **state) {
    (void)state;
    assert_wrong(EVALUATION, "{" ALL "," SUBJECT "}", "subject is there twice");
    assert_wrong(EVALUATION, "{" ALL ",\"context\":{},\"context\":{}}", "context is there twice");
    assert_wrong(EVALUATION,
                 "{\"subject\":{\"type\":\"a\",\"type\":\"a\",\"id\":\"b\"}," ACTION "," RESOURCE
                 "}",
                 "subject.type is there twice");
    assert_wrong(EVALUATION,
                 "{\"subject\":{\"type\":\"a\",\"id\":\"a\",\"id\":\"b\"}," ACTION "," RESOURCE "}",
                 "subject.id is there twice");
    assert_wrong(EVALUATION,
                 "{" SUBJECT ",\"action\":{\"name\":\"a\",\"n\\u0061me\":\"a\"}," RESOURCE "}",
                 "action.name is there twice");
    assert_wrong(EVALUATION,
                 "{" SUBJECT "," ACTION ",\"resource\":{\"type\":\"a\",\"id\":\"a\","
                 "\"properties\":{},\"properties\":{}}}",
                 "resource.properties is there twice");
    assert_wrong(EVALUATION, "{" ALL ",\"x\":1,\"x\":2}", NULL);
}

static void what_is_no_object_of_json_is_refused(void **state) {
    (void)state;
    assert_invalid(EVALUATION, "[]", "the body must be an object");
    assert_invalid(EVALUATION, "\"a\"", "the body must be an object");
    assert_malformed("", "byte 0: a value is expected");
    assert_malformed("{" ALL, "byte 114: ',' or '}' is expected");
    assert_malformed("{" ALL "}}", "byte 115: something follows the value");
    assert_malformed("{\"subject\":1,}", "byte 13: a string is expected");
}

/* ---- batches */

static const struct api_access_item *item(const struct reading *r, uint32_t index) {
    const struct api_access_item *at = r->body.items;
    for (; index > 0; index--)
        at = at->next;
    return at;
}

static void an_item_takes_whole_what_it_does_not_say(void **state) {
    (void)state;
    struct reading r;
    assert_int_equal(
        begin(
            &r, API_ACCESS_EVALUATIONS,
            SPAN("{\"evaluations\":[{},{\"resource\":{\"type\":\"consent\",\"id\":\"c\"}},"
                 "{" SUBJECT ",\"action\":{\"name\":\"write\"},\"context\":{\"a\":1}}],"
                 "\"action\":{\"name\":\"read\",\"properties\":{\"purpose\":\"p\"}},\"resource\":{"
                 "\"type\":\"account\",\"id\":\"acc-1\",\"properties\":{\"license\":\"l\"}},"
                 "\"subject\":{\"type\":\"application\",\"id\":\"app-2\"}}")),
        STATUS_OK);
    const struct api_entities *defaults = &r.body.defaults;
    assert_int_equal(r.body.item_count, 3);
    assert_null(item(&r, 2)->next);
    assert_memory_equal(&item(&r, 0)->entities, defaults, sizeof *defaults);
    assert_ptr_equal(item(&r, 1)->entities.of[API_SUBJECT], defaults->of[API_SUBJECT]);
    assert_span(item(&r, 1)->entities.of[API_RESOURCE]->type, "consent");
    assert_false(span_present(item(&r, 1)->entities.of[API_RESOURCE]->properties));
    assert_null(item(&r, 1)->entities.of[API_CONTEXT]);
    assert_span(item(&r, 2)->entities.of[API_SUBJECT]->id, "app-1");
    assert_false(span_present(item(&r, 2)->entities.of[API_ACTION]->properties));
    assert_span(item(&r, 2)->entities.of[API_RESOURCE]->properties, "{\"license\":\"l\"}");
    assert_span(item(&r, 2)->entities.of[API_CONTEXT]->properties, "{\"a\":1}");
    for (uint32_t i = 0; i < 3; i++)
        assert_null(api_access_wrong(r.body.kind, &item(&r, i)->entities));
    end(&r);
}

static void an_item_that_is_wrong_leaves_the_others_alone(void **state) {
    (void)state;
    static const char *const wrongs[] = {
        NULL,
        "resource is required",
        "an item of evaluations must be an object",
        "an item of evaluations must be an object",
        "resource.id must be a string",
        "action is there twice",
        "subject must be an object",
        "context must be an object",
    };
    struct reading r;
    assert_int_equal(
        begin(&r, API_ACCESS_EVALUATIONS,
              SPAN("{" SUBJECT "," ACTION ",\"evaluations\":[{" RESOURCE "},{},null,[{" RESOURCE
                   "}],{\"resource\":{\"type\":\"a\"}},{" RESOURCE "," ACTION "," ACTION
                   "},{\"subject\":1," RESOURCE "},{" RESOURCE ",\"context\":true}]}")),
        STATUS_OK);
    assert_int_equal(r.body.item_count, COUNT(wrongs));
    for (uint32_t i = 0; i < COUNT(wrongs); i++) {
        const char *wrong = api_access_wrong(r.body.kind, &item(&r, i)->entities);
        if ((wrong == NULL) != (wrongs[i] == NULL) || (wrong != NULL && strcmp(wrong, wrongs[i])))
            fail_msg("%u: %s", i, wrong);
    }
    end(&r);
}

static void a_default_that_no_item_uses_may_be_anything(void **state) {
    (void)state;
    struct reading r;
    assert_int_equal(begin(&r, API_ACCESS_EVALUATIONS,
                           SPAN("{\"subject\":{\"type\":1},\"action\":[],\"evaluations\":[{" ALL
                                "},{" SUBJECT "," RESOURCE "}]}")),
                     STATUS_OK);
    assert_null(api_access_wrong(r.body.kind, &item(&r, 0)->entities));
    assert_string_equal(api_access_wrong(r.body.kind, &item(&r, 1)->entities),
                        "action must be an object");
    end(&r);
}

static void without_items_it_is_one_question(void **state) {
    (void)state;
    assert_wrong(EVALUATIONS, "{" ALL "}", NULL);
    assert_wrong(EVALUATIONS, "{" ALL ",\"evaluations\":[ ]}", NULL);
    assert_wrong(EVALUATIONS, "{" SUBJECT "," ACTION ",\"evaluations\":[]}",
                 "resource is required");
    assert_invalid(EVALUATIONS, "{" ALL ",\"evaluations\":{}}", "evaluations must be an array");
    assert_invalid(EVALUATIONS, "{" ALL ",\"evaluations\":null}", "evaluations must be an array");
    assert_invalid(EVALUATIONS, "{" ALL ",\"evaluations\":[{}],\"evaluations\":[]}",
                   "evaluations is there twice");
}

#define BATCH(options) "{" ALL ",\"evaluations\":[{}]," options "}"
#define UNKNOWN_SEMANTIC                                                       \
    "options.evaluations_semantic must be execute_all, deny_on_first_deny or " \
    "permit_on_first_permit"

static void assert_ends(const char *text, enum store_batch_end wanted) {
    struct reading r;
    assert_int_equal(begin(&r, API_ACCESS_EVALUATIONS, span_of_text(text)), STATUS_OK);
    assert_int_equal(r.body.batch_end, wanted);
    end(&r);
}

static void the_semantic_is_one_of_three(void **state) {
    (void)state;
    assert_ends(BATCH("\"x\":1"), STORE_BATCH_ALL);
    assert_ends(BATCH("\"options\":{\"another_option\":\"value\"}"), STORE_BATCH_ALL);
    assert_ends(BATCH("\"options\":{\"evaluations_semantic\":\"execute_all\"}"), STORE_BATCH_ALL);
    assert_ends(BATCH("\"options\":{\"evaluations_semantic\":\"deny_on_first_deny\"}"),
                STORE_BATCH_TO_DENIAL);
    assert_ends(BATCH("\"options\":{\"evaluations_semantic\":\"permit_on_first_permit\"}"),
                STORE_BATCH_TO_PERMIT);
    assert_invalid(EVALUATIONS, BATCH("\"options\":[]"), "options must be an object");
    assert_invalid(EVALUATIONS, BATCH("\"options\":{},\"options\":{}"), "options is there twice");
    assert_invalid(EVALUATIONS, BATCH("\"options\":{\"evaluations_semantic\":1}"),
                   "options.evaluations_semantic must be a string");
    assert_invalid(EVALUATIONS, BATCH("\"options\":{\"evaluations_semantic\":\"\"}"),
                   UNKNOWN_SEMANTIC);
    assert_invalid(EVALUATIONS, BATCH("\"options\":{\"evaluations_semantic\":\"Execute_all\"}"),
                   UNKNOWN_SEMANTIC);
    assert_invalid(EVALUATIONS,
                   BATCH("\"options\":{\"evaluations_semantic\":\"execute_all\","
                         "\"evaluations_semantic\":\"execute_all\"}"),
                   "options.evaluations_semantic is there twice");
}

static void a_batch_has_at_most_1000_items(void **state) {
    (void)state;
    for (unsigned count = LIMIT_EVALUATIONS; count <= LIMIT_EVALUATIONS + 1; count++) {
        struct reading r;
        struct buffer text = {0};
        buffer_append_text(&text, "{" ALL ",\"evaluations\":[{}");
        for (unsigned i = 1; i < count; i++)
            buffer_append_text(&text, ",{}");
        buffer_append_text(&text, "]}");
        begin(&r, API_ACCESS_EVALUATIONS, buffer_span(&text));
        if (count == LIMIT_EVALUATIONS) {
            assert_int_equal(r.status, STATUS_OK);
            assert_int_equal(r.body.item_count, LIMIT_EVALUATIONS);
            assert_null(item(&r, LIMIT_EVALUATIONS - 1)->next);
        } else {
            assert_int_equal(r.status, STATUS_INVALID_BODY);
            assert_string_equal(r.why, "evaluations has more than 1000 items");
        }
        end(&r);
        buffer_release(&text);
    }
}

static void json_that_is_broken_after_a_wrong_member_is_malformed(void **state) {
    (void)state;
    struct reading r;
    assert_int_equal(begin(&r, API_ACCESS_EVALUATIONS, SPAN("{\"evaluations\":1,\"options\":2")),
                     STATUS_MALFORMED_JSON);
    end(&r);
}

/* ---- searches */

static void a_search_ignores_what_it_looks_for(void **state) {
    (void)state;
    struct reading r;
    assert_int_equal(
        begin(&r, API_ACCESS_SEARCH_SUBJECT,
              SPAN("{\"subject\":{\"type\":\"user\",\"id\":5,\"properties\":{}}," ACTION
                   "," RESOURCE "}")),
        STATUS_OK);
    assert_null(r.why);
    assert_span(r.body.defaults.of[API_SUBJECT]->type, "user");
    assert_span(r.body.defaults.of[API_SUBJECT]->properties, "{}");
    assert_false(span_present(r.body.defaults.of[API_SUBJECT]->id));
    assert_span(r.body.defaults.of[API_RESOURCE]->id, "acc-1");
    end(&r);
    begin(&r, API_ACCESS_SEARCH_RESOURCE, SPAN("{" ALL "}"));
    assert_null(r.why);
    assert_false(span_present(r.body.defaults.of[API_RESOURCE]->id));
    assert_span(r.body.defaults.of[API_SUBJECT]->id, "app-1");
    end(&r);
    begin(&r, API_ACCESS_SEARCH_ACTION, SPAN("{" SUBJECT ",\"action\":7," RESOURCE "}"));
    assert_null(r.why);
    assert_null(r.body.defaults.of[API_ACTION]);
    end(&r);
    assert_wrong(SEARCH_SUBJECT, "{" ACTION "," RESOURCE "}", "subject is required");
    assert_wrong(SEARCH_SUBJECT, "{\"subject\":{\"id\":\"a\"}," ACTION "," RESOURCE "}",
                 "subject.type must be a string");
    assert_wrong(SEARCH_SUBJECT,
                 "{\"subject\":{\"type\":\"a\"}," ACTION ",\"resource\":{\"type\":\"a\"}}",
                 "resource.id must be a string");
    assert_wrong(SEARCH_RESOURCE, "{" SUBJECT ",\"resource\":{\"type\":\"a\"}}",
                 "action is required");
    assert_wrong(SEARCH_ACTION, "{" RESOURCE "}", "subject is required");
}

/* limit -1: none was sent. */
static void assert_page(const char *page, const char *token, int limit) {
    struct reading r;
    struct buffer text = {0};
    buffer_append_format(&text, "{" ALL ",\"page\":%s}", page);
    assert_int_equal(begin(&r, API_ACCESS_SEARCH_ACTION, buffer_span(&text)), STATUS_OK);
    assert_int_equal(span_present(r.body.page_token), token != NULL);
    if (token != NULL)
        assert_span(r.body.page_token, token);
    assert_true(r.body.has_page);
    assert_int_equal(r.body.has_limit, limit >= 0);
    assert_int_equal(r.body.page_limit, limit >= 0 ? limit : 0);
    end(&r);
    buffer_release(&text);
}

#define PAGE(page) "{" ALL ",\"page\":" page "}"
#define NO_LIMIT "page.limit must be a whole number, not negative"

static void a_page_has_a_token_and_a_limit(void **state) {
    (void)state;
    assert_page("{}", NULL, -1);
    assert_page("{\"token\":\"t\",\"limit\":1,\"properties\":{\"sort\":\"asc\"}}", "t", 1);
    assert_page("{\"token\":\"\",\"limit\":0}", "", 0);
    assert_page("{\"limit\":2e1}", NULL, 20);
    assert_page("{\"limit\":499}", NULL, 499);
    assert_page("{\"limit\":501}", NULL, LIMIT_PAGE);
    assert_page("{\"limit\":1e30}", NULL, LIMIT_PAGE);
    assert_invalid(SEARCH_ACTION, PAGE("null"), "page must be an object");
    assert_invalid(SEARCH_ACTION, PAGE("{},\"page\":{}"), "page is there twice");
    assert_invalid(SEARCH_ACTION, PAGE("{\"token\":1}"), "page.token must be a string");
    assert_invalid(SEARCH_ACTION, PAGE("{\"token\":\"\\u0000\"}"),
                   "page.token must not have a NUL character");
    assert_invalid(SEARCH_ACTION, PAGE("{\"token\":\"a\",\"token\":\"a\"}"),
                   "page.token is there twice");
    assert_invalid(SEARCH_ACTION, PAGE("{\"limit\":\"1\"}"), NO_LIMIT);
    assert_invalid(SEARCH_ACTION, PAGE("{\"limit\":-1}"), NO_LIMIT);
    assert_invalid(SEARCH_ACTION, PAGE("{\"limit\":1.5}"), NO_LIMIT);
    assert_invalid(SEARCH_ACTION, PAGE("{\"limit\":null}"), NO_LIMIT);
    assert_invalid(SEARCH_ACTION, PAGE("{\"limit\":1,\"limit\":1}"), "page.limit is there twice");
    assert_wrong(SEARCH_ACTION, "{" ALL ",\"evaluations\":1,\"options\":2}", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_are_read_in_any_order_and_with_what_nobody_knows),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(what_has_the_wrong_form_is_named),
        cmocka_unit_test(what_stands_twice_is_wrong),
        cmocka_unit_test(what_is_no_object_of_json_is_refused),
        cmocka_unit_test(an_item_takes_whole_what_it_does_not_say),
        cmocka_unit_test(an_item_that_is_wrong_leaves_the_others_alone),
        cmocka_unit_test(a_default_that_no_item_uses_may_be_anything),
        cmocka_unit_test(without_items_it_is_one_question),
        cmocka_unit_test(the_semantic_is_one_of_three),
        cmocka_unit_test(a_batch_has_at_most_1000_items),
        cmocka_unit_test(json_that_is_broken_after_a_wrong_member_is_malformed),
        cmocka_unit_test(a_search_ignores_what_it_looks_for),
        cmocka_unit_test(a_page_has_a_token_and_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
