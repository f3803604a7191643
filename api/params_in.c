/* Between a request and the table of its parameters. Runs on a loop; spans live as long as the
 * call. */
// SPDX-License-Identifier: Apache-2.0
#include "api/params_in.h"

#include <stdio.h>

#include "api/http_in.h"
#include "api/http_out.h"

/* Names that a refusal may repeat are those of the table: what a caller wrote instead of one could
 * be anything. */
static void refuse(struct api_call *call, const struct api_params *params, struct span name) {
    const struct api_param *param = api_param_find(params, name);
    struct buffer detail = {0};
    if (param != NULL) {
        buffer_append_format(&detail, "%s %s", param->name, params->why);
    } else if (params->count == 0) {
        buffer_append_text(&detail, "this operation takes no parameters");
    } else {
        buffer_append_text(&detail, "a parameter is not known; there are:");
        for (size_t i = 0; i < params->count; i++) {
            buffer_append_format(&detail, " %s", params->list[i].name);
        }
    }
    buffer_append(&detail, "", 1);
    (void)api_problem(call, STATUS_INVALID_PARAMETER, detail.data);
    buffer_release(&detail);
}

bool api_params_from_url(struct api_call *call, struct api_params *params) {
    struct span query = call->query;
    struct span name, value;
    enum status status = STATUS_OK;
    while (api_query_next(call->arena, &query, &name, &value, &status)) {
        if (status != STATUS_OK) {
            break;
        }
        if (api_param_set(params, name, value) != STATUS_OK) {
            refuse(call, params, name);
            return false;
        }
    }
    if (status != STATUS_OK) {
        (void)api_problem(call, STATUS_INVALID_PARAMETER,
                          "the query is not percent-encoded UTF-8 of the form name=value");
        return false;
    }
    return true;
}

bool api_params_none(struct api_call *call) {
    struct api_params params = {.count = 0};
    return api_params_from_url(call, &params);
}

static void set_text(struct api_json *in, struct api_params *params, const char *name,
                     const char *at, const json_t *value) {
    if (!json_is_string(value)) {
        api_json_fail(in, at, "must be a string");
        return;
    }
    /* jansson's string lives as long as the document; the parameter as long as the call. */
    struct span text =
        arena_copy(in->arena, span_of(json_string_value(value), json_string_length(value)));
    if (api_param_set(params, span_of_text(name), text) != STATUS_OK) {
        api_json_fail(in, at, "%s", params->why);
    }
}

static void set_number(struct api_json *in, struct api_params *params, const char *name,
                       const json_t *value) {
    char text[24];
    if (!json_is_integer(value)) {
        api_json_fail(in, name, "must be an integer");
        return;
    }
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    if (api_param_set(params, span_of_text(name), span_of_text(text)) != STATUS_OK) {
        api_json_fail(in, name, "%s", params->why);
    }
}

static void set_list(struct api_json *in, struct api_params *params, const char *name,
                     const json_t *list) {
    size_t i;
    const json_t *value;
    if (!json_is_array(list) || json_array_size(list) == 0) {
        api_json_fail(in, name, "must be a list of at least one");
        return;
    }
    size_t outer = api_json_enter(in, name);
    json_array_foreach(list, i, value) {
        size_t inner = api_json_enter_index(in, i);
        set_text(in, params, name, NULL, value);
        api_json_leave(in, inner);
    }
    api_json_leave(in, outer);
}

static void set_member(struct api_json *in, struct api_params *params,
                       const struct api_param *param, const json_t *value) {
    if (param->kind == API_PARAM_STATES) {
        set_list(in, params, param->name, value);
    } else if (param->kind == API_PARAM_LIMIT || param->kind == API_PARAM_INDEX) {
        set_number(in, params, param->name, value);
    } else {
        set_text(in, params, param->name, param->name, value);
    }
}

#define PARAMS_MAX 32 /* of a table: bits of api_params.seen */

void api_params_from_body(struct api_json *in, struct api_params *params) {
    const char *known[PARAMS_MAX + 1] = {NULL};
    for (size_t i = 0; i < params->count; i++) {
        known[i] = params->list[i].name;
    }
    if (!api_json_object(in, in->root, known)) {
        return;
    }
    for (size_t i = 0; i < params->count; i++) {
        const json_t *value = json_object_get(in->root, params->list[i].name);
        if (value != NULL) {
            set_member(in, params, &params->list[i], value);
        }
    }
}

/* Characters that may stand in a URL's query as they are (RFC 3986 section 3.4); the others are
 * percent-encoded, so that nothing a caller sent can end the header's <...>. */
static void append_query(struct buffer *to, struct span text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-._~!$&'()*+,;=:@/?%", c) != NULL);
        if (plain) {
            buffer_append(to, &text.data[i], 1);
        } else {
            buffer_append_format(to, "%%%02X", c);
        }
    }
}

/* Appends all parameters but `name`, each followed by '&'. */
static void append_others(struct api_call *call, const char *name, struct buffer *to) {
    struct span rest = call->query;
    while (rest.size > 0) {
        const char *end = memchr(rest.data, '&', rest.size);
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;
        struct span pair = span_of(rest.data, size), probe = pair, decoded, value;
        enum status status = STATUS_OK;
        if (api_query_next(call->arena, &probe, &decoded, &value, &status) && status == STATUS_OK &&
            !span_is(decoded, name)) {
            append_query(to, pair);
            buffer_append_text(to, "&");
        }
        size += end != NULL;
        rest = span_of(rest.data + size, rest.size - size);
    }
}

void api_params_link_next(struct api_call *call, const char *name, struct span value) {
    struct buffer link = {0};
    buffer_append_text(&link, "<");
    append_query(&link, call->path);
    buffer_append_text(&link, "?");
    append_others(call, name, &link);
    buffer_append_format(&link, "%s=%.*s>; rel=\"next\"", name, SPAN_ARG(value));
    api_header_set(call, "link", arena_copy(call->arena, buffer_span(&link)));
    buffer_release(&link);
}
