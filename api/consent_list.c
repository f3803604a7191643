/* Queries of consents: GET /v1/consents, and POST /v1/consents/query, whose body keeps account ids
 * out of the logs of proxies. Both fill the same struct api_consent_query, and a cursor of one
 * continues the other.
 *
 * Runs on a loop; one snapshot per call (invariant 5); a cursor shows nothing of how many consents
 * there are (invariant 9). */
// SPDX-License-Identifier: Apache-2.0
#include "api/consent_page.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/query.h"
#include "api/reading.h"
#include "api/render.h"
#include "api/sight.h"

/* A query ready to run. */
struct listing {
    struct api_consent_query query;
    struct digest of; /* identity of query and viewer: cursors are bound to it */
    uint64_t from;
};

/* Completes *listing when its parameters have been set. STATUS_INVALID_PARAMETER when the cursor
 * is not one of this query and viewer. */
static enum status complete(const struct api_call *call, struct listing *listing) {
    struct store_filter *filter = &listing->query.filter;
    struct api_sight sight = api_sight_all(call);
    struct digest asked = api_consent_query_digest(&listing->query);
    struct digest who = api_sight_digest(&sight);
    struct span parts[] = {span_of((const char *)asked.bytes, DIGEST_SIZE),
                           span_of((const char *)who.bytes, DIGEST_SIZE)};
    filter->everyone = sight.everyone;
    filter->tenants = sight.tenants;
    filter->tenant_count = sight.tenant_count;
    filter->viewer_client = sight.client;
    listing->of = digest_sha256_parts(parts, 2);
    listing->from = 0;
    return span_present(listing->query.cursor)
               ? api_cursor_open(call->loop->service->store, &listing->of, listing->query.cursor,
                                 &listing->from)
               : STATUS_OK;
}

static enum status write_items(struct api_call *call, const struct store_page *page,
                               struct json_out *out) {
    json_out_key(out, "items");
    json_out_array_begin(out);
    for (uint32_t i = 0; i < page->count; i++) {
        const struct store_consent *consent = &page->items[i];
        enum status status = api_render_consent(call, api_sight_of(call, consent), consent, out);
        if (status != STATUS_OK) {
            return status;
        }
    }
    json_out_array_end(out);
    return STATUS_OK;
}

/* Writes the page. *next gets the cursor, absent when this was the last page. */
static enum status list(struct api_call *call, const struct listing *listing, struct span *next) {
    struct store_page page;
    char cursor[API_CURSOR_SIZE + 1];
    enum status status =
        api_consent_page(call, &listing->query.filter, listing->from, listing->query.limit, &page);
    if (status != STATUS_OK) {
        return status;
    }
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    status = write_items(call, &page, &out);
    if (status == STATUS_OK && page.more) {
        api_cursor_seal(call->loop->service->store, &listing->of, page.next, cursor);
        *next = arena_copy(call->arena, span_of(cursor, API_CURSOR_SIZE));
        json_out_member(&out, "next", *next);
    }
    json_out_object_end(&out);
    return status;
}

static enum api_outcome answer(struct api_call *call, const struct listing *listing, bool link) {
    struct span next = SPAN_NONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = list(call, listing, &next);
        store_read_end(call->loop->reader);
    }
    if (status != STATUS_OK) {
        return api_problem(call, status, NULL);
    }
    if (link && span_present(next)) {
        api_params_link_next(call, "cursor", next);
    }
    return api_reading_json(call);
}

enum api_outcome api_consents_query_get(struct api_call *call) {
    struct listing listing;
    struct api_params params = api_consent_query_begin(&listing.query);
    if (!api_params_from_url(call, &params)) {
        return API_DONE;
    }
    if (complete(call, &listing) != STATUS_OK) {
        return api_problem(call, STATUS_INVALID_PARAMETER,
                           "cursor does not continue this query of this caller");
    }
    return answer(call, &listing, true);
}

enum api_outcome api_consents_query_post(struct api_call *call) {
    struct listing listing;
    struct api_json in;
    const char *why;
    struct api_params params = api_consent_query_begin(&listing.query);
    if (!api_params_none(call)) {
        return API_DONE;
    }
    enum status status = api_json_begin(&in, call->arena, call->body, &why);
    if (status != STATUS_OK) {
        return api_problem(call, status, why);
    }
    api_params_from_body(&in, &params);
    if (!api_json_failed(&in) && complete(call, &listing) != STATUS_OK) {
        api_json_fail(&in, "cursor", "does not continue this query of this caller");
    }
    if (api_json_failed(&in)) {
        return api_json_refuse(&in, call);
    }
    api_json_end(&in);
    return answer(call, &listing, false);
}
