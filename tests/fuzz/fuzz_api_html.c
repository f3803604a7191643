/* Any bytes as what somebody stored and a page shows: what comes out is valid UTF-8 that ends no
 * element, opens none, ends no attribute and has no control character; and reading the references
 * back gives the text, with U+FFFD where it was none. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "api/html_out.h"
#include "base/encode.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *reference;
    char stands_for;
} references[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};

/* The character that a reference at the start of text stands for; its size in *size. */
static char read_reference(struct span text, size_t *size) {
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        if (span_starts(text, span_of_text(references[i].reference))) {
            *size = strlen(references[i].reference);
            return references[i].stands_for;
        }
    }
    log_abort("an ampersand begins a reference", __FILE__, __LINE__);
}

static void check(struct span text, struct span out) {
    struct buffer back = {0};
    ASSERT(encode_utf8_valid(out));
    for (size_t i = 0, size; i < out.size; i += size) {
        unsigned char c = (unsigned char)out.data[i];
        size = 1;
        ASSERT(c >= ' ' || c == '\t' || c == '\n' || c == '\r');
        ASSERT(c != '<' && c != '>' && c != '"' && c != '\'' && c != 0x7f);
        if (c == '&')
            c = (unsigned char)read_reference(span_of(out.data + i, out.size - i), &size);
        buffer_append(&back, &c, 1);
    }
    bool replaced = memmem(back.data, back.size, "\xef\xbf\xbd", 3) != NULL;
    ASSERT(replaced || span_equal(buffer_span(&back), text));
    buffer_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    struct buffer out = {0};
    html_text(&out, text);
    ASSERT((size == 0) == (out.size == 0));
    if (size != 0)
        check(text, buffer_span(&out));
    buffer_release(&out);
    return 0;
}
