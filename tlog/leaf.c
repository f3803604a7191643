/* Leaves and commitments. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/leaf.h"

void tlog_leaf_encode(unsigned char type, const struct digest *commitment,
                      unsigned char out[TLOG_LEAF_SIZE]) {
    out[0] = 1;
    out[1] = type;
    out[2] = out[3] = 0;
    memcpy(out + 4, commitment->bytes, DIGEST_SIZE);
}

struct digest tlog_commitment(const unsigned char salt[TLOG_SALT_SIZE], struct span payload) {
    static const char domain[] = "consentd/payload/v1"; /* its NUL is part of it */
    const struct span parts[] = {span_of(domain, sizeof domain), payload};
    return digest_hmac(span_of((const char *)salt, TLOG_SALT_SIZE), parts, 2);
}

struct digest tlog_entry_hash(struct span entry) {
    const struct span parts[] = {span_of("\0", 1), entry};
    return digest_sha256_parts(parts, 2);
}

struct digest tlog_leaf_hash(const unsigned char leaf[TLOG_LEAF_SIZE]) {
    return tlog_entry_hash(span_of((const char *)leaf, TLOG_LEAF_SIZE));
}
