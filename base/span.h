/* A span is a borrowed run of bytes: it owns nothing and is not NUL-terminated. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char
        *data; /* may be NULL when size is 0; NULL means "absent" where a member is optional */
    size_t size;
};

#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})
#define SPAN_NONE ((struct span){NULL, 0})
#define SPAN_ARG(s) (int)(s).size, (s).data ? (s).data : "" /* for printf "%.*s" */

static inline struct span span_of(const char *data, size_t size) {
    return (struct span){data, size};
}

static inline struct span span_of_text(const char *text) {
    return text != NULL ? (struct span){text, strlen(text)} : SPAN_NONE;
}

static inline bool span_present(struct span s) {
    return s.data != NULL;
}

static inline bool span_equal(struct span a, struct span b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool span_is(struct span a, const char *text) {
    return span_equal(a, span_of_text(text));
}

static inline bool span_starts(struct span s, struct span prefix) {
    return s.size >= prefix.size &&
           (prefix.size == 0 || memcmp(s.data, prefix.data, prefix.size) == 0);
}

#endif
