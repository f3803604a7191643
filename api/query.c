/* Names, bounds and meanings of the filters of a consent query. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/query.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/timestamp.h"

enum kind { TEXT, UUID, STATES, TIME, PAGE_SIZE, CURSOR };

struct name {
    const char *name;
    enum kind kind;
    size_t offset;   /* of the filter's member, TEXT and TIME */
    size_t size_max; /* TEXT and CURSOR */
};

#define MEMBER(member) offsetof(struct store_filter, member)
static const struct name NAMES[] = {
    {"account", TEXT, MEMBER(account), LIMIT_ACCOUNT},
    {"client", TEXT, MEMBER(client), LIMIT_URL},
    {"provider", TEXT, MEMBER(provider), LIMIT_URL},
    {"license", TEXT, MEMBER(license), LIMIT_URL},
    {"purpose", TEXT, MEMBER(purpose), LIMIT_URL},
    {"permission", TEXT, MEMBER(permission), LIMIT_URL},
    {"resource", TEXT, MEMBER(resource), LIMIT_RESOURCE},
    {"externalId", TEXT, MEMBER(external_id), LIMIT_EXTERNAL_ID},
    {"arrangementId", UUID, 0, 0},
    {"status", STATES, 0, 0},
    {"grantedFrom", TIME, MEMBER(granted_from), 0},
    {"grantedTo", TIME, MEMBER(granted_to), 0},
    {"expiresBefore", TIME, MEMBER(expires_before), 0},
    {"limit", PAGE_SIZE, 0, 0},
    {"cursor", CURSOR, 0, 64},
};
#define NAME_COUNT (sizeof NAMES / sizeof NAMES[0])

void api_query_init(struct api_query *query) {
    *query = (struct api_query){.limit = LIMIT_PAGE_DEFAULT};
    query->filter.granted_from = INT64_MIN;
    query->filter.granted_to = INT64_MAX;
    query->filter.expires_before = INT64_MAX;
}

bool api_query_text_valid(struct span text, size_t size_max) {
    return text.size > 0 && text.size <= size_max && encode_utf8_valid(text);
}

enum status api_query_limit(struct span text, uint32_t *out) {
    uint32_t number = 0;
    if (text.size == 0 || text.size > 3 || text.data[0] == '0') {
        return STATUS_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return STATUS_INVALID_PARAMETER;
        }
        number = number * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (number > LIMIT_PAGE) {
        return STATUS_INVALID_PARAMETER;
    }
    *out = number;
    return STATUS_OK;
}

static enum status set_text(struct store_filter *filter, const struct name *name, struct span text,
                            const char **why) {
    if (!api_query_text_valid(text, name->size_max)) {
        *why = "must be a text of UTF-8, neither empty nor longer than its limit";
        return STATUS_INVALID_PARAMETER;
    }
    *(struct span *)((char *)filter + name->offset) = text;
    return STATUS_OK;
}

static enum status set_time(struct store_filter *filter, const struct name *name, struct span text,
                            const char **why) {
    int64_t time;
    if (timestamp_parse(text, &time) != STATUS_OK) {
        *why = "must be a time such as 2026-03-12T00:00:00Z";
        return STATUS_INVALID_PARAMETER;
    }
    *(int64_t *)((char *)filter + name->offset) = time;
    return STATUS_OK;
}

static enum status set_state(struct store_filter *filter, struct span text, const char **why) {
    enum consent_state state;
    if (lifecycle_state_parse(text, &state) != STATUS_OK) {
        *why = "must be the name of a status";
        return STATUS_INVALID_PARAMETER;
    }
    if ((filter->states >> state & 1) != 0) {
        *why = "names the same status twice";
        return STATUS_INVALID_PARAMETER;
    }
    filter->states |= UINT32_C(1) << state;
    return STATUS_OK;
}

static enum status set_arrangement(struct store_filter *filter, struct span text,
                                   const char **why) {
    if (uuid_from_text(text, &filter->arrangement) != STATUS_OK) {
        *why = "must be a UUID";
        return STATUS_INVALID_PARAMETER;
    }
    filter->has_arrangement = true;
    return STATUS_OK;
}

static enum status set_value(struct api_query *query, const struct name *name, struct span text,
                             const char **why) {
    switch (name->kind) {
    case TEXT:
        return set_text(&query->filter, name, text, why);
    case TIME:
        return set_time(&query->filter, name, text, why);
    case STATES:
        return set_state(&query->filter, text, why);
    case UUID:
        return set_arrangement(&query->filter, text, why);
    case PAGE_SIZE:
        *why = "must be a number from 1 to 500";
        return api_query_limit(text, &query->limit);
    case CURSOR:
        break;
    }
    if (!api_query_text_valid(text, name->size_max)) {
        *why = "is not one that this service gave out";
        return STATUS_INVALID_PARAMETER;
    }
    query->cursor = text;
    return STATUS_OK;
}

static size_t find(struct span name) {
    size_t at = 0;
    while (at < NAME_COUNT && !span_is(name, NAMES[at].name)) {
        at++;
    }
    return at;
}

bool api_query_repeats(struct span name) {
    size_t at = find(name);
    return at < NAME_COUNT && NAMES[at].kind == STATES;
}

enum status api_query_set(struct api_query *query, struct span name, struct span text,
                          const char **why) {
    size_t at = find(name);
    if (at == NAME_COUNT) {
        *why = "is not a filter of this query";
        return STATUS_NOT_FOUND;
    }
    uint32_t bit = UINT32_C(1) << at;
    if ((query->seen & bit) != 0 && NAMES[at].kind != STATES) {
        *why = "is given twice";
        return STATUS_INVALID_PARAMETER;
    }
    query->seen |= bit;
    return set_value(query, &NAMES[at], text, why);
}

struct digest api_query_digest(const struct api_query *query) {
    const struct store_filter *filter = &query->filter;
    const struct span texts[] = {filter->account,  filter->client,     filter->provider,
                                 filter->license,  filter->purpose,    filter->permission,
                                 filter->resource, filter->external_id};
    enum { TEXT_COUNT = sizeof texts / sizeof texts[0], FIXED = 5 };
    const int64_t numbers[FIXED] = {filter->granted_from, filter->granted_to,
                                    filter->expires_before, filter->states,
                                    filter->has_arrangement};
    int64_t sizes[TEXT_COUNT];
    struct span parts[TEXT_COUNT + 3];
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        /* No filter can be empty: size 0 tells that it is absent. */
        sizes[i] = (int64_t)texts[i].size;
        parts[i + 3] = texts[i];
    }
    parts[0] = span_of((const char *)numbers, sizeof numbers);
    parts[1] = span_of((const char *)sizes, sizeof sizes);
    parts[2] = span_of((const char *)filter->arrangement.bytes, UUID_SIZE);
    return digest_sha256_parts(parts, TEXT_COUNT + 3);
}
