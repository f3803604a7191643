/* Files of test vectors: this project's own under tests/vectors, and those that stand beside a
 * checkout in ../shared/vectors, which a test must be able to do without. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_VECTORS_H
#define TESTS_UNIT_SUPPORT_VECTORS_H

#include <jansson.h>

#include "tests/unit/support_base.h"

#define SHARED_VECTORS "../shared/vectors/"

/* The whole file with a NUL; absent when it cannot be opened. Freed with mem_free. */
UNUSED static struct span whole_file(const char *path) {
    struct buffer buffer = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return SPAN_NONE;
    size_t got;
    do {
        got = fread(buffer_reserve(&buffer, 65536), 1, 65536, file);
        buffer.size += got;
    } while (got != 0);
    fclose(file);
    buffer_reserve(&buffer, 1)[0] = '\0';
    return buffer_span(&buffer);
}

UNUSED static void file_free(struct span content) {
    mem_free((char *)(uintptr_t)content.data);
}

/* tests/vectors/<name>; unit tests run at the top of the checkout. Freed with json_decref. */
UNUSED static json_t *vectors_load(const char *name) {
    char path[128];
    json_error_t error;
    snprintf(path, sizeof path, "tests/vectors/%s", name);
    json_t *vectors = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (vectors == NULL)
        fail_msg("%s: %s", path, error.text);
    return vectors;
}

UNUSED static void skip_without_vectors(void) {
    print_message("skipped: no vectors\n");
    skip();
}

#endif
