/* Searches over HTTP: POST /access/v1/search/subject, /resource and /action (OpenID AuthZEN
 * Authorization API 1.0, section 8). Results are exactly what an evaluation with the same
 * parameters would permit in this snapshot. Nothing is recorded: a search lets no data flow.
 *
 * A token is a position, sealed, with the page's limit; it goes on with this search of this caller
 * and with no other. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_body.h"
#include "api/access_seek.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/problem.h"
#include "api/viewer.h"
#include "base/limits.h"
#include "base/log.h"

struct search {
    struct api_call *call;
    const struct policy_pack *pack;
    struct api_access_body body;
    struct api_access_ask ask;
    struct digest of; /* identity of search and caller: tokens are bound to it */
    uint64_t from;
    uint32_t limit;
};

/* ---- tokens */

static void append_text(struct buffer *to, struct span text) {
    buffer_append_format(to, "%zu:", text.size);
    buffer_append_span(to, text);
}

static struct digest identity(const struct search *s) {
    struct buffer text = {0};
    buffer_append_format(&text, "search %d\n", (int)s->body.kind);
    append_text(&text, s->call->viewer->tenant);
    append_text(&text, s->call->viewer->client_id);
    for (unsigned i = 0; i < API_ENTITIES; i++) {
        const struct api_entity *entity = s->body.defaults.of[i];
        buffer_append_text(&text, entity != NULL ? "\n" : "-");
        if (entity == NULL)
            continue;
        append_text(&text, entity->type);
        append_text(&text, entity->id);
        append_text(&text, entity->properties);
    }
    struct digest digest = digest_sha256(buffer_span(&text));
    buffer_release(&text);
    return digest;
}

#define LIMIT_SHIFT 48 /* a position is a creation index: 2^48 consents fit no disk */
_Static_assert(LIMIT_PAGE < 1 << 16, "limit and position share 64 bits");

static struct span seal(const struct search *s, uint64_t next) {
    char token[API_CURSOR_SIZE + 1];
    ASSERT(next >> LIMIT_SHIFT == 0);
    api_cursor_seal(s->call->loop->service->store, &s->of, next | (uint64_t)s->limit << LIMIT_SHIFT,
                    token);
    return arena_copy(s->call->arena, span_of(token, API_CURSOR_SIZE));
}

/* Where to begin, and how many. A limit that is stated with a token is the one it began with. */
static bool open_page(struct search *s) {
    uint64_t sealed;
    const struct api_access_body *body = &s->body;
    s->limit = body->has_limit ? body->page_limit : LIMIT_PAGE_DEFAULT;
    s->from = 0;
    if (!span_present(body->page_token))
        return true;
    if (api_cursor_open(s->call->loop->service->store, &s->of, body->page_token, &sealed) !=
        STATUS_OK)
        return false;
    s->from = sealed & ((UINT64_C(1) << LIMIT_SHIFT) - 1);
    s->limit = (uint32_t)(sealed >> LIMIT_SHIFT);
    return !body->has_limit || body->page_limit == s->limit;
}

/* ---- the request */

/* What ids a search lists, one who may only ask cannot know; likewise by reading consents. */
static bool may_list(const struct search *s) {
    return s->body.kind != API_ACCESS_SEARCH_RESOURCE ||
           s->ask.question.about == STORE_ABOUT_RULES ||
           api_viewer_may(s->call->viewer, AUTH_CONSENTS_READ);
}

/* ---- the answer */

static enum api_outcome answer(const struct search *s, const struct api_seeking *found,
                               struct span results) {
    struct api_call *call = s->call;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    if (found->more || s->body.has_page) {
        json_out_key(&out, "page");
        json_out_object_begin(&out);
        json_out_member(&out, "next_token", found->more ? seal(s, found->next) : SPAN(""));
        json_out_member_int(&out, "count", found->count);
        json_out_object_end(&out);
    }
    json_out_key(&out, "results");
    json_out_array_begin(&out);
    json_out_members(&out, results);
    json_out_array_end(&out);
    json_out_object_end(&out);
    api_header_set(call, "cache-control", SPAN("no-store"));
    return api_respond(call, 200, "application/json");
}

static enum api_outcome seek(const struct search *s) {
    struct api_call *call = s->call;
    struct buffer results = {0};
    struct json_out out = json_out_to(&results);
    struct api_seeking seeking = {
        .call = call,
        .pack = s->pack,
        .kind = s->body.kind,
        .asked = &s->ask.question,
        .from = s->from,
        .limit = s->limit,
        .out = &out,
    };
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = api_access_seek(&seeking);
        store_read_end(call->loop->reader);
    }
    enum api_outcome outcome = status == STATUS_OK ? answer(s, &seeking, buffer_span(&results))
                                                   : api_problem(call, status, NULL);
    buffer_release(&results);
    return outcome;
}

static enum api_outcome search(struct api_call *call, enum api_access_kind kind) {
    struct search s = {.call = call, .pack = atomic_load(&call->loop->service->pack)};
    if (s.pack == NULL)
        return api_problem(call, STATUS_BUSY, "no policy is active yet");
    if (!api_access_body_read(call, kind, s.pack, &s.body, &s.ask))
        return API_DONE;
    s.of = identity(&s);
    if (!may_list(&s))
        return api_problem_scope(call, AUTH_CONSENTS_READ);
    if (s.ask.record)
        return api_problem(call, STATUS_INVALID_BODY,
                           "a search is not recorded: context.record must not be true");
    if (!open_page(&s))
        return api_problem(call, STATUS_INVALID_BODY,
                           "page.token does not continue this search of this caller");
    return seek(&s);
}

enum api_outcome api_access_search_subject(struct api_call *call) {
    return search(call, API_ACCESS_SEARCH_SUBJECT);
}

enum api_outcome api_access_search_resource(struct api_call *call) {
    return search(call, API_ACCESS_SEARCH_RESOURCE);
}

enum api_outcome api_access_search_action(struct api_call *call) {
    return search(call, API_ACCESS_SEARCH_ACTION);
}
