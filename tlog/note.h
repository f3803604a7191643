/* Signed notes: a text and the signatures under it (C2SP signed-note). What a note says is worth
 * nothing before a signature by a trusted key has been verified. Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_NOTE_H
#define TLOG_NOTE_H

#include <stdint.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/key.h"
#include "tlog/vkey.h"

#define TLOG_SIGNATURES_MAX 64 /* of one note; the specification asks for 16 at least */

struct tlog_signature {
    struct span line; /* whole, with its newline */
    struct span name;
    unsigned char key_id[TLOG_KEY_ID_SIZE];
    struct span base64;         /* of key ID and signature */
    const struct tlog_vkey *by; /* whose it was found to be; NULL until then, and for strangers' */
    uint64_t time;              /* of a verified cosignature, in seconds since 1970 */
};

struct tlog_note {
    struct span text; /* with the newline that ends it, without the empty line */
    uint32_t count;   /* at least 1 */
    struct tlog_signature signatures[TLOG_SIGNATURES_MAX];
};

/* Reads a note; views into bytes. Signatures by keys that nobody knows are kept as they are, of
 * whatever type ("Format"). STATUS_INVALID_PARAMETER when bytes are no note, or one with more than
 * TLOG_SIGNATURES_MAX. */
MUST_CHECK enum status tlog_note_parse(struct span bytes, struct tlog_note *out);
/* Reads signature lines that stand apart from the text they sign, as a witness answers them (C2SP
 * tlog-witness, "add-checkpoint"). Views into both. */
MUST_CHECK enum status tlog_note_parse_apart(struct span text, struct span lines,
                                             struct tlog_note *out);
/* Verifies every signature whose name and ID are those of one of keys, and marks it; keys are
 * borrowed by the marks. Others are ignored ("Signatures"). STATUS_INVALID_PARAMETER, and nothing
 * is marked, when one of these does not verify, or when fewer than `needed` of keys have signed.
 * Can be called again with other keys. */
MUST_CHECK enum status tlog_note_verify(struct tlog_note *note, const struct tlog_vkey *keys,
                                        size_t count, size_t needed);

/* Appends the text and the empty line. text must end in a newline and be UTF-8 without other
 * control characters; signature lines must follow. */
void tlog_note_put_text(struct buffer *out, struct span text);
/* Appends the signature line of a key of type TLOG_KEY_ED25519 over text. */
void tlog_note_put_signature(struct buffer *out, const struct tlog_key *key, struct span text);
/* Appends a signature line of these bytes, at most TLOG_COSIGNATURE_SIZE; the key ID is put before
 * them. */
void tlog_note_put_line(struct buffer *out, const struct tlog_vkey *key, const void *bytes,
                        size_t size);

#endif
