/* A consent query over what the viewer sees as a tenant or auditor and what it sees as a client.
 * Mostly that is one walk of the store; only a query by account needs two, because an account has
 * another id in each view. Their pages are merged by creation index, up to where both have looked.
 *
 * Runs on a loop inside a store_read. */
// SPDX-License-Identifier: Apache-2.0
#include "api/consent_page.h"

#include "api/render.h"
#include "base/log.h"

/* Where a page of the store stopped looking; UINT64_MAX when it reached the end. */
static uint64_t looked_until(const struct store_page *page) {
    return page->more ? page->next : UINT64_MAX;
}

static bool seen_whole(const struct api_call *call, const struct store_filter *filter,
                       const struct store_consent *consent) {
    if (filter->everyone) {
        return true;
    }
    struct span tenant = store_name(call->loop->reader, STORE_NAME_MEMBER, consent->tenant);
    for (uint32_t i = 0; i < filter->tenant_count; i++) {
        if (span_equal(filter->tenants[i], tenant)) {
            return true;
        }
    }
    return false;
}

/* The consents that name the viewer as client and whose account it knows by this pairwise id; those
 * it may see whole are left to the other walk. */
static enum status page_of_client(const struct api_call *call, const struct store_filter *filter,
                                  uint64_t from, uint32_t limit, struct store_page *out) {
    struct store_filter reduced = *filter;
    struct store_page page;
    char pairwise[API_PAIRWISE_SIZE + 1];
    reduced.everyone = false;
    reduced.tenant_count = 0;
    reduced.account = SPAN_NONE;
    enum status status =
        store_consent_query(call->loop->reader, &reduced, from, limit, call->arena, &page);
    if (status != STATUS_OK) {
        return status;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < page.count; i++) {
        if (seen_whole(call, filter, &page.items[i])) {
            continue;
        }
        status = api_render_pairwise(call, &page.items[i], pairwise);
        if (status == STATUS_OK && span_is(filter->account, pairwise)) {
            page.items[kept++] = page.items[i];
        } else if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            return status;
        }
    }
    page.count = kept;
    *out = page;
    return STATUS_OK;
}

static void merge(const struct api_call *call, const struct store_page *a,
                  const struct store_page *b, uint32_t limit, struct store_page *out) {
    uint64_t until = looked_until(a) < looked_until(b) ? looked_until(a) : looked_until(b);
    struct store_page merged = {
        .items = arena_array(call->arena, (size_t)a->count + b->count + 1, sizeof *merged.items)};
    uint32_t i = 0, k = 0;
    while (i < a->count || k < b->count) {
        bool from_a = k == b->count || (i < a->count && a->items[i].index < b->items[k].index);
        const struct store_consent *item = from_a ? &a->items[i++] : &b->items[k++];
        if (item->index >= until) {
            break;
        }
        if (merged.count == limit) {
            until = item->index;
            break;
        }
        merged.items[merged.count++] = *item;
    }
    merged.more = until != UINT64_MAX;
    merged.next = merged.more ? until : 0;
    *out = merged;
}

enum status api_consent_page(const struct api_call *call, const struct store_filter *filter,
                             uint64_t from, uint32_t limit, struct store_page *out) {
    struct store_filter whole = *filter;
    struct store_page seen, named;
    bool hidden = span_present(filter->account) || span_present(filter->external_id);
    if (hidden) {
        whole.viewer_client = SPAN_NONE;
    }
    enum status status =
        store_consent_query(call->loop->reader, &whole, from, limit, call->arena, &seen);
    if (status != STATUS_OK) {
        return status;
    }
    if (!span_present(filter->viewer_client) || span_present(filter->external_id) ||
        filter->account.size != API_PAIRWISE_SIZE) {
        *out = seen;
        return STATUS_OK;
    }
    status = page_of_client(call, filter, from, limit, &named);
    if (status == STATUS_OK) {
        merge(call, &seen, &named, limit, out);
    }
    return status;
}
