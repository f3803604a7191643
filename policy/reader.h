/* Strict reading of a pack's JSON: every helper names the place of the first error as a JSON
 * pointer (a missing member by the pointer it would have), and does nothing once there was one. The
 * pack room's door to jansson. Private to policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_READER_H
#define POLICY_READER_H

#include <jansson.h>

#include "base/mem.h"
#include "policy/pack.h"

#define READER_CODE_MAX                                                       \
    64 /* codes of roles, purposes, permissions, rules: also an LMDB key part \
        */

struct reader {
    struct arena *arena; /* what is read lives here */
    struct policy_error *error;
    bool failed;
    char path[256]; /* JSON pointer of the value being read */
    size_t path_size;
};

/* Records the first error, at the value being read or at a member of it. */
void reader_fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reader_fail_member(struct reader *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Enters and leaves a member or an element; leave takes what enter returned. */
size_t reader_enter(struct reader *r, const char *name);
size_t reader_enter_index(struct reader *r, size_t index);
void reader_leave(struct reader *r, size_t mark);

/* Fails when the value is no object or has a member outside the NULL-terminated list. */
bool reader_object(struct reader *r, const json_t *value, const char *const *known);
/* Members of an object. Absent: an error when required, else NULL, SPAN_NONE, false or `otherwise`.
 * A size out of its bounds is an error at the member. */
struct reader_bounds {
    bool required;
    size_t min, max; /* bytes or elements */
};
#define READER_REQUIRED(least, most) ((struct reader_bounds){true, (least), (most)})
#define READER_OPTIONAL(least, most) ((struct reader_bounds){false, (least), (most)})
const json_t *reader_array(struct reader *r, const json_t *object, const char *name,
                           struct reader_bounds bounds);
struct span reader_string(struct reader *r, const json_t *object, const char *name,
                          struct reader_bounds bounds);
/* Letters, digits and . - _; at most READER_CODE_MAX bytes; required. */
struct span reader_code(struct reader *r, const json_t *object, const char *name);
/* An absolute URL of visible ASCII, at most LIMIT_URL bytes. */
struct span reader_url(struct reader *r, const json_t *object, const char *name, bool required);
bool reader_bool(struct reader *r, const json_t *object, const char *name, bool otherwise);
uint32_t reader_count(struct reader *r, const json_t *object, const char *name, uint32_t otherwise,
                      uint32_t max);
/* A date (2026-03-12: its first millisecond) or a timestamp. */
int64_t reader_time(struct reader *r, const json_t *object, const char *name, int64_t otherwise);
/* The same, but a date stands for its last millisecond. */
int64_t reader_time_after(struct reader *r, const json_t *object, const char *name,
                          int64_t otherwise);
/* False when absent. At most 100 years, so that no time plus a duration leaves int64; longer than
 * nothing unless zero_allowed. */
bool reader_duration(struct reader *r, const json_t *object, const char *name, bool zero_allowed,
                     struct duration *out);
/* An array of distinct strings, codes or URLs. */
const struct span *reader_codes(struct reader *r, const json_t *object, const char *name,
                                struct reader_bounds bounds, uint32_t *count);
const struct span *reader_urls(struct reader *r, const json_t *object, const char *name,
                               struct reader_bounds bounds, uint32_t *count);

#endif
