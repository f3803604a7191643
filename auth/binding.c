/* The confirmation of a token against the certificate of whoever presents it.
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/binding.h"

#include "auth/certificate.h"
#include "auth/name.h"
#include "auth/refuse.h"
#include "base/encode.h"
#include "base/limits.h"

#define FINGERPRINT_SIZE sizeof((struct auth_certificate){0}.sha256)

/* cnf.x5t#S256: the certificate must be this one. */
static enum status check_fingerprint(const json_t *expected,
                                     const struct auth_certificate *certificate, const char **why) {
    uint8_t sha256[FINGERPRINT_SIZE + 1];
    size_t size = 0;
    struct span text = span_of(json_string_value(expected), json_string_length(expected));
    if (!json_is_string(expected) ||
        decode_base64url(text, sha256, sizeof sha256, &size) != STATUS_OK ||
        size != FINGERPRINT_SIZE) {
        return auth_refuse(why, "The token's cnf.x5t#S256 is not the base64url of 32 bytes.");
    }
    if (certificate == NULL) {
        return auth_refuse(why, "The token is bound to a client certificate (cnf.x5t#S256), and "
                                "this connection has none.");
    }
    if (memcmp(sha256, certificate->sha256, FINGERPRINT_SIZE) != 0) {
        return auth_refuse(why, "The token is bound to another client certificate "
                                "(cnf.x5t#S256) than that of this connection.");
    }
    return STATUS_OK;
}

/* A bound token is worth nothing to who merely holds it, so it must not pass where the binding is
 * not understood. */
static enum status check_confirmation(const json_t *confirmation,
                                      const struct auth_certificate *certificate,
                                      const char **why) {
    if (json_object_get(confirmation, "jkt") != NULL) {
        return auth_refuse(why,
                           "The token is bound to a DPoP key (cnf.jkt), and DPoP is not accepted "
                           "yet.");
    }
    const json_t *fingerprint = json_object_get(confirmation, "x5t#S256");
    if (fingerprint == NULL) {
        return auth_refuse(why, "The token has a confirmation (cnf) that is not understood.");
    }
    return check_fingerprint(fingerprint, certificate, why);
}

static bool are_names(const struct auth_certificate *certificate) {
    for (uint32_t i = 0; i < certificate->role_count; i++) {
        if (!auth_name_valid(certificate->roles[i])) {
            return false;
        }
    }
    return certificate->role_count <= LIMIT_ROLES &&
           (!span_present(certificate->member) || auth_name_valid(certificate->member));
}

/* IB1: the certificate is the application's, whichever it has now. */
static enum status check_directory(const struct auth_certificate *certificate,
                                   const struct auth_principal *principal, const char **why) {
    if (certificate == NULL) {
        return auth_refuse(why, "Tokens of this issuer need the client certificate of the "
                                "application, and this connection has none.");
    }
    if (!span_present(certificate->application)) {
        return auth_refuse(why, certificate->no_application);
    }
    if (!span_equal(certificate->application, principal->client_id)) {
        return auth_refuse(why, "The client certificate is that of another application than the "
                                "token's client.");
    }
    if (!are_names(certificate)) {
        return auth_refuse(why, "The client certificate has more than 16 roles, or a role or "
                                "member that is not 1 to 256 printable characters.");
    }
    if (span_present(certificate->member) && span_present(principal->member) &&
        !span_equal(certificate->member, principal->member)) {
        return auth_refuse(why, "The client certificate is that of another member than the "
                                "token's.");
    }
    return STATUS_OK;
}

/* The Directory is a source of roles: a certificate that names none has none (invariant 8), unless
 * the issuer's tokens are a source as well. */
static void adopt(const struct auth_certificate *certificate, struct auth_principal *principal) {
    if (span_present(certificate->member)) {
        principal->member = principal->tenant = certificate->member;
    }
    if (certificate->roles_present || !principal->roles_known) {
        principal->roles = certificate->roles;
        principal->role_count = certificate->role_count;
    }
    principal->roles_known = true;
}

enum status auth_binding_check(const json_t *payload, const struct auth_keys_issuer *issuer,
                               const struct auth_certificate *certificate,
                               struct auth_principal *principal, const char **why) {
    const json_t *confirmation = json_object_get(payload, "cnf");
    enum status status = STATUS_OK;
    if (confirmation != NULL) {
        status = check_confirmation(confirmation, certificate, why);
    } else if (issuer->binding == AUTH_BINDING_X5T) {
        status = auth_refuse(why, "Tokens of this issuer must be bound to a client certificate "
                                  "(cnf.x5t#S256).");
    }
    if (status == STATUS_OK && issuer->binding == AUTH_BINDING_DIRECTORY) {
        status = check_directory(certificate, principal, why);
        if (status == STATUS_OK) {
            adopt(certificate, principal);
        }
    }
    return status;
}
