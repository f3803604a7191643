/* Cases of decisions: requests about the table's consents, judged by policy_decide. Threads: one.
 */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/policy_table_ask.h"

/* ---- one question */

void table_ask_release(struct table_ask *ask) {
    arena_release(&ask->arena);
    *ask = (struct table_ask){.pack = NULL};
}

bool table_decide(struct table *t, const struct table_question *question, struct table_ask *ask) {
    bool has_consent = question->consent != NULL;
    *ask = (struct table_ask){.pack = table_pack(t, question->variant), .now = question->now};
    if (t->wrong || (has_consent && !table_consent_read(t, ask, question->consent)) ||
        !table_request_read(t, ask, question->request, has_consent)) {
        return false;
    }
    ask->request.blocked = question->blocked;
    policy_decide(ask->pack, has_consent ? &ask->consent : NULL, &ask->request, ask->now,
                  &ask->decision);
    return true;
}

/* ---- what a case covers */

static uint64_t as_of_base(uint64_t bits, const struct table *t, const struct policy_pack *pack,
                           bool purposes) {
    uint64_t out = 0;
    for (uint32_t i = 0; i < 64; i++) {
        int found = -1;
        if ((bits >> i & 1U) != 0) {
            found = purposes ? policy_pack_purpose_find(t->base, policy_pack_purpose(pack, i)->code)
                             : policy_pack_permission_find(t->base,
                                                           policy_pack_permission(pack, i)->code);
        }
        if (found >= 0) {
            out |= UINT64_C(1) << found;
        }
    }
    return out;
}

/* The rule of this position in the pack at hand, by its id. */
static void cover_rule(struct table *t, const struct policy_pack *pack, int index) {
    for (uint32_t i = 0; i < policy_pack_rule_count(t->base); i++) {
        if (span_equal(policy_pack_rule(t->base, i)->id,
                       policy_pack_rule(pack, (uint32_t)index)->id)) {
            t->rules_applied[i]++;
        }
    }
}

void table_cover_permit(struct table *t, const struct table_ask *ask) {
    t->permitted[table_column(t, ask->consent.license_url)]++;
    t->purposes_permitted |= as_of_base(ask->decision.purposes, t, ask->pack, true);
    t->permissions_permitted |= as_of_base(ask->decision.permissions, t, ask->pack, false);
}

static void cover(struct table *t, const struct table_ask *ask) {
    const struct policy_decision *decision = &ask->decision;
    struct policy_explanation words;
    for (unsigned i = 0; i < DENIAL_COUNT; i++) {
        t->denied[i][table_column(t, ask->consent.license_url)] += decision->denials >> i & 1U;
    }
    if (decision->permitted) {
        table_cover_permit(t, ask);
    }
    if (decision->permitted && decision->rule >= 0) {
        cover_rule(t, ask->pack, decision->rule);
    }
    if ((decision->denials >> DENIAL_DENIED_BY_RULE & 1U) != 0) {
        policy_decision_explain(ask->pack, ask->consent.license, decision, DENIAL_DENIED_BY_RULE,
                                &words);
        if (span_starts(span_of_text(words.clause), SPAN("rules/"))) {
            cover_rule(t, ask->pack, decision->causes[DENIAL_DENIED_BY_RULE].index);
        }
    }
}

/* ---- what is expected */

static bool is_denial(const char *code) {
    return policy_denial_parse(span_of_text(code)) != DENIAL_COUNT;
}

static json_t *denials_of(const struct policy_decision *decision) {
    json_t *list = json_array();
    for (unsigned i = 0; i < DENIAL_COUNT; i++) {
        if ((decision->denials >> i & 1U) != 0) {
            json_array_append_new(list, json_string(policy_denial_code(i)));
        }
    }
    return list;
}

/* Each reason that "clauses" names stands on that part of the pack or consent. */
static void judge_clauses(struct table *t, json_t *clauses, const struct table_ask *ask) {
    struct policy_explanation words;
    const char *code;
    json_t *value;
    json_object_foreach(clauses, code, value) {
        enum policy_denial denial = policy_denial_parse(span_of_text(code));
        struct span wanted = table_text(t, clauses, code);
        if (denial == DENIAL_COUNT) {
            table_wrong(t, "\"%s\" is no code", code);
            return;
        }
        if ((ask->decision.denials >> denial & 1U) == 0) {
            continue; /* said by the reasons */
        }
        policy_decision_explain(ask->pack, ask->consent.license, &ask->decision, denial, &words);
        if (!span_is(wanted, words.clause)) {
            table_fail(t, "expected %s by %.*s but it was by %s", code, SPAN_ARG(wanted),
                       words.clause);
        }
    }
}

/* What a permit leaves open is exactly what "open" lists. */
static void judge_open(struct table *t, json_t *test, const char *name, uint64_t bits,
                       const struct policy_pack *pack) {
    struct table_texts list = table_texts(t, &t->arena, test, name);
    bool purposes = strcmp(name, "purposes") == 0;
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < list.count && !t->wrong; i++) {
        int found = purposes ? policy_pack_purpose_find(pack, list.items[i])
                             : policy_pack_permission_find(pack, list.items[i]);
        if (found < 0) {
            table_wrong(t, "\"%.*s\" is not of the pack", SPAN_ARG(list.items[i]));
            return;
        }
        wanted |= UINT64_C(1) << found;
    }
    for (uint32_t i = 0; list.present && i < 64; i++) {
        if (((wanted ^ bits) >> i & 1U) != 0) {
            struct span code = purposes ? policy_pack_purpose(pack, i)->code
                                        : policy_pack_permission(pack, i)->code;
            table_fail(t, "%.*s %s open", SPAN_ARG(code),
                       (wanted >> i & 1U) != 0 ? "is not" : "should not be");
            return;
        }
    }
}

static void judge(struct table *t, json_t *test, const char *fixture, const struct table_ask *ask) {
    uint32_t failed = t->failed;
    json_t *found = denials_of(&ask->decision);
    table_judge(t, table_expected(t, test, fixture, is_denial), found);
    json_decref(found);
    cover(t, ask);
    if (t->failed == failed) {
        judge_clauses(t, table_object(t, test, "clauses"), ask);
    }
    json_t *open = table_object(t, test, "open");
    static const char *const known[] = {"purposes", "permissions", NULL};
    if (t->failed == failed && ask->decision.permitted && table_known(t, open, known)) {
        judge_open(t, open, "purposes", ask->decision.purposes, ask->pack);
        judge_open(t, open, "permissions", ask->decision.permissions, ask->pack);
    }
    if (t->failed > failed + 1) {
        t->failed = failed + 1; /* one case */
    }
}

/* ---- a case on one fixture, and on each that it is for */

static json_t *request_of(struct table *t, json_t *test, json_t *fixture) {
    json_t *request = table_object(t, test, "request");
    if (request == NULL) {
        request = table_object(t, fixture, "request");
    }
    if (request == NULL) {
        request = table_object(t, t->root, "request");
    }
    if (request == NULL) {
        table_wrong(t, "there is no request");
        return json_object();
    }
    return table_edited(t, request, table_object(t, test, "set"));
}

static void run_question(struct table *t, json_t *test, const char *name, json_t *fixture) {
    struct table_ask ask = {.pack = NULL};
    bool absent = json_is_null(json_object_get(test, "consent"));
    json_t *consent = table_merged(fixture, table_object(t, test, "given"));
    json_t *request = request_of(t, test, fixture);
    struct table_question question = {
        .consent = absent || fixture == NULL ? NULL : consent,
        .request = request,
        .variant = table_text(t, test, "variant"),
        .now = table_time(t, test, "now", t->now),
        .blocked = table_flag(t, test, "blocked"),
    };
    if (!t->wrong && table_decide(t, &question, &ask)) {
        judge(t, test, name, &ask);
    }
    table_ask_release(&ask);
    json_decref(consent);
    json_decref(request);
}

static void run_case(struct table *t, json_t *test, json_t *fixtures) {
    static const char *const known[] = {"name",    "only", "consent", "given",   "request",
                                        "set",     "now",  "variant", "blocked", "expect",
                                        "clauses", "open", NULL};
    struct span title = table_text(t, test, "name");
    json_t *consent = json_object_get(test, "consent"), *fixture;
    const char *name;
    if (!table_known(t, test, known)) {
        return;
    }
    if (consent != NULL && !json_is_null(consent)) {
        table_wrong(t, "\"consent\" can only be null: there is none");
    }
    table_check_names(t, test, fixtures);
    if (json_object_size(fixtures) == 0) {
        snprintf(t->where, sizeof t->where, "decision \"%.*s\"", SPAN_ARG(title));
        run_question(t, test, "", NULL);
        return;
    }
    json_object_foreach(fixtures, name, fixture) {
        if (!t->wrong && table_is_for(test, name)) {
            snprintf(t->where, sizeof t->where, "decision \"%.*s\" (%s)", SPAN_ARG(title), name);
            run_question(t, test, name, fixture);
        }
    }
}

void table_run_decisions(struct table *t) {
    json_t *fixtures = table_object(t, t->root, "consents");
    json_t *decisions = table_array(t, t->root, "decisions"), *fixture;
    json_t *permitted = json_pack("{s:s}", "expect", "permit");
    const char *name;
    json_object_foreach(fixtures, name, fixture) {
        snprintf(t->where, sizeof t->where, "consent \"%s\"", name);
        if (!t->wrong) {
            run_question(t, permitted, name, fixture);
        }
    }
    json_decref(permitted);
    for (size_t i = 0; i < json_array_size(decisions) && !t->wrong; i++) {
        snprintf(t->where, sizeof t->where, "decisions/%zu", i);
        run_case(t, json_array_get(decisions, i), fixtures);
    }
    t->where[0] = '\0';
}
