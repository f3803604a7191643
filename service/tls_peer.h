/* The other side of a TLS connection: whether its certificate is good, and what it says.
 *
 * A certificate that is not good does not end the handshake. h2o 2.2.5 closes the socket without
 * sending the alert, and the peer would never learn why; so it is told by HTTP, with the problem
 * certificate-refused to each request, and nothing else (service/http.c).
 *
 * h2o 2.2.5 has no accessor for the SSL of a socket: the socket is found from it instead, as the
 * data of its BIO, and hangs on the connection (service/connection.h). Loops only. */
// SPDX-License-Identifier: Apache-2.0
#ifndef SERVICE_TLS_PEER_H
#define SERVICE_TLS_PEER_H

#include <openssl/ssl.h>

#include "auth/certificate.h"

struct tls;

/* Why a connection comes to nothing; the names are labels of a metric and causes of the problem
 * certificate-refused. */
#define TLS_FAILURES(X)                                                                            \
    X(NONE, "none")                                                                                \
    X(ABANDONED, "abandoned") /* during the handshake the peer left, or took too long */           \
    X(PROTOCOL, "protocol")   /* version, cipher suite, ALPN, a wrong key, no TLS at all */        \
    X(NO_CERTIFICATE, "no_certificate") /* where one is required */                                \
    X(UNKNOWN_CA, "unknown_ca")         /* self-signed, or of an authority that is not believed */ \
    X(EXPIRED, "expired")                                                                          \
    X(NOT_YET_VALID, "not_yet_valid")                                                              \
    X(REVOKED, "revoked")                                                                          \
    X(CRL, "crl")               /* the revocation list is missing, out of date, not signed */      \
    X(PURPOSE, "purpose")       /* its key usage is not that of a client */                        \
    X(UNREADABLE, "unreadable") /* a NUL in a name, malformed extensions */                        \
    X(REFUSED, "refused")       /* any other fault of the chain */
enum tls_failure {
#define X(name, label) TLS_FAILURE_##name,
    TLS_FAILURES(X)
#undef X
        TLS_FAILURE_COUNT
};
const char *tls_failure_name(enum tls_failure failure);
struct tls_peer {
    struct tls *tls;  /* counted; NULL on a plain connection */
    bool required;    /* the listener lets in nobody without a certificate */
    bool established; /* the handshake is done */
    bool alerted;     /* OpenSSL has ended it */
    enum tls_failure failure;
    const char *why;     /* of an unreadable or refused one; static */
    uint64_t generation; /* of the struct tls that its chain was last verified with … */
    int64_t verified_s;  /* … and when, in seconds since 1970 */
    X509 *leaf;          /* counted */
    STACK_OF(X509) * chain;
    struct arena arena;
    const struct auth_certificate *certificate; /* NULL: none was sent */
};

/* Why a certificate is not accepted, for its holder; why, when not NULL, says it of an unreadable
 * or refused one. */
const char *tls_failure_sentence(enum tls_failure failure, const char *why);
/* Sets the callbacks of a context. */
void tls_peer_watch(struct tls *tls);
/* For how long a chain that was verified is believed to be good, lists and all; its first
 * certificate is looked at each time. */
#define TLS_VERIFIED_S 60
/* Whether its chain must be verified anew, since the TLS in force is another or time has passed. */
bool tls_peer_aged(const struct tls_peer *peer, uint64_t generation, int64_t now_s);
/* Whether what was good at the handshake still is: not expired and, where it has aged, verified
 * anew with what `now` believes; NULL where it has not. A failure is final for the connection. */
bool tls_peer_check(struct tls_peer *peer, struct tls *now, int64_t now_s);
void tls_peer_release(struct tls_peer *peer);

#endif
