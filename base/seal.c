/* See seal.h. A failing cipher is out of memory or a defect, and ends the process. */
// SPDX-License-Identifier: Apache-2.0
#include "base/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/log.h"

#define NONCE 12
#define TAG 16

static const unsigned char *bytes_of(struct span text) {
    return (const unsigned char *)text.data;
}

void seal_close(const unsigned char key[SEAL_KEY_SIZE], struct span bound, struct span plain,
                struct buffer *out) {
    int size = 0;
    ASSERT(plain.size > 0 && plain.size < INT_MAX && bound.size < INT_MAX);
    unsigned char *at = (unsigned char *)buffer_reserve(out, plain.size + SEAL_OVERHEAD);
    digest_random(at, NONCE);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    ASSERT(context != NULL && EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key, at, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &size, bytes_of(bound), (int)bound.size) == 1 &&
           EVP_EncryptUpdate(context, at + NONCE, &size, bytes_of(plain), (int)plain.size) == 1 &&
           (size_t)size == plain.size && EVP_EncryptFinal_ex(context, at + NONCE, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, at + NONCE + plain.size) == 1);
    EVP_CIPHER_CTX_free(context);
    out->size += plain.size + SEAL_OVERHEAD;
}

bool seal_open(const unsigned char key[SEAL_KEY_SIZE], struct span bound, struct span sealed,
               char *out) {
    unsigned char tag[TAG];
    int size = 0;
    if (sealed.size <= SEAL_OVERHEAD || sealed.size >= INT_MAX)
        return false;
    size_t plain = sealed.size - SEAL_OVERHEAD;
    const unsigned char *at = bytes_of(sealed);
    memcpy(tag, at + NONCE + plain, TAG);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    ASSERT(context != NULL && EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key, at, NULL) == 1 &&
           EVP_DecryptUpdate(context, NULL, &size, bytes_of(bound), (int)bound.size) == 1 &&
           EVP_DecryptUpdate(context, (unsigned char *)out, &size, at + NONCE, (int)plain) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1);
    bool good = EVP_DecryptFinal_ex(context, (unsigned char *)out + size, &size) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!good)
        seal_wipe(out, plain);
    return good;
}

void seal_wipe(void *bytes, size_t size) {
    OPENSSL_cleanse(bytes, size);
}
