/* A pull reader of JSON: one pass over the bytes, no tree, no recursion, no memory but the arena's
 * for strings with escapes. For bodies that are read on every decision; api/json_in.h reads the
 * rest. Strict RFC 8259: UTF-8 without lone surrogates, no trailing comma, nesting bounded.
 *
 * Errors stick: after one every function finds nothing, so that a reader checks once, at the end.
 * That the whole text is JSON is known only when api_stream_end says so. Names of an object may
 * repeat; the caller decides what that means. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_STREAM_H
#define API_STREAM_H

#include <stdint.h>

#include "base/mem.h"

enum api_json_kind {
    API_JSON_NONE, /* no value, or an error before it */
    API_JSON_OBJECT,
    API_JSON_ARRAY,
    API_JSON_STRING,
    API_JSON_NUMBER,
    API_JSON_TRUTH,
    API_JSON_NULL,
};

struct api_json_stream {
    const char *at, *end, *start;
    struct arena *arena;
    const char *error; /* static; NULL while all is well */
    size_t error_at;   /* offset of the byte */
    uint32_t depth;
    bool fresh; /* nothing was read yet of what was entered last */
};

/* Borrows text, which strings and raw values point into. */
void api_stream_begin(struct api_json_stream *in, struct arena *arena, struct span text);
/* True when there was one value, it was read to its end and nothing but white space follows. Else
 * in->error tells why and in->error_at where. */
bool api_stream_end(struct api_json_stream *in);

/* What the value at hand begins as. Each value must be read by one of the functions below before
 * the next; reading it as another kind is an error. */
enum api_json_kind api_stream_kind(struct api_json_stream *in);
/* Steps into an object, whose members follow: while (api_stream_member(in, &name)) reads a value.
 * name may be NULL. False at the end of the object, which is left then, and after an error. */
void api_stream_object(struct api_json_stream *in);
bool api_stream_member(struct api_json_stream *in, struct span *name);
/* The same for an array. */
void api_stream_array(struct api_json_stream *in);
bool api_stream_item(struct api_json_stream *in);
/* The text of a string, borrowed, or in the arena when it had escapes. May contain NUL. */
struct span api_stream_string(struct api_json_stream *in);
/* A number's floor, exactly; beyond int64 it is the nearest int64 with a fraction, so that it
 * equals none. */
struct api_json_number {
    int64_t floor;
    bool fraction; /* the value is greater than floor */
};
struct api_json_number api_stream_number(struct api_json_stream *in);
bool api_stream_truth(struct api_json_stream *in);
/* Any value: its bytes. */
struct span api_stream_skip(struct api_json_stream *in);

#endif
