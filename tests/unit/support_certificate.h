/* Certificates made in the test, with extensions of any content: self-signed, since only what they
 * say is read. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_SUPPORT_CERTIFICATE_H
#define TESTS_UNIT_SUPPORT_CERTIFICATE_H

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "auth/certificate.h"

#define OID_ROLES "1.3.6.1.4.1.62329.1.1"
#define OID_MEMBER "1.3.6.1.4.1.62329.1.3"
#define NOT_AFTER_S INT64_C(1893456000) /* 2030-01-01T00:00:00Z */

static X509 *certificate_begin(void) {
    X509 *x509 = X509_new();
    assert_non_null(x509);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
    ASN1_TIME_set(X509_getm_notBefore(x509), 0);
    ASN1_TIME_set(X509_getm_notAfter(x509), NOT_AFTER_S);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"app", -1, -1, 0);
    return x509;
}

static void certificate_extend(X509 *x509, const char *oid, const void *value, size_t size) {
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, value, (int)size);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

/* An alternative name of this type, GEN_URI or another of the IA5String kind. */
struct alternative {
    int type;
    const char *text;
    size_t size;
};

static void certificate_name(X509 *x509, const struct alternative *names, size_t count) {
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, names[i].text, (int)names[i].size);
        GENERAL_NAME_set0_value(name, names[i].type, text);
        sk_GENERAL_NAME_push(all, name);
    }
    assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT), 1);
    GENERAL_NAMES_free(all);
}

/* Signs and encodes; frees x509. Caller frees with free. */
static struct span certificate_end(X509 *x509) {
    static EVP_PKEY *key;
    unsigned char *der = NULL;
    if (key == NULL)
        key = EVP_EC_gen("P-256");
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_set_pubkey(x509, key);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    int size = i2d_X509(x509, &der);
    assert_true(size > 0);
    char *copy = malloc((size_t)size);
    memcpy(copy, der, (size_t)size);
    OPENSSL_free(der);
    X509_free(x509);
    return span_of(copy, (size_t)size);
}

#endif
