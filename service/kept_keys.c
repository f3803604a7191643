/* One file per source: lines that say which, a line with the time, then the set as it came. */
// SPDX-License-Identifier: Apache-2.0
#include "service/kept_keys.h"

#include <errno.h>
#include <stdio.h>

#include "base/directory.h"
#include "base/encode.h"
#include "base/file.h"

#define HEAD_MAX 16384 /* texts of a configuration, and a time */

/* Everything that makes it this source, so that keys which came by another way are not taken for
 * its own. Whether RS256 is allowed is asked of each key when it is read. */
static void write_head(const struct key_source *source, struct buffer *out) {
    buffer_append_format(out, "consentd-key-set 1\n%.*s\n%s\n%s\n%s\n", SPAN_ARG(source->issuer),
                         source->discovery ? "metadata" : source->url,
                         source->ca_file != NULL ? source->ca_file : "",
                         source->insecure_http ? "plain HTTP allowed" : "");
}

static struct span path_of(const char *directory, struct span head, struct arena *arena) {
    struct digest digest = digest_sha256(head);
    char name[2 * sizeof digest.bytes];
    size_t size = encode_hex(digest.bytes, sizeof digest.bytes, name);
    return arena_format(arena, "%s/%.*s", directory, (int)size, name);
}

/* The set that a file holds, of whatever age; absent when it holds none of this source. */
static struct span set_in(struct span file, struct span head, uint64_t *time_s) {
    if (!span_starts(file, head))
        return SPAN_NONE;
    struct span rest = span_of(file.data + head.size, file.size - head.size);
    const char *end = rest.size != 0 ? memchr(rest.data, '\n', rest.size) : NULL;
    size_t size = end != NULL ? (size_t)(end - rest.data) : 0;
    if (end == NULL || decode_decimal(span_of(rest.data, size), time_s) != STATUS_OK)
        return SPAN_NONE;
    return span_of(end + 1, rest.size - size - 1);
}

bool kept_keys_write(const char *directory, const struct key_source *source, struct span set,
                     int64_t time_s) {
    struct buffer head = {0}, before = {0}, text = {0};
    struct arena arena = {0};
    uint64_t unused;
    write_head(source, &head);
    struct span path = path_of(directory, buffer_span(&head), &arena);
    if (!span_present(set)) {
        bool read = file_read(path.data, HEAD_MAX + KEY_SET_MAX, &before);
        set = set_in(buffer_span(&before), buffer_span(&head), &unused);
        errno = read && !span_present(set) ? EBADMSG : errno;
    }
    bool good = span_present(set);
    if (good) {
        buffer_append_span(&text, buffer_span(&head));
        buffer_append_format(&text, "%lld\n", (long long)time_s);
        buffer_append_span(&text, set);
        good = directory_make(directory) && file_replace(path.data, buffer_span(&text));
    }
    int code = errno;
    buffer_release(&head);
    buffer_release(&before);
    buffer_release(&text);
    arena_release(&arena);
    errno = code;
    return good;
}

bool kept_keys_read(const char *directory, const struct key_source *source, int64_t now_s,
                    struct buffer *set, int64_t *time_s) {
    struct buffer head = {0}, file = {0};
    struct arena arena = {0};
    struct span found = SPAN_NONE;
    uint64_t then_s = 0;
    write_head(source, &head);
    struct span path = path_of(directory, buffer_span(&head), &arena);
    if (file_read(path.data, HEAD_MAX + KEY_SET_MAX, &file))
        found = set_in(buffer_span(&file), buffer_span(&head), &then_s);
    bool good =
        span_present(found) && then_s <= (uint64_t)now_s && (uint64_t)now_s - then_s <= KEPT_KEYS_S;
    if (good) {
        buffer_append_span(set, found);
        *time_s = (int64_t)then_s;
    }
    buffer_release(&head);
    buffer_release(&file);
    arena_release(&arena);
    return good;
}
