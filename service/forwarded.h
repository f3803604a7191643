/* What a proxy says of its client's certificate: the header Client-Cert (RFC 9440).
 *
 * It is believed from the peers that the listener's `proxies` name, and from nobody else: from
 * others neither Client-Cert nor Client-Cert-Chain reaches a handler. The proxy has verified the
 * chain; dates are judged here too. Loops only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_FORWARDED_H
#define SERVICE_FORWARDED_H

#include "auth/certificate.h"
#include "service/network.h"
#include "service/tls_peer.h"

struct config_listener;

/* Whether a header of this (lower-case) name is a proxy's to say. */
bool forwarded_is_header(struct span name);

struct forwarded {
    struct span client_cert; /* the first such header */
    unsigned count;
};
/* Whether the peer may say so. */
bool forwarded_is_from_proxy(const struct config_listener *listener,
                             const struct network_address *peer);
/* Reads the certificate, NULL when the proxy names none, into the arena. On anything but
 * TLS_FAILURE_NONE *why says what is wrong, and *out is NULL. */
enum tls_failure forwarded_read(const struct forwarded *forwarded, int64_t now_s,
                                struct arena *arena, const struct auth_certificate **out,
                                const char **why);

#endif
