/* Verifying client certificates at service time, which --clock drives, and keeping what they say.
 *
 * Of OpenSSL 3.0: SSL_get_verify_result is X509_V_OK also when no certificate was sent; whether
 * there is one is what counts here. The chain is verified before the peer has proved that the key
 * is its own: nothing is believed until the handshake is done. */
// SPDX-License-Identifier: Apache-2.0
#include "service/tls_peer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/encode.h"
#include "base/log.h"
#include "service/loop.h"
#include "service/tls.h"
#include "store/store.h"

const char *tls_failure_name(enum tls_failure failure) {
    static const char *const names[] = {
#define X(name, label) label,
        TLS_FAILURES(X)
#undef X
    };
    return names[failure];
}

const char *tls_failure_sentence(enum tls_failure failure, const char *why) {
    switch (failure) {
    case TLS_FAILURE_NO_CERTIFICATE:
        return "a client certificate is needed here, and none was sent";
    case TLS_FAILURE_UNKNOWN_CA:
        return "the client certificate is not issued by an authority that is accepted here";
    case TLS_FAILURE_EXPIRED:
        return "the client certificate, or one of its chain, has expired";
    case TLS_FAILURE_NOT_YET_VALID:
        return "the client certificate, or one of its chain, is not yet valid";
    case TLS_FAILURE_REVOKED:
        return "the client certificate, or one of its chain, has been revoked";
    case TLS_FAILURE_CRL:
        return "whether the client certificate is revoked cannot be told: the service has no "
               "revocation list of its issuer that is valid now";
    case TLS_FAILURE_PURPOSE:
        return "the client certificate is not meant for clients: its key usage says so";
    default:
        return why != NULL ? why : "the client certificate is not accepted";
    }
}

static enum tls_failure failure_of(int error) {
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TLS_FAILURE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_FAILURE_NOT_YET_VALID;
    case X509_V_ERR_CERT_REVOKED:
        return TLS_FAILURE_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return TLS_FAILURE_UNKNOWN_CA;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return TLS_FAILURE_CRL;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
        return TLS_FAILURE_PURPOSE;
    default:
        return TLS_FAILURE_REFUSED;
    }
}

/* NULL while h2o has not attached the socket, or for a socket of nobody. */
static struct connection *connection_of_ssl(const SSL *ssl) {
    BIO *bio = SSL_get_rbio(ssl);
    h2o_socket_t *socket = bio != NULL ? BIO_get_data(bio) : NULL;
    return socket != NULL ? connection_of_socket(socket) : NULL;
}

static bool read_leaf(struct tls_peer *peer, X509 *leaf, const char **why) {
    unsigned char *der = NULL;
    int size = i2d_X509(leaf, &der);
    bool good =
        size > 0 && auth_certificate_read(span_of((const char *)der, (size_t)size), &peer->arena,
                                          &peer->certificate, why) == STATUS_OK;
    OPENSSL_free(der);
    return good;
}

/* Which certificate it was: its fingerprint is no secret and names no person. */
static void log_refusal(const struct connection *connection, X509 *leaf, const char *why) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int size = 0;
    if (leaf == NULL || X509_digest(leaf, EVP_sha256(), digest, &size) != 1)
        size = 0;
    encode_hex(digest, size, hex);
    log_event(LOG_WARN, "tls.refused", LOG_SPAN("peer", connection->peer),
              LOG_TEXT("cause", tls_failure_name(connection->tls.failure)),
              LOG_SPAN("sha256", span_of(hex, 2 * (size_t)size)), LOG_TEXT("why", why));
}

static int64_t now_s(const struct connection *connection) {
    return store_time_ms(connection->loop->service->store) / 1000;
}

static void judge(struct connection *connection, X509_STORE_CTX *verification) {
    struct tls_peer *peer = &connection->tls;
    X509 *leaf = X509_STORE_CTX_get0_cert(verification);
    const char *why = NULL;
    X509_STORE_CTX_set_time(verification, 0, (time_t)now_s(connection));
    if (X509_verify_cert(verification) != 1) {
        int error = X509_STORE_CTX_get_error(verification);
        peer->failure = failure_of(error);
        why = X509_verify_cert_error_string(error);
    } else if (!read_leaf(peer, leaf, &why)) {
        peer->failure = TLS_FAILURE_UNREADABLE;
    }
    if (peer->failure != TLS_FAILURE_NONE) {
        peer->why = why;
        log_refusal(connection, leaf, why);
        return;
    }
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(verification);
    X509_up_ref(leaf);
    peer->leaf = leaf;
    peer->chain = chain != NULL ? X509_chain_up_ref(chain) : NULL;
    peer->generation = peer->tls->generation;
    peer->verified_s = now_s(connection);
}

static int on_verify(X509_STORE_CTX *verification, void *unused) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *connection = connection_of_ssl(ssl);
    (void)unused;
    ASSERT(connection != NULL && connection->tls.leaf == NULL);
    judge(connection, verification);
    ERR_clear_error();
    return 1; /* the gate in service/http.c refuses */
}

/* Only a certificate that was verified here counts: one of a resumed session would not have been.
 */
static void on_established(struct connection *connection) {
    struct tls_peer *peer = &connection->tls;
    struct counters *counters = &connection->loop->counters;
    peer->established = true;
    if (peer->required && peer->failure == TLS_FAILURE_NONE && peer->leaf == NULL)
        peer->failure = TLS_FAILURE_NO_CERTIFICATE;
    if (peer->failure != TLS_FAILURE_NONE)
        counter_add(&counters->handshakes_failed[peer->failure], 1);
    else
        counter_add(&counters->handshakes, 1);
}

static void on_info(const SSL *ssl, int where, int code) {
    struct connection *connection;
    (void)code;
    if ((where & (SSL_CB_HANDSHAKE_DONE | SSL_CB_WRITE_ALERT)) == 0 ||
        (connection = connection_of_ssl(ssl)) == NULL)
        return;
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0)
        connection->tls.alerted = true;
    else if (!connection->tls.established)
        on_established(connection);
}

void tls_peer_watch(struct tls *tls) {
    SSL_CTX_set_cert_verify_callback(tls->context, on_verify, NULL);
    SSL_CTX_set_info_callback(tls->context, on_info);
}

/* The same judgement as at the handshake, with the authorities and lists of `now`. */
static enum tls_failure verify_again(const struct tls_peer *peer, struct tls *now, int64_t now_s) {
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    enum tls_failure failure = TLS_FAILURE_REFUSED;
    if (verification != NULL &&
        X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(now->context), peer->leaf,
                            peer->chain) == 1 &&
        X509_STORE_CTX_set_default(verification, "ssl_client") == 1) {
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(verification),
                                         SSL_CTX_get_security_level(now->context));
        X509_STORE_CTX_set_time(verification, 0, (time_t)now_s);
        failure = X509_verify_cert(verification) == 1
                      ? TLS_FAILURE_NONE
                      : failure_of(X509_STORE_CTX_get_error(verification));
    }
    X509_STORE_CTX_free(verification);
    ERR_clear_error();
    return failure;
}

bool tls_peer_aged(const struct tls_peer *peer, uint64_t generation, int64_t now_s) {
    return generation != peer->generation || now_s < peer->verified_s ||
           now_s - peer->verified_s >= TLS_VERIFIED_S;
}

bool tls_peer_check(struct tls_peer *peer, struct tls *now, int64_t now_s) {
    if (now_s >= peer->certificate->not_after_s) /* as OpenSSL 3.0 has it at the handshake */
        peer->failure = TLS_FAILURE_EXPIRED;
    else if (now != NULL) {
        peer->failure = verify_again(peer, now, now_s);
        peer->generation = now->generation;
        peer->verified_s = now_s;
    }
    return peer->failure == TLS_FAILURE_NONE;
}

void tls_peer_release(struct tls_peer *peer) {
    X509_free(peer->leaf);
    sk_X509_pop_free(peer->chain, X509_free);
    arena_release(&peer->arena);
    tls_unref(peer->tls);
    *peer = (struct tls_peer){0};
}
