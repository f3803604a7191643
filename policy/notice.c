/* Filling in the placeholders of a licence's text, which was cut at them when the pack was loaded.
 * Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "policy/notice.h"

#include "base/log.h"
#include "policy/pack_private.h"

/* What stands for "[name]" in the words that were shown. */
static struct span filled(struct span bracketed, const struct policy_notice *notice) {
    struct span name = span_of(bracketed.data + 1, bracketed.size - 2);
    for (uint32_t i = 0; i < notice->substitution_count; i++)
        if (span_equal(notice->substitutions[i].placeholder, name))
            return notice->substitutions[i].value;
    return bracketed;
}

struct digest policy_notice_digest(const struct policy_text *text,
                                   const struct policy_notice *notice) {
    struct span parts[PACK_PARTS_MAX];
    ASSERT(text->part_count <= PACK_PARTS_MAX);
    for (uint32_t i = 0; i < text->part_count; i++)
        parts[i] =
            text->parts[i].placeholder ? filled(text->parts[i].text, notice) : text->parts[i].text;
    return digest_sha256_parts(parts, text->part_count);
}
