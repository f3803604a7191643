/* Admissibility, clause by clause (spec: policy.md). Every clause that fails is named, once. Pure;
 * allocates nothing, for the writer thread asks within its transaction. Details quote what the pack
 * says and where in the request something stands, never what the caller sent (invariant 10). */
// SPDX-License-Identifier: Apache-2.0
#include "policy/admission.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "policy/clause.h"
#include "policy/finer.h"
#include "policy/notice.h"
#include "policy/pack_private.h"

#define MORE_SIZE 32

const char *policy_clause_code(enum policy_clause clause) {
    static const char *const codes[] = {
#define X(name, code) [CLAUSE_##name] = code,
        POLICY_CLAUSES(X)
#undef X
    };
    ASSERT((unsigned)clause < CLAUSE_COUNT);
    return codes[clause];
}

/* One check under way. */
struct check {
    const struct policy_pack *pack;
    const struct policy_admission *ask;
    const struct policy_license *license; /* NULL when the pack does not know it */
    int64_t now;
    int64_t from; /* when the consent begins: the grant; for a request, as if granted now */
    struct policy_reasons *reasons;
};

/* ---- reasons */

static struct policy_reason *add(struct check *c, enum policy_clause clause) {
    /* some clauses exclude each other, so that not all can fail at once */
    ASSERT(c->reasons->count < LIMIT_REASONS);
    struct policy_reason *reason = &c->reasons->items[c->reasons->count++];
    reason->code = policy_clause_code(clause);
    return reason;
}

/* A clause of the licence: part is the member that says it. */
static void refuse(struct check *c, enum policy_clause clause, const char *part, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));
static void refuse(struct check *c, enum policy_clause clause, const char *part, const char *format,
                   ...) {
    va_list args;
    struct policy_reason *reason = add(c, clause);
    uint32_t index = (uint32_t)(c->license - c->pack->licenses);
    snprintf(reason->clause, sizeof reason->clause, "licenses/%u/%s", index, part);
    va_start(args, format);
    vsnprintf(reason->detail, sizeof reason->detail, format, args);
    va_end(args);
}

/* A clause of the pack outside its licences. */
static void refuse_at(struct check *c, enum policy_clause clause, const char *place,
                      const char *detail) {
    struct policy_reason *reason = add(c, clause);
    snprintf(reason->clause, sizeof reason->clause, "%s", place);
    snprintf(reason->detail, sizeof reason->detail, "%s", detail);
}

/* Elements of a list that fail one clause: the first stands for all. */
struct tally {
    uint32_t count, first;
    int found; /* what the first is in the pack, or -1 */
};

static void note(struct tally *tally, uint32_t index, int found) {
    if (tally->count++ == 0) {
        tally->first = index;
        tally->found = found;
    }
}

static const char *more(const struct tally *tally, char out[MORE_SIZE]) {
    out[0] = '\0';
    if (tally->count > 1)
        snprintf(out, MORE_SIZE, " (and %u more)", tally->count - 1);
    return out;
}

/* ---- licence and roles */

static void check_license(struct check *c) {
    const struct policy_license *license = c->license;
    const struct policy_admission *ask = c->ask;
    if (c->now < license->available_from || c->from < license->available_from)
        refuse(c, CLAUSE_LICENSE_NOT_YET_AVAILABLE, "availableFrom",
               "the licence is not, or was not at the grant, available yet");
    if (c->now > license->deprecated_after)
        refuse(c, CLAUSE_LICENSE_DEPRECATED, "deprecatedAfter",
               "no new grants are made under this licence");
    if (c->now > license->prohibited_after)
        refuse(c, CLAUSE_LICENSE_PROHIBITED, "prohibitedAfter",
               "the licence may not be used any more");
    if (!ask->renewal || span_equal(ask->license, ask->renewed_license))
        return;
    const struct policy_license *old = policy_pack_license_find(c->pack, ask->renewed_license);
    if (old != NULL && span_equal(old->replaced_by, ask->license))
        return;
    struct policy_reason *reason = add(c, CLAUSE_LICENSE_NOT_REPLACEMENT);
    if (old != NULL)
        snprintf(reason->clause, sizeof reason->clause, "licenses/%u/replacedBy",
                 (uint32_t)(old - c->pack->licenses));
    else
        snprintf(reason->clause, sizeof reason->clause, "licenses");
    snprintf(reason->detail, sizeof reason->detail,
             "the pack does not name this licence as replacing the one that is renewed");
}

static bool has_role(const struct policy_role *role, const struct span *presented, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < role->url_count; j++)
            if (span_equal(presented[i], role->urls[j]))
                return true;
    return false;
}

static void check_roles(struct check *c) {
    const struct policy_admission *ask = c->ask;
    const struct policy_role *to = &c->pack->roles[c->license->to_role];
    const struct policy_role *from = &c->pack->roles[c->license->from_role];
    if (ask->client_roles_known && !has_role(to, ask->client_roles, ask->client_role_count))
        refuse(c, CLAUSE_CLIENT_ROLE_WRONG, "to", "the client does not have the role \"%.*s\"",
               SPAN_ARG(to->code));
    if (ask->tenant_roles_known && !has_role(from, ask->tenant_roles, ask->tenant_role_count))
        refuse(c, CLAUSE_TENANT_ROLE_WRONG, "from", "the tenant does not have the role \"%.*s\"",
               SPAN_ARG(from->code));
}

/* ---- purposes and permissions */

static void check_purposes(struct check *c) {
    struct tally unknown = {0}, outside = {0};
    char others[MORE_SIZE];
    for (uint32_t i = 0; i < c->ask->purpose_count; i++) {
        int found = policy_pack_purpose_find(c->pack, c->ask->purposes[i]);
        if (found < 0)
            note(&unknown, i, found);
        else if (c->license != NULL && (c->license->purposes >> found & 1U) == 0)
            note(&outside, i, found);
    }
    if (c->ask->purpose_count == 0)
        refuse_at(c, CLAUSE_NO_PURPOSE, "purposes", "a consent needs a purpose");
    if (unknown.count != 0) {
        struct policy_reason *reason = add(c, CLAUSE_PURPOSE_UNKNOWN);
        snprintf(reason->clause, sizeof reason->clause, "purposes");
        snprintf(reason->detail, sizeof reason->detail, "purposes/%u%s is no purpose of the pack",
                 unknown.first, more(&unknown, others));
    }
    if (outside.count != 0)
        refuse(c, CLAUSE_PURPOSE_NOT_IN_LICENSE, "purposes",
               "the licence does not include the purpose \"%.*s\"%s",
               SPAN_ARG(c->pack->purposes[outside.found].code), more(&outside, others));
}

static uint64_t asked_permissions(const struct check *c) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < c->ask->permission_count; i++) {
        int found = policy_pack_permission_find(c->pack, c->ask->permissions[i].code);
        bits |= found < 0 ? 0 : UINT64_C(1) << found;
    }
    return bits;
}

struct permission_tallies {
    struct tally unknown, denied, outside, alone, finer;
};

static void judge_permission(const struct check *c, uint32_t i, uint64_t asked,
                             struct permission_tallies *t) {
    const struct policy_permission_ask *ask = &c->ask->permissions[i];
    int found = policy_pack_permission_find(c->pack, ask->code);
    if (found < 0) {
        note(&t->unknown, i, found);
        return;
    }
    const struct policy_permission *permission = &c->pack->permissions[found];
    if (permission->denied)
        note(&t->denied, i, found);
    else if (c->license != NULL && (c->license->permissions >> found & 1U) == 0)
        note(&t->outside, i, found);
    if (permission->only_with != 0 && (permission->only_with & asked) == 0)
        note(&t->alone, i, found);
    if (ask->has_granularity && permission->has_granularity &&
        duration_finer(ask->granularity, permission->finest))
        note(&t->finer, i, found);
}

/* A clause of one permission of the pack. */
static void refuse_permission(struct check *c, enum policy_clause clause, const struct tally *tally,
                              const char *part, const char *what) {
    char others[MORE_SIZE];
    if (tally->count == 0)
        return;
    struct policy_reason *reason = add(c, clause);
    struct span code = tally->found < 0 ? SPAN_NONE : c->pack->permissions[tally->found].code;
    if (tally->found < 0)
        snprintf(reason->clause, sizeof reason->clause, "permissions");
    else
        snprintf(reason->clause, sizeof reason->clause, "permissions/%d/%s", tally->found, part);
    if (tally->found < 0)
        snprintf(reason->detail, sizeof reason->detail, "permissions/%u%s %s", tally->first,
                 more(tally, others), what);
    else
        snprintf(reason->detail, sizeof reason->detail, "\"%.*s\"%s %s", SPAN_ARG(code),
                 more(tally, others), what);
}

static void check_permissions(struct check *c) {
    struct permission_tallies t = {.unknown = {0}};
    uint64_t asked = asked_permissions(c);
    char others[MORE_SIZE];
    if (c->ask->permission_count == 0)
        refuse_at(c, CLAUSE_NO_PERMISSION, "permissions", "a consent needs a permission");
    for (uint32_t i = 0; i < c->ask->permission_count; i++)
        judge_permission(c, i, asked, &t);
    refuse_permission(c, CLAUSE_PERMISSION_UNKNOWN, &t.unknown, "", "is no permission of the pack");
    refuse_permission(c, CLAUSE_PERMISSION_DENIED, &t.denied, "denied",
                      "is a permission that the pack denies");
    if (t.outside.count != 0)
        refuse(c, CLAUSE_PERMISSION_NOT_IN_LICENSE, "permissions",
               "the licence does not include the permission \"%.*s\"%s",
               SPAN_ARG(c->pack->permissions[t.outside.found].code), more(&t.outside, others));
    refuse_permission(c, CLAUSE_PERMISSION_NEEDS_ANOTHER, &t.alone, "onlyWith",
                      "is given only beside another permission");
    refuse_permission(c, CLAUSE_GRANULARITY_TOO_FINE, &t.finer, "granularity",
                      "is not offered in that fine a granularity");
}

/* ---- term and window */

static void check_term(struct check *c) {
    const struct policy_admission *ask = c->ask;
    if (!ask->granted && ask->expires == INT64_MAX)
        return; /* a request that names no end: the grant will have one */
    if (ask->granted && ask->expires <= c->from)
        refuse(c, CLAUSE_EXPIRES_BEFORE_GRANT, "term", "the consent would end before it begins");
    if (ask->expires <= c->now)
        refuse(c, CLAUSE_EXPIRED_ALREADY, "term", "the consent would have expired already");
    if (c->license->has_term && ask->expires > timestamp_add(c->from, c->license->term))
        refuse(c, CLAUSE_TERM_TOO_LONG, "term",
               "the consent would last longer than the licence's term");
}

static void check_window(struct check *c) {
    const struct policy_license *license = c->license;
    int64_t from = c->ask->data_from, to = c->ask->data_to;
    bool has_from = from != INT64_MIN, has_to = to != INT64_MIN;
    if (has_from && has_to && from >= to)
        refuse(c, CLAUSE_WINDOW_EMPTY, "lookBack", "dataFrom is not before dataTo");
    if (has_from && license->has_look_back &&
        from < timestamp_add_months(timestamp_month_start(c->from), -license->look_back.months))
        refuse(c, CLAUSE_LOOK_BACK_TOO_LONG, "lookBack",
               "dataFrom is before what the licence lets one look back to");
    if (!license->whole_months)
        return;
    if ((has_from && from != timestamp_month_start(from)) ||
        (has_to && to != timestamp_month_start(to)))
        refuse(c, CLAUSE_WINDOW_NOT_WHOLE_MONTHS, "wholeMonths",
               "the window must begin and end on the first of a month, UTC");
    if (has_to && to > timestamp_month_start(c->now))
        refuse(c, CLAUSE_WINDOW_NOT_COMPLETED, "wholeMonths",
               "the window must end no later than the start of the current month, UTC");
}

/* ---- others: recipients and consents it rests on */

static void check_onward(struct check *c) {
    const struct policy_license *license = c->license;
    /* a request may leave them to the grant */
    if (c->ask->granted && c->ask->onward_count < license->onward_min)
        refuse(c, CLAUSE_ONWARD_RECIPIENT_MISSING, "onwardRecipients/min",
               "fewer onward recipients are named than the licence needs: %u", license->onward_min);
    if (c->ask->onward_count > license->onward_max)
        refuse(c, CLAUSE_ONWARD_RECIPIENT_NOT_ALLOWED, "onwardRecipients/max",
               "more onward recipients are named than the licence allows: %u", license->onward_max);
}

static void check_dependencies(struct check *c) {
    const struct policy_admission *ask = c->ask;
    struct tally asleep = {0}, elsewhere = {0};
    char others[MORE_SIZE];
    if (!ask->dependencies_required)
        return; /* a request may leave them to the grant */
    for (uint32_t i = 0; i < ask->dependency_count; i++) {
        if (!ask->dependencies[i].active)
            note(&asleep, i, -1);
        else if (!ask->dependencies[i].of_license)
            note(&elsewhere, i, -1);
    }
    if (c->license->depends_on_count > 0 && ask->dependency_count == 0)
        refuse(c, CLAUSE_DEPENDENCY_MISSING, "dependsOn",
               "the licence needs a consent to depend on");
    if (asleep.count != 0)
        refuse(c, CLAUSE_DEPENDENCY_NOT_ACTIVE, "dependsOn",
               "no consent of dependsOn/%u%s is active", asleep.first, more(&asleep, others));
    if (elsewhere.count != 0)
        refuse(c, CLAUSE_DEPENDENCY_WRONG_LICENSE, "dependsOn",
               "no active consent of dependsOn/%u%s is under a licence that counts",
               elsewhere.first, more(&elsewhere, others));
}

/* ---- the grant and the words that were shown */

static const struct policy_text *text_in(const struct policy_license *license,
                                         struct span language) {
    for (uint32_t i = 0; license != NULL && i < license->text_count; i++)
        if (pack_same_language(license->texts[i].language, language))
            return &license->texts[i];
    return NULL;
}

static void check_words(struct check *c) {
    const struct policy_notice *notice = &c->ask->notice;
    const struct policy_text *text = text_in(c->license, notice->language);
    if (!notice->has_rendered_digest) {
        if (!c->ask->asserted_by_client)
            refuse_at(c, CLAUSE_NOTICE_DIGEST_MISSING, "licenses",
                      "the notice has no digest of the words that were shown");
        return;
    }
    if (text == NULL)
        return; /* the pack does not hold the words: nothing to compare with */
    struct digest rendered = policy_notice_digest(text, notice);
    if (!digest_equal(&rendered, &notice->rendered_digest))
        refuse(c, CLAUSE_NOTICE_DIGEST_WRONG, "texts",
               "what was shown is not the licence's text with these substitutions");
}

static void check_grant(struct check *c) {
    const struct policy_notice *notice = &c->ask->notice;
    if (c->from > timestamp_add(c->now, c->pack->settings.leeway))
        refuse_at(c, CLAUSE_GRANT_IN_FUTURE, "settings/leeway", "the grant lies in the future");
    if (!notice->present) {
        if (!c->ask->asserted_by_client)
            refuse_at(c, CLAUSE_NOTICE_MISSING, "licenses",
                      "the grant does not say which words were shown");
        return;
    }
    if (notice->shown_at != INT64_MIN && notice->shown_at > c->from)
        refuse_at(c, CLAUSE_NOTICE_SHOWN_AFTER_GRANT, "licenses",
                  "the notice was shown after the grant");
    check_words(c);
}

enum status policy_admit(const struct policy_pack *pack, const struct policy_admission *ask,
                         int64_t now, struct policy_reasons *reasons) {
    struct check c = {
        .pack = pack,
        .ask = ask,
        .license = policy_pack_license_find(pack, ask->license),
        .now = now,
        .from = ask->granted ? ask->granted_at : now,
        .reasons = reasons,
    };
    reasons->count = 0;
    if (c.license == NULL) {
        refuse_at(&c, CLAUSE_LICENSE_UNKNOWN, "licenses", "the pack does not have this licence");
    } else {
        check_license(&c);
        check_roles(&c);
    }
    check_purposes(&c);
    check_permissions(&c);
    if (c.license != NULL) {
        check_term(&c);
        check_window(&c);
        check_onward(&c);
        check_dependencies(&c);
    }
    if (ask->granted)
        check_grant(&c);
    return reasons->count == 0 ? STATUS_OK : STATUS_NOT_ADMISSIBLE;
}

int64_t policy_default_expiry(const struct policy_license *license, int64_t granted_at) {
    return license->has_term ? timestamp_add(granted_at, license->term) : INT64_MAX;
}
