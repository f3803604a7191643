/* Verifier keys: who may sign a note (C2SP signed-note, "Signatures" and "Verifier keys"). Two
 * kinds: those of logs sign the note's text, those of witnesses cosign a checkpoint
 * (cosignature.h). A key is known by name and ID together. Pure; thread-safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_VKEY_H
#define TLOG_VKEY_H

#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

#define TLOG_PUBLIC_KEY_SIZE 32 /* of Ed25519, RFC 8032; a seed is as large */
#define TLOG_SIGNATURE_SIZE 64
#define TLOG_KEY_ID_SIZE 4
/* A verifier key as text, beside its name and with a NUL. */
#define TLOG_VKEY_SIZE 64

enum tlog_key_type { TLOG_KEY_ED25519 = 1, TLOG_KEY_COSIGNATURE = 4 };

struct tlog_vkey {
    struct span name;
    enum tlog_key_type type;
    unsigned char id[TLOG_KEY_ID_SIZE]; /* SHA-256(name || 0x0A || type || public key)[:4] */
    unsigned char public_key[TLOG_PUBLIC_KEY_SIZE];
};

/* True for a name that a note can carry: not empty, UTF-8, without Unicode spaces, '+'
 * and control characters below U+0020. */
bool tlog_name_valid(struct span name);
/* The key of a valid name, which is borrowed, with its ID. */
struct tlog_vkey tlog_vkey_make(struct span name, enum tlog_key_type type,
                                const unsigned char public_key[TLOG_PUBLIC_KEY_SIZE]);
/* Reads <name>+<hex id>+<base64 of type and public key> of either kind; borrows the name from
 * text. STATUS_INVALID_PARAMETER for other kinds, and when the ID is not the one that follows. */
MUST_CHECK enum status tlog_vkey_parse(struct span text, struct tlog_vkey *out);
/* True when signature is the key's Ed25519 signature of message. */
MUST_CHECK bool tlog_vkey_verify(const struct tlog_vkey *key, struct span message,
                                 const unsigned char signature[TLOG_SIGNATURE_SIZE]);

/* The same for a text that may be a signing key's, with the seed where the public key stands: the
 * ID is not looked at. */
MUST_CHECK enum status tlog_vkey_parse_parts(struct span text, struct tlog_vkey *out);
/* Writes a key as it was read, with a NUL; size is at least the name's and TLOG_VKEY_SIZE. */
void tlog_vkey_text(const struct tlog_vkey *key, char *out, size_t size);

#endif
