/* X.509 by OpenSSL, the Directory's two extensions by a walk of our own: OpenSSL 3.0 takes BER
 * where DER is due, and a role must have one reading only.
 *
 * Threads: any, one certificate at a time. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "auth/name.h"
#include "auth/refuse.h"
#include "base/digest.h"
#include "base/encode.h"

#define OID_ROLES "1.3.6.1.4.1.62329.1.1"
#define OID_MEMBER "1.3.6.1.4.1.62329.1.3"
#define TAG_UTF8STRING 0x0c
#define TAG_SEQUENCE 0x30

static struct span text_of(const ASN1_STRING *text) {
    return span_of((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

/* ---- the walk */

/* The value of the element that `in` begins with, which must have this tag and the shortest form of
 * its length (X.690 section 10.1); `in` moves past it. */
static bool take(struct span *in, unsigned char tag, struct span *value) {
    const unsigned char *at = (const unsigned char *)in->data;
    size_t head = 2, size;
    if (in->size < 2 || at[0] != tag)
        return false;
    size = at[1];
    if (size == 0x81 && in->size > 2 && at[2] >= 0x80) {
        head = 3;
        size = at[2];
    } else if (size == 0x82 && in->size > 3 && at[2] != 0) {
        head = 4;
        size = (size_t)at[2] << 8 | at[3];
    } else if (size >= 0x80) {
        return false;
    }
    if (in->size - head < size)
        return false;
    *value = span_of(in->data + head, size);
    *in = span_of(in->data + head + size, in->size - head - size);
    return true;
}

/* ---- the Directory's extensions */

/* The value of the extension with this OID, absent when there is none; false when it stands twice.
 */
static bool find_extension(X509 *x509, const char *oid, struct span *out) {
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int first = X509_get_ext_by_OBJ(x509, object, -1);
    int second = first >= 0 ? X509_get_ext_by_OBJ(x509, object, first) : -1;
    ASN1_OBJECT_free(object);
    *out = first >= 0 ? text_of(X509_EXTENSION_get_data(X509_get_ext(x509, first))) : SPAN_NONE;
    return second < 0;
}

static enum status read_roles(X509 *x509, struct arena *arena, struct auth_certificate *out,
                              const char **why) {
    struct span value, list, role;
    if (!find_extension(x509, OID_ROLES, &value))
        return auth_refuse(why, "The certificate's roles stand twice.");
    if (!span_present(value))
        return STATUS_OK;
    struct span *roles = arena_array(arena, LIMIT_ROLES, sizeof *roles);
    if (!take(&value, TAG_SEQUENCE, &list) || value.size != 0)
        return auth_refuse(why, "The certificate's roles are not a SEQUENCE OF UTF8String.");
    while (list.size != 0) {
        if (!take(&list, TAG_UTF8STRING, &role))
            return auth_refuse(why, "The certificate's roles are not a SEQUENCE OF UTF8String.");
        if (!auth_name_valid(role))
            return auth_refuse(why,
                               "A role of the certificate is not 1 to 256 printable characters.");
        if (out->role_count == LIMIT_ROLES)
            return auth_refuse(why, "The certificate has more than 16 roles.");
        roles[out->role_count++] = arena_copy(arena, role);
    }
    out->roles = roles;
    out->roles_present = true;
    return STATUS_OK;
}

static enum status read_member(X509 *x509, struct arena *arena, struct auth_certificate *out,
                               const char **why) {
    struct span value, member;
    if (!find_extension(x509, OID_MEMBER, &value))
        return auth_refuse(why, "The certificate's member stands twice.");
    if (!span_present(value))
        return STATUS_OK;
    if (!take(&value, TAG_UTF8STRING, &member) || value.size != 0)
        return auth_refuse(why, "The certificate's member is not a UTF8String.");
    if (!auth_name_valid(member))
        return auth_refuse(why, "The certificate's member is not 1 to 256 printable characters.");
    out->member = arena_copy(arena, member);
    return STATUS_OK;
}

/* ---- names */

/* A NUL ends a name early for whoever reads it as a C string. Of wide encodings it is a usual byte:
 * they are read as UTF-8. */
static bool has_nul(const ASN1_STRING *text) {
    unsigned char *utf8 = NULL;
    int size = ASN1_STRING_to_UTF8(&utf8, text);
    bool found = size < 0 || (size > 0 && memchr(utf8, '\0', (size_t)size) != NULL);
    OPENSSL_free(utf8);
    return found;
}

static bool subject_has_nul(X509 *x509) {
    const X509_NAME *subject = X509_get_subject_name(x509);
    for (int i = 0; i < X509_NAME_entry_count(subject); i++)
        if (has_nul(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))))
            return true;
    return false;
}

static enum status read_names(const GENERAL_NAMES *names, struct arena *arena,
                              struct auth_certificate *out, const char **why) {
    unsigned uris = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI && name->type != GEN_DNS && name->type != GEN_EMAIL)
            continue;
        struct span text = text_of(name->d.ia5);
        if (text.size != 0 && memchr(text.data, '\0', text.size) != NULL)
            return auth_refuse(why, "A name of the certificate contains a NUL.");
        if (name->type != GEN_URI)
            continue;
        uris++;
        if (auth_name_valid(text))
            out->application = arena_copy(arena, text);
    }
    if (uris != 1)
        out->application = SPAN_NONE;
    if (!span_present(out->application))
        out->no_application =
            uris > 1    ? "the certificate names more than one URI, and so no application"
            : uris == 1 ? "the certificate's URI is not 1 to 256 printable characters"
                        : "the certificate names no URI, and so no application";
    return STATUS_OK;
}

static enum status read_alternatives(X509 *x509, struct arena *arena, struct auth_certificate *out,
                                     const char **why) {
    int critical;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    if (names == NULL && critical != -1)
        return auth_refuse(why, "The certificate's alternative names cannot be read.");
    enum status status = read_names(names, arena, out, why);
    GENERAL_NAMES_free(names);
    return status;
}

/* ---- the whole */

static int64_t seconds_of(const ASN1_TIME *time) {
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* NULL for anything but one certificate, encoded in the one way that DER has for it: otherwise two
 * fingerprints would stand for one certificate. */
static X509 *decode(struct span der) {
    const unsigned char *at = (const unsigned char *)der.data;
    unsigned char *again = NULL;
    if (der.size == 0 || der.size > AUTH_CERTIFICATE_MAX)
        return NULL;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.size);
    int size = x509 != NULL ? i2d_X509(x509, &again) : -1;
    bool same = size > 0 && span_equal(span_of((const char *)again, (size_t)size), der);
    OPENSSL_free(again);
    if (!same) {
        X509_free(x509);
        x509 = NULL;
    }
    ERR_clear_error();
    return x509;
}

enum status auth_certificate_read(struct span der, struct arena *arena,
                                  const struct auth_certificate **out, const char **why) {
    X509 *x509 = decode(der);
    if (x509 == NULL)
        return auth_refuse(why, "It is not one X.509 certificate in DER.");
    struct auth_certificate *made = arena_array(arena, 1, sizeof *made);
    enum status status = STATUS_OK;
    memcpy(made->sha256, digest_sha256(der).bytes, sizeof made->sha256);
    made->not_before_s = seconds_of(X509_get0_notBefore(x509));
    made->not_after_s = seconds_of(X509_get0_notAfter(x509));
    if (subject_has_nul(x509))
        status = auth_refuse(why, "A name of the certificate contains a NUL.");
    if (status == STATUS_OK)
        status = read_alternatives(x509, arena, made, why);
    if (status == STATUS_OK)
        status = read_member(x509, arena, made, why);
    if (status == STATUS_OK)
        status = read_roles(x509, arena, made, why);
    X509_free(x509);
    ERR_clear_error();
    if (status == STATUS_OK)
        *out = made;
    return status;
}

enum status auth_certificate_read_header(struct span value, struct arena *arena,
                                         const struct auth_certificate **out, const char **why) {
    size_t size = 0;
    if (value.size < 2 || value.data[0] != ':' || value.data[value.size - 1] != ':' ||
        value.size - 2 > AUTH_CERTIFICATE_MAX / 3 * 4)
        return auth_refuse(why, "The Client-Cert header is not a byte sequence: base64 between "
                                "colons.");
    unsigned char *der = arena_alloc(arena, value.size);
    struct span text = span_of(value.data + 1, value.size - 2);
    if (decode_base64(text, der, value.size, &size) != STATUS_OK)
        return auth_refuse(why, "The Client-Cert header is not a byte sequence: base64 between "
                                "colons.");
    return auth_certificate_read(span_of((const char *)der, size), arena, out, why);
}
