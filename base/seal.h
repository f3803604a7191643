/* Sealing secrets that must be read again: AES-256-GCM by OpenSSL. Thread-safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/mem.h"

#define SEAL_KEY_SIZE 32
#define SEAL_OVERHEAD (12 + 16) /* nonce before, tag behind */

/* Appends nonce, ciphertext and tag to out. `bound` is not kept, but must be given to open it.
 * Under one key seal fewer than 2^32 texts: nonces are random (NIST SP 800-38D, section 8.3). */
void seal_close(const unsigned char key[SEAL_KEY_SIZE], struct span bound, struct span plain,
                struct buffer *out);
/* Writes what was sealed into out, which has room for sealed.size - SEAL_OVERHEAD bytes. False, and
 * nothing of it in out, when it was not sealed by this key for this. */
bool seal_open(const unsigned char key[SEAL_KEY_SIZE], struct span bound, struct span sealed,
               char *out);
/* Overwrites a secret, also where the compiler sees no use of it. */
void seal_wipe(void *bytes, size_t size);

#endif
