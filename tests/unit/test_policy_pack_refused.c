/* Packs that are refused, each at exactly its JSON pointer. The
 * pack with every member is walked, each value spoilt in turn; what depends on other values is in
 * rows. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_policy.h"

#include "base/limits.h"
#include "base/mem.h"

/* ---- spoiling */

static void assert_refused_at(const json_t *json, const char *pointer, const char *detail) {
    struct policy_pack *pack = NULL;
    struct policy_error error = {.pointer = ""};
    if (load_json(json, &pack, &error) != STATUS_INVALID_BODY)
        fail_msg("%s was loaded", pointer);
    assert_null(pack);
    if (strcmp(error.pointer, pointer) != 0 || strstr(error.detail, detail) == NULL)
        fail_msg("expected \"%s\": %s\nbut was  \"%s\": %s", pointer, detail, error.pointer,
                 error.detail);
}

static json_t *json_at(json_t *at, const char *pointer) {
    char copy[256], *rest;
    snprintf(copy, sizeof copy, "%s", pointer);
    for (char *step = strtok_r(copy, "/", &rest); step != NULL; step = strtok_r(NULL, "/", &rest))
        at = json_is_array(at) ? json_array_get(at, strtoul(step, NULL, 10))
                               : json_object_get(at, step);
    assert_non_null(at);
    return at;
}

typedef void visit(json_t *root, const char *pointer, bool is_member);

/* Calls visit with a fresh copy for each value below the root of the pack with every member. */
static void walk(const json_t *value, const char *pointer, bool is_member, visit *each) {
    char inner[256];
    const char *name;
    json_t *member;
    if (*pointer != '\0') {
        json_t *root = json_file(EVERY_MEMBER);
        each(root, pointer, is_member);
        json_decref(root);
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, member) {
        snprintf(inner, sizeof inner, "%s/%s", pointer, name);
        walk(member, inner, true, each);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        snprintf(inner, sizeof inner, "%s/%zu", pointer, i);
        walk(json_array_get(value, i), inner, false, each);
    }
}

static void walk_all(visit *each) {
    json_t *root = json_file(EVERY_MEMBER);
    walk(root, "", false, each);
    json_decref(root);
}

static unsigned visits;

static void with_null(json_t *root, const char *pointer, bool is_member) {
    (void)is_member;
    json_put(root, pointer, json_null());
    assert_refused_at(root, pointer, "must be ");
    visits++;
}

static void with_a_real(json_t *root, const char *pointer, bool is_member) {
    (void)is_member;
    json_put(root, pointer, json_real(1.5));
    assert_refused_at(root, pointer, "must be ");
}

static void a_value_of_the_wrong_type_is_refused_where_it_stands(void **state) {
    (void)state;
    visits = 0;
    walk_all(with_null);
    walk_all(with_a_real);
    assert_int_equal(visits, 218);
}

static void with_an_unknown_member(json_t *root, const char *pointer, bool is_member) {
    char inner[256], expected[256];
    (void)is_member;
    json_t *at = json_at(root, pointer);
    if (!json_is_object(at))
        return;
    snprintf(inner, sizeof inner, "%s/sur~prise", pointer);
    snprintf(expected, sizeof expected, "%s/sur~0prise", pointer);
    json_put(root, inner, json_true());
    assert_refused_at(root, expected, "is not a member");
    visits++;
}

static void an_unknown_member_is_refused_where_it_stands(void **state) {
    (void)state;
    visits = 0;
    walk_all(with_an_unknown_member);
    assert_int_equal(visits, 41);
    json_t *root = json_file(EVERY_MEMBER);
    json_put(root, "/x", json_true());
    assert_refused_at(root, "/x", "is not a member");
    json_decref(root);
    root = json_file(EVERY_MEMBER);
    json_object_set_new(root, "a/b~c\"", json_true());
    assert_refused_at(root, "/a~1b~0c\"", "is not a member");
    json_decref(root);
}

static bool is_optional(const char *pointer) {
    static const char *const names[] = {"territory",
                                        "limits",
                                        "lookBack",
                                        "granularity",
                                        "every",
                                        "oncePer",
                                        "sensitivity",
                                        "wholeMonths",
                                        "onlyWith",
                                        "denied",
                                        "term",
                                        "availableFrom",
                                        "deprecatedAfter",
                                        "replacedBy",
                                        "prohibitedAfter",
                                        "min",
                                        "max",
                                        "textDigest",
                                        "texts",
                                        "dependsOn",
                                        "settings",
                                        "record",
                                        "requestTimeout",
                                        "leeway",
                                        "retention",
                                        "keepAfterEnd",
                                        "eraseAfter",
                                        "reasons",
                                        "rules",
                                        "reason",
                                        "resourceTypes",
                                        "directory",
                                        "subjects",
                                        "resources",
                                        "actions",
                                        "properties",
                                        "purposeMustBeStated",
                                        "onwardRecipients",
                                        "provenance",
                                        "processes"};
    const char *name = strrchr(pointer, '/') + 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strstr(pointer, "/properties/") != NULL || strstr(pointer, "/provenance/") != NULL ||
           (strcmp(name, "text") == 0 && strstr(pointer, "/texts/") == NULL);
}

static void without_a_member(json_t *root, const char *pointer, bool is_member) {
    if (!is_member)
        return;
    json_put(root, pointer, NULL);
    if (!is_optional(pointer)) {
        assert_refused_at(root, pointer, "is required");
        visits++;
    } else if (strcmp(pointer, "/licenses/1/onwardRecipients") == 0) {
        assert_refused_at(root, "/licenses/1/purposes/1", "is open neither");
    } else if (strcmp(pointer, "/rules") == 0) {
        assert_refused_at(root, "/directory/subjects/0/properties/roles", "is not a member");
    } else if (strcmp(pointer, "/resourceTypes") == 0) {
        assert_refused_at(root, "/directory/resources/0/type", "is no resource type");
    } else {
        policy_pack_free(loaded(json_incref(root)));
    }
}

static void what_is_required_is_named_and_the_rest_may_be_left_out(void **state) {
    (void)state;
    visits = 0;
    walk_all(without_a_member);
    assert_int_equal(visits, 96);
}

static void spoil_tail(char *json, size_t size) {
    struct policy_pack *pack = NULL;
    struct policy_error error;
    assert_int_equal(policy_pack_load(span_of(json, size), &pack, &error), STATUS_INVALID_BODY);
    assert_string_equal(error.pointer, "");
    assert_non_null(strstr(error.detail, size == 0 ? "must have 1 to" : "is not JSON: line "));
}

static void a_truncated_pack_is_no_json(void **state) {
    (void)state;
    json_t *root = json_file(EVERY_MEMBER);
    char *text = json_dumps(root, JSON_COMPACT);
    size_t size = strlen(text);
    for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 97) {
        char *exact = malloc(cut + 1);
        memcpy(exact, text, cut);
        spoil_tail(exact, cut);
        free(exact);
    }
    free(text);
    json_decref(root);
}

static void what_is_not_strict_json_is_refused(void **state) {
    static const char *const texts[] = {"null",
                                        "\"pack\"",
                                        "{\"pack\":1}x",
                                        "{\"pack\":\"a\",\"pack\":\"a\"}",
                                        "{'pack':1}",
                                        "{\"pack\":1,}",
                                        "{\"pack\":\"\xff\"}",
                                        "{\"pack\":\"\\u0000\"}",
                                        "{\"pack\":\"\\ud800\"}",
                                        "{\"pack\":1e999}",
                                        "{\"pack\":99999999999999999999}",
                                        "\xef\xbb\xbf{}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct policy_pack *pack = NULL;
        struct policy_error error;
        assert_int_equal(policy_pack_load(span_of_text(texts[i]), &pack, &error),
                         STATUS_INVALID_BODY);
        assert_null(pack);
        assert_string_equal(error.pointer, "");
        assert_non_null(strstr(error.detail, "is not JSON: line 1, column "));
    }
    json_t *array = json_array();
    assert_refused_at(array, "", "must be an object");
    json_decref(array);
}

/* ---- what depends on other values */

struct row {
    const char *pointer, *value; /* NULL: removed */
    const char *expected, *detail;
};

static void check_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        json_t *root = json_file(EVERY_MEMBER);
        json_put(root, rows[i].pointer, rows[i].value != NULL ? json_of(rows[i].value) : NULL);
        assert_refused_at(root, rows[i].expected, rows[i].detail);
        json_decref(root);
    }
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static void a_reference_must_lead_to_a_definition(void **state) {
    static const struct row rows[] = {
        {"/purposes/1/roles/0", "\"banks\"", "/purposes/1/roles/0", "is no role of this pack"},
        {"/permissions/2/onlyWith/1", "\"usage\"", "/permissions/2/onlyWith/1",
         "is no permission of this pack"},
        {"/permissions/2/onlyWith/1", "\"place\"", "/permissions/2/onlyWith",
         "names the permission"},
        {"/licenses/0/from", "\"nobody\"", "/licenses/0/from", "is no role of this pack"},
        {"/licenses/0/to", "\"nobody\"", "/licenses/0/to", "is no role of this pack"},
        {"/licenses/1/purposes/1", "\"play\"", "/licenses/1/purposes/1",
         "is no purpose of this pack"},
        {"/licenses/1/permissions/1", "\"play\"", "/licenses/1/permissions/1",
         "is no permission of this pack"},
        {"/licenses/1/onwardRecipients/role", "\"x\"", "/licenses/1/onwardRecipients/role",
         "is no role of this pack"},
        {"/licenses/1/onwardRecipients/permissions/0", "\"x\"",
         "/licenses/1/onwardRecipients/permissions/0", "is no permission of this pack"},
        {"/licenses/1/onwardRecipients/permissions/-", "\"identity\"",
         "/licenses/1/onwardRecipients/permissions/1", "is no permission of this licence"},
        {"/licenses/0/replacedBy", "\"https://scheme.example/license/usage/3\"",
         "/licenses/0/replacedBy", "is no licence of this pack"},
        {"/licenses/2/dependsOn/1", "\"https://scheme.example/license/usage/3\"",
         "/licenses/2/dependsOn/1", "is no licence of this pack"},
        {"/licenses/1/permissions/-", "\"identity\"", "/licenses/1/permissions/3",
         "that the pack denies"},
        {"/licenses/2/purposes/-", "\"report\"", "/licenses/2/purposes/1", "is open neither"},
    };
    (void)state;
    CHECK(rows);
}

static void what_stands_twice_is_refused(void **state) {
    static const struct row rows[] = {
        {"/territory/1", "\"GB\"", "/territory/1", "stands twice"},
        {"/roles/2/code", "\"taker\"", "/roles/2/code", "is the code of another role"},
        {"/roles/1/urls/1", "\"https://scheme.example/role/taker\"", "/roles/1/urls/1",
         "stands twice"},
        {"/roles/2/urls/0", "\"https://scheme.example/role/taker\"", "/roles/2/urls/0",
         "stands in another role"},
        {"/purposes/1/code", "\"report\"", "/purposes/1/code", "is the code of another purpose"},
        {"/purposes/1/roles/-", "\"bank\"", "/purposes/1/roles/1", "stands twice"},
        {"/permissions/3/code", "\"place\"", "/permissions/3/code",
         "is the code of another permission"},
        {"/licenses/1/url", "\"https://scheme.example/license/usage/1\"", "/licenses/1/url",
         "is the URL of another licence"},
        {"/licenses/1/purposes/1", "\"report\"", "/licenses/1/purposes/1", "stands twice"},
        {"/licenses/1/texts/1/language", "\"EN\"", "/licenses/1/texts/1/language",
         "is the language of another text"},
        {"/reasons/1/code", "\"movedAbroad\"", "/reasons/1/code", "is the code of another reason"},
        {"/reasons/1/code", "\"withdrawn\"", "/reasons/1/code", "is the code of another reason"},
        {"/rules/1/id", "\"not-at-night\"", "/rules/1/id", "is the id of another rule"},
        {"/resourceTypes/1/type", "\"consent\"", "/resourceTypes/1/type",
         "is the type of another element"},
        {"/directory/subjects/1/id", "\"https://app.example/night\"", "/directory/subjects/1/id",
         "is the id of another entity"},
        {"/directory/resources/1/id", "\"r-2\"", "/directory/resources/1/id",
         "is the id of another entity"},
        {"/directory/actions/1", "\"read\"", "/directory/actions/1", "stands twice"},
    };
    (void)state;
    CHECK(rows);
}

static void a_circle_is_refused(void **state) {
    static const struct row rows[] = {
        {"/licenses/2/dependsOn/0", "\"https://scheme.example/license/monthly/1\"",
         "/licenses/2/dependsOn", "leads in a circle"},
        {"/licenses/1/dependsOn", "[\"https://scheme.example/license/monthly/1\"]",
         "/licenses/1/dependsOn", "leads in a circle"},
        {"/licenses/0/replacedBy", "\"https://scheme.example/license/usage/1\"",
         "/licenses/0/replacedBy", "leads in a circle"},
        {"/licenses/1/replacedBy", "\"https://scheme.example/license/usage/1\"",
         "/licenses/0/replacedBy", "leads in a circle"},
    };
    (void)state;
    CHECK(rows);
}

/* As many licences as a pack may have; each depends on the next and is replaced by it. */
static json_t *chain_of_licenses(void) {
    json_t *root = json_file(EVERY_MEMBER), *licenses = json_array();
    for (unsigned i = 0; i < LIMIT_LICENSES; i++) {
        char url[64], next[64];
        json_t *one = json_deep_copy(json_at(root, "/licenses/1"));
        snprintf(url, sizeof url, "https://scheme.example/%u", i);
        snprintf(next, sizeof next, "https://scheme.example/%u", i + 1);
        json_object_set_new(one, "url", json_string(url));
        if (i + 1 < LIMIT_LICENSES) {
            json_object_set_new(one, "replacedBy", json_string(next));
            json_object_set_new(one, "dependsOn", json_pack("[s]", next));
        }
        json_array_append_new(licenses, one);
    }
    json_put(root, "/licenses", licenses);
    return root;
}

static void a_circle_is_refused_however_long(void **state) {
    static const char *const first = "https://scheme.example/0", *const last = "/licenses/255/";
    (void)state;
    policy_pack_free(loaded(chain_of_licenses()));
    json_t *root = chain_of_licenses();
    json_object_set_new(json_at(root, last), "dependsOn", json_pack("[s]", first));
    assert_refused_at(root, "/licenses/0/dependsOn", "leads in a circle");
    json_decref(root);
    root = chain_of_licenses();
    json_object_set_new(json_at(root, last), "replacedBy", json_string(first));
    assert_refused_at(root, "/licenses/0/replacedBy", "leads in a circle");
    json_decref(root);
    root = chain_of_licenses(); /* only what stands in it or leads there is at fault */
    json_object_set_new(json_at(root, last), "dependsOn",
                        json_pack("[s]", "https://scheme.example/255"));
    json_object_del(json_at(root, "/licenses/253"), "dependsOn");
    assert_refused_at(root, "/licenses/254/dependsOn", "leads in a circle");
    json_decref(root);
}

static void texts_and_names_keep_their_form(void **state) {
    static const struct row rows[] = {
        {"/pack", "\"\"", "/pack", "must be 1 to 64 letters"},
        {"/pack", "\"a b\"", "/pack", "must be 1 to 64 letters"},
        {"/version", "\"a/b\"", "/version", "must be 1 to 64 letters"},
        {"/territory/0", "\"G\\u00e9\"", "/territory/0", "must be 1 to 64 letters"},
        {"/scheme", "\"scheme.example\"", "/scheme", "must be an absolute URL"},
        {"/scheme", "\":x\"", "/scheme", "must be an absolute URL"},
        {"/scheme", "\"https:\"", "/scheme", "must be an absolute URL"},
        {"/scheme", "\"1https://x\"", "/scheme", "must be an absolute URL"},
        {"/licenses/0/url", "\"https://x/a b\"", "/licenses/0/url", "must be an absolute URL"},
        {"/licenses/0/url", "\"https://x/\\\"\"", "/licenses/0/url", "must be an absolute URL"},
        {"/licenses/0/url", "\"https://x/\\u00e9\"", "/licenses/0/url", "must be an absolute URL"},
        {"/roles/0/urls/0", "\"holder\"", "/roles/0/urls/0", "must be an absolute URL"},
        {"/roles/0/urls", "[]", "/roles/0/urls", "must have 1 to 16 elements"},
        {"/purposes/0/title", "\"\"", "/purposes/0/title", "must be a string of 1 to 256 bytes"},
        {"/purposes/0/roles", "[]", "/purposes/0/roles", "must have 1 to 64 elements"},
        {"/licenses/0/purposes", "[]", "/licenses/0/purposes", "must have 1 to 64 elements"},
        {"/licenses/0/permissions", "[]", "/licenses/0/permissions", "must have 1 to 64 elements"},
        {"/licenses/1/texts", "[]", "/licenses/1/texts", "must have 1 to 64 elements"},
        {"/licenses/1/texts/0/text", "\"\"", "/licenses/1/texts/0/text", "must be a string of 1"},
        {"/licenses/1/texts/0/text", "\"other\"", "/licenses/1/textDigest", "of none of the texts"},
        {"/licenses/1/textDigest", "\"00\"", "/licenses/1/textDigest", "must be a string of 64"},
        {"/licenses/0/textDigest",
         "\"0g00000000000000000000000000000000000000000000000000000000000000\"",
         "/licenses/0/textDigest", "must be 64 hex digits"},
        {"/reasons/0/state", "\"active\"", "/reasons/0/state", "must be refused, revoked or"},
        {"/reasons/0/state", "\"ended\"", "/reasons/0/state", "must be refused, revoked or"},
        {"/settings/record", "\"some\"", "/settings/record", "must be none, denials or all"},
        {"/rules/0/effect", "\"allow\"", "/rules/0/effect", "must be permit or deny"},
        {"/rules/0/when", "[]", "/rules/0/when", "must have 1 to 32 elements"},
        {"/resourceTypes/0/needsConsent", "false", "/resourceTypes/0/needsConsent",
         "must be true for consent"},
        {"/resourceTypes/2/needsConsent", "true", "/resourceTypes/2/needsConsent",
         "must be true for consent"},
        {"/directory/subjects/0/type", "\"a b\"", "/directory/subjects/0/type",
         "must be 1 to 64 letters"},
        {"/directory/subjects/0/id", "\"\"", "/directory/subjects/0/id", "must be a string of 1"},
        {"/directory/resources/0/type", "\"account\"", "/directory/resources/0/type",
         "is no resource type of this pack that rules alone decide"},
        {"/directory/resources/0/type", "\"folder\"", "/directory/resources/0/type",
         "is no resource type of this pack that rules alone decide"},
        {"/directory/resources/0/properties/level", "{}", "/directory/resources/0/properties/level",
         "must be a string of at most 1024 bytes"},
        {"/directory/resources/0/properties/level", "[1]",
         "/directory/resources/0/properties/level/0", "must be a string of at most 1024 bytes"},
        {"/directory/subjects/0/properties/level", "3", "/directory/subjects/0/properties/level",
         "is not a member that a rule looks at"},
        {"/directory/resources/0/properties", "[]", "/directory/resources/0/properties",
         "must be an object"},
        {"/directory/actions/0", "\"a/b\"", "/directory/actions/0", "must be 1 to 64 letters"},
    };
    (void)state;
    CHECK(rows);
}

static void dates_and_durations_are_iso_8601_and_in_order(void **state) {
    static const struct row rows[] = {
        {"/licenses/0/availableFrom", "\"2026-02-29\"", "/licenses/0/availableFrom",
         "must be a date"},
        {"/licenses/0/availableFrom", "\"2026-2-9\"", "/licenses/0/availableFrom",
         "must be a date"},
        {"/licenses/0/availableFrom", "\"2026-02-09T00:00:00\"", "/licenses/0/availableFrom",
         "must be a date"},
        {"/licenses/0/availableFrom", "20260209", "/licenses/0/availableFrom", "must be a date"},
        {"/licenses/0/deprecatedAfter", "\"2026-13-01\"", "/licenses/0/deprecatedAfter",
         "must be a date"},
        {"/licenses/0/prohibitedAfter", "\"2027-06-31\"", "/licenses/0/prohibitedAfter",
         "must be a date"},
        {"/licenses/0/prohibitedAfter", "\"2027-06-30T24:00Z\"", "/licenses/0/prohibitedAfter",
         "must be a date"},
        {"/licenses/0/prohibitedAfter", "\"1969-12-31\"", "/licenses/0/prohibitedAfter",
         "must be a date"},
        {"/rules/0/when/0/value", "\"2026-02-30T00:00:00Z\"", "/rules/0/when/0/value", "must be"},
        {"/purposes/0/limits/lookBack", "\"P1Y2M\"", "/purposes/0/limits/lookBack",
         "must be an ISO 8601 duration"},
        {"/licenses/0/availableFrom", "\"2026-07-01\"", "/licenses/0/deprecatedAfter",
         "lies before availableFrom"},
        {"/licenses/0/prohibitedAfter", "\"2026-06-29\"", "/licenses/0/prohibitedAfter",
         "lies before deprecatedAfter"},
        {"/licenses/0/term", "\"P1Y6M\"", "/licenses/0/term", "must be an ISO 8601 duration"},
        {"/licenses/0/term", "\"1Y\"", "/licenses/0/term", "must be an ISO 8601 duration"},
        {"/licenses/0/term", "\"P0D\"", "/licenses/0/term", "must be longer than nothing"},
        {"/licenses/0/term", "\"P101Y\"", "/licenses/0/term", "must be at most 100 years"},
        {"/licenses/0/term", "\"P9999W\"", "/licenses/0/term", "must be at most 100 years"},
        {"/licenses/0/lookBack", "\"P90D\"", "/licenses/0/lookBack", "must be in months or years"},
        {"/permissions/0/granularity", "\"PT0S\"", "/permissions/0/granularity",
         "must be longer than nothing"},
        {"/settings/requestTimeout", "\"P0D\"", "/settings/requestTimeout",
         "must be longer than nothing"},
        {"/settings/leeway", "\"PT3601S\"", "/settings/leeway", "must be at most PT1H"},
        {"/settings/leeway", "\"P1M\"", "/settings/leeway", "must be at most PT1H"},
        {"/settings/retention/eraseAfter", "\"P11M\"", "/settings/retention/eraseAfter",
         "must not be shorter"},
        {"/purposes/0/limits/every", "\"P0M\"", "/purposes/0/limits/every", "must be longer"},
    };
    (void)state;
    CHECK(rows);
}

static void numbers_keep_their_bounds(void **state) {
    static const struct row rows[] = {
        {"/licenses/1/onwardRecipients/max", "17", "/licenses/1/onwardRecipients/max",
         "must be an integer from 0 to 16"},
        {"/licenses/1/onwardRecipients/max", "-1", "/licenses/1/onwardRecipients/max",
         "must be an integer from 0 to 16"},
        {"/licenses/1/onwardRecipients/min", "3", "/licenses/1/onwardRecipients/min",
         "must be an integer from 0 to 2"},
        {"/licenses/1/onwardRecipients",
         "{\"max\":0,\"role\":\"bank\",\"permissions\":"
         "[\"usage.monthly\"]}",
         "/licenses/1/onwardRecipients/max", "must allow one"},
    };
    (void)state;
    CHECK(rows);
}

/* ---- one under, one over */

struct size_row {
    const char *array, *format; /* of one element; # is its number */
    size_t max;
};

/* Appends elements until there are so many. */
static void grow(json_t *array, const char *format, size_t count) {
    for (size_t i = json_array_size(array); i < count; i++) {
        struct buffer text = {0};
        for (const char *c = format; *c != '\0'; c++) {
            if (*c == '#')
                buffer_append_format(&text, "%zu", i);
            else
                buffer_append(&text, c, 1);
        }
        buffer_append(&text, "", 1);
        json_array_append_new(array, json_of(text.data));
        buffer_release(&text);
    }
}

static void a_list_is_full_at_its_limit_and_not_before(void **state) {
    static const struct size_row rows[] = {
        {"/territory", "\"T#\"", 64},
        {"/roles", "{\"code\":\"r#\",\"urls\":[\"https://x/#\"]}", 32},
        {"/roles/0/urls", "\"https://x/#\"", 16},
        {"/purposes", "{\"code\":\"p#\",\"title\":\"p\",\"roles\":[\"bank\"]}", 64},
        {"/permissions", "{\"code\":\"p#\",\"title\":\"p\"}", 64},
        {"/licenses",
         "{\"url\":\"https://x/#\",\"title\":\"t\",\"from\":\"holder\",\"to\":\"bank\","
         "\"purposes\":[\"lend\"],\"permissions\":[\"place\"]}",
         256},
        {"/reasons", "{\"code\":\"r#\",\"state\":\"refused\"}", 64},
        {"/rules",
         "{\"id\":\"r#\",\"effect\":\"deny\",\"when\":[{\"path\":\"action.name\",\"op\":\"eq\","
         "\"value\":\"x\"}]}",
         10000},
        {"/rules/0/when", "{\"path\":\"context.n#\",\"op\":\"eq\",\"value\":1}", 32},
        {"/rules/0/when/1/value", "\"v#\"", 256},
        {"/resourceTypes", "{\"type\":\"t#\",\"needsConsent\":false}", 256},
        {"/directory/subjects", "{\"type\":\"user\",\"id\":\"#\"}", 10000},
        {"/directory/resources", "{\"type\":\"record\",\"id\":\"#\"}", 10000},
        {"/directory/subjects/0/properties/roles", "\"r#\"", 64},
        {"/directory/actions", "\"a#\"", 64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[64];
        json_t *root = json_file(EVERY_MEMBER);
        json_t *array = json_at(root, rows[i].array);
        grow(array, rows[i].format, rows[i].max);
        policy_pack_free(loaded(json_incref(root)));
        grow(array, rows[i].format, rows[i].max + 1);
        snprintf(expected, sizeof expected, "to %zu elements", rows[i].max);
        assert_refused_at(root, rows[i].array, expected);
        json_decref(root);
    }
}

static void a_text_is_full_at_its_limit_and_not_before(void **state) {
    static const struct {
        const char *pointer, *before;
        size_t max;
    } rows[] = {
        {"/pack", "", 64},
        {"/scheme", "https://", 256},
        {"/purposes/0/title", "", 256},
        {"/purposes/0/text", "", 65536},
        {"/permissions/0/sensitivity", "", 64},
        {"/rules/0/reason", "", 256},
        {"/rules/1/when/0/value", "", 256},
        {"/rules/0/when/0/path", "context.", 128},
        {"/directory/subjects/0/id", "", 256},
        {"/directory/resources/0/id", "", 1024},
        {"/directory/resources/0/properties/level", "", 1024},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = malloc(rows[i].max + 2);
        memset(text, 'x', rows[i].max + 1);
        text[rows[i].max + 1] = '\0';
        memcpy(text, rows[i].before, strlen(rows[i].before));
        json_t *root = json_file(EVERY_MEMBER);
        json_put(root, rows[i].pointer, json_string(text));
        assert_refused_at(root, rows[i].pointer, "must be ");
        text[rows[i].max] = '\0';
        json_put(root, rows[i].pointer, json_string(text));
        policy_pack_free(loaded(root));
        free(text);
    }
}

static void a_pack_has_at_most_4_mib(void **state) {
    struct policy_pack *pack = NULL;
    struct policy_error error;
    (void)state;
    json_t *root = json_file(EVERY_MEMBER);
    char *text = json_dumps(root, JSON_COMPACT), *padded = malloc(LIMIT_PACK + 1);
    size_t size = strlen(text);
    memset(padded, ' ', LIMIT_PACK + 1);
    memcpy(padded, text, size);
    assert_int_equal(policy_pack_load(span_of(padded, LIMIT_PACK + 1), &pack, &error),
                     STATUS_INVALID_BODY);
    assert_string_equal(error.detail, "must have 1 to 4194304 bytes");
    assert_int_equal(policy_pack_load(span_of(padded, LIMIT_PACK), &pack, &error), STATUS_OK);
    policy_pack_free(pack);
    free(padded);
    free(text);
    json_decref(root);
}

static void a_long_unknown_name_is_cut_at_a_character(void **state) {
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        struct policy_pack *pack = NULL;
        struct policy_error error;
        struct buffer name = {0};
        buffer_append(&name, "xxxx", lead);
        for (int i = 0; i < 100; i++)
            buffer_append_text(&name, "\xe2\x82\xac");
        buffer_append(&name, "", 1);
        json_t *root = json_file(EVERY_MEMBER);
        json_object_set_new(root, name.data, json_true());
        assert_int_equal(load_json(root, &pack, &error), STATUS_INVALID_BODY);
        assert_in_range(strlen(error.pointer), sizeof error.pointer - 4, sizeof error.pointer - 1);
        json_t *valid = json_string(error.pointer); /* NULL when it is not UTF-8 */
        assert_non_null(valid);
        json_decref(valid);
        json_decref(root);
        buffer_release(&name);
    }
}

static void a_long_pointer_is_cut_at_an_escape(void **state) {
    (void)state;
    for (size_t lead = 0; lead < 2; lead++) {
        char name[203] = "x";
        memset(name + lead, '/', 200);
        json_t *root = json_file(EVERY_MEMBER);
        json_object_set_new(root, name, json_true());
        struct policy_pack *pack = NULL;
        struct policy_error error;
        assert_int_equal(load_json(root, &pack, &error), STATUS_INVALID_BODY);
        assert_int_equal(strlen(error.pointer), sizeof error.pointer - 1 - lead % 2);
        assert_string_equal(error.pointer + strlen(error.pointer) - 2, "~1");
        json_decref(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused_where_it_stands),
        cmocka_unit_test(an_unknown_member_is_refused_where_it_stands),
        cmocka_unit_test(what_is_required_is_named_and_the_rest_may_be_left_out),
        cmocka_unit_test(a_truncated_pack_is_no_json),
        cmocka_unit_test(what_is_not_strict_json_is_refused),
        cmocka_unit_test(a_reference_must_lead_to_a_definition),
        cmocka_unit_test(what_stands_twice_is_refused),
        cmocka_unit_test(a_circle_is_refused),
        cmocka_unit_test(a_circle_is_refused_however_long),
        cmocka_unit_test(texts_and_names_keep_their_form),
        cmocka_unit_test(dates_and_durations_are_iso_8601_and_in_order),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(a_list_is_full_at_its_limit_and_not_before),
        cmocka_unit_test(a_text_is_full_at_its_limit_and_not_before),
        cmocka_unit_test(a_pack_has_at_most_4_mib),
        cmocka_unit_test(a_long_unknown_name_is_cut_at_a_character),
        cmocka_unit_test(a_long_pointer_is_cut_at_an_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
