/* Signing keys, Ed25519, of a log or of a witness (vkey.h). Their text is the one that Go's
 * sumdb/note, where C2SP signed-note comes from, reads and writes:
 * PRIVATE+KEY+<name>+<hex id>+<base64 of type and seed>. Using a key is thread-safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_KEY_H
#define TLOG_KEY_H

#include "base/digest.h"
#include "base/span.h"
#include "base/status.h"
#include "tlog/vkey.h"

struct tlog_key;

/* Makes a log's key for `name` in a new file of mode 0600, synced. STATUS_INTERNAL when the name
 * is none (tlog_name_valid, at most 384 bytes), the file exists or cannot be written; errno tells.
 */
MUST_CHECK enum status tlog_key_create(const char *file, struct span name);
/* The same, of a key that cosigns as a witness. */
MUST_CHECK enum status tlog_key_create_cosigner(const char *file, struct span name);
/* STATUS_INTERNAL when the file is not a signing key. Caller frees with tlog_key_free. */
MUST_CHECK enum status tlog_key_load(const char *file, struct tlog_key **out);
/* The key of such a text, copied; STATUS_INVALID_PARAMETER when it is none. Caller frees with
 * tlog_key_free. */
MUST_CHECK enum status tlog_key_parse(struct span text, struct tlog_key **out);
/* The same secret under another valid name, as for the notes that tell heads from checkpoints.
 * Caller frees with tlog_key_free. */
struct tlog_key *tlog_key_renamed(const struct tlog_key *key, struct span name);
void tlog_key_free(struct tlog_key *key);

/* What verifies its signatures; borrowed until the key is freed. */
const struct tlog_vkey *tlog_key_public(const struct tlog_key *key);
/* That as text with a NUL. size must be at least the name's and TLOG_VKEY_SIZE. */
void tlog_key_vkey(const struct tlog_key *key, char *out, size_t size);
/* The Ed25519 signature of message: the same each time (RFC 8032 section 5.1.6). */
void tlog_key_sign(const struct tlog_key *key, struct span message,
                   unsigned char signature[TLOG_SIGNATURE_SIZE]);

#endif
