/* Answers of reading operations. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/reading.h"

#include "api/cursor.h"
#include "api/http_in.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "base/log.h"

enum api_outcome api_reading_json(struct api_call *call) {
    api_header_set(call, "cache-control", SPAN("private, no-cache"));
    return api_respond(call, 200, "application/json");
}

enum api_outcome api_reading_not_modified(struct api_call *call) {
    buffer_clear(&call->response.body);
    call->response.fixed_body = SPAN_NONE;
    return api_respond(call, 304, NULL);
}

/* Takes the next entity tag off *list, with its quotes and without W/. False at the end, or where
 * the list stops being one. */
static bool next_tag(struct span *list, struct span *tag) {
    size_t at = 0;
    while (at < list->size && strchr(" \t,", list->data[at]) != NULL) {
        at++;
    }
    struct span rest = span_of(list->data + at, list->size - at);
    if (span_starts(rest, SPAN("W/"))) {
        rest = span_of(rest.data + 2, rest.size - 2);
    }
    if (rest.size < 2 || rest.data[0] != '"') {
        return false;
    }
    const char *close = memchr(rest.data + 1, '"', rest.size - 1);
    if (close == NULL) {
        return false;
    }
    *tag = span_of(rest.data, (size_t)(close - rest.data) + 1);
    *list = span_of(rest.data + tag->size, rest.size - tag->size);
    return true;
}

bool api_reading_none_match(const struct api_call *call, struct span tag) {
    struct span list = api_header_get(call, "if-none-match");
    struct span named;
    if (list.size == 0) {
        return false;
    }
    if (span_is(list, "*")) {
        return true;
    }
    while (next_tag(&list, &named)) {
        if (span_equal(named, tag)) {
            return true;
        }
    }
    return false;
}

void api_reading_entries_end(struct api_call *call, const struct store_event_page *page,
                             struct json_out *out) {
    if (page->more) {
        /* `after` names the entry before: a page that has more never goes on from the first. */
        ASSERT(page->next > 0);
        uint64_t after = page->next - 1;
        json_out_member_int(out, "next", (int64_t)after);
        api_params_link_next(call, "after",
                             arena_format(call->arena, "%llu", (unsigned long long)after));
    }
    json_out_object_end(out);
}

void api_reading_list_end(struct api_call *call, const struct digest *of, bool more, uint64_t next,
                          struct json_out *out) {
    char cursor[API_CURSOR_SIZE + 1];
    if (more) {
        api_cursor_seal(call->loop->service->store, of, next, cursor);
        struct span text = arena_copy(call->arena, span_of(cursor, API_CURSOR_SIZE));
        json_out_member(out, "next", text);
        api_params_link_next(call, "cursor", text);
    }
    json_out_object_end(out);
}
