/* Decisions over HTTP: POST /access/v1/evaluation and /evaluations (OpenID AuthZEN Authorization
 * API 1.0), and where they are. What the pack or the caller wants recorded is asked of the writer,
 * which records it durably before the answer (invariant 11); all else is answered from a snapshot.
 *
 * Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_answer.h"
#include "api/access_question.h"
#include "api/access_record.h"
#include "api/change.h"
#include "api/handlers.h"
#include "api/http_out.h"
#include "api/reading.h"
#include "base/log.h"

/* One place in the answer. */
struct item {
    const char *wrong; /* it could not be read: NULL when it could */
    struct api_access_ask ask;
    uint32_t inquiry; /* of the change, when not wrong */
};
/* A request between handle and reply; in the call's arena, but for what the questions point to. */
struct access {
    const struct policy_pack *pack;
    struct api_access_body body;
    struct item *items;
    uint32_t count;
    bool single;
};

static enum store_recording recording_of(const struct access *access, const struct item *item) {
    enum policy_record by_default = policy_pack_settings(access->pack)->record;
    if (item->ask.record || by_default == POLICY_RECORD_ALL)
        return STORE_RECORD_YES;
    return by_default == POLICY_RECORD_DENIALS ? STORE_RECORD_DENIAL : STORE_RECORD_NO;
}

static enum status rekey(struct api_call *call, struct arena *arena, struct access *access) {
    enum status status = STATUS_OK;
    bool wanted = false;
    for (uint32_t i = 0; i < access->count; i++)
        wanted |= access->items[i].ask.question.about == STORE_ABOUT_CONSENT &&
                  access->items[i].ask.question.ask.resource_count != 0;
    if (!wanted)
        return STATUS_OK;
    status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < access->count && status == STATUS_OK; i++)
        if (access->items[i].wrong == NULL)
            status =
                store_question_rekey(call->loop->reader, arena, &access->items[i].ask.question);
    store_read_end(call->loop->reader);
    return status;
}

/* Reads the body into questions; everything they point to lives in `arena`. False when the response
 * was made. */
static bool read_body(struct api_call *call, struct arena *arena, struct span body,
                      struct access *out, bool batch) {
    const char *why = NULL;
    struct api_access_body read = {.items = NULL};
    enum api_access_kind kind = batch ? API_ACCESS_EVALUATIONS : API_ACCESS_EVALUATION;
    enum status status = api_access_read(arena, body, kind, &read, &why);
    bool single = read.items == NULL;
    if (status == STATUS_OK && single) {
        why = api_access_wrong(kind, &read.defaults);
        status = why != NULL ? STATUS_INVALID_BODY : STATUS_OK;
    }
    if (status != STATUS_OK) {
        (void)api_problem(call, status, why);
        return false;
    }
    struct api_access_asker asker = {
        .arena = arena,
        .store = call->loop->service->store,
        .pack = out->pack,
        .tenant = arena_copy(arena, call->viewer->tenant),
        .client_id = arena_copy(arena, call->viewer->client_id),
    };
    out->body = read;
    out->single = single;
    out->count = single ? 1 : read.item_count;
    out->items = arena_array(call->arena, out->count, sizeof *out->items);
    const struct api_access_item *next = read.items;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct api_entities *entities = single ? &read.defaults : &next->entities;
        out->items[i].wrong = api_access_wrong(kind, entities);
        if (out->items[i].wrong == NULL)
            api_access_question(&asker, entities, &out->items[i].ask);
        next = single ? NULL : next->next;
    }
    status = rekey(call, arena, out);
    if (status != STATUS_OK)
        (void)api_problem(call, status, NULL);
    return status == STATUS_OK;
}

/* ---- the answer */

static void write_wrong(const struct item *item, struct json_out *out) {
    json_out_object_begin(out);
    json_out_member_bool(out, "decision", false);
    json_out_key(out, "context");
    json_out_object_begin(out);
    json_out_key(out, "error");
    json_out_object_begin(out);
    json_out_member_int(out, "status", 400);
    json_out_member(out, "message", span_of_text(item->wrong));
    json_out_object_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void write_item(struct api_call *call, const struct access *access, const struct item *item,
                       const struct store_inquiry *inquiry, struct json_out *out) {
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    const struct api_access_answer answer = {
        .store = call->loop->service->store,
        .pack = access->pack,
        .question = &item->ask.question,
        .ruling = &inquiry->ruling,
        .decision_id = inquiry->recorded ? inquiry->id : NULL,
        .log_index = inquiry->log_index,
        .single = access->single,
        .explain = item->ask.explain,
        .record = item->ask.record,
        .public_url = settings->public_url,
        .now = store_time_ms(call->loop->service->store),
    };
    api_access_answer_write(&answer, out);
}

static bool ends_here(const struct access *access, bool permitted) {
    return !access->single &&
           access->body.batch_end == (permitted ? STORE_BATCH_TO_PERMIT : STORE_BATCH_TO_DENIAL);
}

static void begin_answer(const struct access *access, struct json_out *out) {
    if (access->single)
        return;
    json_out_object_begin(out);
    json_out_key(out, "evaluations");
    json_out_array_begin(out);
}

static enum api_outcome end_answer(struct api_call *call, const struct access *access,
                                   struct json_out *out) {
    if (!access->single) {
        json_out_array_end(out);
        json_out_object_end(out);
    }
    api_header_set(call, "cache-control", SPAN("no-store"));
    return api_respond(call, 200, "application/json");
}

/* ---- without recording: from one snapshot */

static enum status decide(struct api_call *call, const struct access *access, bool *denied) {
    struct json_out out = json_out_to(&call->response.body);
    enum status status = store_read_begin(call->loop->reader);
    if (status != STATUS_OK)
        return status;
    begin_answer(access, &out);
    for (uint32_t i = 0; i < access->count && status == STATUS_OK; i++) {
        struct store_inquiry inquiry;
        const struct item *item = &access->items[i];
        bool permitted = false;
        inquiry.recorded = false;
        inquiry.log_index = STORE_INDEX_NONE;
        if (item->wrong != NULL) {
            write_wrong(item, &out);
        } else {
            status = store_decide(call->loop->reader, access->pack, &item->ask.question,
                                  &inquiry.ruling);
            if (status != STATUS_OK)
                break;
            permitted = inquiry.ruling.decision.permitted;
            ASSERT(recording_of(access, item) != STORE_RECORD_YES); /* invariant 11 */
            write_item(call, access, item, &inquiry, &out);
        }
        *denied |= !permitted && item->wrong == NULL;
        if (ends_here(access, permitted))
            break;
    }
    store_read_end(call->loop->reader);
    if (status == STATUS_OK)
        (void)end_answer(call, access, &out);
    return status;
}

/* ---- with recording: by the writer */

static enum api_outcome submit(struct api_call *call, struct store_change *change,
                               struct access *access) {
    change->inquiries = arena_array(&change->arena, access->count, sizeof *change->inquiries);
    change->batch_end = access->single ? STORE_BATCH_ALL : access->body.batch_end;
    for (uint32_t i = 0; i < access->count; i++) {
        struct item *item = &access->items[i];
        struct store_inquiry *inquiry = &change->inquiries[change->inquiry_count];
        if (item->wrong != NULL && change->batch_end == STORE_BATCH_TO_DENIAL)
            break; /* it denies: what comes after it is not asked */
        if (item->wrong != NULL)
            continue;
        item->inquiry = change->inquiry_count++;
        inquiry->question = item->ask.question;
        inquiry->recording = recording_of(access, item);
        api_access_record_write(access->pack, &change->arena, inquiry);
    }
    call->state = access;
    return api_change_submit(call, change);
}

enum api_outcome api_access_reply(struct api_call *call, struct store_change *change) {
    const struct access *access = call->state;
    if (change->done.status != STATUS_OK)
        return api_change_refuse(call, change);
    struct json_out out = json_out_to(&call->response.body);
    begin_answer(access, &out);
    for (uint32_t i = 0; i < access->count; i++) {
        const struct item *item = &access->items[i];
        bool permitted = false;
        if (item->wrong != NULL) {
            write_wrong(item, &out);
        } else {
            const struct store_inquiry *inquiry = &change->inquiries[item->inquiry];
            permitted = inquiry->ruling.decision.permitted;
            /* invariant 11 */
            ASSERT(inquiry->recorded || inquiry->recording == STORE_RECORD_NO ||
                   (inquiry->recording == STORE_RECORD_DENIAL && permitted));
            write_item(call, access, item, inquiry, &out);
        }
        if (ends_here(access, permitted))
            break;
    }
    store_change_free(change);
    return end_answer(call, access, &out);
}

/* ---- the operations */

static bool wants_record(const struct access *access) {
    for (uint32_t i = 0; i < access->count; i++)
        if (access->items[i].wrong == NULL &&
            recording_of(access, &access->items[i]) == STORE_RECORD_YES)
            return true;
    return false;
}

/* The change owns what its questions point to: the body is read again, from a copy. */
static enum api_outcome record(struct api_call *call, struct access *access, bool batch) {
    struct store_change *change = api_change_new(call, STORE_DECIDE, false);
    if (change == NULL)
        return API_DONE;
    change->pack = access->pack;
    if (!read_body(call, &change->arena, arena_copy(&change->arena, call->body), access, batch)) {
        store_change_free(change);
        return API_DONE;
    }
    return submit(call, change, access);
}

static enum api_outcome evaluate(struct api_call *call, bool batch) {
    struct access *access = arena_array(call->arena, 1, sizeof *access);
    bool denied = false;
    access->pack = atomic_load(&call->loop->service->pack);
    if (access->pack == NULL)
        return api_problem(call, STATUS_BUSY, "no policy is active yet");
    enum policy_record by_default = policy_pack_settings(access->pack)->record;
    if (by_default == POLICY_RECORD_ALL)
        return record(call, access, batch);
    if (!read_body(call, call->arena, call->body, access, batch))
        return API_DONE;
    if (wants_record(access))
        return record(call, access, batch);
    enum status status = decide(call, access, &denied);
    if (status != STATUS_OK)
        return api_problem(call, status, NULL);
    if (!denied || by_default != POLICY_RECORD_DENIALS)
        return API_DONE;
    api_response_reset(call);
    return record(call, access, batch);
}

enum api_outcome api_access_evaluate(struct api_call *call) {
    return evaluate(call, false);
}

enum api_outcome api_access_evaluate_many(struct api_call *call) {
    return evaluate(call, true);
}

enum api_outcome api_access_configuration(struct api_call *call) {
    static const struct {
        const char *name, *path;
    } places[] = {
        {"policy_decision_point", ""},
        {"access_evaluation_endpoint", "/access/v1/evaluation"},
        {"access_evaluations_endpoint", "/access/v1/evaluations"},
        {"search_subject_endpoint", "/access/v1/search/subject"},
        {"search_resource_endpoint", "/access/v1/search/resource"},
        {"search_action_endpoint", "/access/v1/search/action"},
        {"access_request_endpoint", API_ACCESS_REQUESTS},
    };
    const struct api_settings *settings = atomic_load(&call->loop->service->settings);
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        json_out_member(
            &out, places[i].name,
            arena_format(call->arena, "%.*s%s", SPAN_ARG(settings->public_url), places[i].path));
    json_out_key(&out, "capabilities");
    json_out_array_begin(&out);
    json_out_string(&out, SPAN("urn:openid:authzen:capability:access-request"));
    json_out_array_end(&out);
    json_out_object_end(&out);
    api_header_set(call, "cache-control", SPAN("public, max-age=3600"));
    return api_respond(call, 200, "application/json");
}
