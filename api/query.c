/* The parameters of queries: names, bounds, and where they go. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/query.h"

#include "base/limits.h"

#define CURSOR_MAX 64 /* ours have 22 characters; longer ones are refused before decoding */
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define AT(member) offsetof(struct api_consent_query, member)
static const struct api_param CONSENT_PARAMS[] = {
    {"account", API_PARAM_TEXT, AT(filter.account), LIMIT_ACCOUNT},
    {"client", API_PARAM_NAME, AT(filter.client), LIMIT_URL},
    {"provider", API_PARAM_NAME, AT(filter.provider), LIMIT_URL},
    {"license", API_PARAM_NAME, AT(filter.license), LIMIT_URL},
    {"purpose", API_PARAM_TEXT, AT(filter.purpose), LIMIT_CODE},
    {"permission", API_PARAM_TEXT, AT(filter.permission), LIMIT_CODE},
    {"resource", API_PARAM_TEXT, AT(filter.resource), LIMIT_RESOURCE},
    {"externalId", API_PARAM_TEXT, AT(filter.external_id), LIMIT_EXTERNAL_ID},
    {"arrangementId", API_PARAM_UUID, AT(filter.arrangement), AT(filter.has_arrangement)},
    {"status", API_PARAM_STATES, AT(filter.states), 0},
    {"grantedFrom", API_PARAM_TIME, AT(filter.granted_from), 0},
    {"grantedTo", API_PARAM_TIME, AT(filter.granted_to), 0},
    {"expiresBefore", API_PARAM_TIME, AT(filter.expires_before), 0},
    {"limit", API_PARAM_LIMIT, AT(limit), 0},
    {"cursor", API_PARAM_TEXT, AT(cursor), CURSOR_MAX},
};
#undef AT

#define AT(member) offsetof(struct api_event_query, member)
/* One table, of which each operation takes a part: disclosures all but the last, entries all but
 * the first, a consent's history two. */
static const struct api_param LOG_PARAMS[] = {
    {"permitted", API_PARAM_JUDGED, AT(filter.code), 0},
    {"limit", API_PARAM_LIMIT, AT(limit), 0},
    {"after", API_PARAM_INDEX, AT(from), 0},
    {"tenant", API_PARAM_NAME, AT(filter.tenant), LIMIT_URL},
    {"provider", API_PARAM_NAME, AT(filter.provider), LIMIT_URL},
    {"client", API_PARAM_NAME, AT(filter.client), LIMIT_URL},
    {"license", API_PARAM_NAME, AT(filter.license), LIMIT_URL},
    {"purpose", API_PARAM_TEXT, AT(filter.purpose), LIMIT_CODE},
    {"account", API_PARAM_TEXT, AT(filter.account), LIMIT_ACCOUNT},
    {"actor", API_PARAM_NAME, AT(filter.actor), LIMIT_URL},
    {"reason", API_PARAM_TEXT, AT(filter.reason), LIMIT_CODE},
    {"consentId", API_PARAM_UUID, AT(filter.consent), AT(filter.has_consent)},
    {"transaction", API_PARAM_TEXT, AT(filter.transaction), LIMIT_TRANSACTION},
    {"stepId", API_PARAM_TEXT, AT(filter.step), LIMIT_TRANSACTION},
    {"from", API_PARAM_TIME, AT(filter.from), 0},
    {"to", API_PARAM_TIME, AT(filter.to), 0},
    {"type", API_PARAM_EVENT, AT(filter.code), 0},
};
#undef AT
#define HISTORY_PARAM_COUNT 2

struct api_params api_consent_query_begin(struct api_consent_query *query) {
    *query = (struct api_consent_query){.limit = LIMIT_PAGE_DEFAULT};
    query->filter.granted_from = INT64_MIN;
    query->filter.granted_to = INT64_MAX;
    query->filter.expires_before = INT64_MAX;
    return (struct api_params){CONSENT_PARAMS, COUNT(CONSENT_PARAMS), query, 0, NULL};
}

struct api_params api_event_query_begin(struct api_event_query *query) {
    *query = (struct api_event_query){.limit = LIMIT_PAGE_DEFAULT};
    query->filter.from = INT64_MIN;
    query->filter.to = INT64_MAX;
    return (struct api_params){LOG_PARAMS + 1, COUNT(LOG_PARAMS) - 1, query, 0, NULL};
}

struct api_params api_disclosure_query_begin(struct api_event_query *query) {
    struct api_params params = api_event_query_begin(query);
    query->filter.disclosures = true;
    params.list = LOG_PARAMS;
    return params;
}

struct api_params api_history_query_begin(struct api_event_query *query) {
    struct api_params params = api_event_query_begin(query);
    params.count = HISTORY_PARAM_COUNT;
    return params;
}

struct digest api_consent_query_digest(const struct api_consent_query *query) {
    const struct store_filter *filter = &query->filter;
    const struct span texts[] = {filter->account,  filter->client,     filter->provider,
                                 filter->license,  filter->purpose,    filter->permission,
                                 filter->resource, filter->external_id};
    const int64_t numbers[] = {filter->granted_from, filter->granted_to, filter->expires_before,
                               filter->states, filter->has_arrangement};
    int64_t sizes[COUNT(texts)];
    struct span parts[COUNT(texts) + 3];
    for (size_t i = 0; i < COUNT(texts); i++) {
        /* No filter can be empty: size 0 tells that it is absent. */
        sizes[i] = (int64_t)texts[i].size;
        parts[i + 3] = texts[i];
    }
    parts[0] = span_of((const char *)numbers, sizeof numbers);
    parts[1] = span_of((const char *)sizes, sizeof sizes);
    parts[2] = span_of((const char *)filter->arrangement.bytes, UUID_SIZE);
    return digest_sha256_parts(parts, COUNT(parts));
}
