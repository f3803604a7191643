/* Checkpoints. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/checkpoint.h"

#include "base/log.h"
#include "tlog/text.h"

/* True for lines that are none of them empty. */
static bool full_lines(struct span lines) {
    struct span line;
    while (lines.size != 0)
        if (tlog_text_line(&lines, &line) != STATUS_OK || line.size == 0)
            return false;
    return true;
}

enum status tlog_checkpoint_parse(struct span bytes, struct tlog_checkpoint *out) {
    struct tlog_checkpoint read = {.bytes = bytes};
    if (tlog_note_parse(bytes, &read.note) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    read.extensions = read.note.text;
    if (tlog_text_line(&read.extensions, &read.origin) != STATUS_OK || read.origin.size == 0 ||
        tlog_text_number(&read.extensions, SPAN(""), &read.head.size) != STATUS_OK ||
        tlog_text_hash(&read.extensions, &read.head.root) != STATUS_OK ||
        !full_lines(read.extensions))
        return STATUS_INVALID_PARAMETER;
    *out = read;
    return STATUS_OK;
}

enum status tlog_checkpoint_verify(struct tlog_checkpoint *checkpoint,
                                   const struct tlog_trust *trust) {
    struct tlog_note marked = checkpoint->note;
    if (!span_equal(checkpoint->origin, trust->origin) ||
        tlog_note_verify(&marked, trust->keys, trust->key_count, 1) != STATUS_OK ||
        tlog_note_verify(&marked, trust->witnesses, trust->witness_count, trust->quorum) !=
            STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    checkpoint->note = marked;
    return STATUS_OK;
}

void tlog_checkpoint_put_text(struct buffer *out, struct span origin, const struct tlog_head *head,
                              struct span extensions) {
    ASSERT(origin.size != 0 && memchr(origin.data, '\n', origin.size) == NULL);
    ASSERT(full_lines(extensions));
    buffer_append_span(out, origin);
    buffer_append_text(out, "\n");
    tlog_text_put_number(out, SPAN(""), head->size);
    tlog_text_put_hash(out, &head->root);
    buffer_append_span(out, extensions);
}
