/* Cases of admissibility: requests for consents, judged by policy_admit. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/limits.h"
#include "cli/policy_table.h"
#include "policy/admission.h"

struct request {
    struct table *t;
    struct arena arena;
    const struct policy_pack *pack;
    const struct policy_license *license; /* NULL: the pack does not have it */
    struct policy_admission ask;
};

static void read_purposes(struct request *r, json_t *json) {
    struct table_texts stated = table_texts(r->t, &r->arena, json, "purposes");
    if (stated.present || r->license == NULL) {
        r->ask.purposes = stated.items;
        r->ask.purpose_count = stated.count;
        return;
    }
    struct span *codes = arena_array(&r->arena, LIMIT_SET, sizeof *codes);
    for (uint32_t i = 0; i < policy_pack_purpose_count(r->pack); i++) {
        if ((r->license->purposes >> i & 1U) != 0) {
            codes[r->ask.purpose_count++] = policy_pack_purpose(r->pack, i)->code;
        }
    }
    r->ask.purposes = codes;
}

static void read_permission(struct request *r, json_t *item, struct policy_permission_ask *out) {
    static const char *const known[] = {"code", "maxGranularity", NULL};
    if (!table_known(r->t, item, known)) {
        return;
    }
    out->code = table_text(r->t, item, "code");
    out->has_granularity = table_duration(r->t, item, "maxGranularity", &out->granularity);
    if (!span_present(out->code)) {
        table_wrong(r->t, "a permission needs its \"code\"");
    }
}

static void read_permissions(struct request *r, json_t *json) {
    json_t *array = table_array(r->t, json, "permissions");
    size_t count = json_array_size(array);
    struct policy_permission_ask *asks = arena_array(&r->arena, count + LIMIT_SET, sizeof *asks);
    r->ask.permissions = asks;
    for (size_t i = 0; i < count; i++) {
        read_permission(r, json_array_get(array, i), &asks[r->ask.permission_count++]);
    }
    for (uint32_t i = 0;
         array == NULL && r->license != NULL && i < policy_pack_permission_count(r->pack); i++) {
        if ((r->license->permissions >> i & 1U) != 0) {
            asks[r->ask.permission_count++].code = policy_pack_permission(r->pack, i)->code;
        }
    }
}

static void read_notice(struct request *r, json_t *json) {
    static const char *const known[] = {"language", "words", "shownAt", "substitutions", NULL};
    json_t *notice = table_object(r->t, json, "notice");
    json_t *list = table_object(r->t, notice, "substitutions"), *value;
    struct policy_notice *out = &r->ask.notice;
    const char *name;
    if (!table_known(r->t, notice, known)) {
        return;
    }
    struct policy_substitution *substitutions =
        arena_array(&r->arena, json_object_size(list) + 1, sizeof *substitutions);
    struct span words = table_text(r->t, notice, "words");
    out->present = notice != NULL;
    out->language = table_text(r->t, notice, "language");
    out->shown_at = table_time(r->t, notice, "shownAt", INT64_MIN);
    out->has_rendered_digest = span_present(words);
    if (out->has_rendered_digest) {
        out->rendered_digest = digest_sha256(words);
    }
    json_object_foreach(list, name, value) {
        substitutions[out->substitution_count++] =
            (struct policy_substitution){span_of_text(name), table_text(r->t, list, name)};
    }
    out->substitutions = substitutions;
}

static void read_dependencies(struct request *r, json_t *json) {
    struct table_texts words = table_texts(r->t, &r->arena, json, "dependsOn");
    struct policy_dependency *list = arena_array(&r->arena, words.count + 1, sizeof *list);
    for (uint32_t i = 0; i < words.count && !r->t->wrong; i++) {
        list[i].active = !span_is(words.items[i], "ended");
        list[i].of_license = span_is(words.items[i], "active");
        if (!list[i].of_license && list[i].active && !span_is(words.items[i], "otherLicense")) {
            table_wrong(r->t, "\"dependsOn\" must list active, otherLicense or ended");
        }
    }
    r->ask.dependencies = list;
    r->ask.dependency_count = words.count;
}

static void read_parties(struct request *r, json_t *json) {
    struct policy_admission *ask = &r->ask;
    struct table_texts onward = table_texts(r->t, &r->arena, json, "onwardRecipients");
    struct table_texts client = table_texts(r->t, &r->arena, json, "clientRoles");
    struct table_texts tenant = table_texts(r->t, &r->arena, json, "tenantRoles");
    ask->onward = onward.items;
    ask->onward_count = onward.count;
    ask->client_roles = client.items;
    ask->client_role_count = client.count;
    ask->client_roles_known = client.present;
    ask->tenant_roles = tenant.items;
    ask->tenant_role_count = tenant.count;
    ask->tenant_roles_known = tenant.present;
}

static void read_times(struct request *r, json_t *json, int64_t now) {
    struct policy_admission *ask = &r->ask;
    ask->granted_at = table_time(r->t, json, "grantAt", now);
    int64_t usual = r->license != NULL && ask->granted
                        ? policy_default_expiry(r->license, ask->granted_at)
                        : INT64_MAX;
    ask->expires = table_time(r->t, json, "expires", usual);
    ask->data_from = table_time(r->t, json, "dataFrom", INT64_MIN);
    ask->data_to = table_time(r->t, json, "dataTo", INT64_MIN);
}

static void read_request(struct request *r, json_t *json, int64_t now) {
    static const char *const known[] = {
        "license",  "requested",   "renews",           "purposes", "permissions", "dataTo",
        "dataFrom", "clientRoles", "onwardRecipients", "method",   "tenantRoles", "grantAt",
        "expires",  "notice",      "dependsOn",        NULL};
    struct policy_admission *ask = &r->ask;
    if (!table_known(r->t, json, known)) {
        return;
    }
    ask->license = table_text(r->t, json, "license");
    r->license = policy_pack_license_find(r->pack, ask->license);
    ask->renewed_license = table_text(r->t, json, "renews");
    ask->renewal = span_present(ask->renewed_license);
    ask->granted = ask->dependencies_required = !table_flag(r->t, json, "requested");
    ask->asserted_by_client = span_is(table_text(r->t, json, "method"), "assertedByClient");
    read_purposes(r, json);
    read_permissions(r, json);
    read_parties(r, json);
    read_times(r, json, now);
    read_notice(r, json);
    read_dependencies(r, json);
}

/* ---- one case on one fixture */

static int clause_of(const char *code) {
    for (unsigned i = 0; i < CLAUSE_COUNT; i++) {
        if (strcmp(policy_clause_code(i), code) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_clause(const char *code) {
    return clause_of(code) >= 0;
}

static void cover(struct table *t, const struct policy_admission *ask,
                  const struct policy_reasons *reasons) {
    uint32_t column = table_column(t, ask->license);
    for (uint32_t i = 0; i < reasons->count; i++) {
        t->refused[clause_of(reasons->items[i].code)][column]++;
    }
    t->admitted[column] += reasons->count == 0 && ask->granted;
}

static void run_request(struct table *t, json_t *json, json_t *test, json_t *expected) {
    const struct policy_pack *pack = table_pack(t, table_text(t, test, "variant"));
    int64_t now = table_time(t, test, "now", t->now);
    struct request r = {.t = t, .pack = pack};
    struct policy_reasons reasons = {.count = 0};
    if (!t->wrong) {
        read_request(&r, json, now);
    }
    if (!t->wrong) {
        json_t *found = json_array();
        enum status status = policy_admit(pack, &r.ask, now, &reasons);
        for (uint32_t i = 0; status != STATUS_OK && i < reasons.count; i++) {
            json_array_append_new(found, json_string(reasons.items[i].code));
        }
        table_judge(t, expected, found);
        cover(t, &r.ask, &reasons);
        json_decref(found);
    }
    arena_release(&r.arena);
}

static void run_case(struct table *t, json_t *test, json_t *fixtures) {
    static const char *const known[] = {"name", "set", "variant", "now", "only", "expect", NULL};
    struct span title = table_text(t, test, "name");
    const char *name;
    json_t *fixture;
    if (!table_known(t, test, known)) {
        return;
    }
    table_check_names(t, test, fixtures);
    json_t *set = table_object(t, test, "set");
    json_object_foreach(fixtures, name, fixture) {
        if (t->wrong || !table_is_for(test, name)) {
            continue;
        }
        json_t *request = table_merged(fixture, set);
        snprintf(t->where, sizeof t->where, "case \"%.*s\" (%s)", SPAN_ARG(title), name);
        run_request(t, request, test, table_expected(t, test, name, is_clause));
        json_decref(request);
    }
}

void table_run_admissions(struct table *t) {
    json_t *fixtures = table_object(t, t->root, "fixtures");
    json_t *cases = table_array(t, t->root, "cases"), *fixture;
    const char *name;
    json_object_foreach(fixtures, name, fixture) {
        snprintf(t->where, sizeof t->where, "fixture \"%s\"", name);
        if (!t->wrong) {
            run_request(t, fixture, NULL, t->none);
        }
    }
    for (size_t i = 0; i < json_array_size(cases) && !t->wrong; i++) {
        snprintf(t->where, sizeof t->where, "cases/%zu", i);
        run_case(t, json_array_get(cases, i), fixtures);
    }
    t->where[0] = '\0';
}
