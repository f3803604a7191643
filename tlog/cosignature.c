/* Cosignatures of checkpoints. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/cosignature.h"

#include "base/log.h"
#include "tlog/note.h"
#include "tlog/text.h"

#define TIME_SIZE 8

/* Caller frees with buffer_release. */
static struct buffer message_of(uint64_t time, struct span text) {
    struct buffer message = {0};
    buffer_append_text(&message, "cosignature/v1\n");
    tlog_text_put_number(&message, SPAN("time "), time);
    buffer_append_span(&message, text);
    return message;
}

void tlog_cosignature_put(struct buffer *out, const struct tlog_key *key, uint64_t time,
                          struct span text) {
    unsigned char bytes[TLOG_COSIGNATURE_SIZE];
    ASSERT(tlog_key_public(key)->type == TLOG_KEY_COSIGNATURE && time != 0);
    struct buffer message = message_of(time, text);
    for (size_t i = 0; i < TIME_SIZE; i++)
        bytes[i] = (unsigned char)(time >> (8 * (TIME_SIZE - 1 - i)));
    tlog_key_sign(key, buffer_span(&message), bytes + TIME_SIZE);
    tlog_note_put_line(out, tlog_key_public(key), bytes, sizeof bytes);
    buffer_release(&message);
}

enum status tlog_cosignature_verify(const struct tlog_vkey *key, struct span text,
                                    struct span bytes, uint64_t *time) {
    const unsigned char *at = (const unsigned char *)bytes.data;
    uint64_t stated = 0;
    if (bytes.size != TLOG_COSIGNATURE_SIZE)
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < TIME_SIZE; i++)
        stated = stated << 8 | at[i];
    if (stated > INT64_MAX)
        return STATUS_INVALID_PARAMETER;
    struct buffer message = message_of(stated, text);
    bool good = tlog_vkey_verify(key, buffer_span(&message), at + TIME_SIZE);
    buffer_release(&message);
    if (!good)
        return STATUS_INVALID_PARAMETER;
    *time = stated;
    return STATUS_OK;
}
