/* Packs for unit tests: read from files, edited in one place, loaded. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_POLICY_H
#define TESTS_UNIT_SUPPORT_POLICY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "policy/admission.h"
#include "policy/pack.h"

#define EVERY_MEMBER "tests/packs/every-member.json"
#define PERSEUS_PACK "policy/packs/perseus-2026-03-12.json"

static json_t *json_file(const char *path) {
    json_error_t why;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        fail_msg("%s:%d: %s", path, why.line, why.text);
    return json;
}

static json_t *json_of(const char *text) {
    json_error_t why;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &why);
    if (json == NULL)
        fail_msg("%s: %s", text, why.text);
    return json;
}

/* Puts value (taken; NULL: removes) at a JSON pointer; "-" appends to an array. Steps must not
 * need escapes. */
static void json_put(json_t *root, const char *pointer, json_t *value) {
    char step[128];
    json_t *at = root;
    for (;;) {
        size_t size = strcspn(pointer + 1, "/");
        assert_true(pointer[0] == '/' && size < sizeof step);
        memcpy(step, pointer + 1, size);
        step[size] = '\0';
        pointer += size + 1;
        if (*pointer == '\0')
            break;
        at = json_is_array(at) ? json_array_get(at, strtoul(step, NULL, 10))
                               : json_object_get(at, step);
        assert_non_null(at);
    }
    int wrong;
    if (json_is_object(at))
        wrong = value != NULL ? json_object_set_new(at, step, value) : json_object_del(at, step);
    else if (strcmp(step, "-") == 0)
        wrong = json_array_append_new(at, value);
    else if (value == NULL)
        wrong = json_array_remove(at, strtoul(step, NULL, 10));
    else
        wrong = json_array_set_new(at, strtoul(step, NULL, 10), value);
    assert_int_equal(wrong, 0);
}

/* Takes nothing; the caller frees what it loaded. */
static enum status load_json(const json_t *json, struct policy_pack **out,
                             struct policy_error *error) {
    char *text = json_dumps(json, JSON_COMPACT);
    enum status status = policy_pack_load(span_of_text(text), out, error);
    free(text);
    return status;
}

/* Takes the JSON. */
static struct policy_pack *loaded(json_t *json) {
    struct policy_pack *pack = NULL;
    struct policy_error error;
    if (load_json(json, &pack, &error) != STATUS_OK)
        fail_msg("at \"%s\": %s", error.pointer, error.detail);
    json_decref(json);
    return pack;
}

static int64_t ms(const char *text) {
    int64_t time_ms = 0;
    if (timestamp_parse(span_of_text(text), &time_ms) != STATUS_OK)
        fail_msg("%s is no time", text);
    return time_ms;
}

#endif
