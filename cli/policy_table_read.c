/* Strict reading of a case table: a member that is misspelt or has the wrong type would make a case
 * say something else than it seems to. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/policy_table.h"

#define STEP_MAX 256

void table_wrong(struct table *t, const char *format, ...) {
    va_list args;
    if (t->wrong) {
        return;
    }
    t->wrong = true;
    va_start(args, format);
    fprintf(stderr, "consentctl %s: %s: %s%s", t->command, t->path, t->where,
            t->where[0] != '\0' ? ": " : "");
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
}

static bool is_known(const char *name, const char *const *known) {
    for (; *known != NULL; known++) {
        if (strcmp(name, *known) == 0) {
            return true;
        }
    }
    return false;
}

bool table_known(struct table *t, json_t *object, const char *const *known) {
    const char *name;
    json_t *value;
    if (object != NULL && !json_is_object(object)) {
        table_wrong(t, "must be an object");
    }
    json_object_foreach(object, name, value) {
        if (!is_known(name, known)) {
            table_wrong(t, "there is no member \"%s\" here", name);
        }
    }
    return !t->wrong;
}

static json_t *typed(struct table *t, json_t *object, const char *name, json_type type,
                     const char *what) {
    json_t *value = json_object_get(object, name);
    if (value == NULL || t->wrong) {
        return NULL;
    }
    if (json_typeof(value) != type) {
        table_wrong(t, "\"%s\" must be %s", name, what);
        return NULL;
    }
    return value;
}

json_t *table_object(struct table *t, json_t *object, const char *name) {
    return typed(t, object, name, JSON_OBJECT, "an object");
}

json_t *table_array(struct table *t, json_t *object, const char *name) {
    return typed(t, object, name, JSON_ARRAY, "a list");
}

struct span table_text(struct table *t, json_t *object, const char *name) {
    return span_of_text(json_string_value(typed(t, object, name, JSON_STRING, "a text")));
}

bool table_flag(struct table *t, json_t *object, const char *name) {
    json_t *value = json_object_get(object, name);
    if (value != NULL && !json_is_boolean(value)) {
        table_wrong(t, "\"%s\" must be true or false", name);
    }
    return json_is_true(value);
}

uint32_t table_number(struct table *t, json_t *object, const char *name) {
    json_int_t number = json_integer_value(typed(t, object, name, JSON_INTEGER, "a whole number"));
    if (number < 0 || number > UINT32_MAX) {
        table_wrong(t, "\"%s\" must be from 0 to %u", name, UINT32_MAX);
        return 0;
    }
    return (uint32_t)number;
}

int64_t table_time(struct table *t, json_t *object, const char *name, int64_t otherwise) {
    struct span text = table_text(t, object, name);
    int64_t time_ms = otherwise;
    if (span_present(text) && timestamp_parse(text, &time_ms) != STATUS_OK) {
        table_wrong(t, "\"%s\" must be an RFC 3339 time in UTC", name);
    }
    return time_ms;
}

bool table_duration(struct table *t, json_t *object, const char *name, struct duration *out) {
    struct span text = table_text(t, object, name);
    if (span_present(text) && duration_parse(text, out) != STATUS_OK) {
        table_wrong(t, "\"%s\" must be an ISO 8601 duration with one unit", name);
    }
    return span_present(text);
}

struct table_texts table_texts(struct table *t, struct arena *arena, json_t *object,
                               const char *name) {
    json_t *array = table_array(t, object, name);
    size_t count = json_array_size(array);
    struct span *items = arena_array(arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = span_of_text(json_string_value(json_array_get(array, i)));
        if (!span_present(items[i])) {
            table_wrong(t, "\"%s\" must be a list of texts", name);
        }
    }
    return (struct table_texts){items, (uint32_t)count, array != NULL};
}

/* ---- edits */

/* The step at the front of a pointer, unescaped (RFC 6901, section 4); the rest, or NULL when it
 * has no such form. */
static const char *next_step(const char *pointer, char step[STEP_MAX]) {
    size_t size = 0;
    if (*pointer++ != '/') {
        return NULL;
    }
    for (; *pointer != '\0' && *pointer != '/'; pointer++) {
        bool escape = *pointer == '~' && (pointer[1] == '0' || pointer[1] == '1');
        if (size + 1 == STEP_MAX) {
            return NULL;
        }
        step[size++] = escape ? "~/"[*++pointer - '0'] : *pointer;
    }
    step[size] = '\0';
    return pointer;
}

static size_t index_of(const char *step) {
    char *end;
    unsigned long index = strtoul(step, &end, 10);
    return *step != '\0' && *end == '\0' ? index : SIZE_MAX;
}

static json_t *descend(json_t *at, const char *step) {
    if (json_is_array(at)) {
        return json_array_get(at, index_of(step));
    }
    if (json_is_object(at) && json_object_get(at, step) == NULL) {
        json_object_set_new(at, step, json_object());
    }
    return json_object_get(at, step);
}

static bool put(json_t *at, const char *step, json_t *value) {
    if (json_is_object(at)) {
        return json_is_null(value) ? (json_object_del(at, step), true)
                                   : json_object_set_new(at, step, json_deep_copy(value)) == 0;
    }
    if (!json_is_array(at)) {
        return false;
    }
    if (strcmp(step, "-") == 0) {
        return json_array_append_new(at, json_deep_copy(value)) == 0;
    }
    return json_is_null(value) ? json_array_remove(at, index_of(step)) == 0
                               : json_array_set_new(at, index_of(step), json_deep_copy(value)) == 0;
}

static bool edit(json_t *root, const char *pointer, json_t *value) {
    char step[STEP_MAX];
    json_t *at = root;
    for (;;) {
        pointer = next_step(pointer, step);
        if (pointer == NULL || at == NULL) {
            return false;
        }
        if (*pointer == '\0') {
            return put(at, step, value);
        }
        at = descend(at, step);
    }
}

json_t *table_edited(struct table *t, json_t *json, json_t *edits) {
    json_t *copy = json_deep_copy(json);
    const char *pointer;
    json_t *value;
    json_object_foreach(edits, pointer, value) {
        if (!edit(copy, pointer, value)) {
            table_wrong(t, "\"%s\" leads nowhere", pointer);
        }
    }
    return copy;
}
