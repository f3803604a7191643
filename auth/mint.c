/* Development tokens.
 *
 * Threads: any. */
// SPDX-License-Identifier: Apache-2.0
#include "auth/mint.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/file.h"
#include "auth/keypair.h"
#include "auth/signer.h"
#include "base/json_out.h"

static enum status fail(enum status status, const char *sentence, char *why, size_t why_size) {
    snprintf(why, why_size, "%s", sentence);
    return status;
}

enum status auth_mint_keygen(const char *private_file, const char *jwks_file, char *why,
                             size_t why_size) {
    struct buffer pem = {0};
    struct buffer jwks = {0};
    EVP_PKEY *pair = auth_keypair_make();
    auth_keypair_write_pem(pair, &pem);
    auth_keypair_write_jwks(pair, &jwks);
    EVP_PKEY_free(pair);
    enum status status = auth_file_create(private_file, 0600, buffer_span(&pem), why, why_size);
    if (status == STATUS_OK) {
        status = auth_file_create(jwks_file, 0644, buffer_span(&jwks), why, why_size);
        if (status != STATUS_OK) {
            unlink(private_file); /* ours, made a moment ago: half a pair is of no use */
        }
    }
    buffer_release(&pem);
    buffer_release(&jwks);
    return status;
}

static bool are_utf8(const struct span *texts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!encode_utf8_valid(texts[i])) {
            return false;
        }
    }
    return true;
}

static void write_list(struct json_out *json, const char *key, const struct span *texts,
                       uint32_t count) {
    if (count == 0) {
        return;
    }
    json_out_key(json, key);
    json_out_array_begin(json);
    for (uint32_t i = 0; i < count; i++) {
        json_out_string(json, texts[i]);
    }
    json_out_array_end(json);
}

static void write_claims(const struct auth_claims *claims, struct buffer *out) {
    struct json_out json = json_out_to(out);
    json_out_object_begin(&json);
    json_out_member(&json, "iss", claims->issuer);
    json_out_member(&json, "aud", claims->audience);
    json_out_member(&json, "sub", claims->client_id);
    json_out_member(&json, "client_id", claims->client_id);
    json_out_member_optional(&json, "member", claims->member);
    json_out_member_optional(&json, "scope", claims->scope);
    write_list(&json, "roles", claims->roles, claims->role_count);
    write_list(&json, "providers", claims->providers, claims->provider_count);
    json_out_member_int(&json, "iat", claims->issued_at_s);
    json_out_member_int(&json, "exp", claims->expires_s);
    json_out_object_end(&json);
    buffer_append(out, "", 1); /* libjwt takes C strings */
}

enum status auth_mint(const char *private_file, const struct auth_claims *claims,
                      struct buffer *out, char *why, size_t why_size) {
    const struct span texts[] = {claims->issuer, claims->audience, claims->client_id,
                                 claims->member, claims->scope};
    struct auth_signer *signer;
    struct buffer text = {0};
    if (!are_utf8(texts, sizeof texts / sizeof texts[0]) ||
        !are_utf8(claims->roles, claims->role_count) ||
        !are_utf8(claims->providers, claims->provider_count)) {
        return fail(STATUS_INVALID_PARAMETER, "a claim is not UTF-8", why, why_size);
    }
    if (claims->client_id.size == 0 || claims->expires_s <= claims->issued_at_s) {
        return fail(STATUS_INVALID_PARAMETER,
                    "a token needs a client id and must expire after it is issued", why, why_size);
    }
    enum status status = auth_signer_load(private_file, &signer, why, why_size);
    if (status != STATUS_OK) {
        return status;
    }
    write_claims(claims, &text);
    status = auth_signer_sign(signer, text.data, out);
    buffer_release(&text);
    auth_signer_free(signer);
    return status == STATUS_OK
               ? status
               : fail(status, "libjwt cannot sign with the issuer's private key", why, why_size);
}
