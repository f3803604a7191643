/* Candidates: of a resource type that needs no consent, what the pack's directory lists; else the
 * active consents of the caller's tenant, found by account, client or id, and of an action the
 * purposes of the pack. A client or an account has many consents and is one result: it is told at
 * the consent that answers for it, which the evaluation names. So nothing is remembered between
 * pages but where to go on. Runs on a loop, in one snapshot (invariant 5). */
// SPDX-License-Identifier: Apache-2.0
#include "api/access_seek.h"

#include "api/stream.h"
#include "base/limits.h"
#include "base/log.h"
#include "policy/directory.h"

static bool is_full(struct api_seeking *s, uint64_t at) {
    if (s->count < s->limit && s->judged < LIMIT_EVALUATIONS)
        return false;
    s->more = true;
    s->next = at;
    return true;
}

static enum status judge(struct api_seeking *s, const struct store_question *question,
                         struct store_ruling *ruling) {
    s->judged++;
    return store_decide(s->call->loop->reader, s->pack, question, ruling);
}

static void put_entity(struct api_seeking *s, struct span type, struct span id) {
    json_out_object_begin(s->out);
    json_out_member(s->out, "type", type);
    json_out_member(s->out, "id", id);
    json_out_object_end(s->out);
    s->count++;
}

/* ---- what the pack lists */

static enum status seek_directory(struct api_seeking *s, enum policy_side side, struct span type) {
    uint32_t count;
    enum status status = STATUS_OK;
    struct store_ruling ruling;
    struct store_question question = *s->asked;
    const struct policy_entity *all = policy_pack_entities(s->pack, side, type, &count);
    for (uint64_t at = s->from; at < count && status == STATUS_OK && !is_full(s, at); at++) {
        if (side == POLICY_SUBJECTS)
            question.ask.subject_id = question.client = all[at].id;
        else
            question.ask.resource_id = all[at].id;
        status = judge(s, &question, &ruling);
        if (status == STATUS_OK && ruling.decision.permitted)
            put_entity(s, type, all[at].id);
    }
    return status;
}

/* ---- actions: names of the pack, for a consent each with every purpose */

static const struct span *action_names(const struct api_seeking *s, uint32_t *count) {
    static const struct span usual = {"read", 4};
    const struct span *names = policy_pack_actions(s->pack, count);
    if (*count != 0 || s->asked->about == STORE_ABOUT_RULES)
        return names;
    *count = 1;
    return &usual;
}

static void put_action(struct api_seeking *s, struct span name, struct span purpose) {
    json_out_object_begin(s->out);
    json_out_member(s->out, "name", name);
    if (span_present(purpose)) {
        json_out_key(s->out, "properties");
        json_out_object_begin(s->out);
        json_out_member(s->out, "purpose", purpose);
        json_out_object_end(s->out);
    }
    json_out_object_end(s->out);
    s->count++;
}

/* As if the caller had sent it: where rules look for it as well. */
static void state_purpose(const struct api_seeking *s, struct store_question *question,
                          struct policy_attribute *attributes, uint32_t purpose) {
    struct span code = policy_pack_purpose(s->pack, purpose)->code;
    question->ask.has_purpose = true;
    question->ask.purpose = (int)purpose;
    for (uint32_t i = 0; i < policy_pack_slot_count(s->pack); i++) {
        const struct policy_slot *slot = policy_pack_slot(s->pack, i);
        if (slot->operand == POLICY_ACTION_PROPERTY && slot->step_count == 1 &&
            span_is(slot->steps[0], "purpose"))
            attributes[i] = (struct policy_attribute){.kind = POLICY_IS_TEXT, .text = code};
    }
}

static struct policy_attribute *own_attributes(const struct api_seeking *s,
                                               struct store_question *question) {
    uint32_t count = policy_pack_slot_count(s->pack);
    struct policy_attribute *own = arena_array(s->call->arena, count + 1, sizeof *own);
    if (question->ask.attributes != NULL)
        memcpy(own, question->ask.attributes, count * sizeof *own);
    question->ask.attributes = own;
    return own;
}

static enum status seek_actions(struct api_seeking *s) {
    uint32_t name_count, purposes = 1;
    enum status status = STATUS_OK;
    struct store_ruling ruling;
    struct store_question question = *s->asked;
    const struct span *names = action_names(s, &name_count);
    struct policy_attribute *attributes = own_attributes(s, &question);
    bool by_purpose = question.about != STORE_ABOUT_RULES;
    if (by_purpose)
        purposes = policy_pack_purpose_count(s->pack);
    uint64_t end = (uint64_t)name_count * purposes;
    for (uint64_t at = s->from; at < end && status == STATUS_OK && !is_full(s, at); at++) {
        struct span purpose = SPAN_NONE;
        question.ask.action_name = names[at / purposes];
        if (by_purpose) {
            state_purpose(s, &question, attributes, (uint32_t)(at % purposes));
            purpose = policy_pack_purpose(s->pack, (uint32_t)(at % purposes))->code;
        }
        status = judge(s, &question, &ruling);
        if (status == STATUS_OK && ruling.decision.permitted)
            put_action(s, question.ask.action_name, purpose);
    }
    return status;
}

/* ---- what stands in the store */

typedef enum status take_consent(struct api_seeking *s, const struct store_consent *consent);

/* The filter says whose they are; only an active consent can permit. */
static enum status seek_consents(struct api_seeking *s, struct store_filter *filter,
                                 take_consent *take) {
    struct store_page page;
    filter->tenants = &s->asked->tenant;
    filter->tenant_count = 1;
    filter->states = 1U << CONSENT_ACTIVE;
    filter->granted_from = INT64_MIN;
    filter->granted_to = filter->expires_before = INT64_MAX;
    enum status status = store_consent_query(s->call->loop->reader, filter, s->from, LIMIT_PAGE,
                                             s->call->arena, &page);
    for (uint32_t i = 0; status == STATUS_OK && i < page.count; i++) {
        if (is_full(s, page.items[i].index))
            return STATUS_OK;
        status = take(s, &page.items[i]);
    }
    if (status == STATUS_OK && page.more) {
        s->more = true;
        s->next = page.next;
    }
    return status;
}

static bool answers(const struct store_ruling *ruling, const struct store_consent *consent) {
    return ruling->decision.permitted && ruling->consent.index == consent->index;
}

static enum status take_client(struct api_seeking *s, const struct store_consent *consent) {
    struct store_ruling ruling;
    struct store_question question = *s->asked;
    struct span client = store_name(s->call->loop->reader, STORE_NAME_MEMBER, consent->client);
    question.ask.subject_id = question.client = client;
    enum status status = judge(s, &question, &ruling);
    if (status == STATUS_OK && answers(&ruling, consent))
        put_entity(s, question.ask.subject_type, client);
    return status;
}

/* A consent has one client. */
static enum status seek_client(struct api_seeking *s) {
    struct store_consent consent;
    enum status status = store_consent_by_id(s->call->loop->reader, &s->asked->consent, &consent);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && s->from > 0))
        return STATUS_OK;
    if (status != STATUS_OK || is_full(s, 0))
        return status;
    return take_client(s, &consent);
}

static enum status seek_subjects(struct api_seeking *s) {
    const struct store_question *asked = s->asked;
    struct store_filter filter = {.account = asked->ask.resource_id};
    if (asked->about == STORE_ABOUT_RULES)
        return seek_directory(s, POLICY_SUBJECTS, asked->ask.subject_type);
    if (!span_is(asked->ask.subject_type, "application"))
        return STATUS_OK; /* nobody else has consents */
    return asked->about == STORE_ABOUT_CONSENT ? seek_client(s)
                                               : seek_consents(s, &filter, take_client);
}

static enum status take_consent_itself(struct api_seeking *s, const struct store_consent *consent) {
    char text[UUID_TEXT_SIZE + 1];
    struct store_ruling ruling;
    struct store_question question = *s->asked;
    uuid_to_text(&consent->id, text);
    question.consent = consent->id;
    question.ask.resource_id = span_of_text(text);
    enum status status = store_question_rekey(s->call->loop->reader, s->call->arena, &question);
    if (status == STATUS_OK)
        status = judge(s, &question, &ruling);
    if (status == STATUS_OK && ruling.decision.permitted)
        put_entity(s, question.ask.resource_type, question.ask.resource_id);
    return status;
}

/* The id in clear: absent where it was erased, or is not ours to tell. */
static struct span account_of(struct arena *arena, struct span members) {
    struct api_json_stream in;
    struct span name, account = SPAN_NONE;
    if (members.size == 0)
        return SPAN_NONE;
    api_stream_begin(&in, arena, arena_format(arena, "{%.*s}", SPAN_ARG(members)));
    for (api_stream_object(&in); api_stream_member(&in, &name);) {
        if (span_is(name, "account"))
            account = api_stream_string(&in);
        else
            (void)api_stream_skip(&in);
    }
    ASSERT(api_stream_end(&in));
    return account;
}

static enum status take_account(struct api_seeking *s, const struct store_consent *consent) {
    struct store_terms terms;
    struct store_ruling ruling;
    struct store_question question = *s->asked;
    enum status status = store_consent_terms(s->call->loop->reader, consent, &terms);
    if (status != STATUS_OK)
        return status == STATUS_ERASED ? STATUS_OK : status;
    struct span account = account_of(s->call->arena, terms.account);
    if (!span_present(account))
        return STATUS_OK;
    question.account = store_account_key(s->call->loop->service->store, question.tenant, account);
    question.ask.resource_id = account;
    status = judge(s, &question, &ruling);
    if (status == STATUS_OK && answers(&ruling, consent))
        put_entity(s, question.ask.resource_type, account);
    return status;
}

/* A client sees by consent what other tenants gave it; accounts are known to their tenant alone. */
static enum status seek_resources(struct api_seeking *s) {
    const struct store_question *asked = s->asked;
    struct store_filter filter = {.client = asked->client};
    if (asked->about == STORE_ABOUT_RULES)
        return seek_directory(s, POLICY_RESOURCES, asked->ask.resource_type);
    if (asked->about == STORE_ABOUT_ACCOUNT)
        return seek_consents(s, &filter, take_account);
    if (span_equal(asked->client, asked->viewer_client))
        filter.viewer_client = asked->viewer_client;
    return seek_consents(s, &filter, take_consent_itself);
}

enum status api_access_seek(struct api_seeking *s) {
    const struct store_question *asked = s->asked;
    struct store_question question = *asked;
    s->count = s->judged = 0;
    s->more = false;
    s->next = 0;
    enum status status = STATUS_OK;
    if (s->kind != API_ACCESS_SEARCH_RESOURCE)
        status = store_question_rekey(s->call->loop->reader, s->call->arena, &question);
    if (status != STATUS_OK)
        return status;
    s->asked = &question;
    status = s->kind == API_ACCESS_SEARCH_SUBJECT    ? seek_subjects(s)
             : s->kind == API_ACCESS_SEARCH_RESOURCE ? seek_resources(s)
                                                     : seek_actions(s);
    s->asked = asked;
    return status;
}
