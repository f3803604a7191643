/* Any bytes as a note: what is taken is its text and its lines, no more; nothing is believed that
 * our key did not sign; and any text that can be signed is read back. A checkpoint is the one text
 * of what it says. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "tests/fuzz/support_tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct tlog_note *note, struct span bytes) {
    struct buffer whole = {0};
    tlog_note_put_text(&whole, note->text);
    for (uint32_t i = 0; i < note->count; i++)
        buffer_append_span(&whole, note->signatures[i].line);
    ASSERT(note->count >= 1 && span_equal(buffer_span(&whole), bytes));
    buffer_release(&whole);
}

/* Ed25519 is deterministic: a signature that verifies is the one that we would make. */
static void check_signatures(struct tlog_note *note) {
    struct tlog_key *key = fuzz_key();
    struct buffer line = {0};
    bool believed = tlog_note_verify(note, tlog_key_public(key), 1, 1) == STATUS_OK;
    if (believed)
        tlog_note_put_signature(&line, key, note->text);
    for (uint32_t i = 0; i < note->count; i++)
        ASSERT(note->signatures[i].by == NULL ||
               span_equal(note->signatures[i].line, buffer_span(&line)));
    buffer_release(&line);
}

static void check_signed(struct span text) {
    struct tlog_key *key = fuzz_key();
    struct buffer bytes = {0};
    struct tlog_note note;
    tlog_note_put_text(&bytes, text);
    tlog_note_put_signature(&bytes, key, text);
    ASSERT(tlog_note_parse(buffer_span(&bytes), &note) == STATUS_OK);
    ASSERT(span_equal(note.text, text) && note.count == 1);
    ASSERT(tlog_note_verify(&note, tlog_key_public(key), 1, 1) == STATUS_OK);
    buffer_release(&bytes);
}

static void check_checkpoint(struct span bytes) {
    struct tlog_checkpoint read;
    struct buffer text = {0};
    if (tlog_checkpoint_parse(bytes, &read) != STATUS_OK)
        return;
    tlog_checkpoint_put_text(&text, read.origin, &read.head, read.extensions);
    ASSERT(span_equal(buffer_span(&text), read.note.text));
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span bytes = span_of((const char *)data, size);
    struct tlog_note note;
    if (tlog_note_parse(bytes, &note) == STATUS_OK) {
        check_parts(&note, bytes);
        check_signatures(&note);
        check_signed(note.text);
        check_checkpoint(bytes);
    }
    return 0;
}
