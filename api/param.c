/* Reading the values of query parameters, strictly: what is not understood is refused, never
 * ignored. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "api/param.h"

#include "auth/name.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/timestamp.h"
#include "store/event.h"

#define NUMBER_MAX UINT64_C(9007199254740991) /* exact as a double: what readers of JSON keep */

static enum status set_text(struct api_params *params, const struct api_param *param,
                            struct span text) {
    if (text.size == 0 || text.size > param->extra || !encode_utf8_valid(text)) {
        params->why = "must be a text of UTF-8, neither empty nor longer than its limit";
        return STATUS_INVALID_PARAMETER;
    }
    bool name = param->kind == API_PARAM_NAME || param->kind == API_PARAM_NAMES;
    if (name && !auth_name_valid(text)) {
        params->why = "must be of visible ASCII";
        return STATUS_INVALID_PARAMETER;
    }
    *(struct span *)((char *)params->into + param->offset) = text;
    return STATUS_OK;
}

static enum status set_item(struct api_params *params, const struct api_param *param,
                            struct span text) {
    struct api_texts *texts = (struct api_texts *)((char *)params->into + param->offset);
    if (texts->count == LIMIT_SET) {
        params->why = "is given more than 64 times";
        return STATUS_INVALID_PARAMETER;
    }
    struct api_param item = *param;
    item.offset += (size_t)((char *)&texts->items[texts->count] - (char *)texts);
    enum status status = set_text(params, &item, text);
    texts->count += status == STATUS_OK;
    return status;
}

static enum status set_uuid(struct api_params *params, const struct api_param *param,
                            struct span text) {
    if (uuid_from_text(text, (struct uuid *)((char *)params->into + param->offset)) != STATUS_OK) {
        params->why = "must be a UUID";
        return STATUS_INVALID_PARAMETER;
    }
    *(bool *)((char *)params->into + param->extra) = true;
    return STATUS_OK;
}

static enum status set_time(struct api_params *params, const struct api_param *param,
                            struct span text) {
    if (timestamp_parse(text, (int64_t *)((char *)params->into + param->offset)) != STATUS_OK) {
        params->why = "must be a time such as 2026-03-12T00:00:00Z";
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_OK;
}

static enum status set_moment(struct api_params *params, const struct api_param *param,
                              struct span text) {
    if (set_time(params, param, text) != STATUS_OK) {
        return STATUS_INVALID_PARAMETER;
    }
    struct api_moment *moment = (struct api_moment *)((char *)params->into + param->offset);
    bool fraction = memchr(text.data, '.', text.size) != NULL;
    moment->last = fraction ? moment->first : moment->first + 999;
    return STATUS_OK;
}

static enum status set_state(struct api_params *params, const struct api_param *param,
                             struct span text) {
    enum consent_state state;
    uint32_t *states = (uint32_t *)((char *)params->into + param->offset);
    if (lifecycle_state_parse(text, &state) != STATUS_OK) {
        params->why = "must be the name of a status";
        return STATUS_INVALID_PARAMETER;
    }
    if ((*states >> state & 1) != 0) {
        params->why = "names the same status twice";
        return STATUS_INVALID_PARAMETER;
    }
    *states |= UINT32_C(1) << state;
    return STATUS_OK;
}

static enum status set_event(struct api_params *params, const struct api_param *param,
                             struct span text) {
    enum store_event_code *code = (enum store_event_code *)((char *)params->into + param->offset);
    if (store_event_parse(text, code) != STATUS_OK) {
        params->why = "must be the name of an event such as consent.revoked";
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_OK;
}

static enum status set_judged(struct api_params *params, const struct api_param *param,
                              struct span text) {
    enum store_event_code *code = (enum store_event_code *)((char *)params->into + param->offset);
    if (!span_is(text, "true") && !span_is(text, "false")) {
        params->why = "must be true or false";
        return STATUS_INVALID_PARAMETER;
    }
    *code = span_is(text, "true") ? STORE_DISCLOSURE_PERMITTED : STORE_DISCLOSURE_VIOLATION;
    return STATUS_OK;
}

static enum status set_flag(struct api_params *params, const struct api_param *param,
                            struct span text) {
    params->why = "must be true or false";
    if (!span_is(text, "true") && !span_is(text, "false"))
        return STATUS_INVALID_PARAMETER;
    *(bool *)((char *)params->into + param->offset) = span_is(text, "true");
    return STATUS_OK;
}

static enum status set_number(struct api_params *params, const struct api_param *param,
                              struct span text) {
    uint64_t number, *into = (uint64_t *)((char *)params->into + param->offset);
    params->why =
        param->kind == API_PARAM_INDEX ? "must be the index of an entry" : "must be a number";
    if (decode_decimal(text, &number) != STATUS_OK || number > NUMBER_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    *into = param->kind == API_PARAM_INDEX ? number + 1 : number;
    return STATUS_OK;
}

static enum status set_limit(struct api_params *params, const struct api_param *param,
                             struct span text) {
    uint64_t number;
    params->why = "must be a number from 1 to 500";
    if (decode_decimal(text, &number) != STATUS_OK || number == 0 || number > LIMIT_PAGE) {
        return STATUS_INVALID_PARAMETER;
    }
    *(uint32_t *)((char *)params->into + param->offset) = (uint32_t)number;
    return STATUS_OK;
}

static enum status set_value(struct api_params *params, const struct api_param *param,
                             struct span text) {
    switch (param->kind) {
    case API_PARAM_TEXT:
    case API_PARAM_NAME:
        return set_text(params, param, text);
    case API_PARAM_TEXTS:
    case API_PARAM_NAMES:
        return set_item(params, param, text);
    case API_PARAM_UUID:
        return set_uuid(params, param, text);
    case API_PARAM_TIME:
        return set_time(params, param, text);
    case API_PARAM_MOMENT:
        return set_moment(params, param, text);
    case API_PARAM_STATES:
        return set_state(params, param, text);
    case API_PARAM_EVENT:
        return set_event(params, param, text);
    case API_PARAM_JUDGED:
        return set_judged(params, param, text);
    case API_PARAM_LIMIT:
        return set_limit(params, param, text);
    case API_PARAM_FLAG:
        return set_flag(params, param, text);
    case API_PARAM_INDEX:
    case API_PARAM_NUMBER:
        break;
    }
    return set_number(params, param, text);
}

enum status api_param_set(struct api_params *params, struct span name, struct span text) {
    const struct api_param *param = api_param_find(params, name);
    if (param == NULL) {
        params->why = "is not known here";
        return STATUS_NOT_FOUND;
    }
    uint32_t bit = UINT32_C(1) << (param - params->list);
    bool list = param->kind == API_PARAM_STATES || param->kind == API_PARAM_TEXTS ||
                param->kind == API_PARAM_NAMES;
    if ((params->seen & bit) != 0 && !list) {
        params->why = "is given twice";
        return STATUS_INVALID_PARAMETER;
    }
    params->seen |= bit;
    return set_value(params, param, text);
}

const struct api_param *api_param_find(const struct api_params *params, struct span name) {
    for (size_t i = 0; i < params->count; i++) {
        if (span_is(name, params->list[i].name)) {
            return &params->list[i];
        }
    }
    return NULL;
}

bool api_param_was_set(const struct api_params *params, struct span name) {
    const struct api_param *param = api_param_find(params, name);
    return param != NULL && (params->seen >> (param - params->list) & 1) != 0;
}
