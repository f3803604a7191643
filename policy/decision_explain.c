/* The reasons of a decision in words: the clause that failed, what it says, what would have to
 * change. They quote the pack, never the caller (invariant 10). Pure. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "policy/decision.h"
#include "policy/decision_cause.h"
#include "policy/pack_private.h"

/* Where a clause stands: the part of the pack that the cause's index points into. */
enum part {
    IN_TEXT,       /* as written */
    IN_LICENSE,    /* licenses/{i}/… */
    IN_PURPOSE,    /* purposes/{index}/… */
    IN_PERMISSION, /* permissions/{index}/… */
    IN_RULE,       /* rules/{index} */
};
struct words {
    enum part part;
    const char *clause, *detail, *remedy; /* %s in detail: the code that the index leads to */
};

#define ASK_NEW "a new consent"
#define ASK_MONTHS "from and to on the first of a month, UTC, not after this one"

/* By variant; the plain causes follow by denial. */
static const struct words of_variant[] = {
    [CAUSE_LICENSE_UNKNOWN] = {IN_TEXT, "licenses", "the pack does not have the consent's licence",
                               "a consent under a licence of the pack in force"},
    [CAUSE_LICENSE_NOT_YET] = {IN_LICENSE, "availableFrom", "the licence is not available yet",
                               "to ask again once it is"},
    [CAUSE_LICENSE_OF_TOKEN] = {IN_LICENSE, "url",
                                "the token in hand is for another licence than the consent",
                                "a token, or a consent, for the same licence"},
    [CAUSE_ROLE_OF_LICENSE] = {IN_LICENSE, "to",
                               "the client does not present the role of the licence's recipients",
                               "a certificate with that role"},
    [CAUSE_ROLE_OF_PURPOSE] = {IN_PURPOSE, "roles", "who acts has no role that \"%s\" is open to",
                               "another purpose, or an onward recipient with that role"},
    [CAUSE_ROLE_OF_ALL] = {IN_TEXT, "purposes", "no purpose of the consent is open to who acts",
                           "an onward recipient with the role of the purpose"},
    [CAUSE_PURPOSE_UNKNOWN] = {IN_TEXT, "purposes", "the pack does not have this purpose",
                               "a purpose of the pack"},
    [CAUSE_PURPOSE_NOT_STATED] = {IN_TEXT, "settings/purposeMustBeStated",
                                  "the request does not state its purpose",
                                  "action.properties.purpose"},
    [CAUSE_PURPOSE_OUTSIDE] = {IN_PURPOSE, "code", "the consent is not for \"%s\"",
                               ASK_NEW " for this purpose"},
    [CAUSE_PURPOSE_NONE] = {IN_TEXT, "purposes", "no purpose of the consent is open any more",
                            ASK_NEW},
    [CAUSE_PERMISSION_UNKNOWN] = {IN_TEXT, "permissions", "the pack does not have this permission",
                                  "permissions of the pack"},
    [CAUSE_PERMISSION_DENIED] = {IN_PERMISSION, "denied", "the pack denies \"%s\" to everyone",
                                 "to leave it out"},
    [CAUSE_PERMISSION_OUTSIDE] = {IN_PERMISSION, "code", "the consent does not include \"%s\"",
                                  ASK_NEW " with this permission, or to leave it out"},
    [CAUSE_PERMISSION_ALONE] = {IN_PERMISSION, "onlyWith",
                                "\"%s\" is given only beside another permission",
                                "to ask for that one as well"},
    [CAUSE_PERMISSION_ONWARD] = {IN_LICENSE, "onwardRecipients/permissions",
                                 "\"%s\" is not for onward recipients", "to leave it out"},
    [CAUSE_PERMISSION_NONE] = {IN_TEXT, "permissions", "no permission of the consent is open",
                               ASK_NEW},
    [CAUSE_RESOURCE_NOT_STATED] = {IN_TEXT, "consent/permissions",
                                   "the consent names resources, the request names none",
                                   "resource.properties.resources"},
    [CAUSE_RESOURCE_OUTSIDE] = {IN_TEXT, "consent/permissions",
                                "the consent does not include one of the resources",
                                ASK_NEW " for this resource, or to leave it out"},
    [CAUSE_GRAIN_OF_CONSENT] = {IN_TEXT, "consent/permissions",
                                "the consent allows coarser data of \"%s\" only",
                                "a coarser granularity"},
    [CAUSE_GRAIN_OF_PERMISSION] = {IN_PERMISSION, "granularity",
                                   "\"%s\" is not offered in that fine a granularity",
                                   "a coarser granularity"},
    [CAUSE_GRAIN_OF_PURPOSE] = {IN_PURPOSE, "limits/granularity", "\"%s\" needs no data that fine",
                                "a coarser granularity"},
    [CAUSE_GRAIN_OF_ALL] = {IN_TEXT, "purposes", "no purpose that is left needs data that fine",
                            "a coarser granularity"},
    [CAUSE_WINDOW_EMPTY] = {IN_TEXT, "request", "from is not before to", "a window with from < to"},
    [CAUSE_WINDOW_NO_FROM] = {IN_TEXT, "consent/dataFrom",
                              "the consent names a start of the data, the request none",
                              "resource.properties.from"},
    [CAUSE_WINDOW_BEFORE] = {IN_TEXT, "consent/dataFrom",
                             "the request begins before the consent's window",
                             "a window within the consent's"},
    [CAUSE_WINDOW_NO_TO] = {IN_TEXT, "consent/dataTo",
                            "the consent names an end of the data, the request none",
                            "resource.properties.to"},
    [CAUSE_WINDOW_AFTER] = {IN_TEXT, "consent/dataTo",
                            "the request ends after the consent's window",
                            "a window within the consent's"},
    [CAUSE_WINDOW_OF_LICENSE] = {IN_LICENSE, "lookBack",
                                 "the request looks back further than the licence allows",
                                 "a later from"},
    [CAUSE_MONTHS_OF_LICENSE] = {IN_LICENSE, "wholeMonths",
                                 "data are given by whole calendar months that are over",
                                 ASK_MONTHS},
    [CAUSE_MONTHS_OF_PERMISSION] = {IN_PERMISSION, "wholeMonths",
                                    "\"%s\" is given by whole calendar months that are over",
                                    ASK_MONTHS},
    [CAUSE_WINDOW_OF_PURPOSE] = {IN_PURPOSE, "limits/lookBack",
                                 "\"%s\" needs no data from so long ago", "a later from"},
    [CAUSE_WINDOW_OF_ALL] = {IN_TEXT, "purposes",
                             "no purpose that is left needs data from so long ago", "a later from"},
    [CAUSE_RECIPIENT_OTHER] = {IN_TEXT, "consent/onwardRecipients",
                               "the consent does not name this onward recipient",
                               ASK_NEW " that names it"},
    [CAUSE_RECIPIENT_NOT_STATED] = {IN_LICENSE, "onwardRecipients/permissions",
                                    "\"%s\" is for onward recipients, and none is stated",
                                    "context.onwardRecipient"},
    [CAUSE_RULE] = {IN_RULE, "", "a rule denies it", "what the rule's conditions say"},
    [CAUSE_NO_RULE] = {IN_TEXT, "rules", "no rule permits it", "a request that a rule permits"},
    [CAUSE_NO_TYPE] = {IN_TEXT, "resourceTypes", "the pack does not know this type of resource",
                       "a type of resource that the pack knows"},
};

static const struct words of_denial[DENIAL_COUNT] = {
    [DENIAL_MALFORMED_REQUEST] = {IN_TEXT, "request", "a property does not have the form it needs",
                                  "the form that openapi.yaml gives"},
    [DENIAL_CONSENT_NOT_FOUND] = {IN_TEXT, "consent", "there is no such consent", ASK_NEW},
    [DENIAL_WRONG_CLIENT] = {IN_TEXT, "consent/client", "the consent is for another client",
                             "a consent that names this client"},
    [DENIAL_CLIENT_BLOCKED] = {IN_TEXT, "blocks", "the tenant has blocked this client",
                               "the block to be lifted"},
    [DENIAL_NOT_ACTIVE] = {IN_TEXT, "consent/status", "the consent is %s", ASK_NEW},
    [DENIAL_EXPIRED] = {IN_TEXT, "consent/expires", "the consent has expired", "a renewal"},
    [DENIAL_USES_EXHAUSTED] = {IN_TEXT, "consent/maxUses", "the consent has been used up", ASK_NEW},
    [DENIAL_LINKED_CONSENT_ENDED] = {IN_TEXT, "consent/dependsOn",
                                     "a consent that this one depends on is not active",
                                     "that consent to be granted anew"},
    [DENIAL_LICENSE_PROHIBITED] = {IN_LICENSE, "prohibitedAfter",
                                   "the licence may not be used any more",
                                   "a consent under the licence that replaces it"},
    [DENIAL_TERRITORY] = {IN_TEXT, "territory", "the scheme does not reach there",
                          "a recipient within the territory"},
};

static const struct words *words_of(const struct policy_decision *decision,
                                    enum policy_denial denial) {
    unsigned variant = decision->causes[denial].variant;
    ASSERT(variant < sizeof of_variant / sizeof *of_variant);
    return variant != CAUSE_PLAIN ? &of_variant[variant] : &of_denial[denial];
}

static void put_clause(const struct policy_pack *pack, const struct policy_license *license,
                       const struct words *words, int index, struct policy_explanation *explained) {
    char *out = explained->clause;
    const size_t size = sizeof explained->clause;
    switch (words->part) {
    case IN_TEXT:
        snprintf(out, size, "%s", words->clause);
        break;
    case IN_LICENSE:
        snprintf(out, size, "licenses/%u/%s",
                 license != NULL ? (uint32_t)(license - pack->licenses) : 0, words->clause);
        break;
    case IN_PURPOSE:
        snprintf(out, size, "purposes/%d/%s", index, words->clause);
        break;
    case IN_PERMISSION:
        snprintf(out, size, "permissions/%d/%s", index, words->clause);
        break;
    case IN_RULE:
        snprintf(out, size, "rules/%d", index);
        break;
    }
}

/* What a cause's index leads to. */
static struct span name_of(const struct policy_pack *pack, enum policy_denial denial,
                           const struct policy_cause *cause) {
    bool of_purpose =
        cause->variant == CAUSE_ROLE_OF_PURPOSE || cause->variant == CAUSE_PURPOSE_OUTSIDE ||
        cause->variant == CAUSE_GRAIN_OF_PURPOSE || cause->variant == CAUSE_WINDOW_OF_PURPOSE;
    if (denial == DENIAL_NOT_ACTIVE)
        return span_of_text(lifecycle_state_name((enum consent_state)cause->index));
    if (of_purpose)
        return pack->purposes[cause->index].code;
    return pack->permissions[cause->index].code;
}

static void put_detail(const struct policy_pack *pack, enum policy_denial denial,
                       const struct policy_cause *cause, const struct words *words,
                       struct policy_explanation *explained) {
    char *out = explained->detail;
    const size_t size = sizeof explained->detail;
    const char *mark = strstr(words->detail, "%s");
    struct span rule = SPAN_NONE;
    if (cause->variant == CAUSE_RULE)
        rule = pack->rules[cause->index].reason;
    if (mark != NULL)
        snprintf(out, size, "%.*s%.*s%s", (int)(mark - words->detail), words->detail,
                 SPAN_ARG(name_of(pack, denial, cause)), mark + 2);
    else if (span_present(rule))
        snprintf(out, size, "%.*s", SPAN_ARG(rule));
    else
        snprintf(out, size, "%s", words->detail);
}

void policy_decision_explain(const struct policy_pack *pack, const struct policy_license *license,
                             const struct policy_decision *decision, enum policy_denial denial,
                             struct policy_explanation *out) {
    const struct policy_cause *cause = &decision->causes[denial];
    const struct words *words = words_of(decision, denial);
    put_clause(pack, license, words, cause->index, out);
    put_detail(pack, denial, cause, words, out);
    snprintf(out->remedy, sizeof out->remedy, "%s", words->remedy);
    if (denial == DENIAL_MALFORMED_REQUEST && decision->malformed != NULL)
        snprintf(out->clause, sizeof out->clause, "request%s", decision->malformed);
}
