/* What certificates say of their holder, and what is not read at all. */
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/encode.h"
#include "tests/unit/support_certificate.h"

#define APP "https://directory.example/app/1"
#define MEMBER "https://directory.example/member/1"
#define EDP "https://registry.example/role/edp"
#define CAP "https://registry.example/role/cap"
#define BYTES(text) (text), sizeof(text) - 1
#define URI(literal) \
    { GEN_URI, BYTES(literal) }

static struct arena arena;

static int teardown(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

/* Reads memory of exactly the certificate's size, and frees it. */
static const struct auth_certificate *read_der(struct span der, const char **why) {
    const struct auth_certificate *out = NULL;
    *why = NULL;
    enum status status = auth_certificate_read(der, &arena, &out, why);
    free((void *)(uintptr_t)der.data);
    assert_int_equal(status == STATUS_OK, out != NULL);
    assert_int_equal(status == STATUS_OK, *why == NULL);
    assert_int_equal(ERR_peek_error(), 0);
    return out;
}

static const struct auth_certificate *read_good(X509 *x509) {
    const char *why;
    const struct auth_certificate *out = read_der(certificate_end(x509), &why);
    if (out == NULL)
        fail_msg("%s", why);
    return out;
}

static void refused(X509 *x509, const char *expected) {
    const char *why;
    assert_null(read_der(certificate_end(x509), &why));
    assert_string_equal(why, expected);
}

static void assert_text(struct span actual, const char *expected) {
    assert_true(span_is(actual, expected));
}

/* SEQUENCE OF UTF8String, of texts that fit short lengths */
static size_t write_roles(unsigned char *out, const char *const *roles, size_t count) {
    size_t size = 3;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(roles[i]);
        out[size++] = 0x0c;
        out[size++] = (unsigned char)length;
        memcpy(out + size, roles[i], length);
        size += length;
    }
    assert_true(size - 3 >= 0x80 && size - 3 <= 0xff);
    out[0] = 0x30;
    out[1] = 0x81;
    out[2] = (unsigned char)(size - 3);
    return size;
}

static void a_certificate_of_the_directory_says_who_calls(void **state) {
    static const char *const roles[] = {EDP, CAP, EDP "-2", CAP "-2"};
    unsigned char value[256];
    X509 *x509 = certificate_begin();
    const struct alternative names[] = {{GEN_DNS, BYTES("app.example")}, URI(APP)};
    (void)state;
    certificate_name(x509, names, 2);
    certificate_extend(x509, OID_MEMBER, BYTES("\x0c\x22" MEMBER));
    certificate_extend(x509, OID_ROLES, value, write_roles(value, roles, 4));
    struct span der = certificate_end(x509);
    struct digest digest = digest_sha256(der);
    const char *why;
    const struct auth_certificate *read = read_der(der, &why);
    assert_non_null(read);
    assert_memory_equal(read->sha256, digest.bytes, sizeof read->sha256);
    assert_text(read->application, APP);
    assert_null(read->no_application);
    assert_text(read->member, MEMBER);
    assert_true(read->roles_present);
    assert_int_equal(read->role_count, 4);
    assert_text(read->roles[0], EDP);
    assert_text(read->roles[3], CAP "-2");
    assert_int_equal(read->not_after_s, NOT_AFTER_S);
}

static void what_is_not_there_is_absent(void **state) {
    (void)state;
    const struct auth_certificate *read = read_good(certificate_begin());
    assert_false(span_present(read->application) || span_present(read->member));
    assert_false(read->roles_present);
    assert_int_equal(read->role_count, 0);
    assert_string_equal(read->no_application,
                        "the certificate names no URI, and so no application");
}

static void an_empty_list_of_roles_is_known_to_be_empty(void **state) {
    X509 *x509 = certificate_begin();
    (void)state;
    certificate_extend(x509, OID_ROLES, BYTES("\x30\x00"));
    const struct auth_certificate *read = read_good(x509);
    assert_true(read->roles_present);
    assert_int_equal(read->role_count, 0);
}

static void two_uris_name_no_application(void **state) {
    static const struct {
        struct alternative names[2];
        const char *why;
    } rows[] = {
        {{URI(APP), URI(APP "2")},
         "the certificate names more than one URI, and so no application"},
        {{URI(APP), URI(APP)}, "the certificate names more than one URI, and so no application"},
        {{URI("https://a b"), {GEN_DNS, BYTES("x.example")}},
         "the certificate's URI is not 1 to 256 printable characters"},
        {{URI(""), {GEN_EMAIL, BYTES("a@x.example")}},
         "the certificate's URI is not 1 to 256 printable characters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        X509 *x509 = certificate_begin();
        certificate_name(x509, rows[i].names, 2);
        const struct auth_certificate *read = read_good(x509);
        assert_false(span_present(read->application));
        assert_string_equal(read->no_application, rows[i].why);
    }
}

static void a_nul_in_a_name_is_refused(void **state) {
    static const struct alternative names[] = {
        {GEN_URI, BYTES("https://a.example\0.evil.example")},
        {GEN_DNS, BYTES("a.example\0.evil.example")},
        {GEN_EMAIL, BYTES("\0")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        X509 *x509 = certificate_begin();
        certificate_name(x509, &names[i], 1);
        refused(x509, "A name of the certificate contains a NUL.");
    }
    X509 *x509 = certificate_begin();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", V_ASN1_UTF8STRING,
                               (const unsigned char *)"good\0evil", 9, -1, 0);
    refused(x509, "A name of the certificate contains a NUL.");
}

static void a_wide_name_is_read_as_text(void **state) {
    X509 *x509 = certificate_begin();
    (void)state;
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "O", V_ASN1_BMPSTRING,
                               (const unsigned char *)"\0H\0i", 4, -1, 0);
    assert_non_null(read_good(x509));
    x509 = certificate_begin();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "O", V_ASN1_BMPSTRING,
                               (const unsigned char *)"\0H\0\0", 4, -1, 0);
    refused(x509, "A name of the certificate contains a NUL.");
}

#define NO_LIST "The certificate's roles are not a SEQUENCE OF UTF8String."
#define NO_ROLE "A role of the certificate is not 1 to 256 printable characters."
#define NO_MEMBER "The certificate's member is not a UTF8String."

static const struct {
    const char *name, *oid, *value;
    size_t size;
    const char *why;
} malformed[] = {
    {"nothing", OID_ROLES, BYTES(""), NO_LIST},
    {"a set", OID_ROLES, BYTES("\x31\x00"), NO_LIST},
    {"more behind it", OID_ROLES, BYTES("\x30\x00\x00"), NO_LIST},
    {"longer than it is", OID_ROLES, BYTES("\x30\x03\x0c\x01"), NO_LIST},
    {"an element longer than it is", OID_ROLES, BYTES("\x30\x03\x0c\x02\x61"), NO_LIST},
    {"an IA5String", OID_ROLES, BYTES("\x30\x03\x16\x01\x61"), NO_LIST},
    {"a constructed string", OID_ROLES, BYTES("\x30\x05\x2c\x03\x0c\x01\x61"), NO_LIST},
    {"an indefinite length", OID_ROLES, BYTES("\x30\x80\x0c\x01\x61\x00\x00"), NO_LIST},
    {"a length that is not the shortest", OID_ROLES, BYTES("\x30\x81\x03\x0c\x01\x61"), NO_LIST},
    {"two octets for one", OID_ROLES, BYTES("\x30\x82\x00\x03\x0c\x01\x61"), NO_LIST},
    {"half a length", OID_ROLES, BYTES("\x30\x82\x01"), NO_LIST},
    {"an empty role", OID_ROLES, BYTES("\x30\x02\x0c\x00"), NO_ROLE},
    {"a role with a NUL", OID_ROLES,
     BYTES("\x30\x05\x0c\x03"
           "a\0b"),
     NO_ROLE},
    {"a role with a space", OID_ROLES,
     BYTES("\x30\x05\x0c\x03"
           "a b"),
     NO_ROLE},
    {"nothing", OID_MEMBER, BYTES(""), NO_MEMBER},
    {"an IA5String", OID_MEMBER, BYTES("\x16\x01\x61"), NO_MEMBER},
    {"more behind it", OID_MEMBER, BYTES("\x0c\x01\x61\x61"), NO_MEMBER},
    {"a list", OID_MEMBER, BYTES("\x30\x03\x0c\x01\x61"), NO_MEMBER},
    {"an empty member", OID_MEMBER, BYTES("\x0c\x00"),
     "The certificate's member is not 1 to 256 printable characters."},
};

static void what_is_not_as_ib1_writes_it_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        X509 *x509 = certificate_begin();
        print_message("%s in %s\n", malformed[i].name, malformed[i].oid);
        certificate_extend(x509, malformed[i].oid, malformed[i].value, malformed[i].size);
        refused(x509, malformed[i].why);
    }
}

static void sixteen_roles_and_no_more(void **state) {
    unsigned char value[2 + 3 * 17] = {0x30};
    (void)state;
    for (size_t count = 16; count <= 17; count++) {
        X509 *x509 = certificate_begin();
        value[1] = (unsigned char)(3 * count);
        for (size_t i = 0; i < count; i++)
            memcpy(value + 2 + 3 * i,
                   "\x0c\x01"
                   "r",
                   3);
        certificate_extend(x509, OID_ROLES, value, 2 + 3 * count);
        if (count == 16)
            assert_int_equal(read_good(x509)->role_count, 16);
        else
            refused(x509, "The certificate has more than 16 roles.");
    }
}

static void an_extension_stands_once(void **state) {
    static const struct {
        const char *oid, *why;
    } rows[] = {{OID_ROLES, "The certificate's roles stand twice."},
                {OID_MEMBER, "The certificate's member stands twice."}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        X509 *x509 = certificate_begin();
        certificate_extend(x509, rows[i].oid, BYTES("\x30\x00"));
        certificate_extend(x509, rows[i].oid, BYTES("\x30\x00"));
        refused(x509, rows[i].why);
    }
    X509 *x509 = certificate_begin();
    const struct alternative uri = URI(APP);
    certificate_name(x509, &uri, 1);
    const X509_EXTENSION *same =
        X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_subject_alt_name, -1));
    X509_EXTENSION *copy = X509_EXTENSION_dup(same);
    X509_add_ext(x509, copy, -1);
    X509_EXTENSION_free(copy);
    refused(x509, "The certificate's alternative names cannot be read.");
}

static void only_one_whole_certificate_is_one(void **state) {
    struct span good = certificate_end(certificate_begin());
    const char *why, *expected = "It is not one X.509 certificate in DER.";
    (void)state;
    for (size_t size = 0; size < good.size; size++) {
        char *part = malloc(size != 0 ? size : 1);
        memcpy(part, good.data, size);
        assert_null(read_der(span_of(part, size), &why));
        assert_string_equal(why, expected);
    }
    char *more = malloc(good.size + 1);
    memcpy(more, good.data, good.size);
    more[good.size] = '\0';
    assert_null(read_der(span_of(more, good.size + 1), &why));
    assert_string_equal(why, expected);
    assert_non_null(read_der(good, &why));
    char *large = calloc(1, AUTH_CERTIFICATE_MAX + 1);
    assert_null(read_der(span_of(large, AUTH_CERTIFICATE_MAX + 1), &why));
}

static enum status read_header(const char *text, size_t size, const char **why) {
    const struct auth_certificate *out = NULL;
    char *exact = malloc(size != 0 ? size : 1);
    memcpy(exact, text, size);
    *why = NULL;
    enum status status = auth_certificate_read_header(span_of(exact, size), &arena, &out, why);
    free(exact);
    assert_int_equal(status == STATUS_OK, out != NULL);
    return status;
}

static void a_header_is_a_byte_sequence(void **state) {
    struct span der = certificate_end(certificate_begin());
    char text[4096];
    const char *why,
        *expected = "The Client-Cert header is not a byte sequence: base64 between colons.";
    (void)state;
    text[0] = ':';
    size_t size = 1 + encode_base64(der.data, der.size, text + 1);
    text[size++] = ':';
    free((void *)(uintptr_t)der.data);
    assert_int_equal(read_header(text, size, &why), STATUS_OK);
    for (size_t less = 0; less < size; less++)
        assert_int_not_equal(read_header(text, less, &why), STATUS_OK);
    static const char *const bad[] = {"",     ":",     "::",       "abc",   ":ab",      "ab:",
                                      ":ab:", ":a b:", ":YWJj:;a", ":YWI:", ":YWJj\n:", ":YWJj=:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_header(bad[i], strlen(bad[i]), &why), STATUS_UNAUTHENTICATED);
        if (strcmp(bad[i], "::") != 0)
            assert_string_equal(why, expected);
    }
    assert_int_equal(read_header(":YWJj:", 6, &why), STATUS_UNAUTHENTICATED);
    assert_string_equal(why, "It is not one X.509 certificate in DER.");
    char *large = malloc(40000);
    memset(large, 'A', 40000);
    large[0] = large[39999] = ':';
    assert_int_equal(read_header(large, 40000, &why), STATUS_UNAUTHENTICATED);
    assert_string_equal(why, expected);
    free(large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_certificate_of_the_directory_says_who_calls, teardown),
        cmocka_unit_test_teardown(what_is_not_there_is_absent, teardown),
        cmocka_unit_test_teardown(an_empty_list_of_roles_is_known_to_be_empty, teardown),
        cmocka_unit_test_teardown(two_uris_name_no_application, teardown),
        cmocka_unit_test_teardown(a_nul_in_a_name_is_refused, teardown),
        cmocka_unit_test_teardown(a_wide_name_is_read_as_text, teardown),
        cmocka_unit_test_teardown(what_is_not_as_ib1_writes_it_is_refused, teardown),
        cmocka_unit_test_teardown(sixteen_roles_and_no_more, teardown),
        cmocka_unit_test_teardown(an_extension_stands_once, teardown),
        cmocka_unit_test_teardown(a_header_is_a_byte_sequence, teardown),
        cmocka_unit_test_teardown(only_one_whole_certificate_is_one, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
