/* Headers, query strings and tags. Pure, but for what it allocates in the call's arena. */
// SPDX-License-Identifier: Apache-2.0
#include "api/http_in.h"

#include "base/encode.h"
#include "base/limits.h"

struct span api_header_get(const struct api_call *call, const char *name) {
    for (uint32_t i = 0; i < call->header_count; i++)
        if (span_is(call->headers[i].name, name))
            return call->headers[i].value;
    return SPAN_NONE;
}

/* ---- query strings */

static bool decode(struct arena *arena, struct span text, struct span *out) {
    char *to = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (text.size - i < 3 || decode_hex(span_of(text.data + i + 1, 2), &c, 1) != STATUS_OK)
                return false;
            i += 2;
        }
        to[size++] = (char)c;
    }
    to[size] = '\0';
    *out = span_of(to, size);
    return encode_utf8_valid(*out); /* which also refuses NUL */
}

static struct span take(struct span *text, char until) {
    const char *at = text->size != 0 ? memchr(text->data, until, text->size) : NULL;
    size_t size = at != NULL ? (size_t)(at - text->data) : text->size;
    struct span taken = span_of(text->data, size);
    size_t past = at != NULL ? size + 1 : size;
    *text = span_of(text->data + past, text->size - past);
    return taken;
}

bool api_query_next(struct arena *arena, struct span *query, struct span *name, struct span *value,
                    enum status *status) {
    *status = STATUS_OK;
    if (query->size == 0)
        return false;
    struct span pair = take(query, '&');
    bool has_value = pair.size != 0 && memchr(pair.data, '=', pair.size) != NULL;
    struct span raw_name = take(&pair, '=');
    if (raw_name.size == 0 || !has_value || !decode(arena, raw_name, name) ||
        !decode(arena, pair, value)) {
        *status = STATUS_INVALID_PARAMETER;
        return false;
    }
    return true;
}

/* ---- media types */

static struct span trim(struct span text) {
    while (text.size != 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_of(text.data + 1, text.size - 1);
    while (text.size != 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static bool same_ignoring_case(struct span a, struct span b) {
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        char x = a.data[i], y = b.data[i];
        x = x >= 'A' && x <= 'Z' ? (char)(x + 32) : x;
        y = y >= 'A' && y <= 'Z' ? (char)(y + 32) : y;
        if (x != y)
            return false;
    }
    return true;
}

/* q=0, q=0.0 …: "not this one". */
static bool is_refused(struct span parameters) {
    while (parameters.size != 0) {
        struct span parameter = trim(take(&parameters, ';'));
        if (parameter.size < 3 || (parameter.data[0] | 32) != 'q' || parameter.data[1] != '=')
            continue;
        for (size_t i = 2; i < parameter.size; i++)
            if (parameter.data[i] >= '1' && parameter.data[i] <= '9')
                return false;
        return true;
    }
    return false;
}

static bool range_covers(struct span range, struct span type, bool wildcards) {
    if (same_ignoring_case(range, type))
        return true;
    if (!wildcards)
        return false;
    const char *slash = memchr(type.data, '/', type.size);
    struct span family = span_of(type.data, (size_t)(slash - type.data) + 1);
    return span_is(range, "*/*") ||
           (range.size == family.size + 1 && range.data[range.size - 1] == '*' &&
            same_ignoring_case(span_of(range.data, family.size), family));
}

/* The most specific range that covers the type decides; its q may refuse it. */
static bool accepted(struct span accept, struct span type, bool wildcards) {
    size_t best = 0;
    bool result = false;
    while (accept.size != 0) {
        struct span parameters = take(&accept, ',');
        struct span range = trim(take(&parameters, ';'));
        size_t weight = span_is(range, "*/*") ? 1 : range.size;
        if (range.size != 0 && range_covers(range, type, wildcards) && weight > best) {
            best = weight;
            result = !is_refused(parameters);
        }
    }
    return result;
}

bool api_accepts(struct span accept, const char *media_types) {
    if (trim(accept).size == 0)
        return true;
    for (struct span types = span_of_text(media_types); types.size != 0;)
        if (accepted(accept, trim(take(&types, ',')), true))
            return true;
    return false;
}

bool api_accepts_exactly(struct span accept, const char *media_type) {
    return accepted(accept, span_of_text(media_type), false);
}

bool api_media_type_is(struct span content_type, const char *media_type) {
    struct span type = content_type;
    return same_ignoring_case(trim(take(&type, ';')), span_of_text(media_type));
}

/* ---- Idempotency-Key and If-Match */

static bool visible_ascii(struct span text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7e || text.data[i] == '"')
            return false;
    return true;
}

enum status api_idempotency_key(const struct api_call *call, struct span *out) {
    struct span key = trim(api_header_get(call, "idempotency-key"));
    if (key.size == 0)
        return STATUS_MISSING_IDEMPOTENCY_KEY;
    if (key.size >= 2 && key.data[0] == '"' && key.data[key.size - 1] == '"')
        key = span_of(key.data + 1, key.size - 2);
    if (key.size == 0 || key.size > LIMIT_IDEMPOTENCY_KEY || !visible_ascii(key))
        return STATUS_INVALID_PARAMETER;
    *out = key;
    return STATUS_OK;
}

/* version or version-status, without quotes; a tag of another form is version 0, which none has. */
static struct store_match parse_tag(struct span tag) {
    struct store_match match = {0, 0};
    uint64_t version = 0;
    size_t at = 0;
    for (; at < tag.size && tag.data[at] >= '0' && tag.data[at] <= '9' && version < UINT32_MAX;
         at++)
        version = version * 10 + (uint64_t)(tag.data[at] - '0');
    if (at == 0 || version > UINT32_MAX || tag.data[0] == '0')
        return match;
    if (at < tag.size) {
        enum consent_state state;
        if (tag.data[at] != '-' ||
            lifecycle_state_parse(span_of(tag.data + at + 1, tag.size - at - 1), &state) !=
                STATUS_OK)
            return match;
        match.state = state;
    }
    match.version = (uint32_t)version;
    return match;
}

/* An entity tag and the comma behind it off the list: what stands between the quotes may hold
 * commas (RFC 9110 section 8.8.3). False for what is none. */
static bool take_tag(struct span *list, struct span *opaque, bool *weak) {
    struct span rest = trim(*list);
    *weak = span_starts(rest, SPAN("W/"));
    if (*weak)
        rest = span_of(rest.data + 2, rest.size - 2);
    if (rest.size < 2 || rest.data[0] != '"')
        return false;
    rest = span_of(rest.data + 1, rest.size - 1);
    const char *end = memchr(rest.data, '"', rest.size);
    if (end == NULL)
        return false;
    size_t size = (size_t)(end - rest.data);
    *opaque = span_of(rest.data, size);
    rest = trim(span_of(end + 1, rest.size - size - 1));
    if (rest.size != 0 && rest.data[0] != ',')
        return false;
    *list = rest.size != 0 ? trim(span_of(rest.data + 1, rest.size - 1)) : rest;
    return true;
}

enum status api_if_match(const struct api_call *call, struct store_change *change) {
    struct span list = trim(api_header_get(call, "if-match"));
    if (!span_present(list))
        return STATUS_OK;
    if (list.size == 0)
        return STATUS_INVALID_PARAMETER; /* a guard was meant */
    if (span_is(list, "*")) {
        change->match_any = true;
        return STATUS_OK;
    }
    while (list.size != 0) {
        struct span opaque;
        bool weak;
        if (!take_tag(&list, &opaque, &weak) || change->match_count == STORE_MATCH_MAX)
            return STATUS_INVALID_PARAMETER;
        /* comparison is strong (RFC 9110 section 13.1.1): a weak tag matches nothing */
        change->matches[change->match_count++] =
            weak ? (struct store_match){0, 0} : parse_tag(opaque);
    }
    return STATUS_OK;
}
