/* Log lines: one JSON object a line, for operators. Never a token, an account id or another
 * personal datum (invariant 10). Until a sink is set lines go to stderr directly; the service sets
 * a sink that puts them on a ring. Thread-safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;  /* NULL ends the list */
    struct span text; /* when text.data is NULL, number is written */
    int64_t number;
};

#define LOG_TEXT(key, cstring) ((struct log_field){(key), span_of_text(cstring), 0})
#define LOG_SPAN(key, s) ((struct log_field){(key), (s), 0})
#define LOG_INT(key, n) ((struct log_field){(key), {NULL, 0}, (int64_t)(n)})

/* log_event(LOG_INFO, "store.opened", LOG_INT("entries", n)); at least one field. Bytes that are
 * not UTF-8 are written as '?'. */
#define log_event(level, event, ...) \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})
void log_write(enum log_level level, const char *event, const struct log_field *fields);

typedef void log_sink(void *context, const char *line, size_t size);
/* line ends in \n and is borrowed for the call. NULL restores stderr. */
void log_set_sink(log_sink *sink, void *context);
void log_set_level(enum log_level least);

/* An assertion that is always compiled in: logs where and aborts. */
#define ASSERT(condition) ((condition) ? (void)0 : log_abort(#condition, __FILE__, __LINE__))
_Noreturn void log_abort(const char *condition, const char *file, int line);

#endif
