/* The development issuer of a data directory: DIR/issuer/private.pem and DIR/issuer/jwks.json, one
 * fixed issuer URL and audience, and presets of scopes. For --dev and consentctl token; a
 * production service never has the private key of an issuer.
 *
 * Threads: any; nothing is kept between calls. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_DEV_H
#define AUTH_DEV_H

#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

/* RFC 2606: .invalid resolves nowhere, so that nobody mistakes it for a real issuer. */
#define AUTH_DEV_ISSUER "https://issuer.consentd.invalid"
#define AUTH_DEV_AUDIENCE "consentd"
#define AUTH_DEV_TTL_S 3600

/* Creates directory (and its parents) and the issuer in it when they are absent; a second call
 * changes nothing, and of two processes at once one wins and both succeed. STATUS_INTERNAL and one
 * sentence in why when the file system refuses. */
MUST_CHECK enum status auth_dev_create(const char *directory, char *why, size_t why_size);

/* The issuer as auth_keys_load takes it, without a source of roles. Its bytes live in arena. */
MUST_CHECK enum status auth_dev_issuer_fill(const char *directory, struct arena *arena,
                                            struct auth_issuer *out);

/* Scopes of a preset ("tenant", "client", "auditor", "admin"), NULL when there is no such role:
 * tenant   consents:write consents:read decisions:evaluate
 * client   consents:read consents:write decisions:evaluate
 * auditor  audit:read
 * admin    admin */
const char *auth_dev_role_scopes(struct span role);

struct auth_dev_request {
    struct span role;         /* name of a preset; may be absent when scope is present */
    struct span id;           /* client_id: the Directory URL of the application */
    struct span member;       /* absent: none, the client id is the tenant */
    struct span scope;        /* absent: the preset's */
    const struct span *roles; /* scheme roles */
    uint32_t role_count;
    const struct span *providers; /* for an auditor: tenants, or "*" */
    uint32_t provider_count;
    int64_t issued_at_s, expires_s; /* Unix seconds */
};
/* Appends a token of the issuer of directory, which must exist, to out. STATUS_INVALID_PARAMETER
 * when the request cannot be a token, STATUS_INTERNAL when the key cannot be used; why says which.
 */
MUST_CHECK enum status auth_dev_mint(const char *directory, const struct auth_dev_request *request,
                                     struct buffer *out, char *why, size_t why_size);

#endif
