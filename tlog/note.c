/* Signed notes. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/note.h"

#include "base/encode.h"
#include "base/log.h"
#include "tlog/cosignature.h"
#include "tlog/text.h"

#define DASH "\xe2\x80\x94 " /* what a signature line begins with: U+2014 and a space */
/* The largest signature that a key of ours verifies, behind its key ID. */
#define BYTES_MAX (TLOG_KEY_ID_SIZE + TLOG_COSIGNATURE_SIZE)

/* Lines of UTF-8 without other control characters. */
static bool is_text(struct span bytes) {
    if (bytes.size == 0 || bytes.data[bytes.size - 1] != '\n')
        return false;
    for (size_t i = 0; i < bytes.size; i++)
        if ((unsigned char)bytes.data[i] < ' ' && bytes.data[i] != '\n')
            return false;
    return encode_utf8_valid(bytes);
}

/* ---- reading */

/* Cuts bytes at the last empty line, whose newline belongs to neither part. */
static bool split(struct span bytes, struct span *text, struct span *lines) {
    for (size_t end = bytes.size; end >= 2; end--)
        if (bytes.data[end - 1] == '\n' && bytes.data[end - 2] == '\n') {
            *text = span_of(bytes.data, end - 1);
            *lines = span_of(bytes.data + end, bytes.size - end);
            return true;
        }
    return false;
}

/* The first six bytes tell the key ID, and that a signature follows it. */
static enum status parse_line(struct span line, struct tlog_signature *out) {
    unsigned char head[6];
    size_t size;
    if (!span_starts(line, SPAN(DASH)))
        return STATUS_INVALID_PARAMETER;
    struct span rest = span_of(line.data + strlen(DASH), line.size - strlen(DASH));
    const char *space = rest.size != 0 ? memchr(rest.data, ' ', rest.size) : NULL;
    if (space == NULL)
        return STATUS_INVALID_PARAMETER;
    struct span name = span_of(rest.data, (size_t)(space - rest.data));
    struct span base64 = span_of(space + 1, rest.size - name.size - 1);
    if (!tlog_name_valid(name) || base64.size < 8 || !encode_base64_valid(base64) ||
        decode_base64(span_of(base64.data, 8), head, sizeof head, &size) != STATUS_OK ||
        size <= TLOG_KEY_ID_SIZE)
        return STATUS_INVALID_PARAMETER;
    *out = (struct tlog_signature){.name = name, .base64 = base64};
    memcpy(out->key_id, head, sizeof out->key_id);
    return STATUS_OK;
}

enum status tlog_note_parse_apart(struct span text, struct span lines, struct tlog_note *out) {
    struct tlog_note note = {.text = text};
    if (!is_text(text) || !is_text(lines))
        return STATUS_INVALID_PARAMETER;
    while (lines.size != 0) {
        struct span whole = lines, line;
        if (note.count == TLOG_SIGNATURES_MAX || tlog_text_line(&lines, &line) != STATUS_OK ||
            parse_line(line, &note.signatures[note.count]) != STATUS_OK)
            return STATUS_INVALID_PARAMETER;
        note.signatures[note.count++].line = span_of(whole.data, line.size + 1);
    }
    *out = note;
    return STATUS_OK;
}

enum status tlog_note_parse(struct span bytes, struct tlog_note *out) {
    struct span text, lines;
    return split(bytes, &text, &lines) ? tlog_note_parse_apart(text, lines, out)
                                       : STATUS_INVALID_PARAMETER;
}

/* ---- verifying */

static const struct tlog_vkey *find(const struct tlog_signature *signature,
                                    const struct tlog_vkey *keys, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (span_equal(keys[i].name, signature->name) &&
            memcmp(keys[i].id, signature->key_id, TLOG_KEY_ID_SIZE) == 0)
            return &keys[i];
    return NULL;
}

static enum status verify(struct tlog_signature *signature, const struct tlog_vkey *key,
                          struct span text) {
    unsigned char bytes[BYTES_MAX];
    const unsigned char *own = bytes + TLOG_KEY_ID_SIZE;
    size_t size;
    if (decode_base64(signature->base64, bytes, sizeof bytes, &size) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    size -= TLOG_KEY_ID_SIZE;
    signature->by = key;
    if (key->type == TLOG_KEY_COSIGNATURE)
        return tlog_cosignature_verify(key, text, span_of((const char *)own, size),
                                       &signature->time);
    return size == TLOG_SIGNATURE_SIZE && tlog_vkey_verify(key, text, own)
               ? STATUS_OK
               : STATUS_INVALID_PARAMETER;
}

/* How many of keys have a mark. */
static size_t signers(const struct tlog_note *note, const struct tlog_vkey *keys, size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool signed_by = false;
        for (uint32_t k = 0; k < note->count; k++)
            signed_by |= note->signatures[k].by == &keys[i];
        found += signed_by;
    }
    return found;
}

enum status tlog_note_verify(struct tlog_note *note, const struct tlog_vkey *keys, size_t count,
                             size_t needed) {
    struct tlog_note marked = *note;
    for (uint32_t i = 0; i < marked.count; i++) {
        const struct tlog_vkey *key = find(&marked.signatures[i], keys, count);
        if (key != NULL && verify(&marked.signatures[i], key, marked.text) != STATUS_OK)
            return STATUS_INVALID_PARAMETER;
    }
    if (signers(&marked, keys, count) < needed)
        return STATUS_INVALID_PARAMETER;
    *note = marked;
    return STATUS_OK;
}

/* ---- writing */

void tlog_note_put_text(struct buffer *out, struct span text) {
    ASSERT(is_text(text));
    buffer_append_span(out, text);
    buffer_append_text(out, "\n");
}

void tlog_note_put_line(struct buffer *out, const struct tlog_vkey *key, const void *bytes,
                        size_t size) {
    unsigned char whole[BYTES_MAX];
    ASSERT(size <= sizeof whole - TLOG_KEY_ID_SIZE);
    memcpy(whole, key->id, TLOG_KEY_ID_SIZE);
    memcpy(whole + TLOG_KEY_ID_SIZE, bytes, size);
    buffer_append_text(out, DASH);
    buffer_append_span(out, key->name);
    buffer_append_text(out, " ");
    out->size += encode_base64(whole, TLOG_KEY_ID_SIZE + size,
                               buffer_reserve(out, ENCODE_BASE64_SIZE(BYTES_MAX)));
    buffer_append_text(out, "\n");
}

void tlog_note_put_signature(struct buffer *out, const struct tlog_key *key, struct span text) {
    unsigned char signature[TLOG_SIGNATURE_SIZE];
    ASSERT(tlog_key_public(key)->type == TLOG_KEY_ED25519);
    tlog_key_sign(key, text, signature);
    tlog_note_put_line(out, tlog_key_public(key), signature, sizeof signature);
}
