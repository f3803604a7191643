/* The wording of a licence per language, cut at its placeholders when the pack is loaded, so that
 * the digest of what was shown needs no memory (policy/notice.h). Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "base/limits.h"
#include "policy/pack_private.h"

/* The size of "[…]" at the beginning of text; 0 when there is none: it has no bracket and no line
 * break inside, and something to name. */
static size_t placeholder_size(struct span text) {
    if (text.size < 3 || text.data[0] != '[')
        return 0;
    for (size_t i = 1; i < text.size; i++) {
        char c = text.data[i];
        if (c == ']')
            return i > 1 ? i + 1 : 0;
        if (c == '[' || c == '\n')
            return 0;
    }
    return 0;
}

/* Counts the parts, and writes them where `parts` is not NULL. */
static uint32_t cut(struct span text, struct policy_text_part *parts) {
    uint32_t count = 0;
    size_t from = 0;
    for (size_t at = 0; at < text.size;) {
        size_t size = placeholder_size(span_of(text.data + at, text.size - at));
        if (size == 0) {
            at++;
            continue;
        }
        if (at > from && parts != NULL)
            parts[count].text = span_of(text.data + from, at - from);
        count += at > from;
        if (parts != NULL)
            parts[count] = (struct policy_text_part){span_of(text.data + at, size), true};
        count++;
        at += size;
        from = at;
    }
    if (from < text.size && parts != NULL)
        parts[count].text = span_of(text.data + from, text.size - from);
    return count + (from < text.size);
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool pack_same_language(struct span a, struct span b) {
    bool same = a.size == b.size;
    for (size_t i = 0; same && i < a.size; i++)
        same = lower(a.data[i]) == lower(b.data[i]);
    return same;
}

static void read_text(struct reader *r, const json_t *value, struct policy_text *out) {
    static const char *const known[] = {"language", "text", NULL};
    if (!reader_object(r, value, known))
        return;
    out->language = reader_code(r, value, "language");
    out->text = reader_string(r, value, "text", READER_REQUIRED(1, PACK_TEXT_MAX));
    if (r->failed)
        return;
    out->part_count = cut(out->text, NULL);
    if (out->part_count > PACK_PARTS_MAX) {
        reader_fail_member(r, "text", "must have fewer placeholders: %u parts are more than %d",
                           out->part_count, PACK_PARTS_MAX);
        return;
    }
    struct policy_text_part *parts = arena_array(r->arena, out->part_count, sizeof *parts);
    cut(out->text, parts);
    out->parts = parts;
}

static void read_digest(struct reader *r, const json_t *value, struct policy_license *license) {
    struct span text = reader_string(r, value, "textDigest", READER_OPTIONAL(64, 64));
    if (!span_present(text))
        return;
    if (decode_hex(text, license->text_digest.bytes, DIGEST_SIZE) != STATUS_OK) {
        reader_fail_member(r, "textDigest", "must be 64 hex digits");
        return;
    }
    license->has_text_digest = true;
    bool found = license->text_count == 0;
    for (uint32_t i = 0; i < license->text_count; i++) {
        struct digest digest = digest_sha256(license->texts[i].text);
        found |= digest_equal(&digest, &license->text_digest);
    }
    if (!found)
        reader_fail_member(r, "textDigest", "is the digest of none of the texts");
}

void pack_read_texts(struct reader *r, const json_t *value, struct policy_license *license) {
    const json_t *array = reader_array(r, value, "texts", READER_OPTIONAL(1, LIMIT_SET));
    size_t size = json_array_size(array);
    struct policy_text *texts = arena_array(r->arena, size, sizeof *texts);
    size_t outer = reader_enter(r, "texts");
    for (size_t i = 0; i < size && !r->failed; i++) {
        size_t mark = reader_enter_index(r, i);
        read_text(r, json_array_get(array, i), &texts[i]);
        for (size_t j = 0; j < i && !r->failed; j++)
            if (pack_same_language(texts[i].language, texts[j].language))
                reader_fail_member(r, "language", "is the language of another text");
        reader_leave(r, mark);
    }
    reader_leave(r, outer);
    license->texts = texts;
    license->text_count = r->failed ? 0 : (uint32_t)size;
    read_digest(r, value, license);
}
