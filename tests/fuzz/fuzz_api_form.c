/* Any bytes as the form of an OAuth endpoint. What is accepted is within its bounds, each field
 * once, and the same fields written anew are read the same. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "api/form.h"
#include "base/limits.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 3
static const char *const names[FIELDS] = {"token", "token_type_hint", "client_id"};
static const size_t sizes[FIELDS] = {LIMIT_TOKEN, 64, LIMIT_URL};

static bool read(struct arena *arena, struct span body, struct span values[FIELDS]) {
    struct api_form_field fields[FIELDS + 1] = {{NULL, 0, false, NULL}};
    const char *why = NULL;
    for (int i = 0; i < FIELDS; i++)
        fields[i] = (struct api_form_field){names[i], sizes[i], i == 0, &values[i]};
    bool taken = api_form_read(arena, body, fields, &why);
    ASSERT(taken == (why == NULL));
    return taken;
}

/* Every character percent-encoded. */
static void write(const struct span values[FIELDS], struct buffer *out) {
    for (int i = 0; i < FIELDS; i++) {
        if (!span_present(values[i]))
            continue;
        buffer_append_format(out, "%s%s=", out->size != 0 ? "&" : "", names[i]);
        for (size_t c = 0; c < values[i].size; c++)
            buffer_append_format(out, "%%%02x", (unsigned char)values[i].data[c]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct buffer written = {0};
    struct span values[FIELDS] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
    struct span again[FIELDS] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
    if (read(&arena, span_of((const char *)data, size), values)) {
        ASSERT(span_present(values[0]));
        for (int i = 0; i < FIELDS; i++) {
            ASSERT(!span_present(values[i]) || (values[i].size > 0 && values[i].size <= sizes[i]));
            for (size_t c = 0; c < values[i].size; c++)
                ASSERT(values[i].data[c] >= ' ' && values[i].data[c] <= '~');
        }
        write(values, &written);
        ASSERT(read(&arena, buffer_span(&written), again));
        for (int i = 0; i < FIELDS; i++)
            ASSERT(span_equal(values[i], again[i]));
    } else {
        ASSERT(!span_present(values[0]) && !span_present(values[1]) && !span_present(values[2]));
    }
    buffer_release(&written);
    arena_release(&arena);
    return 0;
}
