/* Questions about the past. A question is made of the words of an AuthZEN request, so that it means
 * what it would have meant there. Runs on a loop. */
// SPDX-License-Identifier: Apache-2.0
#include "api/past_question.h"

#include "base/json_out.h"
#include "base/timestamp.h"

#define AT(member) offsetof(struct api_past_query, member)
static const struct api_param PARAMS[] = {
    {"time", API_PARAM_MOMENT, AT(time), 0},
    {"tenant", API_PARAM_NAME, AT(tenant), LIMIT_URL},
    {"client", API_PARAM_NAME, AT(client), LIMIT_URL},
    {"account", API_PARAM_TEXT, AT(account), LIMIT_ACCOUNT},
    {"consentId", API_PARAM_UUID, AT(consent), AT(has_consent)},
    {"roles", API_PARAM_NAMES, AT(roles), LIMIT_URL},
    {"purpose", API_PARAM_TEXT, AT(purpose), LIMIT_CODE},
    {"permissions", API_PARAM_TEXTS, AT(permissions), LIMIT_CODE},
    {"resources", API_PARAM_TEXTS, AT(resources), LIMIT_RESOURCE},
    {"granularity", API_PARAM_TEXT, AT(granularity), LIMIT_CODE},
    {"from", API_PARAM_TIME, AT(from), 0},
    {"to", API_PARAM_TIME, AT(to), 0},
    {"license", API_PARAM_NAME, AT(license), LIMIT_URL},
    {"onwardRecipient", API_PARAM_NAME, AT(onward), LIMIT_URL},
    {"territory", API_PARAM_TEXT, AT(territory), LIMIT_CODE},
};
#undef AT

struct api_params api_past_query_begin(struct api_past_query *query) {
    *query = (struct api_past_query){.from = INT64_MIN, .to = INT64_MIN};
    return (struct api_params){PARAMS, sizeof PARAMS / sizeof *PARAMS, query, 0, NULL};
}

const char *api_past_query_wrong(const struct api_params *params,
                                 const struct api_past_query *query) {
    struct duration granularity;
    if (!api_param_was_set(params, SPAN("time")))
        return "time is required";
    if (!span_present(query->client))
        return "client is required";
    if (span_present(query->account) == query->has_consent)
        return "either account or consentId is required";
    if (query->has_consent && span_present(query->tenant))
        return "tenant goes with account; a consentId tells whose it is";
    if (query->roles.count > LIMIT_ROLES)
        return "roles is given more than 16 times";
    if (span_present(query->granularity) &&
        duration_parse(query->granularity, &granularity) != STATUS_OK)
        return "granularity must be an ISO 8601 duration of one unit, such as PT30M";
    return NULL;
}

static void put_texts(struct json_out *out, const char *key, const struct api_texts *texts) {
    if (texts->count == 0)
        return;
    json_out_key(out, key);
    json_out_array_begin(out);
    for (uint32_t i = 0; i < texts->count; i++)
        json_out_string(out, texts->items[i]);
    json_out_array_end(out);
}

static struct json_out begin_object(struct buffer *text) {
    struct json_out out = json_out_to(text);
    json_out_object_begin(&out);
    return out;
}

static struct span end_object(struct json_out *out, struct arena *arena) {
    json_out_object_end(out);
    struct span text = arena_copy(arena, buffer_span(out->to));
    buffer_release(out->to);
    return text;
}

static struct span roles_of(struct arena *arena, const struct api_past_query *query) {
    struct buffer text = {0};
    struct json_out out = begin_object(&text);
    put_texts(&out, "roles", &query->roles);
    return end_object(&out, arena);
}

static struct span purpose_of(struct arena *arena, const struct api_past_query *query) {
    struct buffer text = {0};
    struct json_out out = begin_object(&text);
    json_out_member_optional(&out, "purpose", query->purpose);
    return end_object(&out, arena);
}

static struct span context_of(struct arena *arena, const struct api_past_query *query) {
    struct buffer text = {0};
    struct json_out out = begin_object(&text);
    json_out_member_optional(&out, "onwardRecipient", query->onward);
    json_out_member_optional(&out, "territory", query->territory);
    return end_object(&out, arena);
}

static struct span data_of(struct arena *arena, const struct api_past_query *query) {
    struct buffer text = {0};
    struct json_out out = begin_object(&text);
    put_texts(&out, "permissions", &query->permissions);
    put_texts(&out, "resources", &query->resources);
    json_out_member_optional(&out, "granularity", query->granularity);
    if (query->from != INT64_MIN)
        json_out_member_time(&out, "from", query->from);
    if (query->to != INT64_MIN)
        json_out_member_time(&out, "to", query->to);
    json_out_member_optional(&out, "license", query->license);
    return end_object(&out, arena);
}

void api_past_question(struct api_access_asker *asker, const struct api_past_query *query,
                       const struct api_past_subject *subject, struct api_access_ask *out) {
    struct arena *arena = asker->arena;
    char id[UUID_TEXT_SIZE + 1];
    uuid_to_text(&query->consent, id);
    bool by_account = span_present(subject->account);
    const struct api_entity client = {
        .type = SPAN("application"), .id = query->client, .properties = roles_of(arena, query)};
    const struct api_entity action = {.id = SPAN("read"), .properties = purpose_of(arena, query)};
    const struct api_entity resource = {
        .type = by_account ? SPAN("account") : SPAN("consent"),
        .id = by_account ? subject->account : arena_copy(arena, span_of(id, UUID_TEXT_SIZE)),
        .properties = data_of(arena, query)};
    const struct api_entity context = {.properties = context_of(arena, query)};
    const struct api_entities entities = {.of = {[API_SUBJECT] = &client,
                                                 [API_ACTION] = &action,
                                                 [API_RESOURCE] = &resource,
                                                 [API_CONTEXT] = &context}};
    asker->tenant = subject->tenant;
    api_access_question(asker, &entities, out);
}
