/* The tables behind base/status.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    int http;
    const char *name, *title;
};

static const struct row rows[STATUS_COUNT] = {[STATUS_OK] = {200, "ok", "OK"},
#define X(name, http, problem, title) [STATUS_##name] = {http, problem, title},
                                              STATUS_PROBLEMS(X)
#undef X
};

const char *status_name(enum status status) {
    return rows[status].name;
}

const char *status_title(enum status status) {
    return rows[status].title;
}

int status_http(enum status status) {
    return rows[status].http;
}

enum status status_by_name(const char *name, size_t size) {
    for (int i = STATUS_OK + 1; i < STATUS_COUNT; i++)
        if (strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0)
            return (enum status)i;
    return STATUS_OK;
}

enum status status_refuse(char *why, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return STATUS_INTERNAL;
}
