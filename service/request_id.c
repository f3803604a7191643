/* Request ids: taken over when they are harmless, made otherwise. */
// SPDX-License-Identifier: Apache-2.0
#include "service/request_id.h"

#include "base/digest.h"
#include "base/encode.h"

#define TRACE_SIZE 32
#define TRACEPARENT_SIZE 55 /* 00-<32>-<16>-<2> */

bool request_id_valid(struct span text) {
    if (text.size == 0 || text.size > REQUEST_ID_SIZE_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '!' || text.data[i] > '~')
            return false;
    return true;
}

/* Lower-case hex only, as the standard has it; *zero tells whether all digits were 0. */
static bool hex_field(const char *text, size_t size, bool *zero) {
    *zero = true;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *zero = *zero && c == '0';
    }
    return true;
}

struct span request_id_trace(struct span traceparent) {
    const char *text = traceparent.data;
    bool version_zero, trace_zero, parent_zero, flags_zero;
    if (traceparent.size < TRACEPARENT_SIZE || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return SPAN_NONE;
    if (!hex_field(text, 2, &version_zero) || !hex_field(text + 3, TRACE_SIZE, &trace_zero) ||
        !hex_field(text + 36, 16, &parent_zero) || !hex_field(text + 53, 2, &flags_zero))
        return SPAN_NONE;
    if (trace_zero || parent_zero || memcmp(text, "ff", 2) == 0)
        return SPAN_NONE;
    /* Version 00 ends here; later ones may add fields. */
    if (traceparent.size > TRACEPARENT_SIZE && (version_zero || text[TRACEPARENT_SIZE] != '-'))
        return SPAN_NONE;
    return span_of(text + 3, TRACE_SIZE);
}

struct span request_id_choose(struct span offered, struct span trace, struct arena *arena) {
    unsigned char random[16];
    if (span_present(offered) && request_id_valid(offered))
        return offered;
    if (span_present(trace))
        return trace;
    char *made = arena_alloc(arena, 2 * sizeof random + 1);
    digest_random(random, sizeof random);
    made[encode_hex(random, sizeof random, made)] = '\0';
    return span_of(made, 2 * sizeof random);
}
