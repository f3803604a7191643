/* The log's Ed25519 signing key, in the note key format of C2SP signed-note: a key file holds
 * PRIVATE+KEY+<name>+<hex id>+<base64 of type 1 and seed>. The only door to OpenSSL's Ed25519. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_KEY_H
#define TLOG_KEY_H

#include "base/digest.h"
#include "base/span.h"
#include "base/status.h"

struct tlog_key;

/* Makes a key for the log `name` (no spaces, no '+') in a new file of mode 0600, synced.
 * STATUS_INTERNAL when it exists or cannot be written; errno tells. */
MUST_CHECK enum status tlog_key_create(const char *file, struct span name);
/* STATUS_INTERNAL when the file is not a signing key. Caller frees with tlog_key_free. */
MUST_CHECK enum status tlog_key_load(const char *file, struct tlog_key **out);
void tlog_key_free(struct tlog_key *key);
/* The verifier key <name>+<hex id>+<base64 of type 1 and public key>, with a NUL. size must be at
 * least the name's and 64. */
void tlog_key_vkey(const struct tlog_key *key, char *out, size_t size);

#endif
