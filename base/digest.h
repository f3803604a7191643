/* SHA-256, HMAC-SHA-256 and random bytes, by OpenSSL. All are thread-safe and cannot fail: a
 * failing OpenSSL digest is out of memory, which is fatal. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

#define DIGEST_SIZE 32
#define MAC16_SIZE 16
#define MAC_KEY_SIZE 32

struct digest {
    unsigned char bytes[DIGEST_SIZE];
};

struct mac16 {
    unsigned char bytes[MAC16_SIZE];
};

struct digest digest_sha256(struct span data);
/* SHA-256 over the concatenation of parts. */
struct digest digest_sha256_parts(const struct span *parts, size_t count);
struct digest digest_hmac(struct span key, const struct span *parts, size_t count);
/* First 16 bytes of HMAC-SHA-256 over the parts, each preceded by its size as u32 big-endian, so
 * that ("ab","c") and ("a","bc") differ. */
struct mac16 digest_mac16(const unsigned char key[MAC_KEY_SIZE], const struct span *parts,
                          size_t count);
bool digest_equal(const struct digest *a, const struct digest *b);     /* constant time */
bool digest_mac16_equal(const struct mac16 *a, const struct mac16 *b); /* likewise */
/* Fills out with size bytes from the system's generator, buffered per thread. */
void digest_random(void *out, size_t size);
/* Encrypts or decrypts one 16-byte block (AES-128) under key: makes cursors opaque. */
void digest_seal_block(const unsigned char key[16], const unsigned char in[16],
                       unsigned char out[16]);
void digest_unseal_block(const unsigned char key[16], const unsigned char in[16],
                         unsigned char out[16]);

#endif
