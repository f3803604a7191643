/* Leaves of the log: 36 bytes that commit to a payload without relating to a person. Pure.
 * Leaf hash: RFC 6962 section 2.1, SHA-256(0x00 || leaf). */
// SPDX-License-Identifier: Apache-2.0
#ifndef TLOG_LEAF_H
#define TLOG_LEAF_H

#include "base/digest.h"

#define TLOG_LEAF_SIZE 36
#define TLOG_SALT_SIZE 32

/* u8 version=1, u8 type, u16 reserved=0, commitment. */
void tlog_leaf_encode(unsigned char type, const struct digest *commitment,
                      unsigned char out[TLOG_LEAF_SIZE]);
/* HMAC-SHA-256(key = salt, "consentd/payload/v1\0" || payload). */
struct digest tlog_commitment(const unsigned char salt[TLOG_SALT_SIZE], struct span payload);
/* Of an entry of any size, in any log: SHA-256(0x00 || entry). */
struct digest tlog_entry_hash(struct span entry);
struct digest tlog_leaf_hash(const unsigned char leaf[TLOG_LEAF_SIZE]);

#endif
