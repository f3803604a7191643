/* Signing keys, on disk and in use; Ed25519 by OpenSSL. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define FILE_SIZE_MAX 512
#define NAME_SIZE_MAX (FILE_SIZE_MAX - 128)
static const char prefix[] = "PRIVATE+KEY+";

struct tlog_key {
    char *name;
    struct tlog_vkey vkey; /* its name is the one above */
    EVP_PKEY *pkey;
};

/* Takes pkey. */
static struct tlog_key *make(struct span name, enum tlog_key_type type, EVP_PKEY *pkey) {
    unsigned char public_key[TLOG_PUBLIC_KEY_SIZE];
    size_t size = sizeof public_key;
    struct tlog_key *key = mem_alloc_zeroed(1, sizeof *key);
    ASSERT(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, public_key, &size) == 1);
    key->name = mem_copy_text(name);
    key->vkey = tlog_vkey_make(span_of(key->name, name.size), type, public_key);
    key->pkey = pkey;
    return key;
}

static struct tlog_key *from_seed(struct span name, enum tlog_key_type type,
                                  const unsigned char seed[TLOG_PUBLIC_KEY_SIZE]) {
    return make(name, type,
                EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, TLOG_PUBLIC_KEY_SIZE));
}

/* ---- files */

static bool written_new(const char *file, const char *text, size_t size) {
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !written)
        unlink(file); /* half a key would be refused at every start */
    errno = error;
    return written;
}

static enum status create(const char *file, struct span name, enum tlog_key_type type) {
    unsigned char seed[TLOG_PUBLIC_KEY_SIZE];
    char text[FILE_SIZE_MAX], line[FILE_SIZE_MAX];
    if (!tlog_name_valid(name) || memchr(name.data, '\x7f', name.size) != NULL ||
        name.size > NAME_SIZE_MAX) {
        errno = EINVAL;
        return STATUS_INTERNAL;
    }
    digest_random(seed, sizeof seed);
    struct tlog_key *key = from_seed(name, type, seed);
    struct tlog_vkey secret = key->vkey;
    memcpy(secret.public_key, seed, sizeof seed);
    tlog_vkey_text(&secret, text, sizeof text);
    int size = snprintf(line, sizeof line, "%s%s\n", prefix, text);
    ASSERT(size > 0 && (size_t)size < sizeof line);
    bool written = written_new(file, line, (size_t)size);
    tlog_key_free(key);
    OPENSSL_cleanse(seed, sizeof seed);
    OPENSSL_cleanse(&secret, sizeof secret);
    OPENSSL_cleanse(text, sizeof text);
    OPENSSL_cleanse(line, sizeof line);
    return written ? STATUS_OK : STATUS_INTERNAL;
}

enum status tlog_key_create(const char *file, struct span name) {
    return create(file, name, TLOG_KEY_ED25519);
}

enum status tlog_key_create_cosigner(const char *file, struct span name) {
    return create(file, name, TLOG_KEY_COSIGNATURE);
}

enum status tlog_key_load(const char *file, struct tlog_key **out) {
    char line[FILE_SIZE_MAX];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, line, sizeof line) : -1;
    if (fd >= 0)
        close(fd);
    if (size > 0 && line[size - 1] == '\n')
        size--;
    bool read = size > 0 && tlog_key_parse(span_of(line, (size_t)size), out) == STATUS_OK;
    OPENSSL_cleanse(line, sizeof line);
    return read ? STATUS_OK : STATUS_INTERNAL;
}

/* ---- in memory */

/* The seed of a key's text, whose ID must be the one that follows from it. */
enum status tlog_key_parse(struct span text, struct tlog_key **out) {
    struct tlog_vkey secret;
    if (!span_starts(text, span_of_text(prefix)) ||
        tlog_vkey_parse_parts(span_of(text.data + strlen(prefix), text.size - strlen(prefix)),
                              &secret) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    struct tlog_key *key = from_seed(secret.name, secret.type, secret.public_key);
    bool right = memcmp(key->vkey.id, secret.id, sizeof secret.id) == 0;
    OPENSSL_cleanse(&secret, sizeof secret);
    if (!right) {
        tlog_key_free(key);
        return STATUS_INVALID_PARAMETER;
    }
    *out = key;
    return STATUS_OK;
}

struct tlog_key *tlog_key_renamed(const struct tlog_key *key, struct span name) {
    ASSERT(EVP_PKEY_up_ref(key->pkey) == 1);
    return make(name, key->vkey.type, key->pkey);
}

void tlog_key_free(struct tlog_key *key) {
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key->name);
    mem_free(key);
}

const struct tlog_vkey *tlog_key_public(const struct tlog_key *key) {
    return &key->vkey;
}

void tlog_key_vkey(const struct tlog_key *key, char *out, size_t size) {
    tlog_vkey_text(&key->vkey, out, size);
}

void tlog_key_sign(const struct tlog_key *key, struct span message,
                   unsigned char signature[TLOG_SIGNATURE_SIZE]) {
    size_t size = TLOG_SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ASSERT(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1);
    ASSERT(EVP_DigestSign(context, signature, &size, (const unsigned char *)message.data,
                          message.size) == 1);
    ASSERT(size == TLOG_SIGNATURE_SIZE);
    EVP_MD_CTX_free(context);
}
