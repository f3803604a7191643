/* Strict reading of a pack's JSON: every helper names the place of the first error as a JSON
 * pointer, and does nothing once there was one. The pack room's door to jansson. Private to
 * policy/. */
// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_READER_H
#define POLICY_READER_H

#include <jansson.h>

#include "base/mem.h"
#include "policy/pack.h"

struct reader {
    struct arena *arena; /* what is read lives here */
    struct policy_error *error;
    bool failed;
    char path[128]; /* JSON pointer of the value being read */
};

/* Records the first error. */
void reader_fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Enters and leaves a member or an element; leave takes what enter returned. */
size_t reader_enter(struct reader *r, const char *name);
size_t reader_enter_index(struct reader *r, size_t index);
void reader_leave(struct reader *r, size_t mark);

/* Fails when the value is no object or has a member outside the NULL-terminated list. */
bool reader_object(struct reader *r, const json_t *value, const char *const *known);
/* Members of an object: NULL when absent (an error when required). */
const json_t *reader_array(struct reader *r, const json_t *object, const char *name, bool required);
struct span reader_string(struct reader *r, const json_t *object, const char *name, bool required,
                          size_t max);
/* letters, digits and . - _, at most 64. */
struct span reader_code(struct reader *r, const json_t *object, const char *name);
bool reader_bool(struct reader *r, const json_t *object, const char *name, bool otherwise);
uint32_t reader_count(struct reader *r, const json_t *object, const char *name, uint32_t otherwise,
                      uint32_t max);
/* A date (2026-03-12) or a timestamp; `otherwise` when absent. */
int64_t reader_time(struct reader *r, const json_t *object, const char *name, int64_t otherwise);
/* False when absent. */
bool reader_duration(struct reader *r, const json_t *object, const char *name,
                     struct duration *out);
/* An array of strings, distinct, at most max. */
const struct span *reader_strings(struct reader *r, const json_t *object, const char *name,
                                  size_t max, uint32_t *count);

#endif
