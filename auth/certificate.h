/* What a client certificate says of its holder: its fingerprint (RFC 8705), and what the IB1
 * Directory writes into it: the application's URL, the member's URL and its scheme roles.
 *
 * Whether the certificate is to be believed (chain, dates, revocation) is not judged here: whoever
 * hands one in has done that. Threads: any; a certificate that was read is immutable. */
// SPDX-License-Identifier: Apache-2.0
#ifndef AUTH_CERTIFICATE_H
#define AUTH_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/status.h"

#define AUTH_CERTIFICATE_MAX 16384 /* of its DER; one of the Directory has 1 to 2 KiB */

struct auth_certificate {
    uint8_t sha256[32];         /* of the DER: x5t#S256, RFC 8705 section 3.1 */
    struct span application;    /* the only URI among the subject's alternative names: the
                                   application's URL in the Directory; absent when there is none */
    const char *no_application; /* a static sentence that says why, NULL when it is present */
    struct span member;         /* OID 1.3.6.1.4.1.62329.1.3, absent when there is none */
    const struct span *roles;   /* OID 1.3.6.1.4.1.62329.1.1 */
    uint32_t role_count;
    bool roles_present;                /* the extension is there, even when it names no role */
    int64_t not_before_s, not_after_s; /* since 1970 */
};

/* Reads exactly one certificate in DER; *out and what it points to live in the arena.
 * STATUS_UNAUTHENTICATED, with a static sentence in *why, for anything but one X.509 certificate in
 * its one encoding, a NUL in a name, an extension that stands twice, and extensions of the
 * Directory that are not written as IB1 says (a DER SEQUENCE OF UTF8String; a UTF8String): what
 * cannot be read does not count as absent. Two URIs are no such fault: the certificate then names
 * no application. */
MUST_CHECK enum status auth_certificate_read(struct span der, struct arena *arena,
                                             const struct auth_certificate **out, const char **why);
/* The same of a Client-Cert header (RFC 9440 section 2.2), a Byte Sequence of RFC 8941: the base64
 * of the DER between colons. Taken strictly: with padding, without parameters. */
MUST_CHECK enum status auth_certificate_read_header(struct span value, struct arena *arena,
                                                    const struct auth_certificate **out,
                                                    const char **why);

#endif
