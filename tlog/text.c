/* Lines, numbers and hashes of the C2SP text formats. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/text.h"

#include "base/encode.h"
#include "base/log.h"

enum status tlog_text_line(struct span *left, struct span *line) {
    const char *end = left->size != 0 ? memchr(left->data, '\n', left->size) : NULL;
    if (end == NULL)
        return STATUS_INVALID_PARAMETER;
    *line = span_of(left->data, (size_t)(end - left->data));
    *left = span_of(end + 1, left->size - line->size - 1);
    return STATUS_OK;
}

static bool decimal(struct span text, uint64_t *out) {
    uint64_t value = 0;
    if (text.size == 0 || (text.data[0] == '0' && text.size > 1))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || value > (TLOG_SIZE_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

enum status tlog_text_number(struct span *left, struct span label, uint64_t *out) {
    struct span rest = *left, line;
    if (tlog_text_line(&rest, &line) != STATUS_OK || !span_starts(line, label) ||
        !decimal(span_of(line.data + label.size, line.size - label.size), out))
        return STATUS_INVALID_PARAMETER;
    *left = rest;
    return STATUS_OK;
}

enum status tlog_text_hash(struct span *left, struct digest *out) {
    struct span rest = *left, line;
    struct digest hash;
    size_t size;
    if (tlog_text_line(&rest, &line) != STATUS_OK ||
        decode_base64(line, hash.bytes, DIGEST_SIZE, &size) != STATUS_OK || size != DIGEST_SIZE)
        return STATUS_INVALID_PARAMETER;
    *out = hash;
    *left = rest;
    return STATUS_OK;
}

enum status tlog_text_path(struct span *left, uint32_t count_max, struct tlog_path *out) {
    struct span rest = *left;
    struct tlog_path path = {.count = 0};
    ASSERT(count_max <= TLOG_PATH_MAX);
    while (!span_starts(rest, SPAN("\n")))
        if (path.count == count_max ||
            tlog_text_hash(&rest, &path.hashes[path.count++]) != STATUS_OK)
            return STATUS_INVALID_PARAMETER;
    *out = path;
    *left = span_of(rest.data + 1, rest.size - 1);
    return STATUS_OK;
}

void tlog_text_put_number(struct buffer *out, struct span label, uint64_t value) {
    buffer_append_span(out, label);
    ASSERT(value <= TLOG_SIZE_MAX);
    out->size += encode_decimal(value, buffer_reserve(out, ENCODE_DECIMAL_SIZE));
    buffer_append_text(out, "\n");
}

void tlog_text_put_hash(struct buffer *out, const struct digest *hash) {
    char *at = buffer_reserve(out, ENCODE_BASE64_SIZE(DIGEST_SIZE) + 1);
    at[encode_base64(hash->bytes, DIGEST_SIZE, at)] = '\n';
    out->size += ENCODE_BASE64_SIZE(DIGEST_SIZE) + 1;
}

void tlog_text_put_path(struct buffer *out, const struct tlog_path *path) {
    for (uint32_t i = 0; i < path->count; i++)
        tlog_text_put_hash(out, &path->hashes[i]);
    buffer_append_text(out, "\n");
}
