/* Holding entries against each other; see audit_history.h. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_history.h"

#include "cli/json_scan.h"

void audit_history_begin(struct audit_history *h, uint64_t from) {
    *h = (struct audit_history){.from = from, .last_at = INT64_MIN};
    audit_chains_begin(&h->consents, AUDIT_CONSENT_LINK, from);
    audit_chains_begin(&h->tenants, AUDIT_TENANT_LINK, from);
    h->lives = (struct audit_lives){.successor_at = AUDIT_NO_INDEX};
}

/* ---- numbers */

static bool add_to_consent(struct audit_history *h, const struct audit_entry *e,
                           struct audit_fault *fault) {
    bool gap;
    const struct audit_link link = {e->index, e->seq, e->prev};
    if (!span_starts(e->type, SPAN("consent.")))
        return (e->seq == 0 && e->prev == AUDIT_NO_INDEX) ||
               audit_bad_entry(fault, e->index, "it numbers a consent that it does not change");
    if (!span_present(e->consent))
        return audit_bad_entry(fault, e->index, "it does not say which consent it changes");
    struct audit_chain *chain = audit_chains_find(&h->consents, e->consent);
    uint64_t known = chain->number;
    if (!audit_chain_add(&h->consents, chain, &h->erased, &link, &gap))
        return audit_bad_entry(fault, e->index,
                               "it is number %llu of its consent, whose last one seen is %llu: an "
                               "entry is missing, or there twice",
                               (unsigned long long)e->seq, (unsigned long long)known);
    h->consent_count += known == 0;
    return audit_life_change(h, chain, e, gap, fault);
}

static bool add_to_tenant(struct audit_history *h, const struct audit_entry *e,
                          struct audit_fault *fault) {
    bool gap;
    const struct audit_link link = {e->index, e->tenant_seq, e->tenant_prev};
    if (!span_present(e->tenant))
        return (e->tenant_seq == 0 && e->tenant_prev == AUDIT_NO_INDEX) ||
               audit_bad_entry(fault, e->index, "it numbers a tenant that it does not name");
    struct audit_chain *chain = audit_chains_find(&h->tenants, e->tenant);
    uint64_t known = chain->number;
    return audit_chain_add(&h->tenants, chain, &h->erased, &link, &gap) ||
           audit_bad_entry(fault, e->index,
                           "it is number %llu of its tenant, whose last one seen is %llu: an "
                           "entry is missing, or there twice",
                           (unsigned long long)e->tenant_seq, (unsigned long long)known);
}

/* ---- erasure */

static bool read_notice(struct audit_history *h, const struct audit_entry *e,
                        struct audit_fault *fault) {
    struct span indexes, value;
    uint64_t index;
    const struct json_wanted wanted[] = {{"indexes", &indexes}};
    bool whole = span_is(e->type, "erasure.whole");
    if (!whole && !span_is(e->type, "erasure.personal"))
        return true;
    if (!json_scan_object(e->body, wanted, 1) || !span_present(indexes))
        return audit_bad_entry(fault, e->index, "a notice that lists nothing");
    while (json_scan_element(&indexes, &value)) {
        if (!json_scan_number(value, &index) || index >= e->index)
            return audit_bad_entry(fault, e->index, "a notice of what was not there");
        audit_erased_notice(&h->erased, index, whole);
    }
    return indexes.size == 0 || audit_bad_entry(fault, e->index, "a notice without a list");
}

bool audit_history_add(struct audit_history *h, const struct audit_entry *e,
                       struct audit_fault *fault) {
    if (!span_present(e->payload)) {
        audit_erased_add(&h->erased, e->index, AUDIT_PAYLOAD_GONE);
        h->lives.successor_at = AUDIT_NO_INDEX; /* it may have been the grant that was due */
        return true;
    }
    if (e->has_personal && !span_present(e->personal))
        audit_erased_add(&h->erased, e->index, AUDIT_PERSONAL_GONE);
    if (e->at < h->last_at)
        return audit_bad_entry(fault, e->index, "it is older than the entry before it");
    h->last_at = e->at;
    return add_to_tenant(h, e, fault) && audit_life_due(h, e, fault) &&
           add_to_consent(h, e, fault) && audit_life_permit(h, e, fault) &&
           read_notice(h, e, fault);
}

bool audit_history_explained(const struct audit_history *h) {
    return h->erased.unexplained == 0;
}

bool audit_history_end(const struct audit_history *h, struct audit_fault *fault) {
    for (uint64_t i = 0; i < h->erased.count; i++) {
        const struct audit_gone *gone = &h->erased.items[i];
        if ((gone->marks & AUDIT_NOTICED) == 0)
            return audit_bad_entry(
                fault, gone->index, "its %s is not there, and no notice says that it was erased",
                (gone->marks & AUDIT_PAYLOAD_GONE) != 0 ? "payload" : "personal part");
    }
    return audit_life_end(h, fault);
}

void audit_history_release(struct audit_history *h) {
    audit_chains_release(&h->consents);
    audit_chains_release(&h->tenants);
    audit_erased_release(&h->erased);
}
