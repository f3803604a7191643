/* The case tables beside the packs (docs/packs.md, Case tables): every case of every table, and
 * whether each clause of admissibility is covered for each licence that can fail it. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support_policy.h"

#include <dirent.h>

#include "base/mem.h"
#include "policy/clause.h"

#define PACKS "policy/packs"
#define LICENSES_MAX 256

struct table {
    json_t *root;
    char pack_path[512];
    struct policy_pack *base;
    unsigned refused[CLAUSE_COUNT][LICENSES_MAX]; /* cases that the clause refused */
    unsigned admitted[LICENSES_MAX];              /* granted */
    unsigned unknown, count;
};

/* ---- a request of JSON as what policy_admit takes */

struct request {
    struct arena arena;
    struct policy_admission ask;
};

static struct span text_at(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (value != NULL && !json_is_string(value))
        fail_msg("%s must be a string", name);
    return span_of_text(json_string_value(value));
}

static int64_t time_at(const json_t *object, const char *name, int64_t otherwise) {
    const json_t *value = json_object_get(object, name);
    return value != NULL ? ms(json_string_value(value)) : otherwise;
}

static const struct span *texts_at(struct request *r, const json_t *object, const char *name,
                                   uint32_t *count) {
    const json_t *array = json_object_get(object, name);
    struct span *list = arena_array(&r->arena, json_array_size(array), sizeof *list);
    *count = (uint32_t)json_array_size(array);
    for (uint32_t i = 0; i < *count; i++)
        list[i] = span_of_text(json_string_value(json_array_get(array, i)));
    return list;
}

static void read_purposes(struct request *r, const json_t *json, const struct policy_pack *pack,
                          const struct policy_license *license) {
    if (json_object_get(json, "purposes") != NULL || license == NULL) {
        r->ask.purposes = texts_at(r, json, "purposes", &r->ask.purpose_count);
        return;
    }
    struct span *codes = arena_array(&r->arena, LIMIT_SET, sizeof *codes);
    for (uint32_t i = 0; i < policy_pack_purpose_count(pack); i++)
        if ((license->purposes >> i & 1U) != 0)
            codes[r->ask.purpose_count++] = policy_pack_purpose(pack, i)->code;
    r->ask.purposes = codes;
}

static void read_permissions(struct request *r, const json_t *json, const struct policy_pack *pack,
                             const struct policy_license *license) {
    const json_t *array = json_object_get(json, "permissions");
    struct policy_permission_ask *asks = arena_array(&r->arena, LIMIT_SET, sizeof *asks);
    r->ask.permissions = asks;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        struct policy_permission_ask *ask = &asks[r->ask.permission_count++];
        struct span granularity = text_at(item, "maxGranularity");
        ask->code = text_at(item, "code");
        ask->has_granularity = span_present(granularity);
        if (ask->has_granularity)
            assert_int_equal(duration_parse(granularity, &ask->granularity), STATUS_OK);
    }
    for (uint32_t i = 0; array == NULL && license != NULL && i < policy_pack_permission_count(pack);
         i++)
        if ((license->permissions >> i & 1U) != 0)
            asks[r->ask.permission_count++].code = policy_pack_permission(pack, i)->code;
}

static void read_notice(struct request *r, const json_t *json) {
    const json_t *notice = json_object_get(json, "notice");
    const json_t *list = json_object_get(notice, "substitutions");
    struct policy_substitution *substitutions =
        arena_array(&r->arena, json_object_size(list), sizeof *substitutions);
    struct policy_notice *out = &r->ask.notice;
    struct span words = text_at(notice, "words");
    const char *name;
    json_t *value;
    out->present = notice != NULL;
    out->language = text_at(notice, "language");
    out->shown_at = time_at(notice, "shownAt", INT64_MIN);
    out->has_rendered_digest = span_present(words);
    if (out->has_rendered_digest)
        out->rendered_digest = digest_sha256(words);
    json_object_foreach((json_t *)(uintptr_t)list, name, value) {
        substitutions[out->substitution_count++] = (struct policy_substitution){
            span_of_text(name), span_of_text(json_string_value(value))};
    }
    out->substitutions = substitutions;
}

static void read_dependencies(struct request *r, const json_t *json) {
    uint32_t count;
    const struct span *words = texts_at(r, json, "dependsOn", &count);
    struct policy_dependency *list = arena_array(&r->arena, count, sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i].active = !span_is(words[i], "ended");
        list[i].of_license = span_is(words[i], "active");
        assert_true(list[i].of_license || !list[i].active || span_is(words[i], "otherLicense"));
    }
    r->ask.dependencies = list;
    r->ask.dependency_count = count;
}

static void check_members(const json_t *json) {
    static const char *const known[] = {
        "license",          "requested",   "renews",      "purposes", "permissions",
        "onwardRecipients", "clientRoles", "tenantRoles", "method",   "grantAt",
        "expires",          "dataFrom",    "dataTo",      "notice",   "dependsOn"};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= strcmp(name, known[i]) == 0;
        if (!found)
            fail_msg("a request has no member %s", name);
    }
}

static void read_request(struct request *r, const json_t *json, const struct policy_pack *pack,
                         int64_t now) {
    struct policy_admission *ask = &r->ask;
    check_members(json);
    *r = (struct request){.arena = {0}};
    ask->license = text_at(json, "license");
    const struct policy_license *license = policy_pack_license_find(pack, ask->license);
    ask->renewed_license = text_at(json, "renews");
    ask->renewal = span_present(ask->renewed_license);
    read_purposes(r, json, pack, license);
    read_permissions(r, json, pack, license);
    ask->onward = texts_at(r, json, "onwardRecipients", &ask->onward_count);
    ask->client_roles = texts_at(r, json, "clientRoles", &ask->client_role_count);
    ask->client_roles_known = json_object_get(json, "clientRoles") != NULL;
    ask->tenant_roles = texts_at(r, json, "tenantRoles", &ask->tenant_role_count);
    ask->tenant_roles_known = json_object_get(json, "tenantRoles") != NULL;
    ask->granted = ask->dependencies_required = !json_is_true(json_object_get(json, "requested"));
    ask->asserted_by_client = span_is(text_at(json, "method"), "assertedByClient");
    ask->granted_at = time_at(json, "grantAt", now);
    int64_t usual = license != NULL && ask->granted
                        ? policy_default_expiry(license, ask->granted_at)
                        : INT64_MAX;
    ask->expires = time_at(json, "expires", usual);
    ask->data_from = time_at(json, "dataFrom", INT64_MIN);
    ask->data_to = time_at(json, "dataTo", INT64_MIN);
    read_notice(r, json);
    read_dependencies(r, json);
}

/* ---- one case on one fixture */

static int clause_of(const char *code) {
    for (unsigned i = 0; i < CLAUSE_COUNT; i++)
        if (strcmp(policy_clause_code(i), code) == 0)
            return (int)i;
    fail_msg("%s is no clause", code);
    return -1;
}

static struct policy_pack *variant(const struct table *t, const char *name) {
    const json_t *edits = json_object_get(json_object_get(t->root, "variants"), name);
    const char *pointer;
    json_t *value, *root = json_file(t->pack_path);
    if (edits == NULL)
        fail_msg("there is no variant %s", name);
    json_object_foreach((json_t *)(uintptr_t)edits, pointer, value) {
        json_put(root, pointer, json_deep_copy(value));
    }
    return loaded(root);
}

static void count(struct table *t, const struct policy_admission *ask,
                  const struct policy_reasons *reasons) {
    const struct policy_license *license = policy_pack_license_find(t->base, ask->license);
    size_t at = license != NULL ? (size_t)(license - policy_pack_license(t->base, 0)) : 0;
    for (uint32_t i = 0; i < reasons->count; i++) {
        if (license != NULL)
            t->refused[clause_of(reasons->items[i].code)][at]++;
        else
            t->unknown++;
    }
    if (reasons->count == 0 && license != NULL && ask->granted)
        t->admitted[at]++;
    t->count++;
}

static void run_request(struct table *t, const json_t *request, const json_t *test,
                        const json_t *expected, const char *label) {
    const json_t *name = json_object_get(test, "variant");
    struct policy_pack *pack = name != NULL ? variant(t, json_string_value(name)) : t->base;
    int64_t now = time_at(test, "now", time_at(t->root, "now", 0));
    struct request r;
    struct policy_reasons reasons;
    read_request(&r, request, pack, now);
    enum status status = policy_admit(pack, &r.ask, now, &reasons);
    json_t *found = json_array();
    for (uint32_t i = 0; i < reasons.count; i++)
        json_array_append_new(found, json_string(reasons.items[i].code));
    if (!json_equal(found, expected)) {
        char *was = json_dumps(found, 0), *should = json_dumps(expected, 0);
        fail_msg("%s: expected %s but was %s", label, should, was);
    }
    assert_int_equal(status, reasons.count == 0 ? STATUS_OK : STATUS_NOT_ADMISSIBLE);
    count(t, &r.ask, &reasons);
    json_decref(found);
    arena_release(&r.arena);
    if (pack != t->base)
        policy_pack_free(pack);
}

static bool is_named(const json_t *list, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
            return true;
    return list == NULL;
}

/* On each fixture that it is for. */
static void run_case(struct table *t, const json_t *test) {
    const json_t *expect = json_object_get(test, "expect");
    const char *name, *member;
    json_t *fixture, *value, *none = json_array();
    unsigned runs = 0;
    json_object_foreach(json_object_get(t->root, "fixtures"), name, fixture) {
        char label[256];
        if (!is_named(json_object_get(test, "only"), name))
            continue;
        json_t *request = json_deep_copy(fixture);
        json_object_foreach(json_object_get(test, "set"), member, value) {
            if (json_is_null(value))
                json_object_del(request, member);
            else
                json_object_set(request, member, value);
        }
        const json_t *expected = json_is_object(expect) ? json_object_get(expect, name) : expect;
        snprintf(label, sizeof label, "%s (%s)", json_string_value(json_object_get(test, "name")),
                 name);
        run_request(t, request, test, expected != NULL ? expected : none, label);
        json_decref(request);
        runs++;
    }
    assert_int_not_equal(runs, 0);
    json_decref(none);
}

static void run_fixtures(struct table *t) {
    const char *name;
    json_t *fixture, *none = json_array(), *test = json_object();
    json_object_foreach(json_object_get(t->root, "fixtures"), name, fixture) {
        run_request(t, fixture, test, none, name);
    }
    json_decref(none);
    json_decref(test);
}

/* ---- coverage */

/* Whether there is something that is not denied and not of the licence. */
static bool leaves_out_permissions(const struct policy_pack *pack,
                                   const struct policy_license *license) {
    for (uint32_t i = 0; i < policy_pack_permission_count(pack); i++)
        if (!policy_pack_permission(pack, i)->denied && (license->permissions >> i & 1U) == 0)
            return true;
    return false;
}

static bool can_fail(const struct policy_pack *pack, enum policy_clause clause,
                     const struct policy_license *license) {
    switch ((int)clause) {
    case CLAUSE_LICENSE_UNKNOWN:
        return false;
    case CLAUSE_PURPOSE_NOT_IN_LICENSE:
        return __builtin_popcountll(license->purposes) < (int)policy_pack_purpose_count(pack);
    case CLAUSE_PERMISSION_NOT_IN_LICENSE:
        return leaves_out_permissions(pack, license);
    case CLAUSE_TERM_TOO_LONG:
        return license->has_term;
    case CLAUSE_LOOK_BACK_TOO_LONG:
        return license->has_look_back;
    case CLAUSE_WINDOW_NOT_WHOLE_MONTHS:
    case CLAUSE_WINDOW_NOT_COMPLETED:
        return license->whole_months;
    case CLAUSE_ONWARD_RECIPIENT_MISSING:
        return license->onward_min > 0;
    case CLAUSE_DEPENDENCY_MISSING:
    case CLAUSE_DEPENDENCY_WRONG_LICENSE:
        return license->depends_on_count > 0;
    default:
        return true;
    }
}

/* Returns how many are not covered. */
static unsigned print_coverage(const struct table *t) {
    unsigned missing = t->unknown == 0;
    uint32_t licenses = policy_pack_license_count(t->base);
    printf("%s: %u cases; refusals by clause and licence (. cannot fail, ! not covered)\n",
           t->pack_path, t->count);
    for (unsigned clause = 0; clause < CLAUSE_COUNT; clause++) {
        printf("  %-26s", policy_clause_code(clause));
        if (clause == CLAUSE_LICENSE_UNKNOWN)
            printf("%4u", t->unknown);
        for (uint32_t i = 0; i < licenses && clause != CLAUSE_LICENSE_UNKNOWN; i++) {
            bool can = can_fail(t->base, clause, policy_pack_license(t->base, i));
            if (t->refused[clause][i] != 0)
                printf("%4u", t->refused[clause][i]);
            else
                printf("   %c", can ? '!' : '.');
            missing += can && t->refused[clause][i] == 0;
        }
        printf("\n");
    }
    printf("  %-26s", "admitted");
    for (uint32_t i = 0; i < licenses; i++) {
        printf("%4u", t->admitted[i]);
        missing += t->admitted[i] == 0;
    }
    printf("\n");
    return missing;
}

static void run_table(const char *directory, const char *name) {
    struct table *t = calloc(1, sizeof *t);
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    t->root = json_file(path);
    snprintf(t->pack_path, sizeof t->pack_path, "%s/%s", directory,
             json_string_value(json_object_get(t->root, "pack")));
    t->base = loaded(json_file(t->pack_path));
    run_fixtures(t);
    const json_t *cases = json_object_get(t->root, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++)
        run_case(t, json_array_get(cases, i));
    assert_int_equal(print_coverage(t), 0);
    policy_pack_free(t->base);
    json_decref(t->root);
    free(t);
}

static int is_table(const struct dirent *entry) {
    const char *end = strstr(entry->d_name, ".test.json");
    return end != NULL && strcmp(end, ".test.json") == 0;
}

static void every_case_of_every_table_is_as_expected(void **state) {
    struct dirent **entries;
    (void)state;
    int found = scandir(PACKS, &entries, is_table, alphasort);
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        run_table(PACKS, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static int is_pack(const struct dirent *entry) {
    const char *end = strstr(entry->d_name, ".json");
    return end != NULL && strcmp(end, ".json") == 0 && !is_table(entry);
}

static void every_pack_has_a_table(void **state) {
    struct dirent **entries;
    (void)state;
    int found = scandir(PACKS, &entries, is_pack, alphasort);
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        char path[512];
        snprintf(path, sizeof path, PACKS "/%.*s.test.json",
                 (int)strlen(entries[i]->d_name) - (int)strlen(".json"), entries[i]->d_name);
        json_decref(json_file(path));
        free(entries[i]);
    }
    free(entries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_every_table_is_as_expected),
        cmocka_unit_test(every_pack_has_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
