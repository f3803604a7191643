/* TLS of one listener: certificate, key, client CAs and revocation lists become an SSL_CTX.
 *
 * A struct tls is immutable and counted: a reload makes another, connections that began with the
 * old one live on with it. There is no resumption (no tickets, no session cache): each handshake
 * shows its certificate anew.
 *
 * Threads: opened on the main thread; referred to by any. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_TLS_H
#define SERVICE_TLS_H

#include <openssl/ssl.h>

#include "service/config.h"

struct tls {
    SSL_CTX *context;
    uint64_t generation; /* no two of a process have the same */
    bool required;       /* a client certificate is */
    int64_t expires_s;   /* its own certificate's notAfter */
    int64_t crl_next_s;  /* when the first of the revocation lists is due again; 0: none */
    _Atomic(uint32_t) references;
};

/* What is wrong with which file. */
struct tls_fault {
    const char *member; /* of the listener's configuration; static */
    char why[512];
};
/* Reads the files of a listener of kind mutual or public. STATUS_INVALID_PARAMETER, with *fault,
 * when one cannot be read, is not what it should be, or does not fit the others. Caller ends with
 * tls_unref. */
MUST_CHECK enum status tls_open(const struct config_listener *config, bool http2, struct tls **out,
                                struct tls_fault *fault);
struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls *tls); /* NULL is right */

#endif
