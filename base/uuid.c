/* UUIDs, version 7 (RFC 9562 section 5.7). Random bytes come from libuuid. */
// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <uuid/uuid.h>

struct uuid uuid_make(int64_t now_ms) {
    uuid_t random;
    struct uuid id;
    uuid_generate_random(random);
    memcpy(id.bytes, random, UUID_SIZE);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    id.bytes[6] = (unsigned char)(0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (unsigned char)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_hyphen_place(size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

enum status uuid_from_text(struct span text, struct uuid *out) {
    struct uuid id;
    size_t digits = 0;
    if (text.size != UUID_TEXT_SIZE)
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        if (is_hyphen_place(i)) {
            if (text.data[i] != '-')
                return STATUS_INVALID_PARAMETER;
            continue;
        }
        int value = digit(text.data[i]);
        if (value < 0)
            return STATUS_INVALID_PARAMETER;
        unsigned char *byte = &id.bytes[digits / 2];
        *byte = (unsigned char)(digits % 2 == 0 ? value << 4 : *byte | value);
        digits++;
    }
    *out = id;
    return STATUS_OK;
}

void uuid_to_text(const struct uuid *id, char out[UUID_TEXT_SIZE + 1]) {
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (is_hyphen_place(at))
            out[at++] = '-';
        out[at++] = hex[id->bytes[i] >> 4];
        out[at++] = hex[id->bytes[i] & 15];
    }
    out[at] = '\0';
}

bool uuid_equal(const struct uuid *a, const struct uuid *b) {
    return memcmp(a->bytes, b->bytes, UUID_SIZE) == 0;
}

bool uuid_is_nil(const struct uuid *id) {
    static const struct uuid nil;
    return uuid_equal(id, &nil);
}
