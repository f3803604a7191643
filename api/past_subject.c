/* A pairwise id is a keyed hash: it cannot be turned back. It is sought among the consents that
 * were granted in the time that is asked about, as a provenance record gives it. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/past_subject.h"

#include "api/render_client.h"
#include "api/sight.h"
#include "base/encode.h"

#define PAGES_MAX (LIMIT_WALK / LIMIT_PAGE) /* of grants that one question looks at */

static bool may_be_pairwise(struct span account) {
    unsigned char bytes[MAC16_SIZE];
    size_t size;
    return account.size == API_PAIRWISE_SIZE &&
           decode_base64url(account, bytes, sizeof bytes, &size) == STATUS_OK;
}

#define TOO_MUCH                                                                            \
    "too much was granted in that time to find a pairwise account: state a tenant, or the " \
    "fraction of the second"

/* Whether a consent is of the account with this pairwise id. */
static enum status is_of(struct api_call *call, uint64_t index, struct span account,
                         struct api_past_subject *found) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent consent;
    struct store_terms terms;
    char pairwise[API_PAIRWISE_SIZE + 1];
    enum status status = store_consent_by_index(reader, index, &consent);
    if (status == STATUS_OK)
        status = api_render_pairwise(call, &consent, pairwise);
    if (status == STATUS_OK && !span_is(account, pairwise))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = store_consent_terms(reader, &consent, &terms);
    if (status != STATUS_OK)
        return status;
    found->tenant = store_name(reader, STORE_NAME_MEMBER, consent.tenant);
    found->account = api_render_client_provider_account(&terms, call->arena);
    found->recorded = INT64_MIN;
    return STATUS_OK;
}

static enum status look_through(struct api_call *call, const struct store_event_page *page,
                                struct span account, struct api_past_subject *found) {
    enum status status = STATUS_NOT_FOUND;
    for (uint32_t i = 0; i < page->count && (status == STATUS_NOT_FOUND || status == STATUS_ERASED);
         i++)
        status = is_of(call, page->items[i].consent, account, found);
    return status == STATUS_ERASED ? STATUS_NOT_FOUND : status;
}

/* STATUS_NOT_FOUND when none that was recorded in that time is it. */
static enum status find_recorded(struct api_call *call, const struct api_past_query *query,
                                 struct api_past_subject *found, const char **why) {
    struct api_sight sight = api_sight_audit(call);
    struct store_event_page page = {.next = 0};
    struct store_event_filter filter = {
        .everyone = sight.everyone,
        .tenants = sight.tenants,
        .tenant_count = sight.tenant_count,
        .tenant = query->tenant,
        .client = query->client,
        .code = STORE_CONSENT_GRANTED,
        .from = query->time.first,
        .to = query->time.last + 1,
    };
    for (int i = 0; i < PAGES_MAX; i++) {
        enum status status = store_event_query(call->loop->reader, &filter, page.next, LIMIT_PAGE,
                                               call->arena, &page);
        if (status == STATUS_OK)
            status = look_through(call, &page, query->account, found);
        if (status != STATUS_NOT_FOUND || !page.more)
            return status;
    }
    *why = TOO_MUCH;
    return STATUS_INVALID_PARAMETER;
}

/* One that may be looked at, of the client and, when stated, the tenant. */
static bool concerns(struct api_call *call, const struct api_past_query *query,
                     const struct store_consent *c) {
    struct store_reader *reader = call->loop->reader;
    struct span tenant = store_name(reader, STORE_NAME_MEMBER, c->tenant);
    return api_viewer_audits(call->viewer, tenant) &&
           (!span_present(query->tenant) || span_equal(query->tenant, tenant)) &&
           span_equal(query->client, store_name(reader, STORE_NAME_MEMBER, c->client));
}

/* By when a person said yes, which may be before the consent was recorded. */
static enum status find_granted(struct api_call *call, const struct api_past_query *query,
                                struct api_past_subject *found, const char **why) {
    struct store_reader *reader = call->loop->reader;
    struct store_grants grants;
    enum status status =
        store_granted_between(reader, query->time.first, query->time.last, call->arena, &grants);
    for (uint32_t i = 0; i < grants.count && status == STATUS_OK; i++) {
        struct store_consent c;
        struct store_event event;
        status = store_consent_by_index(reader, grants.consents[i], &c);
        if (status != STATUS_OK || !concerns(call, query, &c))
            continue;
        enum status is = is_of(call, c.index, query->account, found);
        if (is == STATUS_OK)
            is = store_event_get(reader, c.granted_entry, &event);
        if (is == STATUS_OK)
            found->recorded = event.at;
        if (is != STATUS_NOT_FOUND && is != STATUS_ERASED)
            return is;
    }
    if (status != STATUS_OK || !grants.more)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    *why = TOO_MUCH;
    return STATUS_INVALID_PARAMETER;
}

static enum status find_pairwise(struct api_call *call, const struct api_past_query *query,
                                 struct api_past_subject *found, const char **why) {
    enum status status = find_recorded(call, query, found, why);
    return status == STATUS_NOT_FOUND ? find_granted(call, query, found, why) : status;
}

static enum status by_consent(struct api_call *call, const struct api_past_query *query,
                              struct api_past_subject *out) {
    struct store_consent consent;
    enum status status = store_consent_by_id(call->loop->reader, &query->consent, &consent);
    if (status != STATUS_OK)
        return status;
    struct span tenant = store_name(call->loop->reader, STORE_NAME_MEMBER, consent.tenant);
    if (!api_viewer_audits(call->viewer, tenant))
        return STATUS_NOT_FOUND;
    *out = (struct api_past_subject){.tenant = tenant, .recorded = INT64_MIN};
    return STATUS_OK;
}

/* As its provider names it, at a tenant that is named or the only one. */
static enum status by_account(struct api_call *call, const struct api_past_query *query,
                              struct api_past_subject *out, const char **why) {
    const struct api_viewer *viewer = call->viewer;
    bool only = !viewer->all_providers && viewer->provider_count == 1;
    struct span tenant = query->tenant;
    if (!span_present(tenant) && only)
        tenant = viewer->providers[0];
    if (!span_present(tenant)) {
        *why = "tenant is required: the token names more than one, and no account with this "
               "pairwise id was granted in that time";
        return STATUS_INVALID_PARAMETER;
    }
    *out = (struct api_past_subject){
        .tenant = tenant, .account = query->account, .recorded = INT64_MIN};
    return STATUS_OK;
}

enum status api_past_subject_find(struct api_call *call, const struct api_past_query *query,
                                  struct api_past_subject *out, const char **why) {
    if (query->has_consent)
        return by_consent(call, query, out);
    if (span_present(query->tenant) && !api_viewer_audits(call->viewer, query->tenant)) {
        *why = "tenant is not one that the token names";
        return STATUS_INVALID_PARAMETER;
    }
    enum status status =
        may_be_pairwise(query->account) ? find_pairwise(call, query, out, why) : STATUS_NOT_FOUND;
    return status == STATUS_NOT_FOUND ? by_account(call, query, out, why) : status;
}
