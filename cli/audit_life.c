/* Whether lives of consents are legal; see audit_life.h. What was erased, or stood before the first
 * entry that was looked at, is given the benefit of the doubt. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_life.h"

#include "base/timestamp.h"
#include "cli/audit_history.h"
#include "cli/json_scan.h"
#include "policy/lifecycle.h"

/* ---- states */

/* The state that an event leads to; 0 when it leads to none. */
static enum consent_state state_of(struct span type) {
    enum consent_state state;
    struct span name = span_of(type.data + strlen("consent."), type.size - strlen("consent."));
    if (span_is(name, "granted"))
        return CONSENT_ACTIVE;
    return lifecycle_state_parse(name, &state) == STATUS_OK ? state : (enum consent_state)0;
}

/* Facts are appended to what was granted; tokens only while it is active. */
static bool may_append(struct span type, enum consent_state state) {
    bool granted = state == CONSENT_ACTIVE || lifecycle_is_final(state);
    return span_is(type, "consent.tokenAdded") ? state == CONSENT_ACTIVE : granted;
}

static const char *state_name(enum consent_state state) {
    const char *name = lifecycle_state_name(state);
    return name != NULL ? name : "not there";
}

static bool check_state(const struct audit_chain *chain, const struct audit_entry *e,
                        enum consent_state from, struct audit_fault *fault) {
    enum consent_state to = state_of(e->type);
    bool first = chain->number == 1;
    bool right;
    if (span_is(e->type, "consent.imported")) /* as it stood elsewhere */
        return first || audit_bad_entry(fault, e->index, "an import of what was there before");
    if (first)
        right = to == CONSENT_REQUESTED || to == CONSENT_ACTIVE;
    else if (from == 0)
        right = true; /* what it was cannot be known */
    else
        right = to != 0 ? lifecycle_may_follow(from, to) : may_append(e->type, from);
    return right || audit_bad_entry(fault, e->index, "\"%.*s\" of a consent that is %s",
                                    SPAN_ARG(e->type), first ? "not there" : state_name(from));
}

/* ---- parties */

static bool check_parties(const struct audit_history *h, struct audit_chain *chain,
                          const struct audit_entry *e, struct audit_fault *fault) {
    uint32_t halves[2];
    struct mac16 tenant = siphash(h->tenants.secret, e->tenant);
    struct mac16 client = siphash(h->consents.secret, e->client);
    memcpy(&halves[0], tenant.bytes, sizeof halves[0]);
    memcpy(&halves[1], client.bytes, sizeof halves[1]);
    uint32_t parties = (halves[0] ^ halves[1]) | 1;
    bool same = chain->parties == 0 || chain->parties == parties;
    chain->parties = parties;
    return same || audit_bad_entry(fault, e->index, "the parties of a consent do not change");
}

/* ---- grants and ends */

/* Whether something that stood between may have been erased. */
static bool may_be_gone(const struct audit_history *h, uint64_t low, uint64_t high) {
    return audit_erased_between(&h->erased, low, high) != 0;
}

static int64_t read_expiry(struct span body) {
    struct span terms, value, text;
    int64_t time;
    const struct json_wanted of_body[] = {{"terms", &terms}};
    const struct json_wanted of_terms[] = {{"expires", &value}};
    return json_scan_object(body, of_body, 1) && span_present(terms) &&
                   json_scan_object(terms, of_terms, 1) && json_scan_text(value, &text) &&
                   timestamp_parse(text, &time) == STATUS_OK
               ? time
               : INT64_MAX;
}

static bool take_arrangement(struct audit_history *h, const struct mac16 *consent,
                             const struct audit_entry *e, struct audit_fault *fault) {
    struct audit_chain *place = audit_chains_find(&h->consents, e->arrangement);
    if (place->holds && memcmp(&place->active, consent, sizeof *consent) != 0) {
        const struct audit_chain *other = audit_chains_at(&h->consents, &place->active);
        if (other == NULL || !may_be_gone(h, other->last, e->index))
            return audit_bad_entry(fault, e->index, "a second active consent in its arrangement");
    }
    place->holds = true;
    place->active = *consent;
    return true;
}

static bool leave_arrangement(struct audit_history *h, const struct mac16 *consent, bool was_active,
                              const struct audit_entry *e, struct audit_fault *fault) {
    struct audit_chain *place = audit_chains_find(&h->consents, e->arrangement);
    bool held = place->holds && memcmp(&place->active, consent, sizeof *consent) == 0;
    if (held)
        place->holds = false;
    return held || !was_active ||
           audit_bad_entry(fault, e->index, "it is not the active consent of its arrangement");
}

static bool check_end(struct audit_history *h, const struct audit_entry *e, enum consent_state to,
                      struct audit_fault *fault) {
    struct span status, successor, text = SPAN_NONE;
    const struct json_wanted wanted[] = {{"status", &status}, {"supersededBy", &successor}};
    if (!json_scan_object(e->body, wanted, 2) || !json_scan_text(status, &text) ||
        !span_is(text, state_name(to)))
        return audit_bad_entry(fault, e->index, "its \"status\" is not what its \"type\" says");
    if (to != CONSENT_SUPERSEDED)
        return true;
    if (!json_scan_text(successor, &text))
        return audit_bad_entry(fault, e->index, "superseded, and it does not say by which");
    struct mac16 key = siphash(h->consents.secret, text);
    if (h->lives.successor_at != AUDIT_NO_INDEX &&
        memcmp(&h->lives.successor, &key, sizeof key) != 0)
        return audit_bad_entry(fault, e->index, "superseded by another than the one before it");
    h->lives.successor = key;
    h->lives.successor_at = e->index;
    return true;
}

/* ---- the public functions */

bool audit_life_due(struct audit_history *h, const struct audit_entry *e,
                    struct audit_fault *fault) {
    if (h->lives.successor_at == AUDIT_NO_INDEX || span_is(e->type, "consent.superseded"))
        return true;
    struct mac16 key = siphash(h->consents.secret, e->consent);
    if (!span_is(e->type, "consent.granted") || memcmp(&h->lives.successor, &key, sizeof key) != 0)
        return audit_life_end(h, fault);
    h->lives.successor_at = AUDIT_NO_INDEX;
    return true;
}

bool audit_life_change(struct audit_history *h, struct audit_chain *chain,
                       const struct audit_entry *e, bool gap, struct audit_fault *fault) {
    enum consent_state to = state_of(e->type), from = gap ? 0 : chain->state;
    const struct mac16 key = chain->key;
    if (!check_state(chain, e, from, fault) || !check_parties(h, chain, e, fault))
        return false;
    if (to == CONSENT_EXPIRED && from != 0 && chain->expires != INT64_MAX && e->at < chain->expires)
        return audit_bad_entry(fault, e->index, "it expired before its time");
    if (to == CONSENT_ACTIVE)
        chain->expires = read_expiry(e->body);
    if (to != 0 || gap)
        chain->state = (uint8_t)to;
    if (to == CONSENT_ACTIVE)
        return take_arrangement(h, &key, e, fault);
    return !lifecycle_is_final(to) ||
           (leave_arrangement(h, &key, from == CONSENT_ACTIVE, e, fault) &&
            check_end(h, e, to, fault));
}

bool audit_life_permit(const struct audit_history *h, const struct audit_entry *e,
                       struct audit_fault *fault) {
    if (!span_present(e->consent) || span_starts(e->type, SPAN("consent.")))
        return true;
    struct mac16 key = siphash(h->consents.secret, e->consent);
    const struct audit_chain *chain = audit_chains_at(&h->consents, &key);
    if (chain == NULL || chain->number == 0)
        return h->from != 0 || may_be_gone(h, AUDIT_NO_INDEX, e->index) ||
               audit_bad_entry(fault, e->index, "it is about a consent that was never there");
    if (!span_is(e->type, "decision.permitted") || chain->state == 0 ||
        may_be_gone(h, chain->last, e->index))
        return true;
    if (chain->state != CONSENT_ACTIVE)
        return audit_bad_entry(fault, e->index, "permitted by a consent that is %s",
                               state_name(chain->state));
    return e->at < chain->expires ||
           audit_bad_entry(fault, e->index, "permitted by a consent that had expired");
}

bool audit_life_end(const struct audit_history *h, struct audit_fault *fault) {
    return h->lives.successor_at == AUDIT_NO_INDEX ||
           audit_bad_entry(fault, h->lives.successor_at,
                           "superseded by a consent that is not granted next");
}
