/* A case table: its file, the variants of its pack, and how cases are counted. Threads: one. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_table.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "cli/file.h"

#define TABLE_MAX 16777216 /* a case takes 200 bytes, the longest legal pack 4 MiB */

static int append(const char *bytes, size_t size, void *buffer) {
    buffer_append(buffer, bytes, size);
    return 0;
}

static void dump(json_t *json, struct buffer *out) {
    (void)json_dump_callback(json, append, out, JSON_COMPACT | JSON_ENCODE_ANY);
    buffer_append(out, "", 1);
}

static json_t *parse(struct table *t, struct span bytes) {
    json_error_t why;
    json_t *json = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL) {
        table_wrong(t, "is not JSON: line %d, column %d", why.line, why.column);
    }
    return json;
}

static void check_notes(struct table *t) {
    static const char *const known[] = {"admission", "decisions", "permits", "rules", NULL};
    json_t *notes = table_object(t, t->root, "notApplicable");
    const char *part, *code;
    json_t *list, *reason;
    table_known(t, notes, known);
    json_object_foreach(notes, part, list) {
        (void)table_object(t, notes, part);
        json_object_foreach(list, code, reason) {
            if (json_string_length(reason) == 0) {
                table_wrong(t, "notApplicable of \"%s\" needs a reason", code);
            }
        }
    }
}

bool table_open(struct table *t, struct policy_pack *base) {
    static const char *const known[] = {"pack",   "now",           "variants", "fixtures",
                                        "cases",  "consents",      "request",  "decisions",
                                        "matrix", "notApplicable", NULL};
    struct buffer bytes = {0};
    t->base = base;
    t->none = json_array();
    t->rules_applied = arena_array(&t->arena, policy_pack_rule_count(base) + 1, sizeof(uint32_t));
    t->pack_json = parse(t, policy_pack_bytes(base));
    if (cli_file_read(t->command, t->path, TABLE_MAX, &bytes) != CLI_OK) {
        t->wrong = true;
    } else if ((t->root = parse(t, buffer_span(&bytes))) != NULL && !json_is_object(t->root)) {
        table_wrong(t, "must be an object");
    }
    buffer_release(&bytes);
    if (t->wrong || !table_known(t, t->root, known)) {
        return false;
    }
    if (!span_present(table_text(t, t->root, "now"))) {
        table_wrong(t, "\"now\" is missing");
    }
    t->now = table_time(t, t->root, "now", 0);
    check_notes(t);
    return !t->wrong;
}

void table_close(struct table *t) {
    for (struct table_variant *v = t->variants; v != NULL; v = v->next) {
        policy_pack_free(v->pack);
    }
    json_decref(t->root);
    json_decref(t->pack_json);
    json_decref(t->none);
    arena_release(&t->arena);
}

static struct policy_pack *load(struct table *t, const char *name, json_t *edits) {
    struct policy_error error;
    struct policy_pack *pack = NULL;
    struct buffer text = {0};
    json_t *edited = table_edited(t, t->pack_json, edits);
    dump(edited, &text);
    if (!t->wrong &&
        policy_pack_load(span_of(text.data, text.size - 1), &pack, &error) != STATUS_OK) {
        table_wrong(t, "variant \"%s\" is no valid pack: at \"%s\": %s", name, error.pointer,
                    error.detail);
    }
    buffer_release(&text);
    json_decref(edited);
    return pack;
}

struct policy_pack *table_pack(struct table *t, struct span variant) {
    if (!span_present(variant)) {
        return t->base;
    }
    for (struct table_variant *v = t->variants; v != NULL; v = v->next) {
        if (span_is(variant, v->name)) {
            return v->pack;
        }
    }
    json_t *edits = table_object(t, table_object(t, t->root, "variants"), variant.data);
    if (edits == NULL) {
        table_wrong(t, "there is no variant \"%.*s\"", SPAN_ARG(variant));
        return NULL;
    }
    struct policy_pack *pack = load(t, variant.data, edits);
    if (pack != NULL) {
        struct table_variant *made = arena_array(&t->arena, 1, sizeof *made);
        *made = (struct table_variant){t->variants, variant.data, pack};
        t->variants = made;
    }
    return pack;
}

json_t *table_merged(json_t *fixture, json_t *members) {
    json_t *copy = json_deep_copy(fixture), *value;
    const char *name;
    json_object_foreach(members, name, value) {
        if (json_is_null(value)) {
            json_object_del(copy, name);
        } else {
            json_object_set(copy, name, value);
        }
    }
    return copy;
}

bool table_is_for(const json_t *test, const char *fixture) {
    const json_t *only = json_object_get(test, "only");
    for (size_t i = 0; i < json_array_size(only); i++) {
        if (strcmp(json_string_value(json_array_get(only, i)), fixture) == 0) {
            return true;
        }
    }
    return only == NULL;
}

void table_check_names(struct table *t, json_t *test, json_t *fixtures) {
    json_t *expect = json_object_get(test, "expect"), *value;
    struct table_texts only = table_texts(t, &t->arena, test, "only");
    const char *name;
    if (only.present && only.count == 0) {
        table_wrong(t, "\"only\" names no fixture");
    }
    for (uint32_t i = 0; i < only.count && !t->wrong; i++) {
        if (json_object_get(fixtures, only.items[i].data) == NULL) {
            table_wrong(t, "there is no fixture \"%.*s\"", SPAN_ARG(only.items[i]));
        }
    }
    json_object_foreach(expect, name, value) {
        if (json_object_get(fixtures, name) == NULL) {
            table_wrong(t, "there is no fixture \"%s\"", name);
        }
    }
}

json_t *table_expected(struct table *t, json_t *test, const char *fixture, table_is_code *is_code) {
    json_t *expect = json_object_get(test, "expect");
    if (expect == NULL) {
        table_wrong(t, "\"expect\" is missing");
        return t->none;
    }
    if (json_is_object(expect)) {
        expect = json_object_get(expect, fixture);
    }
    if (expect == NULL ||
        (json_is_string(expect) && strcmp(json_string_value(expect), "permit") == 0)) {
        return t->none;
    }
    if (!json_is_array(expect)) {
        table_wrong(t, "\"expect\" must be a list of codes or, of a decision, \"permit\"");
        return t->none;
    }
    for (size_t i = 0; i < json_array_size(expect); i++) {
        const char *code = json_string_value(json_array_get(expect, i));
        if (code == NULL || !is_code(code)) {
            table_wrong(t, "\"%s\" is no code", code != NULL ? code : "");
        }
    }
    return expect;
}

void table_fail(struct table *t, const char *format, ...) {
    va_list args;
    t->failed++;
    va_start(args, format);
    printf("FAILED %s: ", t->where);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

void table_judge(struct table *t, json_t *expected, json_t *found) {
    struct buffer should = {0}, was = {0};
    t->cases++;
    if (!json_equal(expected, found)) {
        dump(expected, &should);
        dump(found, &was);
        table_fail(t, "expected %s but was %s", should.data, was.data);
    }
    buffer_release(&should);
    buffer_release(&was);
}

uint32_t table_column(const struct table *t, struct span license) {
    const struct policy_license *found = policy_pack_license_find(t->base, license);
    return found != NULL ? (uint32_t)(found - policy_pack_license(t->base, 0))
                         : policy_pack_license_count(t->base);
}
