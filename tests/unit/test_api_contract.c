/* openapi.yaml against the table of routes, both ways, and against the list of problems. Reads only
 * the layout that the file keeps: paths at two spaces, methods at four, members at six. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/assets.h"
#include "api/router.h"

#define OPERATIONS_MAX 128

struct operation {
    struct span path, method;
    struct span text; /* the lines of the operation */
};
struct contract {
    struct operation operations[OPERATIONS_MAX];
    size_t count;
};

static struct span next_line(struct span *text) {
    const char *end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    struct span line = span_of(text->data, size);
    size_t past = end != NULL ? size + 1 : size;
    *text = span_of(text->data + past, text->size - past);
    return line;
}

/* What stands between `indent` spaces and a final colon; absent when the line is not such a key. */
static struct span key_at(struct span line, size_t indent) {
    if (line.size < indent + 2 || line.data[indent] == ' ' || line.data[line.size - 1] != ':') {
        return SPAN_NONE;
    }
    for (size_t i = 0; i < indent; i++) {
        if (line.data[i] != ' ') {
            return SPAN_NONE;
        }
    }
    return span_of(line.data + indent, line.size - indent - 1);
}

static bool is_method(struct span key) {
    static const char *const names[] = {"get", "put", "post", "delete", "patch", "options", NULL};
    for (const char *const *name = names; *name != NULL; name++) {
        if (span_is(key, *name)) {
            return true;
        }
    }
    return false;
}

static int setup(void **state) {
    static struct contract contract;
    struct span text = api_asset_openapi();
    struct span path = SPAN_NONE;
    bool inside = false;
    contract.count = 0;
    while (text.size > 0) {
        struct span line = next_line(&text);
        struct span top = key_at(line, 0), second = key_at(line, 2), third = key_at(line, 4);
        if (span_present(top)) {
            inside = span_is(top, "paths");
        }
        if (inside && span_present(second)) {
            path = second;
        }
        if (inside && is_method(third)) {
            assert_true(contract.count < OPERATIONS_MAX);
            contract.operations[contract.count++] = (struct operation){path, third, SPAN_NONE};
        }
        if (inside && contract.count > 0 && !is_method(third)) {
            struct operation *last = &contract.operations[contract.count - 1];
            if (span_equal(last->path, path)) {
                const char *from = last->text.size > 0 ? last->text.data : line.data;
                last->text = span_of(from, (size_t)(line.data + line.size - from));
            }
        }
    }
    *state = &contract;
    return 0;
}

static bool same_method(struct span lower, const char *upper) {
    for (size_t i = 0; i < lower.size; i++) {
        if (upper[i] != (char)(lower.data[i] - 'a' + 'A')) {
            return false;
        }
    }
    return upper[lower.size] == '\0';
}

static const struct operation *find(const struct contract *contract, const char *method,
                                    const char *path) {
    for (size_t i = 0; i < contract->count; i++) {
        const struct operation *operation = &contract->operations[i];
        if (span_is(operation->path, path) && same_method(operation->method, method)) {
            return operation;
        }
    }
    return NULL;
}

static bool contains(struct span text, const char *wanted) {
    size_t size = strlen(wanted);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (memcmp(text.data + i, wanted, size) == 0) {
            return true;
        }
    }
    return false;
}

static void every_route_is_documented(void **state) {
    const char *method;
    unsigned number = 0;
    for (const struct api_route *route; (route = api_route_at(number, &method)) != NULL; number++) {
        const char *path = api_route_template(route);
        if (find(*state, method, path) == NULL) {
            fail_msg("%s %s is served and not in openapi.yaml", method, path);
        }
    }
    assert_true(number > 0);
}

static void every_documented_operation_has_a_route(void **state) {
    const struct contract *contract = *state;
    unsigned routes = 0;
    for (size_t i = 0; i < contract->count; i++) {
        const struct operation *operation = &contract->operations[i];
        const char *method;
        bool found = false;
        for (unsigned n = 0; api_route_at(n, &method) != NULL; n++) {
            found =
                found || (same_method(operation->method, method) &&
                          span_is(operation->path, api_route_template(api_route_at(n, &method))));
        }
        if (!found) {
            fail_msg("%.*s %.*s is in openapi.yaml and not served", SPAN_ARG(operation->method),
                     SPAN_ARG(operation->path));
        }
    }
    for (const char *method; api_route_at(routes, &method) != NULL;) {
        routes++;
    }
    assert_int_equal(contract->count, routes);
}

/* The scopes of the table are those of the document, no more and no fewer. */
static void every_route_asks_for_the_scopes_that_are_documented(void **state) {
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        const struct operation *operation = find(*state, route->method, route->path);
        assert_non_null(operation);
        assert_int_equal(contains(operation->text, "security: []"), route->door == API_OPEN);
        assert_int_equal(contains(operation->text, "- certificate: []"),
                         route->door == API_CERTIFICATE);
        assert_int_equal(contains(operation->text, "- hookKey: []"), route->door == API_HOOK);
        for (unsigned bit = 1; bit <= AUTH_ADMIN; bit <<= 1) {
            char line[64];
            snprintf(line, sizeof line, "- bearer: ['%s']", auth_scope_name((enum auth_scope)bit));
            if (contains(operation->text, line) != ((route->scopes & bit) != 0)) {
                fail_msg("%s %s: scope %s", route->method, route->path,
                         auth_scope_name((enum auth_scope)bit));
            }
        }
    }
}

static void every_route_reads_and_writes_the_media_types_that_are_documented(void **state) {
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        const struct operation *operation = find(*state, route->method, route->path);
        assert_non_null(operation);
        assert_int_equal(contains(operation->text, "requestBody:"), route->body != API_NO_BODY);
        for (const char *type = route->produces; type != NULL;) {
            size_t size = strcspn(type, ",");
            char line[64];
            snprintf(line, sizeof line, "%.*s:", (int)size, type);
            /* Responses that several operations share. */
            bool shared = contains(operation->text, "responses/Consent") ||
                          contains(operation->text, "responses/Taken");
            assert_true(shared ? size == strlen("application/json")
                               : contains(operation->text, line));
            type = type[size] == ',' ? type + size + 2 : NULL;
        }
    }
}

static void every_problem_is_documented(void **state) {
    struct span text = api_asset_openapi();
    (void)state;
    for (unsigned status = STATUS_OK + 1; status < STATUS_COUNT; status++) {
        char line[64];
        snprintf(line, sizeof line, "\n        - %s\n", status_name((enum status)status));
        if (!contains(text, line)) {
            fail_msg("%s is not in openapi.yaml", status_name((enum status)status));
        }
    }
}

static void the_page_is_embedded_whole(void **state) {
    struct span page = api_asset_docs();
    (void)state;
    assert_true(span_starts(page, SPAN("<!doctype html>\n")));
    assert_true(contains(span_of(page.data + page.size - 16, 16), "</html>\n"));
    assert_true(span_starts(api_asset_openapi(), SPAN("# The contract of consentd.")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented),
        cmocka_unit_test(every_documented_operation_has_a_route),
        cmocka_unit_test(every_route_asks_for_the_scopes_that_are_documented),
        cmocka_unit_test(every_route_reads_and_writes_the_media_types_that_are_documented),
        cmocka_unit_test(every_problem_is_documented),
        cmocka_unit_test(the_page_is_embedded_whole),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
