/* A compact JSON writer over a buffer: commas are its business, nesting the caller's. It writes
 * what it is given, in that order; it never allocates beyond the buffer. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/uuid.h"

struct json_out {
    struct buffer *to; /* borrowed */
    bool comma;        /* the next value or key needs a comma before it */
};

static inline struct json_out json_out_to(struct buffer *to) {
    return (struct json_out){to, false};
}

void json_out_object_begin(struct json_out *out);
void json_out_object_end(struct json_out *out);
void json_out_array_begin(struct json_out *out);
void json_out_array_end(struct json_out *out);
/* key needs no escaping. */
void json_out_key_of(struct json_out *out, struct span key);
/* Inline, as are the members below, so that a literal's length is known. */
static inline void json_out_key(struct json_out *out, const char *key) {
    json_out_key_of(out, span_of(key, strlen(key)));
}
/* Values: an array element, or after json_out_key. text must be valid UTF-8. */
void json_out_string(struct json_out *out, struct span text);
void json_out_int(struct json_out *out, int64_t value);
void json_out_bool(struct json_out *out, bool value);
void json_out_null(struct json_out *out);
void json_out_time(struct json_out *out, int64_t time_ms);       /* "2024-03-31T23:30:00.000Z" */
void json_out_uuid(struct json_out *out, const struct uuid *id); /* "0190…" */
void json_out_base64url(struct json_out *out, const void *data, size_t size);
void json_out_hex(struct json_out *out, const void *data, size_t size);
/* A whole JSON value, as is. */
void json_out_raw(struct json_out *out, struct span json);
/* Members or elements without the enclosing braces ("a":1,"b":2), as is; nothing when empty. */
void json_out_members(struct json_out *out, struct span members);
/* Member helpers: json_out_key, then the value. The optional ones write nothing when absent. */
static inline void json_out_member(struct json_out *out, const char *key, struct span text) {
    json_out_key(out, key);
    json_out_string(out, text);
}
static inline void json_out_member_optional(struct json_out *out, const char *key,
                                            struct span text) {
    if (span_present(text))
        json_out_member(out, key, text);
}
static inline void json_out_member_int(struct json_out *out, const char *key, int64_t value) {
    json_out_key(out, key);
    json_out_int(out, value);
}
static inline void json_out_member_bool(struct json_out *out, const char *key, bool value) {
    json_out_key(out, key);
    json_out_bool(out, value);
}
static inline void json_out_member_time(struct json_out *out, const char *key, int64_t time_ms) {
    json_out_key(out, key);
    json_out_time(out, time_ms);
}
static inline void json_out_member_uuid(struct json_out *out, const char *key,
                                        const struct uuid *id) {
    json_out_key(out, key);
    json_out_uuid(out, id);
}

#endif
