/* GET /v1/audit/at: was this purpose on this account allowed for this client at that time, under
 * which words, and which entries of the log show it? Judged as of the end of the time, by the pack
 * that was in force then; an auditor asks about the tenants that its token names (invariant 9).
 *
 * Runs on a loop; one snapshot (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>

#include "api/access_answer.h"
#include "api/handlers.h"
#include "api/json_value.h"
#include "api/moment.h"
#include "api/packs.h"
#include "api/params_in.h"
#include "api/past_question.h"
#include "api/past_subject.h"
#include "api/policy_view.h"
#include "api/problem.h"
#include "api/reading.h"
#include "api/render.h"

struct answer {
    struct api_past_query query;
    struct api_past_subject subject;
    struct store_moment moment;
    const struct policy_pack *pack;
    uint64_t activated; /* the pack's entry */
    struct api_access_ask ask;
    struct store_ruling ruling;
};

static enum status judge(struct api_call *call, struct answer *a) {
    struct store_reader *reader = call->loop->reader;
    struct digest digest;
    struct api_access_asker asker = {.arena = call->arena, .store = call->loop->service->store};
    int64_t time = a->query.time.last;
    if (a->subject.recorded > time) /* nobody could know of it before */
        time = a->subject.recorded;
    enum status status = store_moment_at(reader, time, &a->moment);
    if (status == STATUS_OK)
        status = store_policy_at(reader, a->moment.position, &digest, &a->activated);
    if (status == STATUS_OK)
        status = api_packs_get(call->loop, &digest, &a->pack);
    if (status != STATUS_OK)
        return status;
    asker.pack = a->pack;
    api_past_question(&asker, &a->query, &a->subject, &a->ask);
    return store_decide_as_of(reader, a->pack, &a->ask.question, &a->moment, &a->ruling);
}

/* ---- which entries show it */

static enum status put_entry(struct store_reader *reader, const char *shows, uint64_t index,
                             struct json_out *out) {
    struct store_event event;
    enum status status = store_event_get(reader, index, &event);
    if (status != STATUS_OK)
        return status;
    json_out_object_begin(out);
    json_out_member(out, "shows", span_of_text(shows));
    json_out_member_int(out, "index", (int64_t)event.index);
    json_out_member_time(out, "at", event.at);
    json_out_member(out, "event", span_of_text(store_event_name(event.code)));
    json_out_object_end(out);
    return STATUS_OK;
}

static enum status put_consent_entries(struct store_reader *reader, const struct answer *a,
                                       struct json_out *out) {
    const struct store_consent *c = &a->ruling.consent;
    uint64_t links[STORE_LINKS_MAX];
    uint32_t count = 0;
    enum status status = STATUS_OK;
    if (c->created_entry != c->granted_entry)
        status = put_entry(reader, "request", c->created_entry, out);
    if (status == STATUS_OK && c->granted_entry != STORE_INDEX_NONE)
        status = put_entry(reader, "grant", c->granted_entry, out);
    if (status == STATUS_OK && c->status_entry != c->created_entry &&
        c->status_entry != c->granted_entry)
        status = put_entry(reader, "status", c->status_entry, out);
    if (status == STATUS_OK && c->dependent)
        status = store_links_at(reader, c, &a->moment, links, &count);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_entry(reader, "link", links[i], out);
    return status;
}

static enum status put_evidence(struct store_reader *reader, const struct answer *a,
                                struct json_out *out) {
    uint64_t block;
    json_out_key(out, "evidence");
    json_out_array_begin(out);
    enum status status = put_entry(reader, "policy", a->activated, out);
    if (status == STATUS_OK && a->ruling.has_consent)
        status = put_consent_entries(reader, a, out);
    if (status != STATUS_OK)
        return status;
    status = store_block_at(reader, a->subject.tenant, a->query.client, &a->moment, &block);
    if (status == STATUS_OK)
        status = put_entry(reader, "block", block, out);
    json_out_array_end(out);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- the answer */

static void put_policy(const struct answer *a, struct json_out *out) {
    json_out_key(out, "policy");
    json_out_object_begin(out);
    api_policy_view_identity(a->pack, out);
    json_out_member_int(out, "logIndex", (int64_t)a->activated);
    json_out_object_end(out);
}

/* By the pack of then; its URL alone where that pack does not have it. */
static void put_license(struct store_reader *reader, const struct answer *a, struct json_out *out) {
    const struct policy_license *license = a->ruling.license;
    struct span url = store_name(reader, STORE_NAME_LICENSE, a->ruling.consent.license);
    json_out_key(out, "license");
    json_out_object_begin(out);
    json_out_member(out, "url", url);
    if (license != NULL)
        json_out_member_optional(out, "title", license->title);
    if (license != NULL && license->has_text_digest) {
        json_out_key(out, "textDigest");
        json_out_base64url(out, license->text_digest.bytes, DIGEST_SIZE);
    }
    json_out_object_end(out);
}

/* The words that were shown at the grant; nothing while requested, or when it tells none. */
static enum status put_notice(struct store_reader *reader, const struct store_consent *consent,
                              struct json_out *out) {
    struct store_terms terms;
    enum status status = store_consent_terms(reader, consent, &terms);
    if (status != STATUS_OK)
        return status;
    json_t *grant = api_json_value_members(terms.grant);
    const json_t *notice = json_object_get(grant, "notice");
    if (notice != NULL) {
        json_out_key(out, "notice");
        api_json_value_write(notice, out);
    }
    json_decref(grant);
    return STATUS_OK;
}

static enum status put_consent(const struct api_call *call, const struct answer *a,
                               struct json_out *out) {
    const struct store_consent *consent = &a->ruling.consent;
    if (!a->ruling.has_consent)
        return STATUS_OK;
    json_out_key(out, "consent");
    enum status status = api_render_consent(call, API_RELATION_AUDITOR, consent, out);
    if (status == STATUS_OK)
        status = put_notice(call->loop->reader, consent, out);
    if (status == STATUS_OK)
        put_license(call->loop->reader, a, out);
    return status;
}

static enum status write_answer(struct api_call *call, const struct answer *a) {
    struct json_out out = json_out_to(&call->response.body);
    json_out_object_begin(&out);
    json_out_member_time(&out, "time", a->moment.time);
    json_out_member_int(&out, "position", (int64_t)a->moment.position);
    json_out_member(&out, "tenant", a->subject.tenant);
    json_out_member(&out, "client", a->query.client);
    json_out_member_bool(&out, "decision", a->ruling.decision.permitted);
    api_access_answer_reasons(a->pack, &a->ruling, &out);
    api_access_answer_open(a->pack, &a->ask.question.ask, &a->ruling, &out);
    enum status status = put_consent(call, a, &out);
    put_policy(a, &out);
    if (status == STATUS_OK)
        status = put_evidence(call->loop->reader, a, &out);
    json_out_object_end(&out);
    return status;
}

static enum status answer(struct api_call *call, struct answer *a, const char **why) {
    enum status status = api_past_subject_find(call, &a->query, &a->subject, why);
    if (status != STATUS_OK)
        return status;
    status = judge(call, a);
    if (status == STATUS_NOT_FOUND)
        *why = "no policy was in force then";
    return status == STATUS_OK ? write_answer(call, a) : status;
}

enum api_outcome api_audit_at(struct api_call *call) {
    struct answer *a = arena_array(call->arena, 1, sizeof *a);
    struct api_params params = api_past_query_begin(&a->query);
    const char *why = NULL;
    if (!api_params_from_url(call, &params))
        return API_DONE;
    why = api_past_query_wrong(&params, &a->query);
    if (why != NULL)
        return api_problem(call, STATUS_INVALID_PARAMETER, why);
    if (!api_moment_past(call, "time", &a->query.time))
        return API_DONE;
    enum status status = store_read_begin(call->loop->reader);
    if (status == STATUS_OK) {
        status = answer(call, a, &why);
        store_read_end(call->loop->reader);
    }
    return status == STATUS_OK ? api_reading_json(call) : api_problem(call, status, why);
}
