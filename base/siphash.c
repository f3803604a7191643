/* SipHash-2-4, 128 bits. Pure. */
// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

struct words {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t word, unsigned by) {
    return word << by | word >> (64 - by);
}

static struct words rounds(struct words v, int count) {
    for (int i = 0; i < count; i++) {
        v.a += v.b;
        v.c += v.d;
        v.b = rotate(v.b, 13) ^ v.a;
        v.d = rotate(v.d, 16) ^ v.c;
        v.a = rotate(v.a, 32) + v.d;
        v.c += v.b;
        v.d = rotate(v.d, 21) ^ v.a;
        v.b = rotate(v.b, 17) ^ v.c;
        v.c = rotate(v.c, 32);
    }
    return v;
}

static uint64_t get(const void *from, size_t size) {
    uint64_t word = 0;
    memcpy(&word, from, size);
    return le64toh(word);
}

static void absorb(struct words *v, uint64_t word) {
    v->d ^= word;
    *v = rounds(*v, 2);
    v->a ^= word;
}

static uint64_t squeeze(const struct words *v) {
    return htole64(v->a ^ v->b ^ v->c ^ v->d);
}

struct mac16 siphash(const unsigned char key[SIPHASH_KEY_SIZE], struct span data) {
    uint64_t k0 = get(key, 8), k1 = get(key + 8, 8), half;
    /* "somepseudorandomlygeneratedbytes", and 0xee for 128 bits */
    struct words v = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t whole = data.size & ~(size_t)7;
    struct mac16 out;
    for (size_t at = 0; at < whole; at += 8)
        absorb(&v, get(data.data + at, 8));
    uint64_t rest = data.size != whole ? get(data.data + whole, data.size - whole) : 0;
    absorb(&v, rest | (uint64_t)data.size << 56);
    v.c ^= 0xee;
    v = rounds(v, 4);
    half = squeeze(&v);
    memcpy(out.bytes, &half, sizeof half);
    v.b ^= 0xdd;
    v = rounds(v, 4);
    half = squeeze(&v);
    memcpy(out.bytes + sizeof half, &half, sizeof half);
    return out;
}
