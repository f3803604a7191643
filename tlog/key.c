/* Note keys on disk. Key id = SHA-256(name || 0x0A || 0x01 || public key)[:4]. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"

#define SEED_SIZE 32
#define FILE_SIZE_MAX 512
#define TYPE_ED25519 1
static const char prefix[] = "PRIVATE+KEY+";

struct tlog_key {
    char *name;
    unsigned char public_key[SEED_SIZE];
    EVP_PKEY *pkey;
};

static EVP_PKEY *derive(const unsigned char seed[SEED_SIZE], unsigned char public_key[SEED_SIZE]) {
    size_t size = SEED_SIZE;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SEED_SIZE);
    ASSERT(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, public_key, &size) == 1);
    return pkey;
}

static void key_id(struct span name, const unsigned char public_key[SEED_SIZE], char hex[9]) {
    const struct span parts[] = {name, span_of("\n\1", 2),
                                 span_of((const char *)public_key, SEED_SIZE)};
    struct digest digest = digest_sha256_parts(parts, 3);
    hex[encode_hex(digest.bytes, 4, hex)] = '\0';
}

/* "<name>+<hex id>+<base64 of type and bytes>" */
static void put_key(char *out, size_t size, struct span name, const char *id,
                    const unsigned char bytes[SEED_SIZE]) {
    unsigned char typed[1 + SEED_SIZE] = {TYPE_ED25519};
    char text[ENCODE_BASE64_SIZE(1 + SEED_SIZE) + 1];
    memcpy(typed + 1, bytes, SEED_SIZE);
    text[encode_base64(typed, sizeof typed, text)] = '\0';
    int written = snprintf(out, size, "%.*s+%s+%s", SPAN_ARG(name), id, text);
    ASSERT(written > 0 && (size_t)written < size);
    OPENSSL_cleanse(typed, sizeof typed);
    OPENSSL_cleanse(text, sizeof text);
}

/* A name stands between separators: '+' in a key, a space and a line end in a signed note. */
static bool name_valid(struct span name) {
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] == '\x7f')
            return false;
    return name.size != 0 && name.size <= FILE_SIZE_MAX - 128;
}

enum status tlog_key_create(const char *file, struct span name) {
    unsigned char seed[SEED_SIZE], public_key[SEED_SIZE];
    char id[9], key[FILE_SIZE_MAX], line[FILE_SIZE_MAX];
    if (!name_valid(name)) {
        errno = EINVAL;
        return STATUS_INTERNAL;
    }
    digest_random(seed, sizeof seed);
    EVP_PKEY_free(derive(seed, public_key));
    key_id(name, public_key, id);
    put_key(key, sizeof key, name, id, seed);
    int size = snprintf(line, sizeof line, "%s%s\n", prefix, key);
    ASSERT(size > 0 && (size_t)size < sizeof line);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, line, (size_t)size) == size && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !written)
        unlink(file); /* half a key would be refused at every start */
    errno = error;
    OPENSSL_cleanse(seed, sizeof seed);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(line, sizeof line);
    return written ? STATUS_OK : STATUS_INTERNAL;
}

/* The seed of a key line, whose id must be the one that follows from it. */
static struct tlog_key *parse(struct span line) {
    if (!span_starts(line, span_of_text(prefix)))
        return NULL;
    struct span rest = span_of(line.data + sizeof prefix - 1, line.size - sizeof prefix + 1);
    const char *plus = rest.size != 0 ? memchr(rest.data, '+', rest.size) : NULL;
    if (plus == NULL)
        return NULL;
    struct span name = span_of(rest.data, (size_t)(plus - rest.data));
    size_t encoded = ENCODE_BASE64_SIZE(1 + SEED_SIZE);
    if (!name_valid(name) || rest.size != name.size + 1 + 8 + 1 + encoded ||
        rest.data[name.size + 9] != '+')
        return NULL;
    unsigned char typed[1 + SEED_SIZE + 2];
    int got =
        EVP_DecodeBlock(typed, (const unsigned char *)rest.data + name.size + 10, (int)encoded);
    if (got != 1 + SEED_SIZE || typed[0] != TYPE_ED25519)
        return NULL;
    struct tlog_key *key = mem_alloc_zeroed(1, sizeof *key);
    char id[9];
    key->name = mem_copy_text(name);
    key->pkey = derive(typed + 1, key->public_key);
    OPENSSL_cleanse(typed, sizeof typed);
    key_id(name, key->public_key, id);
    if (memcmp(id, rest.data + name.size + 1, 8) != 0) {
        tlog_key_free(key);
        return NULL;
    }
    return key;
}

enum status tlog_key_load(const char *file, struct tlog_key **out) {
    char line[FILE_SIZE_MAX];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, line, sizeof line) : -1;
    if (fd >= 0)
        close(fd);
    if (size > 0 && line[size - 1] == '\n')
        size--;
    struct tlog_key *key = size > 0 ? parse(span_of(line, (size_t)size)) : NULL;
    OPENSSL_cleanse(line, sizeof line);
    if (key == NULL)
        return STATUS_INTERNAL;
    *out = key;
    return STATUS_OK;
}

void tlog_key_free(struct tlog_key *key) {
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key->name);
    mem_free(key);
}

void tlog_key_vkey(const struct tlog_key *key, char *out, size_t size) {
    char id[9];
    struct span name = span_of_text(key->name);
    key_id(name, key->public_key, id);
    put_key(out, size, name, id, key->public_key);
}
