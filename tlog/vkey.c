/* Names, key IDs and verifier keys; Ed25519 verification by OpenSSL. */
// SPDX-License-Identifier: Apache-2.0
#include "tlog/vkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/log.h"

#define ID_DIGITS 8
#define TYPED_SIZE (1 + TLOG_PUBLIC_KEY_SIZE) /* type and key */

/* ---- names */

/* White space of Unicode beyond ASCII, in UTF-8; U+2000 to U+200A apart. */
static const char *const spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

static bool space_at(struct span text) {
    if (span_starts(text, SPAN("\xe2\x80")) && text.size > 2 &&
        (unsigned char)text.data[2] >= 0x80 && (unsigned char)text.data[2] <= 0x8a)
        return true;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (span_starts(text, span_of_text(spaces[i])))
            return true;
    return false;
}

bool tlog_name_valid(struct span name) {
    if (name.size == 0 || !encode_utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c == '+' || (c >= 0xc2 && space_at(span_of(name.data + i, name.size - i))))
            return false;
    }
    return true;
}

/* ---- texts */

static bool known_type(unsigned char type) {
    return type == TLOG_KEY_ED25519 || type == TLOG_KEY_COSIGNATURE;
}

/* A name has no '+', base64 may. */
enum status tlog_vkey_parse_parts(struct span text, struct tlog_vkey *out) {
    const char *plus = text.size != 0 ? memchr(text.data, '+', text.size) : NULL;
    struct span name = plus != NULL ? span_of(text.data, (size_t)(plus - text.data)) : SPAN_NONE;
    unsigned char id[TLOG_KEY_ID_SIZE], typed[TYPED_SIZE];
    char lower[ID_DIGITS];
    size_t size;
    if (!tlog_name_valid(name) || text.size < name.size + 1 + ID_DIGITS + 1 ||
        plus[1 + ID_DIGITS] != '+' ||
        decode_hex(span_of(plus + 1, ID_DIGITS), id, sizeof id) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    encode_hex(id, sizeof id, lower);
    struct span base64 = span_of(plus + 2 + ID_DIGITS, text.size - name.size - 2 - ID_DIGITS);
    bool read = memcmp(lower, plus + 1, ID_DIGITS) == 0 &&
                decode_base64(base64, typed, sizeof typed, &size) == STATUS_OK &&
                size == sizeof typed && known_type(typed[0]);
    if (read) {
        *out = (struct tlog_vkey){.name = name, .type = typed[0]};
        memcpy(out->id, id, sizeof id);
        memcpy(out->public_key, typed + 1, sizeof out->public_key);
    }
    OPENSSL_cleanse(typed, sizeof typed); /* it may be a secret */
    return read ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

void tlog_vkey_text(const struct tlog_vkey *key, char *out, size_t size) {
    unsigned char typed[TYPED_SIZE] = {(unsigned char)key->type};
    char id[ID_DIGITS + 1], text[ENCODE_BASE64_SIZE(TYPED_SIZE) + 1];
    memcpy(typed + 1, key->public_key, sizeof key->public_key);
    id[encode_hex(key->id, sizeof key->id, id)] = '\0';
    text[encode_base64(typed, sizeof typed, text)] = '\0';
    int written = snprintf(out, size, "%.*s+%s+%s", SPAN_ARG(key->name), id, text);
    ASSERT(written > 0 && (size_t)written < size);
    OPENSSL_cleanse(typed, sizeof typed);
    OPENSSL_cleanse(text, sizeof text);
}

/* ---- keys */

struct tlog_vkey tlog_vkey_make(struct span name, enum tlog_key_type type,
                                const unsigned char public_key[TLOG_PUBLIC_KEY_SIZE]) {
    const char separator[] = {'\n', (char)type};
    const struct span parts[] = {name, span_of(separator, sizeof separator),
                                 span_of((const char *)public_key, TLOG_PUBLIC_KEY_SIZE)};
    const struct digest digest = digest_sha256_parts(parts, 3);
    struct tlog_vkey key = {.name = name, .type = type};
    ASSERT(tlog_name_valid(name) && known_type((unsigned char)type));
    memcpy(key.id, digest.bytes, sizeof key.id);
    memcpy(key.public_key, public_key, sizeof key.public_key);
    return key;
}

enum status tlog_vkey_parse(struct span text, struct tlog_vkey *out) {
    struct tlog_vkey read;
    if (tlog_vkey_parse_parts(text, &read) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    struct tlog_vkey key = tlog_vkey_make(read.name, read.type, read.public_key);
    if (memcmp(key.id, read.id, sizeof key.id) != 0)
        return STATUS_INVALID_PARAMETER;
    *out = key;
    return STATUS_OK;
}

bool tlog_vkey_verify(const struct tlog_vkey *key, struct span message,
                      const unsigned char signature[TLOG_SIGNATURE_SIZE]) {
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->public_key,
                                                 sizeof key->public_key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ASSERT(pkey != NULL && context != NULL);
    ASSERT(EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1);
    bool good = EVP_DigestVerify(context, signature, TLOG_SIGNATURE_SIZE,
                                 (const unsigned char *)message.data, message.size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return good;
}
