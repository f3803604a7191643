/* Two packs side by side. Both are valid: every element has its code, every list its type. Threads:
 * one. */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/policy_diff.h"

#define VALUE_SHOWN 72 /* bytes of a value on a line; a licence's text has thousands */

/* The lists of a pack whose elements have a name of their own. */
static const struct part {
    const char *list, *key, *word;
} parts[] = {
    {"roles", "code", "role"},
    {"purposes", "code", "purpose"},
    {"permissions", "code", "permission"},
    {"licenses", "url", "license"},
    {"reasons", "code", "reason"},
    {"rules", "id", "rule"},
    {"resourceTypes", "type", "resource type"},
};

#define PART_COUNT (sizeof parts / sizeof *parts)

static int append(const char *bytes, size_t size, void *buffer) {
    buffer_append(buffer, bytes, size);
    return 0;
}

/* A value on one line, without what would steer a terminal; "nothing" when absent. */
static void print_value(const json_t *value) {
    struct buffer out = {0};
    if (value == NULL) {
        buffer_append_text(&out, "nothing");
    } else {
        (void)json_dump_callback(value, append, &out,
                                 JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    }
    bool cut = out.size > VALUE_SHOWN;
    printf("%.*s%s", cut ? VALUE_SHOWN : (int)out.size, out.data, cut ? "..." : "");
    buffer_release(&out);
}

static bool is_list_of_texts(const json_t *value) {
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i))) {
            return false;
        }
    }
    return json_is_array(value);
}

static bool has(const json_t *list, const json_t *wanted) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_array_get(list, i), wanted)) {
            return true;
        }
    }
    return false;
}

/* What is in one list and not in the other, each with its sign; returns how many. */
static uint32_t print_missing(const json_t *list, const json_t *other, char sign) {
    uint32_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (!has(other, item)) {
            printf(" %c", sign);
            print_value(item);
            count++;
        }
    }
    return count;
}

static bool same_set(const json_t *a, const json_t *b) {
    bool same = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; same && i < json_array_size(a); i++) {
        same = has(b, json_array_get(a, i));
    }
    return same;
}

static bool is_same(const json_t *old, const json_t *new) {
    bool sets = is_list_of_texts(old) && is_list_of_texts(new);
    return sets ? same_set(old, new) : json_equal(old, new);
}

static void print_change(const char *of, const char *name, const json_t *old, const json_t *new) {
    if ((old == NULL && new == NULL) || (old != NULL && new != NULL &&is_same(old, new))) {
        return;
    }
    printf("~ %s%s%s:", of, *of != '\0' ? ": " : "", name);
    if (is_list_of_texts(old) && is_list_of_texts(new)) {
        (void)print_missing(old, new, '-');
        (void)print_missing(new, old, '+');
    } else {
        putchar(' ');
        print_value(old);
        printf(" -> ");
        print_value(new);
    }
    putchar('\n');
}

/* The members of two objects, but for those that skip names. */
static void diff_members(const char *of, const json_t *old, const json_t *new,
                         bool skip(const char *)) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)old, name, value) {
        if (skip == NULL || !skip(name)) {
            print_change(of, name, value, json_object_get(new, name));
        }
    }
    json_object_foreach((json_t *)(uintptr_t) new, name, value) {
        if ((skip == NULL || !skip(name)) && json_object_get(old, name) == NULL) {
            print_change(of, name, NULL, value);
        }
    }
}

static json_t *find(const json_t *list, const struct part *part, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(item, part->key)), name) == 0) {
            return item;
        }
    }
    return NULL;
}

static void diff_part(const struct part *part, const json_t *old, const json_t *new) {
    for (size_t i = 0; i < json_array_size(old); i++) {
        json_t *item = json_array_get(old, i);
        const char *name = json_string_value(json_object_get(item, part->key));
        json_t *other = find(new, part, name);
        struct buffer of = {0};
        buffer_append_format(&of, "%s %s%c", part->word, name, '\0');
        if (other == NULL) {
            printf("- %s\n", of.data);
        } else {
            diff_members(of.data, item, other, NULL);
        }
        buffer_release(&of);
    }
    for (size_t i = 0; i < json_array_size(new); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(new, i), part->key));
        if (find(old, part, name) == NULL) {
            printf("+ %s %s\n", part->word, name);
        }
    }
}

static bool is_part(const char *name) {
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (strcmp(parts[i].list, name) == 0) {
            return true;
        }
    }
    return strcmp(name, "settings") == 0;
}

static json_t *parsed(const struct policy_pack *pack) {
    struct span bytes = policy_pack_bytes(pack);
    return json_loadb(bytes.data, bytes.size, 0, NULL);
}

void policy_diff_print(const struct policy_pack *old, const struct policy_pack *new) {
    json_t *before = parsed(old), *after = parsed(new);
    diff_members("", before, after, is_part);
    for (size_t i = 0; i < PART_COUNT; i++) {
        diff_part(&parts[i], json_object_get(before, parts[i].list),
                  json_object_get(after, parts[i].list));
    }
    diff_members("settings", json_object_get(before, "settings"),
                 json_object_get(after, "settings"), NULL);
    json_decref(before);
    json_decref(after);
}
