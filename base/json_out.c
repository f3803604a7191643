/* The compact JSON writer. Strings are escaped as little as RFC 8259 allows. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json_out.h"

#include "base/encode.h"
#include "base/timestamp.h"

static void before(struct json_out *out) {
    if (out->comma)
        buffer_append(out->to, ",", 1);
    out->comma = true;
}

static void begin(struct json_out *out, const char *brace) {
    before(out);
    buffer_append(out->to, brace, 1);
    out->comma = false;
}

static void end(struct json_out *out, const char *brace) {
    buffer_append(out->to, brace, 1);
    out->comma = true;
}

void json_out_object_begin(struct json_out *out) {
    begin(out, "{");
}

void json_out_object_end(struct json_out *out) {
    end(out, "}");
}

void json_out_array_begin(struct json_out *out) {
    begin(out, "[");
}

void json_out_array_end(struct json_out *out) {
    end(out, "]");
}

void json_out_key_of(struct json_out *out, struct span key) {
    char *at = buffer_reserve(out->to, key.size + 4);
    char *start = at;
    if (out->comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key.data, key.size);
    memcpy(at + key.size, "\":", 2);
    out->to->size += (size_t)(at - start) + key.size + 2;
    out->comma = false;
}

static bool plain(unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether a byte of the word is 0. */
static bool has_zero(uint64_t word) {
    return ((word - EACH(0x01)) & ~word & EACH(0x80)) != 0;
}

static bool all_plain(uint64_t word) {
    bool control = ((word - EACH(0x20)) & ~word & EACH(0x80)) != 0;
    return !control && !has_zero(word ^ EACH('"')) && !has_zero(word ^ EACH('\\'));
}

/* How many bytes from the start need no escape; by words, since that is nearly all bytes. */
static size_t plain_run(const char *text, size_t size) {
    size_t run = 0;
    for (uint64_t word; size - run >= sizeof word; run += sizeof word) {
        memcpy(&word, text + run, sizeof word);
        if (!all_plain(word))
            break;
    }
    while (run < size && plain((unsigned char)text[run]))
        run++;
    return run;
}

static void escape(struct buffer *to, unsigned char c) {
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *at = short_forms; *at != '\0'; at += 2) {
        if ((unsigned char)at[0] == c) {
            buffer_append(to, "\\", 1);
            buffer_append(to, at + 1, 1);
            return;
        }
    }
    buffer_append_format(to, "\\u%04x", c);
}

void json_out_string(struct json_out *out, struct span text) {
    before(out);
    (void)buffer_reserve(out->to, text.size + 2);
    buffer_append(out->to, "\"", 1);
    for (size_t i = 0; i < text.size;) {
        size_t run = plain_run(text.data + i, text.size - i);
        buffer_append(out->to, text.data + i, run);
        i += run;
        if (i < text.size)
            escape(out->to, (unsigned char)text.data[i++]);
    }
    buffer_append(out->to, "\"", 1);
}

void json_out_int(struct json_out *out, int64_t value) {
    before(out);
    char *at = buffer_reserve(out->to, ENCODE_DECIMAL_SIZE + 1);
    size_t sign = value < 0;
    *at = '-';
    out->to->size += sign + encode_decimal(sign ? 0 - (uint64_t)value : (uint64_t)value, at + sign);
}

void json_out_bool(struct json_out *out, bool value) {
    json_out_raw(out, value ? SPAN("true") : SPAN("false"));
}

void json_out_null(struct json_out *out) {
    json_out_raw(out, SPAN("null"));
}

static void quoted(struct json_out *out, const char *text, size_t size) {
    before(out);
    (void)buffer_reserve(out->to, size + 2);
    buffer_append(out->to, "\"", 1);
    buffer_append(out->to, text, size);
    buffer_append(out->to, "\"", 1);
}

void json_out_time(struct json_out *out, int64_t time_ms) {
    char text[TIMESTAMP_SIZE + 1];
    timestamp_format(time_ms, text);
    quoted(out, text, TIMESTAMP_SIZE);
}

void json_out_uuid(struct json_out *out, const struct uuid *id) {
    char text[UUID_TEXT_SIZE + 1];
    uuid_to_text(id, text);
    quoted(out, text, UUID_TEXT_SIZE);
}

void json_out_base64url(struct json_out *out, const void *data, size_t size) {
    before(out);
    char *at = buffer_reserve(out->to, ENCODE_BASE64URL_SIZE(size) + 2);
    *at = '"';
    size_t written = encode_base64url(data, size, at + 1);
    at[1 + written] = '"';
    out->to->size += written + 2;
}

void json_out_hex(struct json_out *out, const void *data, size_t size) {
    before(out);
    char *at = buffer_reserve(out->to, size * 2 + 2);
    *at = '"';
    size_t written = encode_hex(data, size, at + 1);
    at[1 + written] = '"';
    out->to->size += written + 2;
}

void json_out_raw(struct json_out *out, struct span json) {
    before(out);
    buffer_append_span(out->to, json);
}

void json_out_members(struct json_out *out, struct span members) {
    if (members.size != 0)
        json_out_raw(out, members);
}
