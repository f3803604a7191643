/* UUIDs, version 7 (RFC 9562 section 5.7). libuuid writes the text; it reads it number by number
 * with strtoul, at a fifth of a microsecond, so that is done here. Its random bytes would cost a
 * system call an id, so they come from the thread's block (base/digest.h). */
// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <uuid/uuid.h>

#include "base/digest.h"
#include "base/encode.h"

struct uuid uuid_make(int64_t now_ms) {
    struct uuid id;
    digest_random(id.bytes + 6, UUID_SIZE - 6);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    id.bytes[6] = (unsigned char)(0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (unsigned char)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

struct uuid uuid_make_after(int64_t now_ms, const struct uuid *last) {
    struct uuid id = uuid_make(now_ms);
    if (memcmp(id.bytes, last->bytes, 6) != 0 || memcmp(id.bytes, last->bytes, UUID_SIZE) > 0)
        return id;
    struct uuid next = *last;
    unsigned carry = 1; /* a step of at least one */
    for (int i = UUID_SIZE - 1; i > 8; i--) {
        carry += next.bytes[i] + (i >= UUID_SIZE - 5 ? id.bytes[i] : 0U);
        next.bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
    carry += next.bytes[8] & 0x3fU;
    next.bytes[8] = (unsigned char)(0x80 | (carry & 0x3f));
    carry = (carry >> 6) + next.bytes[7];
    next.bytes[7] = (unsigned char)carry;
    carry = (carry >> 8) + (next.bytes[6] & 0x0fU);
    next.bytes[6] = (unsigned char)(0x70 | (carry & 0x0f));
    return carry > 0x0f ? id : next;
}

enum status uuid_from_text(struct span text, struct uuid *out) {
    static const struct {
        unsigned char at, size; /* in bytes of the id */
    } groups[] = {{0, 4}, {4, 2}, {6, 2}, {8, 2}, {10, 6}};
    struct uuid id;
    const char *from = text.data;
    if (text.size != UUID_TEXT_SIZE)
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        size_t size = groups[i].size;
        if ((i > 0 && *from++ != '-') ||
            decode_hex(span_of(from, 2 * size), id.bytes + groups[i].at, size) != STATUS_OK)
            return STATUS_INVALID_PARAMETER;
        from += 2 * size;
    }
    *out = id;
    return STATUS_OK;
}

void uuid_to_text(const struct uuid *id, char out[UUID_TEXT_SIZE + 1]) {
    uuid_unparse_lower(id->bytes, out);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b) {
    return memcmp(a->bytes, b->bytes, UUID_SIZE) == 0;
}

bool uuid_is_nil(const struct uuid *id) {
    static const struct uuid nil;
    return uuid_equal(id, &nil);
}
