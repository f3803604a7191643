/* GET /v1/changes: what happened to the caller's consents, in the order of the log, and a long poll
 * for what comes next. As tenant and as client it sees the same consents as elsewhere; numbers it
 * is given are of its own entries (invariant 9).
 *
 * Runs on a loop; each look is one snapshot, ended before the loop goes on (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "store/feed.h"

#include "api/handlers.h"
#include "api/http_out.h"
#include "api/params_in.h"
#include "api/render.h"
#include "api/viewer.h"
#include "base/log.h"
#include "store/outbox.h"

struct asking {
    uint64_t from, wait_s;
    uint32_t limit;
};
static const struct api_param PARAMS[] = {
    {"after", API_PARAM_INDEX, offsetof(struct asking, from), 0},
    {"wait", API_PARAM_NUMBER, offsetof(struct asking, wait_s), 0},
    {"limit", API_PARAM_LIMIT, offsetof(struct asking, limit), 0},
};

/* Who withdrew at the client has told it; every other ending that is not the clock's is news that
 * the tenant owes it, once its token is invalid (IB1, Withdrawal of Permission). */
static void write_message(struct store_reader *reader, const struct store_event *event,
                          const struct store_consent *then, struct json_out *out) {
    static const char *const words[] = {
        [STORE_MESSAGE_WAITING] = "waiting",
        [STORE_MESSAGE_SENT] = "sent",
        [STORE_MESSAGE_GIVEN_UP] = "failed",
        [STORE_MESSAGE_OWED] = "owed",
    };
    bool ended = event->code == STORE_CONSENT_REVOKED || event->code == STORE_CONSENT_TERMINATED;
    enum store_message_state state = ended ? store_message_state(reader, then) : STORE_MESSAGE_NONE;
    if (state != STORE_MESSAGE_NONE)
        json_out_member(out, "withdrawalMessage", span_of_text(words[state]));
}

static enum status write_item(const struct api_call *call, const struct store_event *event,
                              struct json_out *out) {
    struct store_reader *reader = call->loop->reader;
    struct store_consent then;
    enum status status = store_consent_by_index(reader, event->consent, &then);
    if (status == STATUS_OK)
        status = store_consent_as_of(reader, event->index, &then);
    if (status != STATUS_OK)
        return status;
    enum api_relation relation = api_viewer_relation(call->viewer, reader, &then);
    ASSERT(relation != API_RELATION_NONE); /* invariant 9: the indexes have nobody else's */
    json_out_object_begin(out);
    json_out_member_int(out, "index", (int64_t)event->index);
    json_out_member_time(out, "at", event->at);
    json_out_member(out, "event", span_of_text(store_event_name(event->code)));
    json_out_member_uuid(out, "consentId", &then.id);
    json_out_member_uuid(out, "arrangementId", &then.arrangement);
    json_out_member_int(out, "version", then.version);
    json_out_member(out, "status", span_of_text(lifecycle_state_name(then.status)));
    json_out_member_time(out, "statusAt", then.status_at);
    json_out_member_optional(out, "reason", api_render_reason_code(reader, &then));
    json_out_member(out, "tenant", store_name(reader, STORE_NAME_MEMBER, then.tenant));
    json_out_member(out, "client", store_name(reader, STORE_NAME_MEMBER, then.client));
    json_out_member(out, "license", store_name(reader, STORE_NAME_LICENSE, then.license));
    if (relation == API_RELATION_TENANT)
        write_message(reader, event, &then, out);
    json_out_object_end(out);
    return STATUS_OK;
}

static enum status write_page(struct api_call *call, const struct store_event_page *page) {
    enum status status = STATUS_OK;
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_key(&out, "items");
    json_out_array_begin(&out);
    for (uint32_t i = 0; i < page->count && status == STATUS_OK; i++)
        status = write_item(call, &page->items[i], &out);
    json_out_array_end(&out);
    if (page->next != 0)
        json_out_member_int(&out, "next", (int64_t)page->next - 1);
    json_out_member_bool(&out, "more", page->more);
    json_out_object_end(&out);
    return status;
}

/* One look. `waits` becomes true when there is nothing to tell yet. */
static enum status read_feed(struct api_call *call, bool may_wait, bool *waits) {
    struct store_reader *reader = call->loop->reader;
    struct asking *asking = call->state;
    struct store_event_page page;
    const struct store_feed_ask ask = {call->viewer->tenant, call->viewer->client_id, asking->from,
                                       asking->limit};
    enum status status = store_feed_read(reader, &ask, call->arena, &page);
    if (status != STATUS_OK)
        return status;
    *waits = may_wait && page.count == 0 && !page.more;
    asking->from = page.next;
    if (!*waits)
        return write_page(call, &page);
    call->wait = (struct api_wait){store_feed_bits(reader, &ask), (uint32_t)asking->wait_s};
    return STATUS_OK;
}

static enum api_outcome look(struct api_call *call, enum api_wake why) {
    const struct asking *asking = call->state;
    bool waits = false;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = read_feed(call, why == API_WAKE_NEWS && asking->wait_s != 0, &waits);
        store_read_end(call->loop->reader);
    }
    if (status != STATUS_OK) {
        api_response_reset(call);
        return api_problem(call, status, NULL);
    }
    return waits ? API_WAITING : api_respond(call, 200, "application/json");
}

enum api_outcome api_changes(struct api_call *call) {
    struct asking *asking = arena_array(call->arena, 1, sizeof *asking);
    struct api_params params = {PARAMS, sizeof PARAMS / sizeof *PARAMS, asking, 0, NULL};
    asking->limit = LIMIT_PAGE_DEFAULT;
    if (!api_params_from_url(call, &params))
        return API_DONE;
    if (asking->wait_s > LIMIT_WAIT)
        return api_problem(call, STATUS_INVALID_PARAMETER, "wait has at most 60 seconds");
    call->state = asking;
    call->look = look;
    return look(call, API_WAKE_NEWS);
}
