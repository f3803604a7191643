/* GET /evidence/{evidenceId}: the page behind the Evidence URL of permission records. Whoever has
 * the address may read it, so the address cannot be guessed: it is the arrangement's id with its
 * MAC. Each reading becomes an entry of the log (looks.h).
 *
 * Runs on a loop; one snapshot (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "api/evidence_page.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "api/http_out.h"
#include "api/json_value.h"
#include "api/looks.h"
#include "api/packs.h"
#include "api/params_in.h"
#include "api/problem.h"
#include "base/encode.h"

#define RULES                                                  \
    SPAN("default-src 'none'; style-src '" EVIDENCE_STYLE_HASH \
         "'; base-uri 'none'; form-action 'none'")

/* The consents of a page, in the order in which they were made. However often a consent was
 * renewed, those of two pages are held at most. */
#define HELD_MAX (2 * LIMIT_PAGE)
struct evidence {
    struct store_consent *items;
    uint32_t count;
    bool more; /* older ones, which the page leaves out */
};

/* Only of one account and one application, whatever an arrangement were to hold. */
static bool belongs(const struct evidence *evidence, const struct store_consent *c) {
    const struct store_consent *first = &evidence->items[0];
    return evidence->count == 0 || (c->client == first->client && c->tenant == first->tenant &&
                                    c->provider == first->provider &&
                                    (!c->has_account || !first->has_account ||
                                     memcmp(&c->account, &first->account, sizeof c->account) == 0));
}

/* The newest of a page are left; the oldest give way. */
static void trim(struct evidence *evidence) {
    if (evidence->count <= LIMIT_PAGE)
        return;
    memmove(evidence->items, evidence->items + evidence->count - LIMIT_PAGE,
            LIMIT_PAGE * sizeof *evidence->items);
    evidence->count = LIMIT_PAGE;
    evidence->more = true;
}

/* Adds those of an arrangement. */
static enum status add(struct api_call *call, const struct uuid *arrangement,
                       struct evidence *evidence) {
    const struct store_filter filter = {.everyone = true,
                                        .has_arrangement = true,
                                        .arrangement = *arrangement,
                                        .granted_from = INT64_MIN,
                                        .granted_to = INT64_MAX,
                                        .expires_before = INT64_MAX,
                                        .tombstones = true};
    struct store_page page = {.more = true};
    struct arena arena = {0}; /* of one page of the store; what the items point to is the store's */
    enum status status = STATUS_OK;
    while (status == STATUS_OK && page.more) {
        status =
            store_consent_query(call->loop->reader, &filter, page.next, LIMIT_PAGE, &arena, &page);
        for (uint32_t i = 0; status == STATUS_OK && i < page.count; i++) {
            if (!belongs(evidence, &page.items[i]))
                continue;
            if (evidence->count == HELD_MAX)
                trim(evidence);
            evidence->items[evidence->count++] = page.items[i];
        }
        arena_release(&arena);
    }
    return status;
}

/* The entry that granted it, or asked for it. */
static uint64_t order_of(const struct store_consent *c) {
    return c->granted_entry != STORE_INDEX_NONE ? c->granted_entry : c->created_entry;
}

static int compare(const void *a, const void *b) {
    uint64_t x = order_of(a), y = order_of(b);
    return (x > y) - (x < y);
}

/* The newest that another one superseded; NULL when none was. */
static const struct store_consent *superseded(const struct evidence *evidence) {
    for (uint32_t i = evidence->count; i > 0; i--)
        if (evidence->items[i - 1].superseded_by != STORE_INDEX_NONE)
            return &evidence->items[i - 1];
    return NULL;
}

/* Where an arrangement went that another one took over: it is read as that one, and both are shown.
 * A request may have joined another one when it was granted. */
static bool goes_on(struct api_call *call, const struct evidence *evidence,
                    struct uuid *arrangement) {
    struct store_consent next;
    if (evidence->count == 0) {
        if (store_consent_by_id(call->loop->reader, arrangement, &next) != STATUS_OK)
            return false;
    } else {
        const struct store_consent *last = superseded(evidence);
        if (last == NULL ||
            store_consent_by_index(call->loop->reader, last->superseded_by, &next) != STATUS_OK)
            return false;
    }
    bool elsewhere = !uuid_equal(&next.arrangement, arrangement);
    *arrangement = next.arrangement;
    return elsewhere;
}

static enum status gather(struct api_call *call, struct evidence *evidence) {
    struct uuid arrangement;
    if (!store_evidence_open(call->loop->service->store, call->path_id, &arrangement))
        return STATUS_NOT_FOUND;
    evidence->items = arena_array(call->arena, HELD_MAX, sizeof *evidence->items);
    enum status status = add(call, &arrangement, evidence);
    for (unsigned hops = 0; status == STATUS_OK && hops < LIMIT_LINKS; hops++) {
        if (!goes_on(call, evidence, &arrangement))
            break;
        status = add(call, &arrangement, evidence);
    }
    trim(evidence);
    qsort(evidence->items, evidence->count, sizeof *evidence->items, compare);
    return status == STATUS_OK && evidence->count == 0 ? STATUS_NOT_FOUND : status;
}

/* What tells the state now: the one in force, else the last that was granted, else the last. */
static const struct store_consent *present(const struct evidence *evidence) {
    const struct store_consent *best = &evidence->items[evidence->count - 1];
    for (uint32_t i = 0; i < evidence->count; i++)
        if (evidence->items[i].granted_at != INT64_MIN)
            best = &evidence->items[i];
    for (uint32_t i = 0; i < evidence->count; i++)
        if (evidence->items[i].status == CONSENT_ACTIVE)
            best = &evidence->items[i];
    return best;
}

/* The pack whose words were agreed to, else the one in force. */
static const struct policy_pack *pack_of(struct api_call *call, const struct store_terms *terms) {
    const struct policy_pack *pack = atomic_load(&call->loop->service->pack), *then;
    json_t *object = api_json_value_members(terms->terms);
    const char *text =
        json_string_value(json_object_get(json_object_get(object, "policy"), "digest"));
    struct digest digest;
    if (text != NULL &&
        decode_hex(span_of_text(text), digest.bytes, sizeof digest.bytes) == STATUS_OK &&
        api_packs_get(call->loop, &digest, &then) == STATUS_OK)
        pack = then;
    json_decref(object);
    return pack;
}

static enum status load(struct api_call *call, const struct store_consent *consent,
                        struct evidence_grant *out) {
    struct store_reader *reader = call->loop->reader;
    *out = (struct evidence_grant){.consent = consent};
    enum status status = store_consent_terms(reader, consent, &out->terms);
    if (status == STATUS_OK)
        status = store_consent_facts(reader, consent, call->arena, &out->facts);
    if (status == STATUS_ERASED)
        status = STATUS_OK; /* which the page says */
    if (status == STATUS_OK)
        out->pack = pack_of(call, &out->terms);
    return status;
}

static enum status write_page(struct api_call *call, const struct evidence *evidence) {
    struct buffer *out = &call->response.body;
    enum status status = STATUS_OK;
    evidence_page_begin(call, present(evidence), out);
    for (uint32_t i = evidence->count; i > 0 && status == STATUS_OK; i--) {
        struct evidence_grant grant;
        status = load(call, &evidence->items[i - 1], &grant);
        if (status == STATUS_OK)
            evidence_page_grant(call, &grant, out);
    }
    evidence_page_end(evidence->more, out);
    return status;
}

static enum status read_page(struct api_call *call) {
    struct evidence evidence = {.count = 0};
    enum status status = gather(call, &evidence);
    if (status == STATUS_OK)
        status = write_page(call, &evidence);
    if (status == STATUS_OK)
        api_looks_note_evidence(call, &present(&evidence)->id);
    return status;
}

static enum api_outcome answer(struct api_call *call, int http) {
    api_header_set(call, "cache-control", SPAN("no-store"));
    api_header_set(call, "content-security-policy", RULES);
    api_header_set(call, "referrer-policy", SPAN("no-referrer"));
    api_header_set(call, "x-robots-tag", SPAN("noindex"));
    return api_respond(call, http, "text/html; charset=utf-8");
}

enum api_outcome api_evidence(struct api_call *call) {
    if (!api_params_none(call))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = read_page(call);
        store_read_end(call->loop->reader);
    }
    if (status == STATUS_OK)
        return answer(call, 200);
    api_response_reset(call);
    if (status != STATUS_NOT_FOUND)
        return api_problem(call, status, NULL);
    evidence_page_missing(&call->response.body);
    return answer(call, 404);
}
