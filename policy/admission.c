/* Admissibility, clause by clause (spec: policy.md). Every clause that fails is named. Pure; no
 * allocation but for the wording of a notice. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/admission.h"

#include <stdarg.h>
#include <stdio.h>

#include "policy/notice.h"
#include "policy/pack_private.h"

/* One check under way. */
struct check {
    const struct policy_pack *pack;
    const struct policy_admission *ask;
    const struct policy_license *license; /* NULL when the pack does not know it */
    uint32_t license_index;
    int64_t now;
    struct policy_reasons *reasons;
};

static void refuse(struct check *c, const char *code, const char *part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void refuse(struct check *c, const char *code, const char *part, const char *format, ...) {
    va_list args;
    if (c->reasons->count == LIMIT_REASONS)
        return;
    struct policy_reason *reason = &c->reasons->items[c->reasons->count++];
    reason->code = code;
    if (c->license != NULL)
        snprintf(reason->clause, sizeof reason->clause, "licenses/%u/%s", c->license_index, part);
    else
        snprintf(reason->clause, sizeof reason->clause, "%s", part);
    va_start(args, format);
    vsnprintf(reason->detail, sizeof reason->detail, format, args);
    va_end(args);
}

static void check_license(struct check *c) {
    int64_t from = c->license->available_from, until = c->license->deprecated_after;
    bool replaces = c->ask->renewal && !span_equal(c->ask->license, c->ask->renewed_license);
    if (c->now < from)
        refuse(c, "licenseNotYetAvailable", "availableFrom", "the licence is not available yet");
    if (c->now > until)
        refuse(c, "licenseDeprecated", "deprecatedAfter",
               "no new grants are made under this licence");
    if (c->now > c->license->prohibited_after)
        refuse(c, "licenseProhibited", "prohibitedAfter", "the licence may not be used any more");
    if (!replaces)
        return;
    const struct policy_license *old = policy_pack_license_find(c->pack, c->ask->renewed_license);
    if (old == NULL || !span_equal(old->replaced_by, c->ask->license))
        refuse(c, "licenseDoesNotReplace", "replacedBy",
               "the pack does not name this licence as replacing the renewed one");
}

static bool has_role(const struct policy_pack *pack, uint32_t role, const struct span *presented,
                     uint32_t count) {
    const struct policy_role *r = &pack->roles[role];
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < r->url_count; j++)
            if (span_equal(presented[i], r->urls[j]) || span_equal(presented[i], r->code))
                return true;
    return false;
}

static void check_roles(struct check *c) {
    const struct policy_admission *ask = c->ask;
    if (ask->client_roles_known &&
        !has_role(c->pack, c->license->to_role, ask->client_roles, ask->client_role_count))
        refuse(c, "clientRoleWrong", "to", "the client does not have the role \"%.*s\"",
               SPAN_ARG(c->pack->roles[c->license->to_role].code));
    if (ask->tenant_roles_known &&
        !has_role(c->pack, c->license->from_role, ask->tenant_roles, ask->tenant_role_count))
        refuse(c, "tenantRoleWrong", "from", "the tenant does not have the role \"%.*s\"",
               SPAN_ARG(c->pack->roles[c->license->from_role].code));
}

static void check_purposes(struct check *c) {
    if (c->ask->purpose_count == 0)
        refuse(c, "noPurpose", "purposes", "a consent needs a purpose");
    for (uint32_t i = 0; i < c->ask->purpose_count; i++) {
        struct span code = c->ask->purposes[i];
        int found = policy_pack_purpose_find(c->pack, code);
        if (found < 0)
            refuse(c, "purposeUnknown", "purposes", "the pack has no purpose \"%.*s\"",
                   SPAN_ARG(code));
        else if (c->license != NULL && (c->license->purposes >> found & 1U) == 0)
            refuse(c, "purposeNotInLicense", "purposes",
                   "the licence does not include the purpose \"%.*s\"", SPAN_ARG(code));
    }
}

/* Whether a may be asked for where b is the finest: months and seconds compare by their kind, and a
 * month is coarser than any number of seconds that a pack names. */
static bool finer(struct duration a, struct duration b) {
    return a.months != b.months ? a.months < b.months : a.seconds < b.seconds;
}

static void check_permission(struct check *c, const struct policy_permission_ask *ask) {
    int found = policy_pack_permission_find(c->pack, ask->code);
    if (found < 0) {
        refuse(c, "permissionUnknown", "permissions", "the pack has no permission \"%.*s\"",
               SPAN_ARG(ask->code));
        return;
    }
    const struct policy_permission *permission = &c->pack->permissions[found];
    if (permission->denied)
        refuse(c, "permissionDenied", "permissions", "the pack denies the permission \"%.*s\"",
               SPAN_ARG(ask->code));
    else if (c->license != NULL && (c->license->permissions >> found & 1U) == 0)
        refuse(c, "permissionNotInLicense", "permissions",
               "the licence does not include the permission \"%.*s\"", SPAN_ARG(ask->code));
    if (ask->has_granularity && permission->has_granularity &&
        finer(ask->granularity, permission->finest))
        refuse(c, "granularityTooFine", "permissions",
               "nothing that fine is offered for the permission \"%.*s\"", SPAN_ARG(ask->code));
}

static void check_permissions(struct check *c) {
    if (c->ask->permission_count == 0)
        refuse(c, "noPermission", "permissions", "a consent needs a permission");
    for (uint32_t i = 0; i < c->ask->permission_count; i++)
        check_permission(c, &c->ask->permissions[i]);
}

static void check_term(struct check *c) {
    const struct policy_admission *ask = c->ask;
    int64_t from = ask->granted ? ask->granted_at : c->now;
    if (!ask->granted && ask->expires == INT64_MAX)
        return; /* a request that names no end: the grant will have one */
    if (ask->expires <= from || ask->expires <= c->now)
        refuse(c, "expiresTooEarly", "term", "the consent would have expired already");
    if (c->license->has_term && ask->expires > timestamp_add(from, c->license->term))
        refuse(c, "termTooLong", "term", "the consent would last longer than the licence's term");
}

static void check_window(struct check *c) {
    const struct policy_admission *ask = c->ask;
    bool from = ask->data_from != INT64_MIN, to = ask->data_to != INT64_MIN;
    int64_t granted = ask->granted ? ask->granted_at : c->now;
    struct duration back = c->license->look_back;
    if (from && to && ask->data_from >= ask->data_to)
        refuse(c, "windowEmpty", "lookBack", "dataFrom is not before dataTo");
    if (from && c->license->has_look_back) {
        int64_t first = timestamp_add_months(timestamp_month_start(granted), -back.months) -
                        back.seconds * 1000;
        if (ask->data_from < first)
            refuse(c, "lookBackTooLong", "lookBack", "dataFrom is before the licence's look-back");
    }
    if (!c->license->whole_months)
        return;
    if ((from && ask->data_from != timestamp_month_start(ask->data_from)) ||
        (to && ask->data_to != timestamp_month_start(ask->data_to)))
        refuse(c, "windowNotWholeMonths", "wholeMonths",
               "the window must begin and end on the first of a month, UTC");
    if (to && ask->data_to > timestamp_month_start(c->now))
        refuse(c, "windowNotCompleted", "wholeMonths",
               "the window must end no later than the start of the current month");
}

static void check_onward(struct check *c) {
    if (c->ask->onward_count < c->license->onward_min)
        refuse(c, "onwardRecipientMissing", "onwardRecipients",
               "the licence needs %u named onward recipients", c->license->onward_min);
    if (c->ask->onward_count > c->license->onward_max)
        refuse(c, "onwardRecipientNotAllowed", "onwardRecipients",
               "the licence allows %u named onward recipients", c->license->onward_max);
}

static const struct policy_text *text_in(const struct policy_license *license,
                                         struct span language) {
    for (uint32_t i = 0; license != NULL && i < license->text_count; i++)
        if (span_equal(license->texts[i].language, language))
            return &license->texts[i];
    return NULL;
}

static void check_notice(struct check *c) {
    const struct policy_notice *notice = &c->ask->notice;
    if (!notice->present) {
        if (!c->ask->asserted_by_client)
            refuse(c, "noticeMissing", "notice", "the grant does not say which words were shown");
        return;
    }
    if (notice->shown_at != INT64_MIN && notice->shown_at > c->ask->granted_at)
        refuse(c, "noticeShownAfterGrant", "notice", "the notice was shown after the grant");
    if (!notice->has_rendered_digest) {
        if (!c->ask->asserted_by_client)
            refuse(c, "noticeDigestMissing", "notice",
                   "the notice has no digest of the rendered words");
        return;
    }
    const struct policy_text *text = text_in(c->license, notice->language);
    if (text == NULL)
        return; /* the pack does not hold the words: nothing to compare with */
    struct digest rendered = policy_notice_digest(text->text, notice);
    if (!digest_equal(&rendered, &notice->rendered_digest))
        refuse(c, "noticeDigestWrong", "texts",
               "the rendered words are not the licence's text with these substitutions");
}

static void check_dependencies(struct check *c) {
    const struct policy_admission *ask = c->ask;
    if (c->license->depends_on_count > 0 && ask->dependency_count == 0)
        refuse(c, "dependencyMissing", "dependsOn", "the licence needs a consent to depend on");
    if (!ask->dependencies_required)
        return;
    for (uint32_t i = 0; i < ask->dependency_count; i++) {
        if (!ask->dependencies[i].active)
            refuse(c, "dependencyNotActive", "dependsOn", "no consent of dependsOn/%u is active",
                   i);
        else if (!ask->dependencies[i].of_license)
            refuse(c, "dependencyWrongLicense", "dependsOn",
                   "no active consent of dependsOn/%u is under a licence that counts", i);
    }
}

enum status policy_admit(const struct policy_pack *pack, const struct policy_admission *ask,
                         int64_t now, struct policy_reasons *reasons) {
    struct check c = {.pack = pack, .ask = ask, .now = now, .reasons = reasons};
    reasons->count = 0;
    c.license = policy_pack_license_find(pack, ask->license);
    if (c.license != NULL) {
        c.license_index = (uint32_t)(c.license - pack->licenses);
        check_license(&c);
        check_roles(&c);
        check_term(&c);
        check_window(&c);
        check_onward(&c);
        check_dependencies(&c);
    } else {
        refuse(&c, "licenseUnknown", "licenses", "the pack does not have this licence");
    }
    check_purposes(&c);
    check_permissions(&c);
    if (ask->granted) {
        if (ask->granted_at > timestamp_add(now, pack->leeway))
            refuse(&c, "grantInFuture", "settings/leeway", "the grant lies in the future");
        check_notice(&c);
    }
    return reasons->count == 0 ? STATUS_OK : STATUS_NOT_ADMISSIBLE;
}

int64_t policy_default_expiry(const struct policy_license *license, int64_t granted_at) {
    return license->has_term ? timestamp_add(granted_at, license->term) : INT64_MAX;
}
