/* Filling in the placeholders of a licence's text. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/notice.h"

#include "base/mem.h"

/* The substitution whose placeholder stands in brackets at the beginning of rest. */
static const struct policy_substitution *at(struct span rest, const struct policy_notice *notice) {
    for (uint32_t i = 0; i < notice->substitution_count; i++) {
        struct span name = notice->substitutions[i].placeholder;
        if (rest.size >= name.size + 2 && rest.data[0] == '[' && rest.data[name.size + 1] == ']' &&
            memcmp(rest.data + 1, name.data, name.size) == 0)
            return &notice->substitutions[i];
    }
    return NULL;
}

struct digest policy_notice_digest(struct span text, const struct policy_notice *notice) {
    struct buffer rendered = {0};
    while (text.size > 0) {
        const char *bracket = memchr(text.data, '[', text.size);
        size_t plain = bracket != NULL ? (size_t)(bracket - text.data) : text.size;
        buffer_append(&rendered, text.data, plain);
        text = span_of(text.data + plain, text.size - plain);
        if (text.size == 0)
            break;
        const struct policy_substitution *found = at(text, notice);
        size_t used = found != NULL ? found->placeholder.size + 2 : 1;
        buffer_append_span(&rendered, found != NULL ? found->value : span_of(text.data, 1));
        text = span_of(text.data + used, text.size - used);
    }
    struct digest digest = digest_sha256(buffer_span(&rendered));
    buffer_release(&rendered);
    return digest;
}
