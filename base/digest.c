/* Digests by OpenSSL; random bytes in blocks per thread. */
// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"

#define RANDOM_BLOCK 4096 /* the salts and ids of some 60 entries in one system call */
#define HMAC_BLOCK 64     /* of SHA-256 */

struct thread_state { /* what a thread keeps: fetching an algorithm costs more than a small digest
                       */
    EVP_MD_CTX *context;
    EVP_MD *sha256;
    size_t random_left;
    unsigned char random[RANDOM_BLOCK];
};

static pthread_key_t key;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;
static _Thread_local struct thread_state *own;

static void thread_end(void *memory) {
    struct thread_state *state = memory;
    own = NULL;
    EVP_MD_CTX_free(state->context);
    EVP_MD_free(state->sha256);
    OPENSSL_cleanse(state, sizeof *state);
    OPENSSL_free(state);
}

static void main_thread_end(void) {
    if (own != NULL)
        thread_end(own);
}

/* OpenSSL registers its own clean-up first, so that ours runs before it. */
static void make_key(void) {
    ASSERT(OPENSSL_init_crypto(0, NULL) == 1);
    ASSERT(pthread_key_create(&key, thread_end) == 0);
    ASSERT(atexit(main_thread_end) == 0);
}

static struct thread_state *state(void) {
    if (own != NULL)
        return own;
    ASSERT(pthread_once(&key_made, make_key) == 0);
    own = OPENSSL_zalloc(sizeof *own);
    ASSERT(own != NULL);
    own->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    own->context = EVP_MD_CTX_new();
    ASSERT(own->sha256 != NULL && own->context != NULL && pthread_setspecific(key, own) == 0);
    return own;
}

struct digest digest_sha256_parts(const struct span *parts, size_t count) {
    struct thread_state *s = state();
    struct digest out;
    ASSERT(EVP_DigestInit_ex2(s->context, s->sha256, NULL) == 1);
    for (size_t i = 0; i < count; i++)
        ASSERT(EVP_DigestUpdate(s->context, parts[i].data, parts[i].size) == 1);
    ASSERT(EVP_DigestFinal_ex(s->context, out.bytes, NULL) == 1);
    return out;
}

struct digest digest_sha256(struct span data) {
    return digest_sha256_parts(&data, 1);
}

/* RFC 2104: two digests are cheaper than EVP_MAC's set-up, which re-reads its parameters. */
static struct digest hmac(struct span mac_key, const struct span *parts, size_t count,
                          bool with_sizes) {
    struct thread_state *s = state();
    unsigned char block[HMAC_BLOCK] = {0};
    struct digest inner, out;
    if (mac_key.size > HMAC_BLOCK)
        inner = digest_sha256(mac_key), memcpy(block, inner.bytes, DIGEST_SIZE);
    else if (mac_key.size != 0)
        memcpy(block, mac_key.data, mac_key.size);
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36;
    ASSERT(EVP_DigestInit_ex2(s->context, s->sha256, NULL) == 1);
    ASSERT(EVP_DigestUpdate(s->context, block, sizeof block) == 1);
    for (size_t i = 0; i < count; i++) {
        unsigned char size[4] = {(unsigned char)(parts[i].size >> 24),
                                 (unsigned char)(parts[i].size >> 16),
                                 (unsigned char)(parts[i].size >> 8), (unsigned char)parts[i].size};
        if (with_sizes)
            ASSERT(EVP_DigestUpdate(s->context, size, sizeof size) == 1);
        ASSERT(EVP_DigestUpdate(s->context, parts[i].data, parts[i].size) == 1);
    }
    ASSERT(EVP_DigestFinal_ex(s->context, inner.bytes, NULL) == 1);
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    ASSERT(EVP_DigestInit_ex2(s->context, s->sha256, NULL) == 1);
    ASSERT(EVP_DigestUpdate(s->context, block, sizeof block) == 1);
    ASSERT(EVP_DigestUpdate(s->context, inner.bytes, DIGEST_SIZE) == 1);
    ASSERT(EVP_DigestFinal_ex(s->context, out.bytes, NULL) == 1);
    OPENSSL_cleanse(block, sizeof block);
    return out;
}

struct digest digest_hmac(struct span mac_key, const struct span *parts, size_t count) {
    return hmac(mac_key, parts, count, false);
}

struct mac16 digest_mac16(const unsigned char mac_key[MAC_KEY_SIZE], const struct span *parts,
                          size_t count) {
    struct mac16 out;
    struct digest full = hmac(span_of((const char *)mac_key, MAC_KEY_SIZE), parts, count, true);
    memcpy(out.bytes, full.bytes, MAC16_SIZE);
    return out;
}

bool digest_equal(const struct digest *a, const struct digest *b) {
    return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

bool digest_mac16_equal(const struct mac16 *a, const struct mac16 *b) {
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void refill(struct thread_state *s) {
    size_t have = 0;
    while (have < RANDOM_BLOCK) {
        ssize_t got = getrandom(s->random + have, RANDOM_BLOCK - have, 0);
        ASSERT(got > 0 || errno == EINTR);
        have += got > 0 ? (size_t)got : 0;
    }
    s->random_left = RANDOM_BLOCK;
}

void digest_random(void *out, size_t size) {
    struct thread_state *s = state();
    unsigned char *to = out;
    while (size > 0) {
        if (s->random_left == 0)
            refill(s);
        size_t n = size < s->random_left ? size : s->random_left;
        unsigned char *from = s->random + RANDOM_BLOCK - s->random_left;
        memcpy(to, from, n);
        OPENSSL_cleanse(from, n); /* used once */
        s->random_left -= n;
        to += n;
        size -= n;
    }
}

static void crypt_block(const unsigned char block_key[16], const unsigned char in[16],
                        unsigned char out[16], int encrypt) {
    int size = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    ASSERT(c != NULL &&
           EVP_CipherInit_ex(c, EVP_aes_128_ecb(), NULL, block_key, NULL, encrypt) == 1);
    ASSERT(EVP_CIPHER_CTX_set_padding(c, 0) == 1);
    ASSERT(EVP_CipherUpdate(c, out, &size, in, 16) == 1 && size == 16);
    EVP_CIPHER_CTX_free(c);
}

void digest_seal_block(const unsigned char block_key[16], const unsigned char in[16],
                       unsigned char out[16]) {
    crypt_block(block_key, in, out, 1);
}

void digest_unseal_block(const unsigned char block_key[16], const unsigned char in[16],
                         unsigned char out[16]) {
    crypt_block(block_key, in, out, 0);
}
