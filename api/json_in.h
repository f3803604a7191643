/* Strict reading of JSON bodies: duplicates, unknown members, NUL and deep nesting are refused, no
 * reader takes a real number, and what is wrong is reported with its JSON pointer, all of it up to
 * API_ERRORS_MAX. Private to api/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef API_JSON_IN_H
#define API_JSON_IN_H

#include <jansson.h>

#include "api/problem.h"

struct api_json {
    struct arena *arena;
    json_t *root; /* released by api_json_end */
    struct api_errors errors;
    bool unknown_member, other_error;
    char path[160]; /* pointer of the value being read */
};

/* Parses the body. On anything but STATUS_OK the detail is in *why (static or in the arena). */
MUST_CHECK enum status api_json_begin(struct api_json *in, struct arena *arena, struct span body,
                                      const char **why);
void api_json_end(struct api_json *in);
bool api_json_failed(const struct api_json *in);
/* The problem that the collected errors make; ends `in`. */
enum api_outcome api_json_refuse(struct api_json *in, struct api_call *call);

/* Records an error at member `name` of the present value, or at the value itself when NULL. */
void api_json_fail(struct api_json *in, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t api_json_enter(struct api_json *in, const char *name);
size_t api_json_enter_index(struct api_json *in, size_t index);
void api_json_leave(struct api_json *in, size_t mark);

/* False, with an error, when value is no object; members outside the NULL-ended list are errors. */
bool api_json_object(struct api_json *in, const json_t *value, const char *const *known);
/* Members. Absent ones give an absent span, NULL, or `otherwise`; required ones an error as well. A
 * string must have 1 to max bytes. Spans live in the arena. */
struct span api_json_string(struct api_json *in, const json_t *object, const char *name, size_t max,
                            bool required);
/* Whether it is an absolute URL of visible ASCII; of any length. */
bool api_json_is_url(struct span text);
/* A string that is one, at most LIMIT_URL. */
struct span api_json_url(struct api_json *in, const json_t *object, const char *name,
                         bool required);
const json_t *api_json_member_object(struct api_json *in, const json_t *object, const char *name,
                                     bool required);
const json_t *api_json_array(struct api_json *in, const json_t *object, const char *name,
                             size_t max, bool required);
/* At most max.count distinct strings of 1 to max.size bytes. */
struct api_bounds {
    size_t count, size;
};
const struct span *api_json_strings(struct api_json *in, const json_t *object, const char *name,
                                    struct api_bounds max, uint32_t *count);
/* The same for absolute URLs, at most LIMIT_URL each. */
const struct span *api_json_urls(struct api_json *in, const json_t *object, const char *name,
                                 size_t max, uint32_t *count);
int64_t api_json_time(struct api_json *in, const json_t *object, const char *name,
                      int64_t otherwise);
struct api_range {
    int64_t least, most, otherwise;
};
int64_t api_json_int(struct api_json *in, const json_t *object, const char *name,
                     struct api_range range);
/* A SHA-256 digest as 43 characters of base64url; false when absent or wrong. */
bool api_json_digest(struct api_json *in, const json_t *object, const char *name, bool required,
                     struct digest *out);

#endif
